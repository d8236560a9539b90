//! Latency histograms.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::percentile::Percentile;
use super::slice::Slice;

/// Longest latency that is counted as itself, one hour; longer ones count as this.
const HIGHEST_NS: u64 = 3_600_000_000_000;
/// Significant decimal digits: values are right within 0.1 %.
const DIGITS: u8 = 3;

/// A histogram of latencies in nanoseconds: 1 ns to one hour, three significant digits.
///
/// Recording neither allocates nor locks. It is serialised as a [`Slice`].
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

impl Slice {
    /// The values and counts of a histogram.
    pub fn of(histogram: &LatencyHistogram) -> Self {
        let steps = histogram.counts.iter_recorded();
        Self { counts: steps.map(|step| (step.value_iterated_to(), step.count_at_value())).collect() }
    }
}

impl From<LatencyHistogram> for Slice {
    fn from(histogram: LatencyHistogram) -> Self {
        Self::of(&histogram)
    }
}

impl FromIterator<u64> for Slice {
    fn from_iter<I: IntoIterator<Item = u64>>(latencies: I) -> Self {
        latencies.into_iter().collect::<LatencyHistogram>().into()
    }
}

impl From<Slice> for LatencyHistogram {
    fn from(slice: Slice) -> Self {
        std::iter::once(&slice).collect()
    }
}

impl<'s> FromIterator<&'s Slice> for LatencyHistogram {
    fn from_iter<I: IntoIterator<Item = &'s Slice>>(slices: I) -> Self {
        let mut histogram = Self::new();
        for (value, count) in slices.into_iter().flat_map(Slice::recorded) {
            histogram.record_many(value, count);
        }
        histogram
    }
}

impl FromIterator<u64> for LatencyHistogram {
    fn from_iter<I: IntoIterator<Item = u64>>(latencies: I) -> Self {
        let mut histogram = Self::new();
        latencies.into_iter().for_each(|nanoseconds| histogram.record(nanoseconds));
        histogram
    }
}

/// A histogram in 18 kB, of which only what it counts is resident: latencies up to one hour, within 1 %.
#[derive(Debug)]
pub(crate) struct CompactHistogram {
    counts: Histogram<u32>,
}

impl Default for CompactHistogram {
    fn default() -> Self {
        Self { counts: Histogram::new_with_bounds(1, HIGHEST_NS, 2).expect("constant bounds are valid") }
    }
}

impl CompactHistogram {
    /// Counts one latency.
    pub(crate) fn record(&mut self, nanoseconds: u64) {
        self.counts.saturating_record(nanoseconds);
    }
}

impl From<CompactHistogram> for Slice {
    fn from(histogram: CompactHistogram) -> Self {
        let steps = histogram.counts.iter_recorded();
        Self { counts: steps.map(|step| (step.value_iterated_to(), u64::from(step.count_at_value()))).collect() }
    }
}

impl LatencyHistogram {
    /// An empty histogram, about 270 kB.
    #[expect(clippy::missing_panics_doc, reason = "constant bounds are valid")]
    pub fn new() -> Self {
        Self { counts: Histogram::new_with_bounds(1, HIGHEST_NS, DIGITS).expect("constant bounds are valid") }
    }

    /// An empty one whose memory is resident: the first latencies wait for no page of it.
    pub(crate) fn resident() -> Self {
        let mut histogram = Self::new();
        histogram.clear();
        histogram
    }

    /// Counts one latency.
    pub fn record(&mut self, nanoseconds: u64) {
        self.counts.saturating_record(nanoseconds);
    }

    /// Counts a latency `count` times.
    pub fn record_many(&mut self, nanoseconds: u64, count: u64) {
        self.counts.saturating_record_n(nanoseconds, count);
    }

    /// Resets all counts and keeps the memory.
    pub fn clear(&mut self) {
        self.counts.reset();
    }

    /// Adds the counts of `other`.
    #[expect(clippy::missing_panics_doc, reason = "all histograms here share their bounds")]
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

    /// Largest latency, nanoseconds, 0 if empty.
    pub fn max(&self) -> u64 {
        self.counts.max()
    }

    /// The latency at a quantile in `0.0 ..= 1.0`, nanoseconds, 0 if empty.
    pub fn quantile(&self, quantile: f64) -> u64 {
        if self.counts.is_empty() {
            0
        } else if quantile <= 0.0 {
            self.counts.min()
        } else {
            self.counts.value_at_quantile(quantile).min(self.counts.max())
        }
    }

    /// The value of a percentile, nanoseconds; `None` if too few samples support it.
    pub fn percentile(&self, percentile: Percentile) -> Option<u64> {
        percentile.is_supported_by(self.count()).then(|| self.quantile(percentile.quantile()))
    }

    /// For the file formats of `hdrhistogram`.
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_sorted_samples_within_three_digits(
            mut samples in prop::collection::vec(1u64..10_000_000_000, 1..400),
            quantile in 0.0f64..1.0,
        ) {
            let histogram: LatencyHistogram = samples.iter().copied().collect();
            samples.sort_unstable();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the number of samples")]
            let rank = ((quantile * samples.len() as f64).ceil() as usize).max(1);
            let (found, exact) = (histogram.quantile(quantile) as f64, samples[rank - 1] as f64);
            prop_assert!((found - exact).abs() <= exact * 0.001 + 1.0, "{found} for {exact}");
        }

        #[test]
        fn a_curve_rises_and_ends_at_the_maximum(samples in prop::collection::vec(1u64..1_000_000_000, 1..200)) {
            let histogram: LatencyHistogram = samples.iter().copied().collect();
            let curve = histogram.curve();
            prop_assert!(curve.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1));
            prop_assert_eq!(curve.last().unwrap().1, histogram.max());
        }
    }
}
