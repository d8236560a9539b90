//! The life of a session: from the preload to verification.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ave_actors_store::database::DbManager;
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::state::{SessionSize, SuspendedSession, directory_bytes};
use super::threads::{POLL_INTERVAL, with_each, with_each_and};
use crate::actor::Durability;
use crate::host::MachineMemory;
use crate::load::ack_log::{AckLog, Position};
use crate::load::actor_types::ActorTypes;
use crate::load::clock::Clock;
use crate::load::control::Control;
use crate::load::drive::{Shared, Worker};
use crate::load::engine::{EngineCounters, EngineFigure};
use crate::load::error::RunError;
use crate::load::fill::fill_database;
use crate::load::measurement::Tally;
use crate::load::observer::{JobContext, Phase};
use crate::load::page_cache;
use crate::load::requests::RequestKind;
use crate::load::slices::SliceExchange;
use crate::load::source::Source;
use crate::load::spec::{DriveSpec, Load};
use crate::load::target::Target;
use crate::load::verify::{Ledger, Stored, Verified};
use crate::load::warmup::WarmUp;
use crate::load::watch::{Drive, Watch};
use crate::load::window::Window;
use crate::measure::{ResourceSampler, ResourceUsage};
use crate::workload::{CommonActors, ValuePool};

const SETTLE_LIMIT: Duration = Duration::from_secs(20);

/// A database in a directory of its own, and the workers that load it.
///
/// Its methods fail with [`RunError`] if the database or its directory fails. A difference that a verification finds is no
/// error.
pub struct Session<'t, T: Target> {
    pub(super) target: &'t T,
    pub(super) source: Source,
    pub(super) directory: PathBuf,
    pub(crate) durability: Durability,
    requests: Vec<RequestKind>,
    types: Arc<ActorTypes>,
    pool: Arc<ValuePool>,
    /// The actors that the transactions of all workers use.
    common: Option<CommonActors>,
    pub(super) workers: Vec<Worker<T>>,
    manager: Option<T::Manager>,
    written_bytes: Option<u64>,
    payload_bytes: u64,
    drives: u64,
}

#[expect(clippy::missing_errors_doc, reason = "`Session` documents them")]
impl<'t, T: Target> Session<'t, T> {
    /// Creates the database in `directory`, writes the preload, and opens the handles of all actors.
    ///
    /// The preload is written with durability off in both modes, and is on disk when this returns.
    pub fn start(
        target: &'t T,
        source: &Source,
        directory: &Path,
        durability: Durability,
        workers: u64,
        job: JobContext<'_>,
    ) -> Result<Self, RunError> {
        job.lift_memory_limit()?;
        fill_database(target, source, directory, durability, job)?;
        Self::start_filled(target, source, directory, durability, workers, job)
    }

    /// Opens the database that [`fill_database`] created in `directory`, or a copy of it, and the handles of all actors.
    pub fn start_filled(
        target: &'t T,
        source: &Source,
        directory: &Path,
        durability: Durability,
        workers: u64,
        job: JobContext<'_>,
    ) -> Result<Self, RunError> {
        let workers = workers.clamp(1, source.most_writers().max(1));
        let mut session = Self::new(target, source, directory, durability, workers);
        session.resume(job)?;
        Ok(session)
    }

    pub(super) fn new(target: &'t T, source: &Source, directory: &Path, durability: Durability, workers: u64) -> Self {
        Self {
            target,
            source: source.clone(),
            directory: directory.to_owned(),
            durability,
            requests: source.requests(),
            types: Arc::new(ActorTypes::of(source)),
            common: source.common_actors(),
            pool: Arc::new(source.value_pool()),
            workers: (0..workers).map(|number| Worker::new(source, number, workers)).collect(),
            manager: None,
            written_bytes: Some(0),
            payload_bytes: 0,
            drives: 0,
        }
    }

    /// Closes the database for another session, perhaps of another process, to [restore](Self::restore).
    pub fn suspend(mut self) -> Result<SuspendedSession, RunError> {
        self.pause()?;
        Ok(SuspendedSession {
            positions: self.positions(),
            common_events: self.common_events(),
            drives: self.drives,
            written_bytes: self.written_bytes,
            payload_bytes: self.payload_bytes,
        })
    }

    /// Continues a suspended session with as many workers, each at its position in its stream. It is paused.
    pub fn restore(
        target: &'t T,
        source: &Source,
        directory: &Path,
        durability: Durability,
        suspended: &SuspendedSession,
    ) -> Self {
        let &SuspendedSession { ref positions, ref common_events, drives, written_bytes, payload_bytes } = suspended;
        let source = source.with_common_events(common_events);
        let mut session = Self::new(target, &source, directory, durability, positions.len() as u64);
        session.workers.iter_mut().zip(positions).for_each(|(worker, &position)| worker.seek(position));
        Self { written_bytes, payload_bytes, drives, ..session }
    }

    /// Events that the actors that are common to all workers have persisted since the preload.
    pub(super) fn common_events(&self) -> Vec<u64> {
        self.common.as_ref().map_or_else(Vec::new, CommonActors::events)
    }

    pub(crate) fn positions(&self) -> Vec<Position> {
        self.workers.iter().map(Worker::position).collect()
    }

    /// Issues commands without an end, and logs every operation that returned. Measures nothing.
    pub(crate) fn drive_acknowledging(
        &mut self,
        load: Load,
        log: &AckLog,
        clock: &impl Clock,
        control: &Control,
    ) -> Result<(), RunError> {
        let spec = DriveSpec { load, warmup: WarmUp::NONE, measure: None, lag_limit: None, settle: false };
        let window = Window::new(&spec, clock, self.drives);
        let (workers, shared) = self.workers_and_shared(control);
        let parts = with_each(workers, |worker| worker.drive_acknowledging(&window, clock, &shared, log), || {});
        parts?.into_iter().collect()
    }

    pub(crate) fn database_bytes(&self) -> u64 {
        directory_bytes(&self.directory)
    }

    /// Commands issued since the preload, warm-ups included.
    pub fn commands_issued(&self) -> u64 {
        self.workers.iter().map(|worker| worker.completed).sum()
    }

    /// Issues commands as `spec` says and measures them. A paused session is resumed first.
    pub fn drive(&mut self, spec: &DriveSpec, clock: &impl Clock, job: JobContext<'_>) -> Result<Drive, RunError> {
        self.resume(job)?;
        if spec.warmup == WarmUp::Cold {
            let forgotten = page_cache::forget(&self.directory);
            forgotten.map_err(|source| RunError::Directory(self.directory.clone(), source))?;
        }
        let resources = ResourceSampler::start();
        let (requests, types) = (self.requests.clone(), Arc::clone(&self.types));
        let operations = self.source.operations();
        let exchanges: Vec<SliceExchange> = self.workers.iter().map(|_| SliceExchange::new(requests.len())).collect();
        // Made before the window is set: those of many workers take longer than threads need to start.
        let tally = |exchange| Mutex::new(Some(Tally::new(&requests, &operations, &types, exchange)));
        let tallies: Vec<_> = exchanges.iter().map(tally).collect();
        job.control.set_commands(0);
        let number = self.drives;
        self.drives += 1;
        let (target, durability) = (self.target, self.durability);
        let (workers, shared) = self.workers_and_shared(job.control);
        let before = target.statistics(shared.manager);
        let window = Window::new(spec, clock, number);
        let (parts, (mut drive, mut slices)) = with_each_and(
            workers,
            |worker| {
                let exchange = &exchanges[worker.number()];
                let made = tallies[worker.number()].lock().unwrap_or_else(PoisonError::into_inner).take();
                let tally = made.unwrap_or_else(|| Tally::new(&requests, &operations, &types, exchange));
                worker.drive(&window, tally, clock, &shared)
            },
            |is_finished| {
                let (window, exchanges, counters) =
                    (&window, &exchanges, &|| target.counters(shared.manager, durability));
                Watch { spec, window, durability, exchanges, clock, job, counters, is_finished }.run()
            },
        )?;
        drive.statistics = EngineFigure::pair(before, target.statistics(shared.manager));
        for part in parts {
            let (part, rest) = part?;
            drive.measurement.merge(&part);
            slices.merge(&rest);
        }
        for exchange in &exchanges {
            exchange.collect(&mut slices);
        }
        let names = self.source.transactions().iter().map(|one| one.name.as_str());
        drive.measurement.complete(slices, names);
        if !job.control.is_stopped() {
            drive.measurement.lasts_at_least(self.source.offered_ns(spec.load, spec.measure, window.warmup_ns()));
        }
        types.name(&mut drive.measurement.actor_types);
        self.payload_bytes += drive.measurement.payload_bytes_with_warmup;
        if spec.settle {
            let began = Instant::now();
            drive.settled = Some(self.settle(job));
            drive.settling = began.elapsed();
        }
        self.count_written(resources.stop());
        Ok(drive)
    }

    /// Closes the database until [`resume`](Self::resume), so that it takes no memory from another one.
    pub fn pause(&mut self) -> Result<(), RunError> {
        let resources = ResourceSampler::start();
        self.close()?;
        self.count_written(resources.stop());
        Ok(())
    }

    /// Opens a paused database and the handles of its actors again. Has no effect if it is not paused.
    ///
    /// The page cache then holds as much of the database as fits into the machine's RAM, as after a long time of running,
    /// whatever was read, written or evicted before.
    pub fn resume(&mut self, job: JobContext<'_>) -> Result<(), RunError> {
        if self.manager.is_some() {
            return Ok(());
        }
        job.enforce_memory_limit()?;
        let ram_bytes = job.memory.map_or(u64::MAX, MachineMemory::ram_bytes).min(self.target.ram_bytes());
        page_cache::fill(&self.directory, ram_bytes, self.durability, job)
            .map_err(|source| RunError::Directory(self.directory.clone(), source))?;
        self.open(self.durability)?;
        self.start_actors(job)
    }

    /// Actors of a trace start with their first command, those of a workload with the session.
    pub(super) fn start_actors(&mut self, job: JobContext<'_>) -> Result<(), RunError> {
        if matches!(self.source, Source::Workload(_)) {
            job.observer.phase(self.durability, Phase::Start, None);
            let (workers, shared) = self.workers_and_shared(job.control);
            with_each(workers, |worker| worker.open_all(&shared), || {})?.into_iter().collect::<Result<(), _>>()?;
        }
        Ok(())
    }

    /// Reopens the database, waits for background work, and verifies what is stored if `verify` is true. The verification
    /// is `None` if it was cancelled. None of this is within the memory of an emulated machine.
    pub fn finish(mut self, verify: bool, job: JobContext<'_>) -> Result<(Option<Verified>, SessionSize), RunError> {
        let resources = ResourceSampler::start();
        job.lift_memory_limit()?;
        self.close()?;
        self.open(self.durability)?;
        self.settle(job);
        self.count_written(resources.stop());
        let size = SessionSize {
            database_bytes: directory_bytes(&self.directory),
            written_bytes: self.written_bytes,
            payload_bytes: self.payload_bytes,
        };
        let verified = if verify { Some(self.verify(job)?) } else { None };
        Ok((verified.filter(|_| !job.control.is_stopped()), size))
    }

    /// The shares of the workers are independent, so they are compared in parallel.
    fn verify(&self, job: JobContext<'_>) -> Result<Verified, RunError> {
        let workers = self.workers.len() as u64;
        let completed: Vec<(u64, u64)> = (0..).zip(self.workers.iter().map(|worker| worker.completed)).collect();
        let source = self.source.with_common_events(&self.common_events());
        let replay = |(number, completed)| Ledger::replay(&source, number, workers, completed);
        let ledgers: Vec<Ledger> = completed.into_par_iter().map(replay).collect();
        let actors: usize = ledgers.iter().map(|ledger| ledger.actors.len()).sum();
        job.observer.phase(self.durability, Phase::Verify, Some(actors as u64));
        let done = AtomicU64::new(0);
        let seen = || {
            job.observer.progress(done.fetch_add(1, Ordering::Relaxed) + 1, 0);
            !job.control.is_stopped()
        };
        let stored = Stored::<T> { manager: self.manager(), source: &self.source, pool: &self.pool };
        let parts: Result<Vec<Verified>, _> = ledgers.par_iter().map(|ledger| ledger.verify(&stored, seen)).collect();
        Ok(Verified::sum(parts.map_err(|source| self.failed("read", source))?))
    }

    /// Waits for flushes and compactions; false if they continue after the limit.
    pub(super) fn settle(&self, job: JobContext<'_>) -> bool {
        let counters = || self.manager.as_ref().and_then(|manager| self.target.counters(manager, self.durability));
        let is_settled = || counters().is_none_or(EngineCounters::is_settled);
        if is_settled() {
            return true;
        }
        job.observer.phase(self.durability, Phase::Settle, None);
        let began = Instant::now();
        while began.elapsed() < SETTLE_LIMIT && !job.control.is_stopped() {
            std::thread::sleep(POLL_INTERVAL);
            if is_settled() {
                return true;
            }
        }
        false
    }

    /// The workers of an open database, and what they share.
    pub(super) fn workers_and_shared<'s>(&'s mut self, control: &'s Control) -> (&'s mut [Worker<T>], Shared<'s, T>) {
        let manager = manager(self.manager.as_ref());
        let (pool, common) = (&*self.pool, self.common.as_ref());
        (&mut self.workers, Shared { manager, pool, control, common, durability: self.durability })
    }

    pub(super) fn manager(&self) -> &T::Manager {
        manager(self.manager.as_ref())
    }

    pub(super) fn open(&mut self, durability: Durability) -> Result<(), RunError> {
        let opened = self.target.open(&self.directory, durability);
        self.manager = Some(opened.map_err(|source| self.failed("open", source))?);
        Ok(())
    }

    pub(super) fn close(&mut self) -> Result<(), RunError> {
        self.workers.iter_mut().for_each(Worker::close_all);
        if let Some(mut manager) = self.manager.take() {
            manager.stop().map_err(|source| self.failed("stop", source))?;
        }
        Ok(())
    }

    fn count_written(&mut self, usage: ResourceUsage) {
        self.written_bytes = self.written_bytes.zip(usage.written_bytes).map(|(sum, more)| sum + more);
    }

    pub(super) fn failed(&self, action: &'static str, source: ave_actors_store::Error) -> RunError {
        RunError::Database(action, self.directory.clone(), source)
    }
}

fn manager<M>(manager: Option<&M>) -> &M {
    manager.expect("a session's database is open between its methods")
}
