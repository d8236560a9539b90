//! Latency histograms and the percentiles that are reported of them.

use std::fmt;

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::slice::Slice;

/// The percentiles that reports list and objectives are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Percentile {
    /// The shortest latency.
    #[serde(rename = "min")]
    Min,
    /// The median.
    #[serde(rename = "p50")]
    P50,
    /// 75 %.
    #[serde(rename = "p75")]
    P75,
    /// 90 %.
    #[serde(rename = "p90")]
    P90,
    /// 95 %.
    #[serde(rename = "p95")]
    P95,
    /// 99 %.
    #[serde(rename = "p99")]
    P99,
    /// 99.9 %.
    #[serde(rename = "p99.9")]
    P99_9,
    /// 99.99 %.
    #[serde(rename = "p99.99")]
    P99_99,
    /// The longest latency.
    #[serde(rename = "max")]
    Max,
}

/// All percentiles, ascending.
pub const PERCENTILES: [Percentile; 9] = [
    Percentile::Min,
    Percentile::P50,
    Percentile::P75,
    Percentile::P90,
    Percentile::P95,
    Percentile::P99,
    Percentile::P99_9,
    Percentile::P99_99,
    Percentile::Max,
];

impl Percentile {
    /// Samples that must lie beyond a percentile before it is believed.
    pub const SAMPLES_BEYOND: u64 = 10;

    /// `p99.9`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::P50 => "p50",
            Self::P75 => "p75",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::P99_9 => "p99.9",
            Self::P99_99 => "p99.99",
            Self::Max => "max",
        }
    }

    /// Share of samples at or below it, 0 to 1.
    pub const fn quantile(self) -> f64 {
        match self {
            Self::Min => 0.0,
            Self::P50 => 0.5,
            Self::P75 => 0.75,
            Self::P90 => 0.9,
            Self::P95 => 0.95,
            Self::P99 => 0.99,
            Self::P99_9 => 0.999,
            Self::P99_99 => 0.9999,
            Self::Max => 1.0,
        }
    }

    /// The percentile with this name.
    pub fn named(name: &str) -> Option<Self> {
        PERCENTILES.into_iter().find(|percentile| percentile.name() == name)
    }

    /// Whether it is the minimum or the maximum, which describe the samples and have no confidence interval.
    pub const fn is_extreme(self) -> bool {
        matches!(self, Self::Min | Self::Max)
    }

    /// Whether `count` samples carry this percentile: at least [`SAMPLES_BEYOND`](Self::SAMPLES_BEYOND) of them lie
    /// beyond it. Minimum and maximum describe the samples themselves and need one.
    pub fn is_supported_by(self, count: u64) -> bool {
        if self.is_extreme() {
            return count > 0;
        }
        // Half a sample of slack, so that 1,000 samples carry p99 whatever 1.0 - 0.99 is in binary.
        count as f64 * (1.0 - self.quantile()) + 0.5 > Self::SAMPLES_BEYOND as f64
    }
}

impl fmt::Display for Percentile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Longest latency that is told apart, one hour; longer ones count as this.
const HIGHEST_NS: u64 = 3_600_000_000_000;
/// Decimal digits that are kept: values are right within 0.1 %.
const DIGITS: u8 = 3;

/// A histogram of latencies in nanoseconds: 1 ns to one hour, three significant digits.
///
/// Recording neither allocates nor locks. Serialised, it is the values it counted and how often, as a [`Slice`] is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "Slice", from = "Slice")]
pub struct LatencyHistogram {
    counts: Histogram<u64>,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self::new()
    }
}

impl From<LatencyHistogram> for Slice {
    fn from(histogram: LatencyHistogram) -> Self {
        Self::of(&histogram)
    }
}

impl From<Slice> for LatencyHistogram {
    fn from(slice: Slice) -> Self {
        std::iter::once(&slice).collect()
    }
}

impl FromIterator<u64> for LatencyHistogram {
    /// Counts latencies in nanoseconds.
    fn from_iter<I: IntoIterator<Item = u64>>(latencies: I) -> Self {
        let mut histogram = Self::new();
        latencies.into_iter().for_each(|nanoseconds| histogram.record(nanoseconds));
        histogram
    }
}

impl LatencyHistogram {
    /// An empty histogram, about 270 kB.
    ///
    /// # Panics
    ///
    /// Never: the bounds are constants that the histogram accepts.
    pub fn new() -> Self {
        Self { counts: Histogram::new_with_bounds(1, HIGHEST_NS, DIGITS).expect("constant bounds are valid") }
    }

    /// Counts one latency.
    pub fn record(&mut self, nanoseconds: u64) {
        self.counts.saturating_record(nanoseconds);
    }

    /// Counts a latency `count` times.
    pub fn record_many(&mut self, nanoseconds: u64, count: u64) {
        self.counts.saturating_record_n(nanoseconds, count);
    }

    /// Forgets all it counted and keeps its memory.
    pub fn clear(&mut self) {
        self.counts.reset();
    }

    /// Adds all that `other` counted.
    ///
    /// # Panics
    ///
    /// Never: all histograms here share their bounds.
    pub fn add(&mut self, other: &Self) {
        self.counts.add(&other.counts).expect("equal bounds");
    }

    /// Samples counted.
    pub fn count(&self) -> u64 {
        self.counts.len()
    }

    /// Arithmetic mean in nanoseconds, 0 if empty.
    pub fn mean(&self) -> f64 {
        self.counts.mean()
    }

    /// Largest latency counted, 0 if empty.
    pub fn max(&self) -> u64 {
        self.counts.max()
    }

    /// The latency at a quantile in `0.0 ..= 1.0`, 0 if empty.
    pub fn quantile(&self, quantile: f64) -> u64 {
        if self.counts.is_empty() {
            0
        } else if quantile <= 0.0 {
            self.counts.min()
        } else {
            self.counts.value_at_quantile(quantile).min(self.counts.max())
        }
    }

    /// The value of a percentile, or `None` if too few samples stand behind it.
    pub fn percentile(&self, percentile: Percentile) -> Option<u64> {
        percentile.is_supported_by(self.count()).then(|| self.quantile(percentile.quantile()))
    }

    /// The histogram itself, for formats of its family.
    pub const fn as_hdr(&self) -> &Histogram<u64> {
        &self.counts
    }

    /// Quantile and latency pairs for a chart: dense where the tail is, ending at the maximum.
    pub fn curve(&self) -> Vec<(f64, u64)> {
        if self.counts.is_empty() {
            return Vec::new();
        }
        let mut points: Vec<(f64, u64)> = Vec::new();
        for step in self.counts.iter_quantiles(5) {
            let (quantile, value) = (step.quantile_iterated_to(), step.value_iterated_to());
            if points.last().is_none_or(|&(last, _)| quantile > last) {
                points.push((quantile.min(1.0), value.min(self.counts.max())));
            }
        }
        points
    }

    /// Recorded values and their counts, ascending, without the empty ones.
    pub(super) fn recorded(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.counts.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_percentile_needs_ten_samples_beyond_it() {
        let supported = |name: &str, count| Percentile::named(name).unwrap().is_supported_by(count);
        assert!(supported("p99", 1_000) && !supported("p99", 900));
        assert!(supported("p99.99", 100_000) && !supported("p99.99", 90_000));
        assert!(supported("max", 1) && !supported("max", 0));
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_sorted_samples_within_three_digits(
            mut samples in prop::collection::vec(1u64..10_000_000_000, 1..400),
            quantile in 0.0f64..1.0,
        ) {
            let mut histogram = LatencyHistogram::new();
            for &sample in &samples {
                histogram.record(sample);
            }
            samples.sort_unstable();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the number of samples")]
            let rank = ((quantile * samples.len() as f64).ceil() as usize).max(1);
            let (found, exact) = (histogram.quantile(quantile) as f64, samples[rank - 1] as f64);
            prop_assert!((found - exact).abs() <= exact * 0.001 + 1.0, "{found} for {exact}");
        }

        #[test]
        fn a_histogram_that_was_written_down_reads_back_with_every_count(
            samples in prop::collection::vec(1u64..HIGHEST_NS, 0..200),
        ) {
            let histogram: LatencyHistogram = samples.into_iter().collect();
            let text = serde_json::to_string(&histogram).unwrap();
            let read: LatencyHistogram = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read.as_hdr(), histogram.as_hdr());
        }

        #[test]
        fn a_curve_rises_and_ends_at_the_maximum(samples in prop::collection::vec(1u64..1_000_000_000, 1..200)) {
            let mut histogram = LatencyHistogram::new();
            for &sample in &samples {
                histogram.record(sample);
            }
            let curve = histogram.curve();
            prop_assert!(curve.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1));
            prop_assert_eq!(curve.last().unwrap().1, histogram.max());
        }
    }
}
