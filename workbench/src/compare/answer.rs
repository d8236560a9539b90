//! The answer that a difference supports.

use super::result::Answer;
use crate::measure::Difference;
use crate::units;

/// Thresholds for an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rule {
    /// The threshold as a logarithm: a slowdown is beyond it above this, a speedup below its negative.
    pub(crate) limit: f64,
    /// The slowdown, and the speedup, to rule out for "no difference", as a logarithm; the limit at least.
    pub(crate) ruled_out: f64,
    /// Confidence, between 0 and 1.
    pub(crate) confidence: f64,
}

/// More samples than this are not advised.
const MOST_SAMPLES: f64 = 1_000.0;

impl Rule {
    /// The answer of a difference with p-value `adjusted_p`, corrected for all comparisons.
    ///
    /// A false alarm in any comparison counts, hence the correction. "No difference" of a comparison requires it of every
    /// row, each at its full confidence, which needs no correction (R. L. Berger, "Multiparameter Hypothesis Testing and
    /// Acceptance Sampling", Technometrics 24, 1982). It concerns one end only, hence the one-sided bound. An estimate that
    /// reaches the threshold is never "no regression", however narrow its interval.
    pub(crate) fn answer(self, difference: Difference, adjusted_p: f64) -> Answer {
        let mirrored = Difference { estimate: -difference.estimate, ..difference };
        let [is_slower, is_faster] = [difference, mirrored].map(|one| one.estimate >= self.limit);
        let [may_be_slower, may_be_faster] =
            [difference, mirrored].map(|one| one.at_most(self.confidence) >= self.ruled_out);
        let is_significant = adjusted_p < 1.0 - self.confidence;
        if is_significant && is_slower {
            Answer::Regression
        } else if is_significant && is_faster {
            Answer::Improvement
        } else if is_slower || may_be_slower {
            Answer::Undecided
        } else if is_faster || may_be_faster {
            Answer::NoRegression
        } else {
            Answer::NoDifference
        }
    }

    /// Why it is undecided.
    pub(crate) fn doubt(self, difference: Difference) -> String {
        if difference.estimate >= self.limit {
            return format!("{}, which may be chance", units::percent_difference(percent(difference.estimate)));
        }
        let at_most = units::percent(percent(difference.at_most(self.confidence)));
        format!("a slowdown of up to {at_most} is not ruled out")
    }

    /// Samples on each side with which this estimate would probably have an answer; `None` above [`MOST_SAMPLES`].
    pub(super) fn samples_needed(self, difference: Difference, samples: u32) -> Option<u32> {
        let reach = difference.at_most(self.confidence) - difference.estimate;
        let is_beyond = difference.estimate >= self.limit;
        let distance = if is_beyond { difference.estimate } else { self.ruled_out - difference.estimate };
        // An estimate near the threshold would need endless samples without a margin; it will move.
        let distance = distance.max(self.limit / 3.0);
        let needed = (f64::from(samples) * (reach / distance).powi(2)).ceil().max(f64::from(samples) + 1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and below the most")]
        (needed <= MOST_SAMPLES).then_some(needed as u32)
    }
}

/// P-values corrected for their number, so that they bound the chance of any false alarm (S. Holm, "A Simple
/// Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6, 1979).
pub(super) fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&one, &other| p_values[one].total_cmp(&p_values[other]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least: f64 = 0.0;
    for (rank, &place) in order.iter().enumerate() {
        let tests_left = (p_values.len() - rank) as f64;
        least = least.max((p_values[place] * tests_left).min(1.0));
        adjusted[place] = least;
    }
    adjusted
}

/// A difference of logarithms as percent more.
pub(crate) fn percent(logarithm: f64) -> f64 {
    100.0 * logarithm.exp_m1()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { limit: 0.05, ruled_out: 0.1, confidence: 0.95 };

    /// With enough degrees of freedom for the normal distribution: the bound is 1.645 errors away.
    fn difference(estimate: f64, standard_error: f64) -> Difference {
        Difference { estimate, standard_error, degrees: 1e6 }
    }

    #[test]
    fn an_alarm_needs_both_size_and_significance() {
        assert_eq!(RULE.answer(difference(0.08, 0.01), 0.001), Answer::Regression);
        assert_eq!(RULE.answer(difference(-0.08, 0.01), 0.001), Answer::Improvement);
        assert_eq!(RULE.answer(difference(0.08, 0.01), 0.06), Answer::Undecided, "not significant among all");
        assert_eq!(RULE.answer(difference(0.02, 0.001), 0.001), Answer::NoDifference, "significant, and too small");
    }

    #[test]
    fn no_difference_needs_a_bound_that_excludes_one() {
        assert_eq!(RULE.answer(difference(0.0, 0.06), 1.0), Answer::NoDifference);
        assert_eq!(RULE.answer(difference(0.0, 0.061), 1.0), Answer::Undecided);
        assert_eq!(RULE.answer(difference(-0.04, 0.05), 1.0), Answer::NoRegression, "it may be faster");
    }

    #[test]
    fn an_estimate_at_the_threshold_is_never_no_regression() {
        assert_eq!(RULE.answer(difference(0.05, 0.001), 1.0), Answer::Undecided);
        assert_eq!(RULE.answer(difference(-0.05, 0.001), 1.0), Answer::NoRegression);
    }

    #[test]
    fn more_samples_are_advised_where_they_would_help() {
        let needed = |estimate, error| RULE.samples_needed(difference(estimate, error), 10);
        assert_eq!(needed(0.0, 0.1), Some(28), "the bound must shrink by 1.645");
        assert!(needed(0.0, 0.2) > needed(0.0, 0.1) && needed(0.04, 0.1) > needed(0.0, 0.1));
        assert!(needed(0.06, 0.1) > needed(0.08, 0.1), "the larger it is the sooner it is beyond chance");
        assert_eq!(needed(0.0, 1.0), None);
    }

    #[test]
    fn p_values_are_corrected_for_those_not_smaller() {
        assert_eq!(holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
        assert_eq!(holm(&[0.5, 0.9]), [1.0, 1.0]);
        assert_eq!(holm(&[]), Vec::<f64>::new());
    }
}
