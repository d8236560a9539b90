//! Machines of a plan, those of which the same is known as one.

use crate::report::{Evidence, PlanResult, ProfileEvidence};
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
        let names: Vec<_> = self.machines.iter().map(|machine| machine.profile.as_str()).collect();
        match names.as_slice() {
            [first, .., last] if names.len() > MOST_NAMES => format!("{first} … {last}"),
            _ => names.join(", "),
        }
    }

    /// `2`, `2 – 8`.
    pub(super) fn cores(&self) -> String {
        let cores = |machine: &ProfileEvidence| {
            let whole = f64::from(machine.cpu_cores_count);
            machine.cpu_millicores_count.map_or(whole, |millicores| millicores as f64 / 1e3)
        };
        self.ends(cores, units::number)
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
