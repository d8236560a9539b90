//! `run`.

use std::time::Duration;

use jiff::Timestamp;

use super::source::{MachineArgs, MetricsArgs, PlaceArgs, SourceArgs};
use crate::cli::values::{OfferedRate, above_zero, count, moment, offered_rate, time_above_zero, warm_up};
use crate::load::{Objective, WarmUp};

/// Replay a workload or trace with durability on and off, and report throughput and latency
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # Maximum throughput in both durability modes
  ave-workbench run ledger
  # Response times at 2,000 commands/s
  ave-workbench run ledger --rate 2000
  # Latency over a rising rate
  ave-workbench run ledger --rate 500..5000 --measure 30s
  # A workload file, every write synced to disk
  ave-workbench run registers.toml --durability on --measure 30s
  # A trace, once from start to end
  ave-workbench run receipt.trace.csv.zst
  # A trace at its recorded times, a million times faster
  ave-workbench run receipt.trace.csv.zst --speed 1000000
  # Exit code 1 if the objective is missed
  ave-workbench run ledger --rate 2000 --slo p99=10ms
  # Live figures for Prometheus
  ave-workbench run ledger --rate 2000 --measure 10m --metrics 127.0.0.1:9898
  # Under the CPU and memory limits of the profile `nano`
  ave-workbench run ledger --rate 2000 --machine nano
  # Kill a writing process 20 times per durability mode
  ave-workbench run ledger --kills 20
  # Cut the power under a writing process 50 times per durability mode
  ave-workbench run ledger --power-cuts 50")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Offered rate in commands/s (open loop), or transactions/s such as `"50 fact/s"`, or FROM..TO for a ramp over the measured time [default: as many as the
    /// writers complete (closed loop)]
    #[arg(long, value_name = "PER_SECOND", conflicts_with = "speed", allow_hyphen_values = true, value_parser = offered_rate)]
    pub(crate) rate: Option<OfferedRate>,
    /// Replay a trace at its recorded times, this many times faster; 1 is the recorded speed
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true, value_parser = above_zero)]
    pub(crate) speed: Option<f64>,
    /// Rounds per durability mode; the modes alternate. `compare` needs at least 4, better 10
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = count::<u32>(1..=u64::MAX))]
    pub(crate) rounds: u32,
    /// Unmeasured time at the start of each round, or `steady`: until rate and latency are stable, 2 s to 10 s [default:
    /// steady; 1s for a ramp; 0s for a trace replayed once]
    #[arg(long, value_name = "TIME", value_parser = warm_up)]
    pub(crate) warmup: Option<WarmUp>,
    /// Measured time per round [default: 3s, or as long as the samples of --slo take at --rate; a trace is replayed once from start to end, or repeated with new actors if
    /// --rate or --measure is given]
    #[arg(long, value_name = "TIME", value_parser = time_above_zero)]
    pub(crate) measure: Option<Duration>,
    /// Moment at which the first round begins, its warm-up first, in the future: RFC 3339 such as 2026-05-04T12:00:00Z. For
    /// the shards of a trace on several hosts, with --rounds 1 and one durability mode [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) start_at: Option<Timestamp>,
    /// Events that the actors of a workload have persisted besides its preload, more of busier actors: a database as it will
    /// be later. The report of a plan names the number
    #[arg(long, value_name = "EVENTS", default_value_t = 0, value_parser = count::<u64>(0..=u64::MAX))]
    pub(crate) grown_by: u64,
    /// Objective: a percentile of the response time and its limit, for example `p99=10ms` or `recover:p99.9=50ms`
    #[arg(long, value_name = "OBJECTIVE")]
    pub(crate) slo: Option<Objective>,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// Compare the database with all acknowledged writes, after the run and after each kill (the default)
    #[arg(long, conflicts_with = "no_verify")]
    pub(crate) verify: bool,
    /// Skip verification, kills and power cuts
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Writing processes to kill (SIGKILL) per durability mode; after each kill the database is opened again and checked
    /// for all acknowledged writes
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 3,
        conflicts_with = "no_verify",
        value_parser = count::<u32>(0..=u64::MAX)
    )]
    pub(crate) kills: u32,
    /// Power cuts per durability mode: processes write to a file system in memory that then forgets what was not synced
    /// (needs FUSE); after each cut the database is opened again and checked
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 0,
        conflicts_with = "no_verify",
        value_parser = count::<u32>(0..=u64::MAX)
    )]
    pub(crate) power_cuts: u32,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
}
