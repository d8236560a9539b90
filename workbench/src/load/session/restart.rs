//! The duration of a restart: opening the database and starting all actors.
//!
//! The time per actor is not constant. In a small database many actors share a block that is read once; in a database that
//! is larger than the backend's cache, each actor reads its own block. With 100,000 small actors, one took more than twice
//! as long as with 10,000. So a larger population is built from copies of the actors, and its restart is measured.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ave_actors_rocksdb::files::directory_of;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::lifecycle::Session;
use super::threads::with_each;
use crate::actor::Durability;
use crate::load::clock::Clock;
use crate::load::control::Control;
use crate::load::drive::{RestartActor, Shared, Worker};
use crate::load::error::RunError;
use crate::load::observer::JobContext;
use crate::load::page_cache;
use crate::load::source::Source;
use crate::load::target::Target;
use crate::measure::LatencyHistogram;

/// Which restarts to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartSpec {
    /// Actors to restart.
    pub actors: u64,
    /// Values that may be written to create these actors, bytes. 512 MiB take about 10 s.
    pub most_bytes: u64,
    /// Times each restart is measured.
    pub repeats: usize,
}

/// One restart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct RestartRound {
    /// Time to open the database, seconds.
    pub open_seconds: f64,
    /// Time until all workers had started all actors, seconds.
    pub recover_seconds: f64,
    /// Whether the page cache held none of its files.
    pub is_cold: bool,
}

/// Restarts of one population.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Restart {
    /// Actors started.
    pub actors: u64,
    /// Workers that started them in parallel.
    pub workers: u64,
    /// Size of the database, bytes.
    pub database_bytes: u64,
    /// The restarts, in order.
    pub rounds: Vec<RestartRound>,
    /// Time per actor.
    pub recover: LatencyHistogram,
}

/// A restart to measure, perhaps by another process: a closed database, and what determines its actors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartTask {
    /// Directory of the database.
    pub directory: PathBuf,
    /// Durability mode to open it in.
    pub durability: Durability,
    /// Commands that each worker has completed since the database was new.
    pub commands: Vec<u64>,
    /// Events that the actors that are common to all workers have persisted since then.
    pub common_events: Vec<u64>,
    /// Actors to restart.
    pub actors: u64,
    /// Which restarts to measure.
    pub spec: RestartSpec,
    /// Whether the database holds copies of the actors as well.
    pub with_copies: bool,
}

/// Restarts to measure. The temporary database is removed when this is dropped.
#[derive(Debug)]
pub struct PreparedRestarts {
    /// In the order of their size.
    pub tasks: Vec<RestartTask>,
    _temporary: Option<TempDir>,
}

/// Measures a restart: opens the database and starts every actor as
/// [`CommandKind::Recover`](ave_actors_rocksdb::trace::CommandKind::Recover) does, with cold page cache, and closes it. What
/// the starts write, snapshots and deletions, is undone.
///
/// The memory limit of an emulated machine applies from the first opening on.
///
/// # Errors
///
/// [`RunError`] if the database or its directory fails.
pub fn measure_restart<T: Target>(
    target: &T,
    source: &Source,
    task: &RestartTask,
    clock: &impl Clock,
    job: JobContext<'_>,
) -> Result<Restart, RunError> {
    let workers = task.commands.len() as u64;
    let source = source.with_common_events(&task.common_events);
    let mut session = Session::new(target, &source, &task.directory, task.durability, workers);
    for (worker, &commands) in session.workers.iter_mut().zip(&task.commands) {
        worker.completed = commands;
    }
    let own = session.restart_actors();
    let population = if task.with_copies { session.copies(&own, &task.spec) } else { own };
    job.enforce_memory_limit()?;
    session.restarts(&population, task.spec.repeats, clock, job.control)
}

type Population = Vec<Vec<RestartActor>>;

#[expect(clippy::missing_errors_doc, reason = "`Session` documents them")]
impl<T: Target> Session<'_, T> {
    /// [Prepares](Self::prepare_restarts) restarts and [measures](measure_restart) them. None of it counts as written, and the
    /// session can be driven and verified afterwards.
    pub fn measure_restarts(
        &mut self,
        spec: &RestartSpec,
        clock: &impl Clock,
        job: JobContext<'_>,
    ) -> Result<Vec<Restart>, RunError> {
        let prepared = self.prepare_restarts(spec, job)?;
        prepared.tasks.iter().map(|task| measure_restart(self.target, &self.source, task, clock, job)).collect()
    }

    /// Closes the database and, if `spec` has more actors than issued commands, builds a temporary one with a larger
    /// population of copies of them, outside of the memory limit of an emulated machine.
    ///
    /// The session can be [resumed](Self::resume) once the restarts are measured.
    pub fn prepare_restarts(&mut self, spec: &RestartSpec, job: JobContext<'_>) -> Result<PreparedRestarts, RunError> {
        job.lift_memory_limit()?;
        let own = self.restart_actors();
        self.close()?;
        let commands: Vec<u64> = self.workers.iter().map(|worker| worker.completed).collect();
        let common_events = self.common_events();
        let task = |directory: &Path, population: &Population, with_copies| RestartTask {
            directory: directory.to_owned(),
            durability: self.durability,
            commands: commands.clone(),
            common_events: common_events.clone(),
            actors: count(population),
            spec: *spec,
            with_copies,
        };
        let mut tasks = vec![task(&self.directory, &own, false)];
        let larger = self.copies(&own, spec);
        if count(&larger) <= count(&own) || job.control.is_stopped() {
            return Ok(PreparedRestarts { tasks, _temporary: None });
        }
        let parent = directory_of(&self.directory);
        let failed = |source| RunError::Directory(parent.to_owned(), source);
        let temporary = tempfile::Builder::new().prefix("restart-").tempdir_in(parent).map_err(failed)?;
        let workers = self.workers.len() as u64;
        let source = self.source.with_common_events(&common_events);
        let mut session = Session::new(self.target, &source, temporary.path(), self.durability, workers);
        session.open(Durability::Off)?;
        session.with_actors(&larger, job.control, |worker, actors, shared| {
            worker.populate(commands[worker.number()], actors, shared)
        })?;
        session.settle(job);
        session.close()?;
        tasks.push(task(temporary.path(), &larger, true));
        Ok(PreparedRestarts { tasks, _temporary: Some(temporary) })
    }

    /// Undoes what a restart of the closed database wrote before its process was killed.
    pub fn undo_restart(&mut self, job: JobContext<'_>) -> Result<(), RunError> {
        job.lift_memory_limit()?;
        let own = self.restart_actors();
        self.open(Durability::Off)?;
        self.with_actors(&own, job.control, Worker::undo_recover)?;
        self.close()
    }

    fn restart_actors(&self) -> Population {
        let source = self.source.with_common_events(&self.common_events());
        self.workers.iter().map(|worker| worker.restart_actors(&source)).collect()
    }

    /// The actors and as many copies of them as `spec` allows. All actors have a first copy before any has a second.
    fn copies(&self, own: &Population, spec: &RestartSpec) -> Population {
        let mut originals: Vec<&RestartActor> = own.iter().flatten().collect();
        originals.sort_unstable_by_key(|restart| restart.actor);
        let workers = self.workers.len() as u64;
        // Larger than any actor's number, over all passes of a trace, and such that a copy has the type and the worker of its
        // original.
        let alike = self.source.actors().max(1) * workers;
        let stride = originals.last().map_or(0, |last| last.actor + 1).next_multiple_of(alike);
        let mut population: Population = own.iter().map(|_| Vec::new()).collect();
        let (mut actors, mut bytes) = (0, 0);
        for copy in 0.. {
            for original in &originals {
                bytes += original.history.written_bytes;
                if actors == spec.actors || bytes > spec.most_bytes {
                    return population;
                }
                actors += 1;
                let actor = original.actor + copy * stride;
                let place = usize::try_from(actor % workers).expect("workers are few");
                population[place].push(RestartActor { actor, ..(*original).clone() });
            }
            if originals.is_empty() {
                break;
            }
        }
        population
    }

    /// Restarts a closed database and closes it again.
    fn restarts(
        &mut self,
        population: &Population,
        repeats: usize,
        clock: &impl Clock,
        control: &Control,
    ) -> Result<Restart, RunError> {
        let mut restart = Restart { workers: self.workers.len() as u64, ..Restart::default() };
        restart.actors = count(population);
        restart.database_bytes = self.database_bytes();
        for _ in 0..repeats {
            let forgotten = page_cache::forget(&self.directory);
            let is_cold = forgotten.map_err(|source| RunError::Directory(self.directory.clone(), source))?;
            let began_ns = clock.now_ns();
            self.open(self.durability)?;
            let opened_ns = clock.now_ns();
            let recover = |worker: &mut Worker<T>, actors: &[RestartActor], shared: &Shared<'_, T>| {
                worker.recover(actors, clock, shared)
            };
            let parts = self.with_actors(population, control, recover)?;
            let recover_seconds = seconds(opened_ns, clock.now_ns());
            self.close()?;
            self.open(Durability::Off)?;
            self.with_actors(population, control, Worker::undo_recover)?;
            self.close()?;
            if control.is_stopped() {
                break;
            }
            restart.rounds.push(RestartRound { open_seconds: seconds(began_ns, opened_ns), recover_seconds, is_cold });
            for part in &parts {
                restart.recover.add(part);
            }
        }
        Ok(restart)
    }

    fn with_actors<V: Send>(
        &mut self,
        population: &Population,
        control: &Control,
        work: impl Fn(&mut Worker<T>, &[RestartActor], &Shared<'_, T>) -> Result<V, RunError> + Sync,
    ) -> Result<Vec<V>, RunError> {
        let (workers, shared) = self.workers_and_shared(control);
        let parts = with_each(
            workers,
            |worker| {
                let number = worker.number();
                work(worker, &population[number], &shared)
            },
            || {},
        );
        parts?.into_iter().collect()
    }
}

fn count(population: &Population) -> u64 {
    population.iter().map(|actors| actors.len() as u64).sum()
}

fn seconds(from_ns: u64, to_ns: u64) -> f64 {
    Duration::from_nanos(to_ns.saturating_sub(from_ns)).as_secs_f64()
}
