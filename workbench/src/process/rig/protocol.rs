//! The messages between a rig's process and the one that started it, a line of JSON each.

use std::path::PathBuf;

use ave_actors_store::config::MachineSpec;
use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::load::{DriveSpec, EngineCounters, Inventory, Phase, Restart, RestartTask};
use crate::measure::Snapshot;
use crate::process::source::SourceSnapshot;
use crate::process::testbed::{DriveResult, RigOutcome, RigSummary, SurveySpec};
use crate::workload::any_path;

/// The hidden command.
pub(super) const COMMAND: &str = "rig";

/// Name of the filled database in the directory of the task.
pub(super) const DATABASE: &str = "database";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RigTask {
    pub(super) source: SourceSnapshot,
    pub(super) machine_spec: MachineSpec,
    pub(super) cores: usize,
    /// RAM of the machine, if the process is in a control group that limits memory.
    pub(super) ram_bytes: Option<u64>,
    /// Directory for databases and temporary files.
    #[serde(with = "any_path")]
    pub(super) directory: PathBuf,
    pub(super) work: RigWork,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RigWork {
    /// Load the filled database as requested.
    Load { durability: Durability, workers: u64 },
    /// Measure one restart and exit.
    Restart(RestartTask),
}

/// The messages to a rig after its task.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RigRequest {
    Drive(DriveSpec),
    /// Take an inventory, and prepare restarts for other processes.
    PrepareSurvey(SurveySpec),
    /// The restarts are measured, or one was killed.
    EndSurvey {
        killed: bool,
    },
    Finish {
        verify: bool,
    },
    /// Cancel the request in progress and report its result.
    Stop,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RigEvent {
    Phase {
        durability: Durability,
        phase: Phase,
        total: Option<u64>,
    },
    Progress {
        done: u64,
        commands: u64,
    },
    Latency {
        p99_ns: u64,
    },
    Resources {
        process: Snapshot,
        engine: Option<EngineCounters>,
    },
    /// The database is open.
    Ready {
        harness_memory_bytes: u64,
    },
    Driven(Box<RigOutcome<DriveResult>>),
    SurveyPrepared(Inventory, Vec<RestartTask>),
    SurveyEnded,
    Restarted(Restart),
    Finished(RigOutcome<RigSummary>),
}
