//! Where loads run: a database and its workers, in this process or in a child process within the limits of a machine.
//!
//! `plan` and `certify` know nothing of processes and control groups. They request a rig from a testbed: a filled database
//! and the workers that load it. A rig may be killed because the machine's memory is used up, which is a result.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::error::ProcessError;
use super::origin::Origins;
use crate::actor::Durability;
use crate::host::{Disk, Machine};
use crate::load::{
    Clock, Drive, DriveSpec, Inventory, JobContext, PreparedRestarts, Restart, RestartSpec, Session, SessionSize,
    Source, SuspendedSession, Target, Verified,
};

/// Which limits of a machine a testbed applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Emulation {
    /// None: this host is the machine.
    Host,
    /// CPU and memory, page cache included.
    CoresAndMemory,
    /// CPU only.
    CoresOnly {
        /// Why memory is not limited.
        why: String,
    },
}

/// A step of a rig within the memory of the machine. Nothing else is: inventories, copies of actors and verifications are
/// work of the workbench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RigStep {
    /// Opening the database and the handles of all actors.
    Filling,
    /// Issuing commands.
    Load,
    /// Opening the database and starting all actors.
    Restart,
}

/// The outcome of a step that may need more memory than the machine has.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RigOutcome<T> {
    /// The step's result.
    Completed(T),
    /// The kernel killed the process in this step because the machine's memory was used up.
    OutOfMemory(RigStep),
}

impl<T> RigOutcome<T> {
    /// The same outcome with another result.
    pub fn map<U>(self, to: impl FnOnce(T) -> U) -> RigOutcome<U> {
        match self {
            Self::Completed(result) => RigOutcome::Completed(to(result)),
            Self::OutOfMemory(step) => RigOutcome::OutOfMemory(step),
        }
    }

    /// The result, unless the rig was killed.
    pub fn completed(self) -> Option<T> {
        match self {
            Self::Completed(result) => Some(result),
            Self::OutOfMemory(_) => None,
        }
    }
}

/// The outcome of a step, or the failure of the database or the rig's process.
pub type RigResult<T> = Result<RigOutcome<T>, ProcessError>;

/// A load's measurements, and the space its database takes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DriveResult {
    /// Latencies, counts and resources.
    pub drive: Drive,
    /// Size of the database before the load, bytes.
    pub database_bytes_before: u64,
    /// Size of the database after the load, bytes.
    pub database_bytes: u64,
    /// Free space on its disk after the load, bytes; `None` if the system does not report it.
    pub free_bytes: Option<u64>,
    /// Peak of process and page cache together since the rig was set up, without the workbench's own memory, bytes; `None` if
    /// memory is not limited.
    pub memory_peak_bytes: Option<u64>,
    /// What the workbench itself holds in the rig's process, bytes: it is part of the process's resident set, and does not
    /// count against the machine. `None` if it was not measured.
    pub harness_memory_bytes: Option<u64>,
}

/// What to survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveySpec {
    /// Whether the data is compacted to measure its size alone. The restarts are of the compacted database then.
    pub compacts: bool,
    /// The restarts.
    pub restart: RestartSpec,
}

/// The size of the data and the duration of a restart.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Survey {
    /// What is stored, at rest and compacted.
    pub inventory: Inventory,
    /// Restarts of the actors that exist, and of a larger population of copies of them.
    pub restarts: Vec<Restart>,
    /// The smallest population whose restart needed more memory than the machine has, if one did. No larger one was tried.
    pub killed_restart: Option<KilledRestart>,
}

/// A restart that the kernel killed because the machine's memory was used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KilledRestart {
    /// Actors to start.
    pub actors: u64,
    /// Size of the database, bytes.
    pub database_bytes: u64,
}

/// The final state of a rig.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RigSummary {
    /// Result of the verification; `None` if it was not requested or was cancelled.
    pub verified: Option<Verified>,
    /// Bytes stored and written.
    pub size: SessionSize,
    /// Size of the database before the first command, bytes.
    pub database_bytes_before: u64,
    /// Commands issued, warm-ups included.
    pub commands: u64,
}

/// A rig whose database is closed, and the data to resume it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuspendedRig {
    /// Name of the database's directory in that of the testbed.
    pub directory: String,
    /// Durability mode of the database.
    pub durability: Durability,
    /// Positions and counters of its session.
    pub session: SuspendedSession,
}

/// A filled database and the workers that load it. Every step fails if the database or the rig's process fails.
#[expect(clippy::missing_errors_doc, reason = "the trait documents them")]
pub trait Rig {
    /// Issues commands and measures them.
    fn drive(&mut self, spec: &DriveSpec) -> RigResult<DriveResult>;

    /// Takes an inventory of what is stored, and measures restarts of the actors.
    fn survey(&mut self, spec: &SurveySpec) -> RigResult<Survey>;

    /// Closes the database, verifies it if `verify` is true, and removes it unless the testbed keeps databases. A
    /// difference is no error.
    fn finish(self: Box<Self>, verify: bool) -> RigResult<RigSummary>;

    /// Closes the database, for [`Testbed::resume`]. `None` if this kind of rig cannot be suspended, which is the default:
    /// its database is lost.
    fn suspend(self: Box<Self>) -> Result<Option<SuspendedRig>, ProcessError> {
        Ok(None)
    }
}

/// A rig to set up.
#[derive(Debug, Clone, Copy)]
pub struct RigSpec<'a> {
    /// The machine whose limits apply.
    pub machine: &'a Machine,
    /// Events by which its database has grown beyond the preload, see [`Source::grown`].
    pub grown_events: u64,
    /// Whether writes wait for the disk.
    pub durability: Durability,
    /// Threads that will load it.
    pub workers: u64,
}

/// Sets rigs up, which fails if the database or the rig's process fails.
#[expect(clippy::missing_errors_doc, reason = "the trait documents them")]
pub trait Testbed {
    /// Which limits of `machine` it applies.
    fn emulation(&self, machine: &Machine) -> Emulation;

    /// Creates a rig.
    fn set_up(&self, spec: &RigSpec<'_>) -> RigResult<Box<dyn Rig + '_>>;

    /// Resumes a rig that was suspended, perhaps by another process, with as many workers as before. Only testbeds whose
    /// rigs can be suspended implement it.
    fn resume(&self, suspended: &SuspendedRig) -> Result<Box<dyn Rig + '_>, ProcessError> {
        Err(ProcessError::Testbed(format!("the rig in {} cannot be resumed here", suspended.directory).into()))
    }
}

/// A testbed in this process: it applies no limits and has one backend for every machine.
pub struct InProcess<'a, T: Target, C: Clock> {
    target: &'a T,
    source: &'a Source,
    directory: &'a Path,
    clock: &'a C,
    job: JobContext<'a>,
    keeps_databases: bool,
    rigs: AtomicU64,
    origins: Origins,
}

impl<'a, T: Target, C: Clock> InProcess<'a, T, C> {
    /// Loads `source` on databases below `directory`, which is created with the first one.
    pub fn new(target: &'a T, source: &'a Source, directory: &'a Path, clock: &'a C, job: JobContext<'a>) -> Self {
        Self {
            target,
            source,
            directory,
            clock,
            job,
            keeps_databases: false,
            rigs: AtomicU64::new(0),
            origins: Origins::default(),
        }
    }

    /// The same, but databases of finished rigs stay.
    #[must_use]
    pub fn keeping_databases(self) -> Self {
        Self { keeps_databases: true, ..self }
    }

    /// A rig on the database that is in the directory `name`, filled with the preload of the source.
    #[cfg(feature = "rocksdb")]
    pub(super) fn start_filled(
        &self,
        name: &str,
        durability: Durability,
        workers: u64,
    ) -> Result<LocalRig<'a, T, C>, ProcessError> {
        self.start(self.source, name.to_owned(), durability, workers)
    }

    fn start(
        &self,
        source: &Source,
        name: String,
        durability: Durability,
        workers: u64,
    ) -> Result<LocalRig<'a, T, C>, ProcessError> {
        let directory = self.directory.join(&name);
        let session = Session::start_filled(self.target, source, &directory, durability, workers, self.job)?;
        Ok(self.rig(session, name))
    }

    fn rig(&self, session: Session<'a, T>, name: String) -> LocalRig<'a, T, C> {
        LocalRig {
            database_bytes_before: session.database_bytes(),
            session,
            directory: self.directory.join(&name),
            name,
            clock: self.clock,
            job: self.job,
            keeps_database: self.keeps_databases,
        }
    }
}

impl<T: Target, C: Clock> Testbed for InProcess<'_, T, C> {
    fn emulation(&self, machine: &Machine) -> Emulation {
        if machine.is_host {
            return Emulation::Host;
        }
        Emulation::CoresOnly { why: "it runs in this process".to_owned() }
    }

    fn set_up(&self, spec: &RigSpec<'_>) -> RigResult<Box<dyn Rig + '_>> {
        let RigSpec { grown_events, durability, workers, .. } = *spec;
        let source = self.source.grown(grown_events);
        let name = format!("rig-{}", self.rigs.fetch_add(1, Ordering::Relaxed));
        let (copy, key) = (self.directory.join(&name), grown_events.to_string());
        self.job.lift_memory_limit()?;
        self.origins.copy_to(&copy, (self.directory, &key), self.target, &source, durability, self.job)?;
        Ok(RigOutcome::Completed(Box::new(self.start(&source, name, durability, workers)?)))
    }

    fn resume(&self, suspended: &SuspendedRig) -> Result<Box<dyn Rig + '_>, ProcessError> {
        let SuspendedRig { directory: name, durability, session } = suspended;
        let directory = self.directory.join(name);
        let session = Session::restore(self.target, self.source, &directory, *durability, session);
        Ok(Box::new(self.rig(session, name.clone())))
    }
}

pub(super) struct LocalRig<'a, T: Target, C: Clock> {
    session: Session<'a, T>,
    name: String,
    directory: PathBuf,
    database_bytes_before: u64,
    clock: &'a C,
    job: JobContext<'a>,
    keeps_database: bool,
}

impl<T: Target, C: Clock> LocalRig<'_, T, C> {
    /// The inventory, and the restarts for other processes to measure. The database is closed until the next load.
    pub(super) fn prepare_survey(&mut self, spec: &SurveySpec) -> Result<(Inventory, PreparedRestarts), ProcessError> {
        let inventory = self.session.take_inventory(spec.compacts, self.job)?;
        Ok((inventory, self.session.prepare_restarts(&spec.restart, self.job)?))
    }

    /// Undoes what a restart in another process wrote before it was killed.
    pub(super) fn undo_restart(&mut self) -> Result<(), ProcessError> {
        Ok(self.session.undo_restart(self.job)?)
    }
}

impl<T: Target, C: Clock> Rig for LocalRig<'_, T, C> {
    fn drive(&mut self, spec: &DriveSpec) -> RigResult<DriveResult> {
        let database_bytes_before = self.session.database_bytes();
        let drive = self.session.drive(spec, self.clock, self.job)?;
        let disk = Disk::under(&self.directory);
        Ok(RigOutcome::Completed(DriveResult {
            drive,
            database_bytes_before,
            database_bytes: self.session.database_bytes(),
            free_bytes: (disk.total_bytes > 0).then_some(disk.free_bytes),
            memory_peak_bytes: None,
            harness_memory_bytes: None,
        }))
    }

    fn survey(&mut self, spec: &SurveySpec) -> RigResult<Survey> {
        let inventory = self.session.take_inventory(spec.compacts, self.job)?;
        let restarts = self.session.measure_restarts(&spec.restart, self.clock, self.job)?;
        Ok(RigOutcome::Completed(Survey { inventory, restarts, killed_restart: None }))
    }

    fn finish(self: Box<Self>, verify: bool) -> RigResult<RigSummary> {
        let commands = self.session.commands_issued();
        let (verified, size) = self.session.finish(verify, self.job)?;
        if !self.keeps_database {
            // What cannot be removed goes with the parent directory.
            let _ = std::fs::remove_dir_all(&self.directory);
        }
        let database_bytes_before = self.database_bytes_before;
        Ok(RigOutcome::Completed(RigSummary { verified, size, database_bytes_before, commands }))
    }

    fn suspend(self: Box<Self>) -> Result<Option<SuspendedRig>, ProcessError> {
        let durability = self.session.durability;
        Ok(Some(SuspendedRig { directory: self.name, durability, session: self.session.suspend()? }))
    }
}
