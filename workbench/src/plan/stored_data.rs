//! The database of a forecast over days, as it is or under another demand.
//!
//! The size of a database depends on the commands that it stores, and the sizes of a forecast are those of known numbers of
//! commands. Beyond the largest it grows on as the forecast says.

use jiff::Span;
use jiff::civil::Date;

use crate::actor::Durability;
use crate::plan::demand_growth::DemandGrowth;
use crate::report::{Band, ForecastInfo};
use crate::units::DAY_SECONDS;

/// A forecast ends here.
pub(super) const MOST_DAYS: f64 = 100.0 * 365.25;
/// Days are known to this: less than a second.
const LEAST_DAYS: f64 = 1e-5;

/// A database over days.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoredData<'a> {
    known: &'a ForecastInfo,
    /// Of the demand of the forecast.
    known_growth: DemandGrowth,
    /// The demand today as a multiple of that of the forecast.
    times: f64,
    growth: DemandGrowth,
}

impl<'a> StoredData<'a> {
    /// Under the demand of the forecast.
    pub(super) fn of(known: &'a ForecastInfo) -> Self {
        let growth = DemandGrowth::of_percent_per_month(known.demand_growth_percent_per_month);
        Self { known, known_growth: growth, times: 1.0, growth }
    }

    /// Under another demand: a rate on average today, commands per second, and its growth.
    pub(super) fn under(known: &'a ForecastInfo, commands_per_second: f64, growth: DemandGrowth) -> Self {
        Self { times: commands_per_second / known.commands_per_second, growth, ..Self::of(known) }
    }

    /// Size after so many days.
    pub(super) fn bytes_after(&self, days: f64) -> Band {
        self.bytes_with(self.growth.kept_after(days, self.known.retention_days))
    }

    /// Size that is expected after so many days, with the space that compactions need beside it.
    pub(super) fn disk_bytes_after(&self, days: f64) -> f64 {
        self.bytes_after(days).expected + self.known.compaction_headroom_bytes as f64
    }

    /// Days until a disk of so many bytes is full; `None` if not within a hundred years.
    pub(super) fn days_until_full(&self, disk_bytes: f64) -> Option<f64> {
        first_day(|days| self.disk_bytes_after(days) > disk_bytes)
    }

    /// The demand today, commands per second.
    pub(super) fn commands_per_second(&self) -> f64 {
        self.times * self.known.commands_per_second
    }

    /// Bytes that are sent to the disk in a second today, compactions included.
    pub(super) fn sent_bytes_per_second(&self, durability: Durability) -> f64 {
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

/// So many whole days after a day; `None` beyond the calendar.
pub(super) fn later(from: Date, days: f64) -> Option<Date> {
    #[expect(clippy::cast_possible_truncation, reason = "at most MOST_DAYS")]
    let days = days.floor() as i64;
    from.checked_add(Span::new().try_days(days).ok()?).ok()
}

/// The date after so many days; `None` of the next two days, in which hours count, and beyond the calendar.
pub(super) fn date_after(from: Date, days: f64) -> Option<String> {
    if days < 2.0 {
        return None;
    }
    Some(later(from, days)?.to_string())
}

/// Days until something happens that remains so, by bisection; `None` if not within a hundred years.
pub(super) fn first_day(happened: impl Fn(f64) -> bool) -> Option<f64> {
    if happened(0.0) {
        return Some(0.0);
    }
    if !happened(MOST_DAYS) {
        return None;
    }
    let (mut before, mut after) = (0.0, MOST_DAYS);
    while after - before > LEAST_DAYS {
        let middle = f64::midpoint(before, after);
        if happened(middle) { after = middle } else { before = middle }
    }
    Some(before)
}

#[cfg(all(test, feature = "rocksdb"))]
mod tests {
    use super::*;
    use crate::plan::forecast::forecast_of;

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
