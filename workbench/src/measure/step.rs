//! Steps in a series: places where its level changed and stayed.
//!
//! Circular binary segmentation (A. B. Olshen, E. S. Venkatraman, R. Lucito and M. Wigler, "Circular binary segmentation for
//! the analysis of array-based DNA copy number data", Biostatistics 5, 2004) finds the run of values that differs most from
//! all others, on ranks, so that no outlier decides. Whether it differs by more than chance is decided by permutations of the
//! same values. Where it does, the series is divided at both ends of the run, and each part is searched again.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::mean::median;

/// Level of each test: the probability of a step in a series of independent values that has none. Values that follow each
/// other closely raise it, which [`LEAST_FACTOR`] outweighs.
const LEVEL: f64 = 0.01;
const PERMUTATIONS: u32 = 999;
/// Smallest ratio of two levels, the larger over the smaller, that counts: disks scatter by less.
const LEAST_FACTOR: f64 = 1.5;
/// Fewest values of one level.
const SHORTEST: usize = 4;
/// Most values that are searched at once; longer series are reduced to medians of runs.
const MOST: usize = 120;

/// A change of the level of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    /// Place of the first value of the new level.
    pub(crate) place: usize,
    /// Median of the values between the step before and this one.
    pub(crate) before: f64,
    /// Median of the values from this step to the next.
    pub(crate) after: f64,
}

impl Step {
    /// The new level over the old one.
    pub(crate) fn factor(self) -> f64 {
        self.after / self.before
    }

    fn size(self) -> f64 {
        self.factor().max(1.0 / self.factor())
    }
}

/// The steps of a series of positive values, in order; none in fewer than about a dozen values.
pub(crate) fn steps(values: &[f64]) -> Vec<Step> {
    let run = values.len().div_ceil(MOST).max(1);
    let reduced: Vec<f64> = values.chunks(run).map(|run| median(run.to_vec())).collect();
    let mut places = Vec::new();
    divide(&reduced, 0, &mut places);
    loop {
        let found = between(&reduced, &places);
        let smallest = found.iter().enumerate().min_by(|a, b| a.1.size().total_cmp(&b.1.size()));
        match smallest {
            Some((number, step)) if step.size().is_nan() || step.size() < LEAST_FACTOR => drop(places.remove(number)),
            _ => return found.into_iter().map(|step| Step { place: run * step.place, ..step }).collect(),
        }
    }
}

/// The steps at these places.
fn between(values: &[f64], places: &[usize]) -> Vec<Step> {
    let bounds: Vec<usize> = std::iter::once(0).chain(places.iter().copied()).chain([values.len()]).collect();
    let levels: Vec<f64> = bounds.windows(2).map(|part| median(values[part[0]..part[1]].to_vec())).collect();
    let step = |(&place, levels): (&usize, &[f64])| Step { place, before: levels[0], after: levels[1] };
    places.iter().zip(levels.windows(2)).map(step).collect()
}

/// Collects the places of changes in a part of the series that begins at `first`, ascending.
fn divide(values: &[f64], first: usize, places: &mut Vec<usize>) {
    let Some([start, end]) = differing_run(values) else { return };
    divide(&values[..start], first, places);
    places.extend([start].into_iter().filter(|&start| start > 0).map(|start| first + start));
    divide(&values[start..end], first + start, places);
    places.extend([end].into_iter().filter(|&end| end < values.len()).map(|end| first + end));
    divide(&values[end..], first + end, places);
}

/// The run of values that differs most from the others, if it differs significantly: its first place and the one after it.
fn differing_run(values: &[f64]) -> Option<[usize; 2]> {
    if values.len() < 2 * SHORTEST {
        return None;
    }
    let scale = Scale::new(values.len());
    let mut ranks = centred_ranks(values);
    let (statistic, run) = scale.largest(&ranks);
    // The same each time, so that a series always has the same steps.
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let allowed = f64::from(PERMUTATIONS + 1) * LEVEL;
    let mut as_large = 1.0;
    for _ in 0..PERMUTATIONS {
        ranks.shuffle(&mut rng);
        as_large += f64::from(u8::from(scale.largest(&ranks).0 >= statistic));
        if as_large > allowed {
            return None;
        }
    }
    Some(run)
}

/// One over the standard deviation of the sum of so many of the ranks, up to a constant.
struct Scale(Vec<f64>);

impl Scale {
    fn new(count: usize) -> Self {
        Self((0..=count).map(|run| 1.0 / ((run * (count - run)) as f64).sqrt()).collect())
    }

    /// The largest distance of the sum of a run from what is expected, in standard deviations, and the run. The complement
    /// of a run has the same distance, so runs to the end stand for those from the beginning.
    fn largest(&self, centred: &[f64]) -> (f64, [usize; 2]) {
        let count = centred.len();
        let add = |sum: &mut f64, rank: &f64| {
            *sum += rank;
            Some(*sum)
        };
        let sums: Vec<f64> = std::iter::once(0.0).chain(centred.iter().scan(0.0, add)).collect();
        let mut largest = (0.0, [0, count]);
        for start in SHORTEST..count {
            for end in start + SHORTEST..=count {
                let run = end - start;
                // The rest is in one piece, or in two pieces that are both long enough.
                if end < count && count - end < SHORTEST {
                    continue;
                }
                let distance = (sums[end] - sums[start]).abs() * self.0[run];
                if distance > largest.0 {
                    largest = (distance, [start, end]);
                }
            }
        }
        largest
    }
}

/// Ranks less their mean; equal values share the mean of theirs.
fn centred_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut next = -(values.len() as f64 - 1.0) / 2.0;
    for equal in order.chunk_by(|&a, &b| values[a].total_cmp(&values[b]).is_eq()) {
        let count = equal.len() as f64;
        for &place in equal {
            ranks[place] = next + (count - 1.0) / 2.0;
        }
        next += count;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{Rng, RngExt};

    /// Skewed, as the latencies of disks are: 100 at the median, one in twenty ten times that.
    fn latency(rng: &mut impl Rng) -> f64 {
        let usual = rng.random_range(70.0..140.0);
        if rng.random_bool(0.05) { 10.0 * usual } else { usual }
    }

    fn levels(rng: &mut impl Rng, parts: &[(usize, f64)]) -> Vec<f64> {
        parts
            .iter()
            .flat_map(|&(length, factor)| std::iter::repeat_n(factor, length))
            .map(|by| by * latency(rng))
            .collect()
    }

    /// The level of such a test lets one series in a hundred have a step by chance, which can lie nearer than the true one.
    #[test]
    fn steps_are_found_near_their_places_with_their_factors() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        let series = 300;
        let is_found = |_: &i32| {
            let (before, after) = (rng.random_range(12..40), rng.random_range(12..40));
            let rise = rng.random_range(3.0..20.0);
            let factor = if rng.random() { rise } else { 1.0 / rise };
            let found = steps(&levels(&mut rng, &[(before, 1.0), (after, factor)]));
            let nearest = found.iter().min_by_key(|step| step.place.abs_diff(before));
            nearest
                .is_some_and(|step| step.place.abs_diff(before) <= 3 && (0.6..1.6).contains(&(step.factor() / factor)))
        };
        let found_count = (0..series).filter(is_found).count();
        assert!(found_count >= 285, "{found_count} of {series}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_unit_does_not_matter(seed: u64, unit in 1e-3f64..1e6) {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
            let values = levels(&mut rng, &[(20, 1.0), (20, 4.0)]);
            let scaled: Vec<f64> = values.iter().map(|value| unit * value).collect();
            let places = |values: &[f64]| steps(values).iter().map(|step| step.place).collect::<Vec<_>>();
            prop_assert_eq!(places(&values), places(&scaled));
        }
    }

    #[test]
    fn a_rise_that_ends_is_two_steps() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
        let found = steps(&levels(&mut rng, &[(25, 1.0), (20, 6.0), (25, 1.0)]));
        let [up, down] = found[..] else { panic!("{found:?}") };
        assert!(up.place.abs_diff(25) <= 1 && up.factor() > 4.0, "{found:?}");
        assert!(down.place.abs_diff(45) <= 1 && down.factor() < 0.25, "{found:?}");
    }

    #[test]
    fn a_long_series_is_reduced_and_keeps_its_places() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(6);
        let found = steps(&levels(&mut rng, &[(1_000, 1.0), (2_600, 3.0)]));
        let [step] = found[..] else { panic!("{found:?}") };
        assert!(step.place.abs_diff(1_000) <= 36, "{found:?}");
    }

    #[test]
    fn false_alarms_are_rare() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
        let alarms = (0..300).filter(|_| !steps(&levels(&mut rng, &[(60, 1.0)])).is_empty()).count();
        assert!(alarms <= 8, "{alarms} of 300, one in a hundred is the level");
    }

    #[test]
    fn few_values_a_small_step_and_single_outliers_are_no_steps() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
        assert_eq!(steps(&levels(&mut rng, &[(4, 1.0), (4, 10.0)])), []);
        let small: Vec<f64> = (0..60).map(|place| if place < 30 { 100.0 } else { 140.0 }).collect();
        assert_eq!(steps(&small), []);
        let mut outliers = vec![100.0; 40];
        (outliers[20], outliers[39]) = (10_000.0, 10_000.0);
        assert_eq!(steps(&outliers), []);
        assert_eq!(steps(&[]), []);
    }
}
