//! The parent's side: kills processes and verifies their database after each kill.

use std::time::Duration;

use ave_actors_store::Error;
use ave_actors_store::database::DbManager;
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::prefix;
use super::share::Share;
use super::task::{CrashTask, Victim};
use crate::load::ack_log::{AckLog, Position};
use crate::load::control::Control;
use crate::load::error::RunError;
use crate::load::observer::{JobContext, Phase};
use crate::load::source::Source;
use crate::load::target::Target;
use crate::load::verify::{Stored, Verified};
use crate::workload::{ValuePool, mix};

/// Result of the kills of one durability mode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crashed {
    /// Processes killed under load whose database was opened again and compared.
    pub kills: u32,
    /// Commands acknowledged to the killed processes, without the preload.
    pub commands: u64,
    /// Writes in flight at a kill: not acknowledged, so they may be there or not.
    pub writes_in_flight: u64,
    /// Writes in flight that were there.
    pub writes_in_flight_found: u64,
    /// Commands that a power cut took back: acknowledged with durability off, and not on disk yet.
    pub commands_taken_back: u64,
    /// Why fewer processes were killed than requested: one could not be started, or ended by itself.
    pub failure: Option<String>,
    /// Result of the comparisons. Events and states from before the first process are compared but not counted; one that
    /// several kills could have lost counts once.
    pub verified: Verified,
}

impl Crashed {
    /// Nothing was killed, for this reason.
    pub(crate) fn not_tried(reason: &str) -> Self {
        Self { failure: Some(reason.to_owned()), ..Self::default() }
    }
}

/// Longest time under load before a kill, seconds: a few thousand commands, unless the rate is low.
const LONGEST_DELAY: f64 = 1.0;
/// At a low rate the longest time is extended, so that about this many commands are due in it …
const COMMANDS_BEFORE_KILL: f64 = 20.0;
/// … but not beyond this.
const LONGEST_DELAY_AT_LOW_RATE: f64 = 5.0;
const KILL_SALT: u64 = 0x4b << 32;

/// Kills processes with this task one after the other, at most `kills`, and verifies after each kill that everything
/// acknowledged is there, of each worker the operation in flight is there or not, and nothing else is. After a power cut
/// with durability off, the database must be what it was after any number of operations of its one worker since the cut
/// before.
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
    task: &CrashTask,
    kills: u32,
    victim: &dyn Victim,
    job: JobContext<'_>,
) -> Result<Option<Crashed>, RunError> {
    let source = source.with_passes(None);
    let keeps_all = !victim.cuts_power() || task.durability.is_on();
    // Without that, or with actors that are common to all workers, the order of all writes must be known.
    let is_order_free = keeps_all && source.common_actors().is_none();
    let most_workers = if is_order_free { source.most_writers().max(1) } else { 1 };
    let task = CrashTask { workers: task.workers.clamp(1, most_workers), ..task.clone() };
    let pool = source.value_pool();
    let phase = if victim.cuts_power() { Phase::PowerCut } else { Phase::Crash };
    job.observer.phase(task.durability, phase, Some(u64::from(kills)));
    let check = Check { target, source: &source, pool: &pool, task, victim, keeps_all, control: job.control };
    let mut crashed = Crashed::default();
    while crashed.kills < kills && crashed.verified.differences.is_empty() && !job.control.is_stopped() {
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
    keeps_all: bool,
    control: &'a Control,
}

impl<T: Target> Check<'_, T> {
    /// Kills one process and verifies; false if it was not killed.
    fn kill(&self, crashed: &mut Crashed) -> Result<bool, RunError> {
        let log = self.task.log()?;
        let from = log.positions()?.unwrap_or_else(|| vec![Position::default(); self.shares()]);
        // An interrupted opening fails, or not: only the next one counts.
        let open = || drop(self.target.open(&self.task.database(), self.task.durability));
        let killed = self.victim.run_and_kill(&self.task, self.kill_after(crashed.kills), self.control);
        match killed.and_then(|killed| self.victim.disturb_recovery(&open).map(|()| killed)) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(error) => {
                let durability = self.task.durability;
                crashed.failure = Some(format!("the process to be killed with durability {durability} {error}"));
                return Ok(false);
            }
        }
        let to = log.positions()?.unwrap_or_else(|| from.clone());
        if !self.keeps_all {
            return self.verify_prefix(&log, from[0], to[0], crashed).map(|()| true);
        }
        let spans: Vec<_> = (0..).zip(from.into_iter().zip(to)).collect();
        crashed.commands += spans.iter().map(|(_, (from, to))| to.commands - from.commands).sum::<u64>();
        let (source, workers) = (self.source, self.task.workers);
        let share = |(worker, (from, to))| Share::new(source, worker, workers, from, to);
        let shares: Vec<Share> = spans.into_par_iter().map(share).collect();
        let (verified, are_there) = self.compare(&shares)?;
        crashed.kills += 1;
        crashed.add(self.what(), verified);
        let in_flight = shares.iter().zip(&are_there).filter(|(share, _)| share.writes_in_flight());
        for (_, &is_there) in in_flight {
            crashed.writes_in_flight += 1;
            crashed.writes_in_flight_found += u64::from(is_there);
        }
        // The next process continues where the database is, which may be one operation after the log.
        let positions = shares.iter().zip(are_there).map(|(share, is_there)| share.position(is_there));
        log.set_all(&positions.collect::<Vec<_>>())?;
        Ok(true)
    }

    fn verify_prefix(&self, log: &AckLog, from: Position, to: Position, crashed: &mut Crashed) -> Result<(), RunError> {
        crashed.commands += to.commands - from.commands;
        let (verified, position) = match self.with_database(|stored| prefix::compare(stored, from, to))? {
            Ok(found) => found,
            Err(verified) => (verified, from),
        };
        crashed.kills += 1;
        crashed.add(self.what(), verified);
        crashed.commands_taken_back += to.commands.saturating_sub(position.commands);
        log.set_all(&[position])
    }

    fn what(&self) -> &'static str {
        if self.victim.cuts_power() { "power cut" } else { "kill" }
    }

    fn shares(&self) -> usize {
        usize::try_from(self.task.workers).expect("workers are few")
    }

    fn kill_after(&self, kill: u32) -> Duration {
        // A closed loop has no rate.
        let rate = self.source.offered_per_second(self.task.load).unwrap_or(f64::INFINITY);
        let longest = COMMANDS_BEFORE_KILL / rate.max(f64::MIN_POSITIVE);
        let longest = Duration::from_secs_f64(longest.clamp(LONGEST_DELAY, LONGEST_DELAY_AT_LOW_RATE));
        let durability = u64::from(self.task.durability.is_on());
        let random = mix(self.source.seed(), durability, KILL_SALT, u64::from(kill)) >> 32;
        longest.mul_f64(random as f64 / 2f64.powi(32))
    }

    /// What the comparison of all shares found, and of each whether the operation in flight is there.
    fn compare(&self, shares: &[Share]) -> Result<(Verified, Vec<bool>), RunError> {
        let compared = self.with_database(|stored| {
            let parts: Result<Vec<_>, Error> = shares.par_iter().map(|share| share.compare(stored)).collect();
            let (verified, are_there): (Vec<_>, _) = parts?.into_iter().unzip();
            Ok((Verified::sum(verified), are_there))
        })?;
        Ok(compared.unwrap_or_else(|verified| {
            let lost = shares.iter().map(Share::counted).sum();
            (Verified { lost, ..verified }, vec![false; shares.len()])
        }))
    }

    /// Opens the database, reads it and closes it; `Err` of the inner result if it does not open or cannot be read.
    fn with_database<R>(
        &self,
        read: impl FnOnce(&Stored<'_, T>) -> Result<R, Error>,
    ) -> Result<Result<R, Verified>, RunError> {
        let failed = |what: &str, error: &Error| {
            let mut verified = Verified { lost: 1, ..Verified::default() };
            verified.differ(format!("the database {what} after the {}: {error}", self.what()));
            Ok(Err(verified))
        };
        let mut manager = match self.target.open(&self.task.database(), self.task.durability) {
            Ok(manager) => manager,
            Err(error) => return failed("does not open", &error),
        };
        let found = match read(&Stored::<T> { manager: &manager, source: self.source, pool: self.pool }) {
            Ok(found) => Ok(found),
            Err(error) => return failed("cannot be read", &error),
        };
        manager.stop().map_err(|source| RunError::Database("stop", self.task.database(), source))?;
        Ok(found)
    }
}

impl Crashed {
    /// Adds the kills of another database.
    pub fn merge(&mut self, other: Self) {
        self.kills += other.kills;
        self.commands += other.commands;
        self.writes_in_flight += other.writes_in_flight;
        self.writes_in_flight_found += other.writes_in_flight_found;
        self.commands_taken_back += other.commands_taken_back;
        self.failure = self.failure.take().or(other.failure);
        self.verified.merge(other.verified);
    }

    fn add(&mut self, what: &str, mut found: Verified) {
        let kill = self.kills;
        for difference in &mut found.differences {
            *difference = format!("{what} {kill}: {difference}");
        }
        // The same actors are compared after every kill.
        self.verified.actors = self.verified.actors.max(std::mem::take(&mut found.actors));
        self.verified.merge(found);
    }
}
