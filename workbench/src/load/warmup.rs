//! When a load has warmed up: after a fixed time, or once rate and latency are steady.
//!
//! While caches fill, files are opened and the first memtables are flushed, a load is slower or faster than later. Rate and
//! time per command are sampled every 100 ms; the load is steady when the last second resembles the one before.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::measure::median;

/// Time before anything counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarmUp {
    /// A fixed time.
    Fixed(Duration),
    /// Until the load is steady.
    Steady {
        /// Shortest time, even if the load is steady earlier.
        least: Duration,
        /// Longest time; the result then says that the load was not steady.
        most: Duration,
    },
    /// None, and the files of the database leave the page cache before: what a command reads comes from the disk at first.
    Cold,
}

impl WarmUp {
    /// No warm-up.
    pub const NONE: Self = Self::Fixed(Duration::ZERO);

    /// Until steady, 2 s to 10 s: the default of runs and certifications.
    pub(crate) const STEADY: Self = Self::Steady { least: Duration::from_secs(2), most: Duration::from_secs(10) };

    /// The longest it can take.
    pub const fn most(self) -> Duration {
        match self {
            Self::Fixed(time) => time,
            Self::Steady { most, .. } => most,
            Self::Cold => Duration::ZERO,
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
            Self::Cold => write!(f, "none, with a cold page cache"),
        }
    }
}

/// Largest difference between the medians of two consecutive seconds of a steady load, as a share.
const TOLERANCE: f64 = 0.1;
const SAMPLES: usize = 10;

#[derive(Debug, Default)]
pub(super) struct Steadiness {
    /// Commands in each sample, and their mean time, nanoseconds.
    samples: Vec<[f64; 2]>,
    totals: [u64; 2],
}

impl Steadiness {
    /// Adds a sample: commands completed so far, and their total time, nanoseconds.
    pub(super) fn sample(&mut self, commands: u64, busy_ns: u64) {
        let more = [commands - self.totals[0], busy_ns - self.totals[1]].map(|more| more as f64);
        self.totals = [commands, busy_ns];
        self.samples.push([more[0], more[1] / more[0].max(1.0)]);
    }

    /// Whether the last second resembles the one before, in rate and in time per command.
    pub(super) fn is_steady(&self) -> bool {
        let Some(from) = self.samples.len().checked_sub(2 * SAMPLES) else { return false };
        let (before, latest) = self.samples[from..].split_at(SAMPLES);
        [0, 1].into_iter().all(|figure| {
            let middle = |samples: &[[f64; 2]]| median(samples.iter().map(|sample| sample[figure]).collect());
            let (before, latest) = (middle(before), middle(latest));
            // Few commands per sample vary by chance, by about the square root of their number.
            let chance = if figure == 0 { 2.0 * latest.sqrt() } else { 0.0 };
            (latest - before).abs() <= (TOLERANCE * before.max(latest)).max(chance)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sample at which a load whose commands take `ns(sample)` is found steady.
    fn steady_at(ns: impl Fn(u64) -> u64) -> Option<u64> {
        let (mut steadiness, mut commands, mut busy) = (Steadiness::default(), 0, 0);
        (0..200).find(|&sample| {
            let more = 100_000_000 / ns(sample);
            commands += more;
            busy += more * ns(sample);
            steadiness.sample(commands, busy);
            steadiness.is_steady()
        })
    }

    #[test]
    fn a_load_is_steady_once_two_seconds_are_alike_except_for_single_slow_moments() {
        assert_eq!(steady_at(|_| 10_000), Some(19));
        assert_eq!(steady_at(|sample| if sample % 7 == 3 { 90_000 } else { 10_000 }), Some(19));
        assert_eq!(steady_at(|sample| 1_000_000 >> (sample / 10)), None, "it keeps changing");
        let cold = |sample: u64| if sample < 40 { 50_000 - 1_000 * sample } else { 10_000 };
        let found = steady_at(cold).unwrap();
        assert!((40..65).contains(&found), "it becomes faster until 40, steady at sample {found}");
    }
}
