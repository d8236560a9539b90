//! Change points of a series: places after which its values come from another distribution.
//!
//! E-divisive (D. S. Matteson and N. A. James, "A Nonparametric Approach for Multiple Change Point Analysis of Multivariate
//! Data", Journal of the American Statistical Association 109, 2014): a segment is divided where the energy distance between
//! what lies before and what follows, up to any later place, is largest: a rise that ends is as visible as one that stays. It
//! is a change point if few permutations of the values within the segments have as large a distance; then the search goes on
//! in all segments, until no place is significant.
//!
//! [`steps`](super::steps) finds large steps of the level of a disk, which scatters by tens of percent; this finds small ones.
//!
//! Distances on a line are differences of sums, so all divisions of n values up to one end take O(n log n). All ends are tried
//! of up to 64 values, fewer of more, 8 at least: a search takes O(n log n) for each permutation and each change point.

use std::ops::Range;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::mean::median;

/// Fewest values between two change points.
pub(crate) const SHORTEST_SEGMENT: usize = 3;
/// Most change points that are searched, which bounds the time.
pub(crate) const MOST_CHANGE_POINTS: usize = 50;
/// Permutations that may have as large a distance where the level is just reached: their number follows from that, so that
/// chance in drawing them decides little.
const AS_LARGE: f64 = 10.0;
/// Ends that are tried: as many as there are values, as long as all divisions are no more than this, and some of more values.
const DIVISIONS: usize = 4_096;
const FEWEST_ENDS: usize = 8;
/// Distances that differ by less are equal: sums of the same values in another order.
const ROUNDING: f64 = 1e-9;

/// The first places of new segments, ascending. `level` is the probability, between 0 and 1, that a series of interchangeable
/// values has any. The same values always have the same change points.
pub(crate) fn change_points(values: &[f64], level: f64) -> Vec<usize> {
    // Distances do not depend on the origin; near 0 their sums are more precise.
    let middle = median(values.to_vec());
    let mut values: Vec<f64> = values.iter().map(|value| value - middle).collect();
    let mut segments = vec![Segment::new(&values, 0..values.len())];
    let mut places = Vec::new();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    while places.len() < MOST_CHANGE_POINTS {
        let best = segments.iter().enumerate().filter_map(|(number, segment)| Some((number, segment.best?)));
        let Some((number, best)) = best.max_by(|a, b| a.1.distance.total_cmp(&b.1.distance)) else { break };
        if !is_significant(&mut values, &segments, best.distance, level, &mut rng) {
            break;
        }
        let Range { start, end } = segments[number].range;
        places.push(best.place);
        segments[number] = Segment::new(&values, start..best.place);
        segments.insert(number + 1, Segment::new(&values, best.place..end));
    }
    places.sort_unstable();
    places
}

/// Fewest values in which a step can be significant at this level: few values have few permutations.
pub(crate) fn fewest_values(level: f64) -> usize {
    // All values of the smaller side above all others, on either end of the series: two of all ways to choose them.
    let choices = |count: usize| (0..SHORTEST_SEGMENT).fold(1.0, |ways, n| ways * (count - n) as f64 / (n + 1) as f64);
    let mut count = 2 * SHORTEST_SEGMENT;
    while 2.0 / choices(count) > level {
        count += 1;
    }
    count
}

struct Segment {
    range: Range<usize>,
    best: Option<Split>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Split {
    place: usize,
    distance: f64,
}

impl Segment {
    fn new(values: &[f64], range: Range<usize>) -> Self {
        let best = best_split(&values[range.clone()], &mut Sums::default());
        let best = best.map(|split| Split { place: range.start + split.place, ..split });
        Self { range, best }
    }
}

/// Whether so large a distance is rare among permutations of the values within their segments. Leaves the values as they were.
fn is_significant(
    values: &mut [f64],
    segments: &[Segment],
    distance: f64,
    level: f64,
    rng: &mut Xoshiro256PlusPlus,
) -> bool {
    let original = values.to_vec();
    let permutations = (AS_LARGE / level).ceil() - 1.0;
    let allowed = (permutations + 1.0) * level;
    let (mut sums, mut as_large, mut drawn) = (Sums::default(), 1.0, 0.0);
    while drawn < permutations && as_large <= allowed {
        drawn += 1.0;
        let mut is_as_large = false;
        // All segments are drawn anew, whichever reaches it first.
        for segment in segments {
            let part = &mut values[segment.range.clone()];
            part.shuffle(rng);
            let split = best_split(part, &mut sums);
            is_as_large |= split.is_some_and(|split| split.distance >= distance * (1.0 - ROUNDING));
        }
        as_large += f64::from(u8::from(is_as_large));
    }
    values.copy_from_slice(&original);
    as_large <= allowed
}

/// The place with the largest energy distance between the values before and those that follow up to an end; `None` of too few
/// values, or of equal ones.
fn best_split(values: &[f64], sums: &mut Sums) -> Option<Split> {
    let count = values.len();
    if count < 2 * SHORTEST_SEGMENT {
        return None;
    }
    sums.rank(values);
    let first = sums.within(values, 0..count);
    let pairs = |count: f64| count * (count - 1.0) / 2.0;
    let mut best: Option<Split> = None;
    for end in ends(count) {
        let last = sums.within(values, (0..end).rev());
        for place in SHORTEST_SEGMENT..=end - SHORTEST_SEGMENT {
            let (left, right) = (place as f64, (end - place) as f64);
            let (inside_left, inside_right) = (first[place], last[end - place]);
            let across = first[end] - inside_left - inside_right;
            let energy = 2.0 * across / (left * right) - inside_left / pairs(left) - inside_right / pairs(right);
            let distance = energy * left * right / (left + right);
            if distance > best.map_or(0.0, |best| best.distance) {
                best = Some(Split { place, distance });
            }
        }
    }
    best
}

/// The ends up to which a series is divided, evenly spaced, the last one its own.
fn ends(count: usize) -> impl Iterator<Item = usize> {
    let shortest = 2 * SHORTEST_SEGMENT;
    let steps = (DIVISIONS / count).max(FEWEST_ENDS).min(count - shortest + 1);
    (1..=steps).map(move |step| shortest - 1 + (count - shortest + 1) * step / steps)
}

/// Number and sum of the values added so far, up to each rank (P. M. Fenwick, "A New Data Structure for Cumulative Frequency
/// Tables", Software: Practice and Experience 24, 1994).
#[derive(Default)]
struct Sums {
    /// From 1, by place.
    ranks: Vec<usize>,
    tree: Vec<[f64; 2]>,
    all: [f64; 2],
}

impl Sums {
    fn rank(&mut self, values: &[f64]) {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
        self.ranks.resize(values.len(), 0);
        for (rank, place) in order.into_iter().enumerate() {
            self.ranks[place] = rank + 1;
        }
    }

    /// Sums of the distances within the first so many of these places.
    fn within(&mut self, values: &[f64], places: impl ExactSizeIterator<Item = usize>) -> Vec<f64> {
        self.clear();
        let mut total = 0.0;
        let mut all = Vec::with_capacity(places.len() + 1);
        all.push(total);
        for place in places {
            total += self.add(place, values[place]);
            all.push(total);
        }
        all
    }

    fn clear(&mut self) {
        self.tree.clear();
        self.tree.resize(self.ranks.len() + 1, [0.0; 2]);
        self.all = [0.0; 2];
    }

    /// Adds a value; the sum of its distances to those before.
    fn add(&mut self, place: usize, value: f64) -> f64 {
        let rank = self.ranks[place];
        let ([mut below_count, mut below_sum], mut at) = ([0.0; 2], rank);
        while at > 0 {
            below_count += self.tree[at][0];
            below_sum += self.tree[at][1];
            at &= at - 1;
        }
        let [count, sum] = self.all;
        let distances = value * below_count - below_sum + (sum - below_sum) - value * (count - below_count);
        at = rank;
        while at < self.tree.len() {
            self.tree[at][0] += 1.0;
            self.tree[at][1] += value;
            at += at & at.wrapping_neg();
        }
        self.all = [count + 1.0, sum + value];
        distances
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{Rng, RngExt};
    use rand_distr::{Distribution, StandardNormal};

    const LEVEL: f64 = 0.05;

    fn noise(rng: &mut impl Rng, count: usize) -> Vec<f64> {
        (0..count).map(|_| StandardNormal.sample(rng)).collect()
    }

    /// Levels in standard deviations.
    fn levels(rng: &mut impl Rng, parts: &[(usize, f64)]) -> Vec<f64> {
        parts.iter().flat_map(|&(count, level)| noise(rng, count).into_iter().map(move |one| level + one)).collect()
    }

    /// The definition: means of the distances of all pairs.
    fn energy_distance(values: &[f64], place: usize) -> f64 {
        let (left, right) = values.split_at(place);
        let mean_of = |one: &[f64], other: &[f64], pairs: f64| {
            one.iter().flat_map(|a| other.iter().map(move |b| (a - b).abs())).sum::<f64>() / pairs
        };
        let (m, n) = (left.len() as f64, right.len() as f64);
        let energy = 2.0 * mean_of(left, right, m * n)
            - mean_of(left, left, m * (m - 1.0))
            - mean_of(right, right, n * (n - 1.0));
        energy * m * n / (m + n)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn the_best_split_is_that_of_the_definition(values in prop::collection::vec(-1e3f64..1e3, 6..40)) {
            let most = |place: usize| {
                let ends = place + SHORTEST_SEGMENT..=values.len();
                ends.map(|end| energy_distance(&values[..end], place)).fold(0.0, f64::max)
            };
            let expected = (SHORTEST_SEGMENT..=values.len() - SHORTEST_SEGMENT).map(most).fold(0.0, f64::max);
            let found = best_split(&values, &mut Sums::default());
            let distance = found.map_or(0.0, |split| split.distance);
            prop_assert!((distance - expected).abs() <= 1e-9 * (1.0 + expected), "{distance} {expected}");
            if let Some(split) = found {
                let of_place = most(split.place);
                prop_assert!((of_place - expected).abs() <= 1e-9 * (1.0 + expected), "{split:?}");
            }
        }

        #[test]
        fn unit_and_origin_do_not_matter(seed: u64, unit in 1e-6f64..1e6, origin in -1e3f64..1e3) {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
            let values = levels(&mut rng, &[(12, 0.0), (12, 4.0)]);
            let other: Vec<f64> = values.iter().map(|value| unit * (value + origin)).collect();
            prop_assert_eq!(change_points(&values, LEVEL), change_points(&other, LEVEL));
        }

        #[test]
        fn segments_are_never_shorter_than_the_shortest(values in prop::collection::vec(0.0f64..3.0, 0..40)) {
            let places = change_points(&values, 0.2);
            let bounds: Vec<usize> = [0].into_iter().chain(places).chain([values.len()]).collect();
            prop_assert!(bounds.len() == 2 || bounds.windows(2).all(|two| two[1] - two[0] >= SHORTEST_SEGMENT));
        }
    }

    /// 300 series at a level of 5 %: 15 alarms are expected, with a standard deviation of 3.8.
    #[test]
    fn false_alarms_are_as_rare_as_the_level_says() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
        let alarms = (0..300).filter(|number| {
            let mut values = noise(&mut rng, 20 + number % 30);
            // The distribution does not matter, only that it is always the same.
            if number % 2 == 0 {
                values = values.into_iter().map(f64::exp).collect();
            }
            !change_points(&values, LEVEL).is_empty()
        });
        let alarms = alarms.count();
        assert!((4..=27).contains(&alarms), "{alarms} of 300");
    }

    #[test]
    fn a_step_is_found_at_its_place() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(8);
        let is_found = |_: &u32| {
            let (before, after) = (rng.random_range(8..20), rng.random_range(8..20));
            let size = if rng.random() { 4.0 } else { -4.0 };
            let found = change_points(&levels(&mut rng, &[(before, 0.0), (after, size)]), LEVEL);
            found.iter().any(|place| place.abs_diff(before) <= 1)
        };
        let found_count = (0..40).filter(is_found).count();
        assert!(found_count >= 39, "{found_count} of 40");
    }

    /// A change point beside the true ones is a false alarm as well, and as rare.
    #[test]
    fn a_rise_that_ends_is_two_change_points() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(9);
        let (mut found_count, mut exact_count) = (0, 0);
        for number in 0..30 {
            let (lows, highs) = [(12, 8), (20, 5), (8, 12)][number % 3];
            let found = change_points(&levels(&mut rng, &[(lows, 0.0), (highs, 6.0), (lows, 0.0)]), LEVEL);
            found_count += u32::from([lows, lows + highs].iter().all(|place| found.contains(place)));
            exact_count += u32::from(found == [lows, lows + highs]);
        }
        assert!(found_count >= 28 && exact_count >= 24, "{found_count} and {exact_count} of 30");
    }

    /// Three values are enough after as many before as the level asks for.
    #[test]
    fn a_step_in_the_newest_values_is_found_in_as_few_as_are_needed() {
        for level in [0.05, 0.0125] {
            let fewest = fewest_values(level);
            let series = |count: usize| -> Vec<f64> {
                (0..count).map(|place| place as f64 / 1e3 + f64::from(u8::from(place + 3 >= count))).collect()
            };
            assert_eq!(change_points(&series(fewest + 3), level).last(), Some(&fewest), "{level}");
            assert_eq!(change_points(&series(5), level), [] as [usize; 0]);
        }
    }

    #[test]
    fn few_equal_and_single_different_values_are_no_change() {
        assert_eq!(change_points(&[], LEVEL), [] as [usize; 0]);
        assert_eq!(change_points(&[1.0; 40], LEVEL), [] as [usize; 0]);
        let mut outlier = vec![1.0; 40];
        outlier[20] = 1e9;
        assert_eq!(change_points(&outlier, 0.01), [] as [usize; 0]);
    }

    #[test]
    fn thousands_of_values_have_their_change_points() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(10);
        let found = change_points(&levels(&mut rng, &[(700, 0.0), (800, 2.0)]), 0.05);
        assert!(found.iter().any(|place| place.abs_diff(700) <= 3), "{found:?}");
    }
}
