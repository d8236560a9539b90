//! One worker issuing commands under one load. This is the measured path: between two looks at the clock there is
//! nothing but the backend.

mod acknowledging;
mod recovering;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ave_actors_store::Error;
use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::load::clock::{Clock, wake_precisely};
use crate::load::error::RunError;
use crate::load::handles::Handles;
use crate::load::measurement::{Measurement, Tally};
use crate::load::schedule::{Load, Schedule};
use crate::load::slices::{Desk, Slices};
use crate::load::source::{Source, Stream};
use crate::load::target::Target;
use crate::load::warmup::WarmUp;
use crate::workload::{Planned, ValuePool};
use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind};

pub(super) use acknowledging::steps;
pub(super) use recovering::Stopped;

/// A load and how long it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DriveSpec {
    /// How commands are issued.
    pub load: Load,
    /// Time before anything counts.
    pub warmup: WarmUp,
    /// Time that counts; `None` runs to the end of a finite source.
    pub measure: Option<Duration>,
    /// Lateness at which the load is given up; `None` never gives up.
    pub lag_limit: Option<Duration>,
}

/// Stops a run from outside and tells how far it is.
#[derive(Debug, Default)]
pub struct Control {
    stop: AtomicBool,
    commands: AtomicU64,
}

impl Control {
    /// Asks every worker to stop after the command in hand.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to stop.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Commands completed under the load that runs now.
    pub fn commands(&self) -> u64 {
        self.commands.load(Ordering::Relaxed)
    }

    pub(super) fn add_commands(&self, count: u64) {
        self.commands.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn set_commands(&self, count: u64) {
        self.commands.store(count, Ordering::Relaxed);
    }
}

/// A load with its moments on the clock.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) load: Load,
    pub(super) start_ns: u64,
    /// [`NOT_YET`](Self::NOT_YET) until the load has warmed up.
    measure_from_ns: AtomicU64,
    measure_ns: Option<u64>,
    lag_limit_ns: u64,
    /// Number of this load in its session.
    pub(super) number: u64,
}

impl Window {
    const NOT_YET: u64 = u64::MAX;

    pub(super) fn new(spec: &DriveSpec, clock: &impl Clock, number: u64) -> Self {
        let start_ns = clock.now_ns().saturating_add(clock.lead_ns());
        let measure_from_ns = match spec.warmup {
            WarmUp::Fixed(time) => start_ns.saturating_add(nanoseconds(time)),
            WarmUp::Steady { .. } => Self::NOT_YET,
        };
        let lag_limit_ns = spec.lag_limit.map_or(u64::MAX, nanoseconds);
        let fixed = Self::fixed(spec.load, start_ns, measure_from_ns, spec.measure.map(nanoseconds), number);
        Self { lag_limit_ns, ..fixed }
    }

    /// A window that begins to count at a known moment and gives no load up.
    pub(super) const fn fixed(
        load: Load,
        start_ns: u64,
        measure_from_ns: u64,
        measure_ns: Option<u64>,
        number: u64,
    ) -> Self {
        let measure_from_ns = AtomicU64::new(measure_from_ns);
        Self { load, start_ns, measure_from_ns, measure_ns, lag_limit_ns: u64::MAX, number }
    }

    /// Commands due from now on count.
    pub(super) fn measure_from(&self, now_ns: u64) {
        self.measure_from_ns.store(now_ns, Ordering::Relaxed);
    }

    /// Commands due at this moment or later count.
    fn counts_from(&self) -> u64 {
        self.measure_from_ns.load(Ordering::Relaxed)
    }

    /// Whether a command that is due at this moment is none of this load any more.
    fn is_over(&self, due_ns: u64) -> bool {
        self.measure_ns.is_some_and(|measure_ns| due_ns >= self.counts_from().saturating_add(measure_ns))
    }

    /// When a ramp begins to rise and when it ends: its warm-up must be a fixed time.
    pub(super) fn ramp_ns(&self) -> [u64; 2] {
        let start_ns = self.counts_from().min(u64::MAX / 2);
        [start_ns, start_ns.saturating_add(self.measure_ns.unwrap_or(1))]
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Commands a worker completes before it tells the shared counter, so that workers do not fight over it.
const REPORT_EVERY: u64 = 64;
/// Longest sleep before a worker looks whether it should stop.
const LOOK_UP_NS: u64 = 50_000_000;

/// A worker: its share of the source, the handles of its actors, and how many commands it issued so far.
pub(super) struct Worker<T: Target> {
    number: u64,
    workers: u64,
    source: Source,
    stream: Stream,
    handles: Vec<Option<Box<Handles<T>>>>,
    /// Which actors were started at least once: what they stored before their first command is there.
    begun: Vec<bool>,
    /// Operations of the command in hand.
    ops: Vec<Op>,
    /// A command that was drawn but is due after the end of the load: the next load begins with it.
    pending: Option<Planned>,
    /// Commands completed since the database was new.
    completed: u64,
    /// Operations of the command after them that a process which was killed completed.
    executed: u64,
}

impl<T: Target> Worker<T> {
    pub(super) fn new(source: &Source, number: u64, workers: u64) -> Self {
        Self {
            number,
            workers,
            source: source.clone(),
            stream: source.stream(number, workers),
            handles: Vec::new(),
            begun: Vec::new(),
            ops: Vec::new(),
            pending: None,
            completed: 0,
            executed: 0,
        }
    }

    pub(super) fn number(&self) -> usize {
        usize::try_from(self.number).expect("workers are few")
    }

    pub(super) const fn completed(&self) -> u64 {
        self.completed
    }

    pub(super) fn close_handles(&mut self) {
        self.handles.clear();
    }

    /// Opens the handles of every actor of the first pass, as if they had been started.
    pub(super) fn open_all(&mut self, shared: &Shared<'_, T>) -> Result<(), RunError> {
        for actor in self.source.actors_of(self.number, self.workers) {
            if shared.control.is_stopped() {
                break;
            }
            self.open(actor, shared)?;
        }
        Ok(())
    }

    /// Issues what the source wants to be there beforehand.
    pub(super) fn preload(&mut self, shared: &Shared<'_, T>) -> Result<u64, RunError> {
        let mut payload = self.begin_actors(shared)?;
        while self.stream.preload_left() > 0 && !shared.control.is_stopped() {
            let Some(planned) = self.stream.next(&mut self.ops) else { break };
            self.start_actor(planned.actor, shared)?;
            for at in 0..self.ops.len() {
                payload += u64::from(self.ops[at].written_bytes());
                self.execute(planned.actor, self.ops[at], shared)?;
            }
            self.complete(shared);
        }
        Ok(payload)
    }

    /// Writes what the actors of the first pass stored before their first commands.
    fn begin_actors(&mut self, shared: &Shared<'_, T>) -> Result<u64, RunError> {
        let mut payload = 0;
        if matches!(self.source, Source::Workload(_)) {
            return Ok(payload);
        }
        for actor in self.source.actors_of(self.number, self.workers) {
            if shared.control.is_stopped() {
                break;
            }
            let written = self.begin_actor(actor, shared)?;
            payload += written;
            shared.control.add_commands(u64::from(written > 0));
        }
        Ok(payload)
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

    /// Notes that an actor has begun; true if it had not.
    fn begins(&mut self, actor: u64) -> bool {
        let place = self.place(actor);
        if place >= self.begun.len() {
            self.begun.resize(place + 1, false);
        }
        !std::mem::replace(&mut self.begun[place], true)
    }

    /// Issues commands until the window ends, the source ends, or somebody stops it.
    pub(super) fn drive(
        &mut self,
        window: &Window,
        kinds: &[CommandKind],
        desk: &Desk,
        clock: &impl Clock,
        shared: &Shared<'_, T>,
    ) -> Result<(Measurement, Slices), RunError> {
        wake_precisely();
        let mut schedule = Schedule::new(window, self.number, self.workers, self.source.seed());
        let mut tally = Tally::new(kinds, desk);
        clock.wait_until(window.start_ns);
        let mut free_since = clock.now_ns();
        while let Some(planned) = self.draw() {
            if self.start_actor(planned.actor, shared)? {
                free_since = clock.now_ns();
            }
            let due = schedule.due(planned.at_ns);
            if window.is_over(due.unwrap_or_else(|| clock.now_ns())) || !wait(due, clock, shared.control) {
                self.pending = Some(planned);
                break;
            }
            let start = clock.now_ns();
            let due = due.unwrap_or(start);
            if start.saturating_sub(due) > window.lag_limit_ns {
                self.pending = Some(planned);
                tally.give_up();
                break;
            }
            if free_since < due {
                tally.wake_lag(start - due);
            }
            free_since = self.command(
                planned,
                Moments { due, start, counts_from: window.counts_from() },
                &mut tally,
                clock,
                shared,
            )?;
        }
        Ok(tally.finish())
    }

    fn draw(&mut self) -> Option<Planned> {
        self.pending.take().or_else(|| self.stream.next(&mut self.ops))
    }

    /// Executes the command in hand and returns when it ended.
    fn command(
        &mut self,
        planned: Planned,
        moments: Moments,
        tally: &mut Tally<'_>,
        clock: &impl Clock,
        shared: &Shared<'_, T>,
    ) -> Result<u64, RunError> {
        let Moments { due, start, counts_from } = moments;
        let counts = due >= counts_from;
        let mut last = start;
        for at in 0..self.ops.len() {
            let op = self.ops[at];
            self.execute(planned.actor, op, shared)?;
            let now = clock.now_ns();
            if counts {
                tally.operation(op, now - last);
            } else {
                tally.warm_up_operation(op);
            }
            last = now;
        }
        if counts {
            tally.command(planned.kind, counts_from, due, start, last);
        } else {
            tally.warm_up_command(last - start);
        }
        self.completed += 1;
        Ok(last)
    }

    fn complete(&mut self, shared: &Shared<'_, T>) {
        self.completed += 1;
        if self.completed.is_multiple_of(REPORT_EVERY) {
            shared.control.add_commands(REPORT_EVERY);
        }
    }

    fn execute(&mut self, actor: u64, op: Op, shared: &Shared<'_, T>) -> Result<(), RunError> {
        if op.kind == OpKind::Open {
            return self.open(actor, shared);
        }
        let place = self.place(actor);
        let handles = self.handles[place].as_mut().expect("opened before its first operation");
        handles.execute(op, actor, shared.pool).map_err(|source| self.failed(op.kind, actor, shared, source))
    }

    /// Opens the handles of an actor that was never started, before its command begins: the command itself is what is
    /// measured. A command that begins by opening them does so itself. True if there was something to open.
    fn start_actor(&mut self, actor: u64, shared: &Shared<'_, T>) -> Result<bool, RunError> {
        let is_new = !self.begun.get(self.place(actor)).is_some_and(|&begun| begun);
        if is_new && self.begin_actor(actor, shared)? > 0 {
            return Ok(true);
        }
        let is_open = self.handles.get(self.place(actor)).is_some_and(Option::is_some);
        if is_open || self.ops.first().is_some_and(|op| op.kind == OpKind::Open) {
            return Ok(false);
        }
        self.open(actor, shared)?;
        Ok(true)
    }

    fn open(&mut self, actor: u64, shared: &Shared<'_, T>) -> Result<(), RunError> {
        let (type_name, name) = self.source.actor(actor);
        let handles = Handles::open(shared.manager, &type_name, &name)
            .map_err(|source| self.failed(OpKind::Open, actor, shared, source))?;
        let place = self.place(actor);
        if place >= self.handles.len() {
            self.handles.resize_with(place + 1, || None);
        }
        self.handles[place] = Some(Box::new(handles));
        Ok(())
    }

    fn place(&self, actor: u64) -> usize {
        usize::try_from(actor / self.workers).expect("actors fit in memory")
    }

    fn failed(&self, operation: OpKind, actor: u64, shared: &Shared<'_, T>, source: Error) -> RunError {
        // The others stop too: what they would measure is not a run any more.
        shared.control.stop();
        let (type_name, name) = self.source.actor(actor);
        RunError::Operation { operation, actor: format!("{type_name}/{name}"), durability: shared.durability, source }
    }
}

/// The moments of a command before it is executed.
#[derive(Clone, Copy)]
struct Moments {
    due: u64,
    start: u64,
    /// When measuring began.
    counts_from: u64,
}

/// What all workers of a load share.
pub(super) struct Shared<'a, T: Target> {
    pub(super) manager: &'a T::Manager,
    pub(super) pool: &'a ValuePool,
    pub(super) control: &'a Control,
    pub(super) durability: Durability,
}

/// Waits until a command is due; false if the run was stopped meanwhile.
fn wait(due: Option<u64>, clock: &impl Clock, control: &Control) -> bool {
    if let Some(due) = due {
        let mut now = clock.now_ns();
        while now < due && !control.is_stopped() {
            clock.wait_until(due.min(now + LOOK_UP_NS));
            now = clock.now_ns();
        }
    }
    !control.is_stopped()
}
