//! Errors of a plan.

use crate::host::ProbeError;
use crate::process::ProcessError;
use crate::report::ReportError;
use crate::units;
use crate::workload::WorkloadError;

/// A plan that could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    #[error(
        "--what-if {changes}: of a trace only `target` can be changed; `ave-workbench trace fit` derives a workload from it, \
         whose other figures can be changed too"
    )]
    WhatIfOfTrace { changes: String },
    #[error(
        "`{name}` preloads {}, which needs about {} of disk; {} are free. Give --data-dir on a larger disk, or a smaller \
         preload",
        units::bytes(*preload_bytes), units::bytes(*needed_bytes), units::bytes(*free_bytes)
    )]
    DiskTooSmall { name: String, preload_bytes: f64, needed_bytes: f64, free_bytes: f64 },
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Probe(#[from] ProbeError),
    #[error(transparent)]
    Report(#[from] ReportError),
}
