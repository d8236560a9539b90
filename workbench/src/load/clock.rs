//! Time as the runner sees it.

use std::time::{Duration, Instant};

/// A source of time. The runner measures with it and waits on it; a test may put a simulated one in its place.
pub trait Clock: Sync {
    /// Nanoseconds since some fixed moment, never going back.
    fn now_ns(&self) -> u64;

    /// Returns at `at_ns` or shortly after.
    fn wait_until(&self, at_ns: u64);

    /// Time to leave between fixing a schedule and its first moment, nanoseconds: starting the workers takes some of
    /// it, which must not make the first commands late. None unless a clock says otherwise.
    fn lead_ns(&self) -> u64 {
        0
    }
}

/// The monotonic clock of the system.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    origin: Instant,
}

/// A sleeping thread wakes up late; this last part is waited for awake.
const WAKE_EARLY: Duration = Duration::from_micros(100);

/// Asks the kernel to wake the calling thread as precisely as it can: by default it takes 50 µs of freedom.
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
