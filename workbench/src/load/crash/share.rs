//! What must be stored of the actors of one worker when the process was killed.

use ave_actors_store::Error;

use crate::load::ack_log::Position;
use crate::load::source::Source;
use crate::load::target::Target;
use crate::load::verify::{Expected, Ledger, Stored, Verified};
use crate::workload::Planned;
use ave_actors_rocksdb::trace::Op;

/// Commands after the one in flight whose actors are compared: nothing of them may be stored.
pub(super) const COMMANDS_LOOKED_AHEAD: u64 = 1_000;

/// What was acknowledged to one worker, and its operation in flight.
pub(super) struct Share {
    /// Actors without an operation in flight.
    ledger: Ledger,
    to: Position,
    in_flight: Option<InFlight>,
}

/// The operation after the last acknowledged one. It may be stored or not.
struct InFlight {
    actor: u64,
    op: Op,
    /// What must be stored of the actor without it, and with it.
    before: Expected,
    after: Expected,
    is_last: bool,
}

impl Share {
    /// What must be stored of everything before `to`. Writes from `from` on count in the result.
    pub(super) fn new(source: &Source, worker: u64, workers: u64, from: Position, to: Position) -> Self {
        let mut share = Self { ledger: Ledger::preloaded(source, worker, workers, false), to, in_flight: None };
        let (mut stream, mut ops) = (source.stream(worker, workers), Vec::new());
        for number in 0..=to.commands {
            let Some(planned) = stream.next(&mut ops) else { break };
            let steps = steps(source, &share.ledger, planned, &ops);
            let expected = share.ledger.expected(source, planned.actor, false);
            let done = if number < to.commands { steps.len() as u64 } else { to.operations };
            for (at, &step) in (0..done).zip(&steps) {
                expected.apply(step, (number, at) >= (from.commands, from.operations));
            }
            if number == to.commands {
                share.set_in_flight(planned.actor, &steps);
            }
        }
        for _ in 0..COMMANDS_LOOKED_AHEAD {
            let Some(planned) = stream.next(&mut ops) else { break };
            if share.in_flight.as_ref().is_none_or(|in_flight| in_flight.actor != planned.actor) {
                share.ledger.expected(source, planned.actor, false);
            }
        }
        share
    }

    fn set_in_flight(&mut self, actor: u64, steps: &[Op]) {
        let next = usize::try_from(self.to.operations).unwrap_or(usize::MAX);
        self.in_flight = steps.get(next).map(|&op| {
            // Removed: it is not compared with the others.
            let before = self.ledger.actors.remove(&actor).unwrap_or_default();
            let mut after = before.clone();
            after.apply(op, false);
            InFlight { actor, op, before, after, is_last: next + 1 == steps.len() }
        });
    }

    pub(super) fn writes_in_flight(&self) -> bool {
        self.in_flight.as_ref().is_some_and(|in_flight| in_flight.op.kind.changes())
    }

    pub(super) fn counted(&self) -> u64 {
        self.ledger.counted() + self.in_flight.as_ref().map_or(0, |in_flight| in_flight.before.counted())
    }

    /// Position of the worker in its stream, given whether the operation in flight is stored.
    pub(super) fn position(&self, is_there: bool) -> Position {
        match &self.in_flight {
            Some(InFlight { is_last: true, .. }) if is_there => {
                Position { commands: self.to.commands + 1, operations: 0 }
            }
            Some(_) if is_there => Position { operations: self.to.operations + 1, ..self.to },
            _ => self.to,
        }
    }

    /// Compares all actors; true if the operation in flight is stored.
    pub(super) fn compare<T: Target>(&self, stored: &Stored<'_, T>) -> Result<(Verified, bool), Error> {
        let mut verified = self.ledger.verify(stored, || true)?;
        let Some(in_flight) = &self.in_flight else { return Ok((verified, false)) };
        let (found, is_there) = in_flight.compare(stored)?;
        verified.merge(found);
        Ok((verified, is_there))
    }
}

/// The operations of the next command. Those of an actor of a later pass begin with its prehistory.
pub(super) fn steps(source: &Source, ledger: &Ledger, planned: Planned, ops: &[Op]) -> Vec<Op> {
    let is_first = planned.actor >= source.actors() && !ledger.actors.contains_key(&planned.actor);
    source.steps(planned.actor, is_first, ops)
}

impl InFlight {
    fn compare<T: Target>(&self, stored: &Stored<'_, T>) -> Result<(Verified, bool), Error> {
        let mut without = stored.compare(self.actor, &self.before)?;
        if without.differences.is_empty() {
            return Ok((without, false));
        }
        let with = stored.compare(self.actor, &self.after)?;
        if with.differences.is_empty() {
            return Ok((with, true));
        }
        for difference in &mut without.differences {
            *difference = format!("{difference} (the {} in flight does not explain it)", self.op.kind);
        }
        Ok((without, false))
    }
}
