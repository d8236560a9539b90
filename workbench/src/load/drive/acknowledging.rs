//! A worker that writes down every operation that returned, for a process that is going to be killed. Nothing is
//! measured here.

use crate::load::clock::Clock;
use crate::load::crash::{AckLog, Position};
use crate::load::drive::{OpKind, Planned, Shared, Source, Window, Worker, wait};
use crate::load::error::RunError;
use crate::load::schedule::Schedule;
use crate::load::target::Target;
use ave_actors_rocksdb::trace::Op;

impl<T: Target> Worker<T> {
    /// Where it stands in its stream.
    pub(crate) const fn place_in_stream(&self) -> Position {
        Position { commands: self.completed, operations: self.executed }
    }

    /// Goes to a place in its stream, as if it had executed all that comes before.
    pub(crate) fn go_to(&mut self, place: Position) {
        if matches!(self.source, Source::Trace { .. }) {
            for actor in self.source.actors_of(self.number, self.workers) {
                self.begins(actor);
            }
        }
        for _ in 0..place.commands {
            let Some(planned) = self.stream.next(&mut self.ops) else { break };
            self.begins(planned.actor);
        }
        self.completed = place.commands;
        self.executed = place.operations;
    }

    /// Issues commands until somebody stops it or the source ends, and writes down after each operation that it
    /// returned.
    ///
    /// A trace's own times count from the command it goes on with: what comes before was waited for by another process.
    pub(crate) fn drive_acknowledging(
        &mut self,
        window: &Window,
        clock: &impl Clock,
        shared: &Shared<'_, T>,
        log: &AckLog,
    ) -> Result<(), RunError> {
        let mut schedule = Schedule::new(window, self.number, self.workers, self.source.seed());
        let mut first_ns = None;
        while let Some(planned) = self.draw() {
            let at_ns = planned.at_ns.map(|at| at - *first_ns.get_or_insert(at));
            if !wait(schedule.due(at_ns), clock, shared.control) {
                self.pending = Some(planned);
                break;
            }
            self.acknowledged_command(planned, shared, log)?;
        }
        Ok(())
    }

    fn acknowledged_command(&mut self, planned: Planned, shared: &Shared<'_, T>, log: &AckLog) -> Result<(), RunError> {
        let is_first = self.begins(planned.actor);
        let steps = steps(&self.source, planned.actor, is_first, &self.ops);
        let executed = usize::try_from(self.executed).unwrap_or(usize::MAX).min(steps.len());
        for (number, &step) in (self.executed + 1..).zip(&steps[executed..]) {
            let is_open = self.handles.get(self.place(planned.actor)).is_some_and(Option::is_some);
            if !is_open && step.kind != OpKind::Open {
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
        log.set(self.number, self.place_in_stream()).map_err(|source| {
            shared.control.stop();
            RunError::Acknowledgement { source }
        })
    }
}

/// The operations of a command: before an actor's first one stands what writes what it must have stored by then.
pub(crate) fn steps(source: &Source, actor: u64, is_first: bool, ops: &[Op]) -> Vec<Op> {
    let mut steps = Vec::new();
    if is_first {
        source.prehistory(actor, &mut steps);
    }
    steps.extend_from_slice(ops);
    steps
}
