//! What the machine does with a fixed amount of work that has nothing to do with any backend.
//!
//! Two measurements minutes apart may differ because the machine did: another clock frequency, a neighbour on the same
//! host, a disk that was throttled. The yardstick is read beside each measurement, so that whoever compares two of them
//! can tell. It knows nothing of what is measured.

use std::panic::resume_unwind;
use std::path::Path;
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::probe::{ProbeError, probe_sync};

/// Numbers that are sorted in a portion: 32 KiB of them, which stay in the cache of a core.
const SORTED: usize = 1 << 12;
/// Places of the chain that is followed: four mebibytes, which do not.
const CHAIN: usize = 1 << 20;
/// Steps along it in a portion, each waiting for memory.
const STEPS: usize = 1 << 12;
/// Portions of computing per reading and thread. A portion takes some tenths of a millisecond, less than a scheduler's
/// slice of time, so that most portions are not interrupted however busy the machine is.
const PORTIONS: usize = 128;
/// Time the disk is probed for in a reading.
const SYNC_TIME: Duration = Duration::from_millis(60);

/// One reading of the yardstick.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Yardstick {
    /// Median time of a portion of computing (sort 4,096 numbers, follow 4,096 references through 4 MiB), nanoseconds,
    /// with as many threads at it as there are workers: how fast a core is while nobody else has it.
    pub compute_p50_ns: f64,
    /// Mean of the same, nanoseconds: how fast the threads get on, whoever else wants the cores.
    pub compute_mean_ns: f64,
    /// Median of a 4 KiB write and `fdatasync`, nanoseconds; `None` if the disk was not asked.
    pub sync_p50_ns: Option<f64>,
}

impl Yardstick {
    /// Reads it with so many threads, and the disk under `disk` if there is one to ask. Takes some tenths of a second.
    ///
    /// # Errors
    ///
    /// [`ProbeError`] if the directory cannot be written to.
    pub fn read(threads: u64, disk: Option<&Path>) -> Result<Self, ProbeError> {
        let portions = compute(threads.max(1));
        let mean = portions.iter().sum::<u64>() as f64 / portions.len().max(1) as f64;
        let sync_p50_ns = disk.map(|disk| probe_sync(disk, SYNC_TIME)).transpose()?.map(median);
        Ok(Self { compute_p50_ns: median(portions), compute_mean_ns: mean, sync_p50_ns })
    }

    /// What held between two readings: the mean of both.
    #[must_use]
    pub fn between(before: Self, after: Self) -> Self {
        Self {
            compute_p50_ns: before.compute_p50_ns.midpoint(after.compute_p50_ns),
            compute_mean_ns: before.compute_mean_ns.midpoint(after.compute_mean_ns),
            sync_p50_ns: before.sync_p50_ns.zip(after.sync_p50_ns).map(|(before, after)| before.midpoint(after)),
        }
    }
}

fn median(mut latencies: Vec<u64>) -> f64 {
    latencies.sort_unstable();
    latencies.get(latencies.len() / 2).map_or(0.0, |&nanoseconds| nanoseconds as f64)
}

/// What each portion took, all threads together, nanoseconds.
fn compute(threads: u64) -> Vec<u64> {
    let work = Work::new();
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| work.portions())).collect();
        let join = |thread: ScopedJoinHandle<'_, Vec<u64>>| thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        running.into_iter().flat_map(join).collect()
    })
}

struct Work {
    numbers: Vec<u64>,
    /// Each place holds the next one; all are on one circle.
    chain: Vec<u32>,
}

impl Work {
    fn new() -> Self {
        let mut word = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = || {
            word ^= word << 13;
            word ^= word >> 7;
            word ^= word << 17;
            word
        };
        let numbers = std::iter::repeat_with(&mut random).take(SORTED).collect();
        let mut chain: Vec<u32> = (0..).take(CHAIN).collect();
        // Sattolo's algorithm: a random permutation of one cycle.
        for place in (1..CHAIN).rev() {
            #[expect(clippy::cast_possible_truncation, reason = "below the place")]
            let other = (random() % place as u64) as usize;
            chain.swap(place, other);
        }
        Self { numbers, chain }
    }

    fn portions(&self) -> Vec<u64> {
        let (mut place, mut numbers) = (0, self.numbers.clone());
        let mut portion = || {
            let began = Instant::now();
            numbers.copy_from_slice(&self.numbers);
            numbers.sort_unstable();
            for _ in 0..STEPS {
                place = self.chain[place as usize];
            }
            std::hint::black_box((place, &numbers));
            u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX)
        };
        (0..PORTIONS).map(|_| portion()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_is_asked_only_where_one_is_given_and_nothing_is_left_there() {
        let directory = tempfile::tempdir().unwrap();
        let with = Yardstick::read(2, Some(directory.path())).unwrap();
        assert!(with.compute_p50_ns > 0.0 && with.compute_mean_ns > 0.0, "{with:?}");
        assert!(with.sync_p50_ns.is_some_and(|sync| sync > 0.0), "{with:?}");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        assert_eq!(Yardstick::read(1, None).unwrap().sync_p50_ns, None);
    }

    #[test]
    fn a_disk_that_cannot_be_written_to_is_named() {
        let error = Yardstick::read(1, Some(Path::new("/no/such/place"))).unwrap_err();
        assert!(error.to_string().contains("/no/such/place"), "{error}");
    }

    #[test]
    fn the_chain_visits_every_place_before_it_comes_back() {
        let work = Work::new();
        let (mut place, mut steps) = (work.chain[0], 1);
        while place != 0 {
            (place, steps) = (work.chain[place as usize], steps + 1);
        }
        assert_eq!(steps, CHAIN);
    }

    #[test]
    fn between_two_readings_their_mean_held() {
        let [before, after] =
            [(2.0, 3.0, Some(10.0)), (4.0, 5.0, Some(30.0))].map(|(compute_p50_ns, compute_mean_ns, sync_p50_ns)| {
                Yardstick { compute_p50_ns, compute_mean_ns, sync_p50_ns }
            });
        let held = Yardstick { compute_p50_ns: 3.0, compute_mean_ns: 4.0, sync_p50_ns: Some(20.0) };
        assert_eq!(Yardstick::between(before, after), held);
        let without = Yardstick { sync_p50_ns: None, ..after };
        assert_eq!(Yardstick::between(before, without).sync_p50_ns, None);
    }
}
