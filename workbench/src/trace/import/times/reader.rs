//! Reads times of a form.

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::{Offset, TimeZone};

use super::civil::{self, DateOrder};
use super::form::{ADVICE, TimeForm};
use super::unix;
use crate::workload::escape;

/// The time of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Moment {
    /// Nanoseconds since 1970 in UTC.
    pub(in super::super) nanoseconds: i64,
    /// Whether the row has no offset from UTC.
    pub(in super::super) is_local: bool,
}

/// Reads the times of a log.
#[derive(Debug, Clone)]
pub(in super::super) struct TimeReader {
    pub(in super::super) form: TimeForm,
    /// Zone of times without an offset; UTC if absent.
    pub(in super::super) zone: Option<TimeZone>,
}

impl TimeReader {
    /// The moment, or what was expected.
    pub(in super::super) fn read(&self, text: &[u8]) -> Result<Moment, String> {
        let text = text.trim_ascii();
        let moment = match &self.form {
            TimeForm::Iso => self.date(text, DateOrder::Ymd, b'-').or_else(|| self.rare_iso(text)),
            TimeForm::Date(order, separator) => self.date(text, *order, *separator),
            TimeForm::Unix(unit) => unix::read(text, unit).map(exactly),
            TimeForm::UnixGuessed(unit) => {
                let fits = unix::unit_of(text) == Some(unit) || text.iter().all(|&byte| byte == b'0');
                unix::read(text, unit).filter(|_| fits).map(exactly)
            }
            TimeForm::Format(format) => return self.formatted(text, format),
        };
        moment.ok_or_else(|| format!("{}, between the years 1678 and 2261; {ADVICE}", self.form.expectation()))
    }

    fn date(&self, text: &[u8], order: DateOrder, separator: u8) -> Option<Moment> {
        let (time, offset) = civil::read(text, order, separator)?;
        match offset {
            Some(offset) => exact(offset.to_timestamp(time).ok()?),
            None => self.local(time),
        }
    }

    /// Rare forms: `20111011T134540Z`, `2011-10-11T13:45+02:00[Europe/Berlin]`, ….
    fn rare_iso(&self, text: &[u8]) -> Option<Moment> {
        if text.iter().all(u8::is_ascii_digit) {
            return self.compact(text);
        }
        let text = std::str::from_utf8(text).ok()?;
        match text.parse::<Timestamp>() {
            Ok(time) => exact(time),
            Err(_) => self.local(text.parse().ok()?),
        }
    }

    /// `20111011` and `20111011134540`; outside of the years 1900 to 2099 it is a plain number.
    fn compact(&self, text: &[u8]) -> Option<Moment> {
        let format = match text.len() {
            8 => "%Y%m%d",
            14 => "%Y%m%d%H%M%S",
            _ => return None,
        };
        let parsed = jiff::fmt::strtime::parse(format, text).ok()?;
        let time = parsed.to_datetime().or_else(|_| parsed.to_date().map(|date| date.to_datetime(Time::midnight())));
        self.local(time.ok().filter(|time| (1900..2100).contains(&time.year()))?)
    }

    fn formatted(&self, text: &[u8], format: &str) -> Result<Moment, String> {
        let expected = |error: jiff::Error| format!("the form `{format}` ({})", escape(&error.to_string()));
        let out_of_range = || format!("the form `{format}`, between the years 1678 and 2261");
        let parsed = jiff::fmt::strtime::parse(format, text).map_err(expected)?;
        if parsed.offset().is_some() || parsed.iana_time_zone().is_some() {
            return exact(parsed.to_timestamp().map_err(expected)?).ok_or_else(out_of_range);
        }
        let civil = match parsed.to_datetime() {
            Ok(civil) => civil,
            Err(_) => parsed.to_date().map_err(expected)?.to_datetime(Time::midnight()),
        };
        self.local(civil).ok_or_else(out_of_range)
    }

    /// A time that the clocks skipped or showed twice is read as RFC 5545 defines.
    fn local(&self, civil: DateTime) -> Option<Moment> {
        let time = match &self.zone {
            None => Offset::UTC.to_timestamp(civil),
            Some(zone) => zone.to_ambiguous_timestamp(civil).compatible(),
        };
        Some(Moment { is_local: true, ..exact(time.ok()?)? })
    }
}

fn exact(time: Timestamp) -> Option<Moment> {
    i64::try_from(time.as_nanosecond()).ok().map(exactly)
}

const fn exactly(nanoseconds: i64) -> Moment {
    Moment { nanoseconds, is_local: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::import::times::unix::UNITS;
    use proptest::prelude::*;

    fn reader(form: TimeForm) -> TimeReader {
        TimeReader { form, zone: None }
    }

    fn time(text: &str, form: TimeForm) -> String {
        let moment = reader(form).read(text.as_bytes()).unwrap();
        Timestamp::from_nanosecond(moment.nanoseconds.into()).unwrap().to_string()
    }

    #[test]
    fn rfc_3339_and_its_relatives_are_read() {
        for (text, at) in [
            ("2011-10-11 13:45:40.276000+02:00", "2011-10-11T11:45:40.276Z"),
            ("2011-10-11T13:45:40Z", "2011-10-11T13:45:40Z"),
            ("2011-10-11 13:45:40", "2011-10-11T13:45:40Z"),
            ("2011-10-11", "2011-10-11T00:00:00Z"),
            (" 2011-10-11 13:45 ", "2011-10-11T13:45:00Z"),
            ("2011-10-11 01:45:40 PM", "2011-10-11T13:45:40Z"),
            ("20111011T134540Z", "2011-10-11T13:45:40Z"),
            ("20111011134540", "2011-10-11T13:45:40Z"),
            ("20111011", "2011-10-11T00:00:00Z"),
            ("2011-10-11T13:45:40+02:00[Europe/Berlin]", "2011-10-11T11:45:40Z"),
            ("2011-10-11T13:45:40.12345678901234Z", "2011-10-11T13:45:40.123456789Z"),
        ] {
            assert_eq!(time(text, TimeForm::Iso), at, "{text}");
        }
    }

    #[test]
    fn every_row_must_have_the_given_form() {
        assert_eq!(time("11.10.2011 13:45", TimeForm::named("%d.%m.%Y %H:%M")), "2011-10-11T13:45:00Z");
        assert_eq!(time("11.10.2011", TimeForm::named("%d.%m.%Y")), "2011-10-11T00:00:00Z");
        assert_eq!(time("11.10.2011 13:45 +0200", TimeForm::named("%d.%m.%Y %H:%M %z")), "2011-10-11T11:45:00Z");
        assert_eq!(time("5", TimeForm::named("unix-ms")), "1970-01-01T00:00:00.005Z");
        let refused = |text: &[u8], form| reader(form).read(text).unwrap_err();
        assert!(refused(b"2011", TimeForm::named("%d.%m.%Y")).contains("%d.%m.%Y"));
        assert!(refused(b"yesterday", TimeForm::Iso).contains("--time-format"));
        assert!(refused(b"9999-12-31", TimeForm::Iso).contains("1678 and 2261"));
        assert!(refused(b"5", TimeForm::UnixGuessed(&UNITS[1])).contains("as in the first rows"));
    }

    proptest! {
        /// The fast path reads whatever jiff reads, with the same result.
        #[test]
        fn the_fast_path_agrees_with_jiff(
            (year, month, day) in (1678i16..2262, 1u8..14, 1u8..33),
            (hour, minute, second) in (0u8..26, 0u8..62, 0u8..62),
            between in prop::sample::select(&["T", " ", "t", "_"][..]),
            fraction in prop_oneof![Just(String::new()), "[.,][0-9]{1,9}"],
            offset in prop_oneof![Just(String::new()), "[Zz]", "[+-][01][0-9]:[0-5][0-9]", "[+-][0-2][0-9]([0-9]{2})?"],
        ) {
            let clock = format!("{hour:02}:{minute:02}:{second:02}{fraction}");
            let text = format!("{year:04}-{month:02}-{day:02}{between}{clock}{offset}");
            let jiff = match text.parse::<Timestamp>() {
                Ok(time) => Some((time, false)),
                Err(_) => text.parse::<DateTime>().ok().filter(|_| offset.is_empty()).map(|civil| {
                    (TimeZone::UTC.to_ambiguous_timestamp(civil).compatible().unwrap(), true)
                }),
            };
            let by_hand = civil::read(text.as_bytes(), DateOrder::Ymd, b'-');
            let found = reader(TimeForm::Iso).read(text.as_bytes()).ok();
            match jiff {
                Some((time, is_local)) => {
                    let nanoseconds = i64::try_from(time.as_nanosecond()).unwrap();
                    prop_assert_eq!(found, Some(Moment { nanoseconds, is_local }), "{}", text);
                    prop_assert!(by_hand.is_some(), "{} is read by jiff", text);
                }
                None => prop_assert!(by_hand.is_none(), "{}: {:?}, which jiff does not read", text, by_hand),
            }
        }
    }

    #[test]
    fn times_without_an_offset_are_in_the_given_zone() {
        let fixed = TimeZone::fixed(jiff::tz::offset(2));
        let reader = |form| TimeReader { form, zone: Some(fixed.clone()) };
        let at = |text: &str, form| reader(form).read(text.as_bytes()).unwrap();
        let noon = Moment { nanoseconds: 10 * 3_600_000_000_000, is_local: true };
        assert_eq!(at("1970-01-01 12:00", TimeForm::Iso), noon);
        assert_eq!(at("19700101T120000", TimeForm::Iso), noon);
        assert_eq!(at("01.01.1970 12:00", TimeForm::Date(DateOrder::Dmy, b'.')), noon);
        assert_eq!(at("01.01.1970 12", TimeForm::named("%d.%m.%Y %H")), noon);
        assert_eq!(at("1970-01-01 12:00+02:00", TimeForm::Iso), Moment { is_local: false, ..noon });
    }
}
