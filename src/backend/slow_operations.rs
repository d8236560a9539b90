//! Reports operations that take longer than a threshold.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use tracing::warn;

/// The threshold above which operations are reported, as `tracing` events of level `WARN`.
#[derive(Debug, Default)]
pub(super) struct SlowOperations {
    /// In nanoseconds. 0: nothing is reported, and no clock is read.
    threshold: AtomicU64,
}

impl SlowOperations {
    pub(super) fn set_threshold(&self, threshold: Option<Duration>) {
        let nanos = threshold.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(1));
        self.threshold.store(nanos, Ordering::Relaxed);
    }

    /// Runs an operation. Costs one load of a variable that rarely changes while nothing is reported.
    #[inline]
    pub(super) fn watch<R>(&self, operation: &str, family: &str, prefix: &str, run: impl FnOnce() -> R) -> R {
        match self.threshold.load(Ordering::Relaxed) {
            0 => run(),
            nanos => watched(Duration::from_nanos(nanos), operation, family, prefix, run),
        }
    }
}

#[cold]
fn watched<R>(threshold: Duration, operation: &str, family: &str, prefix: &str, run: impl FnOnce() -> R) -> R {
    let start = Instant::now();
    let result = run();
    let elapsed = start.elapsed();
    if elapsed >= threshold {
        warn!(operation, column_family = family, prefix, ?elapsed, ?threshold, "slow operation");
    }
    result
}
