//! The counters of one actor's store, and the operations each command issues.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind};

/// When an actor's state is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// The state is written with every event.
    Light,
    /// Only events are written; the state every `snapshot_every` events.
    Full {
        /// Events between automatic snapshots; `None`: only explicit snapshots.
        snapshot_every: Option<u64>,
    },
}

/// How an actor persists, as set by its implementation of `PersistentActor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersistenceRules {
    /// When the state is written.
    pub strategy: Strategy,
    /// Whether a snapshot deletes the events it covers.
    pub compact_on_snapshot: bool,
    /// Whether values are encrypted at rest.
    pub encrypted: bool,
}

impl PersistenceRules {
    /// Bytes that XChaCha20-Poly1305 adds to a value: a 24-byte nonce and a 16-byte tag.
    pub const ENCRYPTION_BYTES: u32 = 40;
    /// Borsh size of the store's metadata: two `u64`.
    const METADATA_BYTES: u32 = 16;
    /// Borsh size of the event counter that is stored behind the state.
    const COUNTER_BYTES: u32 = 8;

    /// Bytes the store adds to a serialised state: event counter and encryption.
    pub(crate) const fn state_overhead(self) -> u32 {
        Self::COUNTER_BYTES + self.overhead()
    }

    /// Bytes the store adds to every value.
    pub(crate) const fn overhead(self) -> u32 {
        if self.encrypted { Self::ENCRYPTION_BYTES } else { 0 }
    }
}

/// `light`, or `full, snapshot every 100 events, compacting, encrypted`.
impl fmt::Display for PersistenceRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.strategy {
            Strategy::Light => f.write_str("light")?,
            Strategy::Full { snapshot_every: None } => f.write_str("full, no automatic snapshots")?,
            Strategy::Full { snapshot_every: Some(every) } => {
                write!(f, "full, snapshot every {every} event{}", if every == 1 { "" } else { "s" })?;
            }
        }
        if self.compact_on_snapshot {
            f.write_str(", compacting")?;
        }
        if self.encrypted {
            f.write_str(", encrypted")?;
        }
        Ok(())
    }
}

/// Reads the text that `Display` writes.
impl FromStr for PersistenceRules {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split(", ").peekable();
        let strategy = match parts.next() {
            Some("light") => Strategy::Light,
            Some("full") => Strategy::Full {
                snapshot_every: match parts.next().ok_or(())? {
                    "no automatic snapshots" => None,
                    every => {
                        let count = every.strip_prefix("snapshot every ").and_then(|rest| rest.split(' ').next());
                        Some(count.and_then(|count| count.parse().ok()).ok_or(())?)
                    }
                },
            },
            _ => return Err(()),
        };
        let compact_on_snapshot = parts.next_if_eq(&"compacting").is_some();
        let encrypted = parts.next_if_eq(&"encrypted").is_some();
        parts.next().map_or(Ok(Self { strategy, compact_on_snapshot, encrypted }), |_| Err(()))
    }
}

/// A command and the sizes its operations depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Append an event.
    Persist {
        /// Serialised event, before encryption.
        event_bytes: u32,
        /// Serialised state, before encryption; used if the state is written with this event.
        state_bytes: u32,
    },
    /// Write the state now.
    Snapshot {
        /// Serialised state, before encryption.
        state_bytes: u32,
    },
    /// Stop the actor: under full persistence its state is rebuilt and written if there are events after the last snapshot.
    /// Counts as a snapshot.
    Stop {
        /// Serialised state, before encryption; used if it is written.
        state_bytes: u32,
    },
    /// Start the actor.
    Recover {
        /// Serialised state, before encryption; used if the replay ends in a snapshot.
        state_bytes: u32,
    },
    /// Read events `from ..= to`.
    Events {
        /// First event number.
        from: u64,
        /// Last event number, inclusive.
        to: u64,
    },
    /// Read the newest event.
    LastEvent,
    /// Delete everything.
    Purge,
}

impl Command {
    /// The command's kind.
    pub const fn kind(&self) -> CommandKind {
        match self {
            Self::Persist { .. } => CommandKind::Persist,
            Self::Snapshot { .. } | Self::Stop { .. } => CommandKind::Snapshot,
            Self::Recover { .. } => CommandKind::Recover,
            Self::Events { .. } => CommandKind::Events,
            Self::LastEvent => CommandKind::LastEvent,
            Self::Purge => CommandKind::Purge,
        }
    }
}

/// The counters `Store` keeps for one actor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActorLog {
    /// Number of the next event: events persisted since the last purge.
    pub(crate) events: u64,
    /// Events the newest snapshot covers.
    covered: u64,
    /// Events below this number were deleted by compaction.
    pub(crate) compacted: u64,
    /// Snapshots ever written, purges included: identifies the newest value.
    states: u64,
    metadata: u64,
    has_state: bool,
}

impl ActorLog {
    /// Whether there are events after the last snapshot.
    pub(crate) const fn has_uncovered_events(&self) -> bool {
        self.events > self.covered
    }

    /// The counters after so many events were persisted, and nothing else happened.
    pub(crate) fn after_persists(rules: PersistenceRules, events: u64) -> Self {
        let every = match rules.strategy {
            Strategy::Light => Some(1),
            Strategy::Full { snapshot_every } => snapshot_every.map(|every| every.max(1)),
        };
        let states = every.map_or(0, |every| events / every);
        let covered = every.map_or(0, |every| states * every);
        let compacted = if rules.compact_on_snapshot { covered } else { 0 };
        let metadata = if rules.compact_on_snapshot { 2 * states } else { states };
        Self { events, covered, compacted, states, metadata, has_state: states > 0 }
    }

    /// The number of the event that the actor persists next.
    pub(crate) const fn next_event(&self) -> u64 {
        self.events
    }

    /// The number of the state that the actor writes next.
    pub(crate) const fn next_state(&self) -> u64 {
        self.states
    }

    /// Events that the newest snapshot covers.
    pub(crate) const fn covered_events(&self) -> u64 {
        self.covered
    }

    /// The writes of what is stored of an actor that has persisted events and done nothing else, without those that later
    /// ones overwrote or deleted: of the state and the metadata. Its events are those from `compacted` on.
    pub(crate) fn newest_states(&self, rules: PersistenceRules, state_bytes: u32) -> Option<[Op; 2]> {
        self.has_state.then(|| {
            [
                Op::new(OpKind::StatesPut, self.states - 1, state_bytes + rules.state_overhead()),
                Op::new(OpKind::MetadataPut, self.metadata - 1, PersistenceRules::METADATA_BYTES + rules.overhead()),
            ]
        })
    }

    /// Updates the counters after an executed operation.
    pub fn follow(&mut self, op: Op) {
        match op.kind {
            OpKind::EventsPut => self.events = op.number + 1,
            OpKind::EventsDel => self.compacted = self.compacted.max(op.number + 1),
            OpKind::EventsPurge => (self.events, self.covered, self.compacted) = (0, 0, 0),
            OpKind::StatesPut => {
                (self.states, self.covered, self.has_state) = (op.number + 1, self.events, true);
            }
            OpKind::StatesPurge => self.has_state = false,
            OpKind::MetadataPut => self.metadata = op.number + 1,
            _ => {}
        }
    }

    /// Appends to `ops` the operations that `Store` issues for `command`, and updates the counters.
    pub fn expand(&mut self, rules: PersistenceRules, command: Command, ops: &mut Vec<Op>) {
        match command {
            Command::Persist { event_bytes, state_bytes } => self.persist(rules, event_bytes, state_bytes, ops),
            Command::Snapshot { state_bytes } => self.snapshot(rules, state_bytes, ops),
            Command::Stop { state_bytes } => self.stop(rules, state_bytes, ops),
            Command::Recover { state_bytes } => self.recover(rules, state_bytes, ops),
            Command::Events { from, to } => self.query(from, to, ops),
            Command::LastEvent => push(ops, OpKind::EventsLast, 0, 0),
            Command::Purge => self.purge(ops),
        }
    }

    fn persist(&mut self, rules: PersistenceRules, event_bytes: u32, state_bytes: u32, ops: &mut Vec<Op>) {
        push(ops, OpKind::EventsPut, self.events, event_bytes + rules.overhead());
        self.events += 1;
        let snapshot = match rules.strategy {
            Strategy::Light => true,
            Strategy::Full { snapshot_every } => {
                snapshot_every.is_some_and(|every| self.events.saturating_sub(self.covered) >= every)
            }
        };
        if snapshot {
            self.snapshot(rules, state_bytes, ops);
        }
    }

    fn snapshot(&mut self, rules: PersistenceRules, state_bytes: u32, ops: &mut Vec<Op>) {
        push(ops, OpKind::StatesPut, self.states, state_bytes + rules.state_overhead());
        self.states += 1;
        self.has_state = true;
        self.covered = self.events;
        self.put_metadata(rules, ops);
        if rules.compact_on_snapshot {
            push_each(ops, OpKind::EventsDel, self.compacted..self.covered);
            self.compacted = self.compacted.max(self.covered);
            self.put_metadata(rules, ops);
        }
    }

    fn put_metadata(&mut self, rules: PersistenceRules, ops: &mut Vec<Op>) {
        push(ops, OpKind::MetadataPut, self.metadata, PersistenceRules::METADATA_BYTES + rules.overhead());
        self.metadata += 1;
    }

    /// `Store::snapshot_if_needed`, called by `pre_stop`: reads the newest snapshot and later events.
    fn stop(&mut self, rules: PersistenceRules, state_bytes: u32, ops: &mut Vec<Op>) {
        if rules.strategy == Strategy::Light || !self.has_uncovered_events() {
            return;
        }
        push(ops, OpKind::StatesGet, 0, 0);
        push_each(ops, OpKind::EventsGet, self.covered..self.events);
        self.snapshot(rules, state_bytes, ops);
    }

    /// A start after a crash: `Store::new` reads the three handles, `Recover` reads the state again, and events the
    /// snapshot does not cover are replayed and then covered by a new one.
    fn recover(&mut self, rules: PersistenceRules, state_bytes: u32, ops: &mut Vec<Op>) {
        use OpKind::{EventsLast, MetadataGet, Open, StatesGet};
        for kind in [Open, EventsLast, StatesGet, MetadataGet, StatesGet, EventsLast] {
            push(ops, kind, 0, 0);
        }
        if !self.has_state {
            self.covered = 0;
        }
        if self.has_uncovered_events() {
            push_each(ops, OpKind::EventsGet, self.covered..self.events);
            self.snapshot(rules, state_bytes, ops);
        }
    }

    /// Reads one event after the other, up to the first one that compaction deleted.
    fn query(&self, from: u64, to: u64, ops: &mut Vec<Op>) {
        if from > to || from >= self.events {
            return;
        }
        let last = if from < self.compacted { from } else { to.min(self.events - 1) };
        push_each(ops, OpKind::EventsGet, from..last + 1);
    }

    fn purge(&mut self, ops: &mut Vec<Op>) {
        for kind in [OpKind::EventsPurge, OpKind::StatesPurge, OpKind::MetadataPurge] {
            push(ops, kind, 0, 0);
        }
        *self = Self { states: self.states, metadata: self.metadata, ..Self::default() };
    }
}

fn push(ops: &mut Vec<Op>, kind: OpKind, number: u64, bytes: u32) {
    ops.push(Op::new(kind, number, bytes));
}

fn push_each(ops: &mut Vec<Op>, kind: OpKind, numbers: Range<u64>) {
    ops.extend(numbers.map(|number| Op::new(kind, number, 0)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{Just, Strategy as _, prop_assert_eq, prop_oneof, proptest};

    const LIGHT: PersistenceRules =
        PersistenceRules { strategy: Strategy::Light, compact_on_snapshot: false, encrypted: false };

    const fn full(every: u64, compact: bool) -> PersistenceRules {
        PersistenceRules {
            strategy: Strategy::Full { snapshot_every: Some(every) },
            compact_on_snapshot: compact,
            encrypted: false,
        }
    }

    fn names(ops: &[Op]) -> Vec<&'static str> {
        ops.iter().map(|op| op.kind.name()).collect()
    }

    fn persist(log: &mut ActorLog, rules: PersistenceRules) -> Vec<Op> {
        let mut ops = Vec::new();
        log.expand(rules, Command::Persist { event_bytes: 100, state_bytes: 1000 }, &mut ops);
        ops
    }

    #[test]
    fn rules_read_back_from_their_text() {
        for strategy in [Strategy::Light, Strategy::Full { snapshot_every: None }, full(1, false).strategy] {
            for [compact_on_snapshot, encrypted] in [[false, false], [false, true], [true, false], [true, true]] {
                let rules = PersistenceRules { strategy, compact_on_snapshot, encrypted };
                assert_eq!(rules.to_string().parse(), Ok(rules));
            }
        }
        assert_eq!("light, sealed".parse::<PersistenceRules>(), Err(()));
    }

    #[test]
    fn a_stop_writes_a_snapshot_if_there_are_events_after_the_last() {
        let mut log = ActorLog::default();
        let rules = full(3, false);
        persist(&mut log, rules);
        let mut ops = Vec::new();
        log.expand(rules, Command::Stop { state_bytes: 10 }, &mut ops);
        assert_eq!(names(&ops), ["states.get", "events.get", "states.put", "metadata.put"]);
        ops.clear();
        log.expand(rules, Command::Stop { state_bytes: 10 }, &mut ops);
        assert!(ops.is_empty(), "no event after the snapshot");
        log.expand(rules, Command::Recover { state_bytes: 10 }, &mut ops);
        assert!(!names(&ops).contains(&"events.get"));

        ops.clear();
        persist(&mut log, LIGHT);
        log.expand(LIGHT, Command::Stop { state_bytes: 10 }, &mut ops);
        assert!(ops.is_empty(), "the state is written with every event");
    }

    #[test]
    fn followed_operations_yield_the_same_counters() {
        for rules in [LIGHT, full(3, false), full(3, true)] {
            let (mut issuing, mut following, mut ops) = (ActorLog::default(), ActorLog::default(), Vec::new());
            for step in 0..40 {
                ops.clear();
                let command = match step % 11 {
                    7 => Command::Recover { state_bytes: 9 },
                    9 => Command::Snapshot { state_bytes: 9 },
                    10 if step > 30 => Command::Purge,
                    _ => Command::Persist { event_bytes: 5, state_bytes: 9 },
                };
                issuing.expand(rules, command, &mut ops);
                for &op in &ops {
                    following.follow(op);
                }
                assert_eq!(following, issuing, "{rules} after {command:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn the_counters_after_persists_are_those_of_the_commands(
            every in prop_oneof![Just(None), (1..30_u64).prop_map(Some)], is_light: bool, compact_on_snapshot: bool,
            events in 0..100_u64,
        ) {
            let strategy = if is_light { Strategy::Light } else { Strategy::Full { snapshot_every: every } };
            let rules = PersistenceRules { strategy, compact_on_snapshot, encrypted: false };
            let mut issuing = ActorLog::default();
            let writes: Vec<Op> = (0..events).flat_map(|_| persist(&mut issuing, rules)).collect();
            let log = ActorLog::after_persists(rules, events);
            prop_assert_eq!(log, issuing);
            let last = |kind| writes.iter().rfind(|op| op.kind == kind).copied();
            let states = [OpKind::StatesPut, OpKind::MetadataPut].map(last);
            prop_assert_eq!(log.newest_states(rules, 1000).map_or([None; 2], |ops| ops.map(Some)), states);
        }
    }

    #[test]
    fn a_purge_resets_event_numbers_but_not_value_identities() {
        let mut log = ActorLog::default();
        persist(&mut log, LIGHT);
        let mut ops = Vec::new();
        log.expand(LIGHT, Command::Purge, &mut ops);
        assert_eq!(names(&ops), ["events.purge", "states.purge", "metadata.purge"]);
        let ops = persist(&mut log, LIGHT);
        assert_eq!((ops[0].number, ops[1].number), (0, 1));
    }
}
