//! What lies in the files of a log-structured merge tree, by bookkeeping instead of by writing.
//!
//! Memtables fill, are flushed to files of level 0, and so many of these are merged into what lies below. What a file of
//! level 0 overwrites or deletes lies on the disk twice until then: that is why a short run says so little about the size
//! of a long one. Whether and when a memtable is flushed depends on bytes alone, so the books can be kept for millions
//! of commands per second.
//!
//! Simplified: a flush and a merge take no time, all merges of a family cover all of it, and of the levels between the
//! first and the last only the share is known that they may hold at most.

use std::collections::{BTreeMap, HashMap};

use crate::load::WalkStep;
use ave_actors_rocksdb::trace::OpKind;

/// The sizes at which a tree flushes and merges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeRules {
    /// All memtables together; the fullest is flushed from there on, bytes.
    pub memtable_budget_bytes: u64,
    /// One memtable, bytes.
    pub write_buffer_bytes: u64,
    /// Log since the oldest data that is in a memtable only, bytes.
    pub wal_limit_bytes: u64,
    /// So many files of level 0 are merged into the level below.
    pub level_zero_files: u32,
    /// A family larger than this has more than one level below level 0, bytes.
    pub level_base_bytes: u64,
    /// Values of at least this many bytes lie in files of their own.
    pub min_blob_bytes: u64,
    /// A file in which so many deletions lie close together is merged at once.
    pub deletions_trigger: u64,
}

#[cfg(feature = "rocksdb")]
impl From<&ave_actors_rocksdb::backend::Tuning> for TreeRules {
    fn from(tuning: &ave_actors_rocksdb::backend::Tuning) -> Self {
        Self {
            memtable_budget_bytes: tuning.memtable_budget_bytes,
            write_buffer_bytes: tuning.write_buffer_bytes,
            wal_limit_bytes: tuning.max_wal_bytes,
            level_zero_files: tuning.level_zero_files,
            level_base_bytes: tuning.level_base_bytes,
            min_blob_bytes: tuning.min_blob_bytes,
            deletions_trigger: u64::from(tuning.tombstone_trigger),
        }
    }
}

/// What a memtable takes for an entry beside key and value: links of the skip list, lengths, sequence number.
const MEMTABLE_ENTRY_BYTES: u64 = 48;
/// What the log takes for a write beside key and value.
const LOG_ENTRY_BYTES: u64 = 24;
/// An event's key behind the actor's name: the dot and twenty digits.
const EVENT_NUMBER_BYTES: u64 = 21;
/// What is left of an event's key in a file: neighbours share the name and most digits.
const EVENT_KEY_IN_FILE_BYTES: u64 = 8;
/// What a file keeps of a value that lies in a blob file: its place.
const BLOB_PLACE_BYTES: u64 = 20;
/// Of the size of a family, what the levels between the first and the last may hold: each level is a tenth of the next.
const MIDDLE_LEVELS_SHARE: u64 = 9;

/// Bytes before compression.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Raw {
    /// Keys and small values.
    pub(super) table: u64,
    /// Large values.
    pub(super) blob: u64,
}

impl Raw {
    pub(super) fn add(&mut self, other: Self) {
        self.table += other.table;
        self.blob += other.blob;
    }

    fn remove(&mut self, other: Self) {
        self.table = self.table.saturating_sub(other.table);
        self.blob = self.blob.saturating_sub(other.blob);
    }

    fn at_most(self, other: Self) -> Self {
        Self { table: self.table.min(other.table), blob: self.blob.min(other.blob) }
    }
}

/// What is stored under one suffix: events, states or metadata, of all types together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// What is neither overwritten nor deleted.
    pub(super) live: Raw,
    /// In files of level 0.
    pub(super) young: Raw,
    /// In files that compactions wrote.
    pub(super) settled: Raw,
}

/// The kinds of column families, in the order of [`Tree::at_rest`].
pub(super) const SUFFIXES: [&str; 3] = ["_events", "_states", "_metadata"];
const EVENTS: usize = 0;

/// The books of one column family.
#[derive(Debug, Default)]
struct Family {
    live: Raw,
    /// What the memtable takes, bytes.
    fill_bytes: u64,
    /// Where the log stood when the memtable took its first entry.
    log_start: Option<u64>,
    /// What a flush would write: events that are new.
    fresh: Raw,
    /// And the newest states, by actor.
    newest: HashMap<u64, Raw>,
    deletions: u64,
    puts: u64,
    /// What the files of level 0 hold.
    young: Vec<Raw>,
    settled: Raw,
    expected: Raw,
}

impl Family {
    /// What a flush would write now.
    fn pending(&self) -> Option<Raw> {
        let mut raw = self.fresh;
        self.newest.values().for_each(|&state| raw.add(state));
        raw.table += self.deletions * EVENT_KEY_IN_FILE_BYTES;
        (self.fill_bytes > 0).then_some(raw)
    }

    /// The same family with its memtable flushed: what lies in level 0, and what lies below.
    fn rested(&self, rules: &TreeRules) -> (Raw, Raw) {
        let mut young = Raw::default();
        self.young.iter().chain(&self.pending()).for_each(|&file| young.add(file));
        if self.is_merged_at(self.young.len() + usize::from(self.fill_bytes > 0), rules) {
            let mut merged = self.live;
            merged.add(self.middle_after(young, rules));
            return (Raw::default(), merged);
        }
        let mut settled = self.settled;
        settled.add(self.expected);
        (young, settled)
    }

    fn flush(&mut self, rules: &TreeRules) {
        let Some(file) = self.pending() else { return };
        self.young.push(file);
        if self.is_merged_at(self.young.len(), rules) {
            let mut young = Raw::default();
            self.young.drain(..).for_each(|file| young.add(file));
            self.expected = self.middle_after(young, rules);
            self.settled = self.live;
        }
        (self.fill_bytes, self.log_start, self.fresh) = (0, None, Raw::default());
        (self.deletions, self.puts) = (0, 0);
        self.newest.clear();
    }

    /// Whether a family with so many files of level 0, the one of its memtable included, has them merged. Deletions lie
    /// close together if there are not far fewer of them than of anything else.
    fn is_merged_at(&self, files: usize, rules: &TreeRules) -> bool {
        let is_dense = self.deletions >= rules.deletions_trigger && self.deletions >= self.puts / 2;
        files >= rules.level_zero_files as usize || is_dense
    }

    /// What the levels in between hold of what lies in the last level too, after files of level 0 were merged.
    fn middle_after(&self, young: Raw, rules: &TreeRules) -> Raw {
        if self.newest.is_empty() || self.live.table <= rules.level_base_bytes {
            return Raw::default();
        }
        let mut middle = self.expected;
        middle.add(Raw { blob: 0, ..young });
        middle.at_most(Raw { table: self.live.table / MIDDLE_LEVELS_SHARE, blob: 0 })
    }
}

/// What an actor has stored.
#[derive(Debug, Default)]
struct Actor {
    /// Lengths of its events by number; empty if nothing ever deletes them.
    events: BTreeMap<u64, u32>,
    has_events: bool,
    states: [Option<Raw>; 2],
}

/// The books of a database.
#[derive(Debug)]
pub(super) struct Tree {
    rules: TreeRules,
    /// Three per actor type.
    families: Vec<Family>,
    actors: HashMap<u64, Actor>,
    /// Whether events may be deleted, so that their lengths have to be known.
    deletes: bool,
    memtable_bytes: u64,
    log_bytes: u64,
    writes: u64,
}

/// Writes between two looks for data that keeps old logs.
const LOOK_FOR_OLD_LOGS_EVERY: u64 = 256;

impl Tree {
    pub(super) fn new(rules: TreeRules, deletes: bool) -> Self {
        Self {
            rules,
            families: Vec::new(),
            actors: HashMap::new(),
            deletes,
            memtable_bytes: 0,
            log_bytes: 0,
            writes: 0,
        }
    }

    /// Keeps the books of one command.
    pub(super) fn step(&mut self, step: &WalkStep<'_>) {
        for op in step.ops {
            match op.kind {
                OpKind::EventsPut => self.put_event(step, op.number, op.bytes),
                OpKind::EventsDel => self.delete_events(step, Some(op.number)),
                OpKind::EventsPurge => self.delete_events(step, None),
                OpKind::StatesPut => self.put_state(step, 1, op.bytes),
                OpKind::MetadataPut => self.put_state(step, 2, op.bytes),
                OpKind::StatesPurge => self.delete_state(step, 1),
                OpKind::MetadataPurge => self.delete_state(step, 2),
                OpKind::Open | OpKind::EventsGet | OpKind::EventsLast | OpKind::StatesGet | OpKind::MetadataGet => {}
            }
        }
    }

    /// Flushes everything, as an orderly stop does.
    pub(super) fn rest(&mut self) {
        for at in 0..self.families.len() {
            self.flush(at);
        }
    }

    /// What would lie on the disk after an orderly stop: events, states, metadata.
    pub(super) fn at_rest(&self) -> [Shape; 3] {
        let mut shapes = [Shape::default(); 3];
        for (at, family) in self.families.iter().enumerate() {
            let shape = &mut shapes[at % 3];
            let (young, settled) = family.rested(&self.rules);
            shape.live.add(family.live);
            shape.young.add(young);
            shape.settled.add(settled);
        }
        shapes
    }

    fn put_event(&mut self, step: &WalkStep<'_>, number: u64, bytes: u32) {
        let raw = self.raw(EVENT_KEY_IN_FILE_BYTES, bytes);
        let actor = self.actors.entry(step.actor).or_default();
        let before = if self.deletes { actor.events.insert(number, bytes) } else { None };
        let is_first = !std::mem::replace(&mut actor.has_events, true);
        let before = before.map(|bytes| self.raw(EVENT_KEY_IN_FILE_BYTES, bytes));
        let at = self.place(step, EVENTS);
        let family = &mut self.families[at];
        if let Some(before) = before {
            family.live.remove(before);
        }
        family.live.add(raw);
        family.fresh.add(raw);
        family.puts += 1;
        // The name, which all events of an actor share.
        family.live.table += if is_first { u64::from(step.name_bytes) } else { 0 };
        self.wrote(at, u64::from(step.name_bytes) + EVENT_NUMBER_BYTES + u64::from(bytes));
    }

    /// One event, or all of them.
    fn delete_events(&mut self, step: &WalkStep<'_>, number: Option<u64>) {
        let Some(actor) = self.actors.get_mut(&step.actor) else { return };
        let mut gone: Vec<u32> = Vec::new();
        match number {
            Some(number) => gone.extend(actor.events.remove(&number)),
            None => gone.extend(std::mem::take(&mut actor.events).into_values()),
        }
        let was_last = actor.events.is_empty() && std::mem::replace(&mut actor.has_events, !actor.events.is_empty());
        let at = self.place(step, EVENTS);
        for bytes in gone {
            let raw = self.raw(EVENT_KEY_IN_FILE_BYTES, bytes);
            let family = &mut self.families[at];
            family.live.remove(raw);
            // What is put and deleted in one memtable never reaches a file; the deletion does.
            family.fresh.remove(raw);
            family.deletions += 1;
            self.wrote(at, u64::from(step.name_bytes) + EVENT_NUMBER_BYTES);
        }
        if was_last {
            self.families[at].live.remove(Raw { table: u64::from(step.name_bytes), blob: 0 });
        }
    }

    fn put_state(&mut self, step: &WalkStep<'_>, kind: usize, bytes: u32) {
        let raw = self.raw(u64::from(step.name_bytes), bytes);
        let before = self.actors.entry(step.actor).or_default().states[kind - 1].replace(raw);
        let at = self.place(step, kind);
        let family = &mut self.families[at];
        family.live.remove(before.unwrap_or_default());
        family.live.add(raw);
        family.newest.insert(step.actor, raw);
        self.wrote(at, u64::from(step.name_bytes) + u64::from(bytes));
    }

    fn delete_state(&mut self, step: &WalkStep<'_>, kind: usize) {
        let Some(before) = self.actors.get_mut(&step.actor).and_then(|actor| actor.states[kind - 1].take()) else {
            return;
        };
        let at = self.place(step, kind);
        self.families[at].live.remove(before);
        self.families[at].newest.insert(step.actor, Raw { table: u64::from(step.name_bytes), blob: 0 });
        self.wrote(at, u64::from(step.name_bytes));
    }

    /// What an entry is in a file.
    fn raw(&self, key_bytes: u64, value_bytes: u32) -> Raw {
        let value = u64::from(value_bytes);
        if value >= self.rules.min_blob_bytes {
            Raw { table: key_bytes + BLOB_PLACE_BYTES, blob: value }
        } else {
            Raw { table: key_bytes + value, blob: 0 }
        }
    }

    fn place(&mut self, step: &WalkStep<'_>, kind: usize) -> usize {
        let at = step.actor_type as usize * 3 + kind;
        if at >= self.families.len() {
            self.families.resize_with((step.actor_type as usize + 1) * 3, Family::default);
        }
        at
    }

    /// Fills the memtable and the log, and flushes what that makes due.
    fn wrote(&mut self, at: usize, bytes: u64) {
        let family = &mut self.families[at];
        family.log_start.get_or_insert(self.log_bytes);
        family.fill_bytes += bytes + MEMTABLE_ENTRY_BYTES;
        self.memtable_bytes += bytes + MEMTABLE_ENTRY_BYTES;
        self.log_bytes += bytes + LOG_ENTRY_BYTES;
        self.writes += 1;
        if family.fill_bytes >= self.rules.write_buffer_bytes {
            self.flush(at);
        } else if self.memtable_bytes >= self.rules.memtable_budget_bytes {
            let fullest = (0..self.families.len()).max_by_key(|&at| self.families[at].fill_bytes);
            self.flush(fullest.unwrap_or(at));
        }
        if self.writes.is_multiple_of(LOOK_FOR_OLD_LOGS_EVERY) {
            self.flush_oldest();
        }
    }

    /// Flushes the families whose oldest data lies too far back in the log.
    fn flush_oldest(&mut self) {
        let Some(due_before) = self.log_bytes.checked_sub(self.rules.wal_limit_bytes) else { return };
        for at in 0..self.families.len() {
            if self.families[at].log_start.is_some_and(|start| start <= due_before) {
                self.flush(at);
            }
        }
    }

    fn flush(&mut self, at: usize) {
        self.memtable_bytes = self.memtable_bytes.saturating_sub(self.families[at].fill_bytes);
        self.families[at].flush(&self.rules);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ave_actors_rocksdb::trace::Op;
    use proptest::prelude::*;

    const RULES: TreeRules = TreeRules {
        memtable_budget_bytes: 1 << 20,
        write_buffer_bytes: 1 << 20,
        wal_limit_bytes: 1 << 30,
        level_zero_files: 4,
        level_base_bytes: 1 << 30,
        min_blob_bytes: 4096,
        deletions_trigger: 8,
    };
    const NAME_BYTES: u32 = 10;

    fn tree(rules: TreeRules) -> Tree {
        Tree::new(rules, true)
    }

    fn step(tree: &mut Tree, actor: u64, kind: OpKind, number: u64, bytes: u32) {
        let ops = [Op::new(kind, number, bytes)];
        tree.step(&WalkStep { actor, actor_type: 0, name_bytes: NAME_BYTES, is_command: true, ops: &ops });
    }

    /// Bytes of a state of so many bytes in a file.
    fn state(bytes: u64) -> u64 {
        bytes + u64::from(NAME_BYTES)
    }

    #[test]
    fn a_state_lies_in_every_file_it_was_flushed_to_until_they_are_merged() {
        let mut tree = tree(RULES);
        for flush in 1..RULES.level_zero_files {
            // Overwritten in the memtable, it reaches the file once.
            step(&mut tree, 0, OpKind::StatesPut, 0, 90);
            step(&mut tree, 0, OpKind::StatesPut, 1, 100);
            tree.rest();
            let states = tree.at_rest()[1];
            assert_eq!((states.live.table, states.young.table), (state(100), u64::from(flush) * state(100)));
            assert_eq!(states.settled.table, 0);
        }
        step(&mut tree, 0, OpKind::StatesPut, 2, 100);
        tree.rest();
        let states = tree.at_rest()[1];
        assert_eq!((states.young.table, states.settled.table), (0, state(100)), "merged: one version is left");
    }

    #[test]
    fn what_lies_on_the_disk_after_a_stop_is_known_before_it() {
        let mut tree = tree(RULES);
        for number in 0..40 {
            step(&mut tree, number % 3, OpKind::StatesPut, number, 100);
            step(&mut tree, number % 3, OpKind::EventsPut, number / 3, 50);
            let before = tree.at_rest();
            if number % 4 == 0 {
                tree.rest();
                assert_eq!(tree.at_rest(), before, "after {number}");
            }
        }
    }

    #[test]
    fn deleted_events_are_gone_and_a_wall_of_deletions_is_merged_at_once() {
        let mut tree = tree(RULES);
        for number in 0..20 {
            step(&mut tree, 0, OpKind::EventsPut, number, 100);
        }
        tree.rest();
        assert!(tree.at_rest()[EVENTS].young.table >= 20 * 100);
        for number in 0..20 {
            step(&mut tree, 0, OpKind::EventsDel, number, 0);
        }
        tree.rest();
        assert_eq!(tree.at_rest()[EVENTS], Shape::default());
    }

    #[test]
    fn a_purge_takes_what_an_actor_stored_and_nothing_of_another() {
        let mut tree = tree(RULES);
        for actor in 0..2 {
            step(&mut tree, actor, OpKind::EventsPut, 0, 100);
            step(&mut tree, actor, OpKind::StatesPut, 0, 200);
        }
        let both = tree.at_rest();
        step(&mut tree, 0, OpKind::EventsPurge, 0, 0);
        step(&mut tree, 0, OpKind::StatesPurge, 0, 0);
        let one = tree.at_rest();
        for kind in [EVENTS, 1] {
            assert_eq!(2 * one[kind].live.table, both[kind].live.table);
        }
    }

    #[test]
    fn old_logs_have_their_data_flushed() {
        let mut tree = tree(TreeRules { wal_limit_bytes: 10_000, ..RULES });
        step(&mut tree, 0, OpKind::StatesPut, 0, 100);
        for number in 0..2 * LOOK_FOR_OLD_LOGS_EVERY {
            step(&mut tree, 1, OpKind::EventsPut, number, 100);
        }
        assert_eq!(tree.families[1].young.len(), 1, "one state, long ago");
    }

    #[test]
    fn large_values_count_apart() {
        let mut tree = tree(RULES);
        step(&mut tree, 0, OpKind::StatesPut, 0, 5000);
        let live = tree.at_rest()[1].live;
        assert_eq!((live.blob, live.table), (5000, state(BLOB_PLACE_BYTES)));
    }

    proptest! {
        #[test]
        fn events_that_are_only_appended_lie_on_the_disk_once(
            sizes in prop::collection::vec(1u32..20_000, 1..300), actors in 1u64..5,
        ) {
            let mut tree = tree(TreeRules { write_buffer_bytes: 50_000, ..RULES });
            for (number, &bytes) in sizes.iter().enumerate() {
                step(&mut tree, number as u64 % actors, OpKind::EventsPut, number as u64 / actors, bytes);
            }
            let Shape { live, young, settled } = tree.at_rest()[EVENTS];
            let names = actors.min(sizes.len() as u64) * u64::from(NAME_BYTES);
            prop_assert_eq!(live.blob, young.blob + settled.blob);
            // The name, which is counted once per actor, is in one of both.
            prop_assert!(live.table.abs_diff(young.table + settled.table) <= names);
        }
    }
}
