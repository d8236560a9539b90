//! Why a testbed, a child process, its limits or its directories fail.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use crate::actor::Durability;
use crate::load::RunError;
use crate::trace::TraceError;
use crate::workload::WorkloadError;

/// A failure of a testbed, a child process, its limits or its directories.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The load or its database failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The workload cannot be found or read.
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    /// The trace cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The workload cannot be passed to a child process.
    #[error("workload {name}: {source}")]
    Snapshot {
        /// Name of the workload.
        name: String,
        /// Of the TOML serialiser.
        source: toml::ser::Error,
    },
    /// The trace differs from what the parent process read.
    #[error("{path} changed during the run")]
    SourceChanged {
        /// As given on the command line.
        path: String,
    },
    /// A testbed that wraps another one failed by itself.
    #[error(transparent)]
    Testbed(Box<dyn Error + Send + Sync>),
    /// The child process that runs a load within a machine's limits failed.
    #[error("the process that loads the database as {machine} with durability {durability} {reason}")]
    Rig {
        /// Name of the machine.
        machine: String,
        /// Durability mode of the load.
        durability: Durability,
        /// `cannot be started: …`, `ended by itself: …`.
        reason: String,
    },
    /// The limits of a machine cannot be applied to a process.
    #[error("cannot run within the limits of {machine}: {source}")]
    Limits {
        /// Name of the machine.
        machine: String,
        /// Of the operating system.
        source: io::Error,
    },
    /// The first line on standard input is no task: the command was not started by this program.
    #[error("`{command}` is started by `{parent}`: {source}")]
    Task {
        /// The hidden command.
        command: &'static str,
        /// The command that starts it.
        parent: &'static str,
        /// Of the JSON parser.
        source: serde_json::Error,
    },
    /// The directory for databases cannot be used.
    #[error("cannot use the data directory {}: {source}", path.display())]
    DataDirectory {
        /// As given on the command line.
        path: PathBuf,
        /// Of the operating system.
        source: io::Error,
    },
    /// Standard input or output of a child process is closed.
    #[error("cannot reach the parent process: {0}")]
    Pipe(#[from] io::Error),
}

impl ProcessError {
    /// Whether the command line is at fault: something on it cannot be done here.
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(self, Self::Snapshot { .. } | Self::SourceChanged { .. } | Self::Limits { .. } | Self::Task { .. })
    }
}
