//! The messages between a rig's process and the one that started it, a line of JSON each.

use std::path::PathBuf;

use ave_actors_store::config::MachineSpec;
use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::load::{DriveSpec, Phase, RestartSpec};
use crate::process::source::SourceSnapshot;
use crate::process::testbed::{DriveResult, RigOutcome, RigSummary, Survey};

/// The hidden command.
pub(super) const COMMAND: &str = "rig";

/// Name of the filled database in the directory of the task.
pub(super) const DATABASE: &str = "database";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RigTask {
    pub(super) source: SourceSnapshot,
    pub(super) machine_spec: MachineSpec,
    pub(super) cores: usize,
    pub(super) directory: PathBuf,
    pub(super) durability: Durability,
    pub(super) workers: u64,
}

/// The messages to a rig after its task.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RigRequest {
    Drive(DriveSpec),
    Survey(RestartSpec),
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
    /// The database is open.
    Ready,
    Driven(Box<RigOutcome<DriveResult>>),
    Surveyed(RigOutcome<Survey>),
    Finished(RigOutcome<RigSummary>),
}
