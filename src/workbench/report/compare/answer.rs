//! From a difference to an answer.

use super::Answer;
use crate::workbench::measure::Difference;

/// What a difference must show to be an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rule {
    /// The threshold as a logarithm: a slowdown is beyond it above this, a speedup below its negative.
    pub(super) limit: f64,
    /// Confidence, between 0 and 1.
    pub(super) confidence: f64,
}

/// Samples beyond which more of them are no advice.
const MOST_SAMPLES: f64 = 1_000.0;

impl Rule {
    /// What a difference says whose probability under chance is `adjusted_p`, corrected for all that is compared.
    ///
    /// An alarm must hold among all comparisons, hence the correction. "No difference" is said of a comparison only if
    /// every row says so, each at its full confidence, which needs none (R. L. Berger, "Multiparameter Hypothesis Testing
    /// and Acceptance Sampling", Technometrics 24, 1982). It asks for one end only, hence the one-sided bound.
    pub(super) fn answer(self, difference: Difference, adjusted_p: f64) -> Answer {
        let mirrored = Difference { estimate: -difference.estimate, ..difference };
        let [slower_at_most, faster_at_most] = [difference, mirrored].map(|one| one.at_most(self.confidence));
        let is_significant = adjusted_p < 1.0 - self.confidence;
        if is_significant && difference.estimate >= self.limit {
            Answer::Regression
        } else if is_significant && difference.estimate <= -self.limit {
            Answer::Improvement
        } else if slower_at_most >= self.limit {
            Answer::Undecided
        } else if faster_at_most < self.limit {
            Answer::NoDifference
        } else {
            Answer::NoRegression
        }
    }

    /// Samples on each side with which the bound around this estimate would not reach the threshold any more; `None`
    /// where that is more than anybody would take.
    pub(super) fn samples_needed(self, difference: Difference, samples: u32) -> Option<u32> {
        let reach = difference.at_most(self.confidence) - difference.estimate;
        // An estimate at the threshold would take forever: it will move.
        let distance = (self.limit - difference.estimate).abs().max(self.limit / 3.0);
        let needed = (f64::from(samples) * (reach / distance).powi(2)).ceil().max(f64::from(samples) + 1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and below the most")]
        (needed <= MOST_SAMPLES).then_some(needed as u32)
    }
}

/// Probabilities corrected for their number, so that the chance of one false alarm among all is kept (S. Holm, "A Simple
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
pub(super) fn percent(logarithm: f64) -> f64 {
    100.0 * logarithm.exp_m1()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { limit: 0.05, confidence: 0.95 };

    /// Of so many degrees of freedom that Student's t is the normal distribution: the bound is 1.645 errors away.
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
    fn no_difference_needs_an_interval_that_excludes_one() {
        assert_eq!(RULE.answer(difference(0.0, 0.02), 1.0), Answer::NoDifference);
        assert_eq!(RULE.answer(difference(0.0, 0.031), 1.0), Answer::Undecided);
        assert_eq!(RULE.answer(difference(-0.04, 0.02), 1.0), Answer::NoRegression, "it may be faster");
    }

    #[test]
    fn more_samples_are_asked_for_where_they_would_help() {
        let needed = |estimate, error| RULE.samples_needed(difference(estimate, error), 10);
        assert_eq!(needed(0.0, 0.05), Some(28), "the bound must shrink by 1.645");
        assert!(needed(0.0, 0.1) > needed(0.0, 0.05) && needed(0.04, 0.05) > needed(0.0, 0.05));
        assert_eq!(needed(0.0, 1.0), None);
    }

    #[test]
    fn the_least_probable_is_corrected_for_all_and_the_others_for_those_left() {
        assert_eq!(holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
        assert_eq!(holm(&[0.5, 0.9]), [1.0, 1.0]);
        assert_eq!(holm(&[]), Vec::<f64>::new());
    }
}
