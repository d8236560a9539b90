//! The durable rate as a function of the disk's sync latency.
//!
//! The write-ahead log is synced by one writer at a time, for the whole group that waits. So the time per command is the time
//! outside of syncs, plus its share of a sync: `1 / rate = a + b × sync latency`, where `b` is syncs per command, below 1
//! where writers share syncs. Writers in flight are in `b`: more of them share each sync.
//!
//! Where the seconds of the closed loop saw different latencies, `a` and `b` are fitted to them by least squares of the
//! relative distances. On a steady disk there is nothing to fit: then `b` is counted (syncs and commands), and `a` is what
//! remains of the time. Either way the distances of the seconds from the function are its error.

use crate::load::DurableSecond;
use crate::report::DurableRateBasis;

/// Seconds that a fit needs, and the ratio of their longest to their shortest latency.
const FEWEST_TO_FIT: usize = 6;
const SPREAD_TO_FIT: f64 = 1.5;
/// The function is applied to latencies up to this factor beyond those that were measured: the number of writers that share a
/// sync changes with the latency.
const REACH: f64 = 2.0;
/// Largest error of a function that is used.
const POOR: f64 = 0.35;

/// The durable rate as a function of the sync latency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SyncScaling {
    /// Time per command outside of syncs, nanoseconds.
    pub(crate) fixed_ns: f64,
    /// Syncs per command.
    pub(crate) syncs_per_command: f64,
    pub(crate) basis: DurableRateBasis,
    /// Root of the mean squared distance of the seconds from the function, relative to them; `None` if one second made it.
    pub(crate) relative_error: Option<f64>,
    pub(crate) seconds: usize,
    /// Sync latency of the measured seconds: the shortest, the median by commands, the longest; nanoseconds.
    pub(crate) measured_ns: [f64; 3],
}

/// Why there is no function.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum SyncScalingRefusal {
    #[error("no second of the closed loop has a rate and a sync latency")]
    NoSeconds,
    #[error("the seconds lie {:.0} % off the function, more than {:.0} %", 100.0 * relative_error, 100.0 * POOR)]
    PoorFit { relative_error: f64 },
}

impl SyncScaling {
    /// The function of these seconds of a closed loop, all with the same writers on the same machine.
    pub(crate) fn of(seconds: &[DurableSecond]) -> Result<Self, SyncScalingRefusal> {
        let is_usable = |second: &&DurableSecond| {
            let figures = [second.per_second, second.sync_ns, second.syncs_per_command];
            figures.iter().all(|figure| *figure > 0.0 && figure.is_finite())
        };
        let seconds: Vec<DurableSecond> = seconds.iter().filter(is_usable).copied().collect();
        let mut latencies: Vec<f64> = seconds.iter().map(|second| second.sync_ns).collect();
        latencies.sort_by(f64::total_cmp);
        let (Some(&shortest), Some(&longest)) = (latencies.first(), latencies.last()) else {
            return Err(SyncScalingRefusal::NoSeconds);
        };
        let is_spread = seconds.len() >= FEWEST_TO_FIT && longest >= SPREAD_TO_FIT * shortest;
        let counted = (counted(&seconds), DurableRateBasis::Counted);
        let fitted = is_spread.then(|| fitted(&seconds)).flatten().map(|law| (law, DurableRateBasis::Fitted));
        let ([fixed_ns, syncs_per_command], basis) = fitted.unwrap_or(counted);
        let middle = latencies[(latencies.len() - 1) / 2];
        let scaling = Self {
            fixed_ns,
            syncs_per_command,
            basis,
            relative_error: None,
            seconds: seconds.len(),
            measured_ns: [shortest, middle, longest],
        };
        let distance = |second: &DurableSecond| (scaling.value(second.sync_ns) / second.per_second - 1.0).powi(2);
        let relative_error = (seconds.iter().map(distance).sum::<f64>() / seconds.len() as f64).sqrt();
        if relative_error > POOR {
            return Err(SyncScalingRefusal::PoorFit { relative_error });
        }
        let relative_error = (seconds.len() > 1).then_some(relative_error);
        Ok(Self { relative_error, ..scaling })
    }

    /// The shortest and the longest sync latency that the function is applied to, nanoseconds.
    pub(crate) fn reach_ns(&self) -> [f64; 2] {
        let [shortest, _, longest] = self.measured_ns;
        [shortest / REACH, longest * REACH]
    }

    /// Commands per second at a sync latency; `None` beyond the reach.
    pub(crate) fn per_second(&self, sync_ns: f64) -> Option<f64> {
        let [shortest, longest] = self.reach_ns();
        (shortest..=longest).contains(&sync_ns).then(|| self.value(sync_ns))
    }

    /// The rate where syncs take so many times as long as where `(rate, sync latency)` was measured, which is in proportion
    /// to the function: a rate that meets an objective is a share of the ceiling. `None` beyond the reach.
    pub(crate) fn continued(&self, (per_second, sync_ns): (f64, f64), times: f64) -> Option<f64> {
        let is_near = (1.0 / REACH..=REACH).contains(&times);
        is_near.then(|| per_second * self.value(times * sync_ns) / self.value(sync_ns))
    }

    fn value(&self, sync_ns: f64) -> f64 {
        1e9 / (self.fixed_ns + self.syncs_per_command * sync_ns)
    }
}

/// Time outside of syncs and syncs per command, from the totals of the seconds.
fn counted(seconds: &[DurableSecond]) -> [f64; 2] {
    let commands: f64 = seconds.iter().map(|second| second.per_second).sum();
    let syncs: f64 = seconds.iter().map(|second| second.per_second * second.syncs_per_command).sum();
    let in_syncs: f64 =
        seconds.iter().map(|second| second.per_second * second.syncs_per_command * second.sync_ns).sum();
    // Syncs of other files can overlap with those of the log: no time is left then.
    let outside = (1e9 * seconds.len() as f64 - in_syncs).max(0.0);
    [outside / commands, syncs / commands]
}

/// The two parameters, neither below 0, with the smallest sum of squares of `rate × (a + b × latency) - 1`; `None` if the
/// rate does not fall with the latency.
fn fitted(seconds: &[DurableSecond]) -> Option<[f64; 2]> {
    let rows = || seconds.iter().map(|second| [second.per_second / 1e9, second.per_second / 1e9 * second.sync_ns]);
    let sum = |term: fn([f64; 2]) -> f64| rows().map(term).sum::<f64>();
    let [xx, xy, yy] = [sum(|[x, _]| x * x), sum(|[x, y]| x * y), sum(|[_, y]| y * y)];
    let [x, y] = [sum(|[x, _]| x), sum(|[_, y]| y)];
    let determinant = xx * yy - xy * xy;
    let [a, b] = [(x * yy - y * xy) / determinant, (y * xx - x * xy) / determinant];
    if !(a.is_finite() && b.is_finite()) || b <= 0.0 {
        return None;
    }
    // Without time outside of syncs, the other parameter alone is fitted.
    Some(if a < 0.0 { [0.0, y / yy] } else { [a, b] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{Rng, RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn second(fixed_ns: f64, syncs_per_command: f64, sync_ns: f64) -> DurableSecond {
        DurableSecond { per_second: 1e9 / (fixed_ns + syncs_per_command * sync_ns), syncs_per_command, sync_ns }
    }

    fn noisy(rng: &mut impl Rng, exact: DurableSecond) -> DurableSecond {
        DurableSecond { per_second: exact.per_second * rng.random_range(0.95..1.05), ..exact }
    }

    proptest! {
        #[test]
        fn the_function_that_made_the_seconds_is_found(
            fixed_ns in 1e3f64..1e6, syncs in 0.02f64..3.0, shortest in 2e4f64..1e6, spread in 2.0f64..20.0,
        ) {
            let latencies = (0..8).map(|place| shortest * spread.powf(f64::from(place) / 7.0));
            let seconds: Vec<_> = latencies.map(|sync_ns| second(fixed_ns, syncs, sync_ns)).collect();
            let found = SyncScaling::of(&seconds).unwrap();
            prop_assert_eq!(found.basis, DurableRateBasis::Fitted);
            prop_assert!((found.syncs_per_command / syncs - 1.0).abs() < 1e-3, "{:?}", found);
            prop_assert!((found.fixed_ns - fixed_ns).abs() < 1e-3 * (fixed_ns + syncs * shortest), "{:?}", found);
            prop_assert!(found.relative_error.unwrap() < 1e-6);
        }

        #[test]
        fn on_a_steady_disk_the_counted_function_goes_through_what_was_measured(
            fixed_ns in 1e3f64..1e6, syncs in 0.02f64..3.0, sync_ns in 2e4f64..5e6, seed: u64,
        ) {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
            let seconds: Vec<_> = (0..4).map(|_| noisy(&mut rng, second(fixed_ns, syncs, sync_ns))).collect();
            let found = SyncScaling::of(&seconds).unwrap();
            prop_assert_eq!(found.basis, DurableRateBasis::Counted);
            let mean = seconds.iter().map(|second| second.per_second).sum::<f64>() / 4.0;
            prop_assert!((found.per_second(sync_ns).unwrap() / mean - 1.0).abs() < 0.05, "{:?}", found);
            prop_assert!((found.syncs_per_command / syncs - 1.0).abs() < 1e-6);
        }

        #[test]
        fn a_slower_disk_never_has_a_higher_rate(
            points in prop::collection::vec((1e2f64..1e5, 2e4f64..5e6, 0.02f64..3.0), 1..20), latency in 1e4f64..1e7,
        ) {
            let point = |(per_second, sync_ns, syncs_per_command)| DurableSecond { per_second, syncs_per_command, sync_ns };
            let seconds: Vec<_> = points.into_iter().map(point).collect();
            if let Ok(found) = SyncScaling::of(&seconds) {
                prop_assert!(found.fixed_ns >= 0.0 && found.syncs_per_command > 0.0, "{:?}", found);
                prop_assert!(found.value(latency) >= found.value(1.1 * latency));
            }
        }
    }

    #[test]
    fn scatter_of_the_rate_becomes_the_error() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let latencies = (0..40).map(|place| 1e5 * (1.0 + f64::from(place) / 4.0));
        let seconds: Vec<_> = latencies.map(|sync_ns| noisy(&mut rng, second(5e4, 0.3, sync_ns))).collect();
        let found = SyncScaling::of(&seconds).unwrap();
        assert!((0.01..0.06).contains(&found.relative_error.unwrap()), "{found:?}");
        assert!((found.syncs_per_command / 0.3 - 1.0).abs() < 0.1, "{found:?}");
    }

    #[test]
    fn one_second_says_nothing_about_the_error() {
        assert_eq!(SyncScaling::of(&[second(5e4, 0.3, 1e5)]).unwrap().relative_error, None);
    }

    #[test]
    fn the_function_ends_at_half_and_twice_of_what_was_measured() {
        let seconds = [1e5, 2e5].map(|sync_ns| second(5e4, 0.3, sync_ns));
        let found = SyncScaling::of(&seconds).unwrap();
        assert!(found.per_second(5.1e4).is_some() && found.per_second(3.9e5).is_some());
        assert!(found.per_second(4.9e4).is_none() && found.per_second(4.1e5).is_none());
    }

    #[test]
    fn a_rate_below_the_ceiling_keeps_its_share_of_it() {
        let found = SyncScaling::of(&[1e5, 2e5].map(|sync_ns| second(5e4, 0.5, sync_ns))).unwrap();
        // 1e9 / (5e4 + 0.5 × 1e5) is 10,000/s, and with twice the latency 6,667/s.
        let slower = found.continued((5_000.0, 1e5), 2.0).unwrap();
        assert!((slower - 3_333.0).abs() < 50.0, "{slower}");
        assert_eq!(found.continued((5_000.0, 1e5), 1.0), Some(5_000.0));
        assert_eq!(found.continued((5_000.0, 1e5), 2.1), None);
        assert_eq!(found.continued((5_000.0, 1e5), 0.4), None);
    }

    #[test]
    fn nothing_and_chaos_are_refused() {
        assert_eq!(SyncScaling::of(&[]), Err(SyncScalingRefusal::NoSeconds));
        let idle = DurableSecond { per_second: 0.0, syncs_per_command: 0.0, sync_ns: 1e5 };
        assert_eq!(SyncScaling::of(&[idle]), Err(SyncScalingRefusal::NoSeconds));
        let chaos: Vec<_> = [1e2, 1e5, 3e2, 2e5, 1e2, 9e4]
            .map(|per_second| DurableSecond { per_second, syncs_per_command: 0.3, sync_ns: 1e5 })
            .into();
        assert!(matches!(SyncScaling::of(&chaos), Err(SyncScalingRefusal::PoorFit { .. })));
    }
}
