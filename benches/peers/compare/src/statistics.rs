//! The median of a few rounds and its interval.

use serde::Serialize;

/// The median of some values and an interval around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Middle {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Probability that the interval contains the true median, for any distribution (order statistics).
    pub(crate) coverage: f64,
}

/// Coverage of the intervals in the table.
const WANTED: f64 = 0.95;

impl Middle {
    /// Of values in any order; `None` if there are none, or one is not a number.
    ///
    /// The interval lies between two of the values, as far inside as 95 % coverage allows. Up to five values that is
    /// the smallest and the largest, which cover less: 94 % for five, 75 % for three, 50 % for two.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let outside = outside(values.len());
        let (low, high) = (values[outside], values[values.len() - 1 - outside]);
        Some(Self { median: median(&values), low, high, coverage: coverage(values.len(), outside) })
    }
}

fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) }
}

/// How many values on either side may be left out of the interval.
fn outside(count: usize) -> usize {
    (0..count.div_ceil(2))
        .take_while(|outside| *outside == 0 || coverage(count, *outside) >= WANTED)
        .last()
        .unwrap_or(0)
}

/// The probability that the true median lies between the values that have `outside` others on their far side: each
/// value is above or below it like the toss of a coin.
fn coverage(count: usize, outside: usize) -> f64 {
    let mut ways = 1.0;
    let mut tail = 0.0;
    for k in 0..=outside {
        tail += ways;
        ways *= (count - k) as f64 / (k + 1) as f64;
    }
    (1.0 - 2.0 * tail / (count as f64).exp2()).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn middle(values: &[f64]) -> Middle {
        Middle::of(values.to_vec()).unwrap()
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((middle(&[3.0, 1.0, 2.0]).median - 2.0).abs() < 1e-12);
        assert!((middle(&[4.0, 1.0, 2.0, 3.0]).median - 2.5).abs() < 1e-12);
        assert!((middle(&[7.0]).median - 7.0).abs() < 1e-12);
    }

    #[test]
    fn few_values_span_all_of_them_and_say_how_little_that_is() {
        for (count, coverage) in [(1, 0.0), (2, 0.5), (3, 0.75), (5, 0.9375)] {
            let values: Vec<f64> = (0..count).map(f64::from).collect();
            let middle = middle(&values);
            assert_eq!((middle.low, middle.high), (0.0, f64::from(count - 1)));
            assert!((middle.coverage - coverage).abs() < 1e-9, "{count}: {}", middle.coverage);
        }
    }

    /// Tables of the sign test: 10 values leave one out on either side, 20 leave five.
    #[test]
    fn many_values_leave_the_outliers_out() {
        for (count, outside) in [(6, 0), (8, 0), (9, 1), (10, 1), (12, 2), (20, 5)] {
            let values: Vec<f64> = (0..count).map(f64::from).collect();
            let middle = middle(&values);
            assert_eq!((middle.low, middle.high), (f64::from(outside), f64::from(count - 1 - outside)), "{count}");
            assert!(middle.coverage >= WANTED);
        }
    }

    #[test]
    fn one_wild_round_moves_neither_the_median_nor_the_interval_of_ten() {
        let mut values: Vec<f64> = (0..10).map(|n| 1.0 + f64::from(n) / 100.0).collect();
        let calm = middle(&values);
        values[9] = 40.0;
        assert_eq!(middle(&values), calm);
    }

    #[test]
    fn nothing_and_nonsense_have_no_middle() {
        assert_eq!(Middle::of(vec![]), None);
        assert_eq!(Middle::of(vec![1.0, f64::NAN]), None);
        assert_eq!(Middle::of(vec![f64::INFINITY]), None);
    }
}
