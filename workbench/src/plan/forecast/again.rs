//! The forecast of a finished plan for another demand, from its report alone.

use jiff::civil::Date;

use super::disk::{DAYS_PER_YEAR, Deployment, GrowingDatabase};
use crate::plan::demand_growth::DemandGrowth;
use crate::plan::stored_data::StoredData;
use crate::report::{Disk, ForecastInfo, WritesInfo};

/// The same database on another disk.
pub(in crate::plan) fn on_disk(known: ForecastInfo, disk: Disk, horizon_days: f64, first_day: Date) -> ForecastInfo {
    let demand = (known.commands_per_second, known.demand_growth_percent_per_month);
    let known = ForecastInfo { disk_bytes: disk.bytes, disk_origin: disk.origin, ..known };
    // What is written is the same.
    ForecastInfo { writes: known.writes.clone(), ..forecast_again(&known, demand, horizon_days, first_day) }
}

/// The forecast for a target and a growth in percent per month until `horizon_days` from `first_day`, the day of the plan.
pub(in crate::plan) fn forecast_again(
    known: &ForecastInfo,
    (target_per_second, demand_growth_percent_per_month): (f64, f64),
    horizon_days: f64,
    first_day: Date,
) -> ForecastInfo {
    let before = DemandGrowth::of_percent_per_month(known.demand_growth_percent_per_month);
    let now = DemandGrowth::of_percent_per_month(demand_growth_percent_per_month);
    let times = target_per_second / known.commands_per_second;
    let deployment = Deployment {
        target_per_second,
        demand_growth_percent_per_month,
        actors: 0,
        retention_days: known.retention_days,
        horizon_days,
        disk: known.disk(),
        rated_bytes: None,
    };
    let stored = StoredData::under(known, target_per_second, now);
    let size_with = |days_of_today: f64| stored.bytes_with(days_of_today);
    let database = GrowingDatabase {
        size_with: &size_with,
        growth_per_day: known.growth_per_day_bytes.times(times),
        parts_per_day: [known.event_growth_per_day_bytes, known.state_growth_per_day_bytes].map(|part| times * part),
        deployment: &deployment,
        headroom_bytes: known.compaction_headroom_bytes,
        first_day,
    };
    let worn = |years: f64| now.days_of(before.commands_in(DAYS_PER_YEAR * years) / times) / DAYS_PER_YEAR;
    let writes = |writes: &WritesInfo| WritesInfo {
        per_day_bytes: times * writes.per_day_bytes,
        // Of another demand it is another one.
        horizon_write_amplification_ratio: None,
        disk_worn_years: writes.disk_worn_years.map(worn),
        disk_worn_range_years: writes.disk_worn_range_years.map(|range| range.map(worn)),
        ..*writes
    };
    ForecastInfo {
        writes: known.writes.iter().map(writes).collect(),
        memory: known.memory.clone(),
        restart: known.restart,
        ..database.forecast()
    }
}

#[cfg(test)]
mod tests {
    use super::super::GrowthCurve;
    use super::super::disk::of_curve;
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const FIRST: Date = date(2026, 1, 1);

    fn deployment(target_per_second: f64, growth: f64, retention_days: Option<f64>) -> Deployment {
        Deployment {
            target_per_second,
            demand_growth_percent_per_month: growth,
            actors: 1,
            retention_days,
            horizon_days: 365.0,
            disk: Disk::of_host(100_000_000_000),
            rated_bytes: None,
        }
    }

    /// 100 bytes per command.
    fn measured(deployment: &Deployment) -> ForecastInfo {
        of_curve(&GrowthCurve::straight(100.0, 1_000_000), deployment, 1_000_000, FIRST)
    }

    proptest! {
        #[test]
        fn a_forecast_for_another_demand_is_that_of_a_plan_for_it(
            target in 1.0f64..500.0,
            other in 1.0f64..500.0,
            growth in 0.0f64..10.0,
            grown in 0.0f64..10.0,
            retention in prop::option::of(5.0f64..500.0),
        ) {
            let known = measured(&deployment(target, growth, retention));
            let found = forecast_again(&known, (other, grown), 365.0, FIRST);
            let planned = measured(&deployment(other, grown, retention));
            let is_close = |a: f64, b: f64| (a - b).abs() <= 0.01 * a.abs().max(b.abs()) + 1.0;
            prop_assert!(is_close(found.growth_per_day_bytes.expected, planned.growth_per_day_bytes.expected));
            for days in [1.0, 30.0, 300.0] {
                let [a, b] = [&found, &planned].map(|forecast| StoredData::of(forecast).bytes_after(days).expected);
                // The sizes lie on straight lines between points that are not the same.
                prop_assert!((a - b).abs() <= 0.03 * a.max(b) + 1e7, "{days}: {a} {b}");
            }
            match (found.days_until_disk_full, planned.days_until_disk_full) {
                (Some(a), Some(b)) => prop_assert!((a - b).abs() <= 2.0 + 0.02 * b, "{a} {b}"),
                (a, b) => prop_assert_eq!(a.is_some(), b.is_some()),
            }
        }
    }

    #[test]
    fn the_same_demand_fills_a_larger_disk_later() {
        let known = measured(&deployment(50.0, 3.0, None));
        let days = |disk_bytes| {
            let known = ForecastInfo { disk_bytes, ..known.clone() };
            forecast_again(&known, (50.0, 3.0), 365.0, FIRST).days_until_disk_full.unwrap()
        };
        assert!((days(known.disk_bytes) - known.days_until_disk_full.unwrap()).abs() < 3.0);
        assert!(days(2 * known.disk_bytes) > 1.5 * days(known.disk_bytes));
    }

    #[test]
    fn a_disk_wears_out_with_the_same_number_of_commands() {
        let writes = WritesInfo {
            durability: crate::actor::Durability::On,
            per_day_bytes: 1e9,
            write_amplification_ratio: 3.0,
            horizon_write_amplification_ratio: None,
            disk_worn_years: Some(8.0),
            disk_worn_range_years: Some([4.0, 16.0]),
        };
        let known = ForecastInfo { writes: vec![writes], ..measured(&deployment(50.0, 0.0, None)) };
        let twice = forecast_again(&known, (100.0, 0.0), 365.0, FIRST).writes[0];
        assert!((twice.disk_worn_years.unwrap() - 4.0).abs() < 1e-9 && (twice.per_day_bytes - 2e9).abs() < 1.0);
        let grown = forecast_again(&known, (50.0, 4.0), 365.0, FIRST).writes[0].disk_worn_years.unwrap();
        let commands = DemandGrowth::of_percent_per_month(4.0).commands_in(DAYS_PER_YEAR * grown);
        assert!((commands / (8.0 * DAYS_PER_YEAR) - 1.0).abs() < 1e-9, "{grown}");
    }
}
