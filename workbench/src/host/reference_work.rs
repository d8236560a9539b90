//! Times of a fixed amount of work that does not involve the backend.
//!
//! Two measurements minutes apart may differ because the machine did: another clock frequency, a neighbour on the same
//! host, a throttled disk. The reference work is timed beside each measurement, so that a comparison can tell the cause.

use std::panic::resume_unwind;
use std::path::Path;
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::statistics::Statistics;

use super::probe::{ProbeError, probe_sync, random_words};
use crate::measure::median;
use crate::units;

/// Numbers sorted per portion: 32 KiB, which stay in the cache of a core.
const SORTED: usize = 1 << 12;
/// Entries of the chain that is followed: 4 MiB, which do not. Fewer in a debug build, in which every entry costs tests time.
const CHAIN: usize = if cfg!(debug_assertions) { 1 << 14 } else { 1 << 20 };
/// Steps along the chain per portion, each waiting for memory.
const STEPS: usize = 1 << 12;
/// Portions per measurement and thread. A portion takes some tenths of a millisecond, less than a scheduler's time slice,
/// so that most portions are not interrupted however busy the machine is.
const PORTIONS: usize = if cfg!(debug_assertions) { 8 } else { 128 };
const SYNC_TIME: Duration = Duration::from_millis(60);

/// Times of a fixed amount of work that does not involve the backend.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferenceWork {
    /// Median time of a portion of computing (sort 4,096 numbers, follow 4,096 references through 4 MiB), nanoseconds,
    /// with one thread per writer, at most one per core: the speed of a core without interruptions.
    pub compute_p50_ns: f64,
    /// Mean of the same, nanoseconds: the speed of the threads with all interruptions.
    pub compute_mean_ns: f64,
    /// Median of a 4 KiB write and `fdatasync` under the data directory, nanoseconds; absent with durability off.
    pub sync_p50_ns: Option<f64>,
}

/// Speed of the cores, by the two parts of the reference work: arithmetic, and waiting for memory.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessorProfile {
    /// Threads that worked at once: one per core that this process may use.
    pub threads_count: u32,
    /// Median time to sort 4,096 numbers in the cache of a core.
    pub sort_p50_ns: f64,
    /// Median time to follow 4,096 references through more memory than that cache has.
    pub chase_p50_ns: f64,
    /// How much memory that is: profiles with another size are not comparable.
    pub chased_bytes: u64,
}

impl ProcessorProfile {
    /// `4,096 numbers sorted in 90 µs, 4,096 references followed in 40 µs`.
    pub fn summary(&self) -> String {
        let [sort, chase] = [self.sort_p50_ns, self.chase_p50_ns].map(units::duration);
        format!("4,096 numbers sorted in {sort}, 4,096 references followed in {chase}")
    }

    /// Runs the work on so many threads, at least one. Takes some tenths of a second.
    pub(super) fn measure(threads: u32) -> Self {
        let portions = portions(threads.max(1).into());
        let part = |of: fn(&Portion) -> f64| median(portions.iter().map(of).collect());
        Self {
            threads_count: threads.max(1),
            sort_p50_ns: part(|portion| portion.sort_ns),
            chase_p50_ns: part(|portion| portion.chase_ns),
            chased_bytes: (CHAIN * size_of::<u32>()) as u64,
        }
    }
}

impl ReferenceWork {
    /// Runs the work on `threads` threads, and writes to a temporary file under `disk` if given. Takes some tenths of a
    /// second.
    pub(crate) fn measure(threads: u64, disk: Option<&Path>) -> Result<Self, ProbeError> {
        let portions = portions(threads.max(1));
        let portions: Vec<f64> = portions.iter().map(|portion| portion.sort_ns + portion.chase_ns).collect();
        let syncs = disk.map(|disk| probe_sync(disk, SYNC_TIME)).transpose()?;
        Ok(Self {
            compute_mean_ns: (&portions).mean(),
            compute_p50_ns: median(portions),
            sync_p50_ns: syncs.map(|syncs| median(syncs.into_iter().map(|ns| ns as f64).collect())),
        })
    }

    /// The mean of a measurement before and one after something else.
    pub(crate) fn mean_of(before: Self, after: Self) -> Self {
        Self {
            compute_p50_ns: before.compute_p50_ns.midpoint(after.compute_p50_ns),
            compute_mean_ns: before.compute_mean_ns.midpoint(after.compute_mean_ns),
            sync_p50_ns: before.sync_p50_ns.zip(after.sync_p50_ns).map(|(before, after)| before.midpoint(after)),
        }
    }
}

/// Times of the parts of a portion, nanoseconds.
#[derive(Debug, Clone, Copy)]
struct Portion {
    sort_ns: f64,
    chase_ns: f64,
}

/// Each portion, of all threads together.
fn portions(threads: u64) -> Vec<Portion> {
    let work = Work::new();
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| work.portions())).collect();
        let join =
            |thread: ScopedJoinHandle<'_, Vec<Portion>>| thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        running.into_iter().flat_map(join).collect()
    })
}

struct Work {
    numbers: Vec<u64>,
    /// Each entry is the place of the next one; all form one cycle.
    chain: Vec<u32>,
}

impl Work {
    fn new() -> Self {
        let mut random = random_words();
        let numbers = random.by_ref().take(SORTED).collect();
        let mut chain: Vec<u32> = (0..).take(CHAIN).collect();
        // Sattolo's algorithm: a random permutation of one cycle.
        for place in (1..CHAIN).rev() {
            #[expect(clippy::cast_possible_truncation, reason = "below the place")]
            let other = (random.next().unwrap_or(0) % place as u64) as usize;
            chain.swap(place, other);
        }
        Self { numbers, chain }
    }

    fn portions(&self) -> Vec<Portion> {
        let (mut place, mut numbers) = (0, self.numbers.clone());
        let mut portion = || {
            let began = Instant::now();
            numbers.copy_from_slice(&self.numbers);
            numbers.sort_unstable();
            let sort_ns = began.elapsed().as_nanos() as f64;
            for _ in 0..STEPS {
                place = self.chain[place as usize];
            }
            std::hint::black_box((place, &numbers));
            Portion { sort_ns, chase_ns: began.elapsed().as_nanos() as f64 - sort_ns }
        };
        (0..PORTIONS).map(|_| portion()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_probed_only_if_given_and_nothing_stays_on_it() {
        let directory = tempfile::tempdir().unwrap();
        let with = ReferenceWork::measure(2, Some(directory.path())).unwrap();
        assert!(with.compute_p50_ns > 0.0 && with.compute_mean_ns > 0.0, "{with:?}");
        assert!(with.sync_p50_ns.is_some_and(|sync| sync > 0.0), "{with:?}");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        assert_eq!(ReferenceWork::measure(1, None).unwrap().sync_p50_ns, None);
    }

    #[test]
    fn a_profile_times_both_parts_of_the_work() {
        let profile = ProcessorProfile::measure(2);
        assert!(profile.sort_p50_ns > 0.0 && profile.chase_p50_ns > 0.0, "{profile:?}");
        assert_eq!((profile.threads_count, profile.chased_bytes), (2, 4 * CHAIN as u64));
        assert_eq!(ProcessorProfile::measure(0).threads_count, 1);
    }

    #[test]
    fn the_chain_is_one_cycle() {
        let work = Work::new();
        let (mut place, mut steps) = (work.chain[0], 1);
        while place != 0 {
            (place, steps) = (work.chain[place as usize], steps + 1);
        }
        assert_eq!(steps, CHAIN);
    }

    #[test]
    fn the_mean_lacks_a_sync_time_that_either_lacks() {
        let [before, after] =
            [(2.0, 3.0, Some(10.0)), (4.0, 5.0, Some(30.0))].map(|(compute_p50_ns, compute_mean_ns, sync_p50_ns)| {
                ReferenceWork { compute_p50_ns, compute_mean_ns, sync_p50_ns }
            });
        let held = ReferenceWork { compute_p50_ns: 3.0, compute_mean_ns: 4.0, sync_p50_ns: Some(20.0) };
        assert_eq!(ReferenceWork::mean_of(before, after), held);
        let without = ReferenceWork { sync_p50_ns: None, ..after };
        assert_eq!(ReferenceWork::mean_of(before, without).sync_p50_ns, None);
    }
}
