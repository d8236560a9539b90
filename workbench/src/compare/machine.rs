//! Whether the machine was the same for both builds.
//!
//! Beside each round, fixed work independent of the backend was timed, and the CPU time of other processes counted. Where
//! these differed, a difference between the builds may be the machine's.

use super::answer::{Rule, percent};
use super::result::{Answer, MachineFigure, MachineRow, Metric, Samples};
use super::samples::{Groups, groups, middle, values};
use super::side::BuildReports;
use crate::actor::Durability;
use crate::measure::{Difference, FOREIGN_SHARE};
use crate::report::{Report, RoundInfo};
use crate::units;

#[derive(Debug, Clone)]
pub(super) struct MachineDifference {
    pub(super) row: MachineRow,
    difference: Difference,
}

pub(super) fn machine_differences(
    base: &BuildReports,
    candidate: &BuildReports,
    durability: Durability,
    samples: Samples,
    rule: Rule,
) -> Vec<MachineDifference> {
    let read = |figure: MachineFigure| {
        let run = |report: &Report| values(report, durability, |round| figure.value(round, report));
        let groups = groups(base, candidate, samples, run);
        let difference = groups.difference()?;
        Some(MachineDifference { row: figure.row(durability, &groups, difference, rule, cores(base)), difference })
    };
    MachineFigure::ALL.into_iter().filter_map(read).collect()
}

fn cores(side: &BuildReports) -> f64 {
    side.reports.first().map_or(1.0, |(_, report)| f64::from(report.host.logical_cores_count.max(1)))
}

impl MachineFigure {
    const ALL: [Self; 4] = [Self::OtherProcesses, Self::ComputeP50, Self::ComputeMean, Self::SyncP50];

    /// The logarithm of a time; CPU time of other processes as a share of the cores.
    pub(crate) fn value(self, round: &RoundInfo, report: &Report) -> Option<f64> {
        let logarithm = |nanoseconds: f64| (nanoseconds > 0.0).then(|| nanoseconds.ln());
        match self {
            Self::ComputeP50 => logarithm(round.reference_work?.compute_p50_ns),
            Self::ComputeMean => logarithm(round.reference_work?.compute_mean_ns),
            Self::SyncP50 => logarithm(round.reference_work?.sync_p50_ns?),
            Self::OtherProcesses => Some(round.foreign_cores? / f64::from(report.host.logical_cores_count.max(1))),
        }
    }

    fn row(
        self,
        durability: Durability,
        groups: &Groups,
        difference: Difference,
        rule: Rule,
        cores: f64,
    ) -> MachineRow {
        let is_share = self == Self::OtherProcesses;
        let figure = |value: f64| if is_share { cores * value } else { value.exp() };
        let more = |value: f64| if is_share { 100.0 * value } else { percent(value) };
        let [low, high] = difference.interval(rule.confidence);
        MachineRow {
            durability,
            figure: self,
            base: figure(middle(&groups.base)),
            candidate: figure(middle(&groups.candidate)),
            more_percent: more(difference.estimate),
            interval_percent: [more(low), more(high)],
            differs: self.differs(difference, rule),
        }
    }

    /// Whether a difference is significant, and large enough to matter: half of the threshold; of other processes, a tenth of
    /// the cores.
    pub(crate) fn differs(self, difference: Difference, rule: Rule) -> bool {
        let least = if self == Self::OtherProcesses { FOREIGN_SHARE[0] } else { rule.limit / 2.0 };
        let [low, high] = difference.interval(rule.confidence);
        (low > 0.0 || high < 0.0) && difference.estimate.abs() >= least
    }

    /// Whether its difference may be the cause of an answer, because that changes where it is subtracted. The effect of other
    /// processes is not known that well, since caches and memory are shared too.
    pub(crate) fn explains(self, answer: Answer, answer_without: impl Fn() -> Answer) -> bool {
        self == Self::OtherProcesses || answer_without() != answer
    }

    /// Whether a figure of the backend depends on it. A median does not depend on interruptions, which hit few commands; nor,
    /// with durability off, on the disk.
    fn affects(self, metric: Metric, durability: Durability) -> bool {
        match self {
            Self::ComputeP50 => matches!(metric, Metric::ServiceP50 | Metric::CpuTime),
            Self::ComputeMean => matches!(metric, Metric::ResponseP99 | Metric::Throughput),
            Self::SyncP50 => match metric {
                Metric::ServiceP50 => durability == Durability::On,
                Metric::ResponseP99 | Metric::Throughput => true,
                Metric::CpuTime | Metric::LogSyncs => false,
            },
            Self::OtherProcesses => !matches!(metric, Metric::LogSyncs),
        }
    }
}

/// Why a single run on each side has no answer, if other processes used that much of the cores the writers needed: rounds of
/// one run share such disturbances, so their scatter underestimates that of runs.
pub(super) fn crowded(machine: &[&MachineDifference], samples: Samples, side: &BuildReports) -> Option<String> {
    let cores = cores(side);
    let modes = side.reports.first().into_iter().flat_map(|(_, report)| &report.modes);
    let writers = f64::from(modes.map(|mode| mode.writers_count).max().unwrap_or(1));
    let others = machine.iter().find(|machine| machine.row.figure == MachineFigure::OtherProcesses)?;
    let worst = others.row.base.max(others.row.candidate);
    let left_alone = (cores - writers).max(0.0);
    (samples == Samples::Rounds && worst - left_alone > FOREIGN_SHARE[1] * cores).then(|| {
        let [worst, cores] = [worst, cores].map(units::number);
        format!(
            "other processes kept {worst} of {cores} cores busy, and one run on each side does not show how runs differ"
        )
    })
}

/// Why the machine may be the cause of an answer, if it may. `tests` is the number of all compared rows.
///
/// The machine's difference in a timed figure is subtracted: the objection stands if the answer changes.
pub(super) fn objection(
    machine: &[&MachineDifference],
    metric: Metric,
    difference: Difference,
    answer: Answer,
    tests: usize,
    rule: Rule,
) -> Option<String> {
    let without = |part: Difference| {
        let rest = difference.less(part);
        rule.answer(rest, (rest.p_value() * tests as f64).min(1.0))
    };
    let changes = |machine: &&&MachineDifference| machine.row.figure.explains(answer, || without(machine.difference));
    let affects = |row: &MachineRow| row.differs && row.figure.affects(metric, row.durability);
    let differing = machine.iter().filter(|machine| affects(&machine.row));
    differing.filter(changes).map(|machine| reason(&machine.row)).next()
}

fn reason(row: &MachineRow) -> String {
    let by = units::percent(row.more_percent.abs());
    let longer = if row.more_percent > 0.0 { "longer" } else { "less" };
    let what = match row.figure {
        MachineFigure::OtherProcesses => {
            let [base, candidate] = [row.base, row.candidate].map(units::number);
            return format!(
                "the machine differed: other processes kept {base} cores busy beside the base and {candidate} beside the \
                 candidate"
            );
        }
        MachineFigure::ComputeP50 => "computing",
        MachineFigure::ComputeMean => "computing, interruptions included,",
        MachineFigure::SyncP50 => "a sync of the disk",
    };
    format!("the machine differed: without the backend, {what} took {by} {longer} beside the candidate")
}
