//! Which calls make up a command.
//!
//! The store makes its calls in fixed orders, one for each command, and an actor makes them one after the other. So
//! the calls of an actor can be read like a sentence: [`Progress`] is how far a command has come, and tells for each
//! call whether it belongs to it.

use crate::trace::command::{CommandKind, Op, OpKind};

/// How a start begins, whatever is stored: `Store::new` looks at the three handles, and `Recover` at two of them again.
const START: [OpKind; 6] =
    [OpKind::Open, OpKind::EventsLast, OpKind::StatesGet, OpKind::MetadataGet, OpKind::StatesGet, OpKind::EventsLast];

/// A purge, whole.
const PURGE: [OpKind; 3] = [OpKind::EventsPurge, OpKind::StatesPurge, OpKind::MetadataPurge];

/// What is known beside the call itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Circumstances {
    /// The actor did something else for a while before it.
    pub(super) after_pause: bool,
    /// Actors of this type as a rule write a state with each event.
    pub(super) light: bool,
    /// Actors of this type delete the events a snapshot covers.
    pub(super) compacts: bool,
}

/// How far a command has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) kind: CommandKind,
    step: Step,
    /// Number of the newest event, as `last` has told; none if there is none.
    newest: Option<u64>,
    /// Number of the event that goes on with the run of gets.
    next: u64,
    /// Gets of the run so far.
    run: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// So many of [`START`] were called.
    Starting(usize),
    /// The state is read, and either up to date or followed by a replay.
    Started,
    /// Gets that look like a replay. Whether they are one, the snapshot behind them tells.
    Replaying,
    /// An event is written. Under full persistence that was all.
    EventWritten,
    /// A snapshot is written and its metadata is not.
    StateWritten,
    /// The snapshot is complete; it may delete what it covers.
    Covered,
    /// It does.
    Compacting,
    /// It did.
    Compacted,
    /// A stopping actor reads its state, to write a snapshot of what came after it.
    Reloading,
    /// Gets of a query.
    Reading,
    /// So many of [`PURGE`] were called.
    Purging(usize),
    /// Nothing can follow.
    Done,
}

impl Progress {
    /// The command that begins with this call.
    pub(super) const fn begin(op: Op) -> Self {
        let (kind, step) = match op.kind {
            OpKind::Open => (CommandKind::Recover, Step::Starting(1)),
            // Its beginning was lost.
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

    /// Goes on if the call belongs to this command. If not, the command is over, and another one begins with the call.
    pub(super) fn accepts(&mut self, op: Op, circumstances: Circumstances) -> bool {
        let Some(step) = self.step_after(op, circumstances) else {
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

    fn step_after(&self, op: Op, Circumstances { after_pause, light, .. }: Circumstances) -> Option<Step> {
        let goes_on = op.number == self.next;
        Some(match (self.step, op.kind) {
            (Step::Starting(seen), kind) if kind == START[seen] => {
                if seen + 1 == START.len() {
                    Step::Started
                } else {
                    Step::Starting(seen + 1)
                }
            }
            (Step::Started, OpKind::EventsGet) if !after_pause && self.may_be_replayed(op) => Step::Replaying,
            (Step::Replaying, OpKind::EventsGet) if goes_on && self.may_be_replayed(op) => Step::Replaying,
            (Step::Replaying, OpKind::StatesPut) if self.has_replayed_all() => Step::StateWritten,
            (Step::EventWritten, OpKind::StatesPut) if !after_pause || light => Step::StateWritten,
            // The state could not be written, and the store takes the event back.
            (Step::EventWritten | Step::StateWritten, OpKind::EventsDel) => Step::Done,
            (Step::StateWritten, OpKind::MetadataPut) => Step::Covered,
            (Step::Covered | Step::Compacting, OpKind::EventsDel) => Step::Compacting,
            (Step::Covered | Step::Compacting, OpKind::MetadataPut) => Step::Compacted,
            (Step::Reloading, OpKind::EventsGet) if goes_on || self.run == 0 => Step::Reloading,
            (Step::Reloading, OpKind::StatesPut) => Step::StateWritten,
            (Step::Reading, OpKind::EventsGet) if goes_on && !after_pause => {
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

    /// Whether the command is complete as it is, though more could follow.
    pub(super) const fn may_end(&self, Circumstances { light, compacts, .. }: Circumstances) -> bool {
        match self.step {
            Step::Started | Step::Compacted | Step::Reading | Step::Done => true,
            Step::EventWritten => !light,
            Step::Covered => !compacts,
            Step::Purging(seen) => seen == PURGE.len(),
            Step::Starting(_) | Step::Replaying | Step::StateWritten | Step::Compacting | Step::Reloading => false,
        }
    }

    /// How many of the last calls turn out not to belong to the command that ends here: gets that looked like a replay.
    pub(super) const fn trailing_strangers(&self) -> usize {
        if matches!(self.step, Step::Replaying) { self.run } else { 0 }
    }

    /// Whether the command wrote an event and nothing else.
    pub(super) const fn wrote_event_alone(&self) -> bool {
        matches!(self.step, Step::EventWritten)
    }

    /// Whether the command has deleted what its snapshot covers, or recorded that there was nothing to delete.
    pub(super) const fn has_compacted(&self) -> bool {
        matches!(self.step, Step::Compacting | Step::Compacted)
    }
}
