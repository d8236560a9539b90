//! A demand in place of that of a finished plan: what is stored until the horizon, the forecast, and what ends first.

use jiff::civil::Date;

use crate::plan::demand::day_of;
use crate::plan::demand_growth::DemandGrowth;
use crate::plan::forecast::{DAYS_PER_YEAR, forecast_again, on_disk};
use crate::plan::spec::Demand;
use crate::plan::stored_data::date_after;
use crate::report::{Disk, End, ForecastInfo, GrowthInfo, PlanResult, Report, ValidUntil, WritesInfo, suffices};
use crate::units::DAYS_PER_MONTH;

/// A demand beside that of the plan.
pub(super) struct ChangedDemand<'a> {
    /// As it was measured.
    plan: &'a PlanResult,
    pub(super) target_per_second: f64,
    growth_percent_per_month: f64,
    growth: DemandGrowth,
    /// Of the plan's forecast.
    growth_before: DemandGrowth,
    /// The horizon that was asked for.
    horizon_days: f64,
    /// The day of the plan.
    first_day: Date,
}

impl<'a> ChangedDemand<'a> {
    pub(super) fn new(report: &Report, plan: &'a PlanResult, target_per_second: f64, demand: &Demand) -> Self {
        let of_demand = || plan.demand.as_ref().map_or(0.0, |demand| demand.growth_percent_per_month);
        // Earlier versions forecast a constant demand whatever its growth.
        let before = plan.forecast.as_ref().map_or_else(of_demand, |known| known.demand_growth_percent_per_month);
        Self {
            plan,
            target_per_second,
            growth_percent_per_month: demand.growth_percent_per_month,
            growth: DemandGrowth::of_percent_per_month(demand.growth_percent_per_month),
            growth_before: DemandGrowth::of_percent_per_month(before),
            horizon_days: DAYS_PER_MONTH * demand.months,
            first_day: day_of(report),
        }
    }

    pub(super) fn is_same_target(&self) -> bool {
        let (now, before) = (self.target_per_second, self.plan.target_per_second);
        suffices(now, before) && suffices(before, now)
    }

    /// Whether target and growth are those of the plan.
    pub(super) fn is_same(&self) -> bool {
        self.is_same_target() && self.growth == self.growth_before
    }

    fn retention_days(&self) -> Option<f64> {
        self.plan.forecast.as_ref()?.retention_days
    }

    pub(super) fn forecast(&self) -> Option<ForecastInfo> {
        let known = self.plan.forecast.as_ref()?;
        Some(if self.is_same() { known.clone() } else { self.forecast_again(known) })
    }

    /// The database on the disk of another host. What the plan knows of memory, restarts and wear is not about it.
    pub(super) fn forecast_on(&self, disk: Disk) -> Option<ForecastInfo> {
        let known = self.plan.forecast.as_ref()?;
        let unrated =
            |writes: &WritesInfo| WritesInfo { disk_worn_years: None, disk_worn_range_years: None, ..*writes };
        let writes = known.writes.iter().map(unrated).collect();
        let Disk { bytes: disk_bytes, origin: disk_origin } = disk;
        let known = ForecastInfo { disk_bytes, disk_origin, memory: None, restart: None, writes, ..known.clone() };
        Some(self.forecast_again(&known))
    }

    /// The database on another disk.
    pub(super) fn forecast_with(&self, disk: Disk) -> Option<ForecastInfo> {
        Some(on_disk(self.forecast()?, disk, self.horizon_days, self.first_day))
    }

    fn forecast_again(&self, known: &ForecastInfo) -> ForecastInfo {
        let demand = (self.target_per_second, self.growth_percent_per_month);
        forecast_again(known, demand, self.horizon_days, self.first_day)
    }

    /// What ends first on another disk.
    pub(super) fn valid_on(&self, forecast: &ForecastInfo) -> Option<ValidUntil> {
        let horizon_days = self.plan.horizon.as_ref()?.days;
        let full = forecast.days_until_disk_full.filter(|&days| days <= horizon_days);
        Some(self.ends(full.map_or((horizon_days, End::Horizon), |days| (days, End::Disk))))
    }

    fn ends(&self, (days, end): (f64, End)) -> ValidUntil {
        ValidUntil { days, on: date_after(self.first_day, days), end }
    }

    pub(super) fn growth_info(&self, forecast: Option<&ForecastInfo>) -> GrowthInfo {
        let times = self.target_per_second / self.plan.target_per_second;
        let known = self.plan.growth;
        let after = |days: f64| self.growth.days_of(self.growth_before.commands_in(days) / times);
        GrowthInfo {
            per_day_bytes: times * known.per_day_bytes,
            disk_bytes: forecast.map_or(known.disk_bytes, |forecast| forecast.disk_bytes),
            disk_origin: forecast.map_or(known.disk_origin, |forecast| forecast.disk_origin),
            days_until_disk_full: forecast
                .map_or_else(|| known.days_until_disk_full.map(after), |forecast| forecast.days_until_disk_full),
            ..known
        }
    }

    /// What ends first, for a target that is no higher than that of the plan.
    pub(super) fn valid_until(&self, forecast: Option<&ForecastInfo>) -> Option<ValidUntil> {
        let known = self.plan.valid_until.as_ref()?;
        let disk = |forecast: Option<&ForecastInfo>| forecast.map(ForecastInfo::disk);
        // When the demand exceeds a machine depends on the machine.
        let is_of_any_machine = known.end != End::Demand;
        if is_of_any_machine && self.is_same() && disk(forecast) == disk(self.plan.forecast.as_ref()) {
            return Some(known.clone());
        }
        let retention = self.retention_days();
        let times = self.target_per_second / self.plan.target_per_second;
        let grown = match known.end {
            // As large a database.
            End::Reads | End::Writes => {
                self.growth.days_until_kept(self.growth_before.kept_after(known.days, retention) / times, retention)
            }
            End::Disk | End::Endurance | End::Demand | End::Horizon => None,
        };
        let ends = grown.map(|days| (days, known.end)).into_iter().chain(disk_ends(forecast));
        Some(self.ends(self.first(ends).unwrap_or((self.horizon_days, End::Horizon))))
    }

    /// The day on which the disk ends, if it does before the horizon: for any target.
    pub(super) fn disk_until(&self, forecast: Option<&ForecastInfo>) -> Option<ValidUntil> {
        self.first(disk_ends(forecast)).map(|end| self.ends(end))
    }

    fn first(&self, ends: impl Iterator<Item = (f64, End)>) -> Option<(f64, End)> {
        ends.filter(|(days, _)| *days <= self.horizon_days).min_by(|a, b| a.0.total_cmp(&b.0))
    }
}

/// When the disk is full and when it is worn, days from now.
fn disk_ends(forecast: Option<&ForecastInfo>) -> impl Iterator<Item = (f64, End)> {
    let full = forecast.and_then(|forecast| forecast.days_until_disk_full).map(|days| (days, End::Disk));
    let worn = forecast.into_iter().flat_map(|forecast| &forecast.writes).filter_map(|one| one.disk_worn_years);
    full.into_iter().chain(worn.map(|years| (DAYS_PER_YEAR * years, End::Endurance)))
}
