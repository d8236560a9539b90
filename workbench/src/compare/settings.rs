//! Settings of a comparison.

use super::answer::Rule;
use super::error::CompareError;

/// What counts as a regression, and the confidence of answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CompareSettings {
    /// Slowdown that counts as a regression, percent, more than 0 and less than 1,000; default 5.
    pub threshold_percent: f64,
    /// Slowdown that must be ruled out for every command before the answer is "no regression", percent, the threshold at
    /// least; `None` is twice the threshold. Between the two, finite samples have no answer.
    pub rule_out_percent: Option<f64>,
    /// Confidence of intervals and of the whole comparison, percent, from 50 to below 100; default 95.
    pub confidence_percent: f64,
    /// Compare reports of different hosts, whose difference then counts as one of the builds.
    pub across_hosts: bool,
}

impl Default for CompareSettings {
    fn default() -> Self {
        Self { threshold_percent: 5.0, rule_out_percent: None, confidence_percent: 95.0, across_hosts: false }
    }
}

impl CompareSettings {
    pub(crate) fn check(self) -> Result<(), CompareError> {
        let (threshold, rule_out, confidence) =
            (self.threshold_percent, self.rule_out_percent(), self.confidence_percent);
        let problem = if !(threshold > 0.0 && threshold < 1_000.0) {
            format!("a threshold of {threshold} %, expected more than 0 % and less than 1000 %")
        } else if !(rule_out >= threshold && rule_out.is_finite()) {
            format!("{rule_out} % to rule out, expected at least the threshold, {threshold} %")
        } else if !(50.0..100.0).contains(&confidence) {
            format!("a confidence of {confidence} %, expected at least 50 % and less than 100 %")
        } else {
            return Ok(());
        };
        Err(CompareError::Settings(problem))
    }

    /// Slowdown that must be ruled out, percent.
    pub(crate) fn rule_out_percent(self) -> f64 {
        self.rule_out_percent.unwrap_or(2.0 * self.threshold_percent)
    }

    pub(crate) fn rule(self) -> Rule {
        let logarithm = |percent: f64| (percent / 100.0).ln_1p();
        Rule {
            limit: logarithm(self.threshold_percent),
            ruled_out: logarithm(self.rule_out_percent()),
            confidence: self.confidence_percent / 100.0,
        }
    }
}
