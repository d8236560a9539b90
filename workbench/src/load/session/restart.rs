//! How long it takes until all actors are back after the process was started anew.
//!
//! The time per actor is no constant. In a small database many actors share a block that is read once; in one that has
//! outgrown the backend's cache, each reads its own again: of a hundred thousand small actors one took more than twice as
//! long as of ten thousand. So a population that is larger than the one there is gets built, of copies of the actors there
//! are with all that they ever wrote, and its restart is measured.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::load::clock::Clock;
use crate::load::drive::{Control, Shared, Stopped, Worker};
use crate::load::error::RunError;
use crate::load::observer::JobContext;
use crate::load::page_cache;
use crate::load::session::{LOOK, Session, Target, manager, with_each};
use crate::measure::LatencyHistogram;

/// Which restarts to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartSpec {
    /// Actors the restart is wanted of.
    pub actors: u64,
    /// Values that may be written to have so many actors, bytes. 512 MiB take some ten seconds.
    pub most_bytes: u64,
    /// Times each restart is measured.
    pub repeats: usize,
}

/// One restart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct RestartRound {
    /// Time to open the database, seconds.
    pub open_seconds: f64,
    /// Time until all actors were started, by all workers side by side, seconds.
    pub recover_seconds: f64,
    /// Whether no file was in the page cache when it began.
    pub is_cold: bool,
}

/// Restarts of one population.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Restart {
    /// Actors started.
    pub actors: u64,
    /// Workers that started them side by side.
    pub workers: u64,
    /// The database, bytes.
    pub database_bytes: u64,
    /// One after the other.
    pub rounds: Vec<RestartRound>,
    /// How long one actor took.
    pub recover: LatencyHistogram,
}

/// The actors of each worker.
type Population = Vec<Vec<Stopped>>;

impl<T: Target> Session<'_, T>
where
    T::Manager: Sync,
{
    /// Restarts the actors that ever issued a command, and, if more are wanted, a population of copies of them in a
    /// database of its own beside this one, which is removed afterwards: as many as are wanted or as may be written.
    ///
    /// A restart: the database is closed, the kernel forgets its files, it is opened, and every actor is started as
    /// [`CommandKind::Recover`](ave_actors_rocksdb::trace::CommandKind::Recover) does. What the starts write, snapshots and
    /// deletions, is undone: the session can be driven on and verified. None of it counts as written.
    ///
    /// # Errors
    ///
    /// [`RunError`] if a database or its files fail.
    pub fn measure_restart(
        &mut self,
        spec: &RestartSpec,
        clock: &impl Clock,
        job: JobContext<'_>,
    ) -> Result<Vec<Restart>, RunError> {
        let own: Population = self.workers.iter().map(Worker::stopped).collect();
        self.close()?;
        let mut restarts = vec![self.restarts(&own, spec.repeats, clock, job.control)?];
        let larger = self.copies(&own, spec);
        if larger.iter().map(Vec::len).sum::<usize>() > own.iter().map(Vec::len).sum() && !job.control.is_stopped() {
            let beside = Beside::create(&self.directory)?;
            let workers = self.workers.len() as u64;
            let mut session = Self::new(self.target, &self.source, &beside.0, self.durability, workers);
            session.open(Durability::Off)?;
            let commands: Vec<u64> = self.workers.iter().map(Worker::completed).collect();
            session.with_actors(&larger, job.control, |worker, actors, shared| {
                worker.populate(commands[worker.number()], actors, shared)
            })?;
            session.settle(job);
            session.close()?;
            restarts.push(session.restarts(&larger, spec.repeats, clock, job.control)?);
        }
        self.resume(job)?;
        Ok(restarts)
    }

    /// The actors there are and so many copies of them as are wanted and may be written. The copies of one number of all
    /// actors are complete before the next ones begin.
    fn copies(&self, own: &Population, spec: &RestartSpec) -> Population {
        let mut originals: Vec<&Stopped> = own.iter().flatten().collect();
        originals.sort_unstable_by_key(|stopped| stopped.actor);
        let workers = self.workers.len() as u64;
        // Beyond the actors there are, of which a trace without end may have gone through several passes, and such that a copy
        // has the type and the worker of its original.
        let alike = self.source.actors().max(1) * workers * u64::from(self.source.types());
        let stride = originals.last().map_or(0, |last| last.actor + 1).next_multiple_of(alike);
        let mut population: Population = own.iter().map(|_| Vec::new()).collect();
        let (mut actors, mut bytes) = (0, 0);
        for copy in 0.. {
            for original in &originals {
                bytes += original.past.written_bytes();
                if actors == spec.actors || bytes > spec.most_bytes {
                    return population;
                }
                actors += 1;
                let actor = original.actor + copy * stride;
                let place = usize::try_from(actor % workers).expect("workers are few");
                population[place].push(Stopped { actor, ..(*original).clone() });
            }
            if originals.is_empty() {
                break;
            }
        }
        population
    }

    /// Restarts a closed database, which is closed again when this returns.
    fn restarts(
        &mut self,
        population: &Population,
        repeats: usize,
        clock: &impl Clock,
        control: &Control,
    ) -> Result<Restart, RunError> {
        let mut restart = Restart { workers: self.workers.len() as u64, ..Restart::default() };
        restart.actors = population.iter().map(|actors| actors.len() as u64).sum();
        restart.database_bytes = self.database_bytes();
        for _ in 0..repeats {
            let (round, recover) = self.restart(population, clock, control)?;
            self.open(Durability::Off)?;
            self.with_actors(population, control, Worker::undo_recover)?;
            self.close()?;
            if control.is_stopped() {
                break;
            }
            restart.rounds.push(round);
            restart.recover.add(&recover);
        }
        Ok(restart)
    }

    fn restart(
        &mut self,
        population: &Population,
        clock: &impl Clock,
        control: &Control,
    ) -> Result<(RestartRound, LatencyHistogram), RunError> {
        let forgotten = page_cache::forget(&self.directory);
        let is_cold = forgotten.map_err(|source| RunError::Directory { path: self.directory.clone(), source })?;
        let began_ns = clock.now_ns();
        self.open(self.durability)?;
        let opened_ns = clock.now_ns();
        let parts =
            self.with_actors(population, control, |worker, actors, shared| worker.recover(actors, clock, shared))?;
        let ended_ns = clock.now_ns();
        self.close()?;
        let mut recover = LatencyHistogram::new();
        for part in &parts {
            recover.add(part);
        }
        let seconds = |from_ns: u64, to_ns: u64| Duration::from_nanos(to_ns.saturating_sub(from_ns)).as_secs_f64();
        let (open_seconds, recover_seconds) = (seconds(began_ns, opened_ns), seconds(opened_ns, ended_ns));
        Ok((RestartRound { open_seconds, recover_seconds, is_cold }, recover))
    }

    /// Every worker with its actors.
    fn with_actors<V: Send>(
        &mut self,
        population: &Population,
        control: &Control,
        work: impl Fn(&mut Worker<T>, &[Stopped], &Shared<'_, T>) -> Result<V, RunError> + Sync,
    ) -> Result<Vec<V>, RunError> {
        let shared =
            Shared { manager: manager(self.manager.as_ref()), pool: &self.pool, control, durability: self.durability };
        let (parts, ()) = with_each(
            &mut self.workers,
            |worker| {
                let number = worker.number();
                work(worker, &population[number], &shared)
            },
            |is_finished| {
                while !is_finished() {
                    std::thread::park_timeout(LOOK);
                }
            },
        );
        parts.into_iter().collect()
    }
}

/// A directory beside a database's, for another database that goes with this value.
struct Beside(PathBuf);

impl Beside {
    fn create(directory: &Path) -> Result<Self, RunError> {
        let mut name = directory.as_os_str().to_owned();
        name.push("-restart");
        let beside = Self(name.into());
        fs::create_dir_all(&beside.0).map_err(|source| RunError::Directory { path: beside.0.clone(), source })?;
        Ok(beside)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // Nobody is left to tell; what stays behind goes with the scratch directory.
        let _ = fs::remove_dir_all(&self.0);
    }
}
