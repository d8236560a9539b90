//! `history`.

use std::path::PathBuf;

use super::rule::RuleArgs;
use crate::cli::values::input_file;

/// Show how the figures of one question changed over time and builds
///
/// The newest report decides on the question; reports of others are listed as left out. Change points divide the reports
/// into segments; the newest segment is compared with the one before, or with that of --baseline. Regression: a change
/// by at least --threshold in which neither host nor settings changed as well.
///
/// Exit codes: 0 no regression; 1 regression or data lost; 2 reports of different questions; 3 inconclusive; 4
/// input or output error.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench history reports/
  # Has anything become slower since this report?
  ave-workbench history reports/ --baseline reports/ledger-20260101T120000Z
  ave-workbench history runs/ more-runs/ --threshold 10% -o history
  ave-workbench history reports/ --json | jq -r .sentence")]
pub(crate) struct HistoryArgs {
    /// Directories of reports, report directories, or report.json files; `-` is standard input
    #[arg(value_name = "REPORTS", required = true, value_parser = input_file())]
    pub(crate) reports: Vec<PathBuf>,
    /// Report to compare the newest with, in REPORTS or elsewhere: its segment is the reference [default: the segment before
    /// the newest]
    #[arg(long, value_name = "REPORT", value_parser = input_file())]
    pub(crate) baseline: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) rule: RuleArgs,
    /// Directory of the history itself, to be created [default: reports/NAME-history-TIME]
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}
