//! Slices of the certified time: the figures of each, and whether they meet the objective.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::load::{
    Drive, EngineCounters, GENERATOR_SHARE, GeneratorLag, Measurement, Objective, RequestKind, Sample, disturbance_text,
};
use crate::measure::{ResourceUsage, Slice};

/// A part of the certified time: one load without a pause.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Segment {
    /// In its mode, from 1.
    pub(super) number: u64,
    /// Number of the database, from 1: one that was not closed is replaced.
    pub(super) database: u32,
    /// When measuring began.
    pub(super) began_at: Timestamp,
    /// Pause before it without load, seconds; `None` for the first one after a database was opened.
    pub(super) pause_seconds: Option<f64>,
    /// Whole slices.
    pub(super) slices: u64,
    /// The measurement, in slices of the certification.
    pub drive: Drive,
}

/// One slice of the certified time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JudgedSlice {
    /// Start in certified time.
    pub at_seconds: u64,
    /// Start, RFC 3339 in UTC.
    #[schemars(with = "String")]
    pub began_at: Timestamp,
    /// Number of the database, from 1.
    pub database_number: u32,
    /// Samples of the objective's command.
    pub count: u64,
    /// Its response time at the objective's percentile; absent if there are too few samples.
    pub percentile_ns: Option<u64>,
    /// Median of its response time, 0 without samples.
    pub p50_ns: u64,
    /// Its longest response time.
    pub max_ns: u64,
    /// Commands of any kind that were due in it and completed, per second.
    pub commands_per_second: f64,
    /// Whether it met the objective; absent if there are too few samples.
    pub met: Option<bool>,
    /// Whether commands piled up in it.
    pub fell_behind: bool,
    /// What took time away from the system under test; empty if nothing did.
    pub disturbed_by: Vec<String>,
    /// Time for which the engine stalled writers, in milliseconds; absent if the engine does not count it.
    pub stall_ms: Option<f64>,
    /// Bytes pending compaction at its end; absent if the engine does not count them.
    pub pending_compaction_bytes: Option<u64>,
}

impl JudgedSlice {
    /// Whether it missed the objective.
    pub fn is_missed(&self) -> bool {
        self.fell_behind || self.met == Some(false)
    }

    /// Whether something besides the system under test may explain it.
    pub fn is_disturbed(&self) -> bool {
        !self.disturbed_by.is_empty()
    }
}

/// Judges the slices of a segment that begins `at_seconds` into the certified time, on a machine with `cores` cores.
pub(super) fn judge_segment(
    segment: &Segment,
    at_seconds: u64,
    objective: &Objective,
    request: RequestKind,
    cores: u32,
) -> Vec<JudgedSlice> {
    let measurement = &segment.drive.measurement;
    let length = measurement.slice_seconds;
    let of_request = measurement.request(request).map_or(&[][..], |latency| &latency.slices);
    let of_all = measurement.slices_of_all_commands();
    let is_late = GeneratorLag::over([measurement]).is_some_and(|lag| lag.share() > GENERATOR_SHARE[1]);
    let late_generator = is_late.then(|| "the generator itself began commands late".to_owned());
    let nothing = Slice::default();
    let slice = |number: u64| {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        let counted = of_request.get(place).unwrap_or(&nothing);
        let samples = segment.drive.samples.get(place).zip(segment.drive.samples.get(place + 1));
        let begins = number * u64::from(length);
        let percentile_ns = counted.percentile(objective.percentile);
        JudgedSlice {
            at_seconds: at_seconds + begins,
            began_at: later(segment.began_at, begins),
            database_number: segment.database,
            count: counted.count(),
            percentile_ns,
            p50_ns: counted.quantile(0.5),
            max_ns: counted.max(),
            commands_per_second: of_all.get(place).map_or(0, Slice::count) as f64 / f64::from(length),
            met: percentile_ns.map(|value| value <= objective.limit_ns),
            fell_behind: number + 1 == segment.slices && fell_behind(measurement, objective),
            disturbed_by: disturbances(samples, cores).chain(late_generator.clone()).collect(),
            stall_ms: samples.and_then(engine).map(|engine| engine.stall_micros as f64 / 1e3),
            pending_compaction_bytes: samples.and_then(engine).map(|engine| engine.pending_compaction_bytes),
        }
    };
    (0..segment.slices).map(slice).collect()
}

/// Whether commands had piled up when a load ended. A queue that is served within the limit does not count.
fn fell_behind(measurement: &Measurement, objective: &Objective) -> bool {
    measurement.gave_up || (measurement.fell_behind() && measurement.final_lag_ns > objective.limit_ns)
}

fn later(moment: Timestamp, seconds: u64) -> Timestamp {
    let seconds = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    moment.checked_add(seconds).unwrap_or(Timestamp::MAX)
}

fn disturbances(samples: Option<(&Sample, &Sample)>, cores: u32) -> impl Iterator<Item = String> {
    let usage = samples.map(|(before, after)| {
        ResourceUsage::between(&before.process, &after.process, after.at.saturating_sub(before.at))
    });
    let seen = usage.map(|usage| usage.disturbances(cores)).unwrap_or_default();
    seen.into_iter().map(disturbance_text)
}

fn engine((before, after): (&Sample, &Sample)) -> Option<EngineCounters> {
    Some(after.engine?.since(before.engine?))
}

/// Whole slices of a load of `planned` slices, which may have been stopped or aborted early.
///
/// When a load is stopped, a worker may be behind with its commands by the longest response time, and its last command may
/// end that much later: what was due before was issued. A load that was aborted counts with the slice in which it was.
pub(super) fn whole_slices(drive: &Drive, planned: u64, stopped: bool) -> u64 {
    let measurement = &drive.measurement;
    let slice_ns = measurement.slice_ns();
    let counted = measurement.commands.iter().flatten().map(|latency| latency.slices.len()).max().unwrap_or(0) as u64;
    if measurement.gave_up {
        return counted.clamp(1, planned);
    }
    if !stopped {
        return planned;
    }
    let longest_ns = measurement.commands.iter().flatten().map(|latency| latency.response.max()).max().unwrap_or(0);
    (measurement.elapsed_ns.saturating_sub(2 * longest_ns) / slice_ns).min(planned)
}

/// Time without load within a call of `wall` that drove one.
pub(super) fn idle(drive: &Drive, wall: Duration) -> Duration {
    wall.saturating_sub(drive.warmup).saturating_sub(Duration::from_nanos(drive.measurement.elapsed_ns))
}
