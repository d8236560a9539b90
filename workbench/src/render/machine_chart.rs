//! The rates of the machines of a plan as bars on one axis, with what the target needs as lines.

use serde::Serialize;

use super::profile_groups::ProfileGroup;
use crate::actor::Durability;
use crate::report::{Evidence, MachineMode, PlanResult, suffices};
use crate::units;

/// The axis ends at this multiple of the highest figure.
const BEYOND: f64 = 1.04;
/// Rows that stand open; of more, those that are not recommended are folded.
const MOST_ROWS: usize = 12;

/// Places on the axis are percent of its length.
#[derive(Debug, Serialize)]
pub(super) struct MachineChart {
    target_at: f64,
    required_at: f64,
    rows: Vec<ChartRow>,
    /// Those that are folded.
    more: Vec<ChartRow>,
    /// Whether a row has a reason beside its rate.
    has_reasons: bool,
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
    /// Why it does not hold although its rate is enough now: `disk space`.
    reason: Option<&'static str>,
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
                reason: reason(plan, mode),
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
        let all: Vec<_> = ProfileGroup::of_plan(plan).iter().map(row).collect();
        let has_reasons = all.iter().flat_map(|row| &row.bars).any(|bar| bar.reason.is_some());
        let is_open = |place: usize, row: &ChartRow| place < MOST_ROWS || !row.recommended_for.is_empty();
        let (rows, more): (Vec<_>, Vec<_>) = all.into_iter().enumerate().partition(|(place, row)| is_open(*place, row));
        let [rows, more] = [rows, more].map(|part| part.into_iter().map(|(_, row)| row).collect());
        Some(Self {
            target_at: place(plan.target_per_second),
            required_at: place(plan.required_per_second),
            has_reasons,
            rows,
            more,
        })
    }
}

/// What a machine lacks, or that it is too slow on the larger database, where its rate alone would be enough.
fn reason(plan: &PlanResult, mode: &MachineMode) -> Option<&'static str> {
    let is_enough_now = suffices(mode.least_per_second()?, plan.required_per_second);
    if mode.holds != Some(false) || !is_enough_now {
        return None;
    }
    mode.lacking.as_ref().and_then(|lacking| lacking.resource.name()).or(Some("at the horizon"))
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
