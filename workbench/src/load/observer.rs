//! Progress of a job.

use serde::{Deserialize, Serialize};

use super::control::Control;
use super::error::RunError;
use crate::actor::Durability;
use crate::host::MachineMemory;

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Writing the preload.
    Preload,
    /// Opening the handles of the actors of a workload.
    Start,
    /// Issuing commands that are not measured yet.
    WarmUp,
    /// Issuing commands that are measured.
    Measure,
    /// Waiting for flushes and compactions.
    Settle,
    /// Comparing what is stored with what was acknowledged.
    Verify,
    /// Killing processes that write, and verifying their database.
    Crash,
    /// Cutting the power of file systems under writing processes, and verifying their databases.
    PowerCut,
}

/// Receives progress; the default methods do nothing.
pub trait Observer: Sync {
    /// A phase begins. `total` is its length in the unit [`progress`](Self::progress) counts: bytes of values for the
    /// preload (estimated), milliseconds for warm-up and measurement, actors for verification, kills or cuts for the crash
    /// check; `None` if it is not known.
    fn phase(&self, _durability: Durability, _phase: Phase, _total: Option<u64>) {}

    /// How much of the phase is done, and how many commands were completed since the load began.
    fn progress(&self, _done: u64, _commands: u64) {}

    /// The p99 response time of all commands measured so far, nanoseconds: each second, once there are enough samples.
    fn latency(&self, _p99_ns: u64) {}

    /// A round begins, counted from 1 to `of`.
    fn round(&self, _round: u32, _of: u32) {}

    /// This many stages are to come, each of which is expected to take `each`. Replaces earlier expectations.
    fn expect_stages(&self, _count: u32, _each: std::time::Duration) {}

    /// A stage begins, and the one before has ended.
    fn stage(&self, _name: &str) {}

    /// A message for the user.
    fn note(&self, _text: &str) {}
}

/// What surrounds a job: its progress observer, its cancellation flag, and the memory of the machine it emulates.
#[derive(Clone, Copy)]
pub struct JobContext<'a> {
    /// Progress observer.
    pub observer: &'a dyn Observer,
    /// Cancellation flag.
    pub control: &'a Control,
    /// Limit of this process, if it emulates a machine.
    pub memory: Option<&'a MachineMemory>,
}

impl<'a> JobContext<'a> {
    /// Without a progress observer and without a limit.
    pub const fn silent(control: &'a Control) -> Self {
        Self { observer: &Silent, control, memory: None }
    }

    /// Begins the part of a job that the emulated machine would do. The database must be closed.
    pub(crate) fn enforce_memory_limit(&self) -> Result<(), RunError> {
        self.memory.map_or(Ok(()), MachineMemory::enforce).map_err(RunError::MemoryLimit)
    }

    /// Begins a part of a job that the emulated machine would not do.
    pub(crate) fn lift_memory_limit(&self) -> Result<(), RunError> {
        self.memory.map_or(Ok(()), MachineMemory::lift).map_err(RunError::MemoryLimit)
    }
}

/// An observer that does nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Observer for Silent {}
