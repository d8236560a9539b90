//! The clock of the load generator.

use std::time::{Duration, Instant};

/// A source of time to measure with and to wait on, which tests can simulate.
pub trait Clock: Sync {
    /// Nanoseconds since a fixed moment; monotonic.
    fn now_ns(&self) -> u64;

    /// Returns at `at_ns` or shortly after.
    fn wait_until(&self, at_ns: u64);

    /// Time from the creation of a schedule to its first command, nanoseconds, in which the workers start. Default: 0.
    fn lead_ns(&self) -> u64 {
        0
    }
}

/// The monotonic clock of the system.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    origin: Instant,
}

/// The last part of a wait, which is spent spinning: a sleeping thread wakes up late, by 25 µs at the median where this was
/// measured. A longer part makes it no more punctual, since threads that spin take the cores from those that are due: with 64
/// threads and 10,000 commands/s on two cores, 100 µs keep a core busy, and 20 µs take the same 0.14 cores as none.
const WAKE_EARLY: Duration = Duration::from_micros(20);

/// Reduces the timer slack of the calling thread, by default 50 µs.
pub(super) fn wake_precisely() {
    // Where it is refused, the generator's lateness shows in the report like any other.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
}

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

    fn lead_ns(&self) -> u64 {
        20_000_000
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
