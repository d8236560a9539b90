//! `certify`.

use std::path::PathBuf;
use std::time::Duration;

use super::source::{DataArgs, DurabilityArg, MachineArgs, MetricsArgs};
use crate::cli::values;
use crate::load::{MOST_WRITERS, Objective, Rate};

/// Test one rate for a long time and judge its worst time slice
///
/// The time is divided into slices, and each must meet the objective: one bad minute fails the hour. PASS (exit code 0):
/// all slices met it. FAIL (1): a slice missed it while the host was undisturbed, or data were lost. INCONCLUSIVE (3): the
/// measurements do not support a verdict, or the test was interrupted. After Ctrl-C or a kill, run the same command again
/// to resume. The certificate, JSON with a checksum of its inputs, is written beside the report.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench certify ledger --rate 2000 --slo p99=10ms
  # A day, judged by its worst minute
  ave-workbench certify ledger --rate 2000 --slo p99=10ms \\
    --duration 24h --slice 1m
  ave-workbench certify receipt.trace.csv.zst --rate 300 \\
    --slo recover:p99=50ms --slice 30s --durability both
  # Verify a certificate's checksum and workload
  ave-workbench certify ledger \\
    --check reports/ledger-20260101T120000Z/certificate.json")]
pub(crate) struct CertifyArgs {
    /// Built-in workload, workload file (.toml) or trace (.csv, .csv.zst)
    #[arg(value_name = "WORKLOAD|TRACE", required_unless_present = "check")]
    pub(crate) source: Option<PathBuf>,
    /// Rate to test, commands/s, or transactions/s such as `"50 fact/s"`
    #[arg(
        long,
        value_name = "PER_SECOND",
        required_unless_present = "check",
        allow_hyphen_values = true,
        value_parser = values::rate
    )]
    pub(crate) rate: Option<Rate>,
    /// Objective that each slice must meet, for example `p99=10ms` or `recover:p99.9=50ms`
    #[arg(long, value_name = "OBJECTIVE", required_unless_present = "check")]
    pub(crate) slo: Option<Objective>,
    /// Test time in each durability mode, whole slices
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = values::time)]
    pub(crate) duration: Duration,
    /// Length of a slice, whole seconds
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = values::time)]
    pub(crate) slice: Duration,
    /// Interval at which measurements are saved, at most 5m [default: 1m, at least three slices]
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub(crate) segment: Option<Duration>,
    /// Durability modes to test, one after the other
    #[arg(long, value_enum, default_value_t = DurabilityArg::On)]
    pub(crate) durability: DurabilityArg,
    /// Events that the actors of a workload have persisted besides its preload, more of busier actors: a database as it will
    /// be later. The report of a plan names the number
    #[arg(long, value_name = "EVENTS", default_value_t = 0, value_parser = values::count::<u64>(0..=u64::MAX))]
    pub(crate) grown_by: u64,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// Random seed [default: the workload's own; 1 for a trace]
    #[arg(long, value_parser = values::count::<u64>(0..=u64::MAX))]
    pub(crate) seed: Option<u64>,
    /// Accept a truncated trace, up to its last complete line
    #[arg(long)]
    pub(crate) allow_truncated: bool,
    /// Threads that issue commands: commands in flight, at most one per actor [default: one per usable core with
    /// durability off, 64 with durability on, where writers share syncs]
    #[arg(long, value_name = "COUNT", alias = "workers", value_parser = values::count::<u64>(1..=MOST_WRITERS))]
    pub(crate) writers: Option<u64>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Directory in which each report has a directory of its own, NAME-TIME; and for saved measurements of an interrupted
    /// test
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub(crate) reports_dir: PathBuf,
    /// Discard saved measurements of these inputs and start over
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Verify a certificate's checksum and, if a source is given, its workload, instead of testing; exit code 1 on a
    /// mismatch; `-` is standard input
    #[arg(long, value_name = "FILE", value_parser = values::input_file(), conflicts_with_all = ["rate", "slo", "fresh", "duration", "slice", "segment", "durability", "tune_for", "machine", "writers"])]
    pub(crate) check: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
}
