//! Machines of a plan, those of which the same is known as one.

use serde::Serialize;

use crate::report::{DemandMode, Evidence, MachineStanding, PlanResult, ProfileEvidence};
use crate::units;

/// More names than this are shortened to the first and the last.
const MOST_NAMES: usize = 3;

/// One machine, or machines in a row that were not tried themselves and of which the same is known.
#[derive(Debug)]
pub(super) struct ProfileGroup<'a> {
    pub(super) machines: Vec<&'a ProfileEvidence>,
}

impl<'a> ProfileGroup<'a> {
    pub(super) fn of_plan(plan: &'a PlanResult) -> Vec<Self> {
        let groups = plan.profiles.chunk_by(|a, b| is_alike(plan, a, b));
        groups.map(|group| Self { machines: group.iter().collect() }).collect()
    }

    /// The first; the others are known as it is.
    pub(super) fn first(&self) -> &'a ProfileEvidence {
        self.machines[0]
    }

    /// `nano`, `large, xlarge`, `micro … 2xlarge`.
    pub(super) fn name(&self) -> String {
        names(self.machines.iter().map(|machine| machine.profile.as_str()))
    }

    /// `2`, `2 – 8`.
    pub(super) fn cores(&self) -> String {
        self.ends(|machine| machine.millicores() as f64 / 1e3, units::number)
    }

    /// `512 MiB`, `1 – 32 GiB`.
    pub(super) fn ram(&self) -> String {
        self.ends(|machine| machine.ram_bytes as f64, units::bytes)
    }

    fn ends(&self, value: impl Fn(&ProfileEvidence) -> f64, format: fn(f64) -> String) -> String {
        let values = || self.machines.iter().map(|machine| value(machine));
        let ends = values().reduce(f64::min).zip(values().reduce(f64::max));
        match ends.map(|(low, high)| (format(low), format(high))) {
            Some((low, high)) if low == high => low,
            Some((low, high)) => units::range(&low, &high),
            None => units::absent(),
        }
    }
}

/// A candidate for the demand, or candidates in a row that were rejected for one reason.
#[derive(Debug, Serialize)]
pub(super) struct StandingGroup<'a> {
    name: String,
    /// Of the first.
    standing: &'a MachineStanding,
}

impl<'a> StandingGroup<'a> {
    pub(super) fn of_mode(mode: &'a DemandMode) -> Vec<Self> {
        let groups = mode.machines.chunk_by(|a, b| {
            let [a, b] = [a, b].map(|one| (one.is_chosen, one.usable_per_second, one.price_per_month, &one.reason));
            !a.0 && a == b
        });
        let group = |group: &'a [MachineStanding]| Self {
            name: names(group.iter().map(|one| one.profile.as_str())),
            standing: &group[0],
        };
        groups.map(group).collect()
    }
}

/// `nano`, `large, xlarge`, `micro … 2xlarge`.
fn names<'a>(machines: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = machines.collect();
    match names.as_slice() {
        [first, .., last] if names.len() > MOST_NAMES => format!("{first} … {last}"),
        _ => names.join(", "),
    }
}

fn is_alike(plan: &PlanResult, a: &ProfileEvidence, b: &ProfileEvidence) -> bool {
    let is_recommended = |machine: &ProfileEvidence| {
        plan.recommendations.iter().any(|one| one.profile.as_deref() == Some(&machine.profile))
    };
    let rates = |machine: &ProfileEvidence| -> Vec<_> {
        machine.modes.iter().map(|mode| (mode.evidence, mode.sustained_per_second, mode.holds)).collect()
    };
    matches!(a.evidence, Evidence::Implied | Evidence::NotMeasured)
        && a.evidence == b.evidence
        && !is_recommended(a)
        && !is_recommended(b)
        && a.reason == b.reason
        && rates(a) == rates(b)
}
