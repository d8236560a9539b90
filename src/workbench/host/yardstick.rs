//! What the machine does with a fixed amount of work that has nothing to do with any backend.
//!
//! Two measurements minutes apart may differ because the machine did: another clock frequency, a neighbour on the same
//! host, a disk that was throttled. The yardstick is read beside each measurement, so that whoever compares two of them
//! can tell. It knows nothing of what is measured.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::probe::{ProbeError, probe_sync};

/// Numbers that are sorted: a quarter of a mebibyte, which stays in the cache of a core.
const SORTED: usize = 1 << 15;
/// Places of the chain that is followed: four mebibytes, which does not.
const CHAIN: usize = 1 << 20;
/// Steps along it in a portion, each waiting for memory.
const STEPS: usize = 1 << 15;
/// Portions of computing per reading and thread, some 60 ms together.
const PORTIONS: u32 = 16;
/// Time the disk is probed for in a reading.
const SYNC_TIME: Duration = Duration::from_millis(60);

/// One reading of the yardstick.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Yardstick {
    /// Mean time of a portion of computing (sort 32,768 numbers, follow 32,768 references through 4 MiB), nanoseconds,
    /// with as many threads at it as there are workers.
    pub compute_ns: f64,
    /// Median of a 4 KiB write and `fdatasync`, nanoseconds; `None` if the disk was not asked.
    pub sync_ns: Option<f64>,
}

impl Yardstick {
    /// Reads it with so many threads, and the disk under `disk` if there is one to ask. Takes some tenths of a second.
    ///
    /// # Errors
    ///
    /// [`ProbeError`] if the directory cannot be written to.
    pub fn read(threads: u64, disk: Option<&Path>) -> Result<Self, ProbeError> {
        let compute_ns = compute(threads.max(1));
        let sync_ns = disk.map(|disk| probe_sync(disk, SYNC_TIME)).transpose()?.map(median);
        Ok(Self { compute_ns, sync_ns })
    }

    /// What held between two readings: the mean of both.
    #[must_use]
    pub fn between(before: Self, after: Self) -> Self {
        Self {
            compute_ns: before.compute_ns.midpoint(after.compute_ns),
            sync_ns: before.sync_ns.zip(after.sync_ns).map(|(before, after)| before.midpoint(after)),
        }
    }
}

fn median(mut latencies: Vec<u64>) -> f64 {
    latencies.sort_unstable();
    latencies.get(latencies.len() / 2).map_or(0.0, |&nanoseconds| nanoseconds as f64)
}

/// Mean time of a portion over all threads: a thread that had to share its core took longer.
fn compute(threads: u64) -> f64 {
    let work = Work::new();
    let times: Vec<Duration> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| work.time())).collect();
        running.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let total: Duration = times.iter().sum();
    total.as_nanos() as f64 / (times.len().max(1) as f64 * f64::from(PORTIONS))
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

    fn time(&self) -> Duration {
        let began = Instant::now();
        let mut place = 0;
        for _ in 0..PORTIONS {
            let mut numbers = self.numbers.clone();
            numbers.sort_unstable();
            std::hint::black_box(&numbers);
            for _ in 0..STEPS {
                place = self.chain[place as usize];
            }
            std::hint::black_box(place);
        }
        began.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_is_asked_only_where_one_is_given_and_nothing_is_left_there() {
        let directory = tempfile::tempdir().unwrap();
        let with = Yardstick::read(2, Some(directory.path())).unwrap();
        assert!(with.compute_ns > 0.0 && with.sync_ns.is_some_and(|sync| sync > 0.0), "{with:?}");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        assert_eq!(Yardstick::read(1, None).unwrap().sync_ns, None);
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
        let [before, after] = [(2.0, Some(10.0)), (4.0, Some(30.0))]
            .map(|(compute_ns, sync_ns)| Yardstick { compute_ns, sync_ns });
        assert_eq!(Yardstick::between(before, after), Yardstick { compute_ns: 3.0, sync_ns: Some(20.0) });
        assert_eq!(Yardstick::between(before, Yardstick { sync_ns: None, ..after }).sync_ns, None);
    }
}
