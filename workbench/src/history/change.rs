//! The changes of one figure: its change points, what changed there, and what differs between both sides.

use super::recorded::differing;
use super::reports::{Entry, Reference};
use super::result::{Change, Metric, Point, Segment};
use super::subject::Subject;
use crate::actor::Durability;
use crate::compare::{Rule, percent};
use crate::measure::{Difference, change_points};
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

/// Nanoseconds, if a report has them.
type Time = fn(Reference) -> Option<f64>;

/// A time without the backend that changed.
struct MachineChange {
    what: &'static str,
    difference: Difference,
}

impl<'a> Timeline<'a> {
    pub(super) fn new(entries: &'a [Entry], subject: &Subject, level: f64) -> Self {
        let of = |(report, entry): (usize, &Entry)| {
            subject.figure(&entry.report).map(|(value, range)| Point { report, value, range })
        };
        let points: Vec<Point> = entries.iter().enumerate().filter_map(of).collect();
        let metric = subject.metric();
        let sign = if metric == Metric::Rate { -1.0 } else { 1.0 };
        let slowness: Vec<f64> = points.iter().map(|point| sign * point.value.ln()).collect();
        let places = change_points(&slowness, level);
        let bounds: Vec<usize> = std::iter::once(0).chain(places).chain([points.len()]).collect();
        let segment = |ends: &[usize]| {
            let mean = slowness[ends[0]..ends[1]].iter().sum::<f64>() / (ends[1] - ends[0]) as f64;
            Segment { first: ends[0], last: ends[1] - 1, mean: (sign * mean).exp() }
        };
        let segments = bounds.windows(2).filter(|ends| ends[0] < ends[1]).map(segment).collect();
        Self { entries, durability: subject.durability(), metric, points, slowness, segments }
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
        let explains = |change: &&MachineChange| answer(difference.less(change.difference)) != answer(difference);
        self.machine_changes(before, after, rule).iter().find(explains).map(MachineChange::text)
    }

    /// Times without the backend that differ significantly, and by half of the threshold at least.
    fn machine_changes(&self, before: &Segment, after: &Segment, rule: Rule) -> Vec<MachineChange> {
        let read = |part: &Segment, time: Time| -> Vec<f64> {
            let of = |entry: &Entry| time(entry.reference(self.durability)).filter(|&ns| ns > 0.0).map(f64::ln);
            self.entries(part).into_iter().filter_map(of).collect()
        };
        let times: [(&str, Time); 2] =
            [("computing", |times| times.compute_ns), ("a sync of the disk", |times| times.sync_ns)];
        let change = |(what, time)| {
            let difference = Difference::of_groups(&read(before, time), &read(after, time))?;
            let [low, high] = difference.interval(rule.confidence);
            let differs = (low > 0.0 || high < 0.0) && difference.estimate.abs() >= rule.limit / 2.0;
            differs.then_some(MachineChange { what, difference })
        };
        times.into_iter().filter_map(change).collect()
    }
}

impl MachineChange {
    fn text(&self) -> String {
        let by = percent(self.difference.estimate);
        let longer = if by > 0.0 { "longer" } else { "less" };
        format!("without the backend, {} took {} {longer} as well", self.what, units::percent(by.abs()))
    }
}
