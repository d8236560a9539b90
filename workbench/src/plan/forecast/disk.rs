//! A rate, a database that grows with it, and a disk.

use jiff::Span;
use jiff::civil::Date;

use crate::plan::forecast::growth::GrowthCurve;
use crate::report::{Band, Basis};

const SECONDS_PER_DAY: f64 = 86_400.0;
const DAYS_PER_YEAR: f64 = 365.25;
/// Nobody plans further ahead.
const MOST_DAYS: f64 = 100.0 * DAYS_PER_YEAR;

/// What is asked of a disk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DiskSpec {
    /// Rate at which commands come on average over a day, commands per second, above 0.
    pub commands_per_second: f64,
    /// Days after which the application deletes what it stored; `None` keeps everything.
    pub retention_days: Option<f64>,
    /// Space for the database and for what its compactions need, bytes; `None` asks for no date.
    pub disk_bytes: Option<u64>,
    /// The first day.
    pub from: Date,
}

/// Space that a running database needs beyond its size at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactionHeadroom {
    /// Its size, bytes.
    pub bytes: u64,
    /// Measured, if the largest directory that was seen was larger than what the settings imply.
    pub basis: Basis,
}

impl CompactionHeadroom {
    /// A compaction writes its result before it deletes what it merged: RocksDB lets one take 25 files of the target size
    /// (`max_compaction_bytes`), or the whole database where that is less, and as many run as there are jobs. The logs
    /// come on top: their limit, twice because the limit is looked at when a log is full, and those kept to be written
    /// over.
    ///
    /// `peak_bytes` is the largest size of the directory seen under load and `rest_bytes` its size at rest afterwards: where
    /// that difference is larger, it counts.
    #[cfg(feature = "rocksdb")]
    pub fn new(
        tuning: &ave_actors_rocksdb::backend::Tuning,
        database_bytes: u64,
        peak_bytes: u64,
        rest_bytes: u64,
    ) -> Self {
        let one = tuning.target_file_bytes.saturating_mul(COMPACTION_FILES);
        let compactions = one.saturating_mul(u64::from(tuning.compaction_jobs)).min(database_bytes);
        let logs = tuning.max_wal_bytes.saturating_mul(2 + u64::from(tuning.recycled_wal_files));
        Self::of(compactions.saturating_add(logs), peak_bytes.saturating_sub(rest_bytes))
    }

    #[cfg_attr(not(feature = "rocksdb"), expect(dead_code, reason = "only a known engine has settings"))]
    fn of(modelled: u64, measured: u64) -> Self {
        if measured > modelled {
            Self { bytes: measured, basis: Basis::Measured }
        } else {
            Self { bytes: modelled, basis: Basis::Modelled }
        }
    }
}

/// RocksDB's default of `max_compaction_bytes` in files of the target size.
#[cfg(feature = "rocksdb")]
const COMPACTION_FILES: u64 = 25;

/// When a disk is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskFull {
    /// Not within a hundred years: the database does not grow, or what is deleted keeps it below.
    Never,
    /// Between these days. The latest is `None` if it may be never.
    Between {
        /// At the growth that is expected; `None` if it is never at that.
        expected: Option<Date>,
        /// At the strongest growth.
        earliest: Date,
        /// At the weakest.
        latest: Option<Date>,
    },
}

/// The database over days, at one rate.
#[derive(Debug, Clone, PartialEq)]
pub struct GrowthForecast {
    /// Commands per day.
    pub commands_per_day: f64,
    /// Growth once the database is as it will remain, bytes per day. All zero where deletions keep pace.
    pub bytes_per_day: Band,
    /// The part of it that is events, bytes per day.
    pub event_bytes_per_day: f64,
    /// The part that is snapshots and metadata, bytes per day: 0 once every actor has one.
    pub state_bytes_per_day: f64,
    /// Size that is not exceeded, bytes: where the database does not grow, or with a retention. `None` without a bound.
    pub steady_bytes: Option<Band>,
    /// What a running database needs beyond that.
    pub headroom: CompactionHeadroom,
    /// When the disk is full; `None` if no disk was given.
    pub disk_full: Option<DiskFull>,
    /// The size over days, from the first on: until a disk is full and a little longer, or until it stays as it is.
    pub sizes: Vec<SizeAt>,
}

/// The database after so many days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizeAt {
    /// Days.
    pub days: f64,
    /// Size without what compactions need beside it, bytes.
    pub bytes: Band,
}

/// Points of the size over days.
const SIZES: u32 = 48;
/// Times the day in question up to which the size is told.
const BEYOND: f64 = 1.3;
/// Days the size is told of where nothing is in question.
const OUTLOOK_DAYS: f64 = 365.0;

impl GrowthForecast {
    /// From a curve of growth, for a database that begins as the preload leaves it, `preload_commands` commands old.
    pub fn new(curve: &GrowthCurve, preload_commands: u64, spec: &DiskSpec, headroom: CompactionHeadroom) -> Self {
        let commands_per_day = spec.commands_per_second * SECONDS_PER_DAY;
        let days = Days { curve, preload_commands, commands_per_day, retention: spec.retention_days };
        let [events, states] = curve.parts_per_command();
        let grows = curve.bytes_per_command();
        let steady = if grows.high <= 0.0 { Some(MOST_DAYS) } else { spec.retention_days };
        let disk_full = spec.disk_bytes.map(|disk_bytes| days.full(disk_bytes, headroom.bytes, spec.from));
        Self {
            commands_per_day,
            bytes_per_day: grows.times(commands_per_day),
            event_bytes_per_day: events * commands_per_day,
            state_bytes_per_day: states * commands_per_day,
            steady_bytes: steady.map(|after| days.size(after)),
            headroom,
            disk_full,
            sizes: days.sizes(spec.disk_bytes.map(|disk_bytes| disk_bytes.saturating_sub(headroom.bytes) as f64)),
        }
    }
}

/// The size of the database over days.
struct Days<'a> {
    curve: &'a GrowthCurve,
    preload_commands: u64,
    commands_per_day: f64,
    /// What is older is gone.
    retention: Option<f64>,
}

impl Days<'_> {
    /// After so many days; what is older than the retention is gone.
    fn size(&self, days: f64) -> Band {
        let kept = self.retention.map_or(days, |retention| days.min(retention)).max(0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of commands, saturating")]
        let commands = (kept * self.commands_per_day) as u64;
        let size = self.curve.at(self.preload_commands.saturating_add(commands));
        Band { expected: size.bytes, low: size.low_bytes, high: size.high_bytes }
    }

    /// The size over days, until it exceeds the room and a little longer.
    fn sizes(&self, room: Option<f64>) -> Vec<SizeAt> {
        let full = room.and_then(|room| self.first_day(room, |size| size.expected).filter(|&days| days >= 1.0));
        let steady = self.retention.map(|days| 2.0 * days);
        let last = full.map(|days| BEYOND * days).or(steady).unwrap_or(OUTLOOK_DAYS).min(MOST_DAYS);
        let at = |step: u32| {
            let days = last * f64::from(step) / f64::from(SIZES);
            SizeAt { days, bytes: self.size(days) }
        };
        (0..=SIZES).map(at).collect()
    }

    fn full(&self, disk_bytes: u64, headroom_bytes: u64, from: Date) -> DiskFull {
        let room = disk_bytes.saturating_sub(headroom_bytes) as f64;
        let day = |of: fn(Band) -> f64| self.first_day(room, of).and_then(|days| later(from, days));
        match day(|size| size.high) {
            None => DiskFull::Never,
            Some(earliest) => {
                DiskFull::Between { expected: day(|size| size.expected), earliest, latest: day(|size| size.low) }
            }
        }
    }

    /// The day on which the size exceeds the room, by halving the time in which it does.
    fn first_day(&self, room: f64, of: fn(Band) -> f64) -> Option<f64> {
        let exceeds = |days: f64| of(self.size(days)) > room;
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

/// What a disk has to write.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WriteWear {
    /// Log, flushes and compactions, bytes per day.
    pub bytes_per_day: f64,
    /// Time until the disk has written what its maker vouches for, years; `None` if that was not given, or if nothing is
    /// written.
    pub years: Option<f64>,
}

impl WriteWear {
    /// `written_bytes_per_command` is what the process sent to storage per command, compactions included; `rated_bytes` is
    /// what the disk's maker vouches for, its TBW.
    pub fn new(written_bytes_per_command: f64, commands_per_second: f64, rated_bytes: Option<u64>) -> Self {
        let bytes_per_day = written_bytes_per_command * commands_per_second * SECONDS_PER_DAY;
        let years =
            rated_bytes.filter(|_| bytes_per_day > 0.0).map(|rated| rated as f64 / bytes_per_day / DAYS_PER_YEAR);
        Self { bytes_per_day, years }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const NONE: CompactionHeadroom = CompactionHeadroom { bytes: 0, basis: Basis::Modelled };
    const GB: u64 = 1_000_000_000;

    /// Ten commands a second that leave 100 bytes each: 86.4 MB a day.
    fn spec(disk_gb: u64) -> DiskSpec {
        DiskSpec {
            commands_per_second: 10.0,
            retention_days: None,
            disk_bytes: Some(disk_gb * GB),
            from: date(2026, 1, 1),
        }
    }

    fn forecast(spec: &DiskSpec, headroom: CompactionHeadroom) -> GrowthForecast {
        GrowthForecast::new(&GrowthCurve::straight(100.0, 1_000_000), 0, spec, headroom)
    }

    fn days(full: Option<DiskFull>) -> [Option<i32>; 3] {
        match full {
            Some(DiskFull::Between { expected, earliest, latest }) => {
                [Some(earliest), expected, latest].map(|day| day.map(|day| (day - date(2026, 1, 1)).get_days()))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_day_holds_its_commands_and_what_they_leave() {
        let found = forecast(&spec(1), NONE);
        assert!((found.commands_per_day - 864_000.0).abs() < 1e-6);
        assert!((found.bytes_per_day.expected - 86.4e6).abs() < 1.0, "{found:?}");
        assert!((found.event_bytes_per_day - 86.4e6).abs() < 1.0 && found.state_bytes_per_day.abs() < 1e-9);
        assert_eq!(found.steady_bytes, None);
    }

    #[test]
    fn a_disk_is_full_when_the_database_and_its_compactions_need_all_of_it() {
        let [earliest, expected, latest] = days(forecast(&spec(10), NONE).disk_full).map(Option::unwrap);
        assert!((115..=116).contains(&expected), "10 GB are 115.7 days: {expected}");
        assert!(earliest < expected && expected < latest && latest - earliest < 12, "{earliest} {latest}");
        let half = CompactionHeadroom { bytes: 5 * GB, ..NONE };
        assert!((57..=58).contains(&days(forecast(&spec(10), half).disk_full)[1].unwrap()));
        let all = CompactionHeadroom { bytes: 10 * GB, ..NONE };
        assert_eq!(days(forecast(&spec(10), all).disk_full), [Some(0); 3], "not even the first day");
    }

    #[test]
    fn a_retention_bounds_the_database() {
        let kept = |days| forecast(&DiskSpec { retention_days: Some(days), ..spec(10) }, NONE);
        let month = kept(30.0);
        assert!((month.steady_bytes.unwrap().expected / (30.0 * 86.4e6) - 1.0).abs() < 0.01, "{month:?}");
        assert_eq!(month.disk_full, Some(DiskFull::Never));
        assert!((115..=116).contains(&days(kept(200.0).disk_full)[1].unwrap()), "too long for this disk");
    }

    #[test]
    fn a_database_that_does_not_grow_never_fills_a_disk() {
        let found = GrowthForecast::new(&GrowthCurve::straight(0.0, 1000), 0, &spec(1), NONE);
        assert_eq!((found.bytes_per_day, found.disk_full), (Band::default(), Some(DiskFull::Never)));
        assert!(found.steady_bytes.is_some());
    }

    #[test]
    fn headroom_is_what_was_seen_where_that_is_more() {
        assert_eq!(CompactionHeadroom::of(10, 3), CompactionHeadroom { bytes: 10, basis: Basis::Modelled });
        assert_eq!(CompactionHeadroom::of(10, 30), CompactionHeadroom { bytes: 30, basis: Basis::Measured });
    }

    #[test]
    fn wear_counts_every_byte_that_is_written() {
        let wear = WriteWear::new(1000.0, 100.0, Some(600_000 * GB));
        assert!((wear.bytes_per_day - 8.64e9).abs() < 1.0);
        assert!((wear.years.unwrap() - 190.1).abs() < 0.1, "{wear:?}");
        assert_eq!(WriteWear::new(0.0, 100.0, Some(GB)).years, None);
        assert_eq!(WriteWear::new(1.0, 100.0, None).years, None);
    }

    proptest! {
        #[test]
        fn bands_are_in_order_and_growth_follows_the_rate(rate in 0.001..1e6, bytes in 0.0..1e5, disk in 1u64..1 << 50) {
            let curve = GrowthCurve::straight(bytes, 1_000_000);
            let spec = DiskSpec { commands_per_second: rate, disk_bytes: Some(disk), ..spec(1) };
            let found = GrowthForecast::new(&curve, 0, &spec, NONE);
            let twice = GrowthForecast::new(&curve, 0, &DiskSpec { commands_per_second: 2.0 * rate, ..spec }, NONE);
            let Band { expected, low, high } = found.bytes_per_day;
            prop_assert!(low <= expected && expected <= high);
            prop_assert!((twice.bytes_per_day.expected - 2.0 * expected).abs() <= 1e-9 * expected);
            if let Some(DiskFull::Between { expected, earliest, latest }) = found.disk_full {
                prop_assert!(expected.is_none_or(|expected| earliest <= expected));
                prop_assert!(latest.is_none_or(|latest| expected.is_some_and(|expected| expected <= latest)));
            }
        }
    }
}
