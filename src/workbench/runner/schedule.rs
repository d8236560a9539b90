//! When commands are due: one schedule for every mode.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::workbench::workload::{Arrivals, mix};

/// How commands are issued.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Load {
    /// Each worker issues its next command when the last one returned: finds the ceiling.
    Closed,
    /// Commands are due at a rate, whether the backend keeps up or not: what users experience.
    Open {
        /// Commands per second over all workers, above 0.
        per_second: f64,
        /// How they are spaced.
        arrivals: Arrivals,
    },
    /// Commands are due at the trace's own times, divided by `speed`.
    TraceTimes {
        /// 1 is the trace's own pace, 100 a hundred times faster; above 0.
        speed: f64,
    },
}

impl std::fmt::Display for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Closed => write!(f, "closed loop"),
            Self::Open { per_second, arrivals } => {
                let spacing = match arrivals {
                    Arrivals::Constant => "evenly spaced",
                    Arrivals::Poisson => "Poisson arrivals",
                };
                write!(f, "open loop at {per_second} commands/s, {spacing}")
            }
            Self::TraceTimes { speed } => write!(f, "the trace's own times at speed {speed}"),
        }
    }
}

/// The due times of one worker's commands, in nanoseconds of the runner's clock.
///
/// A due time never depends on how long anything took: a late command does not move the ones after it.
#[derive(Debug)]
pub(super) enum Schedule {
    WhenFree,
    Paced { next_ns: f64, gap_ns: f64, random: Option<Xoshiro256PlusPlus> },
    Trace { start_ns: u64, speed: f64 },
}

/// Salt of the generator of arrival times, so that it shares no stream with commands and values.
const ARRIVAL_SALT: u64 = 0xa2 << 32;

impl Schedule {
    /// The schedule of worker `worker` of `workers` for a load that begins at `start_ns`. Each load of a session has a
    /// number of its own: offered twice, a rate comes with other arrivals.
    pub(super) fn new(load: Load, start_ns: u64, worker: u64, workers: u64, seed: u64, number: u64) -> Self {
        match load {
            Load::Closed => Self::WhenFree,
            Load::TraceTimes { speed } => Self::Trace { start_ns, speed },
            Load::Open { per_second, arrivals } => {
                let gap_ns = 1e9 * workers as f64 / per_second;
                // Workers start staggered, so that evenly spaced commands are even over all of them. Poisson streams
                // of the workers add up to one Poisson stream as they are.
                let mut random = Xoshiro256PlusPlus::seed_from_u64(mix(seed, worker, ARRIVAL_SALT + number, workers));
                let (offset_ns, random) = match arrivals {
                    Arrivals::Constant => (gap_ns * worker as f64 / workers as f64, None),
                    Arrivals::Poisson => (exponential(gap_ns, &mut random), Some(random)),
                };
                Self::Paced { next_ns: start_ns as f64 + offset_ns, gap_ns, random }
            }
        }
    }

    /// When the next command is due; `None` means at once. `at_ns` is its time in the trace.
    pub(super) fn due(&mut self, at_ns: Option<u64>) -> Option<u64> {
        match self {
            Self::WhenFree => None,
            Self::Trace { start_ns, speed } => Some(start_ns.saturating_add(to_ns(at_ns.unwrap_or(0) as f64 / *speed))),
            Self::Paced { next_ns, gap_ns, random } => {
                let due = *next_ns;
                *next_ns += random.as_mut().map_or(*gap_ns, |random| exponential(*gap_ns, random));
                Some(to_ns(due))
            }
        }
    }
}

fn exponential(mean: f64, random: &mut Xoshiro256PlusPlus) -> f64 {
    -mean * (1.0 - random.random::<f64>()).ln()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nanoseconds of a run, not negative")]
fn to_ns(nanoseconds: f64) -> u64 {
    nanoseconds as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due_times(load: Load, workers: u64, count: usize) -> Vec<u64> {
        let mut times: Vec<u64> = (0..workers)
            .flat_map(|worker| {
                let mut schedule = Schedule::new(load, 1_000, worker, workers, 9, 0);
                (0..count).map(move |_| schedule.due(None).unwrap()).collect::<Vec<_>>()
            })
            .collect();
        times.sort_unstable();
        times
    }

    #[test]
    fn constant_arrivals_are_even_over_all_workers() {
        let load = Load::Open { per_second: 1e6, arrivals: Arrivals::Constant };
        let times = due_times(load, 4, 100);
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 1_000), "{times:?}");
    }

    #[test]
    fn poisson_arrivals_have_the_rate_and_the_spread_of_a_poisson_process() {
        let load = Load::Open { per_second: 1e5, arrivals: Arrivals::Poisson };
        let times = due_times(load, 1, 50_000);
        let gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let deviation = (gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64).sqrt();
        assert!((mean / 10_000.0 - 1.0).abs() < 0.02, "mean gap {mean}");
        assert!((deviation / mean - 1.0).abs() < 0.03, "coefficient of variation {}", deviation / mean);
    }

    #[test]
    fn the_same_rate_offered_again_comes_with_other_arrivals() {
        let load = Load::Open { per_second: 1e5, arrivals: Arrivals::Poisson };
        let first_due = |number| Schedule::new(load, 0, 0, 1, 9, number).due(None);
        assert_eq!(first_due(3), first_due(3));
        assert_ne!(first_due(3), first_due(4));
    }

    #[test]
    fn a_trace_runs_faster_by_its_speed() {
        let mut schedule = Schedule::new(Load::TraceTimes { speed: 10.0 }, 500, 0, 1, 0, 0);
        assert_eq!(schedule.due(Some(0)), Some(500));
        assert_eq!(schedule.due(Some(1_000_000)), Some(100_500));
    }
}
