//! A rate, a database that grows with it, and a disk.

use jiff::Span;
use jiff::civil::Date;

use super::growth::GrowthCurve;
use crate::report::{Band, SizeInfo};

const SECONDS_PER_DAY: f64 = 86_400.0;
const DAYS_PER_YEAR: f64 = 365.25;
/// The forecast ends here.
const MOST_DAYS: f64 = 100.0 * DAYS_PER_YEAR;
/// Points of the size over days.
const SIZES: u32 = 48;
/// End of these points as a multiple of the day on which the disk is full.
const BEYOND: f64 = 1.3;
/// End of these points if the disk does not fill and nothing is deleted, days.
const DEFAULT_DAYS: f64 = 365.0;

/// The load and the disk of a forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct DiskSpec {
    /// Mean rate over a day, commands per second, above 0.
    pub(super) commands_per_second: f64,
    /// Days after which the application deletes what it stored; `None` keeps everything.
    pub(super) retention_days: Option<f64>,
    /// Disk space for the database, its logs and its compactions.
    pub(super) disk_bytes: u64,
    /// Space that a running database needs beyond its size at rest.
    pub(super) headroom_bytes: u64,
    /// The first day.
    pub(super) from: Date,
}

/// Space that a running database needs beyond its size at rest, bytes.
///
/// A compaction writes its result before it deletes its inputs: RocksDB limits one to 25 files of the target size
/// (`max_compaction_bytes`), or the whole database where that is less, and runs as many as there are jobs. The logs come on
/// top: their limit, twice because it is checked when a log is full, and the recycled ones.
///
/// `peak_bytes` is the largest size of the directory under load and `rest_bytes` its size at rest afterwards: their
/// difference counts if it is larger.
#[cfg(feature = "rocksdb")]
pub(super) fn compaction_headroom(
    tuning: &ave_actors_rocksdb::backend::Tuning,
    peak_bytes: u64,
    rest_bytes: u64,
) -> u64 {
    /// RocksDB's default of `max_compaction_bytes` in files of the target size.
    const COMPACTION_FILES: u64 = 25;
    let one = tuning.target_file_bytes.saturating_mul(COMPACTION_FILES);
    let compactions = one.saturating_mul(u64::from(tuning.compaction_jobs)).min(rest_bytes);
    let logs = tuning.max_wal_bytes.saturating_mul(2 + u64::from(tuning.recycled_wal_files));
    compactions.saturating_add(logs).max(peak_bytes.saturating_sub(rest_bytes))
}

/// When a disk is full; each `None` if not within a hundred years.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct DiskFull {
    /// Days at the expected growth.
    pub(super) days: Option<f64>,
    /// The date of that.
    pub(super) expected: Option<Date>,
    /// At the strongest growth.
    pub(super) earliest: Option<Date>,
    /// At the weakest.
    pub(super) latest: Option<Date>,
}

/// The database over days, at one rate.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GrowthForecast {
    /// Growth in the long run, bytes per day. All zero where deletions keep pace.
    pub(super) bytes_per_day: Band,
    /// The events' part of it.
    pub(super) event_bytes_per_day: f64,
    /// The part of snapshots and metadata: 0 once every actor has one.
    pub(super) state_bytes_per_day: f64,
    /// Bound of the size, bytes: where the database does not grow, or with a retention. `None` without a bound.
    pub(super) steady_bytes: Option<Band>,
    pub(super) disk_full: DiskFull,
    /// The size over days: until a disk is full and a little longer, or until it is steady.
    pub(super) sizes: Vec<SizeInfo>,
}

impl GrowthForecast {
    /// From a curve of growth, for a database that begins as the preload leaves it, `preload_commands` commands old.
    pub(super) fn new(curve: &GrowthCurve, preload_commands: u64, spec: &DiskSpec) -> Self {
        let commands_per_day = spec.commands_per_second * SECONDS_PER_DAY;
        let days = Days { curve, preload_commands, commands_per_day, retention: spec.retention_days };
        let [events, states] = curve.parts_per_command();
        let grows = curve.bytes_per_command();
        let steady = if grows.high <= 0.0 { Some(MOST_DAYS) } else { spec.retention_days };
        let limit = spec.disk_bytes.saturating_sub(spec.headroom_bytes) as f64;
        let disk_full = days.full(limit, spec.from);
        Self {
            bytes_per_day: grows.times(commands_per_day),
            event_bytes_per_day: events * commands_per_day,
            state_bytes_per_day: states * commands_per_day,
            steady_bytes: steady.map(|after| days.size(after)),
            disk_full,
            sizes: days.sizes(disk_full.days),
        }
    }
}

/// The size of the database over days.
struct Days<'a> {
    curve: &'a GrowthCurve,
    preload_commands: u64,
    commands_per_day: f64,
    /// Days after which data are deleted.
    retention: Option<f64>,
}

impl Days<'_> {
    fn size(&self, days: f64) -> Band {
        let kept = self.retention.map_or(days, |retention| days.min(retention)).max(0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of commands, saturating")]
        let commands = (kept * self.commands_per_day) as u64;
        let size = self.curve.at(self.preload_commands.saturating_add(commands));
        Band { expected: size.bytes, low: size.low_bytes, high: size.high_bytes }
    }

    fn sizes(&self, full: Option<f64>) -> Vec<SizeInfo> {
        let full = full.filter(|&days| days >= 1.0).map(|days| BEYOND * days);
        let steady = self.retention.map(|days| 2.0 * days);
        let last = full.or(steady).unwrap_or(DEFAULT_DAYS).min(MOST_DAYS);
        let at = |step: u32| {
            let at_days = last * f64::from(step) / f64::from(SIZES);
            SizeInfo { at_days, bytes: self.size(at_days) }
        };
        (0..=SIZES).map(at).collect()
    }

    fn full(&self, limit: f64, from: Date) -> DiskFull {
        let days = self.first_day(limit, |size| size.expected);
        let date = |days: Option<f64>| days.and_then(|days| later(from, days));
        DiskFull {
            days,
            expected: date(days),
            earliest: date(self.first_day(limit, |size| size.high)),
            latest: date(self.first_day(limit, |size| size.low)),
        }
    }

    /// The day on which the size exceeds the limit, by bisection.
    fn first_day(&self, limit: f64, of: fn(Band) -> f64) -> Option<f64> {
        let exceeds = |days: f64| of(self.size(days)) > limit;
        let (mut before, mut after) = (0.0, MOST_DAYS);
        if exceeds(before) {
            return Some(0.0);
        }
        if !exceeds(after) {
            return None;
        }
        while after - before > 0.5 {
            let middle = f64::midpoint(before, after);
            if exceeds(middle) { after = middle } else { before = middle }
        }
        Some(before)
    }
}

/// So many whole days after a day; `None` beyond the calendar.
fn later(from: Date, days: f64) -> Option<Date> {
    #[expect(clippy::cast_possible_truncation, reason = "at most MOST_DAYS")]
    let days = days.floor() as i64;
    from.checked_add(Span::new().try_days(days).ok()?).ok()
}

/// Bytes that a disk writes per day, and years until it has written `rated_bytes` (TBW); `None` without a rating or writes.
/// `written_per_command` is what the process sent to storage per command, compactions included.
pub(super) fn wear(written_per_command: f64, commands_per_second: f64, rated_bytes: Option<u64>) -> (f64, Option<f64>) {
    let per_day = written_per_command * commands_per_second * SECONDS_PER_DAY;
    let years = rated_bytes.filter(|_| per_day > 0.0).map(|rated| rated as f64 / per_day / DAYS_PER_YEAR);
    (per_day, years)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const GB: u64 = 1_000_000_000;

    /// Ten commands a second that leave 100 bytes each: 86.4 MB a day.
    fn spec(disk_gb: u64) -> DiskSpec {
        DiskSpec {
            commands_per_second: 10.0,
            retention_days: None,
            disk_bytes: disk_gb * GB,
            headroom_bytes: 0,
            from: date(2026, 1, 1),
        }
    }

    fn forecast(spec: &DiskSpec) -> GrowthForecast {
        GrowthForecast::new(&GrowthCurve::straight(100.0, 1_000_000), 0, spec)
    }

    fn days(full: DiskFull) -> [Option<i32>; 3] {
        [full.earliest, full.expected, full.latest].map(|day| day.map(|day| (day - date(2026, 1, 1)).get_days()))
    }

    #[test]
    fn growth_per_day_is_the_rate_times_the_bytes_per_command() {
        let found = forecast(&spec(1));
        assert!((found.bytes_per_day.expected - 86.4e6).abs() < 1.0, "{found:?}");
        assert!((found.event_bytes_per_day - 86.4e6).abs() < 1.0 && found.state_bytes_per_day.abs() < 1e-9);
        assert_eq!(found.steady_bytes, None);
    }

    #[test]
    fn a_disk_is_full_when_the_database_and_its_compactions_need_all_of_it() {
        let [earliest, expected, latest] = days(forecast(&spec(10)).disk_full).map(Option::unwrap);
        assert!((115..=116).contains(&expected), "10 GB are 115.7 days: {expected}");
        assert!(earliest < expected && expected < latest && latest - earliest < 12, "{earliest} {latest}");
        let half = DiskSpec { headroom_bytes: 5 * GB, ..spec(10) };
        assert!((57..=58).contains(&days(forecast(&half).disk_full)[1].unwrap()));
        let all = DiskSpec { headroom_bytes: 10 * GB, ..spec(10) };
        assert_eq!(days(forecast(&all).disk_full), [Some(0); 3], "not even the first day");
    }

    #[test]
    fn the_days_until_a_disk_is_full_lead_to_its_date() {
        let full = forecast(&spec(10)).disk_full;
        assert_eq!(later(date(2026, 1, 1), full.days.unwrap()), full.expected);
    }

    #[test]
    fn a_retention_bounds_the_database() {
        let kept = |days| forecast(&DiskSpec { retention_days: Some(days), ..spec(10) });
        let month = kept(30.0);
        assert!((month.steady_bytes.unwrap().expected / (30.0 * 86.4e6) - 1.0).abs() < 0.01, "{month:?}");
        assert_eq!(month.disk_full, DiskFull::default());
        assert!((115..=116).contains(&days(kept(200.0).disk_full)[1].unwrap()), "too long for this disk");
    }

    #[test]
    fn a_database_that_does_not_grow_never_fills_a_disk() {
        let found = GrowthForecast::new(&GrowthCurve::straight(0.0, 1000), 0, &spec(1));
        assert_eq!((found.bytes_per_day, found.disk_full), (Band::default(), DiskFull::default()));
        assert!(found.steady_bytes.is_some());
    }

    #[test]
    fn wear_counts_every_byte_that_is_written() {
        let (per_day, years) = wear(1000.0, 100.0, Some(600_000 * GB));
        assert!((per_day - 8.64e9).abs() < 1.0);
        assert!((years.unwrap() - 190.1).abs() < 0.1, "{years:?}");
        assert_eq!(wear(0.0, 100.0, Some(GB)).1, None);
        assert_eq!(wear(1.0, 100.0, None).1, None);
    }

    proptest! {
        #[test]
        fn bands_are_in_order_and_growth_follows_the_rate(rate in 0.001..1e6, bytes in 0.0..1e5, disk in 1u64..1 << 50) {
            let curve = GrowthCurve::straight(bytes, 1_000_000);
            let spec = DiskSpec { commands_per_second: rate, disk_bytes: disk, ..spec(1) };
            let found = GrowthForecast::new(&curve, 0, &spec);
            let twice = GrowthForecast::new(&curve, 0, &DiskSpec { commands_per_second: 2.0 * rate, ..spec });
            let Band { expected, low, high } = found.bytes_per_day;
            prop_assert!(low <= expected && expected <= high);
            prop_assert!((twice.bytes_per_day.expected - 2.0 * expected).abs() <= 1e-9 * expected);
            let DiskFull { earliest, expected, latest, .. } = found.disk_full;
            prop_assert!(expected.is_none_or(|expected| earliest.is_some_and(|earliest| earliest <= expected)));
            prop_assert!(latest.is_none_or(|latest| expected.is_some_and(|expected| expected <= latest)));
        }
    }
}
