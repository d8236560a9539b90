//! The changes of one figure: its change points, what changed there, and what differs between both sides.

use super::recorded::differing;
use super::reports::Entry;
use super::result::{Change, Metric, Point, Segment};
use super::subject::Subject;
use crate::actor::Durability;
use crate::compare::{MachineFigure, Rule, percent};
use crate::measure::{Difference, change_points, median};
use crate::units;

/// A figure over time, and the segments that it has. All values are logarithms of times, so that differences are ratios and
/// larger is slower; a rate counts as its reciprocal, the time per command.
pub(super) struct Timeline<'a> {
    entries: &'a [Entry],
    durability: Durability,
    pub(super) metric: Metric,
    pub(super) points: Vec<Point>,
    /// Slowness of each point.
    slowness: Vec<f64>,
    pub(super) segments: Vec<Segment>,
}

/// Figures of the machine that may explain a change.
const OF_MACHINE: [MachineFigure; 3] =
    [MachineFigure::OtherProcesses, MachineFigure::ComputeMean, MachineFigure::SyncP50];

/// A figure of the machine that changed as well.
struct MachineChange {
    figure: MachineFigure,
    difference: Difference,
    /// Cores that other processes kept busy before and after.
    busy_cores: [f64; 2],
}

impl<'a> Timeline<'a> {
    pub(super) fn new(entries: &'a [Entry], subject: &Subject, level: f64) -> Self {
        let of = |(report, entry): (usize, &Entry)| {
            subject.figure(&entry.report).map(|(value, range)| Point { report, value, range })
        };
        let points: Vec<Point> = entries.iter().enumerate().filter_map(of).collect();
        let metric = subject.metric();
        let slowness: Vec<f64> = points.iter().map(|point| sign(metric) * point.value.ln()).collect();
        let places = change_points(&slowness, level);
        let bounds: Vec<usize> = std::iter::once(0).chain(places).chain([points.len()]).collect();
        let mut timeline =
            Self { entries, durability: subject.durability(), metric, points, slowness, segments: Vec::new() };
        let ends = bounds.windows(2).filter(|ends| ends[0] < ends[1]);
        timeline.segments = ends.map(|ends| timeline.part(ends[0], ends[1] - 1)).collect();
        timeline
    }

    /// The points from one place to another.
    pub(super) fn part(&self, first: usize, last: usize) -> Segment {
        let slowness = &self.slowness[first..=last];
        let mean = slowness.iter().sum::<f64>() / slowness.len() as f64;
        Segment { first, last, mean: (sign(self.metric) * mean).exp() }
    }

    pub(super) fn slowness(&self, part: &Segment) -> &[f64] {
        &self.slowness[part.first..=part.last]
    }

    fn entries(&self, part: &Segment) -> Vec<&'a Entry> {
        self.points[part.first..=part.last].iter().map(|point| &self.entries[point.report]).collect()
    }

    /// The changes from each segment to the next.
    pub(super) fn changes(&self, rule: Rule) -> Vec<Change> {
        self.segments.windows(2).filter_map(|two| self.change(&two[0], &two[1], rule)).collect()
    }

    fn change(&self, before: &Segment, after: &Segment, rule: Rule) -> Option<Change> {
        let difference = Difference::of_groups(self.slowness(before), self.slowness(after))?;
        let [low, high] = difference.interval(rule.confidence);
        let interval = if self.metric == Metric::Rate { [-high, -low] } else { [low, high] };
        let machine = self.machine_changes(before, after, rule);
        Some(Change {
            last_before: self.points[before.last].report,
            first_after: self.points[after.first].report,
            before: before.mean,
            after: after.mean,
            change_percent: 100.0 * (after.mean / before.mean - 1.0),
            interval_percent: interval.map(percent),
            is_worse: difference.estimate > 0.0,
            is_beyond_threshold: difference.estimate.abs() >= rule.limit,
            differing: differing(&self.entries(before), &self.entries(after)),
            machine: machine.iter().map(MachineChange::text).collect::<Vec<_>>().join("; "),
        })
    }

    /// Why a difference of two parts may not be one of the builds; `None` if nothing else differs that reports record.
    pub(super) fn objection(
        &self,
        [before, after]: [&Segment; 2],
        difference: Difference,
        rule: Rule,
    ) -> Option<String> {
        let recorded = differing(&self.entries(before), &self.entries(after));
        if let Some(other) = recorded.iter().find(|differing| !differing.is_build) {
            return Some(format!("{} changed from {} to {} as well", other.field, other.before, other.after));
        }
        let answer = |difference: Difference| rule.answer(difference, difference.p_value());
        let explains = |change: &&MachineChange| {
            change.figure.explains(answer(difference), || answer(difference.less(change.difference)))
        };
        self.machine_changes(before, after, rule).iter().find(explains).map(MachineChange::text)
    }

    /// Figures of the machine that differ, by the rule of a comparison.
    fn machine_changes(&self, before: &Segment, after: &Segment, rule: Rule) -> Vec<MachineChange> {
        let [before, after] = [before, after].map(|part| self.entries(part));
        let cores = after.first().map_or(1.0, |entry| f64::from(entry.report.host.logical_cores_count.max(1)));
        let change = |figure| {
            let values = |entries: &[&Entry]| -> Vec<f64> {
                entries.iter().filter_map(|entry| entry.machine_figure(self.durability, figure)).collect()
            };
            let [before, after] = [values(&before), values(&after)];
            let difference = Difference::of_groups(&before, &after)?;
            let busy_cores = [before, after].map(|shares| cores * median(shares));
            figure.differs(difference, rule).then_some(MachineChange { figure, difference, busy_cores })
        };
        OF_MACHINE.into_iter().filter_map(change).collect()
    }
}

/// A higher rate is less time per command.
fn sign(metric: Metric) -> f64 {
    if metric == Metric::Rate { -1.0 } else { 1.0 }
}

impl MachineChange {
    fn text(&self) -> String {
        let what = match self.figure {
            MachineFigure::OtherProcesses => {
                let [before, after] = self.busy_cores.map(units::number);
                return format!("other processes kept {before} cores busy before and {after} after");
            }
            MachineFigure::SyncP50 => "a sync of the disk",
            MachineFigure::ComputeP50 | MachineFigure::ComputeMean => "computing",
        };
        let by = percent(self.difference.estimate);
        let longer = if by > 0.0 { "longer" } else { "less" };
        format!("without the backend, {what} took {} {longer} as well", units::percent(by.abs()))
    }
}
