//! The figures of a history, and their values in a report.

use super::result::Metric;
use crate::actor::Durability;
use crate::measure::Percentile;
use crate::report::{Capacity, Evidence, LoadKind, PercentileInfo, PlanResult, Report};

/// A figure of one durability mode.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Subject {
    /// Commands per second of a run.
    Achieved { durability: Durability, decides: bool },
    /// A percentile of a run.
    Latency { durability: Durability, command: String, percentile: Percentile, decides: bool },
    /// Commands per second that a machine of a plan sustains.
    Sustained { durability: Durability, machine: String },
    /// A percentile at the target of a plan on the recommended machine.
    AtTarget { durability: Durability, machine: String, command: String, percentile: Percentile },
}

/// A value and its range.
type Figure = (f64, Option<[f64; 2]>);

/// The figures of a history whose newest report this is.
pub(super) fn subjects(newest: &Report) -> Vec<Subject> {
    match &newest.plan {
        Some(plan) => of_plan(plan),
        None => of_run(newest),
    }
}

fn of_plan(plan: &PlanResult) -> Vec<Subject> {
    let (command, percentile) = (&plan.slo.command, plan.slo.percentile);
    let of_mode = |durability: Durability, machine: &String| {
        let at_target =
            Subject::AtTarget { durability, machine: machine.clone(), command: command.clone(), percentile };
        [Subject::Sustained { durability, machine: machine.clone() }, at_target]
    };
    plan.capacities.iter().flat_map(|capacity| of_mode(capacity.durability, &capacity.machine)).collect()
}

fn of_run(newest: &Report) -> Vec<Subject> {
    let is_closed = newest.settings.load_kind == LoadKind::Closed;
    let objective = newest.objective.as_ref().map(|slo| (slo.command.as_str(), slo.percentile));
    let headline = || Some((newest.headline_command()?, Percentile::P99));
    let latency = objective.or_else(headline);
    let mut subjects = Vec::new();
    for durability in newest.modes.iter().map(|mode| mode.durability) {
        // A schedule gives the rate, and a closed loop the latency, since faster writers queue more.
        subjects.push(Subject::Achieved { durability, decides: is_closed });
        subjects.extend(latency.map(|(command, percentile)| Subject::Latency {
            durability,
            command: command.to_owned(),
            percentile,
            decides: !is_closed || objective.is_some(),
        }));
    }
    subjects
}

impl Subject {
    pub(super) const fn durability(&self) -> Durability {
        match self {
            Self::Achieved { durability, .. }
            | Self::Latency { durability, .. }
            | Self::Sustained { durability, .. }
            | Self::AtTarget { durability, .. } => *durability,
        }
    }

    pub(super) const fn metric(&self) -> Metric {
        match self {
            Self::Achieved { .. } | Self::Sustained { .. } => Metric::Rate,
            Self::Latency { .. } | Self::AtTarget { .. } => Metric::Latency,
        }
    }

    pub(super) const fn decides(&self) -> bool {
        match self {
            Self::Achieved { decides, .. } | Self::Latency { decides, .. } => *decides,
            Self::Sustained { .. } => true,
            Self::AtTarget { .. } => false,
        }
    }

    pub(super) fn command(&self) -> Option<(&str, Percentile)> {
        match self {
            Self::Latency { command, percentile, .. } | Self::AtTarget { command, percentile, .. } => {
                Some((command, *percentile))
            }
            Self::Achieved { .. } | Self::Sustained { .. } => None,
        }
    }

    pub(super) fn machine(&self) -> Option<&str> {
        match self {
            Self::Sustained { machine, .. } | Self::AtTarget { machine, .. } => Some(machine),
            Self::Achieved { .. } | Self::Latency { .. } => None,
        }
    }

    /// Its value in a report, above 0; `None` if the report has none.
    pub(super) fn figure(&self, report: &Report) -> Option<Figure> {
        let found = match self {
            Self::Achieved { durability, .. } => {
                let mode = report.modes.iter().find(|mode| mode.durability == *durability)?;
                (mode.achieved_per_second, Some(mode.achieved_range_per_second))
            }
            Self::Latency { durability, command, percentile, .. } => {
                let mode = report.modes.iter().find(|mode| mode.durability == *durability)?;
                of_percentile(mode.latency(command)?.percentile(*percentile)?)
            }
            Self::Sustained { durability, machine } => sustained(report.plan.as_ref()?, *durability, machine)?,
            Self::AtTarget { durability, machine, percentile, .. } => {
                let recommended = report.plan.as_ref()?.recommendation(*durability)?;
                let expected =
                    recommended.expected.as_ref().filter(|_| recommended.profile.as_ref() == Some(machine))?;
                of_percentile(expected.response.percentile(*percentile)?)
            }
        };
        (found.0 > 0.0 && found.0.is_finite()).then_some(found)
    }
}

fn of_percentile(found: &PercentileInfo) -> Figure {
    (found.value_ns as f64, found.interval_ns.map(|ends| ends.map(|end| end as f64)))
}

/// Rates that follow from another machine's, or from a model, would show changes that were not measured.
fn sustained(plan: &PlanResult, durability: Durability, machine: &str) -> Option<Figure> {
    let mode = plan.profile(machine)?.mode(durability)?;
    let rate = mode.sustained_per_second.filter(|_| mode.evidence <= Evidence::CoresEmulated)?;
    let searched = plan.capacity(durability).filter(|capacity| capacity.machine == machine);
    let missed = searched.and_then(Capacity::missed_per_second);
    Some((rate, missed.map(|missed| [rate, missed])))
}
