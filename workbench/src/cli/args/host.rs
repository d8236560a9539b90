//! `host`.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::values;

/// Describe this host, the machine profile it matches, and the backend tuning for it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench host
  ave-workbench host --data-dir /var/lib/ledger --probe 5s
  ave-workbench host --json | jq .machine_profile")]
pub(crate) struct HostArgs {
    /// Directory on the disk to inspect
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) data_dir: PathBuf,
    /// Duration of the sync latency probe of the disk; 0s skips it
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = values::time)]
    pub(crate) probe: Duration,
}
