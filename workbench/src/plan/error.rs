//! Errors of a plan.

use std::path::PathBuf;

use crate::host::ProbeError;
use crate::process::ProcessError;
use crate::report::ReportError;
use crate::workload::WorkloadError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Probe(#[from] ProbeError),
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The profile of `--disk` is of another host or disk.
    #[error(
        "{} is the profile of another disk: {what} is {known} there and {here} here; measure this one with \
         `ave-workbench host --probe -o FILE`",
        path.display()
    )]
    OtherDisk { path: PathBuf, what: String, known: String, here: String },
}
