//! What the actors of one worker must have stored when the process was killed.

use ave_actors_store::Error;

use crate::load::ack_log::Position;
use crate::load::source::Source;
use crate::load::target::Target;
use crate::load::verify::{Expected, Ledger, Verified, compare};
use crate::workload::{Planned, ValuePool};
use ave_actors_rocksdb::trace::Op;

/// So many commands after the one under way, nothing may have been stored of the actors that had not begun.
const COMMANDS_LOOKED_AHEAD: u64 = 1_000;

/// What was acknowledged to one worker, and the operation that was not.
pub(super) struct Share {
    /// Actors of which nothing was under way.
    ledger: Ledger,
    /// Everything before this place was acknowledged.
    to: Position,
    under_way: Option<UnderWay>,
}

/// The operation behind the last one that was acknowledged. It may have begun, so it may be there.
struct UnderWay {
    actor: u64,
    op: Op,
    /// What the actor must have stored if it is not there, and if it is.
    before: Expected,
    after: Expected,
    /// Whether its command is complete with it.
    is_last: bool,
}

impl Share {
    /// What must be there of all before `to`. What was written from `from` on counts in the result.
    pub(super) fn new(source: &Source, worker: u64, workers: u64, from: Position, to: Position) -> Self {
        let mut share = Self { ledger: Ledger::default(), to, under_way: None };
        share.expect_prehistories(source, worker, workers);
        let (mut stream, mut ops) = (source.stream(worker, workers), Vec::new());
        for number in 0..=to.commands {
            let Some(planned) = stream.next(&mut ops) else { break };
            let steps = share.steps(source, planned, &ops);
            let expected = share.ledger.expected(source, planned.actor);
            let done = if number < to.commands { steps.len() as u64 } else { to.operations };
            for (at, &step) in (0..done).zip(&steps) {
                expected.apply(step, (number, at) >= (from.commands, from.operations));
            }
            if number == to.commands {
                share.set_under_way(planned.actor, &steps);
            }
        }
        for _ in 0..COMMANDS_LOOKED_AHEAD {
            let Some(planned) = stream.next(&mut ops) else { break };
            if share.under_way.as_ref().is_none_or(|under_way| under_way.actor != planned.actor) {
                share.ledger.expected(source, planned.actor);
            }
        }
        share
    }

    /// Actors of a trace that stored something before their first command have it from the preload on.
    fn expect_prehistories(&mut self, source: &Source, worker: u64, workers: u64) {
        if source.preload_steps() > 0 && matches!(source, Source::Trace { .. }) {
            for actor in source.actors_of(worker, workers) {
                self.ledger.expected(source, actor);
            }
        }
    }

    /// The operations of a command as the killed process executed them.
    fn steps(&self, source: &Source, planned: Planned, ops: &[Op]) -> Vec<Op> {
        let is_first = planned.actor >= source.actors() && !self.ledger.knows(planned.actor);
        source.steps(planned.actor, is_first, ops)
    }

    fn set_under_way(&mut self, actor: u64, steps: &[Op]) {
        let next = usize::try_from(self.to.operations).unwrap_or(usize::MAX);
        self.under_way = steps.get(next).map(|&op| {
            let before = self.ledger.take(actor);
            let mut after = before.clone();
            after.apply(op, false);
            UnderWay { actor, op, before, after, is_last: next + 1 == steps.len() }
        });
    }

    /// Whether what was under way would have changed what is stored.
    pub(super) fn writes_under_way(&self) -> bool {
        self.under_way.as_ref().is_some_and(|under_way| under_way.op.kind.changes())
    }

    /// Events and states that count in the result.
    pub(super) fn counted(&self) -> u64 {
        self.ledger.counted() + self.under_way.as_ref().map_or(0, |under_way| under_way.before.counted())
    }

    /// Where the worker stands in its stream, given whether the operation under way is there.
    pub(super) fn position(&self, is_there: bool) -> Position {
        match &self.under_way {
            Some(UnderWay { is_last: true, .. }) if is_there => {
                Position { commands: self.to.commands + 1, operations: 0 }
            }
            Some(_) if is_there => Position { operations: self.to.operations + 1, ..self.to },
            _ => self.to,
        }
    }

    /// Compares all actors; true if the operation under way is there.
    pub(super) fn compare<T: Target>(
        &self,
        manager: &T::Manager,
        source: &Source,
        pool: &ValuePool,
    ) -> Result<(Verified, bool), Error> {
        let mut verified = self.ledger.verify::<T>(manager, source, pool, || true)?;
        let Some(under_way) = &self.under_way else { return Ok((verified, false)) };
        let (found, is_there) = under_way.compare::<T>(manager, source, pool)?;
        verified.merge(found);
        Ok((verified, is_there))
    }
}

impl UnderWay {
    fn compare<T: Target>(
        &self,
        manager: &T::Manager,
        source: &Source,
        pool: &ValuePool,
    ) -> Result<(Verified, bool), Error> {
        let mut without = compare::<T>(manager, source, pool, self.actor, &self.before)?;
        if without.differences.is_empty() {
            return Ok((without, false));
        }
        let with = compare::<T>(manager, source, pool, self.actor, &self.after)?;
        if with.differences.is_empty() {
            return Ok((with, true));
        }
        for difference in &mut without.differences {
            *difference = format!("{difference} (the {} under way does not explain it)", self.op.kind);
        }
        Ok((without, false))
    }
}
