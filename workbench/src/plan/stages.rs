//! The stages of a plan and the time they are expected to take.

use std::time::Duration;

use crate::measure::fewest_trials;
use crate::plan::search::SearchInput;
use crate::plan::spec::{Breadth, PlanSpec};

/// Expected time to fill a database and to close it, seconds.
const SET_UP: f64 = 2.0;
/// Expected trials of a machine, as a multiple of those of one rate that holds: the next higher one soon fails.
const RATES_TRIED: f64 = 1.6;
/// Longest time at the target: enough for p99.9 of a thousand commands per second.
const LONGEST_AT_TARGET: Duration = Duration::from_secs(12);

/// Announces the stages with the mean of their times, since which machines will be tried is not known beforehand. Returns the
/// time for which the target is offered.
pub(super) fn announce(spec: &PlanSpec, input: &SearchInput<'_>) -> Duration {
    let effort = spec.effort;
    let probe = input.probe_time(spec.required_per_second());
    let warmup = effort.warmup.as_secs_f64();
    let trials = f64::from(fewest_trials(effort.error));
    let ceiling = SET_UP + effort.saturation.as_secs_f64() + warmup;
    let short = effort.probe.as_secs_f64() + warmup;
    let bisection = f64::from(effort.bisections) * short;
    let hold_out = SET_UP + RATES_TRIED * trials * short;
    let at_target = LONGEST_AT_TARGET.min(effort.probe).max(probe);
    let machines = match effort.breadth {
        Breadth::All => u32::try_from(spec.emulatable().len()).unwrap_or(u32::MAX),
        Breadth::Smallest | Breadth::SmallestAndHost => 1,
    };
    let mut count = 2 * machines + 1;
    let mut seconds = f64::from(machines) * (ceiling + bisection + hold_out) + at_target.as_secs_f64();
    if effort.breadth != Breadth::Smallest {
        count += 1;
        seconds += ceiling + bisection + hold_out;
    }
    if spec.extrapolates() {
        count += 1;
        seconds += 2.0 * (SET_UP + 2.0 * (effort.saturation.as_secs_f64() / 2.0 + warmup));
    }
    let modes = u32::try_from(spec.durabilities.len()).unwrap_or(u32::MAX);
    let each = Duration::from_secs_f64(seconds / f64::from(count));
    input.job.observer.expect_stages(count.saturating_mul(modes), each);
    at_target
}
