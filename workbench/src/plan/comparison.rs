//! A plan beside the same plan with changed inputs, and which of the differences were measured.

use crate::actor::Durability;
use crate::host::HOST;
use crate::measure::Percentile;
use crate::plan::demand_growth::DemandGrowth;
use crate::plan::spec::required_rate;
use crate::report::{
    Basis, FigureName, PlanResult, ProfileEvidence, Recommendation, WhatIfFigure, WhatIfInfo, WhatIfMode, suffices,
};

impl WhatIfInfo {
    /// Two plans, of which `after` was measured with the changes.
    pub(super) fn measured(changes: String, before: &PlanResult, after: &PlanResult) -> Self {
        let modes = before.recommendations.iter().filter_map(|one| {
            let other = after.recommendation(one.durability)?;
            Some(measured_mode([(before, one), (after, other)]))
        });
        Self { changes, target_per_second: after.target_per_second, modes: modes.collect() }
    }

    /// A plan at another target: its rates stand, and growth is scaled.
    pub(super) fn at_target(changes: String, plan: &PlanResult, target_per_second: f64) -> Self {
        let modes = plan.recommendations.iter().map(|one| mode_at_target(plan, one, target_per_second));
        Self { changes, target_per_second, modes: modes.collect() }
    }
}

fn measured_mode(plans: [(&PlanResult, &Recommendation); 2]) -> WhatIfMode {
    let [(_, before), (_, after)] = plans;
    let figure = |name, basis, value: fn(&PlanResult, &Recommendation) -> Option<f64>| {
        let [before, after] = plans.map(|(plan, one)| value(plan, one));
        WhatIfFigure { name, before, after, basis }
    };
    WhatIfMode {
        durability: before.durability,
        machine_before: before.profile.clone(),
        machine_after: after.profile.clone(),
        machine_basis: Basis::Measured,
        figures: vec![
            figure(FigureName::SaturationPerSecond, Basis::Measured, |plan, one| {
                plan.capacity(one.durability)?.saturation_per_second
            }),
            figure(FigureName::SustainedPerSecond, Basis::Measured, |plan, one| {
                plan.capacity(one.durability)?.sustained_per_second
            }),
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
    }
}

fn expected(one: &Recommendation, percentile: Percentile) -> Option<f64> {
    Some(one.expected.as_ref()?.response.percentile(percentile)?.value_ns as f64)
}

fn memory_peak(plan: &PlanResult, one: &Recommendation) -> Option<f64> {
    let mode = plan.profile(one.profile.as_ref()?)?.mode(one.durability)?;
    mode.process_peak_bytes.map(|bytes| bytes as f64)
}

fn mode_at_target(plan: &PlanResult, one: &Recommendation, target_per_second: f64) -> WhatIfMode {
    let required = required_rate(target_per_second, plan.headroom_percent);
    let sustained = |known: &ProfileEvidence, durability: Durability| {
        let mode = known.mode(durability)?;
        mode.range_per_second.map_or(mode.sustained_per_second, |[low, _]| Some(low))
    };
    let holds = |known: &&ProfileEvidence| {
        known.profile != HOST && sustained(known, one.durability).is_some_and(|rate| suffices(rate, required))
    };
    let factor = target_per_second / plan.target_per_second;
    let scaled = |name, before: Option<f64>, factor: f64| {
        let after = before.map(|value| value * factor);
        WhatIfFigure { name, before, after, basis: Basis::Modelled }
    };
    let growth_percent = plan.forecast.as_ref().map_or(0.0, |forecast| forecast.demand_growth_percent_per_month);
    let (growth, full) = (DemandGrowth::of_percent_per_month(growth_percent), plan.growth.days_until_disk_full);
    let rate = plan.capacity(one.durability).and_then(|capacity| capacity.sustained_per_second);
    WhatIfMode {
        durability: one.durability,
        machine_before: one.profile.clone(),
        machine_after: plan.profiles.iter().find(holds).map(|known| known.profile.clone()),
        machine_basis: Basis::Modelled,
        figures: vec![
            scaled(FigureName::SustainedPerSecond, rate, 1.0),
            scaled(FigureName::DatabaseGrowthPerDayBytes, Some(plan.growth.per_day_bytes), factor),
            WhatIfFigure {
                name: FigureName::DaysUntilDiskFull,
                before: full,
                after: full.map(|days| growth.days_of(growth.commands_in(days) * (1.0 / factor))),
                basis: Basis::Modelled,
            },
        ],
    }
}
