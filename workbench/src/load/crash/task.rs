//! The process that is killed: its task and its load.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::load::ack_log::AckLog;
use crate::load::clock::Clock;
use crate::load::control::Control;
use crate::load::error::RunError;
use crate::load::observer::JobContext;
use crate::load::session::{Session, SuspendedSession};
use crate::load::source::Source;
use crate::load::spec::Load;
use crate::load::target::Target;
use crate::workload::any_path;

/// The load of a process until it is killed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrashTask {
    /// Contains the database and the log of acknowledged operations; empty before the first process.
    #[serde(with = "any_path")]
    pub directory: PathBuf,
    /// Durability of the writes.
    pub durability: Durability,
    /// How commands are issued.
    pub load: Load,
    /// Threads that issue them, at least 1 and at most as many as there are actors.
    pub workers: u64,
}

impl CrashTask {
    /// Name of the database in the directory.
    pub(crate) const DATABASE: &str = "database";

    /// The directory of the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.directory.join(Self::DATABASE)
    }

    /// The log of acknowledged operations, created if there is none.
    pub(super) fn log(&self) -> Result<AckLog, RunError> {
        AckLog::open(&self.directory.join("acknowledged"), self.workers)
    }
}

/// Why a process could not be started or killed: `cannot be started: …`, `ended by itself: …`.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct VictimError(pub String);

/// Starts and kills a process that calls [`drive_until_killed`].
pub trait Victim {
    /// Starts it, waits until it is under load, kills it with `SIGKILL` after `kill_after`, and returns when it is dead.
    /// `control` cancels it earlier. Whether it was killed under load, and not cancelled before.
    ///
    /// # Errors
    ///
    /// It cannot be started, or ended by itself.
    fn run_and_kill(&self, task: &CrashTask, kill_after: Duration, control: &Control) -> Result<bool, VictimError>;

    /// Whether the power is cut at the kill: writes without durability may be lost, the last ones first.
    fn cuts_power(&self) -> bool {
        false
    }

    /// Called after a kill with a function that opens and closes the database, to interrupt a recovery. Default: no
    /// effect.
    ///
    /// # Errors
    ///
    /// The database's file system fails.
    fn disturb_recovery(&self, _open: &dyn Fn()) -> Result<(), VictimError> {
        Ok(())
    }
}

/// Loads the database of `task` until the process is killed, and logs every operation that returned.
///
/// A new database is preloaded first, as for a measurement; that of a killed process is continued at the position in its
/// log. `on_load` is called when the load is about to begin. A source that ends is repeated. Returns only if `control` is
/// stopped.
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
) -> Result<(), RunError> {
    let source = &source.with_passes(None);
    let log = task.log()?;
    let database = task.database();
    let job = JobContext::silent(control);
    let mut session = match log.positions()? {
        None => Session::start(target, source, &database, task.durability, task.workers, job)?,
        Some(positions) => {
            let killed = SuspendedSession { positions, ..SuspendedSession::default() };
            Session::restore(target, source, &database, task.durability, &killed)
        }
    };
    session.resume(job)?;
    if control.is_stopped() {
        return Ok(());
    }
    log.set_all(&session.positions())?;
    on_load();
    session.drive_acknowledging(task.load, &log, clock, control)
}
