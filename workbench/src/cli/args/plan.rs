//! `plan`.

use std::time::Duration;

use clap::ValueEnum;

use super::source::{PlaceArgs, SourceArgs};
use crate::cli::values::{DiskArg, above_zero, count, days, disk, horizon, machine, percent, rate};
use crate::host::Machine;
use crate::load::{Objective, Rate};
use crate::plan::WhatIf;

/// Find the smallest machine that sustains a target rate
///
/// Replays your workload under each candidate machine's CPU and memory limits, page cache included, and names the
/// recommended machine and the rate it sustains, or says that none qualified. After an interruption, run the same
/// command again to resume.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "\
ave-workbench plan [OPTIONS] <WORKLOAD|TRACE>
         --target <PER_SECOND> --slo <OBJECTIVE>",
    after_help = "\
Examples:
  ave-workbench plan ledger --target 2000 --slo p99=10ms
  # One to two minutes instead of five, then the report in a browser
  ave-workbench plan ledger --target 2000 --slo p99=10ms --quick --open
  ave-workbench plan registers --target 500 --slo p99.9=50ms --headroom 50
  # Two candidates: a profile, and 2 cores with 1,500 MiB
  ave-workbench plan ledger --target 2000 --slo p99=10ms \\
    --machine nano --machine 2,1500
  # Also with twice the actors and three times the event size
  ave-workbench plan ledger --target 2000 --slo p99=10ms \\
    --what-if actors=2x,event_size=3x
  ave-workbench plan receipt.trace.csv.zst --target 300 --slo p99=20ms"
)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Rate to sustain, commands/s, or transactions/s such as `"50 fact/s"`
    #[arg(long, value_name = "PER_SECOND", allow_hyphen_values = true, value_parser = rate)]
    pub(crate) target: Rate,
    /// Objective: a percentile of the response time and its limit, for example `p99=10ms`, `recover:p99.9=50ms`, or
    /// `fact:p99=200ms` on a transaction
    #[arg(long, value_name = "OBJECTIVE")]
    pub(crate) slo: Objective,
    /// Share of the capacity to keep free, percent
    #[arg(long, value_name = "PERCENT", default_value = "30", allow_negative_numbers = true, value_parser = percent)]
    pub(crate) headroom: f64,
    /// Take one to two minutes instead of five: fewer repetitions, only the smallest machine that sustains the target
    #[arg(long, conflicts_with = "thorough")]
    pub(crate) quick: bool,
    /// Measure every machine that this host can emulate, with more repetitions
    #[arg(long)]
    pub(crate) thorough: bool,
    /// Candidate machine: a profile (nano … 2xlarge, see `ave-workbench machines`) or `CORES,RAM_MIB`; may be repeated
    /// [default: all profiles]
    #[arg(long = "machine", value_name = "MACHINE", value_parser = machine)]
    pub(crate) machines: Vec<Machine>,
    /// How to emulate a machine's limits
    #[arg(long, value_enum, default_value_t = EmulationArg::Auto)]
    pub(crate) emulation: EmulationArg,
    /// Actors in the deployment, to estimate memory and restart time [default: those of the workload or trace]
    #[arg(long, value_name = "COUNT", value_parser = count::<u64>(1..=u64::MAX))]
    pub(crate) actors: Option<u64>,
    /// Days after which the application deletes stored data, `30` or `30d` [default: data is never deleted]
    #[arg(long, value_name = "DAYS", allow_negative_numbers = true, value_parser = days)]
    pub(crate) retention: Option<f64>,
    /// Time for which the answer must be valid, such as `90d` or `2y`: the database is as large as it will be then, and
    /// the report says which machine is enough for how long [default: the retention, or `1y`]
    #[arg(long, value_name = "TIME", value_parser = horizon)]
    pub(crate) horizon: Option<Duration>,
    /// Size of the disk for the database, GB [default: free space under the data directory]; or its profile, a file of
    /// `host --probe -o`, which is compared with the disk of today. May be given twice, for both
    #[arg(long, value_name = "GB|FILE", allow_negative_numbers = true, value_parser = disk)]
    pub(crate) disk: Vec<DiskArg>,
    /// Rated endurance (TBW) in TB; estimates years to wear-out
    #[arg(long, value_name = "TB", allow_negative_numbers = true, value_parser = above_zero)]
    pub(crate) tbw: Option<f64>,
    /// Re-plan with changed inputs, multiplied (`2x`) or set: `actors`, `types`, `event_size`, `state_size`,
    /// `snapshot_every`, `preload`, `target`
    #[arg(long, value_name = "CHANGES")]
    pub(crate) what_if: Option<WhatIf>,
    /// Discard the measurements of an interrupted plan
    #[arg(long)]
    pub(crate) fresh: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EmulationArg {
    /// Control groups if permitted, else CPU affinity; the report names the one used
    Auto,
    /// Control groups, or fail: limits CPU and memory
    ControlGroups,
    /// CPU affinity: limits cores only, memory is that of this host
    Cores,
}
