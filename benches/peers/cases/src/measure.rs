//! Time: of a section of the work, and of each operation in it.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::{Outcome, host};

/// A stretch of the work that counts.
#[derive(Debug)]
pub struct Section {
    wall: Instant,
    cpu: Duration,
}

/// What a section took.
#[derive(Debug, Clone, Copy)]
pub struct Spent {
    /// By the clock.
    pub wall: Duration,
    /// Of the process: user and system, all threads, background work included.
    pub cpu: Duration,
}

impl Section {
    /// Starts now.
    pub fn begin() -> Self {
        Self { cpu: host::process_cpu(), wall: Instant::now() }
    }

    /// Ends now.
    pub fn end(self) -> Spent {
        let wall = self.wall.elapsed();
        Spent { wall, cpu: host::process_cpu().saturating_sub(self.cpu) }
    }
}

impl Spent {
    /// Time by the clock per operation, in microseconds.
    pub fn micros_per(&self, operations: u64) -> f64 {
        micros(self.wall) / operations as f64
    }

    /// CPU per operation, in microseconds.
    pub fn cpu_micros_per(&self, operations: u64) -> f64 {
        micros(self.cpu) / operations as f64
    }

    /// Operations per second.
    pub fn rate(&self, operations: u64) -> f64 {
        operations as f64 / self.wall.as_secs_f64()
    }
}

/// A duration in microseconds.
pub fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// Times the operations of one thread. One look at the clock per operation: the end of one is the start of the next.
#[derive(Debug)]
pub struct Latencies {
    last: Instant,
    nanos: Histogram<u64>,
}

impl Latencies {
    /// The first operation starts now.
    ///
    /// # Panics
    ///
    /// Never: the bounds are constants.
    pub fn begin() -> Self {
        let nanos = Histogram::new_with_bounds(1, 100_000_000_000, 3).expect("valid bounds");
        Self { last: Instant::now(), nanos }
    }

    /// The next operation starts now; what happened since the last one does not count.
    pub fn skip(&mut self) {
        self.last = Instant::now();
    }

    /// An operation ends now and the next one starts.
    pub fn lap(&mut self) -> Instant {
        let now = Instant::now();
        let nanos = u64::try_from((now - self.last).as_nanos()).unwrap_or(u64::MAX);
        self.nanos.saturating_record(nanos.max(1));
        self.last = now;
        now
    }

    /// How many operations were timed.
    pub fn count(&self) -> u64 {
        self.nanos.len()
    }

    /// Adds another thread's.
    ///
    /// # Panics
    ///
    /// Never: all have the same bounds.
    pub fn merge(&mut self, other: &Self) {
        self.nanos.add(&other.nanos).expect("the same bounds");
    }

    /// The percentile, in microseconds.
    pub fn micros(&self, percentile: f64) -> f64 {
        self.nanos.value_at_percentile(percentile) as f64 / 1e3
    }

    /// The sum, in microseconds.
    pub fn total_micros(&self) -> f64 {
        self.nanos.mean() * self.count() as f64 / 1e3
    }

    /// Puts the usual percentiles into an outcome, under names that start with `prefix`.
    pub fn report(&self, prefix: &str, outcome: &mut Outcome) {
        outcome.set(format!("{prefix}p50_us"), self.micros(50.0));
        outcome.set(format!("{prefix}p99_us"), self.micros(99.0));
        outcome.set(format!("{prefix}p999_us"), self.micros(99.9));
        outcome.set(format!("{prefix}max_us"), self.micros(100.0));
    }
}

/// Calls a function `calls` times, or until `limit` has passed but at least three times, and times each call.
pub fn time_calls<E>(
    calls: u64,
    limit: Duration,
    mut call: impl FnMut(u64) -> Result<(), E>,
) -> Result<(Latencies, Spent), E> {
    let section = Section::begin();
    let start = Instant::now();
    let mut latencies = Latencies::begin();
    for n in 0..calls {
        call(n)?;
        let now = latencies.lap();
        if n >= 2 && now - start > limit {
            break;
        }
    }
    Ok((latencies, section.end()))
}
