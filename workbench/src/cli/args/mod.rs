//! The command line as it is typed: one file per command.

mod certify;
mod compare;
mod host;
mod plan;
mod print;
mod program;
mod report;
mod run;
mod source;
mod trace;

pub(crate) use certify::CertifyArgs;
pub(crate) use compare::CompareArgs;
pub(crate) use host::HostArgs;
pub(crate) use plan::{EmulationArg, PlanArgs};
pub(crate) use print::{CompletionsArgs, ManArgs, WorkloadsArgs};
pub(crate) use program::{Args, Command};
pub(crate) use report::{FormatArg, MergeArgs, ReportArgs, ReportCommand};
pub(crate) use run::RunArgs;
pub(crate) use source::{DurabilityArg, MachineArgs, SourceArgs};
pub(crate) use trace::{
    ExportArgs, FitArgs, GenerateArgs, ImportArgs, InfoArgs, PersistenceArg, TableArg, TableFormatArg, TraceCommand,
};
