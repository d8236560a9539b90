//! A plan beside the same plan with changed inputs, and which of the differences were measured.

use crate::measure::Percentile;
use crate::report::{Basis, FigureName, PlanResult, Recommendation, WhatIfFigure, WhatIfInfo, WhatIfMode};

impl WhatIfInfo {
    /// Two plans, of which `after` was measured with the changes.
    pub(super) fn measured(changes: String, before: &PlanResult, after: &PlanResult) -> Self {
        Self::new(changes, [before, after], measured_mode)
    }

    /// Two plans, of which `after` follows from what was measured for the other.
    pub(super) fn at_target(changes: String, before: &PlanResult, after: &PlanResult) -> Self {
        Self::new(changes, [before, after], mode_at_target)
    }

    fn new(changes: String, [before, after]: [&PlanResult; 2], mode: fn(Plans<'_>) -> WhatIfMode) -> Self {
        let modes = before.recommendations.iter().filter_map(|one| {
            let other = after.recommendation(one.durability)?;
            Some(mode([(before, one), (after, other)]))
        });
        Self { changes, target_per_second: after.target_per_second, modes: modes.collect() }
    }
}

/// A plan before and after a change, with the recommendations of one durability mode.
type Plans<'a> = [(&'a PlanResult, &'a Recommendation); 2];

fn figure(
    plans: Plans<'_>,
    name: FigureName,
    basis: Basis,
    value: fn(&PlanResult, &Recommendation) -> Option<f64>,
) -> WhatIfFigure {
    let [before, after] = plans.map(|(plan, one)| value(plan, one));
    WhatIfFigure { name, before, after, basis }
}

fn mode_of(plans: Plans<'_>, machine_basis: Basis, figures: Vec<WhatIfFigure>) -> WhatIfMode {
    let [(_, before), (_, after)] = plans;
    WhatIfMode {
        durability: before.durability,
        machine_before: before.profile.clone(),
        machine_after: after.profile.clone(),
        machine_basis,
        figures,
    }
}

fn sustained(plan: &PlanResult, one: &Recommendation) -> Option<f64> {
    plan.capacity(one.durability)?.sustained_per_second
}

fn measured_mode(plans: Plans<'_>) -> WhatIfMode {
    let figure = |name, basis, value| figure(plans, name, basis, value);
    mode_of(
        plans,
        Basis::Measured,
        vec![
            figure(FigureName::SaturationPerSecond, Basis::Measured, |plan, one| {
                plan.capacity(one.durability)?.saturation_per_second
            }),
            figure(FigureName::SustainedPerSecond, Basis::Measured, sustained),
            figure(FigureName::P50AtTargetNs, Basis::Measured, |_, one| expected(one, Percentile::P50)),
            figure(FigureName::P99AtTargetNs, Basis::Measured, |_, one| expected(one, Percentile::P99)),
            figure(FigureName::MemoryPeakBytes, Basis::Measured, memory_peak),
            figure(FigureName::DatabaseGrowthPerDayBytes, Basis::Modelled, |plan, _| Some(plan.growth.per_day_bytes)),
            figure(FigureName::DaysUntilDiskFull, Basis::Modelled, |plan, _| plan.growth.days_until_disk_full),
            figure(FigureName::MemoryOfTheProcessBytes, Basis::Modelled, |plan, _| {
                Some(plan.forecast.as_ref()?.memory.as_ref()?.bytes as f64)
            }),
            figure(FigureName::RestartSeconds, Basis::Modelled, |plan, _| {
                Some(plan.forecast.as_ref()?.restart?.seconds.expected)
            }),
        ],
    )
}

fn expected(one: &Recommendation, percentile: Percentile) -> Option<f64> {
    Some(one.expected.as_ref()?.response.percentile(percentile)?.value_ns as f64)
}

fn memory_peak(plan: &PlanResult, one: &Recommendation) -> Option<f64> {
    let mode = plan.profile(one.profile.as_ref()?)?.mode(one.durability)?;
    mode.process_peak_bytes.map(|bytes| bytes as f64)
}

/// The rates stand; what is stored changes.
fn mode_at_target(plans: Plans<'_>) -> WhatIfMode {
    let figure = |name, value| figure(plans, name, Basis::Modelled, value);
    mode_of(
        plans,
        Basis::Modelled,
        vec![
            figure(FigureName::SustainedPerSecond, sustained),
            figure(FigureName::DatabaseGrowthPerDayBytes, |plan, _| Some(plan.growth.per_day_bytes)),
            figure(FigureName::DaysUntilDiskFull, |plan, _| plan.growth.days_until_disk_full),
        ],
    )
}
