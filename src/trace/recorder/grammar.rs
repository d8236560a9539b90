//! The calls that form a command.
//!
//! The store issues the calls of each command in a fixed order, and an actor issues one after the other. [`Progress`] is
//! the state of a command, and decides for each call whether it belongs to that command.

use crate::trace::command::{CommandKind, Op, OpKind};

/// First calls of a start: `Store::new` reads all three handles, `Recover` two of them again.
const START: [OpKind; 6] =
    [OpKind::Open, OpKind::EventsLast, OpKind::StatesGet, OpKind::MetadataGet, OpKind::StatesGet, OpKind::EventsLast];

const PURGE: [OpKind; 3] = [OpKind::EventsPurge, OpKind::StatesPurge, OpKind::MetadataPurge];

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CallContext {
    pub(super) after_pause: bool,
    /// Whether actors of this type usually write the state with each event.
    pub(super) light: bool,
    /// Whether actors of this type delete the events a snapshot covers.
    pub(super) compacts: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) kind: CommandKind,
    step: Step,
    /// Number of the newest event, from `last`.
    newest: Option<u64>,
    /// Number of the event that continues the run of gets.
    next: u64,
    run: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// This many calls of [`START`] were seen.
    Starting(usize),
    /// The state is read; a replay may follow.
    Started,
    /// Gets of a replay, if a snapshot follows.
    Replaying,
    /// An event is written. Complete under full persistence.
    EventWritten,
    /// A snapshot is written, its metadata is not.
    StateWritten,
    /// The snapshot is complete; deletions of the events it covers may follow.
    Covered,
    Compacting,
    Compacted,
    /// A stopping actor reads state and events before it writes a snapshot.
    Reloading,
    Reading,
    /// This many calls of [`PURGE`] were seen.
    Purging(usize),
    Done,
}

impl Progress {
    pub(super) const fn begin(op: Op) -> Self {
        let (kind, step) = match op.kind {
            OpKind::Open => (CommandKind::Recover, Step::Starting(1)),
            // The beginning was dropped.
            OpKind::MetadataGet => (CommandKind::Recover, Step::Starting(4)),
            OpKind::EventsPut => (CommandKind::Persist, Step::EventWritten),
            OpKind::StatesPut => (CommandKind::Snapshot, Step::StateWritten),
            OpKind::MetadataPut => (CommandKind::Snapshot, Step::Covered),
            OpKind::EventsDel => (CommandKind::Snapshot, Step::Compacting),
            OpKind::StatesGet => (CommandKind::Snapshot, Step::Reloading),
            OpKind::EventsGet => (CommandKind::Events, if op.may_miss { Step::Done } else { Step::Reading }),
            OpKind::EventsLast => (CommandKind::LastEvent, Step::Done),
            OpKind::EventsPurge => (CommandKind::Purge, Step::Purging(1)),
            OpKind::StatesPurge => (CommandKind::Purge, Step::Purging(2)),
            OpKind::MetadataPurge => (CommandKind::Purge, Step::Done),
        };
        Self { kind, step, newest: None, next: op.number.wrapping_add(1), run: 0 }
    }

    /// Advances if the call belongs to this command; otherwise the command is complete and the call begins another.
    pub(super) fn accepts(&mut self, op: Op, context: CallContext) -> bool {
        let Some(step) = self.step_after(op, context) else {
            return false;
        };
        self.step = step;
        match op.kind {
            OpKind::EventsLast => self.newest = (!op.may_miss).then_some(op.number),
            OpKind::EventsGet => {
                self.next = op.number.wrapping_add(1);
                self.run += 1;
            }
            _ => {}
        }
        true
    }

    fn step_after(&self, op: Op, CallContext { after_pause, light, .. }: CallContext) -> Option<Step> {
        let continues = op.number == self.next;
        Some(match (self.step, op.kind) {
            (Step::Starting(seen), kind) if kind == START[seen] => {
                if seen + 1 == START.len() {
                    Step::Started
                } else {
                    Step::Starting(seen + 1)
                }
            }
            (Step::Started, OpKind::EventsGet) if !after_pause && self.may_be_replayed(op) => Step::Replaying,
            (Step::Replaying, OpKind::EventsGet) if continues && self.may_be_replayed(op) => Step::Replaying,
            (Step::Replaying, OpKind::StatesPut) if self.has_replayed_all() => Step::StateWritten,
            (Step::EventWritten, OpKind::StatesPut) if !after_pause || light => Step::StateWritten,
            // The state could not be written, and the store deletes the event again.
            (Step::EventWritten | Step::StateWritten, OpKind::EventsDel) => Step::Done,
            (Step::StateWritten, OpKind::MetadataPut) => Step::Covered,
            (Step::Covered | Step::Compacting, OpKind::EventsDel) => Step::Compacting,
            (Step::Covered | Step::Compacting, OpKind::MetadataPut) => Step::Compacted,
            (Step::Reloading, OpKind::EventsGet) if continues || self.run == 0 => Step::Reloading,
            (Step::Reloading, OpKind::StatesPut) => Step::StateWritten,
            (Step::Reading, OpKind::EventsGet) if continues && !after_pause => {
                if op.may_miss {
                    Step::Done
                } else {
                    Step::Reading
                }
            }
            (Step::Purging(seen), kind) if PURGE.get(seen) == Some(&kind) => Step::Purging(seen + 1),
            _ => return None,
        })
    }

    fn may_be_replayed(&self, op: Op) -> bool {
        !op.may_miss && self.newest.is_some_and(|newest| op.number <= newest)
    }

    fn has_replayed_all(&self) -> bool {
        self.newest.is_some_and(|newest| self.next == newest.wrapping_add(1))
    }

    /// Whether the command may be complete, though calls could follow.
    pub(super) const fn may_end(&self, CallContext { light, compacts, .. }: CallContext) -> bool {
        match self.step {
            Step::Started | Step::Compacted | Step::Reading | Step::Done => true,
            Step::EventWritten => !light,
            Step::Covered => !compacts,
            Step::Purging(seen) => seen == PURGE.len(),
            Step::Starting(_) | Step::Replaying | Step::StateWritten | Step::Compacting | Step::Reloading => false,
        }
    }

    /// Number of last calls that do not belong to the command if it ends here: gets of a query, not of a replay.
    pub(super) const fn trailing_query_reads(&self) -> usize {
        if matches!(self.step, Step::Replaying) { self.run } else { 0 }
    }

    pub(super) const fn wrote_event_alone(&self) -> bool {
        matches!(self.step, Step::EventWritten)
    }

    /// Whether the command compacted, even if there was no event to delete.
    pub(super) const fn has_compacted(&self) -> bool {
        matches!(self.step, Step::Compacting | Step::Compacted)
    }
}
