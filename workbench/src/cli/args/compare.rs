//! `compare`.

use std::path::PathBuf;

use super::rule::RuleArgs;
use crate::cli::values::input_file;

/// Compare builds by their reports and detect regressions
///
/// A build is given as a report of `run`, or as a directory of its reports, which count as repetitions. The median
/// service time of each command decides. Regression: a slowdown that is significant among all rows together (Holm) and
/// at least --threshold. No difference: the confidence interval excludes a slowdown of --threshold. Otherwise, or if the
/// host itself changed between the builds, the result is inconclusive.
///
/// Exit codes: 0 no regression; 1 regression or data lost; 2 reports that cannot be compared; 3 inconclusive; 4
/// input or output error.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench compare reports/before reports/after
  # Several runs of each build, taken in turns
  ave-workbench compare base/ candidate/
  ave-workbench compare base/ candidate/ --threshold 10% -o comparison
  ave-workbench compare base/ one/ another/ --json | jq -r .sentence")]
pub(crate) struct CompareArgs {
    /// Baseline: a report.json, a report directory, or a directory of reports of one build; `-` is standard input
    #[arg(value_parser = input_file())]
    pub(crate) base: PathBuf,
    /// Builds to compare with the baseline
    #[arg(value_name = "CANDIDATE", required = true, value_parser = input_file())]
    pub(crate) candidates: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) rule: RuleArgs,
    /// Directory of the comparison itself, to be created [default: reports/NAME-comparison-TIME]
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}
