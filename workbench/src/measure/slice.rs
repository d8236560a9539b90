//! Latencies of one slice of time in compact form: a long run has thousands of slices.

use serde::{Deserialize, Serialize};

use super::percentile::Percentile;

/// Latencies of a slice of time as values and their counts: a few kilobytes, where a histogram takes 270.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Nanoseconds, ascending, each with how often it was counted.
    pub(super) counts: Vec<(u64, u64)>,
}

impl Slice {
    /// Values in nanoseconds, as exact as the histogram had them, and how often each was counted; ascending.
    pub fn recorded(&self) -> impl Iterator<Item = (u64, u64)> + Clone + '_ {
        self.counts.iter().copied()
    }

    /// Samples counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|&(_, count)| count).sum()
    }

    /// Largest latency counted, nanoseconds, 0 if empty.
    pub fn max(&self) -> u64 {
        self.counts.last().map_or(0, |&(value, _)| value)
    }

    /// The latency at a quantile in `0.0 ..= 1.0`, nanoseconds, 0 if empty.
    pub fn quantile(&self, quantile: f64) -> u64 {
        value_at_quantile(self.recorded(), quantile)
    }

    /// The value of a percentile, nanoseconds; `None` if too few samples support it.
    pub fn percentile(&self, percentile: Percentile) -> Option<u64> {
        percentile.is_supported_by(self.count()).then(|| self.quantile(percentile.quantile()))
    }

    /// Adds the counts of `other`.
    pub fn add(&mut self, other: &Self) {
        let own = std::mem::take(&mut self.counts);
        let (mut own, mut others) = (own.into_iter().peekable(), other.recorded().peekable());
        while let (Some(&(left, left_count)), Some(&(right, right_count))) = (own.peek(), others.peek()) {
            let from_own = if left <= right { left_count } else { 0 };
            let from_other = if right <= left { right_count } else { 0 };
            self.counts.push((left.min(right), from_own + from_other));
            own.next_if(|_| left <= right);
            others.next_if(|_| right <= left);
        }
        self.counts.extend(own);
        self.counts.extend(others);
    }
}

/// The value at a quantile in `0.0 ..= 1.0` of ascending values and their counts, 0 if there is none.
pub(super) fn value_at_quantile(counts: impl Iterator<Item = (u64, u64)> + Clone, quantile: f64) -> u64 {
    let total: u64 = counts.clone().map(|(_, count)| count).sum();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
    let rank = ((quantile * total as f64).ceil() as u64).clamp(1, total.max(1));
    let mut seen = 0;
    let at_rank = counts.into_iter().find(|&(_, count)| {
        seen += count;
        seen >= rank
    });
    at_rank.map_or(0, |(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::LatencyHistogram;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn slices_add_up_to_the_histogram_of_all(
            parts in prop::collection::vec(prop::collection::vec(1u64..3_600_000_000_000, 0..60), 1..5),
            quantile in 0.01f64..1.0,
        ) {
            let slices: Vec<Slice> = parts.iter().map(|part| part.iter().copied().collect()).collect();
            let whole: LatencyHistogram = parts.into_iter().flatten().collect();
            let sum = slices.iter().fold(Slice::default(), |mut sum, slice| { sum.add(slice); sum });
            prop_assert_eq!(&sum, &Slice::of(&whole));
            prop_assert_eq!((sum.count(), sum.max()), (whole.count(), whole.max()));
            prop_assert_eq!(sum.quantile(quantile), whole.quantile(quantile));
            let again: LatencyHistogram = slices.iter().collect();
            prop_assert_eq!(again.as_hdr(), whole.as_hdr());
            let read: LatencyHistogram = serde_json::from_str(&serde_json::to_string(&whole).unwrap()).unwrap();
            prop_assert_eq!(read.as_hdr(), whole.as_hdr());
        }
    }
}
