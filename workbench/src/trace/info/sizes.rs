//! Distributions of sizes, collected in bounded memory.

use hdrhistogram::Histogram;
use serde::{Serialize, Serializer};

use crate::workload::MAX_VALUE_BYTES;

/// Significant digits: sizes below 32 KiB are exact, larger ones within 0.01 %.
const DIGITS: u8 = 4;
/// Upper bound of what the store adds to a value.
const STORE_ADDS_BYTES: u64 = 1024;
/// Steps between the quantiles that are kept.
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
        let highest = u64::from(MAX_VALUE_BYTES) + STORE_ADDS_BYTES;
        let counts = Histogram::new_with_bounds(1, highest, DIGITS).expect("constant bounds are valid");
        Self { counts, min: u32::MAX, max: 0, sum: 0 }
    }

    pub(crate) fn record(&mut self, bytes: u32) {
        self.counts.saturating_record(u64::from(bytes));
        self.min = self.min.min(bytes);
        self.max = self.max.max(bytes);
        self.sum += u64::from(bytes);
    }

    /// `None` if nothing was counted.
    pub(crate) fn finish(&self) -> Option<Sizes> {
        let count = self.counts.len();
        let quantile = |step: usize| {
            let value = self.counts.value_at_quantile(step as f64 / STEPS as f64);
            u32::try_from(value).unwrap_or(self.max).clamp(self.min, self.max)
        };
        (count > 0).then(|| Sizes {
            count,
            mean: self.sum as f64 / count as f64,
            quantiles: (0..=STEPS)
                .map(|step| match step {
                    0 => self.min,
                    STEPS => self.max,
                    _ => quantile(step),
                })
                .collect(),
        })
    }
}

/// Distribution of the sizes of stored values, bytes.
///
/// As JSON: `count`, `min_bytes`, `p50_bytes`, `p90_bytes`, `p99_bytes`, `max_bytes` and `mean_bytes`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sizes {
    count: u64,
    mean: f64,
    /// In steps of a thousandth, from minimum to maximum.
    quantiles: Vec<u32>,
}

impl Sizes {
    /// Values counted.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Arithmetic mean, bytes.
    pub const fn mean_bytes(&self) -> f64 {
        self.mean
    }

    /// The quantile in thousandths: 0 is the minimum, 500 the median, 1000 (and more) the maximum. Exact below 32 KiB, else
    /// within 0.01 %.
    pub fn quantile_bytes(&self, permille: usize) -> u32 {
        self.quantiles[permille.min(STEPS)]
    }
}

impl Serialize for Sizes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut fields = serializer.serialize_struct("Sizes", 7)?;
        fields.serialize_field("count", &self.count)?;
        fields.serialize_field("min_bytes", &self.quantile_bytes(0))?;
        fields.serialize_field("p50_bytes", &self.quantile_bytes(500))?;
        fields.serialize_field("p90_bytes", &self.quantile_bytes(900))?;
        fields.serialize_field("p99_bytes", &self.quantile_bytes(990))?;
        fields.serialize_field("max_bytes", &self.quantile_bytes(1000))?;
        fields.serialize_field("mean_bytes", &self.mean)?;
        fields.end()
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
    fn small_sizes_are_exact() {
        let found = sizes(1..=1000).unwrap();
        let quantiles = [0, 10, 500, 900, 990, 1000].map(|permille| found.quantile_bytes(permille));
        assert_eq!(quantiles, [1, 10, 500, 900, 990, 1000]);
        assert_eq!((found.count(), found.mean_bytes()), (1000, 500.5));
    }

    #[test]
    fn minimum_and_maximum_are_exact_however_large() {
        let found = sizes([0, 7, 16_777_215, 123_456_789]).unwrap();
        assert_eq!((found.quantile_bytes(0), found.quantile_bytes(1000)), (0, 123_456_789));
        assert_eq!(sizes([]), None);
    }
}
