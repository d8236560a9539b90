//! How sure a percentile is.
//!
//! Latencies of neighbouring moments resemble each other (a compaction slows a whole second), so the samples of a run
//! are not independent and an interval computed as if they were is too narrow. The interval here comes from a moving
//! block bootstrap over slices of time: blocks of consecutive slices are drawn with replacement until a run of the
//! same length is put together, its percentile is read, and the spread of many such runs is the interval.
//! Source: H. R. Künsch, "The Jackknife and the Bootstrap for General Stationary Observations", Annals of Statistics
//! 17 (1989). The block length is the cube root of the number of slices, the order that paper recommends.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::measure::histogram::Percentile;
use crate::measure::slice::Slice;

/// A 95 % confidence interval in nanoseconds, lower bound first.
pub type Interval = [u64; 2];

/// Slices of time below which no interval is given.
const FEWEST_SLICES: usize = 8;
/// Runs put together: the 2.5 % and 97.5 % ends then each lie on ten of them.
const RESAMPLES: usize = 400;

/// 95 % confidence intervals of `percentiles` over the slices of a run, in the same order; `None` for all if fewer
/// than eight slices stand behind them. The same slices and seed give the same intervals.
pub fn percentile_intervals(slices: &[Slice], percentiles: &[Percentile], seed: u64) -> Vec<Option<Interval>> {
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
    drawn.into_iter().map(|values| Some(ends(values))).collect()
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

    /// Puts a run of the same number of slices together from random blocks.
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
        let total: u64 = counts.iter().sum();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
        let rank = ((quantile * total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (place, count) in counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return self.values[place];
            }
        }
        self.values.last().copied().unwrap_or(0)
    }
}

fn ends(mut values: Vec<u64>) -> Interval {
    values.sort_unstable();
    let tail = values.len() / 40;
    [values[tail], values[values.len() - 1 - tail]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(rng: &mut Xoshiro256PlusPlus, level: u64) -> Slice {
        (0..200).map(|_| level + rng.random_range(0..1000)).collect()
    }

    #[test]
    fn the_interval_covers_the_truth_about_as_often_as_it_claims() {
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
    fn slow_spells_widen_the_interval() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(12);
        let steady: Vec<_> = (0..24).map(|_| slice(&mut rng, 10_000)).collect();
        let spells: Vec<_> = (0..24).map(|n| slice(&mut rng, if n % 12 < 6 { 10_000 } else { 20_000 })).collect();
        let width = |slices: &[Slice]| {
            let [low, high] = percentile_intervals(slices, &[Percentile::P50], 1)[0].unwrap();
            high - low
        };
        assert!(width(&spells) > 10 * width(&steady));
    }

    #[test]
    fn a_handful_of_slices_gives_no_interval() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(13);
        let slices: Vec<_> = (0..7).map(|_| slice(&mut rng, 1)).collect();
        assert_eq!(percentile_intervals(&slices, &[Percentile::P50], 1), [None]);
    }
}
