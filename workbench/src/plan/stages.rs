//! The stages of a plan and the time they are expected to take.

use std::time::Duration;

use crate::actor::Durability;
use crate::load::{JobContext, Source, Stage, StageTime};
use crate::measure::fewest_trials;
use crate::plan::search::{COLD_LOOPS, COLD_TIME, SIZE_LOADS, SearchInput};
use crate::plan::spec::{Breadth, PlanSpec};
use crate::process::ProcessError;

/// Bytes of a database that are expected to be written and read per second when it is filled, or copied for another mode.
const FILL_BYTES_PER_SECOND: f64 = 400e6;
/// Expected time of a load beside its warm-up and its measurement, seconds: a look at the disk before every other one.
const LOOK: f64 = 0.15;
/// Expected time to link a filled database into place, to open and to close it, seconds.
const SET_UP: f64 = 1.0;
/// The rates that are tried, as a multiple of the required one: small machines sustain more than most targets.
const TIMES_REQUIRED: f64 = 4.0;
/// Expected time to survey data and restarts, seconds.
const SURVEY: f64 = 3.0;
/// Expected time to walk the commands of the forecast, seconds.
const FORECAST: f64 = 3.0;
/// Rates that are expected to miss before one holds, and their loads.
const RATES_MISSED: f64 = 2.0;
const LOADS_MISSED: f64 = 4.0;

/// Announces the stages with their expected times. Machines that fail, and are followed by others, come on top. Returns the time
/// for which the target is offered.
pub(super) fn announce(spec: &PlanSpec, input: &SearchInput<'_>) -> Duration {
    let at_target = input.probe_time(spec.target_per_second);
    input.job.observer.expect_stages(&stages(spec, input, at_target));
    at_target
}

/// Announces what is left once the machines are found: the modes without one need no figures of it.
pub(super) fn announce_rest(spec: &PlanSpec, input: &SearchInput<'_>, found: Vec<Durability>, grown_events: Vec<u64>) {
    let time = input.probe_time(spec.target_per_second);
    let of_found = stages(&PlanSpec { durabilities: found, grown_events, ..spec.clone() }, input, time);
    let of_all = stages(spec, input, time);
    let of_machine =
        of_found.iter().filter(|one| matches!(one.stage, Stage::ColdReads | Stage::Sizes | Stage::Writers));
    let of_host = of_all.iter().filter(|one| matches!(one.stage, Stage::Scaling | Stage::Forecast));
    input.job.observer.expect_only(&of_machine.chain(of_host).copied().collect::<Vec<_>>());
}

/// Time that all stages of a plan are expected to take.
///
/// # Errors
///
/// [`ProcessError`] if the settings contradict each other.
pub(super) fn expected_time(spec: &PlanSpec, source: &Source, job: JobContext<'_>) -> Result<Duration, ProcessError> {
    let input = SearchInput { source, spec, request: spec.check(source)?, job };
    let stages = stages(spec, &input, input.probe_time(spec.target_per_second));
    Ok(stages.iter().map(|stage| stage.each * stage.count).sum())
}

fn stages(spec: &PlanSpec, input: &SearchInput<'_>, at_target: Duration) -> Vec<StageTime> {
    let effort = spec.effort;
    let (every, is_quick) = (effort.breadth == Breadth::All, effort.breadth == Breadth::Smallest);
    let modes = count(spec.durabilities.len());
    let durable_modes = count(spec.durabilities.iter().filter(|mode| mode.is_on()).count());
    let warmup = effort.warmup.as_secs_f64();
    let ceiling = SET_UP + effort.saturation.as_secs_f64() + warmup;
    let fill = input.source.grown(spec.most_grown_events()).preload_disk_bytes() as f64 / FILL_BYTES_PER_SECOND;
    let probe = input.probe_time(TIMES_REQUIRED * spec.required_per_second()).as_secs_f64() + warmup + LOOK;
    let hold_out =
        RATES_MISSED.mul_add(SET_UP, SET_UP) + (f64::from(fewest_trials(effort.error)) + LOADS_MISSED) * probe;
    let sizes = count(spec.grown_events.len() - 1);
    // None on the smallest.
    let loads_per_size = f64::from(SIZE_LOADS * sizes.saturating_sub(1)) / f64::from(sizes.max(1));
    let machines = if every { spec.emulatable().len() } else { 1 };
    let point = SET_UP + warmup + effort.saturation.as_secs_f64() / 2.0;
    let (points, sweeps) = if is_quick { (3.0, durable_modes) } else { (7.0, modes) };
    let stage = |stage, count, seconds| StageTime { stage, count, each: Duration::from_secs_f64(seconds) };
    let mut stages = vec![
        stage(Stage::Search, modes * count(machines), fill + ceiling + if every { hold_out } else { 0.0 }),
        stage(Stage::HoldOut, 1, hold_out * f64::from(modes)),
        stage(Stage::Survey, 1, SURVEY),
        stage(Stage::Target, modes, at_target.as_secs_f64() + warmup),
        stage(Stage::ColdReads, u32::from(spec.grows()), (COLD_LOOPS * COLD_TIME).as_secs_f64()),
        stage(Stage::Sizes, if is_quick { sizes } else { modes * sizes }, ceiling + loads_per_size * probe + SURVEY),
        stage(Stage::Writers, sweeps, points * point),
        stage(Stage::Forecast, 1, FORECAST),
    ];
    if spec.extrapolates() {
        stages.push(stage(Stage::Scaling, modes, 4.0 * point));
    }
    stages
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
