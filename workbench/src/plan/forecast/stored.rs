//! The database of a forecast over days, as it is or under another demand.
//!
//! The size of a database depends on the commands that it stores, and the sizes of a forecast are those of known numbers of
//! commands. Beyond the largest it grows on as the forecast says.

use super::disk::first_day;
use crate::actor::Durability;
use crate::plan::demand_growth::DemandGrowth;
use crate::report::{Band, ForecastInfo};
use crate::units::DAY_SECONDS;

/// A database over days.
#[derive(Debug, Clone, Copy)]
pub(in crate::plan) struct StoredData<'a> {
    known: &'a ForecastInfo,
    /// Of the demand of the forecast.
    known_growth: DemandGrowth,
    /// The demand today as a multiple of that of the forecast.
    times: f64,
    growth: DemandGrowth,
}

impl<'a> StoredData<'a> {
    /// Under the demand of the forecast.
    pub(in crate::plan) fn of(known: &'a ForecastInfo) -> Self {
        let growth = DemandGrowth::of_percent_per_month(known.demand_growth_percent_per_month);
        Self { known, known_growth: growth, times: 1.0, growth }
    }

    /// Under another demand: a rate on average today, commands per second, and its growth.
    pub(in crate::plan) fn under(known: &'a ForecastInfo, commands_per_second: f64, growth: DemandGrowth) -> Self {
        Self { times: commands_per_second / known.commands_per_second, growth, ..Self::of(known) }
    }

    /// Size after so many days.
    pub(in crate::plan) fn bytes_after(&self, days: f64) -> Band {
        self.bytes_with(self.growth.kept_after(days, self.known.retention_days))
    }

    /// Size that is expected after so many days, with the space that compactions need beside it.
    pub(in crate::plan) fn disk_bytes_after(&self, days: f64) -> f64 {
        self.bytes_after(days).expected + self.known.compaction_headroom_bytes as f64
    }

    /// Days until a disk of so many bytes is full; `None` if not within a hundred years.
    pub(in crate::plan) fn days_until_full(&self, disk_bytes: f64) -> Option<f64> {
        first_day(|days| self.disk_bytes_after(days) > disk_bytes)
    }

    /// The demand today, commands per second.
    pub(in crate::plan) fn commands_per_second(&self) -> f64 {
        self.times * self.known.commands_per_second
    }

    /// Bytes that are sent to the disk in a second today, compactions included.
    pub(in crate::plan) fn sent_bytes_per_second(&self, durability: Durability) -> f64 {
        let writes = self.known.writes.iter().find(|writes| writes.durability == durability);
        self.times * writes.map_or(0.0, |writes| writes.per_day_bytes / DAY_SECONDS)
    }

    /// Size with the commands of so many days of the demand today: between the points of the forecast, or beyond them.
    pub(super) fn bytes_with(&self, days_of_today: f64) -> Band {
        let known = self.known;
        let stored = self.times * days_of_today;
        let kept = |at_days: f64| self.known_growth.kept_after(at_days, known.retention_days);
        let after = known.sizes.partition_point(|size| kept(size.at_days) < stored);
        let sum =
            |a: Band, b: Band| Band { expected: a.expected + b.expected, low: a.low + b.low, high: a.high + b.high };
        match (after.checked_sub(1).and_then(|before| known.sizes.get(before)), known.sizes.get(after)) {
            (Some(from), Some(to)) => {
                let share = (stored - kept(from.at_days)) / (kept(to.at_days) - kept(from.at_days));
                sum(from.bytes.times(1.0 - share), to.bytes.times(share))
            }
            (None, Some(first)) => first.bytes,
            (Some(last), None) => sum(last.bytes, known.growth_per_day_bytes.times(stored - kept(last.at_days))),
            (None, None) => Band::default(),
        }
    }
}

/// The forecast of a database that grows by so many bytes with each command.
#[cfg(test)]
pub(in crate::plan) fn forecast_of(bytes_per_command: f64, target_per_second: f64, disk_bytes: u64) -> ForecastInfo {
    use super::disk::{Deployment, of_curve};
    let deployment = Deployment {
        target_per_second,
        demand_growth_percent_per_month: 0.0,
        actors: 1,
        retention_days: None,
        horizon_days: 365.0,
        disk_bytes,
        rated_bytes: None,
    };
    let curve = super::GrowthCurve::straight(bytes_per_command, 1_000_000);
    of_curve(&curve, &deployment, 0, jiff::civil::date(2026, 1, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a disk that is full within days.
    fn soon_full() -> ForecastInfo {
        forecast_of(100.0, 100.0, 2_000_000_000)
    }

    #[test]
    fn a_database_grows_on_after_the_last_size_that_a_forecast_lists() {
        let known = soon_full();
        assert!(known.sizes.last().unwrap().at_days < 10.0, "the disk is full before");
        let year = StoredData::of(&known).bytes_after(365.0).expected;
        assert!((year / (365.0 * 100.0 * 100.0 * 86_400.0) - 1.0).abs() < 0.01, "{year}");
    }

    #[test]
    fn a_disk_is_full_on_the_day_on_which_the_database_has_its_size() {
        let known = soon_full();
        let stored = StoredData::under(&known, 20.0, DemandGrowth::of_percent_per_month(4.0));
        for disk_bytes in [1e9, 1e11, 1e13] {
            let full = stored.days_until_full(disk_bytes).unwrap();
            assert!((stored.disk_bytes_after(full) / disk_bytes - 1.0).abs() < 1e-5, "{full}");
        }
        assert_eq!(StoredData::of(&known).days_until_full(1e18), None);
    }
}
