//! When a difference between reports counts as a regression.

use crate::cli::values::percent;
use crate::compare::CompareSettings;

/// For the commands that decide whether builds became slower.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct RuleArgs {
    /// Smallest slowdown that counts as a regression
    #[arg(long, value_name = "PERCENT", default_value = "5%", allow_hyphen_values = true, value_parser = percent)]
    threshold: f64,
    /// Slowdown that must be excluded to report "no regression" [default: twice the threshold]
    #[arg(long, value_name = "PERCENT", allow_hyphen_values = true, value_parser = percent)]
    rule_out: Option<f64>,
    /// Confidence level; 100 % minus it is the probability of a false alarm if nothing changed, in all figures together
    #[arg(long, value_name = "PERCENT", default_value = "95%", allow_hyphen_values = true, value_parser = percent)]
    confidence: f64,
    /// Accept reports of different hosts and settings; differences between those then count as differences between the builds
    #[arg(long)]
    across_hosts: bool,
}

impl RuleArgs {
    pub(crate) const fn settings(self) -> CompareSettings {
        CompareSettings {
            threshold_percent: self.threshold,
            rule_out_percent: self.rule_out,
            confidence_percent: self.confidence,
            across_hosts: self.across_hosts,
        }
    }
}
