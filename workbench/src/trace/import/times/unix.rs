//! Unix times: a number and its unit.

/// Unit of a Unix time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Unit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

impl Unit {
    pub(super) const ALL: [Self; 4] = [Self::Seconds, Self::Milliseconds, Self::Microseconds, Self::Nanoseconds];

    /// Its name as a `--time-format`.
    pub(super) const fn option(self) -> &'static str {
        match self {
            Self::Seconds => "unix-s",
            Self::Milliseconds => "unix-ms",
            Self::Microseconds => "unix-us",
            Self::Nanoseconds => "unix-ns",
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "Unix seconds",
            Self::Milliseconds => "Unix milliseconds",
            Self::Microseconds => "Unix microseconds",
            Self::Nanoseconds => "Unix nanoseconds",
        }
    }

    /// Decimal digits between this unit and nanoseconds.
    const fn digits(self) -> u32 {
        match self {
            Self::Seconds => 9,
            Self::Milliseconds => 6,
            Self::Microseconds => 3,
            Self::Nanoseconds => 0,
        }
    }

    /// The unit of a number of this size: 1e11 seconds are the year 5138, 1e11 milliseconds March 1973.
    fn of(whole: u64) -> Self {
        match whole {
            0..100_000_000_000 => Self::Seconds,
            100_000_000_000..100_000_000_000_000 => Self::Milliseconds,
            100_000_000_000_000..100_000_000_000_000_000 => Self::Microseconds,
            _ => Self::Nanoseconds,
        }
    }
}

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
        let padded = fraction.iter().chain(std::iter::repeat(&b'0'));
        let billionths = padded.take(9).fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
        Some(Self { negative, whole, billionths })
    }

    fn scientific(text: &[u8], negative: bool) -> Option<Self> {
        let begins = text.first().is_some_and(u8::is_ascii_digit);
        let has_exponent = text.iter().any(|byte| matches!(byte, b'e' | b'E'));
        let number: f64 = std::str::from_utf8(text).ok().filter(|_| begins && has_exponent)?.parse().ok()?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the bounds asked for")]
        (number < 1e19).then(|| Self {
            negative,
            whole: number.trunc() as u64,
            billionths: (number.fract() * 1e9) as u64,
        })
    }
}

fn digits(text: &[u8]) -> Option<u64> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| is_number)?.parse().ok()
}

/// The probable unit of a number; `None` for other text.
pub(super) fn unit_of(text: &[u8]) -> Option<Unit> {
    Decimal::read(text).map(|number| Unit::of(number.whole))
}

/// Nanoseconds since 1970, rounded towards zero.
pub(super) fn read(text: &[u8], unit: Unit) -> Option<i64> {
    let number = Decimal::read(text)?;
    let (scale, rest) = (10u64.pow(unit.digits()), 10u64.pow(9 - unit.digits()));
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
        assert_eq!(read(b"1318340740276", Unit::Seconds), None, "the year 43746");
    }
}
