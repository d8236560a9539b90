//! Progress, interruption and speed of operations on a whole database.

use std::{
    ops::ControlFlow,
    thread,
    time::{Duration, Instant},
};

/// Longest time between two calls of the observer while a rate limit delays an operation.
const MAX_SLEEP: Duration = Duration::from_millis(100);

/// How far a backup, a restoration or a verification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes done, each copy and each verification counted once.
    pub done_bytes: u64,
    /// Bytes in total, estimated if the operation reads a database.
    pub total_bytes: u64,
}

/// The observer of an operation without one: ignores the progress and never interrupts.
///
/// ```
/// use std::ops::ControlFlow;
/// use ave_actors_rocksdb::backend::{Progress, unobserved};
///
/// assert_eq!(unobserved(Progress { done_bytes: 1, total_bytes: 2 }), ControlFlow::Continue(()));
/// ```
pub fn unobserved(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The observer has interrupted the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interrupted;

/// Counts bytes, reports them to an observer, and delays the operation to its rate.
pub(super) struct Meter<'a> {
    observer: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    progress: Progress,
    bytes_per_second: Option<u64>,
    /// When the next bytes may follow.
    due: Instant,
}

impl<'a> Meter<'a> {
    pub(super) fn new(
        observer: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
        total_bytes: u64,
        bytes_per_second: Option<u64>,
    ) -> Self {
        Self { observer, progress: Progress { done_bytes: 0, total_bytes }, bytes_per_second, due: Instant::now() }
    }

    /// Counts `bytes` as done. Sleeps as long as the rate requires.
    pub(super) fn advance(&mut self, bytes: u64) -> Result<(), Interrupted> {
        let done = self.progress.done_bytes + bytes;
        self.set(done)?;
        let Some(rate) = self.bytes_per_second else { return Ok(()) };
        self.due = self.due.max(Instant::now()) + Duration::from_secs_f64(bytes as f64 / rate.max(1) as f64);
        while let Some(rest) = self.due.checked_duration_since(Instant::now()).filter(|rest| !rest.is_zero()) {
            thread::sleep(rest.min(MAX_SLEEP));
            self.set(done)?;
        }
        Ok(())
    }

    /// Sets the bytes done, at most the total.
    pub(super) fn set(&mut self, done_bytes: u64) -> Result<(), Interrupted> {
        self.progress.done_bytes = done_bytes.min(self.progress.total_bytes);
        match (self.observer)(self.progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Interrupted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_observer_sees_each_step_and_ends_the_operation() {
        let mut seen = Vec::new();
        let mut observer = |progress: Progress| {
            seen.push(progress.done_bytes);
            if progress.done_bytes < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let mut meter = Meter::new(&mut observer, 10, None);
        assert_eq!(meter.advance(2), Ok(()));
        assert_eq!(meter.advance(2), Err(Interrupted));
        assert_eq!(seen, [2, 4]);
    }

    #[test]
    fn a_rate_delays_and_stays_interruptible() {
        let mut calls = 0;
        let mut observer = |_: Progress| {
            calls += 1;
            if calls < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        // Without the interruption this would take an hour.
        let mut meter = Meter::new(&mut observer, 3600, Some(1));
        assert_eq!(meter.advance(3600), Err(Interrupted));
    }
}
