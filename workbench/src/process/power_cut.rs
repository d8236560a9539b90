//! Cuts the power of the file system under a writing process.

use std::cell::{Cell, RefCell};
use std::fs;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::child::ChildProcess;
use super::error::ProcessError;
use super::victim::{WritingProcess, await_line, cannot_be, ended_by_itself, is_under_load};
use crate::load::{
    Control, CrashTask, Crashed, JobContext, RunError, Source, Target, Victim, VictimError, crash_check,
};
use crate::power_cut::{Disk, EntryOrder, Faults, MountError, PoweredMount};
use crate::workload::mix;

/// What cuts a file system's power, how often, and the faults of its disk.
#[derive(Debug, Clone)]
pub struct PowerCuts {
    /// The process that writes.
    pub process: WritingProcess,
    /// Cuts in all.
    pub cuts: u32,
    /// Cuts after which a new database replaces the old one.
    pub cuts_per_database: u32,
    /// Faults of the disk of every database.
    pub faults: Faults,
    /// Which changes of directories a cut can lose.
    pub order: EntryOrder,
}

/// Why the power of a file system is not cut.
#[derive(Debug, thiserror::Error)]
pub enum PowerCutError {
    /// This machine does not permit it.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// A database or its process failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

impl From<RunError> for PowerCutError {
    fn from(error: RunError) -> Self {
        Self::Process(error.into())
    }
}

const POLL_INTERVAL: Duration = Duration::from_millis(1);
/// One sync in this many is slow, as syncs of files with megabytes are.
const SLOW_SYNCS: usize = 2;
/// As above, where every write waits for one.
const SLOW_SYNCS_OF_DURABLE_WRITES: usize = 32;
const CUT_SALT: u64 = 0x50 << 32;

impl PowerCuts {
    /// Cuts on disks without faults.
    pub const fn new(process: WritingProcess, cuts: u32, cuts_per_database: u32) -> Self {
        let faults = Faults { ignored_syncs: None, failing_sync: None };
        Self { process, cuts, cuts_per_database, faults, order: EntryOrder::Journal }
    }

    /// Loads databases with the task, cuts the power of their file systems, and verifies after each cut: with durability
    /// on, that everything acknowledged is there; with durability off, that the database is what it was after some number
    /// of operations.
    ///
    /// The databases have the seeds of `source` and those that follow it, so the first of them repeats any one alone. The
    /// first cut after which something differs is the last. `None` if the job was cancelled before the first
    /// verification.
    ///
    /// # Errors
    ///
    /// [`PowerCutError`]. A database that does not open again is a result.
    pub fn check<T: Target>(
        &self,
        target: &T,
        source: &Source,
        task: &CrashTask,
        job: JobContext<'_>,
    ) -> Result<Option<Crashed>, PowerCutError> {
        let (mut all, mut left, mut seed) = (None, self.cuts, source.seed());
        while left > 0 && !job.control.is_stopped() {
            let cuts = left.min(self.cuts_per_database.max(1));
            let Some(found) = self.check_database(target, &source.with_seed(seed), task, cuts, job)? else { break };
            let is_complete = found.kills == cuts && found.verified.differences.is_empty();
            let all: &mut Crashed = all.get_or_insert_default();
            all.merge(found);
            if !is_complete {
                break;
            }
            left -= cuts;
            seed = seed.wrapping_add(1);
        }
        Ok(all)
    }

    fn check_database<T: Target>(
        &self,
        target: &T,
        source: &Source,
        task: &CrashTask,
        cuts: u32,
        job: JobContext<'_>,
    ) -> Result<Option<Crashed>, PowerCutError> {
        let failed = |error| RunError::Directory(task.directory.clone(), error);
        let _ = fs::remove_dir_all(&task.directory);
        fs::create_dir_all(task.database()).map_err(failed)?;
        let slow_syncs = if task.durability.is_on() { SLOW_SYNCS_OF_DURABLE_WRITES } else { SLOW_SYNCS };
        let disk = Disk::new(self.faults.clone(), self.order).with_slow_syncs(slow_syncs);
        let mount = PoweredMount::new(&task.database(), disk)?;
        let victim = Cutter {
            process: WritingProcess { source: self.process.source.with_seed(source.seed())?, ..self.process.clone() },
            mount: RefCell::new(mount),
            seed: mix(source.seed(), u64::from(task.durability.is_on()), CUT_SALT, 0),
            steps: Cell::new(0),
        };
        let mut crashed = crash_check(target, source, task, cuts, &victim, job)?;
        for difference in crashed.iter_mut().flat_map(|crashed| &mut crashed.verified.differences) {
            *difference = format!("seed {}, {difference}", source.seed());
        }
        drop(victim);
        fs::remove_dir_all(&task.directory).map_err(failed)?;
        Ok(crashed)
    }
}

struct Cutter {
    process: WritingProcess,
    mount: RefCell<PoweredMount>,
    seed: u64,
    steps: Cell<u64>,
}

/// One recovery in this many is interrupted by another cut.
const RECOVERIES: u64 = 3;

impl Cutter {
    fn next_seed(&self) -> u64 {
        self.steps.set(self.steps.get() + 1);
        mix(self.seed, self.steps.get(), CUT_SALT, 1)
    }

    /// Waits until the power is off, at the latest `kill_after` from now; false if the process ended before.
    fn await_cut(&self, events: &Receiver<String>, kill_after: Duration, control: &Control) -> bool {
        let until = Instant::now() + kill_after;
        let mount = self.mount.borrow();
        let mut is_running = true;
        while is_running && mount.is_on() && Instant::now() < until && !control.is_stopped() {
            is_running = events.recv_timeout(POLL_INTERVAL) != Err(RecvTimeoutError::Disconnected);
        }
        let has_failed_by_cut = !mount.is_on() || mount.has_failed();
        mount.power_off();
        is_running || has_failed_by_cut
    }

    fn cut(&self, process: &mut ChildProcess) -> Result<(), VictimError> {
        process.kill().map_err(|error| cannot_be("killed", &error))?;
        let restarted = self.mount.borrow_mut().restart(self.next_seed());
        restarted.map_err(|error| cannot_be("given a new file system", &error))
    }
}

impl Victim for Cutter {
    fn run_and_kill(&self, task: &CrashTask, kill_after: Duration, control: &Control) -> Result<bool, VictimError> {
        let is_first = self.steps.get() == 0;
        let seed = self.next_seed();
        if !is_first {
            self.mount.borrow().plan_cut(seed);
        }
        let mut process = self.process.start(task).map_err(|error| cannot_be("started", &error))?;
        let events = process.lines();
        if is_first {
            // What is on disk of a preload that was interrupted is not known.
            if !await_line(&events, None, control, is_under_load) {
                return if control.is_stopped() { Ok(false) } else { Err(ended_by_itself(process)) };
            }
            self.mount.borrow().plan_cut(seed);
        }
        if !self.await_cut(&events, kill_after, control) {
            return Err(ended_by_itself(process));
        }
        if control.is_stopped() {
            return Ok(false);
        }
        self.cut(&mut process).map(|()| true)
    }

    fn cuts_power(&self) -> bool {
        true
    }

    fn disturb_recovery(&self, open: &dyn Fn()) -> Result<(), VictimError> {
        let seed = self.next_seed();
        if !seed.is_multiple_of(RECOVERIES) {
            return Ok(());
        }
        self.mount.borrow().plan_early_cut(seed);
        open();
        let restarted = self.mount.borrow_mut().restart(self.next_seed());
        restarted.map_err(|error| cannot_be("given a new file system", &error))
    }
}
