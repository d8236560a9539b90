//! `host`.

use std::path::PathBuf;
use std::time::Duration;

use super::overwrite::OverwriteArgs;
use crate::cli::values;

/// Describe this host: the machine profile it matches, its disk, and what would disturb a measurement
///
/// The disk is probed for the time of --probe: sync latency by bytes per sync, random read latency by depth, sequential
/// rates, the band they swing through, and steps such as the end of burst credits, which take a minute or more to find.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench host
  # RocksDB's settings for it, and the reasons
  ave-workbench host --tuning --probe 0s
  ave-workbench host --data-dir /var/lib/ledger --probe
  # Long enough to find the end of burst credits
  ave-workbench host --probe --for 10m
  # Keep the profile, and compare a later plan with it
  ave-workbench host --probe -o disk.json
  ave-workbench plan ledger --target 2000 --slo p99=10ms --disk disk.json
  ave-workbench host --json | jq .machine_profile")]
pub(crate) struct HostArgs {
    /// Directory on the disk to inspect; it must exist
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) data_dir: PathBuf,
    /// Probe the disk for this long; 0s skips it [default: 10s, 2s without this option]
    #[arg(
        long,
        value_name = "TIME",
        num_args = 0..=1,
        default_value = "2s",
        default_missing_value = "10s",
        hide_default_value = true,
        value_parser = values::time
    )]
    pub(crate) probe: Duration,
    /// Duration of the probe, the same as the value of --probe
    #[arg(long = "for", value_name = "TIME", value_parser = values::time_above_zero)]
    pub(crate) probe_for: Option<Duration>,
    /// Show RocksDB's settings for this machine, each with its reason
    #[arg(long)]
    pub(crate) tuning: bool,
    /// Output file for the disk profile, which `plan --disk` compares
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) overwrite: OverwriteArgs,
}
