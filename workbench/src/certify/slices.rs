//! Slices of the certified time: what each showed, and whether that meets the objective.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::load::{Drive, EngineCounters, GENERATOR_SHARE, GeneratorLag, Measurement, Objective, Sample};
use crate::measure::{Disturbance, ResourceUsage, Slice};
use ave_actors_rocksdb::trace::CommandKind;

/// A part of the certified time that was driven in one piece.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Segment {
    /// Number in its mode, from 1.
    pub number: u64,
    /// Number of the database it ran on, from 1: a new one is taken where the one before was not closed.
    pub database: u32,
    /// When measuring began.
    pub began_at: Timestamp,
    /// Time since the segment before it during which nothing was offered, seconds; `None` for the first one after a
    /// database was opened.
    pub pause_seconds: Option<f64>,
    /// Slices that were driven whole.
    pub slices: u64,
    /// What was measured, in slices of the certification.
    pub drive: Drive,
}

/// What one slice of time showed.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedSlice {
    /// When it began, seconds of certified time.
    pub at_seconds: u64,
    /// When it began.
    pub began_at: Timestamp,
    /// Number of the database, from 1.
    pub database: u32,
    /// Samples of the objective's command.
    pub count: u64,
    /// Its response time at the objective's percentile, nanoseconds; `None` if too few samples stand behind it.
    pub percentile_ns: Option<u64>,
    /// Median of its response time, nanoseconds, 0 without samples.
    pub median_ns: u64,
    /// The longest, nanoseconds.
    pub max_ns: u64,
    /// Commands of any kind that were due in it and completed, per second.
    pub commands_per_second: f64,
    /// Whether commands piled up in it.
    pub fell_behind: bool,
    /// Whether it met the objective; `None` if too few samples stand behind the percentile.
    pub met: Option<bool>,
    /// What took time away from the system under test meanwhile.
    pub disturbances: Vec<Disturbance>,
    /// Whether the generator itself began commands so late that their response times tell its lateness.
    pub late_generator: bool,
    /// Time the engine held writers back, milliseconds, if it tells.
    pub stall_ms: Option<f64>,
    /// Bytes that waited to be compacted at its end, if the engine tells.
    pub pending_compaction_bytes: Option<u64>,
}

impl JudgedSlice {
    /// Whether it shows that the objective is missed.
    pub fn is_missed(&self) -> bool {
        self.fell_behind || self.met == Some(false)
    }

    /// Whether something else than the system under test may be the reason for what it shows.
    pub fn is_disturbed(&self) -> bool {
        self.late_generator || !self.disturbances.is_empty()
    }

    /// Orders slices from the best to the worst: one that fell behind is worse than any that did not.
    pub(super) fn badness(&self) -> (bool, u64) {
        (self.fell_behind, self.percentile_ns.unwrap_or(self.max_ns))
    }
}

/// Judges the slices of a segment that begins `at_seconds` into the certified time, on a machine with so many cores.
pub(super) fn judge_segment(
    segment: &Segment,
    at_seconds: u64,
    objective: Objective,
    command: CommandKind,
    cores: u32,
) -> Vec<JudgedSlice> {
    let measurement = &segment.drive.measurement;
    let length = measurement.slice_seconds;
    let of_command = measurement.command(command).map_or(&[][..], |latency| &latency.slices);
    let of_all = measurement.slices_of_all_commands();
    let late_generator = GeneratorLag::over([measurement]).is_some_and(|lag| lag.share() > GENERATOR_SHARE[1]);
    let nothing = Slice::default();
    let slice = |number: u64| {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        let counted = of_command.get(place).unwrap_or(&nothing);
        let samples = segment.drive.samples.get(place).zip(segment.drive.samples.get(place + 1));
        let begins = number * u64::from(length);
        let percentile_ns = counted.percentile(objective.percentile);
        JudgedSlice {
            at_seconds: at_seconds + begins,
            began_at: later(segment.began_at, begins),
            database: segment.database,
            count: counted.count(),
            percentile_ns,
            median_ns: counted.quantile(0.5),
            max_ns: counted.max(),
            commands_per_second: of_all.get(place).map_or(0, Slice::count) as f64 / f64::from(length),
            fell_behind: number + 1 == segment.slices && fell_behind(measurement, objective),
            met: percentile_ns.map(|value| value <= objective.limit_ns),
            disturbances: samples.map_or_else(Vec::new, |pair| usage(pair).disturbances(cores)),
            late_generator,
            stall_ms: samples.and_then(engine).map(|engine| engine.stall_micros as f64 / 1e3),
            pending_compaction_bytes: samples.and_then(engine).map(|engine| engine.pending_compaction_bytes),
        }
    };
    (0..segment.slices).map(slice).collect()
}

/// Whether commands had piled up when a load ended. A queue that is served within the limit is none.
fn fell_behind(measurement: &Measurement, objective: Objective) -> bool {
    measurement.gave_up || (measurement.fell_behind() && measurement.final_lag_ns > objective.limit_ns)
}

fn later(moment: Timestamp, seconds: u64) -> Timestamp {
    let seconds = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    moment.checked_add(seconds).unwrap_or(Timestamp::MAX)
}

fn usage((before, after): (&Sample, &Sample)) -> ResourceUsage {
    ResourceUsage::between(&before.process, &after.process, after.at.saturating_sub(before.at))
}

fn engine((before, after): (&Sample, &Sample)) -> Option<EngineCounters> {
    Some(after.engine?.since(before.engine?))
}

/// How many slices of a load were driven whole, if it was stopped or gave up before all of `asked` were.
///
/// A worker that was asked to stop may have been behind with its commands, by no more than the longest response time, and
/// the last command may have ended as much after that: what was due earlier was issued. A load that gave up counts with
/// the slice in which it did.
pub(super) fn whole_slices(drive: &Drive, asked: u64, stopped: bool) -> u64 {
    let measurement = &drive.measurement;
    let slice_ns = measurement.slice_ns();
    let counted = measurement.commands.iter().flatten().map(|latency| latency.slices.len()).max().unwrap_or(0) as u64;
    if measurement.gave_up {
        return counted.clamp(1, asked);
    }
    if !stopped {
        return asked;
    }
    let longest_ns = measurement.commands.iter().flatten().map(|latency| latency.response.max()).max().unwrap_or(0);
    (measurement.elapsed_ns.saturating_sub(2 * longest_ns) / slice_ns).min(asked)
}

/// Time in which nothing was offered within a call that drove a load for `wall`.
pub(super) fn idle(drive: &Drive, wall: Duration) -> Duration {
    wall.saturating_sub(drive.warmup).saturating_sub(Duration::from_nanos(drive.measurement.elapsed_ns))
}
