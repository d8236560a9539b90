//! The process that is killed: its task and its load.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::load::ack_log::{AckLog, Position};
use crate::load::clock::Clock;
use crate::load::control::Control;
use crate::load::error::RunError;
use crate::load::observer::JobContext;
use crate::load::session::Session;
use crate::load::source::Source;
use crate::load::spec::Load;
use crate::load::target::Target;

/// The load of a process until it is killed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrashTask {
    /// Contains the database and the log of acknowledged operations; empty before the first process.
    pub directory: PathBuf,
    /// Durability of the writes.
    pub durability: Durability,
    /// How commands are issued.
    pub load: Load,
    /// Threads that issue them, at least 1 and at most as many as there are actors.
    pub workers: u64,
}

impl CrashTask {
    pub(super) fn database(&self) -> PathBuf {
        self.directory.join("database")
    }

    /// The log of acknowledged operations, created if there is none.
    pub(super) fn log(&self) -> Result<AckLog, RunError> {
        AckLog::open(&self.directory.join("acknowledged"), self.workers)
    }

    pub(super) fn positions(&self, log: &AckLog) -> Result<Option<Vec<Position>>, RunError> {
        log.positions().map_err(|source| RunError::Directory { path: self.directory.clone(), source })
    }

    pub(super) fn set_positions(&self, log: &AckLog, positions: &[Position]) -> Result<(), RunError> {
        (0..).zip(positions).try_for_each(|(worker, &position)| {
            log.set(worker, position).map_err(|source| RunError::Directory { path: self.directory.clone(), source })
        })
    }
}

/// How a process that was to be killed ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VictimEnd {
    /// It was killed under load.
    Killed,
    /// The job was cancelled before. The process is dead all the same.
    Cancelled,
}

/// The process that was to be killed could not be started, or ended before the kill.
#[derive(Debug, thiserror::Error)]
#[error("the process to be killed with durability {durability} {reason}")]
pub struct VictimError {
    /// Durability mode of its load.
    pub durability: Durability,
    /// `cannot be started: …`, `ended by itself: …`.
    pub reason: String,
}

/// Starts and kills a process that calls [`drive_until_killed`].
pub trait Victim {
    /// Starts it, waits until it is under load, kills it with `SIGKILL` after `kill_after`, and returns when it is dead.
    /// `control` cancels it earlier.
    ///
    /// # Errors
    ///
    /// It cannot be started, or ended by itself.
    fn run_and_kill(&self, task: &CrashTask, kill_after: Duration, control: &Control)
    -> Result<VictimEnd, VictimError>;
}

/// Loads the database of `task` until the process is killed, and logs every operation that returned.
///
/// A new database is preloaded first, as for a measurement; that of a killed process is continued at the position in its log.
/// `on_load` is called when the load is about to begin. A source that ends is repeated.
///
/// Returns only if `control` is stopped.
///
/// # Errors
///
/// [`RunError`] if the database or the log fails.
pub fn drive_until_killed<T: Target>(
    target: &T,
    source: &Source,
    task: &CrashTask,
    clock: &impl Clock,
    control: &Control,
    on_load: impl FnOnce(),
) -> Result<(), RunError>
where
    T::Manager: Sync,
{
    let source = &source.without_end();
    let log = task.log()?;
    let database = task.database();
    let mut session = match task.positions(&log)? {
        None => Session::start(target, source, &database, task.durability, task.workers, JobContext::silent(control))?,
        Some(positions) => Session::open_at(target, source, &database, task.durability, &positions, control)?,
    };
    if control.is_stopped() {
        return Ok(());
    }
    task.set_positions(&log, &session.positions())?;
    on_load();
    session.drive_acknowledging(task.load, &log, clock, control)
}
