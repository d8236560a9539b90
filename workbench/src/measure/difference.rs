//! The difference of two groups of values and its confidence interval.
//!
//! Welch's t for independent groups (B. L. Welch, "The Generalization of Student's Problem when Several Different
//! Population Variances are Involved", Biometrika 34, 1947), Student's t for pairs. If single values may be disturbed, a
//! trimmed mean (J. W. Tukey and D. H. `McLaughlin`, "Less Vulnerable Confidence and Significance Procedures for Location
//! Based on a Single Sample", Sankhyā A 25, 1963).

use statrs::distribution::ContinuousCDF;

use super::mean::{Mean, student};

/// The difference of two means, its standard error and degrees of freedom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Difference {
    /// Mean of the second group less that of the first.
    pub(crate) estimate: f64,
    /// Standard error of the estimate.
    pub(crate) standard_error: f64,
    /// Degrees of freedom, more than 0.
    pub(crate) degrees: f64,
}

/// Smallest standard error, below which equal values would have a p-value of 0.
const LEAST_ERROR: f64 = 1e-9;
/// Degrees of freedom above which Student's t equals the normal distribution.
const MOST_DEGREES: f64 = 1e6;

impl Difference {
    /// Of independent groups; `None` if either has fewer than two values.
    pub(crate) fn of_groups(first: &[f64], second: &[f64]) -> Option<Self> {
        let (first, second) = (Mean::of(first)?, Mean::of(second)?);
        let (one, other) = (first.standard_error.powi(2), second.standard_error.powi(2));
        let degrees = (one + other).powi(2) / (one.powi(2) / first.degrees + other.powi(2) / second.degrees);
        Some(Self {
            estimate: second.value - first.value,
            standard_error: (one + other).sqrt(),
            // Two groups without any scatter.
            degrees: if degrees.is_finite() { degrees } else { first.degrees + second.degrees },
        })
    }

    /// Of pairs, in order; `None` for fewer than two.
    ///
    /// # Panics
    ///
    /// If the groups differ in length.
    pub(crate) fn of_pairs(first: &[f64], second: &[f64]) -> Option<Self> {
        Self::of_pairs_without(first, second, 0)
    }

    /// The same, a fifth of the differences trimmed at each end where there are eight or more.
    ///
    /// # Panics
    ///
    /// If the groups differ in length.
    pub(crate) fn of_trimmed_pairs(first: &[f64], second: &[f64]) -> Option<Self> {
        let cut = if first.len() < TRIM_FROM { 0 } else { first.len() / TRIM_ONE_IN };
        Self::of_pairs_without(first, second, cut)
    }

    fn of_pairs_without(first: &[f64], second: &[f64], cut: usize) -> Option<Self> {
        assert_eq!(first.len(), second.len(), "a pair has two values");
        let differences: Vec<f64> = first.iter().zip(second).map(|(first, second)| second - first).collect();
        let Mean { value: estimate, standard_error, degrees } = Mean::trimmed(&differences, cut)?;
        Some(Self { estimate, standard_error, degrees })
    }

    /// This difference less another one that is part of it. Degrees of freedom: the smaller of both.
    #[must_use]
    pub(crate) fn less(self, part: Self) -> Self {
        Self {
            estimate: self.estimate - part.estimate,
            standard_error: self.standard_error.hypot(part.standard_error),
            degrees: self.degrees.min(part.degrees),
        }
    }

    /// This difference plus a random part with mean 0 and this known standard error. Degrees of freedom by Welch and
    /// Satterthwaite.
    #[must_use]
    pub(crate) fn with_known_error(self, error: f64) -> Self {
        let share = (error / self.standard_error.max(LEAST_ERROR)).powi(2);
        Self {
            standard_error: self.standard_error.hypot(error),
            degrees: (self.degrees * (1.0 + share).powi(2)).min(MOST_DEGREES),
            ..self
        }
    }

    /// Interval of the true difference at this confidence, between 0 and 1.
    pub(crate) fn interval(self, confidence: f64) -> [f64; 2] {
        let Self { estimate: value, standard_error, degrees } = self;
        let margin = Mean { value, standard_error, degrees }.margin(confidence);
        [value - margin, value + margin]
    }

    /// Upper bound of the true difference at this confidence, between 0 and 1.
    pub(crate) fn at_most(self, confidence: f64) -> f64 {
        self.estimate + student(self.degrees).inverse_cdf(confidence) * self.standard_error
    }

    /// Two-sided p-value: probability of a difference this large if the true one is 0.
    pub(crate) fn p_value(self) -> f64 {
        let t = self.estimate.abs() / self.standard_error.max(LEAST_ERROR);
        (2.0 * student(self.degrees).sf(t)).min(1.0)
    }
}

/// Divisor for the number of values trimmed at each end: a fifth.
const TRIM_ONE_IN: usize = 5;
/// Fewer values than this are not trimmed.
const TRIM_FROM: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_distr::{Distribution, Normal};
    use rand_xoshiro::Xoshiro256PlusPlus;

    #[test]
    fn differences_match_textbook_figures() {
        // Variances 2.5 and 10: standard error the root of 0.5 + 2, degrees 2.5² / (0.25 / 4 + 4 / 4), t = 1.897.
        let found = Difference::of_groups(&[1.0, 2.0, 3.0, 4.0, 5.0], &[2.0, 4.0, 6.0, 8.0, 10.0]).unwrap();
        assert!((found.estimate - 3.0).abs() < 1e-12 && (found.degrees - 5.882_35).abs() < 1e-4, "{found:?}");
        assert!((found.p_value() - 0.107_53).abs() < 1e-4, "{}", found.p_value());
        // Differences 1, 3 and 4: mean 8/3, standard error 0.8819; the quantile of two degrees of freedom is 4.3027.
        let found = Difference::of_pairs(&[1.0, 1.0, 2.0], &[2.0, 4.0, 6.0]).unwrap();
        let [low, high] = found.interval(0.95);
        assert!((low + 1.127_9).abs() < 1e-3 && (high - 6.461_2).abs() < 1e-3, "{low} {high}");
        assert!(Difference::of_groups(&[1.0, 1.0], &[1.0, 1.0]).unwrap().p_value() > 0.999);
        assert!(Difference::of_groups(&[1.0, 1.0], &[2.0, 2.0]).unwrap().p_value() < 1e-6);
        assert_eq!((Difference::of_groups(&[1.0], &[1.0, 2.0]), Difference::of_pairs(&[1.0], &[1.0])), (None, None));
    }

    #[test]
    fn a_trimmed_mean_ignores_one_disturbed_value_of_ten() {
        let calm = [1.0, 1.1, 0.9, 1.05, 0.95, 1.0, 1.02, 0.98, 1.01, 0.99];
        let mut disturbed = calm;
        disturbed[3] = 50.0;
        let found = Difference::of_trimmed_pairs(&calm, &disturbed).unwrap();
        assert!(found.estimate.abs() < 0.02 && found.standard_error < 0.05, "{found:?}");
    }

    #[test]
    fn pairs_remove_common_variation() {
        let first: Vec<f64> = (0..6).map(|n| f64::from(n) * 10.0).collect();
        let second: Vec<f64> = first.iter().enumerate().map(|(n, value)| value + 1.0 + 0.01 * n as f64).collect();
        let (pairs, groups) = (Difference::of_pairs(&first, &second), Difference::of_groups(&first, &second));
        assert!(pairs.unwrap().p_value() < 1e-6 && groups.unwrap().p_value() > 0.5);
    }

    #[test]
    fn a_known_error_raises_standard_error_and_degrees() {
        let found = Difference { estimate: 1.0, standard_error: 3.0, degrees: 5.0 };
        assert_eq!(found.with_known_error(0.0), found);
        // (9 + 16)² / (9² / 5).
        let widened = found.with_known_error(4.0);
        assert!(
            (widened.standard_error - 5.0).abs() < 1e-12 && (widened.degrees - 38.580_25).abs() < 1e-4,
            "{widened:?}"
        );
        let without = Difference { standard_error: 0.0, ..found }.with_known_error(1.0);
        assert!((without.interval(0.95)[1] - 2.959_96).abs() < 1e-3, "normal: {:?}", without.interval(0.95));
    }

    #[test]
    fn intervals_cover_the_true_difference_at_their_confidence() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
        let (calm, wild) = (Normal::new(0.0, 1.0).unwrap(), Normal::new(0.0, 6.0).unwrap());
        // One value in ten comes from a wider distribution.
        let mut draw = |place: usize| if place % 10 == 9 { wild.sample(&mut rng) } else { calm.sample(&mut rng) };
        let covered = (0..2_000).filter(|_| {
            let (first, second): (Vec<f64>, Vec<f64>) = (0..10).map(|place| (draw(place), 1.0 + draw(place))).unzip();
            let [low, high] = Difference::of_trimmed_pairs(&first, &second).unwrap().interval(0.95);
            low <= 1.0 && 1.0 <= high
        });
        let share = covered.count() as f64 / 2_000.0;
        assert!((0.935..0.995).contains(&share), "{share}");
    }
}
