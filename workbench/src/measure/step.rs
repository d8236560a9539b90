//! Steps in a series: places where its level changed and stayed.
//!
//! Pettitt's test (A. N. Pettitt, "A Non-parametric Approach to the Change-point Problem", Applied Statistics 28, 1979)
//! compares the ranks before and after every place, so it holds for any distribution and no outlier decides. A series that
//! has a step is divided there, and both parts are tested again.

use super::mean::median;

/// Level of each test: the probability of a step in a series of independent values that has none. Values that follow each
/// other closely raise it, which [`LEAST_FACTOR`] outweighs.
const LEVEL: f64 = 0.01;
/// Smallest ratio of the two levels, the larger over the smaller, that counts: disks scatter by less.
const LEAST_FACTOR: f64 = 1.5;

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
}

/// The steps of a series of positive values, in order; none in fewer than 16 values, which never pass the test.
pub(crate) fn steps(values: &[f64]) -> Vec<Step> {
    let mut places = Vec::new();
    divide(values, 0, &mut places);
    let bounds: Vec<usize> = std::iter::once(0).chain(places.iter().copied()).chain([values.len()]).collect();
    let levels: Vec<f64> = bounds.windows(2).map(|part| median(values[part[0]..part[1]].to_vec())).collect();
    let steps = places.into_iter().zip(levels.windows(2));
    let steps = steps.map(|(place, levels)| Step { place, before: levels[0], after: levels[1] });
    steps.filter(|step| differ(step.before, step.after)).collect()
}

/// Collects the places of the steps in a part of the series that begins at `first`, ascending.
fn divide(values: &[f64], first: usize, places: &mut Vec<usize>) {
    let Some(place) = pettitt(values) else { return };
    let (before, after) = values.split_at(place);
    if differ(median(before.to_vec()), median(after.to_vec())) {
        divide(before, first, places);
        places.push(first + place);
        divide(after, first + place, places);
    }
}

fn differ(before: f64, after: f64) -> bool {
    before > 0.0 && after > 0.0 && (after / before).max(before / after) >= LEAST_FACTOR
}

/// The most likely place of a change, if it is significant.
fn pettitt(values: &[f64]) -> Option<usize> {
    let n = values.len() as f64;
    let mut sum = 0.0;
    let mut largest = (0, 0.0);
    for (place, rank) in (1..).zip(ranks(values)) {
        sum += 2.0 * rank - (n + 1.0);
        if f64::abs(sum) > largest.1 {
            largest = (place, f64::abs(sum));
        }
    }
    let (place, statistic) = largest;
    let probability = 2.0 * (-6.0 * statistic * statistic / (n.powi(3) + n.powi(2))).exp();
    (probability < LEVEL).then_some(place)
}

/// Ranks from 1; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut next = 1.0;
    for equal in order.chunk_by(|&a, &b| values[a].total_cmp(&values[b]).is_eq()) {
        let count = equal.len() as f64;
        equal.iter().for_each(|&place| ranks[place] = next + (count - 1.0) / 2.0);
        next += count;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{Rng, RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

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

    proptest! {
        #[test]
        fn a_step_is_found_near_its_place_with_its_factor(
            seed: u64, before in 12usize..40, after in 12usize..40, factor in 3.0f64..20.0, falls: bool,
        ) {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
            let factor = if falls { 1.0 / factor } else { factor };
            let found = steps(&levels(&mut rng, &[(before, 1.0), (after, factor)]));
            let nearest = found.iter().min_by_key(|step| step.place.abs_diff(before));
            let step = nearest.expect("a step");
            prop_assert!(step.place.abs_diff(before) <= 3, "{found:?}");
            prop_assert!((0.6..1.6).contains(&(step.factor() / factor)), "{found:?}");
        }

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
    fn false_alarms_are_rare() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
        let alarms = (0..500).filter(|_| !steps(&levels(&mut rng, &[(60, 1.0)])).is_empty()).count();
        assert!(alarms <= 10, "{alarms} of 500, one in a hundred is the level");
    }

    #[test]
    fn few_values_a_small_step_and_single_outliers_are_no_steps() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
        assert_eq!(steps(&levels(&mut rng, &[(7, 1.0), (8, 10.0)])), []);
        let small: Vec<f64> = (0..60).map(|place| if place < 30 { 100.0 } else { 140.0 }).collect();
        assert_eq!(steps(&small), []);
        let mut outliers = vec![100.0; 40];
        (outliers[20], outliers[39]) = (10_000.0, 10_000.0);
        assert_eq!(steps(&outliers), []);
        assert_eq!(steps(&[]), []);
    }
}
