//! Confidence intervals of percentiles.
//!
//! Latencies close in time are correlated (a compaction slows a whole second), so an interval for independent samples would
//! be too narrow. This is a moving block bootstrap over slices of time: blocks of consecutive slices are drawn with
//! replacement up to the length of the run; the interval is the spread of the percentile over many such resamples.
//! Source: H. R. Künsch, "The Jackknife and the Bootstrap for General Stationary Observations", Annals of Statistics
//! 17 (1989). The block length is the cube root of the number of slices, the order that paper recommends.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::percentile::Percentile;
use super::slice::{Slice, value_at_quantile};

/// A 95 % confidence interval in nanoseconds, lower bound first.
pub(crate) type Interval = [u64; 2];

const FEWEST_SLICES: usize = 8;
/// Resamples: ten lie beyond each of the 2.5 % and 97.5 % ends.
const RESAMPLES: usize = 400;

/// 95 % confidence intervals of `percentiles` over the slices of a run, in the same order; `None` for all if there
/// are fewer than eight slices. The same slices and seed give the same intervals.
pub(crate) fn percentile_intervals(slices: &[Slice], percentiles: &[Percentile], seed: u64) -> Vec<Option<Interval>> {
    if slices.len() < FEWEST_SLICES {
        return vec![None; percentiles.len()];
    }
    let table = SliceTable::new(slices);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut drawn: Vec<Vec<u64>> = vec![Vec::with_capacity(RESAMPLES); percentiles.len()];
    let mut counts = vec![0; table.values.len()];
    for _ in 0..RESAMPLES {
        table.resample(&mut rng, &mut counts);
        for (values, percentile) in drawn.iter_mut().zip(percentiles) {
            values.push(table.quantile(&counts, percentile.quantile()));
        }
    }
    let tail = RESAMPLES / 40;
    let ends = |mut values: Vec<u64>| {
        values.sort_unstable();
        Some([values[tail], values[RESAMPLES - 1 - tail]])
    };
    drawn.into_iter().map(ends).collect()
}

/// The slices as counts over one common list of values.
struct SliceTable {
    values: Vec<u64>,
    slices: Vec<Vec<(usize, u64)>>,
    block: usize,
}

impl SliceTable {
    fn new(slices: &[Slice]) -> Self {
        let mut values: Vec<u64> = slices.iter().flat_map(|slice| slice.recorded().map(|(value, _)| value)).collect();
        values.sort_unstable();
        values.dedup();
        let place = |value: u64| values.binary_search(&value).unwrap_or_else(|place| place);
        let slices: Vec<Vec<(usize, u64)>> =
            slices.iter().map(|slice| slice.recorded().map(|(value, count)| (place(value), count)).collect()).collect();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cube root of a small count")]
        let block = (slices.len() as f64).cbrt().round().max(1.0) as usize;
        Self { values, slices, block }
    }

    fn resample(&self, rng: &mut Xoshiro256PlusPlus, counts: &mut [u64]) {
        counts.fill(0);
        let mut left = self.slices.len();
        while left > 0 {
            let length = self.block.min(left);
            let start = rng.random_range(0..=self.slices.len() - length);
            for &(place, count) in self.slices[start..start + length].iter().flatten() {
                counts[place] += count;
            }
            left -= length;
        }
    }

    fn quantile(&self, counts: &[u64], quantile: f64) -> u64 {
        value_at_quantile(self.values.iter().copied().zip(counts.iter().copied()), quantile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(rng: &mut Xoshiro256PlusPlus, level: u64) -> Slice {
        (0..200).map(|_| level + rng.random_range(0..1000)).collect()
    }

    #[test]
    fn an_interval_covers_the_true_percentile_at_its_confidence() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(11);
        let covered = (0..100)
            .filter(|&run| {
                let slices: Vec<_> = (0..20).map(|_| slice(&mut rng, 10_000)).collect();
                let [low, high] = percentile_intervals(&slices, &[Percentile::P50], run)[0].unwrap();
                // 0.1 % of rounding by the histogram on either side.
                low <= 10_510 && high >= 10_490
            })
            .count();
        assert!(covered >= 85, "covered {covered} of 100");
    }

    #[test]
    fn correlated_slices_widen_the_interval() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(12);
        let steady: Vec<_> = (0..24).map(|_| slice(&mut rng, 10_000)).collect();
        let spells: Vec<_> = (0..24).map(|n| slice(&mut rng, if n % 12 < 6 { 10_000 } else { 20_000 })).collect();
        let width = |slices: &[Slice]| {
            let [low, high] = percentile_intervals(slices, &[Percentile::P50], 1)[0].unwrap();
            high - low
        };
        assert!(width(&spells) > 10 * width(&steady));
        assert_eq!(percentile_intervals(&steady[..7], &[Percentile::P50], 1), [None]);
    }
}
