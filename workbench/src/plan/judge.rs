//! Whether one load shows that a machine sustains a rate.
//!
//! The objective must be met in the worst slice of the time, not on average, and nothing may build up: postponed
//! compactions, growing stalls, or a disk that slows down, for example when its burst credits run out.

use std::time::Duration;

use crate::load::{Drive, Objective, RequestKind};
use crate::measure::{Slice, median};
use crate::report::Rejection;

/// Most slices that a load is judged by.
const SLICES: usize = 12;
/// Shortest slice: single seconds depend on other users of a shared disk and on bursts of flushes.
const SHORTEST_SLICE_SECONDS: usize = 5;
/// Growth of the pending compaction bytes that is tolerated.
const DEBT_BYTES: u64 = 64 << 20;
/// Longest time to settle after a load, as a share of the load.
const DEBT_SHARE: f64 = 0.25;
/// Share of the time for which the engine may stall writers, and by which that may grow from the first half to the second.
const STALL_SHARE: [f64; 2] = [0.1, 0.02];
/// Factor by which the median may rise from the first half to the second.
const STEP: f64 = 2.0;
/// Fewest seconds of which halves are compared.
const FEWEST_SECONDS: usize = 6;
/// A median below this share of the limit is not compared.
const STEP_SHARE: f64 = 0.02;

/// Why a load does not sustain its rate; `None` if it does.
pub(super) fn rejection(drive: &Drive, objective: &Objective, request: RequestKind) -> Option<Rejection> {
    if drive.measurement.fell_behind_by_more_than(objective.limit_ns) {
        return Some(Rejection::FellBehind);
    }
    let Some(worst) = worst_slice(drive, objective, request) else { return Some(Rejection::TooFewSamples) };
    if worst > objective.limit_ns {
        Some(Rejection::TooSlow)
    } else if owes_compactions(drive) {
        Some(Rejection::CompactionDebt)
    } else if stalls_grow(drive) {
        Some(Rejection::Stalls)
    } else if steps_up(drive, objective, request) {
        Some(Rejection::SlowingDown)
    } else {
        None
    }
}

/// The objective's percentile in the slice where it is highest, nanoseconds; `None` if there are too few samples.
pub(super) fn worst_slice(drive: &Drive, objective: &Objective, request: RequestKind) -> Option<u64> {
    let seconds = &drive.measurement.request(request)?.slices;
    let percentiles =
        slices(seconds, objective).into_iter().map(|slice| slice.quantile(objective.percentile.quantile()));
    percentiles.max()
}

/// Seconds joined to slices of equal length to the second, each of five seconds at least and with as many samples as the percentile needs;
/// as many as there can be up to [`SLICES`].
fn slices(seconds: &[Slice], objective: &Objective) -> Vec<Slice> {
    let joined = |count: usize| -> Vec<Slice> {
        let bound = |number: usize| seconds.len() * number / count;
        (0..count).map(|number| join(&seconds[bound(number)..bound(number + 1)])).collect()
    };
    let carries = |slice: &Slice| objective.percentile.is_supported_by(slice.count());
    let most = (seconds.len() / SHORTEST_SLICE_SECONDS).clamp(1, SLICES);
    (1..=most).rev().map(joined).find(|slices| slices.iter().all(carries)).unwrap_or_default()
}

fn join(slices: &[Slice]) -> Slice {
    slices.iter().fold(Slice::default(), |mut sum, slice| {
        sum.add(slice);
        sum
    })
}

fn owes_compactions(drive: &Drive) -> bool {
    if drive.settled == Some(false) {
        return true;
    }
    let pending: Vec<u64> =
        drive.samples.iter().filter_map(|sample| Some(sample.engine?.pending_compaction_bytes)).collect();
    let (Some(first), Some(last)) = (pending.first(), pending.last()) else { return false };
    let grew = last.saturating_sub(*first) > DEBT_BYTES;
    let load = Duration::from_nanos(drive.measurement.elapsed_ns).as_secs_f64();
    let put_off = drive.settling.as_secs_f64() > DEBT_SHARE * load;
    grew && put_off
}

fn stalls_grow(drive: &Drive) -> bool {
    let stalled: Vec<(f64, f64)> = drive
        .samples
        .iter()
        .filter_map(|sample| Some((sample.at.as_secs_f64(), sample.engine?.stall_micros as f64 / 1e6)))
        .collect();
    let (Some(&first), Some(&last)) = (stalled.first(), stalled.last()) else { return false };
    let middle = stalled[stalled.len() / 2];
    let share = |from: (f64, f64), to: (f64, f64)| (to.1 - from.1) / (to.0 - from.0).max(f64::MIN_POSITIVE);
    stalled.len() > FEWEST_SECONDS
        && share(first, last) > STALL_SHARE[0]
        && share(middle, last) > share(first, middle) + STALL_SHARE[1]
}

fn steps_up(drive: &Drive, objective: &Objective, request: RequestKind) -> bool {
    let Some(latency) = drive.measurement.request(request) else { return false };
    let filled = latency.slices.iter().filter(|slice| slice.count() > 0);
    let medians: Vec<f64> = filled.map(|slice| slice.quantile(0.5) as f64).collect();
    if medians.len() < FEWEST_SECONDS {
        return false;
    }
    let (first, second) = medians.split_at(medians.len() / 2);
    let (before, after) = (median(first.to_vec()), median(second.to_vec()));
    after > STEP * before && after > STEP_SHARE * objective.limit_ns as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{CommandLatency, EngineCounters, Measurement, Sample};
    use crate::measure::{LatencyHistogram, Snapshot};
    use ave_actors_rocksdb::trace::CommandKind;

    const MS: u64 = 1_000_000;
    const REQUEST: RequestKind = RequestKind::Command(CommandKind::Persist);

    fn objective() -> Objective {
        "p99=10ms".parse().unwrap()
    }

    /// A load whose every second holds 1,000 commands of the latency that stands for it.
    fn drive(latencies_ms: &[u64]) -> Drive {
        let slices: Vec<Slice> =
            latencies_ms.iter().map(|ms| std::iter::repeat_n(ms * MS, 1_000).collect::<Slice>()).collect();
        let response: LatencyHistogram = slices.iter().collect();
        let mut measurement =
            Measurement { elapsed_ns: latencies_ms.len() as u64 * 1_000 * MS, ..Measurement::default() };
        measurement.commands[CommandKind::Persist.index()] =
            Some(CommandLatency { service: response.clone(), response, slices });
        Drive { measurement, settled: Some(true), ..Drive::default() }
    }

    fn with_engine(mut drive: Drive, engine: impl Fn(u64) -> EngineCounters) -> Drive {
        let seconds = drive.measurement.elapsed_ns / (1_000 * MS);
        let sample = |at| Sample {
            at: Duration::from_secs(at),
            process: Snapshot::default(),
            commands: 0,
            engine: Some(engine(at)),
        };
        drive.samples = (0..=seconds).map(sample).collect();
        drive
    }

    #[test]
    fn one_slice_above_the_limit_rejects_the_rate() {
        let mut seconds = vec![1; 900];
        assert_eq!(rejection(&drive(&seconds), &objective(), REQUEST), None);
        seconds[700..704].fill(20);
        let drive = drive(&seconds);
        let whole = drive.measurement.request(REQUEST).unwrap().response.quantile(0.99);
        assert!(whole < 10 * MS, "over the whole time the objective is met");
        assert_eq!(rejection(&drive, &objective(), REQUEST), Some(Rejection::TooSlow));
    }

    #[test]
    fn slices_have_as_many_samples_as_the_percentile_needs() {
        let few: Objective = "p99.9=10ms".parse().unwrap();
        let seconds = vec![Slice::from_iter(vec![MS; 1_000]); 12];
        assert_eq!(slices(&seconds, &objective()).len(), 2);
        assert_eq!(slices(&seconds, &few).len(), 1, "10,000 samples carry p99.9");
        assert!(slices(&seconds[..9], &few).is_empty());
        assert_eq!(rejection(&drive(&[1; 9]), &few, REQUEST), Some(Rejection::TooFewSamples));
    }

    #[test]
    fn a_rate_at_which_the_median_doubles_is_rejected() {
        let rejected = |seconds: &[u64]| rejection(&drive(seconds), &objective(), REQUEST);
        assert_eq!(rejected(&[1, 1, 1, 1, 4, 4, 4, 4]), Some(Rejection::SlowingDown));
        assert_eq!(rejected(&[4, 4, 4, 4, 1, 1, 1, 1]), None);
        assert_eq!(rejected(&[1, 1, 1, 9, 1, 1, 1, 1]), None, "one slow second is no step");
    }

    #[test]
    fn a_rate_that_postpones_compactions_is_rejected() {
        let pending = |at: u64| EngineCounters { pending_compaction_bytes: at << 24, ..EngineCounters::default() };
        let growing = with_engine(drive(&[1; 10]), pending);
        assert_eq!(rejection(&growing, &objective(), REQUEST), None, "they were done within a moment");
        let owing = Drive { settling: Duration::from_secs(5), ..growing };
        assert_eq!(rejection(&owing, &objective(), REQUEST), Some(Rejection::CompactionDebt));
        let endless = Drive { settled: Some(false), ..drive(&[1; 10]) };
        assert_eq!(rejection(&endless, &objective(), REQUEST), Some(Rejection::CompactionDebt));
    }

    #[test]
    fn a_rate_with_growing_stalls_is_rejected() {
        let stalled = |micros: fn(u64) -> u64| {
            let engine = move |at| EngineCounters { stall_micros: micros(at), ..EngineCounters::default() };
            rejection(&with_engine(drive(&[1; 10]), engine), &objective(), REQUEST)
        };
        assert_eq!(stalled(|at| at * at * 20_000), Some(Rejection::Stalls));
        assert_eq!(stalled(|at| at * 200_000), None, "a fifth of the time, and no more with time");
        assert_eq!(stalled(|at| at * at * 100), None, "hardly any");
    }
}
