//! Unix times: a number and its unit.

#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Unit {
    /// Its name as a `--time-format`.
    pub(super) option: &'static str,
    pub(super) name: &'static str,
    /// Decimal digits between this unit and nanoseconds.
    digits: u32,
}

pub(super) static UNITS: [Unit; 4] = [
    Unit { option: "unix-s", name: "Unix seconds", digits: 9 },
    Unit { option: "unix-ms", name: "Unix milliseconds", digits: 6 },
    Unit { option: "unix-us", name: "Unix microseconds", digits: 3 },
    Unit { option: "unix-ns", name: "Unix nanoseconds", digits: 0 },
];

/// Sign, whole part, and the first nine digits behind the point.
struct Decimal {
    negative: bool,
    whole: u64,
    billionths: u64,
}

impl Decimal {
    fn read(text: &[u8]) -> Option<Self> {
        let negative = text.first() == Some(&b'-');
        let text = &text[usize::from(negative)..];
        let point = text.iter().position(|&byte| byte == b'.').unwrap_or(text.len());
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
        let number: f64 = std::str::from_utf8(text).ok().filter(|_| begins && has_exponent)?.parse().ok()?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked against the bounds")]
        (number < 1e19).then(|| Self {
            negative,
            whole: number.trunc() as u64,
            billionths: (number.fract() * 1e9) as u64,
        })
    }
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

/// The probable unit of a number; `None` for other text. 1e11 seconds are the year 5138, 1e11 milliseconds March 1973.
pub(super) fn unit_of(text: &[u8]) -> Option<&'static Unit> {
    let limits = [10u64.pow(11), 10u64.pow(14), 10u64.pow(17)];
    Decimal::read(text).map(|number| &UNITS[limits.partition_point(|&limit| limit <= number.whole)])
}

/// Nanoseconds since 1970, rounded towards zero.
pub(super) fn read(text: &[u8], unit: &Unit) -> Option<i64> {
    let number = Decimal::read(text)?;
    let (scale, rest) = (10u64.pow(unit.digits), 10u64.pow(9 - unit.digits));
    let nanoseconds = u128::from(number.whole) * u128::from(scale) + u128::from(number.billionths / rest);
    let nanoseconds = i64::try_from(nanoseconds).ok()?;
    Some(if number.negative { -nanoseconds } else { nanoseconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_their_unit_to_the_nanosecond() {
        for (text, nanoseconds) in [
            ("1318340740", 1_318_340_740_000_000_000),
            ("1318340740.1234567899", 1_318_340_740_123_456_789),
            ("1318340740276", 1_318_340_740_276_000_000),
            ("1318340740276.5", 1_318_340_740_276_500_000),
            ("1318340740276001", 1_318_340_740_276_001_000),
            ("1318340740276001002", 1_318_340_740_276_001_002),
            ("1.31834074e9", 1_318_340_740_000_000_000),
            ("-1.5", -1_500_000_000),
            ("0", 0),
        ] {
            let text = text.as_bytes();
            assert_eq!(read(text, unit_of(text).unwrap()), Some(nanoseconds));
        }
        for text in ["", "-", ".5", "NaN", "inf", "1,5", "1.5.2", "0x10", "99999999999999999999"] {
            assert!(unit_of(text.as_bytes()).is_none(), "{text}");
        }
        assert_eq!(read(b"1318340740276", &UNITS[0]), None, "the year 43746");
    }
}
