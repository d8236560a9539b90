//! A worker that issues commands and measures them. This is the measured path: between two readings of the clock there is
//! nothing but the backend.

use ave_actors_store::Error;

use crate::actor::Durability;
use crate::load::clock::{Clock, wake_precisely};
use crate::load::control::Control;
use crate::load::error::RunError;
use crate::load::handles::Handles;
use crate::load::measurement::{Arrival, Measurement, Tally};
use crate::load::schedule::Schedule;
use crate::load::slices::Slices;
use crate::load::source::{Source, Stream};
use crate::load::target::Target;
use crate::load::turn::Turn;
use crate::load::window::Window;
use crate::workload::{CommonActors, Planned, ValuePool};
use ave_actors_rocksdb::trace::{Op, OpKind};

/// Longest sleep before a worker checks for cancellation, nanoseconds.
const POLL_INTERVAL_NS: u64 = 50_000_000;

pub(crate) struct Worker<T: Target> {
    pub(super) number: u64,
    pub(super) workers: u64,
    pub(super) source: Source,
    pub(super) stream: Stream,
    pub(crate) handles: Vec<Option<Box<Handles<T>>>>,
    /// Its own handles of the actors that are common to all workers.
    common_handles: Vec<Handles<T>>,
    /// Whether each actor was started, and thus has what it stored before its first command.
    begun: Vec<bool>,
    pub(super) ops: Vec<Op>,
    /// A command that was drawn but is due after the end of the load; the next load begins with it.
    pub(super) pending: Option<Planned>,
    pub(crate) completed: u64,
    /// Operations of the next command that a killed process completed.
    pub(super) executed: u64,
}

impl<T: Target> Worker<T> {
    pub(crate) fn new(source: &Source, number: u64, workers: u64) -> Self {
        Self {
            number,
            workers,
            source: source.clone(),
            stream: source.stream(number, workers),
            handles: Vec::new(),
            common_handles: Vec::new(),
            // The database was filled with what the actors of the first pass stored before.
            begun: source.actors_of(number, workers).map(|_| true).collect(),
            ops: Vec::new(),
            pending: None,
            completed: 0,
            executed: 0,
        }
    }

    pub(crate) fn number(&self) -> usize {
        usize::try_from(self.number).expect("workers are few")
    }

    pub(super) fn turn(&self) -> Turn {
        Turn::of(&self.source, self.number, self.workers)
    }

    /// Opens the handles of every actor of the first pass, as if they had been started.
    pub(crate) fn open_all(&mut self, shared: &Shared<'_, T>) -> Result<(), RunError> {
        let mut actors = self.source.actors_of(self.number, self.workers).take_while(|_| !shared.control.is_stopped());
        actors.try_for_each(|actor| self.open(actor, shared))?;
        let common = shared.common.into_iter().flat_map(CommonActors::numbers);
        self.common_handles = common.map(|actor| self.handles_of(actor, shared)).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Closes all handles, without which the database does not close.
    pub(crate) fn close_all(&mut self) {
        self.handles.clear();
        self.common_handles.clear();
    }

    /// Writes what an actor stored before its first command, once. The bytes written.
    fn begin_actor(&mut self, actor: u64, shared: &Shared<'_, T>) -> Result<u64, RunError> {
        if !self.begins(actor) {
            return Ok(0);
        }
        let mut ops = Vec::new();
        self.source.prehistory(actor, &mut ops);
        if !ops.is_empty() {
            self.open(actor, shared)?;
        }
        for &op in &ops {
            self.execute(actor, op, shared)?;
        }
        Ok(ops.iter().map(|op| u64::from(op.bytes)).sum())
    }

    /// Marks an actor as started; true if it was not.
    pub(super) fn begins(&mut self, actor: u64) -> bool {
        let place = self.place(actor);
        mark(&mut self.begun, place)
    }

    /// Issues commands until the window ends, the source ends, or the job is cancelled.
    pub(crate) fn drive(
        &mut self,
        window: &Window,
        mut tally: Tally<'_>,
        clock: &impl Clock,
        shared: &Shared<'_, T>,
    ) -> Result<(Measurement, Slices), RunError> {
        wake_precisely();
        let turn = self.turn();
        let mut schedule = Schedule::new(window, turn, self.source.seed());
        clock.wait_until(window.start_ns);
        let mut free_since = clock.now_ns();
        let mut mix = window.mix(turn);
        let mut arrival = None;
        while let Some(planned) = self.draw() {
            if self.start_actor(&planned, shared)? {
                free_since = clock.now_ns();
            }
            let (current, due) = match arrival.filter(|_| planned.continues()) {
                Some(_) if shared.control.is_stopped() => {
                    self.pending = Some(planned);
                    break;
                }
                Some(begun) => (begun, free_since),
                None => {
                    if let Some(mix) = &mut mix {
                        mix.wait(|| window.is_over(clock.now_ns()) || shared.control.is_stopped());
                    }
                    let due = schedule.due(planned.at_ns);
                    if !wait(due, window, clock, shared.control) {
                        self.pending = Some(planned);
                        break;
                    }
                    let start = clock.now_ns();
                    let due = due.unwrap_or(start);
                    if start.saturating_sub(due) > window.lag_limit_ns {
                        self.pending = Some(planned);
                        tally.measurement.gave_up = true;
                        break;
                    }
                    if free_since < due {
                        tally.measurement.wake_lag.record(start - due);
                    }
                    // The rest of a transaction of the load before is not one.
                    let is_whole = !planned.continues();
                    (Arrival { due, start, counts_from: window.counts_from(), is_whole }, due)
                }
            };
            arrival = Some(current);
            free_since = self.command(planned, due, current, &mut tally, clock, shared)?;
        }
        Ok(tally.finish())
    }

    pub(super) fn draw(&mut self) -> Option<Planned> {
        self.pending.take().or_else(|| self.stream.next(&mut self.ops))
    }

    /// Executes the current command, which was due at `due`. The moment at which it ended.
    fn command(
        &mut self,
        planned: Planned,
        due: u64,
        arrival: Arrival,
        tally: &mut Tally<'_>,
        clock: &impl Clock,
        shared: &Shared<'_, T>,
    ) -> Result<u64, RunError> {
        // Held until the command has ended: an actor executes one at a time.
        let mut busy = planned.common.and_then(|place| Some(shared.common?.lock(place)));
        if let Some(busy) = &mut busy {
            self.ops.clear();
            busy.expand(planned.kind, &mut self.ops);
        }
        // The first command of a transaction began when that was noted.
        let start = if planned.common.is_some() || planned.continues() { clock.now_ns() } else { arrival.start };
        let counts = arrival.due >= arrival.counts_from;
        let mut last = start;
        for at in 0..self.ops.len() {
            let op = self.ops[at];
            self.execute_planned(&planned, op, shared)?;
            let now = clock.now_ns();
            if counts {
                tally.operation(op, now - last);
            } else {
                tally.warm_up_operation(op);
            }
            last = now;
        }
        drop(busy);
        if counts {
            tally.command(&planned, arrival, due, start, last);
            let ended = planned.link.filter(|link| link.is_last && arrival.is_whole);
            if let Some(link) = ended {
                tally.transaction(link.transaction, arrival, last);
            }
        } else {
            tally.warm_up_command(last - start);
        }
        self.completed += 1;
        Ok(last)
    }

    fn execute_planned(&mut self, planned: &Planned, op: Op, shared: &Shared<'_, T>) -> Result<(), RunError> {
        let Some(place) = planned.common else { return self.execute(planned.actor, op, shared) };
        let executed = self.common_handles[place].execute(op, planned.actor, shared.pool);
        executed.map_err(|source| self.failed(op.kind, planned.actor, shared, source))
    }

    pub(super) fn execute(&mut self, actor: u64, op: Op, shared: &Shared<'_, T>) -> Result<(), RunError> {
        if op.kind == OpKind::Open {
            return self.open(actor, shared);
        }
        let place = self.place(actor);
        let handles = self.handles[place].as_mut().expect("opened before its first operation");
        handles.execute(op, actor, shared.pool).map_err(|source| self.failed(op.kind, actor, shared, source))
    }

    /// Opens the handles of an actor that was never started, before its command begins, so that only the command is
    /// measured; unless the command opens them itself. True if they were opened.
    fn start_actor(&mut self, planned: &Planned, shared: &Shared<'_, T>) -> Result<bool, RunError> {
        let actor = planned.actor;
        if planned.common.is_some() {
            return Ok(false);
        }
        let is_new = !self.begun.get(self.place(actor)).is_some_and(|&begun| begun);
        if is_new && self.begin_actor(actor, shared)? > 0 {
            return Ok(true);
        }
        if self.is_open(actor) || self.ops.first().is_some_and(|op| op.kind == OpKind::Open) {
            return Ok(false);
        }
        self.open(actor, shared)?;
        Ok(true)
    }

    pub(super) fn is_open(&self, actor: u64) -> bool {
        self.handles.get(self.place(actor)).is_some_and(Option::is_some)
    }

    pub(super) fn open(&mut self, actor: u64, shared: &Shared<'_, T>) -> Result<(), RunError> {
        let handles = self.handles_of(actor, shared)?;
        let place = self.place(actor);
        if place >= self.handles.len() {
            self.handles.resize_with(place + 1, || None);
        }
        self.handles[place] = Some(Box::new(handles));
        Ok(())
    }

    fn handles_of(&self, actor: u64, shared: &Shared<'_, T>) -> Result<Handles<T>, RunError> {
        let (type_name, name) = self.source.actor(actor);
        let opened = Handles::open(shared.manager, &type_name, &name);
        opened.map_err(|source| self.failed(OpKind::Open, actor, shared, source))
    }

    pub(super) fn place(&self, actor: u64) -> usize {
        usize::try_from(actor / self.workers).expect("actors fit in memory")
    }

    pub(super) fn failed(&self, operation: OpKind, actor: u64, shared: &Shared<'_, T>, source: Error) -> RunError {
        // The other workers stop too: the run has failed.
        shared.control.stop();
        let (type_name, name) = self.source.actor(actor);
        RunError::Operation { operation, actor: format!("{type_name}/{name}"), durability: shared.durability, source }
    }
}

pub(crate) struct Shared<'a, T: Target> {
    pub(crate) manager: &'a T::Manager,
    pub(crate) pool: &'a ValuePool,
    pub(crate) control: &'a Control,
    /// Actors that are common to all workers.
    pub(crate) common: Option<&'a CommonActors>,
    pub(crate) durability: Durability,
}

/// Marks a place; true if it was not marked.
pub(crate) fn mark(marked: &mut Vec<bool>, place: usize) -> bool {
    if place >= marked.len() {
        marked.resize(place + 1, false);
    }
    !std::mem::replace(&mut marked[place], true)
}

/// Waits until a command is due; false if it is due after the end of the load, or the job was cancelled.
///
/// The end is known once the load has warmed up, which may be during the wait: the next command of a workload with bursts
/// may be due in hours.
pub(super) fn wait(due: Option<u64>, window: &Window, clock: &impl Clock, control: &Control) -> bool {
    let mut now = clock.now_ns();
    let due = due.unwrap_or(now);
    let goes_on = || !window.is_over(due) && !control.is_stopped();
    while now < due && goes_on() {
        clock.wait_until(due.min(now + POLL_INTERVAL_NS));
        now = clock.now_ns();
    }
    goes_on()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::load::spec::Load;

    const SECOND: u64 = 1_000_000_000;

    /// Time passes in waits alone. The load has warmed up after five seconds.
    struct Simulated<'w> {
        now_ns: AtomicU64,
        window: &'w Window,
    }

    impl Clock for Simulated<'_> {
        fn now_ns(&self) -> u64 {
            self.now_ns.load(Ordering::Relaxed)
        }

        fn wait_until(&self, at_ns: u64) {
            self.now_ns.store(at_ns, Ordering::Relaxed);
            if at_ns == 5 * SECOND {
                self.window.measure_from(at_ns);
            }
        }
    }

    #[test]
    fn a_wait_for_a_command_that_is_due_after_the_end_ends_when_the_end_is_known() {
        for (due_seconds, expected) in [(4, (true, 4)), (7, (true, 7)), (8, (false, 5)), (3_600, (false, 5))] {
            let window = Window::fixed(Load::Closed, 0, Some(3 * SECOND), 0);
            window.measure_from(u64::MAX);
            let clock = Simulated { now_ns: AtomicU64::new(0), window: &window };
            let is_due = wait(Some(due_seconds * SECOND), &window, &clock, &Control::default());
            assert_eq!((is_due, clock.now_ns() / SECOND), expected, "due after {due_seconds} s");
        }
    }
}
