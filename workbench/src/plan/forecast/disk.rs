//! A rate, a database that grows with it, and a disk.

use ave_actors_rocksdb::backend::Tuning;
use ave_actors_rocksdb::trace::CommandKind;
use jiff::civil::Date;

use super::growth::GrowthCurve;
use crate::load::Source;
use crate::plan::demand_growth::DemandGrowth;
use crate::plan::stored_data::{MOST_DAYS, first_day, later};
use crate::report::{Band, Disk, ForecastInfo, SizeInfo};
use crate::units::DAY_SECONDS;

pub(in crate::plan) const DAYS_PER_YEAR: f64 = 365.25;
/// Points of the size over days.
const SIZES: u32 = 48;
/// End of these points as a multiple of the day on which the disk is full.
const BEYOND: f64 = 1.3;
/// End of these points if the disk does not fill and nothing is deleted, days.
const DEFAULT_DAYS: f64 = 365.0;
/// RocksDB's default of `max_compaction_bytes` in files of the target size.
const COMPACTION_FILES: u64 = 25;

/// The deployment that a plan is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deployment {
    /// Mean rate over a day, today, above 0.
    pub(crate) target_per_second: f64,
    /// Growth of that rate.
    pub(crate) demand_growth_percent_per_month: f64,
    pub(crate) actors: u64,
    /// Days after which the application deletes what it stored; `None` keeps everything.
    pub(crate) retention_days: Option<f64>,
    /// Days until the plan ends to be valid.
    pub(crate) horizon_days: f64,
    /// For the database, its logs and its compactions.
    pub(crate) disk: Disk,
    /// Rated endurance of the disk (TBW).
    pub(crate) rated_bytes: Option<u64>,
}

impl Deployment {
    pub(in crate::plan) fn demand_growth(&self) -> DemandGrowth {
        DemandGrowth::of_percent_per_month(self.demand_growth_percent_per_month)
    }

    /// The commands that are stored after so many days, in days of today's demand.
    pub(in crate::plan) fn kept_after(&self, days: f64) -> f64 {
        self.demand_growth().kept_after(days, self.retention_days)
    }

    /// Events by which the database of `source` grows with so many days of today's demand. Where actors purge their logs, no
    /// more than they keep between two purges.
    pub(crate) fn events_of(&self, source: &Source, days_of_today: f64) -> u64 {
        let commands = self.target_per_second * DAY_SECONDS * days_of_today;
        let (persists, purges) = (source.share(CommandKind::Persist), source.share(CommandKind::Purge));
        let between_purges = if purges > 0.0 { source.actors() as f64 * persists / purges } else { f64::INFINITY };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of events, saturating")]
        let events = (commands * persists).min(between_purges) as u64;
        events
    }
}

/// Space that a running database needs beyond its size at rest, bytes.
///
/// A compaction writes its result before it deletes its inputs: RocksDB limits one to 25 files of the target size
/// (`max_compaction_bytes`), or the whole database where that is less, and runs as many as there are jobs. The logs come on
/// top: their limit, twice because it is checked when a log is full, and the recycled ones.
///
/// `peak_bytes` is the largest size of the directory under load and `rest_bytes` its size at rest afterwards: their
/// difference counts if it is larger.
pub(super) fn compaction_headroom(tuning: &Tuning, peak_bytes: u64, rest_bytes: u64) -> u64 {
    let one = tuning.target_file_bytes.saturating_mul(COMPACTION_FILES);
    let compactions = one.saturating_mul(u64::from(tuning.compaction_jobs)).min(rest_bytes);
    let logs = tuning.max_wal_bytes.saturating_mul(2 + u64::from(tuning.recycled_wal_files));
    compactions.saturating_add(logs).max(peak_bytes.saturating_sub(rest_bytes))
}

/// A database that grows on the disk of a deployment. It begins as the preload leaves it.
pub(super) struct GrowingDatabase<'a> {
    /// The size with so many days of today's demand.
    pub(super) size_with: &'a dyn Fn(f64) -> Band,
    /// Growth per day of today's demand, in the long run.
    pub(super) growth_per_day: Band,
    /// The same of the events, and of the states with their metadata.
    pub(super) parts_per_day: [f64; 2],
    pub(super) deployment: &'a Deployment,
    /// Space needed beyond the size at rest.
    pub(super) headroom_bytes: u64,
    pub(super) first_day: Date,
}

impl GrowingDatabase<'_> {
    /// Size and disk; what is written, memory and restarts are left empty.
    pub(super) fn forecast(&self) -> ForecastInfo {
        let Deployment {
            target_per_second, demand_growth_percent_per_month, retention_days, disk, horizon_days, ..
        } = *self.deployment;
        let [events, states] = self.parts_per_day;
        let growth = self.growth_per_day;
        // What is kept of a demand that grows, grows with it.
        let bounded = retention_days.filter(|_| demand_growth_percent_per_month <= 0.0);
        let steady = if growth.high <= 0.0 { Some(MOST_DAYS) } else { bounded };
        let days_until_disk_full = self.days_until_full(|size| size.expected);
        let date = |days: Option<f64>| Some(later(self.first_day, days?)?.to_string());
        ForecastInfo {
            commands_per_second: target_per_second,
            demand_growth_percent_per_month,
            growth_per_day_bytes: growth,
            event_growth_per_day_bytes: events,
            state_growth_per_day_bytes: states,
            retention_days,
            steady_bytes: steady.map(|after| self.size(after)),
            sizes: self.sizes(days_until_disk_full),
            compaction_headroom_bytes: self.headroom_bytes,
            disk_bytes: disk.limit().unwrap_or_else(|| self.needed_bytes(horizon_days)),
            disk_origin: disk.origin,
            days_until_disk_full,
            disk_full_on: date(days_until_disk_full),
            disk_full_earliest: date(self.days_until_full(|size| size.high)),
            disk_full_latest: date(self.days_until_full(|size| size.low)),
            writes: Vec::new(),
            memory: None,
            restart: None,
        }
    }

    fn size(&self, days: f64) -> Band {
        (self.size_with)(self.deployment.kept_after(days))
    }

    /// The largest disk that the database may need until then.
    fn needed_bytes(&self, days: f64) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size in bytes, saturating")]
        let most = self.size(days).high.ceil() as u64;
        most.saturating_add(self.headroom_bytes)
    }

    /// Until the disk is full and a little longer, or until the size is steady.
    fn sizes(&self, full: Option<f64>) -> Vec<SizeInfo> {
        let Deployment { retention_days, horizon_days, demand_growth_percent_per_month, disk, .. } = *self.deployment;
        let attached = disk.limit().is_none().then_some(horizon_days);
        let full = full.or(attached).filter(|&days| days >= 1.0).map(|days| BEYOND * days);
        let steady = retention_days.map(|days| 2.0 * days);
        // With a demand that grows it is not steady before the horizon.
        let grows_until = if demand_growth_percent_per_month > 0.0 { horizon_days } else { 0.0 };
        let last = full.unwrap_or_else(|| steady.unwrap_or(DEFAULT_DAYS).max(grows_until)).min(MOST_DAYS);
        let days = (0..=SIZES).map(|step| last * f64::from(step) / f64::from(SIZES));
        days.map(|at_days| SizeInfo { at_days, bytes: self.size(at_days) }).collect()
    }

    /// Days until the disk is full; `None` if not within a hundred years.
    fn days_until_full(&self, of: fn(Band) -> f64) -> Option<f64> {
        let limit = self.deployment.disk.limit()?.saturating_sub(self.headroom_bytes) as f64;
        first_day(|days| of(self.size(days)) > limit)
    }
}

/// The forecast of a database whose size follows a curve.
pub(super) fn of_curve(
    curve: &GrowthCurve,
    deployment: &Deployment,
    headroom_bytes: u64,
    first_day: Date,
) -> ForecastInfo {
    let commands_per_day = deployment.target_per_second * DAY_SECONDS;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of commands, saturating")]
    let size_with = |days_of_today: f64| curve.at((days_of_today * commands_per_day) as u64);
    let database = GrowingDatabase {
        size_with: &size_with,
        growth_per_day: curve.bytes_per_command().times(commands_per_day),
        parts_per_day: curve.parts_per_command().map(|part| part * commands_per_day),
        deployment,
        headroom_bytes,
        first_day,
    };
    database.forecast()
}

/// The forecast of a database that grows by so many bytes with each command.
#[cfg(test)]
pub(in crate::plan) fn forecast_of(bytes_per_command: f64, target_per_second: f64, disk_bytes: u64) -> ForecastInfo {
    let deployment = Deployment {
        target_per_second,
        demand_growth_percent_per_month: 0.0,
        actors: 1,
        retention_days: None,
        horizon_days: 365.0,
        disk: Disk::of_host(disk_bytes),
        rated_bytes: None,
    };
    let curve = GrowthCurve::straight(bytes_per_command, 1_000_000);
    of_curve(&curve, &deployment, 0, jiff::civil::date(2026, 1, 1))
}

/// Years until a disk has written its rated endurance (TBW); `None` without a rating or writes. `per_day` is what the process
/// sends to storage on the first day, bytes, compactions included, and `growth` how many times as much it is after so many days
/// of today's demand, at least 1.
pub(super) fn years_until_worn(per_day: f64, deployment: &Deployment, growth: impl Fn(f64) -> f64) -> Option<f64> {
    let rated_bytes = deployment.rated_bytes.filter(|_| per_day > 0.0)?;
    let days_of_today = days_until(rated_bytes as f64 / per_day, growth);
    Some(deployment.demand_growth().days_of(days_of_today) / DAYS_PER_YEAR)
}

/// Days until as much was written as so many days like the first would write.
fn days_until(like_the_first: f64, growth: impl Fn(f64) -> f64) -> f64 {
    const STEPS: u32 = 1024;
    let step = like_the_first / f64::from(STEPS);
    let mut written = 0.0;
    for number in 0..STEPS {
        let begins = f64::from(number) * step;
        let rate = growth(begins + step / 2.0).max(1.0);
        if written + rate * step >= like_the_first {
            return begins + (like_the_first - written) / rate;
        }
        written += rate * step;
    }
    like_the_first
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const GB: u64 = 1_000_000_000;

    /// Ten commands a second on a disk of 10 GB.
    const DEPLOYMENT: Deployment = Deployment {
        target_per_second: 10.0,
        demand_growth_percent_per_month: 0.0,
        actors: 1,
        retention_days: None,
        disk: Disk::of_host(10 * GB),
        horizon_days: 365.0,
        rated_bytes: None,
    };

    fn forecast(bytes_per_command: f64, deployment: &Deployment, headroom_bytes: u64) -> ForecastInfo {
        let curve = GrowthCurve::straight(bytes_per_command, 1_000_000);
        of_curve(&curve, deployment, headroom_bytes, date(2026, 1, 1))
    }

    /// Days until the disk is full: earliest, expected, latest.
    fn days(found: &ForecastInfo) -> [Option<i32>; 3] {
        [&found.disk_full_earliest, &found.disk_full_on, &found.disk_full_latest].map(|day| {
            let day: Date = day.as_ref()?.parse().unwrap();
            Some((day - date(2026, 1, 1)).get_days())
        })
    }

    #[test]
    fn a_disk_is_full_when_the_database_and_its_compactions_need_all_of_it() {
        let found = forecast(100.0, &DEPLOYMENT, 0);
        assert!((found.growth_per_day_bytes.expected - 86.4e6).abs() < 1.0 && found.steady_bytes.is_none());
        assert!((found.event_growth_per_day_bytes - 86.4e6).abs() < 1.0 && found.state_growth_per_day_bytes < 1e-9);
        let [earliest, expected, latest] = days(&found).map(Option::unwrap);
        assert!((115..=116).contains(&expected), "10 GB are 115.7 days: {expected}");
        assert!((found.days_until_disk_full.unwrap() - f64::from(expected)).abs() <= 1.0);
        assert!(earliest < expected && expected < latest && latest - earliest < 12, "{earliest} {latest}");
        assert!((57..=58).contains(&days(&forecast(100.0, &DEPLOYMENT, 5 * GB))[1].unwrap()));
        assert_eq!(days(&forecast(100.0, &DEPLOYMENT, 10 * GB)), [Some(0); 3], "not even the first day");
    }

    #[test]
    fn a_retention_bounds_the_database() {
        let kept = |days| forecast(100.0, &Deployment { retention_days: Some(days), ..DEPLOYMENT }, 0);
        let month = kept(30.0);
        assert!((month.steady_bytes.unwrap().expected / (30.0 * 86.4e6) - 1.0).abs() < 0.01, "{month:?}");
        assert_eq!((month.days_until_disk_full, days(&month)), (None, [None; 3]));
        assert!((115..=116).contains(&days(&kept(200.0))[1].unwrap()), "too long for this disk");
    }

    #[test]
    fn a_database_that_does_not_grow_never_fills_a_disk() {
        let found = forecast(0.0, &DEPLOYMENT, 0);
        assert_eq!((found.growth_per_day_bytes, days(&found)), (Band::default(), [None; 3]));
        assert!(found.steady_bytes.is_some());
    }

    #[test]
    fn wear_counts_every_byte_that_is_written() {
        let same = |_| 1.0;
        let rated = |rated_bytes| Deployment { target_per_second: 100.0, rated_bytes, ..DEPLOYMENT };
        let years = years_until_worn(8.64e9, &rated(Some(600_000 * GB)), same);
        assert!((years.unwrap() - 190.1).abs() < 0.1, "{years:?}");
        assert_eq!(years_until_worn(0.0, &rated(Some(GB)), same), None);
        assert_eq!(years_until_worn(1.0, &rated(None), same), None);
    }

    #[test]
    fn wear_follows_what_commands_write_as_states_grow() {
        // A hundredth more each day: n days write n + n²/200 first days.
        let deployment = Deployment { rated_bytes: Some(600), ..DEPLOYMENT };
        let days = years_until_worn(1.0, &deployment, |days| 1.0 + days / 100.0).unwrap() * DAYS_PER_YEAR;
        assert!((days + days * days / 200.0 - 600.0).abs() < 1.0, "{days}");
    }

    /// The same with a demand that grows by so many percent per month.
    fn growing(percent: f64, deployment: &Deployment) -> Deployment {
        Deployment { demand_growth_percent_per_month: percent, ..*deployment }
    }

    #[test]
    fn a_disk_is_full_when_a_growing_demand_has_issued_as_many_commands() {
        let found = forecast(100.0, &growing(4.0, &DEPLOYMENT), 0);
        // 115.7 days of today's demand.
        let expected = DemandGrowth::of_percent_per_month(4.0).days_of(1e10 / 86.4e6);
        assert!((found.days_until_disk_full.unwrap() - expected).abs() < 1.0, "{found:?}");
        assert!((100.0..112.0).contains(&expected), "{expected}");
        assert!((found.growth_per_day_bytes.expected - 86.4e6).abs() < 1.0, "per day as of today");
    }

    #[test]
    fn a_retention_bounds_no_demand_that_grows() {
        let month = Deployment { retention_days: Some(30.0), ..DEPLOYMENT };
        let found = forecast(100.0, &growing(4.0, &month), 0);
        assert_eq!(found.steady_bytes, None);
        // 30 days are 2.59 GB today: the disk is full when the demand is 3.86 times as large, after 34 months.
        let full = found.days_until_disk_full.unwrap();
        assert!((33.0..36.0).contains(&(full / 30.44)), "{full}");
        let last = found.sizes.last().unwrap();
        assert!(last.at_days >= month.horizon_days && last.bytes.expected > 3e9, "{last:?}");
    }

    #[test]
    fn a_disk_wears_out_earlier_under_a_demand_that_grows() {
        let flat = Deployment { rated_bytes: Some(1_000 * GB), ..DEPLOYMENT };
        let years = |deployment: &Deployment| years_until_worn(8.64e8, deployment, |_| 1.0).unwrap();
        let expected = DemandGrowth::of_percent_per_month(4.0).days_of(years(&flat) * DAYS_PER_YEAR) / DAYS_PER_YEAR;
        assert!((years(&growing(4.0, &flat)) / expected - 1.0).abs() < 1e-9);
        assert!(expected < 0.75 * years(&flat), "{expected} of {}", years(&flat));
    }

    proptest! {
        #[test]
        fn without_growth_of_the_demand_every_figure_is_the_same(bytes in 0.0..1e5, retention in prop::option::of(1.0..900.0)) {
            let deployment = Deployment { retention_days: retention, rated_bytes: Some(GB), ..DEPLOYMENT };
            prop_assert_eq!(forecast(bytes, &growing(0.0, &deployment), 0), forecast(bytes, &deployment, 0));
        }

        #[test]
        fn the_more_the_demand_grows_the_earlier_a_disk_is_full(
            bytes in 1.0..1e4, percent in 0.0..20.0, more in 0.1..20.0, retention in prop::option::of(1.0..900.0),
        ) {
            let deployment = Deployment { retention_days: retention, rated_bytes: Some(GB), ..DEPLOYMENT };
            let full = |percent| {
                let found = forecast(bytes, &growing(percent, &deployment), 0).days_until_disk_full;
                found.unwrap_or(f64::INFINITY)
            };
            // The bisection ends at half a day.
            prop_assert!(full(percent + more) <= full(percent) + 0.5);
            let worn = |percent| years_until_worn(1e6 * bytes, &growing(percent, &deployment), |_| 1.0).unwrap();
            prop_assert!(worn(percent + more) <= worn(percent));
        }

        #[test]
        fn bands_are_in_order_and_growth_follows_the_rate(rate in 0.001..1e6, bytes in 0.0..1e5, disk in 1u64..1 << 50) {
            let deployment = Deployment { target_per_second: rate, disk: Disk::of_host(disk), ..DEPLOYMENT };
            let found = forecast(bytes, &deployment, 0);
            let twice = forecast(bytes, &Deployment { target_per_second: 2.0 * rate, ..deployment }, 0);
            let Band { expected, low, high } = found.growth_per_day_bytes;
            prop_assert!(low <= expected && expected <= high);
            prop_assert!((twice.growth_per_day_bytes.expected - 2.0 * expected).abs() <= 1e-9 * expected);
            let [earliest, expected, latest] = days(&found);
            prop_assert!(expected.is_none_or(|expected| earliest.is_some_and(|earliest| earliest <= expected)));
            prop_assert!(latest.is_none_or(|latest| expected.is_some_and(|expected| expected <= latest)));
        }
    }
}
