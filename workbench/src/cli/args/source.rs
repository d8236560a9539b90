//! What is replayed, and where: options that several commands share.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;

use crate::cli::error::CliError;
use crate::cli::values::{self, TunedFor, count};
use crate::host::Machine;
use crate::load::MOST_WRITERS;
use crate::process::SourceSpec;

/// The source of commands.
#[derive(Debug, clap::Args)]
pub(crate) struct SourceArgs {
    /// Built-in workload, workload file (.toml) or trace (.csv, .csv.zst)
    #[arg(value_name = "WORKLOAD|TRACE", required = true)]
    pub(crate) source: Option<PathBuf>,
    /// Random seed [default: the workload's own; 1 for a trace]
    #[arg(long, value_parser = count::<u64>(0..=u64::MAX))]
    pub(crate) seed: Option<u64>,
    /// Accept a truncated trace, up to its last complete line
    #[arg(long)]
    pub(crate) allow_truncated: bool,
}

impl SourceArgs {
    /// Fails only where a command may work without a source.
    pub(crate) fn spec(&self) -> Result<SourceSpec, CliError> {
        let missing = || CliError::Usage("expected a workload or a trace".to_owned());
        let origin = self.source.clone().ok_or_else(missing)?;
        Ok(SourceSpec { origin, seed: self.seed, allow_truncated: self.allow_truncated })
    }
}

/// Where to measure, and where to write the result.
#[derive(Debug, clap::Args)]
pub(crate) struct PlaceArgs {
    /// Durability modes to measure: `on` syncs every write to disk
    #[arg(long, value_enum, default_value_t = DurabilityArg::Both)]
    pub(crate) durability: DurabilityArg,
    /// Threads that issue commands: commands in flight, at most one per actor [default: one per usable core with
    /// durability off, 64 with durability on, where writers share syncs]
    #[arg(long, value_name = "COUNT", alias = "workers", value_parser = count::<u64>(1..=MOST_WRITERS))]
    pub(crate) writers: Option<u64>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Directory in which each report has a directory of its own, NAME-TIME
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub(crate) reports_dir: PathBuf,
    /// Open the report in a browser when done
    #[arg(long)]
    pub(crate) open: bool,
}

/// Where databases are, and whether a loaded host is accepted.
#[derive(Debug, clap::Args)]
pub(crate) struct DataArgs {
    /// Directory for the databases, on the disk to measure; they are removed afterwards. It must exist
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) data_dir: PathBuf,
    /// Create the data directory if it does not exist
    #[arg(long)]
    pub(crate) create: bool,
    /// Measure even if other processes keep the host busy: the result may be inconclusive
    #[arg(long)]
    pub(crate) anyway: bool,
}

/// Live figures.
#[derive(Debug, clap::Args)]
pub(crate) struct MetricsArgs {
    /// Serve live figures of the measurement for Prometheus at http://ADDRESS:PORT/metrics, for example `127.0.0.1:9898`;
    /// port 0 is any free one
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = values::socket_address)]
    pub(crate) metrics: Option<SocketAddr>,
}

/// The machine to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct MachineArgs {
    /// Tune the backend for another machine, without its limits: a profile (nano … 2xlarge), `CORES,RAM_MIB`, or `host`
    #[arg(long = "tune-for", alias = "spec", value_name = "MACHINE", default_value = "host", value_parser = values::tuned_for)]
    pub(crate) tune_for: TunedFor,
    /// Emulate a machine: run in a control group with its CPU and memory limits, and tune the backend for it. A profile
    /// or `CORES,RAM_MIB`, see `ave-workbench machines`; an out-of-memory kill is a FAIL
    #[arg(long, value_name = "MACHINE", conflicts_with = "tune_for", value_parser = values::machine)]
    pub(crate) machine: Option<Machine>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DurabilityArg {
    Off,
    On,
    Both,
}
