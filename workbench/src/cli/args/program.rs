//! The program and its commands.

use std::sync::LazyLock;

use clap::{Parser, Subcommand};

use super::certify::CertifyArgs;
use super::compare::CompareArgs;
use super::db::DbCommand;
use super::history::HistoryArgs;
use super::host::HostArgs;
use super::plan::PlanArgs;
use super::print::{CompletionsArgs, MachinesArgs, ManArgs, WorkloadsArgs};
use super::report::ReportArgs;
use super::run::RunArgs;
use super::trace::TraceCommand;
use crate::report::{COMMIT, VERSION, build_name};

/// `0.4.1 (1a2b3c4d5e6f)`.
static BUILD: LazyLock<String> = LazyLock::new(|| build_name(VERSION, COMMIT));

/// Measure an actor store on RocksDB and size machines for it
///
/// A workload describes actors: how many there are, what they store, which commands they receive. A trace is a
/// recording of such commands. `run` replays either against the RocksDB backend on this host, `plan` finds the smallest
/// machine for a target rate, and `certify` tests one rate for a long time.
///
/// Exit codes: 0 pass; 1 objective missed, data lost or damaged, or regression; 2 invalid arguments; 3 inconclusive; 4 input, output
/// or database error.
#[derive(Debug, Parser)]
#[command(
    name = "ave-workbench",
    version = BUILD.as_str(),
    max_term_width = 100,
    after_help = "\
Examples:
  ave-workbench host
  ave-workbench machines
  ave-workbench workloads
  ave-workbench run ledger
  ave-workbench plan ledger --target 2000 --slo p99=10ms
  ave-workbench certify ledger --rate 2000 --slo p99=10ms
  ave-workbench compare base/ candidate/
  ave-workbench history reports/
  ave-workbench trace import events.csv
  ave-workbench db info /var/lib/ledger/db
  ave-workbench run events.trace.csv.zst"
)]
pub(crate) struct Args {
    /// Print errors only: no progress, no tables
    #[arg(long, short, global = true, help_heading = "Output options")]
    pub(crate) quiet: bool,
    /// Print the result as JSON
    #[arg(long, global = true, help_heading = "Output options")]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Host(HostArgs),
    Run(RunArgs),
    Plan(PlanArgs),
    Certify(CertifyArgs),
    Compare(CompareArgs),
    History(HistoryArgs),
    Workloads(WorkloadsArgs),
    Machines(MachinesArgs),
    #[command(subcommand)]
    Trace(TraceCommand),
    #[command(subcommand)]
    Db(DbCommand),
    Report(ReportArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
    /// Load a database until killed
    #[command(hide = true, after_help = "Internal: started by `run`, which writes the task to standard input.")]
    CrashVictim,
    /// Load a database under the limits of a machine
    #[command(hide = true, after_help = "Internal: started by `plan`, which writes the task to standard input.")]
    Rig,
}
