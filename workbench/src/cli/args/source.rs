//! What is replayed, and where: options that several commands share.

use std::path::PathBuf;

use clap::{ValueEnum, value_parser};

use crate::cli::error::CliError;
use crate::cli::values::{self, TunedFor};
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
    #[arg(long)]
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
    #[arg(long, value_name = "COUNT", alias = "workers", value_parser = value_parser!(u64).range(1..=MOST_WRITERS))]
    pub(crate) writers: Option<u64>,
    /// Directory for the databases, on the disk to measure; they are removed afterwards
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) data_dir: PathBuf,
    /// Directory for reports
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub(crate) reports_dir: PathBuf,
    /// Open the report in a browser when done
    #[arg(long)]
    pub(crate) open: bool,
}

/// The machine to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct MachineArgs {
    /// Machine to tune the backend for: a profile (nano … 2xlarge), `CORES,RAM_MB`, or `host`
    #[arg(long, value_name = "SPEC", default_value = "host", value_parser = values::tuned_for)]
    pub(crate) spec: TunedFor,
    /// Emulate a machine: run in a control group with its CPU and memory limits, and tune the backend for it. A profile
    /// or `CORES,RAM_MB`; an out-of-memory kill is a FAIL
    #[arg(long, value_name = "SPEC", conflicts_with = "spec", value_parser = values::machine)]
    pub(crate) machine: Option<Machine>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DurabilityArg {
    Off,
    On,
    Both,
}
