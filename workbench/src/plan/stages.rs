//! The stages of a plan and the time they are expected to take.

use std::time::Duration;

use crate::measure::fewest_trials;
use crate::plan::search::SearchInput;
use crate::plan::spec::{Breadth, PlanSpec};

/// Expected time to link a filled database into place, to open and to close it, seconds.
const SET_UP: f64 = 0.7;
/// Expected time to survey data and restarts, seconds.
const SURVEY: f64 = 3.0;
/// Expected trials of a machine, as a multiple of those of one rate that holds: the next higher one soon fails.
const RATES_TRIED: f64 = 1.6;

/// Announces the stages with the mean of their times, since which machines will be tried is not known beforehand. Returns the
/// time for which the target is offered.
pub(super) fn announce(spec: &PlanSpec, input: &SearchInput<'_>) -> Duration {
    let effort = spec.effort;
    let warmup = effort.warmup.as_secs_f64();
    let trials = f64::from(fewest_trials(effort.error));
    let ceiling = SET_UP + effort.saturation.as_secs_f64() + warmup;
    let short = effort.probe.as_secs_f64() + warmup;
    let bisection = f64::from(effort.bisections) * short;
    let hold_out = SET_UP + RATES_TRIED * trials * short;
    let at_target = input.probe_time(spec.target_per_second);
    let (every, is_quick) = (effort.breadth == Breadth::All, effort.breadth == Breadth::Smallest);
    let machines = if every { spec.emulatable().len() as f64 } else { 1.0 };
    let searched = ceiling + bisection + hold_out;
    let smaller = (spec.grown_events.len() - 1) as f64 * (ceiling + bisection / 2.0 + SURVEY);
    let writers = if is_quick { 3.0 } else { 7.0 } * (SET_UP + warmup + effort.saturation.as_secs_f64() / 2.0);
    // Stages that are announced, and their time.
    let mut stages = vec![(2.0 * machines, machines * searched), (2.0, at_target.as_secs_f64() + SURVEY)];
    stages.push(((spec.grown_events.len() - 1) as f64, smaller));
    stages.push((1.0, writers));
    if !is_quick {
        stages.push((1.0, searched));
    }
    if spec.extrapolates() {
        stages.push((1.0, 2.0 * (SET_UP + 2.0 * (effort.saturation.as_secs_f64() / 2.0 + warmup))));
    }
    let (count, seconds) = stages.into_iter().fold((0.0, 0.0), |sum, stage| (sum.0 + stage.0, sum.1 + stage.1));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
    let count = count as u32;
    let modes = u32::try_from(spec.durabilities.len()).unwrap_or(u32::MAX);
    let each = Duration::from_secs_f64(seconds / f64::from(count));
    input.job.observer.expect_stages(count.saturating_mul(modes), each);
    at_target
}
