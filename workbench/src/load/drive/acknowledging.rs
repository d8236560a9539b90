//! A worker that logs every operation that returned, for a process that will be killed. Nothing is measured here.

use super::worker::{Shared, Worker, wait};
use crate::load::ack_log::{AckLog, Position};
use crate::load::clock::Clock;
use crate::load::error::RunError;
use crate::load::schedule::Schedule;
use crate::load::target::Target;
use crate::load::window::Window;
use crate::workload::Planned;
use ave_actors_rocksdb::trace::OpKind;

impl<T: Target> Worker<T> {
    pub(crate) const fn position(&self) -> Position {
        Position { commands: self.completed, operations: self.executed }
    }

    /// Moves to a position in its stream, as if it had executed all commands before.
    pub(crate) fn seek(&mut self, position: Position) {
        for _ in 0..position.commands {
            let Some(planned) = self.stream.next(&mut self.ops) else { break };
            if planned.common.is_none() {
                self.begins(planned.actor);
            }
        }
        self.completed = position.commands;
        self.executed = position.operations;
    }

    /// Issues commands until the job is cancelled or the source ends, and logs each operation when it has returned.
    ///
    /// The times of a trace count from the first command issued: another process has waited for those before.
    pub(crate) fn drive_acknowledging(
        &mut self,
        window: &Window,
        clock: &impl Clock,
        shared: &Shared<'_, T>,
        log: &AckLog,
    ) -> Result<(), RunError> {
        let mut schedule = Schedule::new(window, self.turn(), self.source.seed());
        let mut first_ns = None;
        while let Some(planned) = self.draw() {
            let at_ns = planned.at_ns.map(|at| at - *first_ns.get_or_insert(at));
            let due = if planned.continues() { None } else { schedule.due(at_ns) };
            if !wait(due, window, clock, shared.control) {
                self.pending = Some(planned);
                break;
            }
            self.acknowledged_command(planned, shared, log)?;
        }
        Ok(())
    }

    fn acknowledged_command(&mut self, planned: Planned, shared: &Shared<'_, T>, log: &AckLog) -> Result<(), RunError> {
        let is_first = self.begins(planned.actor);
        let steps = self.source.steps(planned.actor, is_first, &self.ops);
        let executed = usize::try_from(self.executed).unwrap_or(usize::MAX).min(steps.len());
        for (number, &step) in (self.executed + 1..).zip(&steps[executed..]) {
            if !self.is_open(planned.actor) && step.kind != OpKind::Open {
                self.open(planned.actor, shared)?;
            }
            self.execute(planned.actor, step, shared)?;
            if number < steps.len() as u64 {
                self.executed = number;
                self.acknowledge(log, shared)?;
            }
        }
        self.completed += 1;
        self.executed = 0;
        self.acknowledge(log, shared)
    }

    fn acknowledge(&self, log: &AckLog, shared: &Shared<'_, T>) -> Result<(), RunError> {
        log.set(self.number, self.position()).map_err(|source| {
            shared.control.stop();
            RunError::Acknowledgement(source)
        })
    }
}
