//! Why a certification ends before its time, and not by its own judgement.

use std::path::PathBuf;

use crate::load::RunError;
use crate::process::ProcessError;
use crate::trace::TraceError;

/// Why a certification cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum CertifyError {
    /// The load or the database fails.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The testbed fails.
    #[error(transparent)]
    Process(ProcessError),
    /// The kernel killed the load.
    #[error("the load was killed: the memory of the machine was used up")]
    OutOfMemory,
    /// The trace cannot be found again.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// A file of the source cannot be read to tell its digest.
    #[error("cannot read {} to tell its digest: {source}", path.display())]
    Source {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The workload has no form to tell the digest of.
    #[error("the workload cannot be written as TOML: {0}")]
    Workload(String),
    /// The journal fails.
    #[error("cannot {action} {}, where the certification is kept: {source}", path.display())]
    Journal {
        /// `read`, `write`, `create`, `lock` or `remove`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process works at it.
    #[error("another process works at this certification, which is kept in {}", path.display())]
    Locked {
        /// The journal.
        path: PathBuf,
    },
    /// It was begun in another place: slices of two machines or disks are no certificate of either.
    #[error("this certification was begun {place}; go on with it there, or start over with --fresh ({})", path.display())]
    Elsewhere {
        /// The journal.
        path: PathBuf,
        /// Where.
        place: String,
    },
}

impl From<ProcessError> for CertifyError {
    fn from(error: ProcessError) -> Self {
        match error {
            ProcessError::Run(error) => Self::Run(error),
            error => Self::Process(error),
        }
    }
}
