//! The moments of a load on the clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::clock::Clock;
use super::spec::{DriveSpec, Load};
use super::turn::{Mix, Turn};
use super::warmup::WarmUp;

/// A load and when it begins, counts and ends, nanoseconds of the clock.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) load: Load,
    pub(super) start_ns: u64,
    /// [`NOT_YET`](Self::NOT_YET) until the load has warmed up.
    measure_from_ns: AtomicU64,
    measure_ns: Option<u64>,
    /// Lateness at which the load is given up.
    pub(super) lag_limit_ns: u64,
    pub(super) number: u64,
    /// Commands of a closed loop with uneven shares.
    issued: AtomicU64,
}

impl Window {
    const NOT_YET: u64 = u64::MAX;

    pub(super) fn new(spec: &DriveSpec, clock: &impl Clock, number: u64) -> Self {
        let start_ns = clock.now_ns().saturating_add(clock.lead_ns());
        let measure_from_ns = match spec.warmup {
            WarmUp::Fixed(time) => start_ns.saturating_add(nanoseconds(time)),
            WarmUp::Cold => start_ns,
            WarmUp::Steady { .. } => Self::NOT_YET,
        };
        let lag_limit_ns = spec.lag_limit.map_or(u64::MAX, nanoseconds);
        let fixed = Self::fixed(spec.load, start_ns, spec.measure.map(nanoseconds), number);
        Self { lag_limit_ns, measure_from_ns: AtomicU64::new(measure_from_ns), ..fixed }
    }

    /// A window that counts from its start and has no limit of lateness.
    pub(super) const fn fixed(load: Load, start_ns: u64, measure_ns: Option<u64>, number: u64) -> Self {
        let measure_from_ns = AtomicU64::new(start_ns);
        Self { load, start_ns, measure_from_ns, measure_ns, lag_limit_ns: u64::MAX, number, issued: AtomicU64::new(0) }
    }

    /// The mix of a closed loop that would not be the source's.
    pub(super) fn mix(&self, turn: Turn) -> Option<Mix<'_>> {
        let is_needed = matches!(self.load, Load::Closed) && !turn.are_shares_even;
        is_needed.then(|| Mix::new(turn.share, &self.issued))
    }

    /// Commands due from now on count.
    pub(super) fn measure_from(&self, now_ns: u64) {
        self.measure_from_ns.store(now_ns, Ordering::Relaxed);
    }

    /// Commands due at this moment or later count.
    pub(super) fn counts_from(&self) -> u64 {
        self.measure_from_ns.load(Ordering::Relaxed)
    }

    /// From the start to the first command that counts.
    pub(super) fn warmup_ns(&self) -> u64 {
        self.counts_from().saturating_sub(self.start_ns)
    }

    /// Whether a command that is due at this moment is due after the end of the load.
    pub(super) fn is_over(&self, due_ns: u64) -> bool {
        self.measure_ns.is_some_and(|measure_ns| due_ns >= self.counts_from().saturating_add(measure_ns))
    }

    /// When a ramp begins to rise and when it ends: its warm-up must be a fixed time.
    pub(super) fn ramp_ns(&self) -> [u64; 2] {
        let start_ns = self.counts_from().min(u64::MAX / 2);
        [start_ns, start_ns.saturating_add(self.measure_ns.unwrap_or(1))]
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
