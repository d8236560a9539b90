//! When a load has warmed up: after a given time, or once it is seen to be steady.
//!
//! Caches fill, files are opened, the first memtables are flushed: a load begins slow, or fast, and becomes what it will
//! be. A fixed time is hope; here the rate and the time a command takes are watched in tenths of a second, and measuring
//! begins when the latest second looks like the one before it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::measure::median;

/// Time before anything counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarmUp {
    /// This long.
    Fixed(Duration),
    /// Until it is steady: at least and at most this long.
    Steady {
        /// At least, however steady it is.
        least: Duration,
        /// At most: measuring begins then, and the result says that it was not steady.
        most: Duration,
    },
}

impl WarmUp {
    /// No warm-up.
    pub const NONE: Self = Self::Fixed(Duration::ZERO);

    /// The longest it can take.
    pub const fn most(self) -> Duration {
        match self {
            Self::Fixed(time) => time,
            Self::Steady { most, .. } => most,
        }
    }
}

impl std::fmt::Display for WarmUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(time) => write!(f, "{} s", time.as_secs_f64()),
            Self::Steady { least, most } => {
                write!(f, "until steady, {} to {} s", least.as_secs_f64(), most.as_secs_f64())
            }
        }
    }
}

/// Difference between the medians of the latest looks and of those before them, as a share, that counts as none.
const TOLERANCE: f64 = 0.1;
/// Looks that are compared with as many before them: a second each.
const LOOKS: usize = 10;

/// Watches a load and tells when it is steady.
#[derive(Debug, Default)]
pub(super) struct Steadiness {
    /// Commands in each look, and the mean time one took, nanoseconds.
    looks: Vec<[f64; 2]>,
    totals: [u64; 2],
}

impl Steadiness {
    /// Takes a look: commands completed so far, and the time they took together, nanoseconds.
    pub(super) fn look(&mut self, commands: u64, busy_ns: u64) {
        let more = [commands - self.totals[0], busy_ns - self.totals[1]].map(|more| more as f64);
        self.totals = [commands, busy_ns];
        self.looks.push([more[0], more[1] / more[0].max(1.0)]);
    }

    /// Whether the latest second resembles the one before it, in rate and in time per command.
    pub(super) fn is_steady(&self) -> bool {
        let Some(from) = self.looks.len().checked_sub(2 * LOOKS) else { return false };
        let (before, latest) = self.looks[from..].split_at(LOOKS);
        [0, 1].into_iter().all(|figure| {
            let middle = |looks: &[[f64; 2]]| median(looks.iter().map(|look| look[figure]).collect());
            let (before, latest) = (middle(before), middle(latest));
            // Of few commands in a look the number is chance: by its square root, as chance goes.
            let chance = if figure == 0 { 2.0 * latest.sqrt() } else { 0.0 };
            (latest - before).abs() <= (TOLERANCE * before.max(latest)).max(chance)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The look at which a load whose commands take `ns(look)` is found steady.
    fn steady_at(ns: impl Fn(u64) -> u64) -> Option<u64> {
        let (mut steadiness, mut commands, mut busy) = (Steadiness::default(), 0, 0);
        (0..200).find(|&look| {
            let more = 100_000_000 / ns(look);
            commands += more;
            busy += more * ns(look);
            steadiness.look(commands, busy);
            steadiness.is_steady()
        })
    }

    #[test]
    fn a_steady_load_is_steady_after_two_seconds() {
        assert_eq!(steady_at(|_| 10_000), Some(19));
    }

    #[test]
    fn a_load_that_becomes_faster_is_waited_for() {
        let cold = |look: u64| if look < 40 { 50_000 - 1_000 * look } else { 10_000 };
        let found = steady_at(cold).unwrap();
        assert!((40..65).contains(&found), "steady at look {found}");
    }

    #[test]
    fn a_load_that_goes_on_changing_is_never_steady() {
        assert_eq!(steady_at(|look| 1_000_000 >> (look / 10)), None);
    }

    #[test]
    fn single_slow_moments_do_not_matter() {
        assert_eq!(steady_at(|look| if look % 7 == 3 { 90_000 } else { 10_000 }), Some(19));
    }
}
