//! Values of options: parsers for clap, which reports errors and exits with code 2.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PathBufValueParser, TypedValueParser};
use jiff::fmt::temporal::{DateTimeParser, Pieces};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::catalogue::{CORES, millicores, ram_mib};
use crate::host::{MIN_RAM_MB, Machine, PROFILES, profile_named};
use crate::load::{Rate, WarmUp};
use crate::trace::byte_size;
use crate::units;
use crate::workload::{MAX_VALUE_BYTES, did_you_mean};

/// A hundred years.
const LONGEST_TIME: Duration = Duration::from_secs(100 * 31_557_600);
/// Standard input, where a file is expected.
pub(crate) const STANDARD_INPUT: &str = "-";

/// A file that is read once, from its beginning; `-` is standard input.
pub(crate) fn input_file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(opened)
}

/// The file to open for an argument.
pub(crate) fn opened(path: PathBuf) -> PathBuf {
    if path.as_os_str() == STANDARD_INPUT { PathBuf::from("/dev/stdin") } else { path }
}

/// A time such as `30s`, `10m` or `1h 30m`; ISO 8601 durations (`PT30S`) are accepted too.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let iso = || text.parse::<SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
    let time = humantime::parse_duration(text).ok().or_else(iso).filter(|time| *time <= LONGEST_TIME);
    time.ok_or_else(|| "expected a time such as `30s`, `500ms` or `10m`, a hundred years at most".to_owned())
}

pub(crate) fn time_above_zero(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("expected a time above zero".to_owned()),
        time => Ok(time),
    }
}

/// A time above zero, a hundred years at most.
pub(crate) fn horizon(text: &str) -> Result<Duration, String> {
    let horizon = time(text).ok().filter(|time| !time.is_zero());
    horizon.ok_or_else(|| "expected a time of at most a hundred years such as `90d`, `6months` or `2y`".to_owned())
}

/// A moment with its offset, RFC 3339.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    let pieces = Pieces::parse(text.trim()).ok();
    let offset = pieces.and_then(|pieces| pieces.to_numeric_offset().map(|offset| offset.seconds().abs()));
    match (offset, text.trim().parse()) {
        (Some(..=MOST_OFFSET_SECONDS), Ok(moment)) => Ok(moment),
        (Some(..=MOST_OFFSET_SECONDS), Err(_)) => Err(format!("expected a moment before {:.0}", Timestamp::MAX)),
        _ => Err("expected a date, time and offset of at most 14 hours such as `2026-05-04T12:00:00Z`".to_owned()),
    }
}

/// An address and a port.
pub(crate) fn socket_address(text: &str) -> Result<SocketAddr, String> {
    let expected = "expected an IP address and a port such as `127.0.0.1:9898` or `[::1]:9898`";
    text.trim().parse().map_err(|_| expected.to_owned())
}

/// A number with its thousands separated by commas or not, and `k` or `M` for thousands and millions: `2000`, `2,000`, `2k`.
fn number(text: &str) -> Option<f64> {
    let (digits, unit) = split_unit(text)?;
    let number: f64 = digits.parse().ok()?;
    Some(number * unit as f64)
}

/// The digits of a number without separators, and its unit.
fn split_unit(text: &str) -> Option<(String, u64)> {
    let (digits, unit) = units::split_unit(text)?;
    let unit = match unit {
        "" => 1,
        "k" | "K" => 1_000,
        "M" => 1_000_000,
        _ => return None,
    };
    Some((digits, unit))
}

/// A finite number above 0.
pub(crate) fn above_zero(text: &str) -> Result<f64, String> {
    match number(text) {
        Some(number) if number > 0.0 && number.is_finite() => Ok(number),
        Some(_) => Err("expected a number more than 0".to_owned()),
        None => Err("expected a number more than 0, such as `2000`, `2,000` or `2k`".to_owned()),
    }
}

/// A whole number of this range.
pub(crate) fn count<T>(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: TryFrom<u64> + 'static,
{
    move |text: &str| {
        let number = whole(text).filter(|number| range.contains(number));
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
            let expected = match (*range.start(), *range.end()) {
                (0, u64::MAX) => String::new(),
                (least, u64::MAX) => format!(" from {}", units::count(least)),
                (least, most) => format!(" from {} to {}", units::count(least), units::count(most)),
            };
            let such_as = if range.contains(&2_000) { ", such as `2000`, `2,000` or `2k`" } else { "" };
            format!("expected a whole number{expected}{such_as}")
        })
    }
}

fn whole(text: &str) -> Option<u64> {
    let (digits, unit) = split_unit(text)?;
    let of_fraction = || {
        let number = digits.parse::<f64>().ok()? * unit as f64;
        // Beyond 2^53 not every whole number is a float.
        let is_whole = number.fract() == 0.0 && (0.0..=9e15).contains(&number);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and in the range")]
        is_whole.then_some(number as u64)
    };
    digits.parse::<u64>().ok().map_or_else(of_fraction, |number| number.checked_mul(unit))
}

/// Days, as a number or as a time: `30`, `30d`, `6months`.
pub(crate) fn days(text: &str) -> Result<f64, String> {
    let time = || horizon(text).map(|time| time.as_secs_f64() / units::DAY_SECONDS);
    let expected = |_| "expected more than 0 days, such as `30`, or a time such as `30d` or `6months`".to_owned();
    above_zero(text).or_else(|_| time()).map_err(expected)
}

/// Percent, `5%` or `5`.
pub(crate) fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim_end();
    number.parse().map_err(|_| "expected percent such as `5%` or `5`".to_owned())
}

/// Percent above 0, at most 100.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let share = percent(text).ok().filter(|&share| share > 0.0 && share <= 100.0);
    share.ok_or_else(|| "expected more than 0 and at most 100 percent".to_owned())
}

/// A profile by name, or `CORES,RAM_MIB`: `2,1500`, `0.5,512`, `2,4GiB`.
pub(crate) fn machine(text: &str) -> Result<Machine, String> {
    if let Some(profile) = profile_named(text) {
        return Ok(Machine::of_profile(profile));
    }
    let parts = text.split_once(',').map(|(cores, ram)| (cores.trim(), ram.trim()));
    let Some((cores, ram)) = parts.filter(|(cores, ram)| !cores.is_empty() && !ram.is_empty()) else {
        let profiles = PROFILES.map(|profile| profile.to_string());
        let names: Vec<_> = profiles.iter().map(String::as_str).collect();
        let similar = did_you_mean(text, &names);
        let names = names.join(", ");
        return Err(format!("expected a profile ({names}) or `CORES,RAM_MIB`, such as `2,1500` or `2,4GiB`{similar}"));
    };
    let millicores = millicores(cores).ok_or_else(|| format!("`{cores}` before the comma, expected {CORES}"))?;
    let found = Some(ram).filter(|ram| !ram.contains(',')).and_then(ram_mib);
    let ram_mib = found.filter(|&ram_mib| ram_mib >= MIN_RAM_MB).ok_or_else(|| {
        let range = format!("expected {MIN_RAM_MB} MiB to 64 TiB of memory");
        // Someone who writes few MiB means GiB.
        match ram.parse::<f64>() {
            Ok(few) if few > 0.0 && few < MIN_RAM_MB as f64 => {
                format!("`{ram}` without a unit is {ram} MiB, {range}; for GiB write `{cores},{ram}GiB`")
            }
            _ => format!(
                "`{ram}` behind the comma, {range}: a number of MiB such as `1500`, or with a unit such as `4GiB`"
            ),
        }
    })?;
    Ok(Machine::named(format!("{},{ram_mib}", units::number(millicores as f64 / 1e3)), millicores, ram_mib))
}

/// A target, or three of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Targets {
    pub(crate) likely: Rate,
    /// The lowest and the highest, of the same kind.
    pub(crate) range: Option<[Rate; 2]>,
}

/// One rate, or the lowest, the likely and the highest; a unit behind the last is that of all.
pub(crate) fn targets(text: &str) -> Result<Targets, String> {
    let parts: Vec<&str> = text.split(',').collect();
    // A comma separates targets here, not thousands.
    let expected = |_: String| {
        "expected commands/s, more than 0, such as `2000` or `2k`, transactions such as `50 fact/s`, or the lowest, the likely \
         and the highest in ascending order such as `500,2000,5000`"
            .to_owned()
    };
    if let [only] = parts[..] {
        return Ok(Targets { likely: rate(only).map_err(expected)?, range: None });
    }
    let rates: Result<Vec<Rate>, _> = parts.into_iter().map(rate).collect();
    match rates.as_deref() {
        Ok([low, likely, high]) if low.per_second < likely.per_second && likely.per_second < high.per_second => {
            let of_last = |one: &Rate| Rate { of: one.of.clone().or_else(|| high.of.clone()), ..*one };
            Ok(Targets { likely: of_last(likely), range: Some([of_last(low), high.clone()]) })
        }
        _ => Err(expected(String::new())),
    }
}

/// Growth in percent per month, compound.
pub(crate) fn growth(text: &str) -> Result<f64, String> {
    const MOST_PERCENT: f64 = 1_000.0;
    let parsed = text.split_once('/').and_then(|(share, time)| {
        let share = percent(share).ok().filter(|share| (0.0..=MOST_PERCENT).contains(share))?;
        match time.trim() {
            "month" => Some(share),
            "year" => Some(100.0 * ((1.0 + share / 100.0).powf(1.0 / 12.0) - 1.0)),
            _ => None,
        }
    });
    parsed.ok_or_else(|| format!("expected growth of 0 to {MOST_PERCENT} % such as `4%/month` or `60%/year`"))
}

/// Farthest from UTC that clocks are.
const MOST_OFFSET_SECONDS: i32 = 14 * 3_600;

/// A name of the IANA database, `UTC`, or an offset such as `+02:00` or `UTC+2`.
pub(crate) fn time_zone(name: &str) -> Result<TimeZone, String> {
    if name.eq_ignore_ascii_case("utc") || name == "Z" {
        return Ok(TimeZone::UTC);
    }
    let expected = |reason: String| {
        format!(
            "expected a name of the IANA database (package `tzdata`), for example `Europe/Berlin`, or an offset such as \
             `+02:00`{reason}"
        )
    };
    // `UTC+2` is an offset. A POSIX time zone with that spelling is two hours west.
    let offset = ["UTC", "GMT"].iter().find_map(|prefix| {
        let (start, rest) = name.split_at_checked(prefix.len())?;
        (start.eq_ignore_ascii_case(prefix) && rest.starts_with(['+', '-'])).then_some(rest)
    });
    let short = offset.filter(|offset| offset.len() == 2).map(|offset| format!("{}0{}", &offset[..1], &offset[1..]));
    let text = short.as_deref().or(offset).unwrap_or(name);
    let zone = DateTimeParser::new().parse_time_zone(text).map_err(|error| expected(format!(": {error}")))?;
    let is_usual = match zone.to_fixed_offset() {
        Ok(offset) => offset.seconds().abs() <= MOST_OFFSET_SECONDS,
        Err(_) => zone.iana_name().is_some(),
    };
    if is_usual { Ok(zone) } else { Err(expected(", at most 14 hours".to_owned())) }
}

/// A separator of fields: one character; `\t` and `tab` are the tab.
pub(crate) fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "\\t" | "tab" => Ok(b'\t'),
        _ => ascii_character(text),
    }
}

/// Bytes of a stored value: `4096`, `4k` or `4KiB`, in powers of 1024, `4kB` in powers of 1000.
pub(crate) fn value_bytes(text: &str) -> Result<u32, String> {
    let bytes = byte_size(text).and_then(|bytes| u32::try_from(bytes).ok()).filter(|&bytes| bytes <= MAX_VALUE_BYTES);
    bytes.ok_or_else(|| format!("expected bytes such as `4096`, `4k` or `4kB`, at most {MAX_VALUE_BYTES}"))
}

pub(crate) fn ascii_character(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err("expected one ASCII character".to_owned()),
    }
}

/// The machine that the backend is tuned for.
#[derive(Debug, Clone)]
pub(crate) enum TunedFor {
    Host,
    Machine(Machine),
}

pub(crate) fn tuned_for(text: &str) -> Result<TunedFor, String> {
    match text {
        "host" => Ok(TunedFor::Host),
        _ => machine(text).map(TunedFor::Machine).map_err(|expected| format!("{expected}, or `host`")),
    }
}

/// What is known of a disk: its size in GB, or the file of its profile.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DiskArg {
    SizeGb(f64),
    Profile(PathBuf),
}

impl DiskArg {
    /// The file of a profile.
    pub(crate) const fn profile(&self) -> Option<&PathBuf> {
        match self {
            Self::Profile(path) => Some(path),
            Self::SizeGb(_) => None,
        }
    }
}

/// A number is a size; a file with such a name needs its directory (`./500`).
pub(crate) fn disk(text: &str) -> Result<DiskArg, String> {
    const UNITS_GB: [(&str, f64); 4] = [("TB", 1e3), ("GB", 1.0), ("TiB", 1_099.511_627_776), ("GiB", 1.073_741_824)];
    let with_unit = UNITS_GB.iter().find_map(|(unit, gb)| Some((text.strip_suffix(unit)?.trim_end(), *gb)));
    let (size, unit_gb) = with_unit.unwrap_or((text, 1.0));
    let in_gb = |size| DiskArg::SizeGb(size * unit_gb);
    match number(size) {
        Some(_) => above_zero(size).map(in_gb).map_err(|_| expected_disk()),
        None if text.is_empty() => Err(expected_disk()),
        None => Ok(DiskArg::Profile(opened(text.into()))),
    }
}

fn expected_disk() -> String {
    "expected a size in GB more than 0, such as `500`, `500GB` or `2TiB`, or a file of `host --probe -o`".to_owned()
}

/// Commands per second, `2000`, or transactions or commands of one kind per second, `50 fact/s`.
pub(crate) fn rate(text: &str) -> Result<Rate, String> {
    let text = text.trim();
    let of_kind = text.strip_suffix("/s").map(|text| {
        let unit = text.rfind(char::is_whitespace).or_else(|| text.find(|c: char| c.is_alphabetic() || c == '_'));
        match text.split_at(unit.unwrap_or(text.len())) {
            (_, "k" | "K" | "M") => (text, ""),
            parts => parts,
        }
    });
    let (number, of) = of_kind.map_or((text, ""), |(number, of)| (number.trim_end(), of.trim_start()));
    let per_second = above_zero(number).map_err(|_| {
        "expected commands/s, more than 0, such as `2000`, `2,000` or `2k`, or transactions such as `50 fact/s`"
            .to_owned()
    })?;
    let of = Some(of.to_owned()).filter(|of| !of.is_empty() && of != "commands" && of != "command");
    Ok(Rate { per_second, of })
}

/// A rate, or a rising linear ramp: `2000`, `50 fact/s`, `500..5000`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OfferedRate {
    Constant(Rate),
    Ramp { from: Rate, to: Rate },
}

pub(crate) fn offered_rate(text: &str) -> Result<OfferedRate, String> {
    let one = |text: &str| rate(text).map_err(|expected| format!("{expected}, or a ramp such as `500..5000`"));
    let Some((from, to)) = text.split_once("..") else { return one(text).map(OfferedRate::Constant) };
    let (from, to) = (one(from)?, one(to)?);
    if from.of == to.of && from.per_second >= to.per_second {
        return Err("expected a ramp that rises, such as `500..5000`".to_owned());
    }
    Ok(OfferedRate::Ramp { from, to })
}

/// A fixed warm-up, or `steady`.
pub(crate) fn warm_up(text: &str) -> Result<WarmUp, String> {
    match text {
        "steady" => Ok(WarmUp::STEADY),
        _ => time(text).map(WarmUp::Fixed).map_err(|expected| format!("{expected}, or `steady`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_accept_units_fractions_sums_and_iso_8601() {
        for (text, milliseconds) in [
            ("500ms", 500),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("1m 30s", 90_000),
            ("1h30m", 5_400_000),
            ("2 minutes", 120_000),
            ("1 hour, 1 second", 3_601_000),
            ("PT30S", 30_000),
            ("1d", 86_400_000),
        ] {
            assert_eq!(time(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["soon", "-5s", "5", ""] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_accept_units() {
        assert_eq!((value_bytes("0"), value_bytes("4 KiB")), (Ok(0), Ok(4_096)));
        for text in ["k", "1000M"] {
            assert!(value_bytes(text).is_err(), "{text}");
        }
        for (text, gb) in [("500", 500.0), ("1,000GB", 1_000.0), ("2TB", 2_000.0), ("2 TiB", 2_199.023_255_552)] {
            assert!(matches!(disk(text), Ok(DiskArg::SizeGb(found)) if (found - gb).abs() < 1e-9), "{text}");
        }
    }

    #[test]
    fn zones_are_names_or_offsets_and_separators_characters_or_a_tab() {
        let two_hours = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!((time_zone("+02:00"), time_zone("UTC")), (Ok(two_hours), Ok(TimeZone::UTC)));
        for text in ["UTC+2", "GMT+02:00", "utc+02"] {
            assert_eq!(
                time_zone(text),
                Ok(TimeZone::fixed(jiff::tz::offset(2))),
                "{text}: no POSIX zone, which is west"
            );
        }
        for text in ["+99:00", "+25:00", "UTC+15", "noon", "EST5EDT4,M3.2.0,M11.1.0"] {
            assert!(time_zone(text).is_err(), "{text}");
        }
        assert_eq!([";", "\\t", "tab", "\t"].map(|text| delimiter(text).unwrap()), *b";\t\t\t");
        assert!(delimiter(";;").is_err());
    }

    #[test]
    fn rates_are_one_number_above_zero_or_two() {
        let of = |per_second, of: Option<&str>| Rate { per_second, of: of.map(str::to_owned) };
        let all = |per_second| of(per_second, None);
        assert_eq!(offered_rate("2000"), Ok(OfferedRate::Constant(all(2_000.0))));
        assert_eq!(offered_rate("500..5000"), Ok(OfferedRate::Ramp { from: all(500.0), to: all(5_000.0) }));
        for (text, expected) in [
            ("2000 commands/s", all(2_000.0)),
            ("2000/s", all(2_000.0)),
            ("2,000/s", all(2_000.0)),
            ("2k/s", all(2_000.0)),
            ("2k fact/s", of(2_000.0, Some("fact"))),
            ("50 facts/s", of(50.0, Some("facts"))),
            ("0.5fact/s", of(0.5, Some("fact"))),
            ("1e3 _x/s", of(1_000.0, Some("_x"))),
        ] {
            assert_eq!(rate(text), Ok(expected), "{text}");
        }
        for text in ["0", "-5", "NaN", "inf", "5..", "0..5", "fast", "fact/s", "0 fact/s", "50 fact", "50 fact/min"] {
            assert!(offered_rate(text).unwrap_err().contains("`2k`"), "{text}");
        }
        assert!(offered_rate("5000..500").unwrap_err().contains("rises"));
    }

    #[test]
    fn numbers_accept_separators_between_thousands_and_units() {
        for (text, expected) in [
            ("2000", 2_000.0),
            ("2,000", 2_000.0),
            ("1,234,567.5", 1_234_567.5),
            ("2k", 2_000.0),
            ("1.5 M", 1_500_000.0),
            ("0.5", 0.5),
        ] {
            assert_eq!(above_zero(text), Ok(expected), "{text}");
        }
        for text in ["2,5", "20,00", "1234,567", "2.000,5", ",5", "1,000,", "2m", "k", ""] {
            assert!(above_zero(text).unwrap_err().contains("`2,000` or `2k`"), "{text}");
        }
    }

    #[test]
    fn targets_are_one_rate_or_three_that_ascend() {
        let commands = |per_second| Rate { per_second, of: None };
        assert_eq!(targets("2000"), Ok(Targets { likely: commands(2_000.0), range: None }));
        let range = Some([commands(500.0), commands(5_000.0)]);
        assert_eq!(targets("500, 2000,5000"), Ok(Targets { likely: commands(2_000.0), range }));
        let facts = targets("5,20,50 fact/s").unwrap();
        assert_eq!((facts.likely.per_second, facts.likely.of.as_deref()), (20.0, Some("fact")));
        assert!(facts.range.unwrap().iter().all(|one| one.of.as_deref() == Some("fact")));
        for text in ["", "0", "500,2000", "2000,500,5000", "500,500,900", "1,2,3,4", "1,x,3"] {
            let expected = targets(text).unwrap_err();
            assert!(expected.contains("`500,2000,5000`") && !expected.contains("`2,000`"), "{text}: {expected}");
        }
    }

    #[test]
    fn growth_is_compound_per_month_or_year() {
        assert_eq!(growth("4%/month"), Ok(4.0));
        let yearly = growth("60 % / year").unwrap();
        assert!(((1.0 + yearly / 100.0_f64).powi(12) - 1.6).abs() < 1e-9, "{yearly}");
        for text in ["4%", "4%/day", "-4%/month", "NaN%/month", "/month", "5000%/month"] {
            assert!(growth(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_has_a_date_a_time_and_an_offset() {
        assert_eq!(moment("2026-05-04T14:00:00+02:00"), moment("2026-05-04T12:00:00Z"));
        for text in ["2026-05-04T12:00:00", "2026-05-04", "12:00", "soon", ""] {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_has_a_port() {
        for text in ["127.0.0.1:9898", "[::1]:0"] {
            assert_eq!(socket_address(text).map(|address| address.to_string()), Ok(text.to_owned()));
        }
        for text in ["9898", ":9898", "127.0.0.1", "127.0.0.1:99999", "localhost:9898", ""] {
            assert!(socket_address(text).unwrap_err().contains("`127.0.0.1:9898`"), "{text}");
        }
    }

    #[test]
    fn counts_are_whole_and_within_their_range() {
        let any = count::<u64>(0..=u64::MAX);
        for (text, expected) in [("0", 0), ("10k", 10_000), ("1.5k", 1_500), ("18446744073709551615", u64::MAX)] {
            assert_eq!(any(text), Ok(expected), "{text}");
        }
        for text in ["-1", "1.5", "0.0001k", "99999999999999999999", "18446744073709551615k", "many"] {
            assert!(any(text).is_err(), "{text}");
        }
        let writers = count::<u64>(1..=1_024);
        assert_eq!(writers("1,024"), Ok(1_024));
        assert!(writers("0").unwrap_err().contains("from 1 to 1,024"));
        assert_eq!(count::<u32>(1..=u64::MAX)("5000000000").ok(), None, "more than the type has");
    }

    #[test]
    fn days_are_a_number_or_a_time() {
        assert_eq!((days("30"), days("30d"), days("36h")), (Ok(30.0), Ok(30.0), Ok(1.5)));
        assert!(days("0").is_err() && days("soon").unwrap_err().contains("`30d`"));
    }

    #[test]
    fn a_disk_is_a_size_or_a_file() {
        for text in ["500", "500GB", "0.5 TB"] {
            assert_eq!(disk(text), Ok(DiskArg::SizeGb(500.0)), "{text}");
        }
        for file in ["disk.json", "./500", "/srv/disk"] {
            assert_eq!(disk(file), Ok(DiskArg::Profile(file.into())));
        }
        for text in ["0", "-5", "0TB", ""] {
            assert!(disk(text).is_err(), "{text}");
        }
    }

    #[test]
    fn machines_are_profiles_or_cores_and_memory() {
        assert_eq!(machine("nano").unwrap().name, "nano");
        assert_eq!(machine("2, 1500"), Ok(Machine::custom(2, 1_500)));
        assert_eq!((machine("2,1500MiB"), machine("2,4GiB")), (machine("2,1500"), machine("2,4096")));
        assert!(machine("nanoo").unwrap_err().ends_with("did you mean `nano`?"));
        let half = machine("0.5,512").unwrap();
        assert_eq!((half.name.as_str(), half.millicores, half.ram_mb), ("0.5,512", 500, 512));
        for (text, expected) in [
            ("huge", "expected a profile (nano, micro"),
            ("2", "expected a profile"),
            ("host", "expected a profile"),
            ("0,512", "`0` before the comma, expected a number of cores from 0.05 to 4,096"),
            ("2,10", "`10` without a unit is 10 MiB, expected 64 MiB to 64 TiB of memory; for GiB write `2,10GiB`"),
            ("2,0", "`0` behind the comma, expected 64 MiB to 64 TiB of memory: a number of MiB such as"),
            ("2,1e9GiB", "`1e9GiB` behind the comma, expected 64 MiB"),
            ("2,4 apples", "`4 apples` behind the comma, expected 64 MiB"),
            ("2,4,096", "`4,096` behind the comma, expected 64 MiB"),
        ] {
            let found = machine(text).unwrap_err();
            assert!(found.starts_with(expected), "{text}: {found}");
        }
        assert!(matches!(tuned_for("host"), Ok(TunedFor::Host)));
    }
}
