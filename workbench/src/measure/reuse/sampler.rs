//! Reuse distances from a spatial sample of the items.
//!
//! SHARDS: C. A. Waldspurger, N. Park, A. Garthwaite, I. Ahmad, "Efficient MRC Construction with SHARDS", FAST 2015. An
//! item is sampled if its hash is below a threshold, with all of its accesses; so the distance between two of them,
//! divided by the sampling rate, estimates the distance in the whole stream. The variant of a fixed size (section 3.2)
//! keeps at most so many items: the one with the largest hash leaves, and the threshold falls to its hash.

use std::collections::BinaryHeap;

use super::curve::{Distances, MissCurve};
use super::stack::LruStack;

/// Items that are sampled at most: some 6 MB. The paper finds a mean absolute error of the miss ratio below 0.01 with 8,192.
const MOST_SAMPLES: usize = 1 << 16;

/// Measures reuse distances in a stream of accesses.
#[derive(Debug)]
pub(crate) struct ReuseSampler {
    most_samples: usize,
    /// Items with at most this hash are sampled.
    threshold: u64,
    stack: LruStack,
    /// The hashes of the sampled items, the largest first.
    hashes: BinaryHeap<u64>,
    reads: u64,
    distances: Distances,
}

impl Default for ReuseSampler {
    fn default() -> Self {
        Self::with_samples(MOST_SAMPLES)
    }
}

impl ReuseSampler {
    /// With at most so many sampled items.
    pub(crate) fn with_samples(most_samples: usize) -> Self {
        Self {
            most_samples: most_samples.max(1),
            threshold: u64::MAX,
            stack: LruStack::new(),
            hashes: BinaryHeap::new(),
            reads: 0,
            distances: Distances::default(),
        }
    }

    /// A read that counts. `hash` identifies the item and is spread evenly over all numbers.
    pub(crate) fn read(&mut self, hash: u64, bytes: u32) {
        self.reads += 1;
        if hash > self.threshold {
            return;
        }
        let rate = self.rate();
        let seen = self.seen_bytes();
        match self.access(hash, bytes) {
            // The item itself is not a sample of others.
            Some(above) => self.distances.add(above as f64 / rate + f64::from(bytes), 1.0 / rate),
            None => self.distances.add_first(bytes, seen, 1.0 / rate),
        }
    }

    /// An access that does not count, but leaves the item in the cache.
    pub(crate) fn touch(&mut self, hash: u64, bytes: u32) {
        if hash <= self.threshold {
            self.access(hash, bytes);
        }
    }

    fn access(&mut self, hash: u64, bytes: u32) -> Option<u64> {
        let above = self.stack.access(hash, bytes);
        if above.is_none() {
            self.hashes.push(hash);
            if self.hashes.len() > self.most_samples
                && let Some(largest) = self.hashes.pop()
            {
                self.stack.remove(largest);
                self.threshold = largest.saturating_sub(1);
            }
        }
        above
    }

    /// Share of the items that are sampled.
    fn rate(&self) -> f64 {
        (self.threshold as f64 + 1.0) / 2f64.powi(64)
    }

    /// Bytes of all items that were accessed, estimated.
    fn seen_bytes(&self) -> f64 {
        self.stack.bytes() as f64 / self.rate()
    }

    /// The misses among the reads so far, by size of the cache.
    pub(crate) fn finish(self) -> MissCurve {
        MissCurve::new(self.reads, &self.distances)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::reuse::curve::mean_absolute_difference;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_distr::{Distribution, Zipf};
    use rand_xoshiro::{SplitMix64, Xoshiro256PlusPlus};

    const READS: u64 = 120_000;
    const BLOCK: u32 = 4096;

    fn hash(item: u64) -> u64 {
        SplitMix64::seed_from_u64(item).random()
    }

    fn curve(most_samples: usize, items: &[u64]) -> MissCurve {
        let mut sampler = ReuseSampler::with_samples(most_samples);
        for &item in items {
            sampler.read(hash(item), BLOCK);
        }
        sampler.finish()
    }

    #[derive(Debug, Clone, Copy)]
    enum Pattern {
        Zipf(f64),
        Uniform,
        /// From the first item to the last, over and over.
        Loop,
        /// Never the same item twice.
        Scan,
    }

    impl Pattern {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
        fn draw(self, number: u64, items: u64, rng: &mut Xoshiro256PlusPlus) -> u64 {
            match self {
                Self::Zipf(exponent) => Zipf::new(items as f64, exponent).unwrap().sample(rng) as u64,
                Self::Uniform => rng.random_range(0..items),
                Self::Loop => number % items,
                Self::Scan => number,
            }
        }
    }

    fn pattern() -> impl Strategy<Value = Pattern> {
        prop_oneof![
            (0.4..1.3).prop_map(Pattern::Zipf),
            Just(Pattern::Uniform),
            Just(Pattern::Loop),
            Just(Pattern::Scan),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn a_quarter_of_the_samples_gives_the_exact_curve_within_two_percent(
            patterns in [pattern(), pattern()],
            items in [20_000u64..60_000, 1_000u64..30_000],
            share in 0.0..1.0,
            seed: u64,
        ) {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
            // Both patterns have items of their own.
            let stream: Vec<u64> = (0..READS).map(|number| {
                let which = usize::from(rng.random_bool(share));
                2 * patterns[which].draw(number, items[which], &mut rng) + which as u64
            }).collect();
            let [sampled, exact] = [MOST_SAMPLES / 4, usize::MAX].map(|most| curve(most, &stream));
            let error = mean_absolute_difference(&sampled, &exact);
            prop_assert!(error <= 0.02, "{error} for {patterns:?}, {items:?}, {share}");
        }
    }

    #[test]
    fn memory_is_bounded_however_many_items_there_are() {
        let mut sampler = ReuseSampler::default();
        for item in 0..20 * MOST_SAMPLES as u64 {
            sampler.read(hash(item), BLOCK);
        }
        assert_eq!((sampler.stack.len(), sampler.hashes.len()), (MOST_SAMPLES, MOST_SAMPLES));
        let bytes = sampler.stack.allocated_bytes() + sampler.hashes.capacity() * size_of::<u64>();
        assert!(bytes < 8 << 20, "{bytes}");
        let error = sampler.seen_bytes() / (20.0 * MOST_SAMPLES as f64 * f64::from(BLOCK)) - 1.0;
        assert!(error.abs() < 0.02, "the footprint is off by {error}");
    }

    #[test]
    fn a_touch_counts_as_no_read_but_leaves_the_item_in_the_cache() {
        let mut sampler = ReuseSampler::default();
        sampler.touch(hash(1), BLOCK);
        sampler.read(hash(1), BLOCK);
        let curve = sampler.finish();
        assert_eq!(curve.reads(), 1);
        assert!(curve.misses(f64::from(2 * BLOCK)) < 1e-9 && curve.misses(0.0) > 0.5);
        assert!(curve.bytes_per_first_read().abs() < 1e-9);
    }

    #[test]
    fn items_that_were_not_accessed_before_have_a_mean_size() {
        let mut sampler = ReuseSampler::default();
        sampler.touch(hash(1), 7 * BLOCK);
        for (item, blocks) in [(1, 7), (2, 1), (3, 3), (2, 1)] {
            sampler.read(hash(item), blocks * BLOCK);
        }
        assert!((sampler.finish().bytes_per_first_read() - f64::from(2 * BLOCK)).abs() < 1e-9);
    }
}
