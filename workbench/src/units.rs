//! Figures as text: three significant digits for measurements, whole numbers for counts. `split_unit` reads what people write.
//!
//! Sizes are binary (`MiB`, `GiB`), as machine profiles and the engine's buffers are. What is not a finite number becomes
//! [`ABSENT`].

use jiff::Timestamp;

/// Text in place of an unknown figure.
pub const ABSENT: &str = "—";

pub(crate) fn absent() -> String {
    ABSENT.to_owned()
}

const SECOND_NS: f64 = 1e9;
const MINUTE_SECONDS: f64 = 60.0;
const HOUR_SECONDS: f64 = 3_600.0;
pub(super) const DAY_SECONDS: f64 = 86_400.0;
pub(super) const DAYS_PER_MONTH: f64 = 365.25 / 12.0;

/// A time in nanoseconds, three significant digits: `77 µs`, `1.24 ms`, `2 min 5 s`.
pub fn duration(nanoseconds: f64) -> String {
    if !nanoseconds.is_finite() {
        return absent();
    }
    if nanoseconds < 0.0 {
        return format!("−{}", duration(-nanoseconds));
    }
    for (unit, size_ns) in [("ns", 1.0), ("µs", 1e3), ("ms", 1e6)] {
        let scaled = three_digits(nanoseconds / size_ns);
        if scaled < 1_000.0 {
            return format!("{scaled} {unit}");
        }
    }
    long_duration(nanoseconds / SECOND_NS)
}

/// A difference of times in nanoseconds, with its sign: `+1.5 µs`.
pub fn duration_difference(nanoseconds: f64) -> String {
    let sign = if nanoseconds > 0.0 && nanoseconds.is_finite() { "+" } else { "" };
    format!("{sign}{}", duration(nanoseconds))
}

/// A range of times in nanoseconds, with one unit where it is the same: `1.46 – 1.57 ms`.
pub fn duration_range(low_nanoseconds: f64, high_nanoseconds: f64) -> String {
    range(&duration(low_nanoseconds), &duration(high_nanoseconds))
}

/// A range of figures, with one unit where it is the same.
pub(crate) fn range(low: &str, high: &str) -> String {
    match (low.split_once(' '), high.split_once(' ')) {
        (Some((figure, low_unit)), Some((_, high_unit))) if low_unit == high_unit => format!("{figure} – {high}"),
        _ => format!("{low} – {high}"),
    }
}

/// A time in seconds: `850 ms`, `90 s`, `2 min 5 s`, `3 h 20 min`, `17.4 days`.
pub fn seconds(seconds: f64) -> String {
    duration(seconds * SECOND_NS)
}

fn long_duration(seconds: f64) -> String {
    let rounded = seconds.round();
    if rounded < 2.0 * MINUTE_SECONDS {
        format!("{} s", three_digits(seconds))
    } else if rounded < 2.0 * HOUR_SECONDS {
        format!("{} min {} s", (rounded / MINUTE_SECONDS).floor(), rounded % MINUTE_SECONDS)
    } else if rounded < 2.0 * DAY_SECONDS {
        let minutes = (rounded / MINUTE_SECONDS).round();
        format!("{} h {} min", (minutes / 60.0).floor(), minutes % 60.0)
    } else {
        format!("{} days", number(seconds / DAY_SECONDS))
    }
}

/// A time in days: `12.5 days`, `1,460 days`; below two days as hours and minutes, below a second as `less than a day`.
pub fn days(days: f64) -> String {
    if days.is_finite() && days >= 2.0 {
        format!("{} days", number(days))
    } else if days.abs() * DAY_SECONDS < 1.0 {
        "less than a day".to_owned()
    } else {
        seconds(days * DAY_SECONDS)
    }
}

/// A time in months: `11.6 months`; below two months in days.
pub fn months(months: f64) -> String {
    if months < 2.0 { about_days(months * DAYS_PER_MONTH) } else { format!("{} months", number(months)) }
}

/// An estimated time in days, rounded to a whole unit below two days: `54 min`, `12 h`, `12.5 days`.
pub fn about_days(estimate: f64) -> String {
    let [minutes, hours] = [MINUTE_SECONDS, HOUR_SECONDS].map(|unit| (estimate * DAY_SECONDS / unit).round());
    if minutes < 2.0 || hours >= 48.0 {
        days(estimate)
    } else if minutes < 120.0 {
        format!("{minutes} min")
    } else {
        format!("{hours} h")
    }
}

/// A size in bytes, three significant digits: `512 B`, `1.5 MiB`.
pub fn bytes(bytes: f64) -> String {
    if !bytes.is_finite() {
        return absent();
    }
    let mut scaled = bytes;
    for unit in ["B", "KiB", "MiB", "GiB", "TiB"] {
        // 1,023.7 of a unit would round to 1,020: four digits up to 1,024 keep neighbouring sizes apart.
        let shown = if scaled.abs() < 1_000.0 { three_digits(scaled) } else { scaled.round() };
        if shown.abs() < 1_024.0 {
            return format!("{} {unit}", group(&shown.to_string()));
        }
        scaled /= 1_024.0;
    }
    format!("{} PiB", number(scaled))
}

/// `once`, `3 times`.
pub(crate) fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{} times", self::count(count)) }
}

/// A rate per second, whole from 100 up, three significant digits below: `12,300/s`, `0.254/s`.
pub fn rate(per_second: f64) -> String {
    if per_second.is_finite() { format!("{}/s", number(per_second)) } else { absent() }
}

/// A rate of commands: `1 command/s`, `12,300 commands/s`.
pub(crate) fn commands_per_second(per_second: f64) -> String {
    let shown = number(per_second);
    format!("{shown} command{}/s", plural(&shown))
}

/// The end of a noun behind a number.
fn plural(shown: &str) -> &'static str {
    if shown == "1" { "" } else { "s" }
}

/// A whole number with thousands separators: `1,234,567`.
pub fn count(count: u64) -> String {
    group(&count.to_string())
}

/// A count and its noun, singular for one: `1 core`, `2 cores`, `1,500 actors`.
pub fn counted(count: u64, noun: &str) -> String {
    let shown = self::count(count);
    format!("{shown} {noun}{}", plural(&shown))
}

/// An amount of money with its currency: `12.40 EUR`, `0.0042 USD`, `1,240 EUR`.
pub(crate) fn money(amount: f64, currency: &str) -> String {
    if !amount.is_finite() {
        return absent();
    }
    let size = amount.abs();
    let digits = if size >= 1_000.0 {
        group(&size.round().to_string())
    } else if size >= 0.1 || size == 0.0 {
        format!("{size:.2}")
    } else {
        three_digits(size).to_string()
    };
    format!("{}{digits} {currency}", if amount < 0.0 { "−" } else { "" })
}

/// CPU time in thousandths of a core: `1 core`, `0.5 cores`, `2 cores`.
pub(crate) fn cores(millicores: u64) -> String {
    let shown = number(millicores as f64 / 1e3);
    format!("{shown} core{}", plural(&shown))
}

/// A number: whole with thousands separators from a hundred up, three significant digits below.
pub fn number(number: f64) -> String {
    if !number.is_finite() {
        return absent();
    }
    let shown = if number.abs() < 100.0 { three_digits(number) } else { number.round() };
    group(&shown.to_string())
}

/// A share in percent, three significant digits: `12.3 %`. A millionth and less is a rounding error: `0 %`.
pub fn percent(percent: f64) -> String {
    let percent = if percent.abs() < 1e-6 { 0.0 } else { percent };
    if percent.is_finite() { format!("{} %", number(percent)) } else { absent() }
}

/// A difference in percent with its sign: one decimal below 100, whole from there: `+11.2 %`.
pub fn percent_difference(percent: f64) -> String {
    let size = percent.abs();
    let digits = if size < 99.95 { format!("{size:.1}") } else { number(size.round()) };
    let sign = if percent < 0.0 { "−" } else { "+" };
    let sign = if digits == "0.0" || !percent.is_finite() { "" } else { sign };
    format!("{sign}{digits} %")
}

/// An interval of such differences: `−0.4 to +12.0 %`.
pub fn percent_interval([low, high]: [f64; 2]) -> String {
    format!("{} to {}", percent_difference(low).trim_end_matches(" %"), percent_difference(high))
}

/// A moment: `2026-03-01 09:30:00 UTC`. What is not an RFC 3339 time is returned as it is.
pub fn moment(rfc3339: &str) -> String {
    let utc = |moment: Timestamp| moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    rfc3339.parse().map_or_else(|_| rfc3339.to_owned(), utc)
}

/// Rounds to three significant digits by way of decimal text, so that the result prints as those digits.
fn three_digits(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// A number as people write it, without the separators between its thousands, and the letters behind it: `2,000`, `1.5 M`,
/// `4GiB`. `None` if commas are elsewhere than between thousands: `2,5` may be a decimal comma.
pub(crate) fn split_unit(text: &str) -> Option<(String, &str)> {
    let text = text.trim();
    let (digits, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
    let digits = digits.trim_end();
    let whole = digits.split('.').next().unwrap_or(digits);
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default().trim_start_matches('-');
    let is_grouped = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    let is_plain = !digits.contains(',');
    (is_plain || is_grouped && !digits[whole.len()..].contains(',')).then(|| (digits.replace(',', ""), unit))
}

/// Puts separators between the thousands of a decimal number.
fn group(decimal: &str) -> String {
    let (whole, fraction) = decimal.find('.').map_or((decimal, ""), |point| decimal.split_at(point));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("−", digits));
    let mut grouped = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_grouped_thousands_and_a_fitting_unit() {
        for (text, expected) in [
            (duration(0.0), "0 ns"),
            (duration(0.4), "0.4 ns"),
            (duration(77_049.0), "77 µs"),
            (duration(999_600.0), "1 ms"),
            (duration(1_240_000.0), "1.24 ms"),
            (duration(999_999_999.0), "1 s"),
            (duration(119.4e9), "119 s"),
            (seconds(119.7), "2 min 0 s"),
            (seconds(125.0), "2 min 5 s"),
            (seconds(12_599.0), "3 h 30 min"),
            (seconds(1_500_000.0), "17.4 days"),
            (days(0.55), "13 h 12 min"),
            (days(1_460.2), "1,460 days"),
            (days(0.0), "less than a day"),
            (months(0.0), "less than a day"),
            (about_days(0.0), "less than a day"),
            (about_days(0.0375), "54 min"),
            (about_days(0.51), "12 h"),
            (about_days(12.5), "12.5 days"),
            (bytes(0.0), "0 B"),
            (bytes(1_023.0), "1,023 B"),
            (bytes(1_536.0), "1.5 KiB"),
            (bytes(1_048_575.9), "1 MiB"),
            (bytes(17_179_869_184.0), "16 GiB"),
            (bytes(3_298_534_883_328.0), "3 TiB"),
            (rate(1_234_567.8), "1,234,568/s"),
            (rate(99.96), "100/s"),
            (rate(0.5), "0.5/s"),
            (commands_per_second(1.0), "1 command/s"),
            (commands_per_second(0.5), "0.5 commands/s"),
            (commands_per_second(2_000.0), "2,000 commands/s"),
            (count(999), "999"),
            (count(u64::MAX), "18,446,744,073,709,551,615"),
            (counted(1, "core"), "1 core"),
            (counted(1_500, "actor"), "1,500 actors"),
            (number(-12_345.0), "−12,345"),
            (percent(12.345), "12.3 %"),
            (percent(0.0), "0 %"),
            (percent(2.22e-14), "0 %"),
            (duration_range(1_460_000.0, 1_570_000.0), "1.46 – 1.57 ms"),
            (duration_range(930_000.0, 1_100_000.0), "930 µs – 1.1 ms"),
            (moment("2026-03-01T10:30:00+01:00"), "2026-03-01 09:30:00 UTC"),
            (moment("yesterday"), "yesterday"),
        ] {
            assert_eq!(text, expected);
        }
        for text in [duration(f64::NAN), bytes(f64::INFINITY), rate(f64::NAN), percent(f64::NEG_INFINITY)] {
            assert_eq!(text, ABSENT);
        }
    }

    #[test]
    fn differences_carry_their_sign_unless_they_round_to_zero() {
        for (text, expected) in [
            (duration_difference(2_000_000.0), "+2 ms"),
            (duration_difference(-2_000_000.0), "−2 ms"),
            (duration_difference(0.0), "0 ns"),
            (percent_difference(11.23), "+11.2 %"),
            (percent_difference(-0.04), "0.0 %"),
            (percent_difference(1_234.5), "+1,235 %"),
            (percent_interval([-3.46, 12.0]), "−3.5 to +12.0 %"),
        ] {
            assert_eq!(text, expected);
        }
    }
}
