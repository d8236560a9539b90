//! Distributions of sizes, collected in bounded memory.

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::workload::MAX_VALUE_BYTES;

/// Significant digits: sizes below 32 KiB are exact, larger ones within 0.01 %.
const DIGITS: u8 = 4;
const COARSE_DIGITS: u8 = 2;
/// Upper bound of what the store adds to a value.
const STORE_ADDS_BYTES: u64 = 1024;
const STEPS: usize = 1000;

/// Counts sizes; about 3 MB, however many there are.
#[derive(Debug)]
pub(crate) struct SizeCounter {
    counts: Histogram<u64>,
    min: u32,
    max: u32,
    sum: u64,
}

impl SizeCounter {
    pub(crate) fn new() -> Self {
        Self::with_digits(DIGITS)
    }

    /// Sizes within 1 %, in some 20 KB.
    pub(super) fn coarse() -> Self {
        Self::with_digits(COARSE_DIGITS)
    }

    fn with_digits(digits: u8) -> Self {
        let highest = u64::from(MAX_VALUE_BYTES) + STORE_ADDS_BYTES;
        let counts = Histogram::new_with_bounds(1, highest, digits).expect("constant bounds are valid");
        Self { counts, min: u32::MAX, max: 0, sum: 0 }
    }

    pub(crate) fn record(&mut self, bytes: u32) {
        self.counts.saturating_record(u64::from(bytes));
        self.min = self.min.min(bytes);
        self.max = self.max.max(bytes);
        self.sum += u64::from(bytes);
    }

    /// `None` without values.
    pub(crate) fn finish(&self) -> Option<Sizes> {
        let quantile = |step: usize| match step {
            0 => self.min,
            STEPS => self.max,
            _ => {
                let value = self.counts.value_at_quantile(step as f64 / STEPS as f64);
                u32::try_from(value).unwrap_or(self.max).clamp(self.min, self.max)
            }
        };
        let count = self.counts.len();
        (count > 0).then(|| Sizes {
            count,
            min_bytes: self.min,
            p50_bytes: quantile(500),
            p90_bytes: quantile(900),
            p99_bytes: quantile(990),
            max_bytes: self.max,
            mean_bytes: self.sum as f64 / count as f64,
            quantiles: (0..=STEPS).map(quantile).collect(),
        })
    }
}

/// Distribution of the sizes of stored values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sizes {
    count: u64,
    min_bytes: u32,
    p50_bytes: u32,
    p90_bytes: u32,
    p99_bytes: u32,
    max_bytes: u32,
    pub(crate) mean_bytes: f64,
    /// In steps of a thousandth, from minimum to maximum.
    #[serde(skip)]
    quantiles: Vec<u32>,
}

impl Sizes {
    /// Number of values.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The quantile in thousandths: 0 is the minimum, 500 the median, 1000 (and more) the maximum. Exact below 32 KiB, else
    /// within 0.01 %.
    pub fn quantile_bytes(&self, permille: usize) -> u32 {
        self.quantiles[permille.min(STEPS)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(values: impl IntoIterator<Item = u32>) -> Option<Sizes> {
        let mut counter = SizeCounter::new();
        values.into_iter().for_each(|bytes| counter.record(bytes));
        counter.finish()
    }

    #[test]
    fn small_sizes_and_both_ends_are_exact() {
        let found = sizes(1..=1000).unwrap();
        let quantiles = [0, 10, 500, 900, 990, 1000].map(|permille| found.quantile_bytes(permille));
        assert_eq!(quantiles, [1, 10, 500, 900, 990, 1000]);
        assert_eq!((found.count(), found.mean_bytes), (1000, 500.5));
        let found = sizes([0, 7, 16_777_215, 123_456_789]).unwrap();
        assert_eq!((found.quantile_bytes(0), found.quantile_bytes(1000)), (0, 123_456_789));
        assert_eq!(sizes([]), None);
    }
}
