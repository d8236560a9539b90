//! Reading the time of a row.
//!
//! A log writes its times in one form. The form is found from the first rows (see `guess`) or told, and every row must
//! hold to it. Times are nanoseconds since 1970 in an `i64`, which reaches from 1677 to 2262.

mod civil;
mod guess;
mod unix;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::trace::import::times::civil::Civil;
pub(super) use civil::Order;
pub(super) use guess::{Guess, between_orders, guess};
pub(super) use unix::Unit;

/// How a log writes its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// RFC 3339, ISO 8601 and what looks like them.
    Iso,
    /// A date with its parts in this order and this separator between them, alone or with a time of day.
    Date(Order, u8),
    /// A number; the unit was told.
    Unix(Unit),
    /// A number; the unit was guessed from the size, so numbers of another size are refused.
    UnixGuessed(Unit),
    /// `strftime` notation, as told.
    Told(String),
}

impl Form {
    /// What `--time-format` names.
    pub(super) fn told(format: &str) -> Self {
        let unit = Unit::ALL.into_iter().find(|unit| unit.name() == format);
        unit.map_or_else(|| Self::Told(format.to_owned()), Self::Unix)
    }

    /// What it is called, for people.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Iso => "RFC 3339 and relatives".to_owned(),
            Self::Date(order, separator) => {
                let s = char::from(*separator);
                match order {
                    Order::Ymd => format!("YYYY{s}MM{s}DD"),
                    Order::Dmy => format!("DD{s}MM{s}YYYY"),
                    Order::Mdy => format!("MM{s}DD{s}YYYY"),
                }
            }
            Self::Unix(unit) | Self::UnixGuessed(unit) => unit.words().to_owned(),
            Self::Told(format) => format!("`{format}`"),
        }
    }

    fn example(&self) -> String {
        match self {
            Self::Iso => "a time such as `2011-10-11 13:45:40.276+02:00`".to_owned(),
            Self::Date(..) => format!("{}, alone or with a time such as `13:45:40`", self.words()),
            Self::Unix(_) => self.words(),
            Self::UnixGuessed(unit) => format!("{}, as in the first rows", unit.words()),
            Self::Told(_) => format!("the form {}", self.words()),
        }
    }
}

/// Forms that are understood without being told.
pub(super) const KNOWN_FORMS: &str = "RFC 3339 and relatives, `DD.MM.YYYY`, `YYYY/MM/DD`, `DD/MM/YYYY` or \
    `MM/DD/YYYY`, each alone or with a time of day, or a Unix time";

/// How to name another.
pub(super) const ADVICE: &str = "name another form with --time-format (strftime notation, for example \
    `%d.%m.%Y %H:%M`, or `unix-s`, `unix-ms`, `unix-us`, `unix-ns`)";

/// A moment as a row tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Nanoseconds since 1970 in UTC.
    pub(super) nanoseconds: i64,
    /// Whether the row did not say its offset from UTC.
    pub(super) is_local: bool,
}

/// Reads the times of a log.
#[derive(Debug, Clone)]
pub(super) struct TimeReader {
    pub(super) form: Form,
    /// Where times without an offset were taken; UTC if absent.
    pub(super) zone: Option<TimeZone>,
}

impl TimeReader {
    /// The moment, or what was expected.
    pub(super) fn read(&self, text: &[u8]) -> Result<Moment, String> {
        let text = text.trim_ascii();
        let moment = match &self.form {
            Form::Iso => self.iso(text),
            Form::Date(order, separator) => self.date(text, *order, *separator),
            Form::Unix(unit) => unix::read(text, *unit).map(exactly),
            Form::UnixGuessed(unit) => {
                let fits = unix::unit_of(text) == Some(*unit) || text.iter().all(|&byte| byte == b'0');
                unix::read(text, *unit).filter(|_| fits).map(exactly)
            }
            Form::Told(format) => return self.told(text, format),
        };
        moment.ok_or_else(|| format!("{}, between the years 1678 and 2261; {ADVICE}", self.form.example()))
    }

    fn iso(&self, text: &[u8]) -> Option<Moment> {
        self.date(text, Order::Ymd, b'-').or_else(|| self.rare_iso(text))
    }

    fn date(&self, text: &[u8], order: Order, separator: u8) -> Option<Moment> {
        let civil = Civil::read(text, order, separator)?;
        if civil.offset.is_some() {
            return civil.instant().map(exactly);
        }
        let nanoseconds = match &self.zone {
            None => civil.nanoseconds()?,
            Some(zone) => {
                let date = jiff::civil::Date::new(civil.year, civil.month, civil.day).ok()?;
                let clock = std::time::Duration::from_nanos(u64::try_from(civil.clock).ok()?);
                in_zone(date.to_datetime(jiff::civil::Time::midnight()).checked_add(clock).ok()?, zone)?
            }
        };
        Some(Moment { nanoseconds, is_local: true })
    }

    /// Forms that are too rare to be read by hand: `20111011T134540Z`, `2011-10-11T13:45+02:00[Europe/Berlin]`, ….
    fn rare_iso(&self, text: &[u8]) -> Option<Moment> {
        if text.iter().all(u8::is_ascii_digit) {
            return self.compact(text);
        }
        let text = std::str::from_utf8(text).ok()?;
        if let Ok(time) = text.parse::<Timestamp>() {
            return i64::try_from(time.as_nanosecond()).ok().map(exactly);
        }
        self.local(text.parse().ok()?)
    }

    /// `20111011` and `20111011134540`; in other centuries it is a number like any other.
    fn compact(&self, text: &[u8]) -> Option<Moment> {
        let text = std::str::from_utf8(text).ok().filter(|text| matches!(text.len(), 8 | 14))?;
        let number = |range| text.get(range).and_then(|digits: &str| digits.parse::<i8>().ok());
        let year = text[..4].parse::<i16>().ok().filter(|year| (1900..2100).contains(year))?;
        let clock = if text.len() == 14 { [number(8..10)?, number(10..12)?, number(12..14)?] } else { [0; 3] };
        self.local(DateTime::new(year, number(4..6)?, number(6..8)?, clock[0], clock[1], clock[2], 0).ok()?)
    }

    fn told(&self, text: &[u8], format: &str) -> Result<Moment, String> {
        let expected = |error: jiff::Error| format!("the form `{format}` ({error})");
        let out_of_range = || format!("the form `{format}`, between the years 1678 and 2261");
        let parsed = jiff::fmt::strtime::parse(format, text).map_err(expected)?;
        if parsed.offset().is_some() || parsed.iana_time_zone().is_some() {
            let time = parsed.to_timestamp().map_err(expected)?;
            return i64::try_from(time.as_nanosecond()).ok().map(exactly).ok_or_else(out_of_range);
        }
        let civil = match parsed.to_datetime() {
            Ok(civil) => civil,
            Err(_) => parsed.to_date().map_err(expected)?.to_datetime(jiff::civil::Time::midnight()),
        };
        self.local(civil).ok_or_else(out_of_range)
    }

    fn local(&self, civil: DateTime) -> Option<Moment> {
        let nanoseconds = in_zone(civil, self.zone.as_ref().unwrap_or(&TimeZone::UTC))?;
        Some(Moment { nanoseconds, is_local: true })
    }
}

const fn exactly(nanoseconds: i64) -> Moment {
    Moment { nanoseconds, is_local: false }
}

/// A time that the clocks skipped or showed twice is taken as RFC 5545 wants it.
fn in_zone(civil: DateTime, zone: &TimeZone) -> Option<i64> {
    let time = zone.to_ambiguous_timestamp(civil).compatible().ok()?;
    i64::try_from(time.as_nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reader(form: Form) -> TimeReader {
        TimeReader { form, zone: None }
    }

    fn time(text: &str, form: Form) -> String {
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
            assert_eq!(time(text, Form::Iso), at, "{text}");
        }
    }

    #[test]
    fn a_form_that_was_told_is_held_to() {
        assert_eq!(time("11.10.2011 13:45", Form::told("%d.%m.%Y %H:%M")), "2011-10-11T13:45:00Z");
        assert_eq!(time("11.10.2011", Form::told("%d.%m.%Y")), "2011-10-11T00:00:00Z");
        assert_eq!(time("11.10.2011 13:45 +0200", Form::told("%d.%m.%Y %H:%M %z")), "2011-10-11T11:45:00Z");
        assert_eq!(time("5", Form::told("unix-ms")), "1970-01-01T00:00:00.005Z");
        let refused = |text: &[u8], form| reader(form).read(text).unwrap_err();
        assert!(refused(b"2011", Form::told("%d.%m.%Y")).contains("%d.%m.%Y"));
        assert!(refused(b"yesterday", Form::Iso).contains("--time-format"));
        assert!(refused(b"9999-12-31", Form::Iso).contains("1678 and 2261"));
        assert!(refused(b"5", Form::UnixGuessed(Unit::Milliseconds)).contains("as in the first rows"));
    }

    proptest! {
        /// The fast path agrees with jiff wherever both understand a text, and whatever jiff reads is read.
        #[test]
        fn what_is_read_by_hand_is_what_jiff_reads(
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
            let by_hand = Civil::read(text.as_bytes(), Order::Ymd, b'-');
            let found = reader(Form::Iso).read(text.as_bytes()).ok();
            match jiff {
                Some((time, is_local)) => {
                    let nanoseconds = i64::try_from(time.as_nanosecond()).unwrap();
                    prop_assert_eq!(found, Some(Moment { nanoseconds, is_local }), "{}", text);
                    prop_assert!(by_hand.is_some(), "{} takes the slow path", text);
                }
                None => prop_assert!(by_hand.is_none(), "{}: {:?}, which jiff does not read", text, by_hand),
            }
        }
    }

    #[test]
    fn times_without_an_offset_are_taken_in_the_zone_told() {
        let fixed = TimeZone::fixed(jiff::tz::offset(2));
        let reader = |form| TimeReader { form, zone: Some(fixed.clone()) };
        let at = |text: &str, form| reader(form).read(text.as_bytes()).unwrap();
        let noon = Moment { nanoseconds: 10 * 3_600_000_000_000, is_local: true };
        assert_eq!(at("1970-01-01 12:00", Form::Iso), noon);
        assert_eq!(at("19700101T120000", Form::Iso), noon);
        assert_eq!(at("01.01.1970 12:00", Form::Date(Order::Dmy, b'.')), noon);
        assert_eq!(at("01.01.1970 12", Form::told("%d.%m.%Y %H")), noon);
        assert_eq!(at("1970-01-01 12:00+02:00", Form::Iso), Moment { is_local: false, ..noon });
    }
}
