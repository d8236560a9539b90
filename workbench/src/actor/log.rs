//! The counters of one actor's store, and the operations each command issues.

use std::fmt;
use std::str::FromStr;

use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind};

/// When an actor's state is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// The state goes with every event.
    Light,
    /// Events alone; the state every so many events.
    Full {
        /// Events between automatic snapshots; `None` leaves them to explicit commands.
        snapshot_every: Option<u64>,
    },
}

/// How an actor persists, as its `PersistentActor` implementation says.
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
    /// What XChaCha20-Poly1305 adds to a value: a 24-byte nonce and a 16-byte tag.
    pub const ENCRYPTION_BYTES: u32 = 40;
    /// Borsh size of the store's metadata: two `u64`.
    const METADATA_BYTES: u32 = 16;
    /// Borsh size of the event counter that is stored behind the state.
    const COUNTER_BYTES: u32 = 8;

    /// Bytes the store adds to a serialised event.
    pub const fn event_overhead(self) -> u32 {
        self.overhead()
    }

    /// Bytes the store adds to a serialised state: the event counter, and what encryption takes.
    pub const fn state_overhead(self) -> u32 {
        Self::COUNTER_BYTES + self.overhead()
    }

    const fn overhead(self) -> u32 {
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
        Self::parsed(text).ok_or(())
    }
}

impl PersistenceRules {
    fn parsed(text: &str) -> Option<Self> {
        let mut parts = text.split(", ").peekable();
        let strategy = match parts.next()? {
            "light" => Strategy::Light,
            "full" => Strategy::Full {
                snapshot_every: match parts.next()? {
                    "no automatic snapshots" => None,
                    every => Some(every.strip_prefix("snapshot every ")?.split(' ').next()?.parse().ok()?),
                },
            },
            _ => return None,
        };
        let compact_on_snapshot = parts.next_if_eq(&"compacting").is_some();
        let encrypted = parts.next_if_eq(&"encrypted").is_some();
        parts.next().is_none().then_some(Self { strategy, compact_on_snapshot, encrypted })
    }
}

/// A command with what it needs to be expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Append an event.
    Persist {
        /// Serialised event, before encryption.
        event_bytes: u32,
        /// Serialised state, before encryption; used when this event brings a state write.
        state_bytes: u32,
    },
    /// Write the state now.
    Snapshot {
        /// Serialised state, before encryption.
        state_bytes: u32,
    },
    /// Stop the actor in order: under full persistence its state is put together anew and written, if events came since
    /// it was written last. Counts as a snapshot.
    Stop {
        /// Serialised state, before encryption; used when it is written.
        state_bytes: u32,
    },
    /// Start the actor.
    Recover {
        /// Serialised state, before encryption; used when the replay ends in a snapshot.
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
    /// Number of the next event.
    events: u64,
    /// Events the newest snapshot covers.
    covered: u64,
    /// Events below this number were deleted by compaction.
    compacted: u64,
    /// Snapshots written, ever: identifies the value of the newest one.
    states: u64,
    /// Metadata records written, ever.
    metadata: u64,
    /// Whether a snapshot is stored now.
    has_state: bool,
}

impl ActorLog {
    /// Number of the next event, which is how many were ever persisted since the last purge.
    pub const fn next_event(&self) -> u64 {
        self.events
    }

    /// Lowest event number that compaction left in place.
    pub const fn first_event(&self) -> u64 {
        self.compacted
    }

    /// Whether events came since the state was written last.
    pub const fn has_uncovered_events(&self) -> bool {
        self.events > self.covered
    }

    /// Moves the counters as an operation that was executed says, whoever issued it.
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
            OpKind::Open
            | OpKind::EventsGet
            | OpKind::EventsLast
            | OpKind::StatesGet
            | OpKind::MetadataGet
            | OpKind::MetadataPurge => {}
        }
    }

    /// Appends to `ops` what `Store` issues for `command`, and moves the counters as `Store` does.
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
        let bytes = state_bytes + PersistenceRules::COUNTER_BYTES + rules.overhead();
        push(ops, OpKind::StatesPut, self.states, bytes);
        self.states += 1;
        self.has_state = true;
        self.covered = self.events;
        self.put_metadata(rules, ops);
        if rules.compact_on_snapshot {
            for number in self.compacted..self.covered {
                push(ops, OpKind::EventsDel, number, 0);
            }
            self.compacted = self.compacted.max(self.covered);
            self.put_metadata(rules, ops);
        }
    }

    fn put_metadata(&mut self, rules: PersistenceRules, ops: &mut Vec<Op>) {
        push(ops, OpKind::MetadataPut, self.metadata, PersistenceRules::METADATA_BYTES + rules.overhead());
        self.metadata += 1;
    }

    /// `Store::snapshot_if_needed`, which `pre_stop` calls: reads the newest snapshot and what came after it.
    fn stop(&mut self, rules: PersistenceRules, state_bytes: u32, ops: &mut Vec<Op>) {
        if rules.strategy == Strategy::Light || !self.has_uncovered_events() {
            return;
        }
        push(ops, OpKind::StatesGet, 0, 0);
        for number in self.covered..self.events {
            push(ops, OpKind::EventsGet, number, 0);
        }
        self.snapshot(rules, state_bytes, ops);
    }

    /// A start after a crash: `Store::new` reads the three handles, `Recover` reads the state again, and events the
    /// snapshot does not cover are replayed and then covered by a new one.
    fn recover(&mut self, rules: PersistenceRules, state_bytes: u32, ops: &mut Vec<Op>) {
        push(ops, OpKind::Open, 0, 0);
        push(ops, OpKind::EventsLast, 0, 0);
        push(ops, OpKind::StatesGet, 0, 0);
        push(ops, OpKind::MetadataGet, 0, 0);
        push(ops, OpKind::StatesGet, 0, 0);
        push(ops, OpKind::EventsLast, 0, 0);
        if !self.has_state {
            self.covered = 0;
        }
        if self.events > self.covered {
            for number in self.covered..self.events {
                push(ops, OpKind::EventsGet, number, 0);
            }
            self.snapshot(rules, state_bytes, ops);
        }
    }

    /// Reads one event after the other, and no further than the first one that compaction deleted.
    fn query(&self, from: u64, to: u64, ops: &mut Vec<Op>) {
        if from > to || from >= self.events {
            return;
        }
        let last = if from < self.compacted { from } else { to.min(self.events - 1) };
        for number in from..=last {
            push(ops, OpKind::EventsGet, number, 0);
        }
    }

    fn purge(&mut self, ops: &mut Vec<Op>) {
        push(ops, OpKind::EventsPurge, 0, 0);
        push(ops, OpKind::StatesPurge, 0, 0);
        push(ops, OpKind::MetadataPurge, 0, 0);
        *self = Self { states: self.states, metadata: self.metadata, ..Self::default() };
    }
}

fn push(ops: &mut Vec<Op>, kind: OpKind, number: u64, bytes: u32) {
    ops.push(Op::new(kind, number, bytes));
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_light_persist_writes_event_state_and_metadata() {
        let ops = persist(&mut ActorLog::default(), LIGHT);
        assert_eq!(names(&ops), ["events.put", "states.put", "metadata.put"]);
        assert_eq!(ops.iter().map(|op| op.bytes).collect::<Vec<_>>(), [100, 1008, 16]);
    }

    #[test]
    fn a_full_persist_writes_the_event_alone_until_a_snapshot_is_due() {
        let mut log = ActorLog::default();
        let rules = full(3, false);
        assert_eq!(names(&persist(&mut log, rules)), ["events.put"]);
        assert_eq!(names(&persist(&mut log, rules)), ["events.put"]);
        assert_eq!(names(&persist(&mut log, rules)), ["events.put", "states.put", "metadata.put"]);
        assert_eq!(names(&persist(&mut log, rules)), ["events.put"]);
    }

    #[test]
    fn a_compacting_snapshot_deletes_what_it_covers_and_records_how_far_it_got() {
        let mut log = ActorLog::default();
        let rules = full(2, true);
        persist(&mut log, rules);
        let ops = persist(&mut log, rules);
        let expected = ["events.put", "states.put", "metadata.put", "events.del", "events.del", "metadata.put"];
        assert_eq!(names(&ops), expected);
        assert_eq!((log.first_event(), log.next_event()), (2, 2));
    }

    #[test]
    fn encryption_adds_nonce_and_tag_to_every_value() {
        let rules = PersistenceRules { encrypted: true, ..LIGHT };
        let plain = persist(&mut ActorLog::default(), LIGHT);
        let sealed = persist(&mut ActorLog::default(), rules);
        for (plain, sealed) in plain.iter().zip(&sealed) {
            assert_eq!(sealed.bytes, plain.bytes + 40);
        }
    }

    #[test]
    fn recovery_replays_what_the_snapshot_does_not_cover_and_covers_it() {
        let mut log = ActorLog::default();
        let rules = full(3, false);
        for _ in 0..4 {
            persist(&mut log, rules);
        }
        let mut ops = Vec::new();
        log.expand(rules, Command::Recover { state_bytes: 10 }, &mut ops);
        let replayed: Vec<_> = ops.iter().filter(|op| op.kind == OpKind::EventsGet).map(|op| op.number).collect();
        assert_eq!(replayed, [3]);
        assert_eq!(names(&ops[ops.len() - 2..]), ["states.put", "metadata.put"]);

        ops.clear();
        log.expand(rules, Command::Recover { state_bytes: 10 }, &mut ops);
        assert!(!names(&ops).contains(&"events.get"), "a second start finds nothing to replay");
    }

    #[test]
    fn an_orderly_stop_replays_what_is_not_covered_and_leaves_nothing_to_the_next_start() {
        let mut log = ActorLog::default();
        let rules = full(3, false);
        persist(&mut log, rules);
        let mut ops = Vec::new();
        log.expand(rules, Command::Stop { state_bytes: 10 }, &mut ops);
        assert_eq!(names(&ops), ["states.get", "events.get", "states.put", "metadata.put"]);
        ops.clear();
        log.expand(rules, Command::Stop { state_bytes: 10 }, &mut ops);
        assert!(ops.is_empty(), "all is covered");
        log.expand(rules, Command::Recover { state_bytes: 10 }, &mut ops);
        assert!(!names(&ops).contains(&"events.get"));

        ops.clear();
        persist(&mut log, LIGHT);
        log.expand(LIGHT, Command::Stop { state_bytes: 10 }, &mut ops);
        assert!(ops.is_empty(), "the state went with every event");
    }

    #[test]
    fn a_query_reads_only_events_that_exist() {
        let mut log = ActorLog::default();
        for _ in 0..3 {
            persist(&mut log, LIGHT);
        }
        let mut ops = Vec::new();
        log.expand(LIGHT, Command::Events { from: 1, to: 9 }, &mut ops);
        assert_eq!(ops.iter().map(|op| op.number).collect::<Vec<_>>(), [1, 2]);
        ops.clear();
        log.expand(LIGHT, Command::Events { from: 3, to: 9 }, &mut ops);
        assert!(ops.is_empty());
    }

    #[test]
    fn a_log_that_follows_the_operations_is_the_one_that_issued_them() {
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

    #[test]
    fn a_purge_starts_the_log_anew_but_never_reuses_a_value() {
        let mut log = ActorLog::default();
        persist(&mut log, LIGHT);
        let mut ops = Vec::new();
        log.expand(LIGHT, Command::Purge, &mut ops);
        assert_eq!(names(&ops), ["events.purge", "states.purge", "metadata.purge"]);
        let ops = persist(&mut log, LIGHT);
        assert_eq!((ops[0].number, ops[1].number), (0, 1));
    }
}
