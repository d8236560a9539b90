//! Time as the runner sees it.

use std::time::{Duration, Instant};

/// A source of time. The runner measures with it and waits on it; a test may put a simulated one in its place.
pub trait Clock: Sync {
    /// Nanoseconds since some fixed moment, never going back.
    fn now_ns(&self) -> u64;

    /// Returns at `at_ns` or shortly after.
    fn wait_until(&self, at_ns: u64);
}

/// The monotonic clock of the system.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    origin: Instant,
}

/// A sleeping thread wakes up to this much late (the kernel's timer slack is 50 µs); the rest is waited for awake.
const WAKE_EARLY: Duration = Duration::from_micros(70);

impl SystemClock {
    /// A clock that starts now.
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now_ns(&self) -> u64 {
        // 2^64 ns are 584 years.
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn wait_until(&self, at_ns: u64) {
        loop {
            let left = Duration::from_nanos(at_ns.saturating_sub(self.now_ns()));
            if left.is_zero() {
                return;
            }
            match left.checked_sub(WAKE_EARLY) {
                Some(sleep) if !sleep.is_zero() => std::thread::sleep(sleep),
                _ => std::hint::spin_loop(),
            }
        }
    }
}
