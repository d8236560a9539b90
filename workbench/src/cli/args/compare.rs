//! `compare`.

use std::path::PathBuf;

use crate::cli::values::{input_file, percent};

/// Compare builds by their reports and detect regressions
///
/// A build is given as a report of `run`, or as a directory of its reports, which count as repetitions. The median
/// service time of each command decides. Regression: a slowdown that is significant among all rows together (Holm) and
/// at least --threshold. No difference: the confidence interval excludes a slowdown of --threshold. Otherwise, or if the
/// host itself changed between the builds, the result is inconclusive.
///
/// Exit codes: 0 no regression; 1 regression; 2 reports that cannot be compared; 3 inconclusive; 4 input or output error.
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
    /// Smallest slowdown that counts as a regression
    #[arg(long, value_name = "PERCENT", default_value = "5%", allow_hyphen_values = true, value_parser = percent)]
    pub(crate) threshold: f64,
    /// Slowdown that must be excluded for every command to report "no regression" [default: twice the threshold]
    #[arg(long, value_name = "PERCENT", allow_hyphen_values = true, value_parser = percent)]
    pub(crate) rule_out: Option<f64>,
    /// Confidence level; 100 % minus it is the probability of a false alarm in the whole comparison
    #[arg(long, value_name = "PERCENT", default_value = "95%", allow_hyphen_values = true, value_parser = percent)]
    pub(crate) confidence: f64,
    /// Compare reports of different hosts; differences between the hosts then count as differences between the builds
    #[arg(long)]
    pub(crate) across_hosts: bool,
    /// Directory of the comparison itself, to be created [default: reports/NAME-comparison-TIME]
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}
