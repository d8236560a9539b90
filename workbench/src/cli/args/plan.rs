//! `plan`.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use super::source::{MetricsArgs, PlaceArgs, SourceArgs};
use crate::cli::values::{
    DiskArg, Targets, above_zero, count, days, disk, growth, horizon, input_file, machine, percent, targets,
};
use crate::host::Machine;
use crate::load::Objective;
use crate::plan::WhatIf;

/// Find the smallest or cheapest machine that sustains a target rate
///
/// Replays your workload under each candidate machine's CPU and memory limits, page cache included, and names the
/// recommended machine and the rate it sustains, or says that none qualified. After an interruption, run the same
/// command again to resume.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "\
ave-workbench plan [OPTIONS] <WORKLOAD|TRACE>
         --target <PER_SECOND> --slo <OBJECTIVE>
       ave-workbench plan [OPTIONS] --from <REPORT>",
    mut_arg("source", |source| source.required(false).required_unless_present("from").conflicts_with("from")),
    after_help = "\
Examples:
  ave-workbench plan ledger --target 2000 --slo p99=10ms
  # About a minute instead of five, then the report in a browser
  ave-workbench plan ledger --target 2000 --slo p99=10ms --quick --open
  ave-workbench plan registers --target 500 --slo p99.9=50ms --headroom 50
  # Two candidates: a profile, and 2 cores with 1,500 MiB
  ave-workbench plan ledger --target 2000 --slo p99=10ms \\
    --machine nano --machine 2,1500
  # Also with twice the actors and three times the event size
  ave-workbench plan ledger --target 2000 --slo p99=10ms \\
    --what-if actors=2x,event_size=3x
  ave-workbench plan receipt.trace.csv.zst --target 300 --slo p99=20ms
  # The cheapest of the machines in a file, for an uncertain demand that grows
  ave-workbench plan ledger --target 500,2000,5000 --growth 4%/month \
    --slo p99=10ms --machines machines.csv
  # Other targets or prices on a finished plan, without measuring
  ave-workbench plan --from reports/ledger-20260101T120000Z --target 3000
  # Which of two other hosts is enough, by what `host --probe -o b.json` wrote there
  ave-workbench plan --from reports/ledger-20260101T120000Z --host b.json c.json"
)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Rank the machines of a finished plan again, with another `--target`, `--headroom`, `--growth` or `--machines`,
    /// without measuring: a report.json, or its directory; `-` is standard input
    #[arg(long, value_name = "REPORT", value_parser = input_file(), conflicts_with_all = [
        "seed", "allow_truncated", "slo", "quick", "thorough", "machine", "emulation", "actors", "retention", "horizon",
        "disk", "tbw", "what_if", "fresh", "durability", "writers", "data_dir", "metrics",
    ])]
    pub(crate) from: Option<PathBuf>,
    /// With `--from`: predict what other hosts will sustain, and name the smallest that is enough, from their profiles, files
    /// that `host --probe -o` wrote there, or from reports of plans that ran there, with which the prediction is compared; may
    /// be repeated. With `--machines` the price of `b.json` is that of the machine `b`
    #[arg(long, value_name = "PROFILE|REPORT", num_args = 1..)]
    pub(crate) host: Vec<PathBuf>,
    /// Rate to sustain, commands/s, or transactions/s such as `"50 fact/s"`; or the lowest, the likely and the highest:
    /// `500,2000,5000`
    #[arg(
        long, value_name = "PER_SECOND", allow_hyphen_values = true, required_unless_present = "from",
        value_parser = targets
    )]
    pub(crate) target: Option<Targets>,
    /// Growth of the demand, such as `4%/month` or `60%/year`: the database, the day on which the disk is full, and wear
    /// follow it, and the report says when the next machine is needed
    #[arg(long, value_name = "GROWTH", value_parser = growth)]
    pub(crate) growth: Option<f64>,
    /// Objective: a percentile of the response time and its limit, for example `p99=10ms`, `recover:p99.9=50ms`, or
    /// `fact:p99=200ms` on a transaction
    #[arg(long, value_name = "OBJECTIVE", required_unless_present = "from")]
    pub(crate) slo: Option<Objective>,
    /// Share of the capacity to keep free, percent [default: 30, or that of the plan of `--from`]
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true, value_parser = percent)]
    pub(crate) headroom: Option<f64>,
    /// Take about a minute instead of five: fewer repetitions, only the smallest machine that sustains the target
    #[arg(long, conflicts_with = "thorough")]
    pub(crate) quick: bool,
    /// Measure every machine that this host can emulate, with more repetitions
    #[arg(long)]
    pub(crate) thorough: bool,
    /// Candidate machine: a profile (nano … 2xlarge, see `ave-workbench machines`) or `CORES,RAM_MIB`; may be repeated
    /// [default: all profiles]
    #[arg(long, value_name = "MACHINE", value_parser = machine)]
    pub(crate) machine: Vec<Machine>,
    /// Candidate machines with their sizes, disks and prices: a file (.toml, .csv), or `cloud` for common sizes of cloud
    /// machines without prices; `-` is standard input. With prices the cheapest is recommended
    #[arg(long, value_name = "FILE", value_parser = input_file(), conflicts_with = "machine")]
    pub(crate) machines: Option<PathBuf>,
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
    /// the report says which machine is enough for how long [default: the retention, or `1y`; at least `1y` with --growth or
    /// --machines]
    #[arg(long, value_name = "TIME", value_parser = horizon)]
    pub(crate) horizon: Option<Duration>,
    /// Size of the disk for the database, GB, whichever machine is bought [default: that of a machine of a catalogue, or one that
    /// lasts until the horizon where it gives none; without a catalogue the free space under the data directory]; or its profile, a file of
    /// `host --probe -o`, or `-` for standard input, which is compared with the disk of today. May be given twice, for both
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
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
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
