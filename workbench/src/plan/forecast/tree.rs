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
use ave_actors_rocksdb::backend::Tuning;
use ave_actors_rocksdb::trace::OpKind;

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
}

fn sum(parts: impl IntoIterator<Item = Raw>) -> Raw {
    parts.into_iter().fold(Raw::default(), |mut sum, part| {
        sum.add(part);
        sum
    })
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

#[derive(Debug, Clone, Default)]
struct Family {
    live: Raw,
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
    /// What lies in level 0 and what lies below it once the memtable is flushed.
    fn rested(&self, tuning: &Tuning) -> (Raw, Raw) {
        let mut rested = self.clone();
        rested.flush(tuning);
        (sum(rested.young), sum([rested.settled, rested.expected]))
    }

    /// Adds what a compaction has merged into the last level.
    fn load(&mut self, raw: Raw) {
        self.live.add(raw);
        self.settled.add(raw);
    }

    fn flush(&mut self, tuning: &Tuning) {
        if self.fill_bytes == 0 {
            return;
        }
        let mut file = sum(self.newest.values().copied().chain([self.fresh]));
        file.table += self.deletions * EVENT_KEY_IN_FILE_BYTES;
        self.young.push(file);
        // Deletions lie close together if there are not far fewer of them than of anything else.
        let is_dense = self.deletions >= u64::from(tuning.tombstone_trigger) && self.deletions >= self.puts / 2;
        if self.young.len() >= tuning.level_zero_files as usize || is_dense {
            let young = sum(self.young.drain(..));
            self.expected = self.middle_after(young, tuning);
            self.settled = self.live;
        }
        (self.fill_bytes, self.log_start, self.fresh) = (0, None, Raw::default());
        (self.deletions, self.puts) = (0, 0);
        self.newest.clear();
    }

    /// What the levels in between hold of what lies in the last level too, after files of level 0 were merged.
    fn middle_after(&self, young: Raw, tuning: &Tuning) -> Raw {
        if self.newest.is_empty() || self.live.table <= tuning.level_base_bytes {
            return Raw::default();
        }
        let table = (self.expected.table + young.table).min(self.live.table / MIDDLE_LEVELS_SHARE);
        Raw { table, blob: 0 }
    }
}

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
    tuning: Tuning,
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
    pub(super) fn new(tuning: Tuning, deletes: bool) -> Self {
        Self {
            tuning,
            families: Vec::new(),
            actors: HashMap::new(),
            deletes,
            memtable_bytes: 0,
            log_bytes: 0,
            writes: 0,
        }
    }

    pub(super) fn step(&mut self, step: &WalkStep<'_>) {
        for op in step.ops {
            match op.kind {
                OpKind::EventsPut => self.put_event(step, op.number, op.bytes),
                OpKind::EventsDel => self.delete_events(step, Some(op.number)),
                OpKind::EventsPurge => self.delete_events(step, None),
                OpKind::StatesPut => self.set_state(step, 1, Some(op.bytes)),
                OpKind::MetadataPut => self.set_state(step, 2, Some(op.bytes)),
                OpKind::StatesPurge => self.set_state(step, 1, None),
                OpKind::MetadataPurge => self.set_state(step, 2, None),
                OpKind::Open | OpKind::EventsGet | OpKind::EventsLast | OpKind::StatesGet | OpKind::MetadataGet => {}
            }
        }
    }

    /// Stores what a step of the preload writes as a compaction leaves it.
    pub(super) fn load(&mut self, step: &WalkStep<'_>) {
        for op in step.ops {
            match op.kind {
                OpKind::EventsPut => self.load_event(step, op.number, op.bytes),
                OpKind::StatesPut => self.load_state(step, 1, op.bytes),
                OpKind::MetadataPut => self.load_state(step, 2, op.bytes),
                _ => {}
            }
        }
    }

    fn load_event(&mut self, step: &WalkStep<'_>, number: u64, bytes: u32) {
        let raw = self.raw(EVENT_KEY_IN_FILE_BYTES, bytes);
        let actor = self.actors.entry(step.actor).or_default();
        if self.deletes {
            actor.events.insert(number, bytes);
        }
        let is_first = !std::mem::replace(&mut actor.has_events, true);
        let name = Raw { table: if is_first { u64::from(step.name_bytes) } else { 0 }, blob: 0 };
        let at = self.place(step, EVENTS);
        self.families[at].load(sum([raw, name]));
    }

    fn load_state(&mut self, step: &WalkStep<'_>, kind: usize, bytes: u32) {
        let raw = self.raw(u64::from(step.name_bytes), bytes);
        self.actors.entry(step.actor).or_default().states[kind - 1] = Some(raw);
        let at = self.place(step, kind);
        self.families[at].load(raw);
    }

    /// What would lie on the disk after an orderly stop: events, states, metadata.
    pub(super) fn at_rest(&self) -> [Shape; 3] {
        let mut shapes = [Shape::default(); 3];
        for (at, family) in self.families.iter().enumerate() {
            let shape = &mut shapes[at % 3];
            let (young, settled) = family.rested(&self.tuning);
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

    /// Stores a state of so many bytes, or deletes it.
    fn set_state(&mut self, step: &WalkStep<'_>, kind: usize, bytes: Option<u32>) {
        let name_bytes = u64::from(step.name_bytes);
        let raw = bytes.map(|bytes| self.raw(name_bytes, bytes));
        let known = &mut self.actors.entry(step.actor).or_default().states[kind - 1];
        let before = std::mem::replace(known, raw);
        if raw.or(before).is_none() {
            return;
        }
        let at = self.place(step, kind);
        let family = &mut self.families[at];
        family.live.remove(before.unwrap_or_default());
        family.live.add(raw.unwrap_or_default());
        family.newest.insert(step.actor, raw.unwrap_or(Raw { table: name_bytes, blob: 0 }));
        self.wrote(at, name_bytes + u64::from(bytes.unwrap_or(0)));
    }

    fn raw(&self, key_bytes: u64, value_bytes: u32) -> Raw {
        let value = u64::from(value_bytes);
        if value >= self.tuning.min_blob_bytes {
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
        if family.fill_bytes >= self.tuning.write_buffer_bytes {
            self.flush(at);
        } else if self.memtable_bytes >= self.tuning.memtable_budget_bytes {
            let fullest = (0..self.families.len()).max_by_key(|&at| self.families[at].fill_bytes);
            self.flush(fullest.unwrap_or(at));
        }
        if self.writes.is_multiple_of(LOOK_FOR_OLD_LOGS_EVERY) {
            self.flush_oldest();
        }
    }

    /// Flushes the families whose oldest data lies too far back in the log.
    fn flush_oldest(&mut self) {
        let Some(due_before) = self.log_bytes.checked_sub(self.tuning.max_wal_bytes) else { return };
        for at in 0..self.families.len() {
            if self.families[at].log_start.is_some_and(|start| start <= due_before) {
                self.flush(at);
            }
        }
    }

    fn flush(&mut self, at: usize) {
        self.memtable_bytes = self.memtable_bytes.saturating_sub(self.families[at].fill_bytes);
        self.families[at].flush(&self.tuning);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ave_actors_rocksdb::trace::Op;
    use ave_actors_store::config::ResolvedSpec;
    use proptest::prelude::*;

    const LEVEL_ZERO_FILES: u32 = 4;
    const NAME_BYTES: u32 = 10;

    fn tree(change: impl FnOnce(&mut Tuning)) -> Tree {
        let mut tuning = Tuning::new(&ResolvedSpec { ram_mb: 4096, cpu_cores: 2 }, None);
        (tuning.memtable_budget_bytes, tuning.write_buffer_bytes) = (1 << 20, 1 << 20);
        (tuning.level_zero_files, tuning.level_base_bytes) = (LEVEL_ZERO_FILES, 1 << 30);
        (tuning.min_blob_bytes, tuning.tombstone_trigger) = (4096, 8);
        change(&mut tuning);
        Tree::new(tuning, true)
    }

    fn step(tree: &mut Tree, actor: u64, kind: OpKind, number: u64, bytes: u32) {
        let ops = [Op::new(kind, number, bytes)];
        tree.step(&WalkStep { actor, actor_type: 0, name_bytes: NAME_BYTES, is_command: true, ops: &ops });
    }

    impl Tree {
        /// Flushes everything, as an orderly stop does.
        fn rest(&mut self) {
            for at in 0..self.families.len() {
                self.flush(at);
            }
        }
    }

    /// Bytes of a state of so many bytes in a file.
    fn state(bytes: u64) -> u64 {
        bytes + u64::from(NAME_BYTES)
    }

    #[test]
    fn a_state_lies_in_every_file_it_was_flushed_to_until_they_are_merged() {
        let mut tree = tree(|_| {});
        for flush in 1..LEVEL_ZERO_FILES {
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
    fn deleted_events_are_gone_and_a_wall_of_deletions_is_merged_at_once() {
        let mut tree = tree(|_| {});
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
        let mut tree = tree(|_| {});
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
        let mut tree = tree(|tuning| tuning.max_wal_bytes = 10_000);
        step(&mut tree, 0, OpKind::StatesPut, 0, 100);
        for number in 0..2 * LOOK_FOR_OLD_LOGS_EVERY {
            step(&mut tree, 1, OpKind::EventsPut, number, 100);
        }
        assert_eq!(tree.families[1].young.len(), 1, "one state, long ago");
    }

    proptest! {
        #[test]
        fn events_that_are_only_appended_lie_on_the_disk_once(
            sizes in prop::collection::vec(1u32..20_000, 1..300), actors in 1u64..5,
        ) {
            let mut tree = tree(|tuning| tuning.write_buffer_bytes = 50_000);
            for (number, &bytes) in sizes.iter().enumerate() {
                step(&mut tree, number as u64 % actors, OpKind::EventsPut, number as u64 / actors, bytes);
            }
            let Shape { live, young, settled } = tree.at_rest()[EVENTS];
            let names = actors.min(sizes.len() as u64) * u64::from(NAME_BYTES);
            let large: u64 = sizes.iter().filter(|&&bytes| bytes >= 4096).map(|&bytes| u64::from(bytes)).sum();
            prop_assert_eq!((live.blob, live.blob), (large, young.blob + settled.blob));
            // The name, which is counted once per actor, is in one of both.
            prop_assert!(live.table.abs_diff(young.table + settled.table) <= names);
        }
    }
}
