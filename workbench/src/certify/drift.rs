//! Figures that rise from slice to slice.

use crate::measure::{Trend, median};

/// The first and the last of these parts are compared.
const PARTS: usize = 3;

/// A significant rise of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// Median of the first third.
    pub from: f64,
    /// Median of the last third.
    pub to: f64,
    /// Rise from the first to the last value along the fitted slope, as a share of the median.
    pub change: f64,
    /// Value that the slope predicts after as much time again.
    pub at_twice: f64,
}

impl Drift {
    /// The rise of a series; `None` if it does not rise significantly or has fewer than eight values.
    pub(super) fn upwards(values: &[f64]) -> Option<Self> {
        let trend = Trend::of(values).filter(|trend| trend.is_significant() && trend.z > 0.0)?;
        let part = values.len().div_ceil(PARTS);
        let middle = median(values.to_vec());
        Some(Self {
            from: median(values[..part].to_vec()),
            to: median(values[values.len() - part..].to_vec()),
            change: trend.change,
            // The slope passes through the middle; the end of as much time again is one and a half times the time away.
            at_twice: middle * (1.0 + 1.5 * trend.change),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_or_falling_series_noise_or_a_short_series_is_no_rise() {
        assert_eq!(Drift::upwards(&[5.0; 40]), None);
        assert_eq!(Drift::upwards(&(0..30).map(|n| 130.0 - f64::from(n)).collect::<Vec<_>>()), None);
        let noise: Vec<f64> = (0..40).map(|n| 100.0 + f64::from((n * 7919) % 13)).collect();
        assert_eq!(Drift::upwards(&noise), None);
        assert_eq!(Drift::upwards(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), None);
    }

    #[test]
    fn a_rise_from_zero_is_one() {
        let debt: Vec<f64> = (0..30).map(|n| f64::from((n - 20).max(0))).collect();
        let drift = Drift::upwards(&debt).unwrap();
        assert!(drift.from < 1e-9 && drift.to > 4.0, "{drift:?}");
    }
}
