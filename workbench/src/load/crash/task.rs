//! The process that is killed: what it is told, and what it does.

use std::path::PathBuf;
use std::time::Duration;

use crate::actor::Durability;
use crate::load::clock::Clock;
use crate::load::crash::log::{AckLog, Position};
use crate::load::drive::Control;
use crate::load::error::RunError;
use crate::load::observer::JobContext;
use crate::load::schedule::Load;
use crate::load::session::Session;
use crate::load::source::Source;
use crate::load::target::Target;

/// What a process that is to be killed does until then.
#[derive(Debug, Clone, PartialEq)]
pub struct CrashTask {
    /// Holds the database and what was acknowledged; empty before the first process.
    pub directory: PathBuf,
    /// The mode.
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

    /// The log of what was acknowledged, begun if there is none.
    ///
    /// # Errors
    ///
    /// [`RunError::Directory`] if its files cannot be used.
    pub(super) fn log(&self) -> Result<AckLog, RunError> {
        AckLog::open(&self.directory.join("acknowledged"), self.workers)
    }

    pub(super) fn places(&self, log: &AckLog) -> Result<Option<Vec<Position>>, RunError> {
        log.positions().map_err(|source| RunError::Directory { path: self.directory.clone(), source })
    }

    pub(super) fn set_places(&self, log: &AckLog, places: &[Position]) -> Result<(), RunError> {
        (0..).zip(places).try_for_each(|(worker, &position)| {
            log.set(worker, position).map_err(|source| RunError::Directory { path: self.directory.clone(), source })
        })
    }
}

/// How a process that was to be killed ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// It was killed under load.
    Killed,
    /// Somebody stopped the run before its time had come. It is not alive any more all the same.
    Stopped,
}

/// Whoever can start a process that calls [`drive_until_killed`], and kill it.
pub trait Victim {
    /// Starts it, waits until it is under load, lets it live on for `life`, kills it with `SIGKILL`, and returns when it
    /// is dead. A stopped `control` ends it early.
    ///
    /// # Errors
    ///
    /// [`RunError::Victim`] says why it cannot be started or ended by itself.
    fn live(&self, task: &CrashTask, life: Duration, control: &Control) -> Result<Death, RunError>;
}

/// Loads the database of `task` until the process is killed, writing down every operation that returned.
///
/// A new database is preloaded first, as for a measurement; one that a killed process left behind is gone on with where
/// its log says. `under_load` is called when the load is about to begin. A source that ends is repeated.
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
    under_load: impl FnOnce(),
) -> Result<(), RunError>
where
    T::Manager: Sync,
{
    let source = &source.without_end();
    let log = task.log()?;
    let database = task.database();
    let mut session = match task.places(&log)? {
        None => Session::start(target, source, &database, task.durability, task.workers, JobContext::silent(control))?,
        Some(places) => Session::go_on(target, source, &database, task.durability, &places, control)?,
    };
    if control.is_stopped() {
        return Ok(());
    }
    task.set_places(&log, &session.places())?;
    under_load();
    session.drive_acknowledging(task.load, &log, clock, control)
}
