//! Why a certification cannot start or continue.

use std::io;
use std::path::PathBuf;

use crate::load::RunError;
use crate::process::{JournalError, ProcessError};
use crate::report::ReportError;
use crate::trace::TraceError;

/// Why a certification cannot start or continue.
#[derive(Debug, thiserror::Error)]
pub enum CertifyError {
    /// The settings, the load or the database fail.
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
    /// A file of the source cannot be read for its checksum.
    #[error("cannot read {} for its checksum: {}", .0.display(), .1)]
    Source(PathBuf, #[source] io::Error),
    /// The workload has no TOML form, which its checksum needs.
    #[error("the workload cannot be written as TOML: {0}")]
    Workload(String),
    /// The directory for reports cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The directory for the databases cannot be used.
    #[error("cannot use the data directory {}: {}", .0.display(), .1)]
    DataDirectory(PathBuf, #[source] io::Error),
    /// The journal fails, or another process has it open.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// It began elsewhere: slices of two machines, disks or builds certify neither.
    #[error("this certification began {place}; resume it like that, or start over with --fresh ({})", path.display())]
    Elsewhere {
        /// The journal.
        path: PathBuf,
        /// `on another machine (…)`, `with another build (…)` or `with the databases in …`.
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
