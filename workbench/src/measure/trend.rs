//! Trend of a series of figures.
//!
//! The Mann-Kendall test decides whether later values tend to be larger (or smaller) than earlier ones, for any
//! distribution (H. B. Mann, "Nonparametric Tests Against Trend", Econometrica 13, 1945); the slope is the median of the
//! slopes between all pairs (P. K. Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", JASA 63, 1968),
//! which is robust against outliers.

use super::mean::median;

/// Drift of a median, as a share of it: warning, and invalid result.
pub(crate) const DRIFT: [f64; 2] = [0.15, 0.4];

/// Slope of a series and its significance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Trend {
    /// Change from the first to the last value along the fitted slope, as a share of the median: 0.2 is 20 % up.
    pub(crate) change: f64,
    /// The first and the last value along that slope.
    pub(crate) ends: [f64; 2],
    /// Standard normal statistic of the Mann-Kendall test; significant at 1 % beyond ±2.58.
    pub(crate) z: f64,
}

const FEWEST: usize = 8;
/// Most values compared with each other; longer series are reduced to medians of runs.
const MOST: usize = 200;
/// Two-sided 1 % point of the standard normal distribution.
const SIGNIFICANT_Z: f64 = 2.58;

impl Trend {
    /// The trend of a series; `None` for fewer than eight values.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        if values.len() < FEWEST {
            return None;
        }
        let run = values.len().div_ceil(MOST);
        let values: Vec<f64> = values.chunks(run).map(|run| median(run.to_vec())).collect();
        let middle = median(values.clone());
        let slope = median(pairs(&values).map(|(distance, difference)| difference / distance).collect());
        let rise = slope * (values.len() - 1) as f64;
        let change = if middle == 0.0 { 0.0 } else { rise / middle };
        let ends = [middle - rise / 2.0, middle + rise / 2.0];
        Some(Self { change, ends, z: statistic(&values) })
    }

    /// Whether it is significant at 1 %.
    pub(crate) fn is_significant(self) -> bool {
        self.z.abs() > SIGNIFICANT_Z
    }
}

fn pairs(values: &[f64]) -> impl Iterator<Item = (f64, f64)> + '_ {
    let later = move |place: usize| {
        values[place + 1..].iter().enumerate().map(move |(more, later)| (more, later - values[place]))
    };
    (0..values.len()).flat_map(later).map(|(more, difference)| ((more + 1) as f64, difference))
}

/// Mann's S over its standard deviation without ties, with the usual correction for continuity.
fn statistic(values: &[f64]) -> f64 {
    let sign = |difference: f64| if difference == 0.0 { 0.0 } else { difference.signum() };
    let sum: f64 = pairs(values).map(|(_, difference)| sign(difference)).sum();
    let n = values.len() as f64;
    let deviation = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    (sum - sign(sum)) / deviation
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn noise(rng: &mut Xoshiro256PlusPlus) -> f64 {
        100.0 + rng.random_range(-10.0..10.0)
    }

    #[test]
    fn a_rise_is_significant_and_measured() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let rising: Vec<f64> = (0..15).map(|n| noise(&mut rng) + 4.0 * f64::from(n)).collect();
        let trend = Trend::of(&rising).unwrap();
        assert!(trend.is_significant() && (0.3..0.6).contains(&trend.change), "{trend:?}");
        let falling: Vec<f64> = rising.into_iter().rev().collect();
        assert!(Trend::of(&falling).unwrap().change < -0.3);
    }

    #[test]
    fn false_alarms_are_rare() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        let alarms = (0..500).filter(|_| {
            let values: Vec<f64> = (0..15).map(|_| noise(&mut rng)).collect();
            Trend::of(&values).unwrap().is_significant()
        });
        assert!(alarms.count() <= 12, "one in a hundred is expected");
    }

    #[test]
    fn one_outlier_is_no_trend_and_a_long_series_is_reduced() {
        let mut values = vec![100.0; 20];
        values[19] = 10_000.0;
        assert!(Trend::of(&values).unwrap().change.abs() < 1e-9);
        assert_eq!(Trend::of(&values[..7]), None);
        let trend = Trend::of(&(0..10_000).map(|n| 1_000.0 + f64::from(n)).collect::<Vec<_>>()).unwrap();
        assert!(trend.is_significant() && (trend.change - 10_000.0 / 6_000.0).abs() < 0.05, "{trend:?}");
    }
}
