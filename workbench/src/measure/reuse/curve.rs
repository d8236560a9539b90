//! Misses by size of the cache.

/// Buckets per doubling of a distance: distances are right within 1.1 %.
const BUCKETS_PER_DOUBLING: usize = 64;

/// How far apart the reads of an item are, in bytes of other items and itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Distances {
    /// Reads by distance, on a logarithmic scale.
    buckets: Vec<f64>,
    /// Reads of items that were not accessed before.
    first: f64,
    /// Their own bytes, summed.
    first_bytes: f64,
    /// The bytes that had been accessed before these reads, summed.
    seen_bytes: f64,
}

impl Distances {
    /// So many reads at a distance of at least one byte.
    pub(super) fn add(&mut self, distance_bytes: f64, reads: f64) {
        let bucket = bucket(distance_bytes);
        if bucket >= self.buckets.len() {
            self.buckets.resize(bucket + 1, 0.0);
        }
        self.buckets[bucket] += reads;
    }

    /// So many reads of items of this size that were not accessed before, when others of so many bytes had been.
    pub(super) fn add_first(&mut self, bytes: u32, seen_bytes: f64, reads: f64) {
        self.first += reads;
        self.first_bytes += f64::from(bytes) * reads;
        self.seen_bytes += seen_bytes * reads;
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a logarithm of at least 0")]
fn bucket(distance_bytes: f64) -> usize {
    (distance_bytes.max(1.0).log2() * BUCKETS_PER_DOUBLING as f64) as usize
}

/// The largest distance in a bucket.
fn upper_edge(bucket: usize) -> f64 {
    2f64.powf((bucket + 1) as f64 / BUCKETS_PER_DOUBLING as f64)
}

/// Reads that a cache with least-recently-used replacement does not serve, by its size. It never rises.
///
/// A sample may contain an item that is read far more often than others, or miss it: the sampled reads are then too many or
/// too few. The correction is that of SHARDS-adj (section 3.3): the difference counts at the smallest distance, that is as
/// hits; so misses are those of the sample, and hits are all other reads.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MissCurve {
    reads: u64,
    /// Upper edge of each bucket of distances, bytes, and the reads at longer ones. Ascending and descending.
    steps: Vec<(f64, f64)>,
    first: f64,
    /// Mean of their own bytes.
    first_bytes: f64,
    /// Mean of the bytes that had been accessed before a first read.
    seen_bytes: f64,
    /// Bytes of all items there are; infinite if unknown.
    stored_bytes: f64,
}

impl MissCurve {
    pub(super) fn new(reads: u64, distances: &Distances) -> Self {
        let mut longer: f64 = distances.buckets.iter().sum();
        let mut steps = vec![(0.0, longer)];
        for (bucket, &count) in distances.buckets.iter().enumerate().filter(|&(_, &count)| count > 0.0) {
            longer = (longer - count).max(0.0);
            steps.push((upper_edge(bucket), longer));
        }
        let mean = |sum: f64| if distances.first > 0.0 { sum / distances.first } else { 0.0 };
        let [first_bytes, seen_bytes] = [distances.first_bytes, distances.seen_bytes].map(mean);
        Self { reads, steps, first: distances.first, first_bytes, seen_bytes, stored_bytes: f64::INFINITY }
    }

    /// The same, in the long run: the first reads are repetitions too, of accesses before the stream began, and a cache of
    /// all the items misses nothing. How far these accesses lie back is unknown: between what was accessed since and all
    /// items, and evenly spread there. That is exact if all items are read equally often, else too many misses.
    pub(crate) fn among_stored(self, stored_bytes: f64) -> Self {
        Self { stored_bytes: stored_bytes.max(self.seen_bytes), ..self }
    }

    /// Reads of the stream.
    pub(crate) const fn reads(&self) -> u64 {
        self.reads
    }

    /// Size of the items that were not accessed before, mean of their reads, bytes; 0 if there are none.
    pub(crate) const fn bytes_per_first_read(&self) -> f64 {
        self.first_bytes
    }

    /// Bytes of all items there are; infinite if unknown.
    pub(crate) const fn stored_bytes(&self) -> f64 {
        self.stored_bytes
    }

    /// Reads that a cache of so many bytes does not serve.
    pub(crate) fn misses(&self, cache_bytes: f64) -> f64 {
        if cache_bytes >= self.stored_bytes {
            return 0.0;
        }
        let after = self.steps.partition_point(|&(edge, _)| edge <= cache_bytes);
        let repeated = self.steps.get(after.saturating_sub(1)).map_or(0.0, |&(_, longer)| longer);
        (repeated + self.first * self.share_of_first(cache_bytes)).min(self.reads as f64)
    }

    /// Share of the first reads that are misses.
    fn share_of_first(&self, cache_bytes: f64) -> f64 {
        let unseen = self.stored_bytes - self.seen_bytes;
        if unseen.is_finite() { (1.0 - (cache_bytes - self.seen_bytes) / unseen).clamp(0.0, 1.0) } else { 1.0 }
    }
}

/// Mean distance of two curves of one stream, as a share of its reads, over sizes of the cache from a block to beyond the
/// last distance.
#[cfg(test)]
pub(super) fn mean_absolute_difference(one: &MissCurve, other: &MissCurve) -> f64 {
    assert_eq!(one.reads, other.reads);
    let last = other.steps.last().unwrap().0.max(4096.0);
    let sizes = (1..=200).map(|step| last * f64::from(step) / 200.0);
    let difference = |size| (one.misses(size) - other.misses(size)).abs() / one.reads as f64;
    sizes.map(difference).sum::<f64>() / 200.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads at distances, and first reads after so many bytes.
    fn curve(distances: &[f64], first: &[f64]) -> MissCurve {
        let mut counted = Distances::default();
        for &distance in distances {
            counted.add(distance, 1.0);
        }
        for &seen in first {
            counted.add_first(100, seen, 1.0);
        }
        MissCurve::new((distances.len() + first.len()) as u64, &counted)
    }

    #[test]
    fn a_cache_serves_reads_at_distances_up_to_its_size() {
        let curve = curve(&[100.0, 1_000.0, 1_000.0, 10_000.0], &[0.0]);
        for (size, misses) in [(0.0, 5.0), (99.0, 5.0), (102.0, 4.0), (900.0, 4.0), (1_020.0, 2.0), (1e9, 1.0)] {
            assert!((curve.misses(size) - misses).abs() < 1e-9, "{size}: {}", curve.misses(size));
        }
    }

    #[test]
    fn first_reads_hit_in_a_cache_of_everything_and_spread_below_it() {
        let curve = curve(&[], &[100.0; 10]).among_stored(1_100.0);
        for (size, misses) in [(0.0, 10.0), (100.0, 10.0), (600.0, 5.0), (1_100.0, 0.0), (1e9, 0.0)] {
            assert!((curve.misses(size) - misses).abs() < 1e-9, "{size}: {}", curve.misses(size));
        }
    }

    #[test]
    fn reads_that_no_sample_contains_are_hits() {
        let mut counted = Distances::default();
        counted.add(1_000.0, 30.0);
        assert!((MissCurve::new(100, &counted).misses(500.0) - 30.0).abs() < 1e-9);
        assert!((MissCurve::new(20, &counted).misses(500.0) - 20.0).abs() < 1e-9, "no more misses than reads");
    }

    proptest! {
        #[test]
        fn more_memory_never_causes_more_misses(
            distances in prop::collection::vec(1.0..1e9, 0..50),
            first in prop::collection::vec(0.0..1e9, 0..50),
            stored in prop::option::of(0.0..1e10),
        ) {
            let mut curve = curve(&distances, &first);
            if let Some(stored) = stored {
                curve = curve.among_stored(stored);
            }
            let misses: Vec<f64> = (0..400).map(|step| curve.misses(2f64.powf(f64::from(step) / 10.0) - 1.0)).collect();
            prop_assert!(misses.is_sorted_by(|more, less| more >= less));
            prop_assert!((misses[0] - curve.reads() as f64).abs() < 1e-6);
        }
    }
}
