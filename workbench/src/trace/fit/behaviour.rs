//! What the actors of a trace do, in the terms of a workload: commands, persistence, query lengths, orderly stops.

use std::collections::BTreeMap;
use std::io;

use crate::actor::PersistenceRules;
use crate::trace::builder::Trace;
use crate::trace::info::{SizeCounter, Sizes};
use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind};

/// Length of plain metadata, two `u64`.
const PLAIN_METADATA_BYTES: u32 = 16;

#[derive(Debug, Default)]
pub(super) struct Behaviour {
    /// Commands without orderly stops.
    pub(super) issued: [u64; CommandKind::ALL.len()],
    /// Starts after an orderly stop, and starts that replayed events after a crash.
    pub(super) starts: [u64; 2],
    /// `persist` commands that wrote the state.
    pub(super) persists_with_state: u64,
    /// Their number by the events since the last snapshot.
    cadence: BTreeMap<u64, u64>,
    /// Most events in a row that were persisted without the state.
    pub(super) longest_without_state: u64,
    pub(super) deletes: u64,
    /// Metadata of plain and of encrypted length.
    metadata: [u64; 2],
    pub(super) query_lengths: Option<Sizes>,
    /// Mean length of the actors' logs before their first command, of those that show it.
    pub(super) events_before: f64,
    pub(super) name_bytes: f64,
}

#[derive(Debug, Clone, Copy, Default)]
struct ActorState {
    /// Events that were persisted before the trace.
    before: Known,
    next_event: u64,
    /// Events that its newest snapshot covers.
    covered: Known,
    has_stopped: bool,
}

/// A number, if it is known, in eight bytes.
#[derive(Debug, Clone, Copy)]
struct Known(u64);

impl Default for Known {
    fn default() -> Self {
        Self(u64::MAX)
    }
}

impl Known {
    fn get(self) -> Option<u64> {
        (self.0 != u64::MAX).then_some(self.0)
    }

    /// The number, which is this one if it was not known.
    fn get_or_insert(&mut self, number: u64) -> u64 {
        if self.0 == u64::MAX {
            self.0 = number;
        }
        self.0
    }
}

/// Reads a trace. Memory: 32 bytes an actor.
pub(super) fn observe(trace: &Trace) -> io::Result<Behaviour> {
    let mut behaviour = Behaviour::default();
    let mut actors = vec![ActorState::default(); trace.actors().len()];
    let mut lengths = SizeCounter::new();
    trace.for_each_command(|command, ops| {
        if command.kind == CommandKind::Events {
            lengths.record(u32::try_from(ops.len()).unwrap_or(u32::MAX));
        }
        behaviour.command(command.kind, ops, &mut actors[command.actor as usize]);
    })?;
    behaviour.query_lengths = lengths.finish();
    behaviour.events_before = mean(actors.iter().filter_map(|seen| seen.before.get()));
    behaviour.name_bytes = mean(trace.actors().iter().map(|actor| actor.name.len() as u64));
    Ok(behaviour)
}

fn mean(values: impl Iterator<Item = u64>) -> f64 {
    let (sum, count) = values.fold((0, 0u64), |(sum, count), value| (sum + u128::from(value), count + 1));
    sum as f64 / count.max(1) as f64
}

impl Behaviour {
    fn command(&mut self, kind: CommandKind, ops: &[Op], seen: &mut ActorState) {
        let has = |kind: OpKind| ops.iter().any(|op| op.kind == kind);
        // An explicit snapshot writes a state in memory; a stop reads it first.
        let is_stop = kind == CommandKind::Snapshot && (has(OpKind::StatesGet) || has(OpKind::EventsGet));
        if !is_stop {
            self.issued[kind.index()] += 1;
        }
        if kind == CommandKind::Recover {
            self.starts[0] += u64::from(seen.has_stopped);
            self.starts[1] += u64::from(!seen.has_stopped && has(OpKind::EventsGet));
        }
        seen.has_stopped = is_stop;
        for op in ops {
            self.op(op, seen);
        }
        if kind == CommandKind::Persist {
            self.persist(has(OpKind::StatesPut), seen);
        }
        if has(OpKind::StatesPut) {
            seen.covered = Known(seen.next_event);
        }
    }

    fn op(&mut self, op: &Op, seen: &mut ActorState) {
        match op.kind {
            OpKind::EventsPut => {
                // A new log has no snapshot yet.
                if seen.before.get_or_insert(op.number) == 0 {
                    seen.covered.get_or_insert(0);
                }
                seen.next_event = op.number.saturating_add(1);
            }
            OpKind::EventsLast if op.bytes > 0 => {
                seen.before.get_or_insert(op.number.saturating_add(1));
                seen.next_event = seen.next_event.max(op.number.saturating_add(1));
            }
            OpKind::EventsGet => seen.next_event = seen.next_event.max(op.number.saturating_add(1)),
            OpKind::EventsPurge => {
                seen.before.get_or_insert(0);
                (seen.next_event, seen.covered) = (0, Known(0));
            }
            OpKind::EventsDel => self.deletes += 1,
            OpKind::MetadataPut | OpKind::MetadataGet if op.bytes > 0 => {
                self.metadata[usize::from(op.bytes >= PLAIN_METADATA_BYTES + PersistenceRules::ENCRYPTION_BYTES)] += 1;
            }
            _ => {}
        }
    }

    fn persist(&mut self, with_state: bool, seen: &ActorState) {
        self.persists_with_state += u64::from(with_state);
        let Some(events) = seen.covered.get().map(|covered| seen.next_event.saturating_sub(covered)) else { return };
        if with_state {
            *self.cadence.entry(events).or_default() += 1;
        } else {
            self.longest_without_state = self.longest_without_state.max(events);
        }
    }

    pub(super) fn persists(&self) -> u64 {
        self.issued[CommandKind::Persist.index()]
    }

    pub(super) fn is_light(&self) -> bool {
        // Under full persistence at most every other `persist` writes a snapshot.
        self.persists_with_state * 2 > self.persists()
    }

    /// The most frequent number of events between automatic snapshots, and its share.
    pub(super) fn snapshot_every(&self) -> Option<(u64, f64)> {
        let all: u64 = self.cadence.values().sum();
        let (&every, &count) = self.cadence.iter().max_by_key(|&(_, count)| count)?;
        Some((every, count as f64 / all as f64))
    }

    /// Whether values are encrypted, by the length of the metadata; `None` without metadata.
    pub(super) const fn is_encrypted(&self) -> Option<bool> {
        match self.metadata {
            [0, 0] => None,
            [plain, encrypted] => Some(encrypted > plain),
        }
    }

    /// Share of the starts of actors with unsaved events that follow an orderly stop.
    pub(super) fn share_of_stops(&self) -> f64 {
        let [after_stop, after_crash] = self.starts;
        after_stop as f64 / (after_stop + after_crash).max(1) as f64
    }
}
