//! A history, as `history.json` holds it. Every field name carries its unit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::compare::{Answer, ComparisonOutcome};
use crate::measure::Percentile;
use crate::report::{Outcome, Question, ReportKind, Reproduce, Warning};
use crate::units;

/// Version of the layout of `history.json`; raised when a field changes its meaning or disappears.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// Reports of one question in order of time, and the changes of their figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Layout version.
    pub schema_version: u32,
    /// Kind of the reports.
    pub kind: ReportKind,
    /// Name of the workload or trace.
    pub name: String,
    /// When the history was made, RFC 3339 in UTC.
    pub made_at: String,
    /// Whether the newest reports are slower than those before or than the baseline. Decides the exit code.
    pub outcome: ComparisonOutcome,
    /// The result in one sentence.
    pub sentence: String,
    /// Slowdown that counts as a regression, percent.
    pub threshold_percent: f64,
    /// Slowdown that must be ruled out for "no regression", percent.
    pub rule_out_percent: f64,
    /// Confidence of the intervals, percent; 100 less this is the chance that any series has a change point although nothing
    /// changed.
    pub confidence_percent: f64,
    /// That chance for each series, percent.
    pub level_percent: f64,
    /// Fewest reports of a segment.
    pub shortest_segment_count: usize,
    /// What all reports have in common; `origin` and `description` are those of the newest.
    pub question: Question,
    /// Path of the baseline; absent if the segment before the newest one is the reference.
    pub baseline: Option<String>,
    /// The reports, in order of time.
    pub reports: Vec<HistoryReport>,
    /// The figures, durability `off` before `on`.
    pub series: Vec<Series>,
    /// Reports that were not used.
    pub left_out: Vec<LeftOut>,
    /// Doubts, each with a hint.
    pub warnings: Vec<Warning>,
    /// The statistical method.
    pub method: String,
    /// How to repeat it.
    pub reproduce: Reproduce,
}

/// A report of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryReport {
    /// File or directory it was read from.
    pub path: String,
    /// When it began, RFC 3339 in UTC.
    pub started_at: String,
    /// Version of ave-workbench that wrote it.
    pub version: String,
    /// Its commit; absent if the report has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Its own outcome.
    pub outcome: Outcome,
}

/// A report that was not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// File or directory.
    pub path: String,
    /// The field that differs from the newest report; absent if the reason is another.
    pub field: Option<String>,
    /// Why it was not used.
    pub reason: String,
}

/// What a series shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Commands per second: completed in runs, sustained by a machine in plans.
    Rate,
    /// A percentile of a command's latency, nanoseconds.
    Latency,
}

/// One figure over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// Durability `off` or `on`.
    pub durability: Durability,
    /// Rate or latency.
    pub metric: Metric,
    /// The command of a latency.
    pub command: Option<String>,
    /// The percentile of a latency: the objective's, p99 without one.
    pub percentile: Option<Percentile>,
    /// The machine of a plan whose figure it is: that of the newest report.
    pub machine: Option<String>,
    /// Whether it must be answered for the history to have an answer. Others can show a regression, and leave nothing undecided.
    pub decides: bool,
    /// The reports that have the figure, in order of time.
    pub points: Vec<Point>,
    /// The parts between change points, in order of time.
    pub segments: Vec<Segment>,
    /// The changes from each segment to the next.
    pub changes: Vec<Change>,
    /// The newest reports against the reference.
    pub answer: Answer,
    /// How much longer the newest segment takes than the reference, percent; below 0 it is faster. Of a rate: how much more time
    /// per command. Without a change: the newest reports against the others of their segment. Absent if there are too few.
    pub slower_percent: Option<f64>,
    /// Its confidence interval.
    pub interval_percent: Option<[f64; 2]>,
    /// Larger slowdowns are ruled out: a one-sided bound at the same confidence.
    pub at_most_percent: Option<f64>,
    /// Geometric mean of the newest reports that are compared: the newest segment, or, without a change, the newest three.
    /// Absent without any, and in earlier files.
    #[serde(default)]
    pub newest: Option<f64>,
    /// Why it is undecided; empty if it is not.
    pub note: String,
}

/// The figure of one report.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Place of the report in `reports`, from 0.
    pub report: usize,
    /// Commands per second, or nanoseconds.
    pub value: f64,
    /// Of a percentile its 95 % interval, of the rate of a run its lowest and highest round, of a plan the sustained rate and
    /// the lowest above it that missed the objective; absent where the report has none.
    pub range: Option<[f64; 2]>,
}

/// A part of a series without a change point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Place of its first point in `points`, from 0.
    pub first: usize,
    /// Place of its last point.
    pub last: usize,
    /// Geometric mean of its values.
    pub mean: f64,
}

/// A change from one segment to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Place of the last report before it in `reports`.
    pub last_before: usize,
    /// Place of the first report after it.
    pub first_after: usize,
    /// Geometric mean of the segment before, commands per second or nanoseconds.
    pub before: f64,
    /// Geometric mean of the segment after.
    pub after: f64,
    /// Change of the mean, percent.
    pub change_percent: f64,
    /// Its confidence interval, given the place of the change.
    pub interval_percent: [f64; 2],
    /// Whether the segment after is slower.
    pub is_worse: bool,
    /// Whether the change reaches the threshold.
    pub is_beyond_threshold: bool,
    /// Fields of the reports that differ between both segments, builds first. Any of them, or something that no report
    /// records, may be the cause.
    pub differing: Vec<DifferingField>,
    /// What the machine did without the backend, if it changed as well; empty if it did not.
    pub machine: String,
}

/// A field of the reports whose most frequent value differs between two segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DifferingField {
    /// Its name in `report.json`.
    pub field: String,
    /// Most frequent value before.
    pub before: String,
    /// Share of the reports before that have it, percent.
    pub before_percent: f64,
    /// Most frequent value after.
    pub after: String,
    /// Share of the reports after that have it, percent.
    pub after_percent: f64,
    /// Whether it is of the build, not of host or settings.
    pub is_build: bool,
}

impl Series {
    /// `rate`, `persist p99`, `rate of nano`.
    pub(crate) fn what(&self) -> String {
        let figure = match (&self.command, self.percentile) {
            (Some(command), Some(percentile)) => format!("{command} {percentile}"),
            _ => "rate".to_owned(),
        };
        self.machine.as_ref().map_or_else(|| figure.clone(), |machine| format!("{figure} of {machine}"))
    }

    /// `persist p99 (durability off)`.
    pub(super) fn name(&self) -> String {
        format!("{} (durability {})", self.what(), self.durability)
    }

    /// A value with its unit.
    pub(crate) fn figure(&self, value: f64) -> String {
        match self.metric {
            Metric::Rate => units::rate(value),
            Metric::Latency => units::duration(value),
        }
    }

    /// How much longer the newest segment takes than the first one, percent; `None` unless there are two.
    pub(super) fn slower_than_first_percent(&self) -> Option<f64> {
        let [first, .., newest] = self.segments.as_slice() else { return None };
        let ratio = match self.metric {
            Metric::Rate => first.mean / newest.mean,
            Metric::Latency => newest.mean / first.mean,
        };
        Some(100.0 * (ratio - 1.0))
    }
}

impl Change {
    /// `slower`; `slower, below the threshold`.
    pub(crate) const fn word(&self) -> &'static str {
        match (self.is_worse, self.is_beyond_threshold) {
            (true, true) => "slower",
            (false, true) => "faster",
            (true, false) => "slower, below threshold",
            (false, false) => "faster, below threshold",
        }
    }

    /// What changed as well, a sentence each.
    pub(crate) fn causes(&self) -> impl Iterator<Item = String> {
        let field = |field: &DifferingField| {
            let shares = [field.before_percent, field.after_percent].map(units::percent);
            let mixed = if field.before_percent < 100.0 || field.after_percent < 100.0 {
                format!(" (in {} of the reports before and {} after)", shares[0], shares[1])
            } else {
                String::new()
            };
            format!("{} changed from {} to {}{mixed}", field.field, field.before, field.after)
        };
        let machine = Some(self.machine.clone()).filter(|text| !text.is_empty());
        self.differing.iter().map(field).chain(machine)
    }
}

impl Segment {
    /// Whether one of its points, which are some of these, is that of a report.
    pub(super) fn has(&self, points: &[Point], report: usize) -> bool {
        points[self.first..=self.last].iter().any(|point| point.report == report)
    }
}

impl History {
    /// All changes with their series, in order of time.
    pub(crate) fn changes(&self) -> Vec<(&Series, &Change)> {
        let mut all = Vec::new();
        for series in &self.series {
            all.extend(series.changes.iter().map(|change| (series, change)));
        }
        all.sort_by_key(|(_, change)| change.first_after);
        all
    }

    /// The change after the segment that the newest reports are compared with: that of the baseline, else the one before them.
    pub(super) fn decisive_change<'s>(&self, series: &'s Series) -> Option<&'s Change> {
        let Some(baseline) = &self.baseline else { return series.changes.last() };
        let report = self.reports.iter().position(|report| report.path == *baseline)?;
        series.changes.get(series.segments.iter().position(|part| part.has(&series.points, report))?)
    }

    /// When the first report after a change began.
    pub(crate) fn since(&self, change: &Change) -> String {
        units::moment(&self.reports[change.first_after].started_at)
    }
}
