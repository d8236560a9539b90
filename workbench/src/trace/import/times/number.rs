//! Times as numbers: a count of units since an epoch, or digits that are a date.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::{DateTime, Time, date};
use jiff::fmt::strtime;
use jiff::tz::{Offset, TimeZone};

/// A way to count time.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Scale {
    /// Its name as a `--time-format`.
    pub(super) option: &'static str,
    pub(super) name: &'static str,
    /// Nanoseconds per unit.
    unit: u64,
    /// Seconds from 1970 to its zero.
    epoch: i64,
    /// Whether it counts local time, as spreadsheets do; to the millisecond, since a fraction of a day is not exact.
    pub(super) is_local: bool,
}

const fn scale(option: &'static str, name: &'static str, unit: u64, epoch: i64) -> Scale {
    Scale { option, name, unit, epoch, is_local: false }
}

/// Seconds from the year 1601 to 1970.
const SINCE_1601: i64 = 11_644_473_600;

/// Unix times come first.
pub(super) static SCALES: [Scale; 8] = [
    scale("unix-s", "Unix seconds", 1_000_000_000, 0),
    scale("unix-ms", "Unix milliseconds", 1_000_000, 0),
    scale("unix-us", "Unix microseconds", 1_000, 0),
    scale("unix-ns", "Unix nanoseconds", 1, 0),
    Scale { is_local: true, ..scale("excel-days", "days of a spreadsheet", 86_400_000_000_000, -25_569 * 86_400) },
    scale("dotnet-ticks", ".NET ticks", 100, -62_135_596_800),
    scale("filetime", "Windows file time", 100, -SINCE_1601),
    scale("webkit-us", "microseconds since 1601", 1_000, -SINCE_1601),
];

/// Only these are detected; the others are named where a number is no plausible Unix time.
pub(super) fn unix_scales() -> &'static [Scale] {
    &SCALES[..4]
}

/// Digits that may be a date, with their number. `YYYYMMDD` and `YYYYMMDDHHMMSS` belong to the ISO forms.
const DIGIT_DATES: [(usize, &str); 6] =
    [(6, "%y%m%d"), (8, "%d%m%Y"), (8, "%m%d%Y"), (10, "%y%m%d%H%M"), (12, "%Y%m%d%H%M"), (12, "%y%m%d%H%M%S")];

/// Nanoseconds since 1970 from 1990 to the end of next year: the times that a log of an application may have.
static PLAUSIBLE: LazyLock<RangeInclusive<i64>> = LazyLock::new(|| {
    let year = Timestamp::now().to_zoned(TimeZone::UTC).year();
    let start_of = |year: i16| Offset::UTC.to_timestamp(date(year.min(2261), 1, 1).to_datetime(Time::midnight()));
    let nanoseconds = |year| start_of(year).ok().and_then(|time| i64::try_from(time.as_nanosecond()).ok());
    nanoseconds(1990).unwrap_or(0)..=nanoseconds(year.saturating_add(2)).unwrap_or(i64::MAX) - 1
});

pub(super) fn is_plausible(nanoseconds: i64) -> bool {
    PLAUSIBLE.contains(&nanoseconds)
}

/// Sign, whole part, and the first nine digits behind the point or comma.
struct Decimal {
    negative: bool,
    whole: u64,
    billionths: u64,
}

impl Decimal {
    fn read(text: &[u8]) -> Option<Self> {
        let negative = text.first() == Some(&b'-');
        let text = &text[usize::from(negative)..];
        let point = text.iter().position(|byte| matches!(byte, b'.' | b',')).unwrap_or(text.len());
        let fraction = text.get(point + 1..).unwrap_or_default();
        // `1.3e9`, as spreadsheets write it.
        let Some(whole) = digits(&text[..point]).filter(|_| fraction.iter().all(u8::is_ascii_digit)) else {
            return Self::scientific(text, negative);
        };
        Some(Self { negative, whole, billionths: billionths(fraction).into() })
    }

    fn scientific(text: &[u8], negative: bool) -> Option<Self> {
        let begins = text.first().is_some_and(u8::is_ascii_digit);
        let has_exponent = text.iter().any(|byte| matches!(byte, b'e' | b'E'));
        let text = std::str::from_utf8(text).ok().filter(|_| begins && has_exponent)?;
        let number: f64 = text.replacen(',', ".", 1).parse().ok()?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked against the bounds")]
        (number < 1e19).then(|| Self {
            negative,
            whole: number.trunc() as u64,
            billionths: (number.fract() * 1e9) as u64,
        })
    }
}

/// Nanoseconds that the last digit of a number in scientific notation stands for; `None` for any other number.
pub(super) fn precision_ns(text: &[u8], scale: &Scale) -> Option<f64> {
    Decimal::read(text)?;
    let (mantissa, exponent) = std::str::from_utf8(text).ok()?.split_once(['e', 'E'])?;
    let fraction = mantissa.split_once(['.', ',']).map_or(0, |(_, fraction)| fraction.len());
    let exponent = exponent.parse::<i32>().ok()?.checked_sub(fraction.try_into().ok()?)?;
    Some(10_f64.powi(exponent) * scale.unit as f64)
}

pub(super) fn is_number(text: &[u8]) -> bool {
    Decimal::read(text).is_some()
}

/// The first nine digits behind a point; what is finer is dropped.
pub(super) fn billionths(digits: &[u8]) -> u32 {
    let padded = digits.iter().chain(std::iter::repeat(&b'0'));
    padded.take(9).fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
}

fn digits(text: &[u8]) -> Option<u64> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| is_number)?.parse().ok()
}

/// Nanoseconds since 1970, rounded towards the zero of the scale.
pub(super) fn read(text: &[u8], scale: &Scale) -> Option<i64> {
    let number = Decimal::read(text)?;
    let unit = i128::from(scale.unit);
    let since_zero = i128::from(number.whole) * unit + i128::from(number.billionths) * unit / 1_000_000_000;
    let since_zero = if scale.is_local { (since_zero + 500_000) / 1_000_000 * 1_000_000 } else { since_zero };
    let signed = if number.negative { -since_zero } else { since_zero };
    i64::try_from(signed + i128::from(scale.epoch) * 1_000_000_000).ok()
}

/// The digits as a date that is plausible.
fn digit_date(text: &[u8], length: usize, format: &str) -> Option<DateTime> {
    if text.len() != length || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let parsed = strtime::parse(format, text).ok()?;
    let time =
        parsed.to_datetime().or_else(|_| parsed.to_date().map(|date| date.to_datetime(Time::midnight()))).ok()?;
    let nanoseconds = Offset::UTC.to_timestamp(time).ok()?.as_nanosecond();
    i64::try_from(nanoseconds).is_ok_and(is_plausible).then_some(time)
}

/// Whether a number is a plausible time in a form that is not detected. Ten digits are Unix seconds.
pub(super) fn has_other_reading(text: &[u8]) -> bool {
    let is_date = |(length, format): &(usize, &str)| *length != 10 && digit_date(text, *length, format).is_some();
    SCALES[unix_scales().len()..].iter().any(|scale| read(text, scale).is_some_and(is_plausible))
        || DIGIT_DATES.iter().any(is_date)
}

/// What a number may stand for, each with the option that selects it.
pub(super) fn readings(text: &[u8]) -> String {
    let shown = |scale: &Scale, nanoseconds: i64| {
        let time = Timestamp::from_nanosecond(nanoseconds.into()).expect("between 1677 and 2262");
        format!("{} ({time}: `--time-format {}`)", scale.name, scale.option)
    };
    let plausible = |scale: &&Scale| read(text, scale).is_some_and(is_plausible);
    let mut found: Vec<String> =
        SCALES.iter().filter(plausible).filter_map(|scale| Some(shown(scale, read(text, scale)?))).collect();
    if !unix_scales().iter().any(|scale| plausible(&scale)) {
        // The finest unit that gives a year between 1677 and 2262: the largest time.
        let unix = unix_scales().iter().find_map(|scale| Some(shown(scale, read(text, scale)?)));
        found.splice(0..0, unix);
    }
    found.extend(DIGIT_DATES.iter().filter_map(|(length, format)| {
        let time = digit_date(text, *length, format)?;
        Some(format!("a date ({time}: `--time-format {format}`)"))
    }));
    found.extend(year_or_clock(text));
    found.join(", or ")
}

fn year_or_clock(text: &[u8]) -> Option<String> {
    let number = digits(text)?;
    match text.len() {
        4 if (1990..=2100).contains(&number) => Some("a year without month and day".to_owned()),
        5 | 6 if number / 10_000 < 24 && number / 100 % 100 < 60 && number % 100 < 60 => {
            let (hour, minute, second) = (number / 10_000, number / 100 % 100, number % 100);
            let clock = format!("{hour:02}:{minute:02}:{second:02}");
            Some(format!("a time of day ({clock}: give the date's column too, `--time-column DATE,TIME`)"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale_named(option: &str) -> &'static Scale {
        SCALES.iter().find(|scale| scale.option == option).unwrap()
    }

    #[test]
    fn numbers_are_read_in_their_unit_to_the_nanosecond() {
        for (option, text, nanoseconds) in [
            ("unix-s", "1318340740", 1_318_340_740_000_000_000),
            ("unix-s", "1318340740.1234567899", 1_318_340_740_123_456_789),
            ("unix-s", "1318340740,5", 1_318_340_740_500_000_000),
            ("unix-ms", "1318340740276", 1_318_340_740_276_000_000),
            ("unix-ms", "1318340740276.5", 1_318_340_740_276_500_000),
            ("unix-us", "1318340740276001", 1_318_340_740_276_001_000),
            ("unix-ns", "1318340740276001002", 1_318_340_740_276_001_002),
            ("unix-s", "1.31834074e9", 1_318_340_740_000_000_000),
            ("unix-s", "1,31834074E+09", 1_318_340_740_000_000_000),
            ("unix-s", "-1.5", -1_500_000_000),
            ("unix-s", "0", 0),
            // 2025-01-17T09:50:24, 2025-03-29T04:44:53.463144, 2024-01-02T15:30.
            ("excel-days", "45674.41", 1_737_107_424_000_000_000),
            ("excel-days", "45674.333333333", 1_737_100_800_000_000_000),
            ("dotnet-ticks", "638788202934631440", 1_743_223_493_463_144_000),
            ("filetime", "133486830000000000", 1_704_209_400_000_000_000),
            ("webkit-us", "13348683000000000", 1_704_209_400_000_000_000),
        ] {
            assert_eq!(read(text.as_bytes(), scale_named(option)), Some(nanoseconds), "{option} {text}");
        }
        for text in ["", "-", ".5", "NaN", "inf", "1.5.2", "1,5,2", "0x10", "99999999999999999999"] {
            assert!(!is_number(text.as_bytes()), "{text}");
        }
        assert_eq!(read(b"1318340740276", &SCALES[0]), None, "the year 43746");
    }

    #[test]
    fn the_last_digit_of_scientific_notation_is_its_precision() {
        for (option, text, seconds) in [
            ("unix-ms", "1.70E+12", Some(1e7)),
            ("unix-ms", "1,7E12", Some(1e8)),
            ("unix-s", "1.700000123e9", Some(1.0)),
            ("unix-ms", "1.700000123456E12", Some(0.001)),
            ("excel-days", "4.5E4", Some(1e3 * 86_400.0)),
            ("unix-ms", "1700000123456", None),
            ("unix-s", "e9", None),
        ] {
            let found = precision_ns(text.as_bytes(), scale_named(option)).map(|precision| precision / 1e9);
            let is_near = |(found, expected): (f64, f64)| (found / expected - 1.0).abs() < 1e-9;
            assert!(found.zip(seconds).map_or(found == seconds, is_near), "{text}: {found:?}");
        }
    }

    #[test]
    fn a_number_is_explained_by_its_plausible_readings() {
        for (text, parts) in [
            (
                "45674.41",
                &["Unix seconds (1970-01-01T12:41:14.41Z", "2025-01-17T09:50:24Z: `--time-format excel-days`"][..],
            ),
            ("638788202934631440", &["1990-03-30", "unix-ns", ".NET ticks (2025-03-29", "dotnet-ticks"]),
            ("133486830000000000", &["Unix nanoseconds (1974", "2024-01-02T15:30:00Z: `--time-format filetime`"]),
            ("5000000000", &["Unix seconds (2128-06-11T08:53:20Z: `--time-format unix-s`)"]),
            ("202401021530", &["Unix milliseconds (1976", "2024-01-02T15:30:00: `--time-format %Y%m%d%H%M`"]),
            ("01022024", &["Unix seconds (1970", "(2024-02-01T00:00:00: `--time-format %d%m%Y`)", "%m%d%Y"]),
            ("203615", &["Unix seconds (1970", "a time of day (20:36:15", "--time-column DATE,TIME"]),
            ("2024", &["Unix seconds (1970", "a year"]),
        ] {
            let found = readings(text.as_bytes());
            assert!(parts.iter().all(|part| found.contains(part)), "{text}: {found}");
        }
    }
}
