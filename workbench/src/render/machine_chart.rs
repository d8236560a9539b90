//! The rates of the machines of a plan as bars on one axis, with what the target needs as lines.

use serde::Serialize;

use super::profile_groups::ProfileGroup;
use crate::actor::Durability;
use crate::report::{Evidence, MachineMode, PlanResult};
use crate::units;

/// The axis ends at this multiple of the highest figure.
const BEYOND: f64 = 1.04;

/// Places on the axis are percent of its length.
#[derive(Debug, Serialize)]
pub(super) struct MachineChart {
    target_at: f64,
    required_at: f64,
    rows: Vec<ChartRow>,
    has_intervals: bool,
}

#[derive(Debug, Serialize)]
struct ChartRow {
    name: String,
    /// `2 cores, 512 MiB`, or how many sizes.
    size: String,
    /// Not tried itself: bars end where a tried machine's do, and the machine may be faster.
    is_at_least: bool,
    recommended_for: Vec<Durability>,
    bars: Vec<Bar>,
}

#[derive(Debug, Serialize)]
struct Bar {
    durability: Durability,
    /// `≥ 17,256/s`.
    text: String,
    length: Option<f64>,
    interval: Option<[f64; 2]>,
    holds: Option<bool>,
}

impl MachineChart {
    /// `None` if no rate of any machine is known.
    pub(super) fn new(plan: &PlanResult) -> Option<Self> {
        let modes = || plan.profiles.iter().flat_map(|profile| profile.modes.iter().map(move |mode| (profile, mode)));
        let ends = modes().filter_map(|(profile, mode)| {
            let interval = interval(plan, &profile.profile, mode).map(|[_, high]| high);
            interval.or(mode.sustained_per_second)
        });
        let highest = ends.reduce(f64::max)?.max(plan.required_per_second);
        let place = |rate: f64| (100.0 * rate / (BEYOND * highest)).clamp(0.0, 100.0);
        let row = |group: &ProfileGroup<'_>| {
            let first = group.first();
            let is_at_least = first.evidence == Evidence::Implied;
            let bar = |mode: &MachineMode| Bar {
                durability: mode.durability,
                text: match mode.sustained_per_second {
                    Some(rate) if is_at_least => format!("≥ {}", units::rate(rate)),
                    Some(rate) => units::rate(rate),
                    None => units::absent(),
                },
                length: mode.sustained_per_second.map(place),
                interval: interval(plan, &first.profile, mode).map(|ends| ends.map(place)),
                holds: mode.holds,
            };
            let for_machine = plan.recommendations.iter().filter(|one| one.profile.as_deref() == Some(&first.profile));
            ChartRow {
                name: group.name(),
                size: match group.machines.len() {
                    1 => format!("{}, {}", units::cores(first.millicores()), group.ram()),
                    count => format!("{count} sizes, {}", first.evidence.name()),
                },
                is_at_least,
                recommended_for: for_machine.map(|one| one.durability).collect(),
                bars: first.modes.iter().map(bar).collect(),
            }
        };
        let rows: Vec<_> = ProfileGroup::of_plan(plan).iter().map(row).collect();
        Some(Self {
            target_at: place(plan.target_per_second),
            required_at: place(plan.required_per_second),
            has_intervals: rows.iter().flat_map(|row| &row.bars).any(|bar| bar.interval.is_some()),
            rows,
        })
    }
}

/// Of an extrapolated rate its range; of the machine that was searched to the end from the rate that is sustained to the next
/// one that missed the objective.
fn interval(plan: &PlanResult, machine: &str, mode: &MachineMode) -> Option<[f64; 2]> {
    let searched = || {
        let capacity = plan.capacity(mode.durability).filter(|capacity| capacity.machine == machine)?;
        Some([mode.sustained_per_second?, capacity.missed_per_second()?])
    };
    mode.range_per_second.or_else(searched)
}
