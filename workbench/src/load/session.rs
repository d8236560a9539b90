//! One database in one durability mode: filled, loaded as often as wanted, verified, closed.

mod inventory;
mod restart;

use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use ave_actors_store::database::DbManager;
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::host::ReferenceWork;
use crate::load::clock::Clock;
use crate::load::crash::{AckLog, Position};
use crate::load::drive::{Control, DriveSpec, Shared, Window, Worker};
use crate::load::engine::{EngineCounters, EngineFigure};
use crate::load::error::RunError;
use crate::load::measurement::Measurement;
use crate::load::observer::JobContext;
use crate::load::observer::Phase;
use crate::load::schedule::Load;
use crate::load::slices::Desk;
use crate::load::source::Source;
use crate::load::target::Target;
use crate::load::verify::{Ledger, Verified};
use crate::load::warmup::WarmUp;
use crate::load::watch::{Sample, Watch, Watched};
use crate::measure::{ResourceSampler, ResourceUsage};
use crate::workload::ValuePool;
use ave_actors_rocksdb::trace::CommandKind;

pub use inventory::Inventory;
pub use restart::{Restart, RestartRound, RestartSpec};

/// Longest wait for background work to end.
const SETTLE_LIMIT: Duration = Duration::from_secs(20);
/// Interval at which progress is told and background work is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// What one load did.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Drive {
    /// Latencies and counts.
    pub measurement: Measurement,
    /// Time before anything counted.
    pub warmup: Duration,
    /// Whether the load was seen to be steady when measuring began; `None` if nobody looked.
    pub steady: Option<bool>,
    /// What the process consumed from the end of the warm-up to the end of the load.
    pub usage: ResourceUsage,
    /// Process and engine each second, the first when measuring began, the last when the load ended.
    pub samples: Vec<Sample>,
    /// What the engine says of itself, before the load, warm-up included, and after it.
    pub statistics: Vec<EngineFigure>,
    /// Whether background work ended in time after the load; `None` if nobody waited for it.
    pub settled: Option<bool>,
    /// How long it went on after the load, as long as somebody waited.
    pub settling: Duration,
    /// Mean of the reference work before and after the load; `None` if not measured.
    pub reference_work: Option<ReferenceWork>,
}

impl Drive {
    /// The same with slices of `seconds` seconds, and with samples where slices begin and end.
    ///
    /// # Panics
    ///
    /// As [`Measurement::in_slices_of`].
    #[must_use]
    pub fn in_slices_of(self, seconds: u32) -> Self {
        let slices = self.measurement.elapsed_ns.div_ceil(u64::from(seconds.max(1)) * 1_000_000_000);
        let bounds = (0..=slices).map(|slice| Duration::from_secs(slice * u64::from(seconds)));
        let nearest = |bound: Duration| self.samples.iter().min_by_key(|sample| sample.at.abs_diff(bound)).copied();
        let samples = bounds.filter_map(nearest).collect();
        Self { measurement: self.measurement.in_slices_of(seconds), samples, ..self }
    }

    /// What the engine counted from the end of the warm-up to the end of the load; `None` if it does not count.
    pub fn engine(&self) -> Option<EngineCounters> {
        let after = self.samples.last()?.engine?;
        Some(after.since(self.samples.first()?.engine?))
    }
}

/// A database in a directory of its own, and the workers that load it.
pub struct Session<'t, T: Target> {
    target: &'t T,
    source: Source,
    directory: PathBuf,
    durability: Durability,
    kinds: Vec<CommandKind>,
    pool: Arc<ValuePool>,
    workers: Vec<Worker<T>>,
    manager: Option<T::Manager>,
    written_bytes: Option<u64>,
    payload_bytes: u64,
    /// Loads so far.
    drives: u64,
}

impl<'t, T: Target> Session<'t, T>
where
    T::Manager: Sync,
{
    /// Creates the database in `directory`, fills it with what the source wants to be there, and opens the handles of
    /// all actors.
    ///
    /// The preload is written with durability off whatever the mode, and is on disk when this returns.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the directory or the database fails.
    pub fn start(
        target: &'t T,
        source: &Source,
        directory: &Path,
        durability: Durability,
        workers: u64,
        job: JobContext<'_>,
    ) -> Result<Self, RunError> {
        fs::create_dir_all(directory).map_err(|source| RunError::Directory { path: directory.to_owned(), source })?;
        let workers = workers.clamp(1, source.actors().max(1));
        let mut session = Self::new(target, source, directory, durability, workers);
        session.preload(job)?;
        Ok(session)
    }

    fn new(target: &'t T, source: &Source, directory: &Path, durability: Durability, workers: u64) -> Self {
        Self {
            target,
            source: source.clone(),
            directory: directory.to_owned(),
            durability,
            kinds: source.kinds(),
            pool: Arc::new(source.value_pool()),
            workers: (0..workers).map(|number| Worker::new(source, number, workers)).collect(),
            manager: None,
            written_bytes: Some(0),
            payload_bytes: 0,
            drives: 0,
        }
    }

    /// Goes on with a database in `directory` that another session filled: each worker from its place in its stream, one
    /// worker for each place.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the database fails.
    pub fn go_on(
        target: &'t T,
        source: &Source,
        directory: &Path,
        durability: Durability,
        places: &[Position],
        control: &Control,
    ) -> Result<Self, RunError> {
        let mut session = Self::new(target, source, directory, durability, places.len() as u64);
        session.open(durability)?;
        session.workers.iter_mut().zip(places).for_each(|(worker, &place)| worker.go_to(place));
        session.start_actors(JobContext::silent(control))?;
        Ok(session)
    }

    /// Closes the database for another session, perhaps of another process, to [take up](Self::take_up).
    ///
    /// # Errors
    ///
    /// [`RunError`] if the database fails.
    pub fn leave(mut self) -> Result<LeftOff, RunError> {
        self.pause()?;
        Ok(LeftOff {
            places: self.places(),
            drives: self.drives,
            written_bytes: self.written_bytes,
            payload_bytes: self.payload_bytes,
        })
    }

    /// Goes on where another session left: with as many workers, and as if it had been one session.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the database fails.
    pub fn take_up(
        target: &'t T,
        source: &Source,
        directory: &Path,
        durability: Durability,
        left: &LeftOff,
        control: &Control,
    ) -> Result<Self, RunError> {
        let session = Self::go_on(target, source, directory, durability, &left.places, control)?;
        let LeftOff { drives, written_bytes, payload_bytes, .. } = *left;
        Ok(Self { written_bytes, payload_bytes, drives, ..session })
    }

    /// Where each worker stands in its stream.
    pub fn places(&self) -> Vec<Position> {
        self.workers.iter().map(Worker::place_in_stream).collect()
    }

    /// Issues commands without an end, and writes down every operation that returned. Measures nothing.
    pub(super) fn drive_acknowledging(
        &mut self,
        load: Load,
        log: &AckLog,
        clock: &impl Clock,
        control: &Control,
    ) -> Result<(), RunError> {
        let spec = DriveSpec { load, warmup: WarmUp::NONE, measure: None, lag_limit: None };
        let window = Window::new(&spec, clock, self.drives);
        let shared =
            Shared { manager: manager(self.manager.as_ref()), pool: &self.pool, control, durability: self.durability };
        let (parts, ()) = with_each(
            &mut self.workers,
            |worker| worker.drive_acknowledging(&window, clock, &shared, log),
            |is_finished| {
                while !is_finished() {
                    std::thread::park_timeout(LOOK);
                }
            },
        );
        parts.into_iter().collect()
    }

    fn preload(&mut self, job: JobContext<'_>) -> Result<(), RunError> {
        let total = self.source.preload_steps();
        if total > 0 {
            job.observer.phase(self.durability, Phase::Preload, Some(total));
            let window = ResourceSampler::start();
            self.open(Durability::Off)?;
            self.payload_bytes += self.each_worker(job, Worker::preload)?;
            self.close()?;
            self.count_written(window.stop());
        }
        self.open(self.durability)?;
        self.start_actors(job)
    }

    /// The mode it is in.
    pub const fn durability(&self) -> Durability {
        self.durability
    }

    /// Size of the database directory now, bytes.
    pub fn database_bytes(&self) -> u64 {
        directory_bytes(&self.directory)
    }

    /// Commands issued since the preload, warm-ups included.
    pub fn commands_issued(&self) -> u64 {
        let all: u64 = self.workers.iter().map(Worker::completed).sum();
        all.saturating_sub(self.source.preload_commands())
    }

    /// Issues commands as `spec` says and measures them. Waits for flushes and compactions afterwards, so that they
    /// burden no other load.
    ///
    /// # Errors
    ///
    /// [`RunError`] if an operation fails.
    pub fn drive(&mut self, spec: &DriveSpec, clock: &impl Clock, job: JobContext<'_>) -> Result<Drive, RunError> {
        let drive = self.drive_on(spec, clock, job)?;
        let window = ResourceSampler::start();
        let ended = Instant::now();
        let settled = Some(self.settle(job));
        let settling = ended.elapsed();
        self.count_written(window.stop());
        Ok(Drive { settled, settling, ..drive })
    }

    /// As [`drive`](Self::drive), for a load that another one follows at once: what the engine owes when it ends, the
    /// next one has to bear. Waiting would hide a debt that grows.
    ///
    /// # Errors
    ///
    /// [`RunError`] if an operation fails.
    pub fn drive_on(&mut self, spec: &DriveSpec, clock: &impl Clock, job: JobContext<'_>) -> Result<Drive, RunError> {
        let whole = ResourceSampler::start();
        let kinds = self.kinds.clone();
        let desks: Vec<Desk> = self.workers.iter().map(|_| Desk::new(kinds.len())).collect();
        let shared = Shared {
            manager: manager(self.manager.as_ref()),
            pool: &self.pool,
            control: job.control,
            durability: self.durability,
        };
        job.control.set_commands(0);
        let counters = || self.target.counters(shared.manager);
        let before = self.target.statistics(shared.manager);
        let window = Window::new(spec, clock, self.drives);
        self.drives += 1;
        let durability = self.durability;
        let (parts, watched) = with_each(
            &mut self.workers,
            |worker| worker.drive(&window, &kinds, &desks[worker.number()], clock, &shared),
            |is_finished| {
                let counters = &counters;
                Watch { spec, window: &window, durability, desks: &desks, clock, job, counters, is_finished }.run()
            },
        );
        let Watched { warmup, steady, usage, samples, mut slices } = watched;
        let mut measurement = Measurement::default();
        for part in parts {
            let (part, rest) = part?;
            measurement.merge(part);
            slices.merge(rest);
        }
        for desk in &desks {
            desk.collect(&mut slices);
        }
        measurement.complete(slices);
        self.payload_bytes += measurement.payload_bytes_with_warmup;
        let statistics = EngineFigure::pair(before, self.target.statistics(manager(self.manager.as_ref())));
        self.count_written(whole.stop());
        let settling = Duration::ZERO;
        let (settled, reference_work) = (None, None);
        Ok(Drive { measurement, warmup, steady, usage, samples, statistics, settled, settling, reference_work })
    }

    /// Closes the database until [`resume`](Self::resume), so that it takes nothing from another one meanwhile.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the database fails.
    pub fn pause(&mut self) -> Result<(), RunError> {
        let window = ResourceSampler::start();
        self.close()?;
        self.count_written(window.stop());
        Ok(())
    }

    /// Opens a paused database and the handles of its actors again. One that is not paused stays as it is.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the database fails.
    pub fn resume(&mut self, job: JobContext<'_>) -> Result<(), RunError> {
        if self.manager.is_some() {
            return Ok(());
        }
        self.open(self.durability)?;
        self.start_actors(job)
    }

    /// A trace brings its actors to life as they occur; a workload's population is there from the start.
    fn start_actors(&mut self, job: JobContext<'_>) -> Result<(), RunError> {
        if matches!(self.source, Source::Workload(_)) {
            job.observer.phase(self.durability, Phase::Start, None);
            self.each_worker(job, |worker, shared| worker.open_all(shared).map(|()| 0))?;
        }
        Ok(())
    }

    /// Stops the database, opens it again, compares what it holds with what it acknowledged (unless `verify` is
    /// false), and closes it.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the database fails. A difference is not an error: it is the result.
    pub fn finish(mut self, verify: bool, job: JobContext<'_>) -> Result<(Option<Verified>, SessionSize), RunError> {
        let window = ResourceSampler::start();
        self.close()?;
        self.open(self.durability)?;
        self.settle(job);
        self.count_written(window.stop());
        let size = SessionSize {
            database_bytes: directory_bytes(&self.directory),
            written_bytes: self.written_bytes,
            payload_bytes: self.payload_bytes,
        };
        let verified = if verify { Some(self.verify(job)?) } else { None };
        // A comparison that was cut short is none.
        Ok((verified.filter(|_| !job.control.is_stopped()), size))
    }

    /// The share of each worker is independent of the others': they are compared side by side.
    fn verify(&self, job: JobContext<'_>) -> Result<Verified, RunError> {
        let workers = self.workers.len() as u64;
        let completed: Vec<(u64, u64)> = (0..workers).zip(self.workers.iter().map(Worker::completed)).collect();
        let ledgers: Vec<Ledger> = completed
            .into_par_iter()
            .map(|(number, completed)| Ledger::replay(&self.source, number, workers, completed))
            .collect();
        job.observer.phase(self.durability, Phase::Verify, Some(ledgers.iter().map(Ledger::actor_count).sum()));
        let manager = manager(self.manager.as_ref());
        let done = AtomicU64::new(0);
        let seen = || {
            job.observer.progress(done.fetch_add(1, Ordering::Relaxed) + 1, 0);
            !job.control.is_stopped()
        };
        let compare = |ledger: &Ledger| ledger.verify::<T>(manager, &self.source, &self.pool, seen);
        let parts: Result<Vec<Verified>, _> = ledgers.par_iter().map(compare).collect();
        let mut verified = Verified::default();
        for part in parts.map_err(|source| self.failed("read", source))? {
            verified.merge(part);
        }
        Ok(verified)
    }

    /// Waits for flushes and compactions; false if they go on after the limit.
    fn settle(&self, job: JobContext<'_>) -> bool {
        let is_settled = || self.counters().is_none_or(EngineCounters::is_settled);
        if is_settled() {
            return true;
        }
        job.observer.phase(self.durability, Phase::Settle, None);
        let began = Instant::now();
        while began.elapsed() < SETTLE_LIMIT && !job.control.is_stopped() {
            std::thread::sleep(LOOK);
            if is_settled() {
                return true;
            }
        }
        false
    }

    fn each_worker(
        &mut self,
        job: JobContext<'_>,
        work: impl Fn(&mut Worker<T>, &Shared<'_, T>) -> Result<u64, RunError> + Sync,
    ) -> Result<u64, RunError> {
        let shared = Shared {
            manager: manager(self.manager.as_ref()),
            pool: &self.pool,
            control: job.control,
            durability: self.durability,
        };
        job.control.set_commands(0);
        let (parts, ()) = with_each(
            &mut self.workers,
            |worker| work(worker, &shared),
            |is_finished| {
                while !is_finished() {
                    std::thread::park_timeout(LOOK);
                    job.observer.progress(job.control.commands(), job.control.commands());
                }
            },
        );
        parts.into_iter().sum()
    }

    fn open(&mut self, durability: Durability) -> Result<(), RunError> {
        let opened = self.target.open(&self.directory, durability);
        self.manager = Some(opened.map_err(|source| self.failed("open", source))?);
        Ok(())
    }

    fn close(&mut self) -> Result<(), RunError> {
        self.workers.iter_mut().for_each(Worker::close_handles);
        if let Some(mut manager) = self.manager.take() {
            manager.stop().map_err(|source| self.failed("stop", source))?;
        }
        Ok(())
    }

    fn counters(&self) -> Option<EngineCounters> {
        self.manager.as_ref().and_then(|manager| self.target.counters(manager))
    }

    fn count_written(&mut self, usage: ResourceUsage) {
        self.written_bytes = self.written_bytes.zip(usage.written_bytes).map(|(sum, more)| sum + more);
    }

    fn failed(&self, action: &'static str, source: ave_actors_store::Error) -> RunError {
        RunError::Database { action, path: self.directory.clone(), source }
    }
}

/// Where a session left its database, and what it knew of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOff {
    /// Where each worker stands in its stream.
    pub places: Vec<Position>,
    /// Loads so far: each has arrivals of its own.
    pub drives: u64,
    /// Bytes sent to storage since the database was new; `None` where the system does not tell.
    pub written_bytes: Option<u64>,
    /// Bytes of the values behind them.
    pub payload_bytes: u64,
}

/// What a session stored and what that cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionSize {
    /// Size of the database directory after it was stopped and its compactions settled.
    pub database_bytes: u64,
    /// Bytes sent to storage since the database was new; `None` where the system does not tell.
    pub written_bytes: Option<u64>,
    /// Bytes of the values behind them.
    pub payload_bytes: u64,
}

impl SessionSize {
    /// Bytes of the database per byte of value that is neither deleted nor overwritten.
    pub fn space_amplification(&self, verified: &Verified) -> Option<f64> {
        (verified.live_bytes > 0).then(|| self.database_bytes as f64 / verified.live_bytes as f64)
    }

    /// Bytes sent to storage per byte of value.
    pub fn write_amplification(&self) -> Option<f64> {
        let written = self.written_bytes.filter(|_| self.payload_bytes > 0)?;
        Some(written as f64 / self.payload_bytes as f64)
    }
}

fn manager<M>(manager: Option<&M>) -> &M {
    manager.expect("a session's database is open between its methods")
}

/// Runs `work` on a thread for each worker and `meanwhile` on this one; tells `meanwhile` whether all are finished and
/// unparks this thread whenever one is.
fn with_each<T: Target, V: Send, M>(
    workers: &mut [Worker<T>],
    work: impl Fn(&mut Worker<T>) -> V + Sync,
    meanwhile: impl FnOnce(&dyn Fn() -> bool) -> M,
) -> (Vec<V>, M) {
    let watcher = std::thread::current();
    let left = AtomicUsize::new(workers.len());
    std::thread::scope(|scope| {
        let running: Vec<_> = workers
            .iter_mut()
            .map(|worker| {
                let (watcher, left, work) = (&watcher, &left, &work);
                scope.spawn(move || {
                    let _finished = OnDrop(|| {
                        left.fetch_sub(1, Ordering::Release);
                        watcher.unpark();
                    });
                    work(worker)
                })
            })
            .collect();
        let seen = meanwhile(&|| left.load(Ordering::Acquire) == 0);
        // A worker that panicked is a bug in the backend or here: the panic goes on in the thread that asked.
        let join = |thread: ScopedJoinHandle<'_, V>| thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        (running.into_iter().map(join).collect(), seen)
    })
}

/// Does something when it goes out of scope, also when that is by a panic.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Bytes of all files below a directory; a file that vanishes meanwhile counts as nothing.
pub fn directory_bytes(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => directory_bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
