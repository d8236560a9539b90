//! Errors of commands, and their exit codes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::catalogue::CatalogueError;
use crate::certify::CertifyError;
use crate::compare::CompareError;
use crate::fleet::MergeError;
use crate::history::HistoryError;
use crate::host::ProbeError;
use crate::load::RunError;
use crate::plan::PlanError;
use crate::process::ProcessError;
use crate::report::ReportError;
use crate::trace::TraceError;
use crate::workload::WorkloadError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// Arguments that contradict each other, the host or the source.
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    #[error(transparent)]
    Trace(#[from] TraceError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Process(ProcessError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    Merge(#[from] MergeError),
    #[error(transparent)]
    Compare(#[from] CompareError),
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    Certify(#[from] CertifyError),
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// A message of the backend, escaped.
    #[error("{0}")]
    Backend(String),
    /// Ended by Ctrl-C.
    #[error("{0}")]
    Interrupted(String),
    /// The hint follows the cause.
    #[error("cannot use the data directory {}: {source}{hint}", path.display())]
    DataDirectory { path: PathBuf, source: std::io::Error, hint: &'static str },
    #[error("cannot serve metrics at {address}: {source}; choose another address or port for --metrics")]
    Metrics { address: SocketAddr, source: std::io::Error },
    /// A file other than a report.
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("cannot open the page {} in a browser: {source}", page.display())]
    Browser { page: PathBuf, source: std::io::Error },
    #[error("cannot write to standard output: {0}")]
    Output(#[from] std::io::Error),
}

impl From<PlanError> for CliError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Usage(text) => Self::Usage(text),
            PlanError::Workload(error) => Self::Workload(error),
            PlanError::Process(error) => error.into(),
            PlanError::Probe(error) => Self::Probe(error),
            PlanError::Report(error) => Self::Report(error),
            error @ PlanError::OtherDisk { .. } => Self::Usage(error.to_string()),
        }
    }
}

impl CliError {
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }

    /// 2 for arguments, 3 for interruptions, 4 for files, disks and databases.
    pub(crate) fn exit_code(&self) -> ExitCode {
        let code = match self {
            Self::Usage(_)
            | Self::Workload(WorkloadError::Unknown { .. })
            | Self::Catalogue(CatalogueError::Unknown { .. } | CatalogueError::Format { .. })
            | Self::Trace(TraceError::SameContent { .. })
            | Self::Run(RunError::Settings(_))
            | Self::Certify(CertifyError::Elsewhere { .. } | CertifyError::Run(RunError::Settings(_))) => 2,
            Self::Process(error) if error.is_usage() => 2,
            Self::Merge(error) if error.is_choice() => 2,
            Self::Compare(error) if error.is_choice() => 2,
            Self::History(error) if error.is_choice() => 2,
            Self::Run(RunError::NothingMeasured { .. } | RunError::Interrupted | RunError::BusyHost { .. })
            | Self::Certify(CertifyError::Run(RunError::BusyHost { .. }))
            | Self::Trace(TraceError::Interrupted)
            | Self::Interrupted(_) => 3,
            _ => 4,
        };
        ExitCode::from(code)
    }
}

impl From<ProcessError> for CliError {
    fn from(error: ProcessError) -> Self {
        match error {
            ProcessError::Run(error) => Self::Run(error),
            ProcessError::Workload(error) => Self::Workload(error),
            ProcessError::Trace(error) => Self::Trace(error),
            error => Self::Process(error),
        }
    }
}
