//! A plan beside the same plan with changed inputs, and which of the differences were measured.

use super::{required_rate, suffices};
use crate::actor::Durability;
use crate::host::HOST;
use crate::measure::Percentile;
use crate::report::{Basis, FigureName, PlanResult, Recommendation, WhatIfFigure, WhatIfInfo, WhatIfMode};

impl WhatIfInfo {
    /// Two plans, of which `after` was measured under the changes.
    pub(super) fn measured(changes: String, before: &PlanResult, after: &PlanResult) -> Self {
        let modes = before.recommendations.iter().filter_map(|one| {
            let other = after.recommendations.iter().find(|other| other.durability == one.durability)?;
            Some(mode(before, after, one, other))
        });
        Self { changes, target_per_second: after.target_per_second, modes: modes.collect() }
    }

    /// A plan beside itself at another target: its rates stand, and what grows with the target is scaled.
    pub(super) fn at_target(changes: String, plan: &PlanResult, target_per_second: f64) -> Self {
        let modes = plan.recommendations.iter().map(|one| mode_at_target(plan, one, target_per_second));
        Self { changes, target_per_second, modes: modes.collect() }
    }
}

fn mode(before: &PlanResult, after: &PlanResult, one: &Recommendation, other: &Recommendation) -> WhatIfMode {
    let durability = one.durability;
    let figure = |name, basis: Basis, value: &dyn Fn(&PlanResult) -> Option<f64>| WhatIfFigure {
        name,
        before: value(before),
        after: value(after),
        basis,
    };
    let capacity = |plan: &PlanResult, pick: fn(&crate::report::Capacity) -> Option<f64>| {
        plan.capacities.iter().find(|capacity| capacity.durability == durability).and_then(pick)
    };
    let expected = |plan: &PlanResult, percentile| {
        let recommendation = plan.recommendations.iter().find(|one| one.durability == durability)?;
        let found = recommendation.expected.as_ref()?.response.percentile(percentile)?;
        Some(found.value_ns as f64)
    };
    WhatIfMode {
        durability,
        machine_before: one.profile.clone(),
        machine_after: other.profile.clone(),
        machine_basis: Basis::Measured,
        figures: vec![
            figure(FigureName::SaturationPerSecond, Basis::Measured, &|plan| {
                capacity(plan, |one| one.saturation_per_second)
            }),
            figure(FigureName::SustainedPerSecond, Basis::Measured, &|plan| {
                capacity(plan, |one| one.sustained_per_second)
            }),
            figure(FigureName::P50AtTargetNs, Basis::Measured, &|plan| expected(plan, Percentile::P50)),
            figure(FigureName::P99AtTargetNs, Basis::Measured, &|plan| expected(plan, Percentile::P99)),
            figure(FigureName::MemoryPeakBytes, Basis::Measured, &|plan| memory_peak(plan, durability)),
            figure(FigureName::DatabaseGrowthPerDayBytes, Basis::Modelled, &|plan| {
                plan.forecast.as_ref().map(|forecast| forecast.growth_per_day_bytes.expected)
            }),
            figure(FigureName::DaysUntilDiskFull, Basis::Modelled, &|plan| {
                capacity(plan, |one| one.days_until_disk_full)
            }),
            figure(FigureName::MemoryOfTheProcessBytes, Basis::Modelled, &|plan| {
                Some(plan.forecast.as_ref()?.memory.as_ref()?.bytes as f64)
            }),
            figure(FigureName::RestartSeconds, Basis::Modelled, &|plan| {
                plan.forecast.as_ref()?.restart.map(|restart| restart.seconds.expected)
            }),
        ],
    }
}

fn memory_peak(plan: &PlanResult, durability: Durability) -> Option<f64> {
    let machine = plan.recommendations.iter().find(|one| one.durability == durability)?.profile.as_ref()?;
    let known = plan.profiles.iter().find(|known| known.profile == *machine)?;
    let mode = known.modes.iter().find(|mode| mode.durability == durability)?;
    mode.memory_peak_bytes.map(|bytes| bytes as f64)
}

fn mode_at_target(plan: &PlanResult, one: &Recommendation, target_per_second: f64) -> WhatIfMode {
    let durability = one.durability;
    let required = required_rate(target_per_second, plan.headroom_percent);
    let holds = |known: &&crate::report::ProfileEvidence| {
        let mode = known.modes.iter().find(|mode| mode.durability == durability);
        let rate =
            mode.and_then(|mode| mode.range_per_second.map_or(mode.sustained_per_second, |range| Some(range[0])));
        known.profile != HOST && rate.is_some_and(|rate| suffices(rate, required))
    };
    let capacity = plan.capacities.iter().find(|capacity| capacity.durability == durability);
    let factor = target_per_second / plan.target_per_second;
    let scaled = |name, before: Option<f64>, factor: f64| WhatIfFigure {
        name,
        before,
        after: before.map(|value| value * factor),
        basis: Basis::Modelled,
    };
    WhatIfMode {
        durability,
        machine_before: one.profile.clone(),
        machine_after: plan.profiles.iter().find(holds).map(|known| known.profile.clone()),
        machine_basis: Basis::Modelled,
        figures: vec![
            scaled(FigureName::SustainedPerSecond, capacity.and_then(|one| one.sustained_per_second), 1.0),
            scaled(
                FigureName::DatabaseGrowthPerDayBytes,
                capacity.map(|one| one.database_bytes_per_day_at_target),
                factor,
            ),
            scaled(FigureName::DaysUntilDiskFull, capacity.and_then(|one| one.days_until_disk_full), 1.0 / factor),
        ],
    }
}
