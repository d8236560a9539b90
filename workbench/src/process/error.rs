//! Why a testbed, a child process, its limits or its directories fail.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use crate::actor::Durability;
use crate::load::RunError;
use crate::trace::TraceError;
use crate::workload::{WorkloadError, path_text};

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
    /// The source is a pipe, a device or standard input.
    #[error("{}: not a file: a measurement reads its source more than once; write it to a file first", path_text(.0))]
    NotAFile(PathBuf),
    /// The file is neither a workload nor a trace.
    #[error(
        "{path}: neither a workload (TOML) nor a trace; to replay an event log, turn it into a trace first: \
         `ave-workbench trace import {path}`", path = path_text(.0)
    )]
    NoSource(PathBuf),
    /// The workload of this name cannot be passed to a child process.
    #[error("workload {0}: {1}")]
    Snapshot(String, #[source] toml::ser::Error),
    /// The trace at this path differs from what the parent process read.
    #[error("{0} changed during the run")]
    SourceChanged(String),
    /// A testbed that wraps another one failed by itself.
    #[error(transparent)]
    Testbed(Box<dyn Error + Send + Sync>),
    /// The child process that runs a load within the limits of this machine failed: `cannot be started: …`,
    /// `ended by itself: …`.
    #[error("the process that loads the database as {0} with durability {1} {2}")]
    Rig(String, Durability, String),
    /// The limits of this machine cannot be applied to a process.
    #[error("cannot run within the limits of {0}: {1}")]
    Limits(String, #[source] io::Error),
    /// The first line on standard input is no task: the hidden command (first) was not started by the other.
    #[error("`{0}` is started by `{1}`: {2}")]
    Task(&'static str, &'static str, #[source] serde_json::Error),
    /// This directory for databases cannot be used.
    #[error("cannot use the data directory {path}: {1}", path = .0.display())]
    DataDirectory(PathBuf, #[source] io::Error),
    /// Standard input or output of a child process is closed.
    #[error("cannot reach the parent process: {0}")]
    Pipe(#[from] io::Error),
}

impl ProcessError {
    /// Whether the command line is at fault: something on it cannot be done here.
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Snapshot(..) | Self::SourceChanged(_) | Self::NotAFile(_) | Self::Limits(..) | Self::Task(..)
        )
    }
}
