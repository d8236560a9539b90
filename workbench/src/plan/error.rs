//! Errors of a plan.

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
}
