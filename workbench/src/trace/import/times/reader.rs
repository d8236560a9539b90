//! Reads times of a form.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use std::borrow::Cow;

use super::civil::{self, Civil, DateOrder, Zone};
use super::form::{ADVICE, Strftime, TimeForm};
use super::number;
use crate::workload::excerpt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Moment {
    /// Nanoseconds since 1970 in UTC.
    pub(in super::super) nanoseconds: i64,
    /// Whether the row has no offset from UTC.
    pub(in super::super) is_local: bool,
    /// Whether the clocks skipped it.
    pub(in super::super) is_skipped: bool,
    /// The second time at which the clocks showed it, if they showed it twice.
    pub(in super::super) repeated_at: Option<i64>,
    /// Whether its year is the one that was given.
    pub(in super::super) is_yearless: bool,
}

#[derive(Debug, Clone)]
pub(in super::super) struct TimeReader {
    pub(in super::super) form: TimeForm,
    /// Zone of times without an offset; UTC if absent.
    pub(in super::super) zone: Option<TimeZone>,
    /// Year of times without one.
    pub(in super::super) year: Option<i16>,
}

impl TimeReader {
    /// The moment; `None` if the text does not have the form, or is before 1678 or after 2261.
    pub(in super::super) fn read(&self, text: &[u8]) -> Option<Moment> {
        let text = match self.form {
            TimeForm::Format(_) => text.trim_ascii(),
            _ => without_brackets(text.trim_ascii()),
        };
        match &self.form {
            TimeForm::Iso => self.date(text, DateOrder::YMD, b'-').or_else(|| self.rare_iso(text)),
            TimeForm::Date(order, separator) => self.date(text, *order, *separator),
            TimeForm::Number { scale, is_guessed } => {
                let number = number::read(text, scale).filter(|&time| !is_guessed || number::is_plausible(time))?;
                if scale.is_local {
                    let civil = Offset::UTC.to_datetime(Timestamp::from_nanosecond(number.into()).ok()?);
                    return self.local(civil);
                }
                Some(exactly(number))
            }
            TimeForm::Format(strftime) => self.formatted(text, strftime).ok().flatten(),
        }
    }

    /// The date that a text says, wherever its clock is.
    pub(super) fn civil_date(&self, text: &[u8]) -> Option<Date> {
        let TimeForm::Date(order, separator) = self.form else { return None };
        Some(civil::read(without_brackets(text.trim_ascii()), order, separator, self.year)?.time.date())
    }

    /// Why a text is not read whose zone is an abbreviation; `None` if it is not, or has another flaw.
    pub(super) fn zone_problem(&self, text: &[u8]) -> Option<String> {
        let (order, separator) = match self.form {
            TimeForm::Iso => (DateOrder::YMD, b'-'),
            TimeForm::Date(order, separator) => (order, separator),
            _ => return None,
        };
        let read = civil::read(without_brackets(text.trim_ascii()), order, separator, self.year)?;
        let Zone::Abbreviation(name) = read.zone else { return None };
        let name = String::from_utf8_lossy(name);
        Some(match &self.zone {
            None => {
                let example = usual_zone(&name);
                format!(
                    "`{name}` is short for several time zones: pass --time-zone, for example `--time-zone {example}`"
                )
            }
            Some(zone) => {
                let zone = zone.iana_name().unwrap_or("the given time zone");
                format!("the clocks in {zone} do not show `{name}` then; check --time-zone")
            }
        })
    }

    /// What a text that cannot be read was expected to be.
    pub(in super::super) fn expected(&self, text: &[u8]) -> String {
        let text = text.trim_ascii();
        let expectation = self.form.expectation();
        if let Some(problem) = self.zone_problem(text) {
            return format!("{expectation}: {problem}");
        }
        match &self.form {
            TimeForm::Format(strftime) => match self.formatted(text, strftime) {
                Err(error) => format!("{expectation} ({})", excerpt(&error.to_string())),
                Ok(_) if self.year.is_none() => {
                    format!("{expectation}, between the years 1678 and 2261; if it has no year, set it with --year")
                }
                Ok(_) => format!("{expectation}, between the years 1678 and 2261"),
            },
            TimeForm::Number { is_guessed: true, .. } if number::is_number(text) => {
                format!("{expectation}, from 1990 to the next year; it may be {}", number::readings(text))
            }
            _ => format!("{expectation}, between the years 1678 and 2261; {ADVICE}"),
        }
    }

    fn date(&self, text: &[u8], order: DateOrder, separator: u8) -> Option<Moment> {
        self.moment(civil::read(text, order, separator, self.year)?)
    }

    fn moment(&self, Civil { time, zone, is_yearless }: Civil<'_>) -> Option<Moment> {
        let moment = match zone {
            Zone::Offset(offset) => exact(offset.to_timestamp(time).ok()?),
            Zone::Absent => self.local(time),
            Zone::Abbreviation(name) => self.abbreviated(time, name),
        };
        Some(Moment { is_yearless, ..moment? })
    }

    /// A time whose zone has this name then, which decides where the clocks showed it twice. Without a zone only an offset
    /// would do: names such as `CST` belong to several.
    fn abbreviated(&self, time: DateTime, name: &[u8]) -> Option<Moment> {
        let zone = self.zone.as_ref()?;
        let offsets = match zone.to_ambiguous_timestamp(time).offset() {
            AmbiguousOffset::Unambiguous { offset } => [offset; 2],
            AmbiguousOffset::Fold { before, after } | AmbiguousOffset::Gap { before, after } => [before, after],
        };
        let mut times = offsets.into_iter().filter_map(|offset| offset.to_timestamp(time).ok());
        let is_named = |at: &Timestamp| zone.to_offset_info(*at).abbreviation().as_bytes() == name;
        Some(Moment { is_local: true, ..exact(times.find(is_named)?)? })
    }

    /// Rare forms: `20111011T134540Z`, `2011-10-11T13:45+02:00[Europe/Berlin]`, ….
    fn rare_iso(&self, text: &[u8]) -> Option<Moment> {
        if text.iter().all(u8::is_ascii_digit) {
            return self.compact(text);
        }
        if let Some(time) = civil::read_compact(text) {
            return self.moment(time);
        }
        let text = std::str::from_utf8(text).ok()?;
        match text.parse::<Timestamp>() {
            Ok(time) => exact(time),
            Err(_) => self.local(text.parse().ok()?),
        }
    }

    /// `20111011`, `20111011134540` and, with milliseconds, `20111011134540276`; outside of the years 1900 to 2099 it is a plain
    /// number.
    fn compact(&self, text: &[u8]) -> Option<Moment> {
        let format = match text.len() {
            8 => "%Y%m%d",
            14 => "%Y%m%d%H%M%S",
            17 => "%Y%m%d%H%M%S%3f",
            _ => return None,
        };
        let time = civil_time(&strtime::parse(format, text).ok()?).ok()?;
        self.local(Some(time).filter(|time| (1900..2100).contains(&time.year()))?)
    }

    /// `None` if it has the form but is out of range, or has no year.
    fn formatted(&self, text: &[u8], strftime: &Strftime) -> Result<Option<Moment>, jiff::Error> {
        let text = with_padded_milliseconds(text, strftime.colons_before_milliseconds);
        let mut parsed = match strtime::parse(&strftime.format, &*text) {
            Ok(parsed) => parsed,
            Err(error) => {
                // A no-break space, before PM for example, is a space.
                let Some(plain) = with_plain_spaces(&text) else { return Err(error) };
                strtime::parse(&strftime.format, plain)?
            }
        };
        let is_yearless = parsed.year().is_none() && parsed.month().is_some();
        if is_yearless {
            let Some(year) = self.year else { return Ok(None) };
            parsed.set_year(Some(year))?;
        }
        let moment = if parsed.offset().is_some() || parsed.iana_time_zone().is_some() {
            exact(parsed.to_timestamp()?)
        } else {
            self.local(civil_time(&parsed)?)
        };
        Ok(moment.map(|moment| Moment { is_yearless, ..moment }))
    }

    /// A time that the clocks skipped is read as RFC 5545 defines.
    fn local(&self, civil: DateTime) -> Option<Moment> {
        let Some(zone) = &self.zone else {
            return Some(Moment { is_local: true, ..exact(Offset::UTC.to_timestamp(civil).ok()?)? });
        };
        let ambiguous = zone.to_ambiguous_timestamp(civil);
        let offset = ambiguous.offset();
        let repeated_at = match offset {
            AmbiguousOffset::Fold { after, .. } => exact(after.to_timestamp(civil).ok()?).map(|time| time.nanoseconds),
            _ => None,
        };
        let is_skipped = matches!(offset, AmbiguousOffset::Gap { .. });
        let moment = exact(ambiguous.compatible().ok()?)?;
        Some(Moment { is_local: true, is_skipped, repeated_at, ..moment })
    }
}

/// The zone that an abbreviation most often means.
fn usual_zone(abbreviation: &str) -> &'static str {
    match abbreviation {
        "EST" | "EDT" => "America/New_York",
        "CST" | "CDT" => "America/Chicago",
        "MST" | "MDT" => "America/Denver",
        "PST" | "PDT" => "America/Los_Angeles",
        "BST" => "Europe/London",
        "WET" | "WEST" => "Europe/Lisbon",
        "EET" | "EEST" => "Europe/Helsinki",
        "MSK" => "Europe/Moscow",
        "IST" => "Asia/Kolkata",
        "JST" => "Asia/Tokyo",
        "AEST" | "AEDT" => "Australia/Sydney",
        _ => "Europe/Berlin",
    }
}

/// `[17/May/2015:10:05:03 +0000]`, as web servers write it, without its brackets.
fn without_brackets(text: &[u8]) -> &[u8] {
    let inner = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]"));
    inner.map_or(text, <[u8]>::trim_ascii)
}

/// The text with three digits behind so many colons and one more.
fn with_padded_milliseconds(text: &[u8], colons: Option<usize>) -> Cow<'_, [u8]> {
    let start = colons.and_then(|colons| text.iter().enumerate().filter(|(_, byte)| **byte == b':').nth(colons));
    let Some((colon, _)) = start else { return Cow::Borrowed(text) };
    let digits = text[colon + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !matches!(digits, 1 | 2) {
        return Cow::Borrowed(text);
    }
    Cow::Owned([&text[..=colon], &b"00"[..3 - digits], &text[colon + 1..]].concat())
}

/// `None` if there are no other spaces.
fn with_plain_spaces(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok().filter(|text| !text.is_ascii())?;
    Some(text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect())
}

/// Midnight if there is no time of day.
fn civil_time(parsed: &BrokenDownTime) -> Result<DateTime, jiff::Error> {
    parsed.to_datetime().or_else(|_| Ok(parsed.to_date()?.to_datetime(Time::midnight())))
}

fn exact(time: Timestamp) -> Option<Moment> {
    i64::try_from(time.as_nanosecond()).ok().map(exactly)
}

const fn exactly(nanoseconds: i64) -> Moment {
    Moment { nanoseconds, is_local: false, is_skipped: false, repeated_at: None, is_yearless: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::import::times::number::SCALES;
    use proptest::prelude::*;

    /// The time, or what was expected.
    fn read(form: &TimeForm, text: &str) -> String {
        let reader = TimeReader { form: form.clone(), zone: None, year: Some(2015) };
        match reader.read(text.as_bytes()) {
            Some(moment) => Timestamp::from_nanosecond(moment.nanoseconds.into()).unwrap().to_string(),
            None => reader.expected(text.as_bytes()),
        }
    }

    #[test]
    fn times_of_every_form_are_read_and_others_refused() {
        let points = TimeForm::Date(DateOrder::DMY, b'.');
        let yearless = TimeForm::Date(DateOrder::MD, b' ');
        for (form, text, expected) in [
            (&TimeForm::Iso, "2011-10-11 13:45:40.276000+02:00", "2011-10-11T11:45:40.276Z"),
            (&TimeForm::Iso, " 2011-10-11 13:45 ", "2011-10-11T13:45:00Z"),
            (&TimeForm::Iso, "2011-10-11 01:45:40 PM", "2011-10-11T13:45:40Z"),
            (&TimeForm::Iso, "20111011T134540Z", "2011-10-11T13:45:40Z"),
            (&TimeForm::Iso, "20111011134540", "2011-10-11T13:45:40Z"),
            (&TimeForm::Iso, "20111011134540276", "2011-10-11T13:45:40.276Z"),
            (&TimeForm::Iso, "20111011134540.276Z", "2011-10-11T13:45:40.276Z"),
            (&TimeForm::Iso, "20111011134540,2760000", "2011-10-11T13:45:40.276Z"),
            (&TimeForm::Iso, "20111011134540.276+0200", "2011-10-11T11:45:40.276Z"),
            (&TimeForm::Iso, "201110111345.5Z", "2011-10-11 13:45:40"),
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
            (&points, "03.02.11", "DD.MM.YYYY"),
            (&points, "03.02.2011 13:05 PM", "DD.MM.YYYY"),
            (&points, "03.02.2011 24:00:01", "DD.MM.YYYY"),
            (&points, "03.02.2011 1", "DD.MM.YYYY"),
            (&points, "03.02.2011 1:05:", "DD.MM.YYYY"),
            (&points, "03.02.2011 1:05 x", "DD.MM.YYYY"),
            (&TimeForm::named("%d.%m.%Y %H:%M"), "11.10.2011 13:45", "2011-10-11T13:45:00Z"),
            (&TimeForm::named("%d.%m.%Y %H:%M %z"), "11.10.2011 13:45 +0200", "2011-10-11T11:45:00Z"),
            (&TimeForm::named("%d.%m.%Y"), "11.10.2011", "2011-10-11T00:00:00Z"),
            (&TimeForm::named("%d.%m.%Y"), "2011", "%d.%m.%Y"),
            (&TimeForm::named("unix-ms"), "5", "1970-01-01T00:00:00.005Z"),
            (&TimeForm::named("excel-days"), "45674.41", "2025-01-17T09:50:24Z"),
            (&TimeForm::Number { scale: &SCALES[1], is_guessed: true }, "5", "as in the first rows"),
            (&TimeForm::Number { scale: &SCALES[0], is_guessed: true }, "45674.41", "--time-format excel-days"),
            // Two-digit years.
            (&TimeForm::Date(DateOrder::SHORT_DMY, b'.'), "9.3.10 8:05", "2010-03-09T08:05:00Z"),
            (&TimeForm::Date(DateOrder::SHORT_DMY, b'.'), "9.3.70", "1970-03-09T00:00:00Z"),
            (&TimeForm::Date(DateOrder::SHORT_YMD, b'/'), "17/06/09 20:10:40", "2017-06-09T20:10:40Z"),
            (&TimeForm::Date(DateOrder::SHORT_DMY, b'.'), "9.3.2010 8:05", "DD.MM.YY"),
            // No year, or one behind the time of day.
            (&yearless, "Mar 27 13:06:56", "2015-03-27T13:06:56Z"),
            (&yearless, "Mar  7 13:06:56.5", "2015-03-07T13:06:56.5Z"),
            (&yearless, "Sat Mar 27 13:06:56 2010", "2010-03-27T13:06:56Z"),
            (&yearless, "Mar 27", "MM DD"),
            (&yearless, "Mon Jan 15 13:06:56 UTC 2024", "2024-01-15T13:06:56Z"),
            (&TimeForm::named("%b %d %H:%M:%S"), "Mar 27 13:06:56", "2015-03-27T13:06:56Z"),
            // Web servers, e-mail, DB2, spreadsheets, devices.
            (&TimeForm::Date(DateOrder::DMY, b'/'), "17/May/2015:10:05:03 +0200", "2015-05-17T08:05:03Z"),
            (&TimeForm::Date(DateOrder::DMY, b' '), "Fri, 05 Jan 2024 10:00:00 GMT", "2024-01-05T10:00:00Z"),
            (&TimeForm::Date(DateOrder::DMY, b' '), "05 Jan 2024 10:00:00 GMT+0100", "2024-01-05T09:00:00Z"),
            (&TimeForm::Iso, "2011-10-11-13.45.40.276000", "2011-10-11T13:45:40.276Z"),
            (&TimeForm::Iso, "2011-10-11 18.00.00", "2011-10-11T18:00:00Z"),
            (&TimeForm::Iso, "2011-10-11 18:00:00,210", "2011-10-11T18:00:00.21Z"),
            (&TimeForm::Iso, "2011-10-11 24:00:00", "2011-10-12T00:00:00Z"),
            (&TimeForm::Iso, "2011-10-11 1:05\u{202f}PM", "2011-10-11T13:05:00Z"),
            (&TimeForm::named("%Y-%m-%d %I:%M %p"), "2011-10-11 1:05\u{202f}PM", "2011-10-11T13:05:00Z"),
            (&TimeForm::Iso, "20200326 081257", "2020-03-26T08:12:57Z"),
            (&TimeForm::Iso, "20200326 81257", "2020-03-26T08:12:57Z"),
            (&TimeForm::Iso, "20111011T1345+0200", "2011-10-11T11:45:00Z"),
            (&TimeForm::Date(DateOrder::DMY, b'/'), "[17/May/2015:10:05:03 +0000]", "2015-05-17T10:05:03Z"),
            (&TimeForm::Date(DateOrder::MDY, b' '), "Jan 15, 2024 1:06:56 PM", "2024-01-15T13:06:56Z"),
            (&TimeForm::Date(DateOrder::MDY, b' '), "January 15, 2024 at 1:06\u{202f}PM", "2024-01-15T13:06:00Z"),
            (
                &TimeForm::Date(DateOrder::MDY, b' '),
                "Mon Jan 15 2024 13:06:56 GMT+0100 (Central European Standard Time)",
                "2024-01-15T12:06:56Z",
            ),
            (
                &TimeForm::Date(DateOrder::SHORT_DMY, b'-'),
                "15-JAN-24 01.06.56.123456 PM +01:00",
                "2024-01-15T12:06:56.123456Z",
            ),
            (&TimeForm::Iso, "2024-01-15 13:06:56 +1", "2024-01-15T12:06:56Z"),
            (&TimeForm::Iso, "2024-01-15 13:06:56 UTC-7:30", "2024-01-15T20:36:56Z"),
            (&TimeForm::Iso, "2024-01-15 13:06:56 +01:00 (CET", "2011-10-11"),
            // Behind a colon are milliseconds, padded or not, or microseconds, or nanoseconds.
            (&TimeForm::Iso, "20171223-22:15:29:606042", "2017-12-23T22:15:29.606042Z"),
            (&TimeForm::Iso, "20171223-22:15:29:000606042", "2017-12-23T22:15:29.000606042Z"),
            (&TimeForm::Iso, "20171223-22:15:29:6060", "2011-10-11"),
            (&TimeForm::Iso, "20171223-22:15:29:606", "2017-12-23T22:15:29.606Z"),
            (&TimeForm::Iso, "20171223-22:15:29:89", "2017-12-23T22:15:29.089Z"),
            (&TimeForm::Iso, "20171223-22:16:0:119", "2017-12-23T22:16:00.119Z"),
            (&TimeForm::named("%Y%m%d-%H:%M:%S:%f"), "20171223-22:15:29:89", "2017-12-23T22:15:29.089Z"),
            (&TimeForm::named("%Y%m%d-%T:%f"), "20171223-22:15:29:9", "2017-12-23T22:15:29.009Z"),
            (&TimeForm::named("%Y%m%d-%H:%M:%S.%f"), "20171223-22:15:29.89", "2017-12-23T22:15:29.89Z"),
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
            (hour, minute, second) in ((0u8..24).prop_union(25..26), 0u8..62, 0u8..62),
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
            let by_hand = civil::read(text.as_bytes(), DateOrder::YMD, b'-', None);
            let found = TimeReader { form: TimeForm::Iso, zone: None, year: None }.read(text.as_bytes());
            match jiff {
                Some((time, is_local)) => {
                    let nanoseconds = i64::try_from(time.as_nanosecond()).unwrap();
                    prop_assert_eq!(found, Some(Moment { is_local, ..exactly(nanoseconds) }), "{}", text);
                    prop_assert!(by_hand.is_some(), "{} is read by jiff", text);
                }
                None => prop_assert!(by_hand.is_none(), "{}: {:?}, which jiff does not read", text, by_hand),
            }
        }
    }

    #[test]
    fn times_without_an_offset_are_in_the_given_zone() {
        let fixed = TimeZone::fixed(jiff::tz::offset(2));
        let reader = |form| TimeReader { form, zone: Some(fixed.clone()), year: None };
        let at = |text: &str, form| reader(form).read(text.as_bytes()).unwrap();
        let noon = Moment { is_local: true, ..exactly(10 * 3_600_000_000_000) };
        assert_eq!(at("1970-01-01 12:00", TimeForm::Iso), noon);
        assert_eq!(at("19700101T120000", TimeForm::Iso), noon);
        assert_eq!(at("01.01.1970 12:00", TimeForm::Date(DateOrder::DMY, b'.')), noon);
        assert_eq!(at("01.01.1970 12", TimeForm::named("%d.%m.%Y %H")), noon);
        assert_eq!(at("1970-01-01 12:00+02:00", TimeForm::Iso), Moment { is_local: false, ..noon });
    }
}
