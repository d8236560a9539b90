//! Progress of a job.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::control::Control;
use super::engine::EngineCounters;
use super::error::RunError;
use crate::actor::Durability;
use crate::host::MachineMemory;
use crate::measure::Snapshot;

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Writing the preload.
    Preload,
    /// Reading the database into the page cache.
    Cache,
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

/// A part of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The ceiling of a machine and a rate that may be sustained.
    Search,
    /// Whether that rate is sustained.
    HoldOut,
    /// The stored data, and a restart.
    Survey,
    /// The latency at the target.
    Target,
    /// What reads from the disk add to the time of a command.
    ColdReads,
    /// The rates on a smaller database.
    Sizes,
    /// The rates by the number of writers.
    Writers,
    /// The rates of the host itself.
    Host,
    /// The ceilings by the number of cores.
    Scaling,
    /// What follows from all that, without a load.
    Forecast,
}

/// Stages of one kind to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageTime {
    /// Their kind.
    pub stage: Stage,
    /// How many there are.
    pub count: u32,
    /// Expected time of one.
    pub each: Duration,
}

/// Receives progress; the default methods do nothing.
pub trait Observer: Sync {
    /// A phase begins. `total` is its length in the unit [`progress`](Self::progress) counts: bytes of values for the
    /// preload (estimated), bytes of files for the page cache, milliseconds for warm-up and measurement, actors for
    /// verification, kills or cuts for the crash check; `None` if it is not known.
    fn phase(&self, _durability: Durability, _phase: Phase, _total: Option<u64>) {}

    /// How much of the phase is done, and how many commands were completed since the load began.
    fn progress(&self, _done: u64, _commands: u64) {}

    /// The p99 response time of all commands measured so far, nanoseconds: each second, once there are enough samples.
    fn latency(&self, _p99_ns: u64) {}

    /// Process and engine while commands are measured: each second, when that begins, and when it ends.
    fn resources(&self, _process: &Snapshot, _engine: Option<EngineCounters>) {}

    /// A round begins, counted from 1 to `of`.
    fn round(&self, _round: u32, _of: u32) {}

    /// The stages to come, with the times that they are expected to take. Replaces earlier expectations.
    fn expect_stages(&self, _stages: &[StageTime]) {}

    /// What follows the next expected stages takes so long, until stages are expected again.
    fn expect_later(&self, _time: Duration) {}

    /// Of the stages that were expected, only these are still to come.
    fn expect_only(&self, _stages: &[StageTime]) {}

    /// A stage begins, and the one before has ended.
    fn stage(&self, _stage: Stage, _name: &str) {}

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
