//! `report` and `report merge`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::overwrite::OverwriteArgs;
use crate::cli::values;

/// Render a report from its report.json, or merge reports of several hosts
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  ave-workbench report reports/ledger-20260101T120000Z --open
  ave-workbench report reports/ledger-20260101T120000Z/report.json > page.html
  ave-workbench report reports/ledger-20260101T120000Z --format markdown
  ave-workbench report merge node-a/ node-b/ -o machines"
)]
pub(crate) struct ReportArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ReportCommand>,
    /// A report.json, or its directory; `-` is standard input
    #[arg(required = true, value_parser = values::input_file())]
    pub(crate) report: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = FormatArg::Html)]
    pub(crate) format: FormatArg,
    /// Output file [default: standard output; with --open, report.html beside the report.json]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) overwrite: OverwriteArgs,
    /// Open the page in the browser that BROWSER names, or in the system's default browser
    #[arg(long)]
    pub(crate) open: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    Merge(MergeArgs),
}

/// Merge reports of several hosts into one comparison of machines
///
/// Reports of equal machines become one row: their histograms are added, and percentiles are read from the sum. All
/// reports must have the same source, seed, durability modes, and load, or target and objective. Runs of the shards of a
/// trace (`trace export --shard`) become one row whose rates are added; every shard must be there once. Interrupted
/// reports are refused.
///
/// Exit codes: 0 a report passed; 1 data lost, or none passed; 2 reports that cannot be merged; 3 a report is inconclusive; 4
/// input or output error.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench report merge fleet/*/ledger-*
  ave-workbench report merge node-a/report.json node-b/report.json -o machines
  ave-workbench report merge fleet/*/ledger-* --json | jq .sentence
  # One trace that 16 hosts replayed
  ave-workbench report merge shards/*/report.json -o whole")]
pub(crate) struct MergeArgs {
    /// Report directories or report.json files; `-` is standard input
    #[arg(value_name = "REPORT", required = true, value_parser = values::input_file())]
    pub(crate) reports: Vec<PathBuf>,
    /// The failure.json of a host without a report, which the comparison names; may be repeated
    #[arg(long = "failure", value_name = "FILE", value_parser = values::input_file())]
    pub(crate) failures: Vec<PathBuf>,
    /// Directory of the comparison itself, to be created [default: reports/NAME-machines-TIME]
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    Html,
    Markdown,
    Json,
}
