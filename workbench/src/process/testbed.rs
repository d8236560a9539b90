//! Where rates are tried: a database under load, within the limits of a machine.
//!
//! A search knows nothing of processes and control groups. It asks a testbed for a rig: a filled database and the workers
//! that load it, as they would be on a machine. The rig may die of what the machine lacks, which is a result.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::host::Machine;
use crate::load::{
    Clock, Drive, DriveSpec, Inventory, JobContext, Restart, RestartSpec, RunError, Session, SessionSize, Source,
    Target, Verified,
};

/// How far a testbed can pretend to be a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Emulation {
    /// It is the machine.
    Host,
    /// As many cores and as much memory as the machine, page cache included.
    CoresAndMemory,
    /// As many cores; memory is that of the host.
    CoresOnly {
        /// Why memory is not limited.
        why: String,
    },
}

/// What came of something that takes memory.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attempt<T> {
    /// It was done.
    Done(T),
    /// The kernel killed it because the machine's memory was used up.
    OutOfMemory,
}

/// A load, and the state it left the rig in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Driven {
    /// What it did.
    pub drive: Drive,
    /// Size of the database after it, bytes.
    pub database_bytes: u64,
    /// Most memory so far of process and page cache together, bytes, where it is limited.
    pub memory_peak_bytes: Option<u64>,
}

/// What there is besides latencies: what the data takes, and how long a restart takes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Survey {
    /// What is stored, at rest and compacted.
    pub inventory: Inventory,
    /// Restarts of the actors there are, and of a larger population of copies of them.
    pub restarts: Vec<Restart>,
}

/// The end of a rig.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finished {
    /// What was compared; `None` if nobody asked or somebody stopped it.
    pub verified: Option<Verified>,
    /// What it stored.
    pub size: SessionSize,
    /// Size of the database before the first command, bytes.
    pub database_bytes_before: u64,
    /// Commands issued, warm-ups included.
    pub commands: u64,
}

/// A filled database and the workers that load it.
pub trait Rig {
    /// Issues commands and measures them.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the database fails or whatever holds the rig.
    fn drive(&mut self, spec: &DriveSpec) -> Result<Attempt<Driven>, RunError>;

    /// Takes an inventory of what is stored, and restarts the actors.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the database fails or whatever holds the rig.
    fn survey(&mut self, spec: &RestartSpec) -> Result<Attempt<Survey>, RunError>;

    /// Closes the database, compares what it holds with what it acknowledged if `verify` is true, and removes it.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the database fails or whatever holds the rig.
    fn finish(self: Box<Self>, verify: bool) -> Result<Attempt<Finished>, RunError>;
}

/// Sets rigs up.
pub trait Testbed {
    /// How far it can pretend to be a machine.
    fn emulation(&self, machine: &Machine) -> Emulation;

    /// A rig with an empty database of its own, filled with what the source wants to be there. `workers` threads will
    /// load it.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the database fails or whatever holds the rig.
    fn set_up(
        &self,
        machine: &Machine,
        durability: Durability,
        workers: u64,
    ) -> Result<Attempt<Box<dyn Rig + '_>>, RunError>;
}

/// A testbed in this process, with its cores and memory and one backend whatever the machine.
pub struct InProcess<'a, T: Target, C: Clock> {
    /// The backend.
    pub target: &'a T,
    /// What is replayed.
    pub source: &'a Source,
    /// Where the databases are.
    pub directory: &'a Path,
    /// The time.
    pub clock: &'a C,
    /// Whom to tell.
    pub job: JobContext<'a>,
    /// Rigs so far.
    pub rigs: AtomicU64,
}

/// Takes the inventory of a session and restarts its actors.
///
/// # Errors
///
/// [`RunError`] if the database fails.
pub fn survey<T: Target>(
    session: &mut Session<'_, T>,
    spec: &RestartSpec,
    clock: &impl Clock,
    job: JobContext<'_>,
) -> Result<Survey, RunError>
where
    T::Manager: Sync,
{
    let inventory = session.take_inventory(job)?;
    let restarts = session.measure_restart(spec, clock, job)?;
    Ok(Survey { inventory, restarts })
}

/// A rig in this process.
struct Local<'a, T: Target, C: Clock> {
    session: Session<'a, T>,
    directory: PathBuf,
    database_bytes_before: u64,
    clock: &'a C,
    job: JobContext<'a>,
}

impl<T: Target, C: Clock> Testbed for InProcess<'_, T, C>
where
    T::Manager: Sync,
{
    fn emulation(&self, machine: &Machine) -> Emulation {
        if machine.is_host {
            return Emulation::Host;
        }
        Emulation::CoresOnly { why: "it runs in this process".to_owned() }
    }

    fn set_up(
        &self,
        _machine: &Machine,
        durability: Durability,
        workers: u64,
    ) -> Result<Attempt<Box<dyn Rig + '_>>, RunError> {
        let number = self.rigs.fetch_add(1, Ordering::Relaxed);
        let directory = self.directory.join(format!("rig-{number}"));
        let job = self.job;
        let session = Session::start(self.target, self.source, &directory, durability, workers, job)?;
        let database_bytes_before = session.database_bytes();
        let clock = self.clock;
        Ok(Attempt::Done(Box::new(Local { session, directory, database_bytes_before, clock, job })))
    }
}

impl<T: Target, C: Clock> Rig for Local<'_, T, C>
where
    T::Manager: Sync,
{
    fn drive(&mut self, spec: &DriveSpec) -> Result<Attempt<Driven>, RunError> {
        let drive = self.session.drive(spec, self.clock, self.job)?;
        Ok(Attempt::Done(Driven { drive, database_bytes: self.session.database_bytes(), memory_peak_bytes: None }))
    }

    fn survey(&mut self, spec: &RestartSpec) -> Result<Attempt<Survey>, RunError> {
        survey(&mut self.session, spec, self.clock, self.job).map(Attempt::Done)
    }

    fn finish(self: Box<Self>, verify: bool) -> Result<Attempt<Finished>, RunError> {
        let commands = self.session.commands_issued();
        let (verified, size) = self.session.finish(verify, self.job)?;
        // Its figures are taken; what stays behind goes with the parent directory.
        let _ = std::fs::remove_dir_all(&self.directory);
        Ok(Attempt::Done(Finished { verified, size, database_bytes_before: self.database_bytes_before, commands }))
    }
}
