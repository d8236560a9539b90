//! The messages between the process to be killed and the one that kills it, a line of JSON each.

use ave_actors_store::config::MachineSpec;
use serde::{Deserialize, Serialize};

use crate::load::CrashTask;
use crate::process::source::SourceSnapshot;

/// The hidden command.
pub(super) const COMMAND: &str = "crash-victim";

/// The one message to the process. Its standard input stays open until it has to end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct VictimTask {
    pub(super) source: SourceSnapshot,
    pub(super) machine_spec: MachineSpec,
    pub(super) task: CrashTask,
}

/// The one message of the process.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum VictimEvent {
    /// The load begins.
    UnderLoad,
}
