//! The parent's side: kills processes and verifies their database after each kill.

use std::path::Path;
use std::time::Duration;

use ave_actors_store::Error;
use ave_actors_store::database::DbManager;
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::share::Share;
use super::task::{CrashTask, Victim, VictimEnd};
use crate::actor::Durability;
use crate::load::ack_log::Position;
use crate::load::control::Control;
use crate::load::error::RunError;
use crate::load::observer::{JobContext, Phase};
use crate::load::source::Source;
use crate::load::spec::Load;
use crate::load::target::Target;
use crate::load::verify::Verified;
use crate::workload::{ValuePool, mix};

/// The load of the killed processes, and their number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CrashSpec {
    /// Durability of the writes.
    pub durability: Durability,
    /// How they issue commands.
    pub load: Load,
    /// Workers of each, at least 1.
    pub workers: u64,
    /// Processes, killed one after the other on the same database.
    pub kills: u32,
}

/// Result of the kills of one durability mode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crashed {
    /// Processes killed under load whose database was opened again and compared.
    pub kills: u32,
    /// Commands acknowledged to the killed processes, without the preload.
    pub commands: u64,
    /// Writes in flight at a kill: not acknowledged, so they may be there or not.
    pub writes_under_way: u64,
    /// Writes in flight that were there.
    pub writes_under_way_found: u64,
    /// Why fewer processes were killed than requested: one could not be started, or ended by itself.
    pub failure: Option<String>,
    /// Result of the comparisons. Events and states from before the first process are compared but not counted; one that
    /// several kills could have lost counts once.
    pub verified: Verified,
}

/// Longest time under load before a kill: a few thousand commands, unless the rate is low.
const LONGEST_DELAY: Duration = Duration::from_secs(1);
/// At a low rate the longest time is extended, so that about this many commands are due in it …
const COMMANDS_BEFORE_KILL: f64 = 20.0;
/// … but not beyond this.
const LONGEST_DELAY_AT_LOW_RATE: Duration = Duration::from_secs(5);
/// Salt of the moments of the kills.
const KILL_SALT: u64 = 0x4b << 32;

/// Kills processes that load a database in `directory`, and verifies after each kill that everything acknowledged is there,
/// of each worker the operation in flight is there or not, and nothing else is.
///
/// The moments of the kills depend on the source's seed. The first kill after which something differs is the last one.
/// `None` if the job was cancelled before the first verification.
///
/// # Errors
///
/// [`RunError`] if the log cannot be read or the database cannot be stopped. A database that does not open again is a result,
/// and so is a [failure](Crashed::failure) of a process.
pub fn crash_check<T: Target>(
    target: &T,
    source: &Source,
    spec: &CrashSpec,
    directory: &Path,
    victim: &dyn Victim,
    job: JobContext<'_>,
) -> Result<Option<Crashed>, RunError>
where
    T::Manager: Sync,
{
    let source = source.without_end();
    let task = CrashTask {
        directory: directory.to_owned(),
        durability: spec.durability,
        load: spec.load,
        workers: spec.workers.clamp(1, source.actors().max(1)),
    };
    let pool = source.value_pool();
    let check = Check { target, source: &source, pool: &pool, task, victim, control: job.control };
    job.observer.phase(spec.durability, Phase::Crash, Some(u64::from(spec.kills)));
    let mut crashed = Crashed::default();
    while crashed.kills < spec.kills && crashed.verified.differences.is_empty() && !job.control.is_stopped() {
        if !check.kill(&mut crashed)? {
            break;
        }
        job.observer.progress(u64::from(crashed.kills), crashed.commands);
    }
    Ok((crashed.kills > 0 || crashed.failure.is_some()).then_some(crashed))
}

struct Check<'a, T: Target> {
    target: &'a T,
    source: &'a Source,
    pool: &'a ValuePool,
    task: CrashTask,
    victim: &'a dyn Victim,
    control: &'a Control,
}

impl<T: Target> Check<'_, T>
where
    T::Manager: Sync,
{
    /// Kills one process and verifies; false if it was not killed.
    fn kill(&self, crashed: &mut Crashed) -> Result<bool, RunError> {
        let log = self.task.log()?;
        let from = self.task.positions(&log)?.unwrap_or_else(|| self.after_preload());
        match self.victim.run_and_kill(&self.task, self.kill_after(crashed.kills), self.control) {
            Ok(VictimEnd::Killed) => {}
            Ok(VictimEnd::Cancelled) => return Ok(false),
            Err(error) => {
                crashed.failure = Some(error.to_string());
                return Ok(false);
            }
        }
        let to = self.task.positions(&log)?.unwrap_or_else(|| from.clone());
        let spans: Vec<_> = (0..).zip(from.into_iter().zip(to)).collect();
        crashed.commands += spans.iter().map(|(_, (from, to))| to.commands - from.commands).sum::<u64>();
        let (source, workers) = (self.source, self.task.workers);
        let share = |(worker, (from, to))| Share::new(source, worker, workers, from, to);
        let shares: Vec<Share> = spans.into_par_iter().map(share).collect();
        let found = self.compare(&shares)?;
        crashed.kills += 1;
        crashed.add(found.verified);
        let under_way = shares.iter().zip(&found.is_there).filter(|(share, _)| share.writes_under_way());
        for (_, &is_there) in under_way {
            crashed.writes_under_way += 1;
            crashed.writes_under_way_found += u64::from(is_there);
        }
        // The next process continues where the database is, which may be one operation after the log.
        let positions = shares.iter().zip(found.is_there).map(|(share, is_there)| share.position(is_there));
        self.task.set_positions(&log, &positions.collect::<Vec<_>>())?;
        Ok(true)
    }

    fn after_preload(&self) -> Vec<Position> {
        let position = |worker| {
            let commands = self.source.stream(worker, self.task.workers).preload_left();
            Position { commands, operations: 0 }
        };
        (0..self.task.workers).map(position).collect()
    }

    /// How long the process is under load before it is killed.
    fn kill_after(&self, kill: u32) -> Duration {
        let longest = longest_delay(self.task.load, self.source);
        let durability = u64::from(self.task.durability.is_on());
        let random = mix(self.source.seed(), durability, KILL_SALT, u64::from(kill)) >> 32;
        longest.mul_f64(random as f64 / 2f64.powi(32))
    }

    fn compare(&self, shares: &[Share]) -> Result<Found, RunError> {
        let failed = |what: &str, error: &Error| {
            let lost = shares.iter().map(Share::counted).sum();
            let mut verified = Verified { lost, ..Verified::default() };
            verified.differ(format!("the database {what} after the kill: {error}"));
            Found { verified, is_there: vec![false; shares.len()] }
        };
        let mut manager = match self.target.open(&self.task.database(), self.task.durability) {
            Ok(manager) => manager,
            Err(error) => return Ok(failed("does not open", &error)),
        };
        let (source, pool) = (self.source, self.pool);
        let compare = |share: &Share| share.compare::<T>(&manager, source, pool);
        let parts: Result<Vec<_>, Error> = shares.par_iter().map(compare).collect();
        let found = match parts {
            Ok(parts) => Found::all(parts),
            Err(error) => failed("cannot be read", &error),
        };
        let path = self.task.database();
        manager.stop().map_err(|source| RunError::Database { action: "stop", path, source })?;
        Ok(found)
    }
}

impl Crashed {
    fn add(&mut self, mut found: Verified) {
        let kill = self.kills;
        for difference in &mut found.differences {
            *difference = format!("kill {kill}: {difference}");
        }
        // The same actors are compared after every kill.
        self.verified.actors = self.verified.actors.max(std::mem::take(&mut found.actors));
        self.verified.merge(found);
    }
}

fn longest_delay(load: Load, source: &Source) -> Duration {
    // A closed loop has no rate.
    let rate = source.offered_per_second(load).unwrap_or(f64::INFINITY);
    let seconds = COMMANDS_BEFORE_KILL / rate.max(f64::MIN_POSITIVE);
    let limits = LONGEST_DELAY.as_secs_f64()..=LONGEST_DELAY_AT_LOW_RATE.as_secs_f64();
    Duration::from_secs_f64(seconds.clamp(*limits.start(), *limits.end()))
}

/// What the comparison of all shares found, and of each whether the operation under way is there.
struct Found {
    verified: Verified,
    is_there: Vec<bool>,
}

impl Found {
    fn all(parts: Vec<(Verified, bool)>) -> Self {
        let mut found = Self { verified: Verified::default(), is_there: Vec::new() };
        for (verified, is_there) in parts {
            found.verified.merge(verified);
            found.is_there.push(is_there);
        }
        found
    }
}
