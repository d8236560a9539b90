//! Means and medians, and how sure a mean is.

use statrs::distribution::{ContinuousCDF, StudentsT};
use statrs::statistics::{Data, Median, Statistics};

/// The mean of a sample and its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mean {
    pub(crate) value: f64,
    pub(crate) standard_error: f64,
    /// Degrees of freedom, at least 1.
    pub(crate) degrees: f64,
}

impl Mean {
    /// The arithmetic mean; `None` for fewer than two values.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        Self::trimmed(values, 0)
    }

    /// The mean without the `cut` smallest and the `cut` largest values, its standard error from the winsorised variance.
    pub(super) fn trimmed(values: &[f64], cut: usize) -> Option<Self> {
        if values.len() < 2 {
            return None;
        }
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let kept = &sorted[cut..sorted.len() - cut];
        let degrees = kept.len() as f64 - 1.0;
        let winsorised = sorted.iter().map(|value| value.clamp(kept[0], kept[kept.len() - 1]));
        let squares = winsorised.variance() * (sorted.len() as f64 - 1.0);
        let standard_error = (squares / (degrees * (degrees + 1.0))).sqrt();
        Some(Self { value: kept.mean(), standard_error, degrees })
    }

    /// Half of the interval in which the true mean lies with this confidence, between 0 and 1, by Student's t.
    pub(crate) fn margin(self, confidence: f64) -> f64 {
        student(self.degrees).inverse_cdf(f64::midpoint(1.0, confidence)) * self.standard_error
    }
}

/// Student's t distribution.
///
/// # Panics
///
/// If `degrees` are not positive.
pub(super) fn student(degrees: f64) -> StudentsT {
    StudentsT::new(0.0, 1.0, degrees).expect("degrees of freedom are positive")
}

/// The middle value, the mean of both where there are two, 0 of none.
pub(crate) fn median(values: Vec<f64>) -> f64 {
    if values.is_empty() { 0.0 } else { Data::new(values).median() }
}
