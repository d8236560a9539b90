//! Reads times of a form.

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::{Offset, TimeZone};

use super::civil::{self, DateOrder};
use super::form::{ADVICE, TimeForm};
use super::unix;
use crate::workload::escape;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Moment {
    /// Nanoseconds since 1970 in UTC.
    pub(in super::super) nanoseconds: i64,
    /// Whether the row has no offset from UTC.
    pub(in super::super) is_local: bool,
}

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
            TimeForm::Iso => self.date(text, DateOrder::YMD, b'-').or_else(|| self.rare_iso(text)),
            TimeForm::Date(order, separator) => self.date(text, *order, *separator),
            TimeForm::Unix { unit, is_guessed } => {
                let fits = || unix::unit_of(text) == Some(unit) || text.iter().all(|&byte| byte == b'0');
                unix::read(text, unit).filter(|_| !is_guessed || fits()).map(exactly)
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
        let time = civil_time(&strtime::parse(format, text).ok()?).ok()?;
        self.local(Some(time).filter(|time| (1900..2100).contains(&time.year()))?)
    }

    fn formatted(&self, text: &[u8], format: &str) -> Result<Moment, String> {
        let expected = |error: jiff::Error| format!("the form `{format}` ({})", escape(&error.to_string()));
        let out_of_range = || format!("the form `{format}`, between the years 1678 and 2261");
        let parsed = strtime::parse(format, text).map_err(expected)?;
        if parsed.offset().is_some() || parsed.iana_time_zone().is_some() {
            return exact(parsed.to_timestamp().map_err(expected)?).ok_or_else(out_of_range);
        }
        self.local(civil_time(&parsed).map_err(expected)?).ok_or_else(out_of_range)
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

/// Midnight if there is no time of day.
fn civil_time(parsed: &BrokenDownTime) -> Result<DateTime, jiff::Error> {
    parsed.to_datetime().or_else(|_| Ok(parsed.to_date()?.to_datetime(Time::midnight())))
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

    /// The time, or what was expected.
    fn read(form: &TimeForm, text: &str) -> String {
        match (TimeReader { form: form.clone(), zone: None }).read(text.as_bytes()) {
            Ok(moment) => Timestamp::from_nanosecond(moment.nanoseconds.into()).unwrap().to_string(),
            Err(expected) => expected,
        }
    }

    #[test]
    fn times_of_every_form_are_read_and_others_refused() {
        let points = TimeForm::Date(DateOrder::DMY, b'.');
        for (form, text, expected) in [
            (&TimeForm::Iso, "2011-10-11 13:45:40.276000+02:00", "2011-10-11T11:45:40.276Z"),
            (&TimeForm::Iso, " 2011-10-11 13:45 ", "2011-10-11T13:45:00Z"),
            (&TimeForm::Iso, "2011-10-11 01:45:40 PM", "2011-10-11T13:45:40Z"),
            (&TimeForm::Iso, "20111011T134540Z", "2011-10-11T13:45:40Z"),
            (&TimeForm::Iso, "20111011134540", "2011-10-11T13:45:40Z"),
            (&TimeForm::Iso, "20111011", "2011-10-11T00:00:00Z"),
            (&TimeForm::Iso, "2011-10-11T13:45:40+02:00[Europe/Berlin]", "2011-10-11T11:45:40Z"),
            (&TimeForm::Iso, "2011-10-11T13:45:40.12345678901234Z", "2011-10-11T13:45:40.123456789Z"),
            (&TimeForm::Iso, "yesterday", "--time-format"),
            (&TimeForm::Iso, "9999-12-31", "1678 and 2261"),
            (&TimeForm::Date(DateOrder::YMD, b'/'), "2011/02/03", "2011-02-03T00:00:00Z"),
            (&TimeForm::Date(DateOrder::MDY, b'/'), "02/03/2011", "2011-02-03T00:00:00Z"),
            (&TimeForm::Date(DateOrder::DMY, b'-'), "03-Feb-2011", "2011-02-03T00:00:00Z"),
            (&TimeForm::Date(DateOrder::DMY, b' '), "3 February 2011", "2011-02-03T00:00:00Z"),
            (&points, "3.2.2011", "2011-02-03T00:00:00Z"),
            (&points, "03.02.2011 1:05", "2011-02-03T01:05:00Z"),
            (&points, "03.02.2011 12:05 AM", "2011-02-03T00:05:00Z"),
            (&points, "03.02.2011 12:05:09 pm", "2011-02-03T12:05:09Z"),
            (&points, "03.02.2011 11:05:09.5PM +0100", "2011-02-03T22:05:09.5Z"),
            (&points, "03.02.2011 23:05:09,1234567899", "2011-02-03T23:05:09.123456789Z"),
            (&points, "03.02.2011T23:05:60Z", "2011-02-03T23:05:59Z"),
            (&points, "03.02.2011 23:05 UTC", "2011-02-03T23:05:00Z"),
            (&points, "03.02.2011:23:05:01 -0730", "2011-02-04T06:35:01Z"),
            (&points, "30.02.2011", "DD.MM.YYYY"),
            // The century is unknown.
            (&points, "03.02.11", "DD.MM.YYYY"),
            (&points, "03.02.2011 13:05 PM", "DD.MM.YYYY"),
            (&points, "03.02.2011 24:00", "DD.MM.YYYY"),
            (&points, "03.02.2011 1", "DD.MM.YYYY"),
            (&points, "03.02.2011 1:05:", "DD.MM.YYYY"),
            (&points, "03.02.2011 1:05 x", "DD.MM.YYYY"),
            (&TimeForm::named("%d.%m.%Y %H:%M"), "11.10.2011 13:45", "2011-10-11T13:45:00Z"),
            (&TimeForm::named("%d.%m.%Y %H:%M %z"), "11.10.2011 13:45 +0200", "2011-10-11T11:45:00Z"),
            (&TimeForm::named("%d.%m.%Y"), "11.10.2011", "2011-10-11T00:00:00Z"),
            (&TimeForm::named("%d.%m.%Y"), "2011", "%d.%m.%Y"),
            (&TimeForm::named("unix-ms"), "5", "1970-01-01T00:00:00.005Z"),
            (&TimeForm::Unix { unit: &UNITS[1], is_guessed: true }, "5", "as in the first rows"),
        ] {
            let found = read(form, text);
            assert!(found.contains(expected), "{text}: {found}, expected {expected}");
        }
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
            let by_hand = civil::read(text.as_bytes(), DateOrder::YMD, b'-');
            let found = TimeReader { form: TimeForm::Iso, zone: None }.read(text.as_bytes()).ok();
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
        assert_eq!(at("01.01.1970 12:00", TimeForm::Date(DateOrder::DMY, b'.')), noon);
        assert_eq!(at("01.01.1970 12", TimeForm::named("%d.%m.%Y %H")), noon);
        assert_eq!(at("1970-01-01 12:00+02:00", TimeForm::Iso), Moment { is_local: false, ..noon });
    }
}
