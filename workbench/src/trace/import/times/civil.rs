//! Dates and times of day as people write them.

/// In which order a date's parts stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Order {
    /// Year, month, day.
    Ymd,
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
}

/// What a text says: a date, a time of day, and the offset from UTC if it names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i16,
    pub(super) month: i8,
    pub(super) day: i8,
    /// Nanoseconds since midnight.
    pub(super) clock: i64,
    /// Seconds east of Greenwich.
    pub(super) offset: Option<i32>,
}

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

impl Civil {
    /// Reads a text all of which is a date, or a date and a time of day; `None` if it is anything else.
    pub(super) fn read(text: &[u8], order: Order, separator: u8) -> Option<Self> {
        let mut rest = Rest(text);
        let (year, month, day) = rest.date(order, separator)?;
        let mut civil = Self { year, month, day, clock: 0, offset: None };
        if !rest.0.is_empty() {
            rest.between_date_and_clock()?;
            civil.clock = rest.clock()?;
            if !rest.0.is_empty() {
                civil.offset = Some(rest.offset()?);
            }
        }
        rest.0.is_empty().then_some(civil)
    }

    /// Nanoseconds since 1970 as if the time were in UTC, before its offset is applied.
    pub(super) fn nanoseconds(&self) -> Option<i64> {
        days_since_1970(self.year, self.month, self.day).checked_mul(DAY)?.checked_add(self.clock)
    }

    /// Nanoseconds since 1970, if the text says its offset.
    pub(super) fn instant(&self) -> Option<i64> {
        self.nanoseconds()?.checked_sub(i64::from(self.offset?) * SECOND)
    }
}

/// Days from 1970-01-01 in the Gregorian calendar: years are counted from March, so that a leap day is the last.
fn days_since_1970(year: i16, month: i8, day: i8) -> i64 {
    let (month, day) = (i64::from(month), i64::from(day));
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

const fn days_in(month: u32, year: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

const MONTHS: [&[u8; 3]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

/// What of a text is not read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn eat(&mut self, byte: u8) -> Option<()> {
        let (&first, rest) = self.0.split_first()?;
        (first == byte).then(|| self.0 = rest)
    }

    fn eat_word(&mut self, word: &[u8]) -> Option<()> {
        let first = self.0.get(..word.len())?;
        first.eq_ignore_ascii_case(word).then(|| self.0 = &self.0[word.len()..])
    }

    fn skip_spaces(&mut self) {
        while self.eat(b' ').is_some() {}
    }

    /// A number of `least` to `most` digits.
    fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let digits = self.0.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
        if digits < least {
            return None;
        }
        let (digits, rest) = self.0.split_at(digits);
        self.0 = rest;
        Some(digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
    }

    fn date(&mut self, order: Order, separator: u8) -> Option<(i16, i8, i8)> {
        let (year, month, day);
        match order {
            Order::Ymd => {
                year = self.number(4, 4)?;
                self.eat(separator)?;
                month = self.month()?;
                self.eat(separator)?;
                day = self.number(1, 2)?;
            }
            Order::Dmy => {
                day = self.number(1, 2)?;
                self.eat(separator)?;
                month = self.month()?;
                self.eat(separator)?;
                year = self.number(4, 4)?;
            }
            Order::Mdy => {
                month = self.month()?;
                self.eat(separator)?;
                day = self.number(1, 2)?;
                self.eat(separator)?;
                year = self.number(4, 4)?;
            }
        }
        let exists = (1..=12).contains(&month) && (1..=days_in(month, year)).contains(&day);
        let (year, month, day) = (year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?);
        exists.then_some((year, month, day))
    }

    /// A number, or at least three letters of a name.
    fn month(&mut self) -> Option<u32> {
        if let Some(number) = self.number(1, 2) {
            return Some(number);
        }
        let letters = self.0.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let start = self.0.get(..3).filter(|_| letters >= 3)?;
        let month = (1..).zip(MONTHS).find(|(_, name)| start.eq_ignore_ascii_case(*name))?.0;
        self.0 = &self.0[letters..];
        // A point may shorten the name, a comma follow it.
        let _ = self.eat(b'.');
        Some(month)
    }

    fn between_date_and_clock(&mut self) -> Option<()> {
        let _ = self.eat(b',');
        if self.eat(b' ').is_some() {
            self.skip_spaces();
            return Some(());
        }
        // `10/Oct/2000:13:55:36`, as web servers write it.
        self.eat(b'T').or_else(|| self.eat(b't')).or_else(|| self.eat(b':'))
    }

    /// Nanoseconds since midnight.
    fn clock(&mut self) -> Option<i64> {
        let hour = self.number(1, 2)?;
        self.eat(b':')?;
        let minute = self.number(2, 2)?;
        let (mut second, mut nanosecond) = (0, 0);
        if self.eat(b':').is_some() {
            // A leap second is the second before it, as everywhere in this world of Unix times.
            second = self.number(2, 2).filter(|&second| second <= 60)?.min(59);
            if self.eat(b'.').or_else(|| self.eat(b',')).is_some() {
                nanosecond = self.fraction()?;
            }
        }
        let hour = self.half_of_day(hour)?;
        let exists = hour < 24 && minute < 60;
        exists.then(|| i64::from(hour * 3600 + minute * 60 + second) * SECOND + nanosecond)
    }

    /// Digits behind the point as nanoseconds; what is finer is dropped.
    fn fraction(&mut self) -> Option<i64> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(digits);
        self.0 = rest;
        let all = digits.iter().chain(std::iter::repeat(&b'0'));
        (!digits.is_empty()).then(|| all.take(9).fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    /// The hour of the day, with `AM` or `PM` heeded if it follows.
    fn half_of_day(&mut self, hour: u32) -> Option<u32> {
        let before = self.0;
        self.skip_spaces();
        let mut half = |words: [&[u8]; 2]| words.iter().any(|word| self.eat_word(word).is_some());
        let (morning, evening) = (half([b"am", b"a.m."]), half([b"pm", b"p.m."]));
        if !morning && !evening {
            self.0 = before;
            return Some(hour);
        }
        let exists = (1..=12).contains(&hour);
        exists.then_some(hour % 12 + if evening { 12 } else { 0 })
    }

    /// Seconds east of Greenwich.
    fn offset(&mut self) -> Option<i32> {
        self.skip_spaces();
        if [&b"Z"[..], b"UTC", b"GMT"].iter().any(|word| self.eat_word(word).is_some()) {
            return Some(0);
        }
        let sign = if self.eat(b'+').is_some() { 1 } else { self.eat(b'-').map(|()| -1)? };
        let hours = self.number(2, 2)?;
        let minutes = if self.0.is_empty() {
            0
        } else {
            let _ = self.eat(b':');
            self.number(2, 2)?
        };
        let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
        (hours < 26 && minutes < 60).then_some(sign * seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, order: Order, separator: u8) -> Option<i64> {
        let civil = Civil::read(text.as_bytes(), order, separator)?;
        civil.instant().or_else(|| civil.nanoseconds())
    }

    fn expected(text: &str) -> Option<i64> {
        i64::try_from(text.parse::<jiff::Timestamp>().unwrap().as_nanosecond()).ok()
    }

    #[test]
    fn dates_are_read_in_the_order_told() {
        let at = expected("2011-02-03T00:00:00Z");
        assert_eq!(read("2011/02/03", Order::Ymd, b'/'), at);
        assert_eq!(read("3.2.2011", Order::Dmy, b'.'), at);
        assert_eq!(read("02/03/2011", Order::Mdy, b'/'), at);
        assert_eq!(read("03-Feb-2011", Order::Dmy, b'-'), at);
        assert_eq!(read("3 February 2011", Order::Dmy, b' '), at);
        assert_eq!(read("30.02.2011", Order::Dmy, b'.'), None);
        assert_eq!(read("03.02.11", Order::Dmy, b'.'), None, "which century is not said");
    }

    #[test]
    fn times_of_day_are_read_with_halves_fractions_and_offsets() {
        for (text, at) in [
            ("03.02.2011 1:05", "2011-02-03T01:05:00Z"),
            ("03.02.2011 12:05 AM", "2011-02-03T00:05:00Z"),
            ("03.02.2011 12:05:09 pm", "2011-02-03T12:05:09Z"),
            ("03.02.2011 11:05:09.5PM +0100", "2011-02-03T22:05:09.5Z"),
            ("03.02.2011 23:05:09,1234567899", "2011-02-03T23:05:09.123456789Z"),
            ("03.02.2011T23:05:60Z", "2011-02-03T23:05:59Z"),
            ("03.02.2011 23:05 UTC", "2011-02-03T23:05:00Z"),
            ("03.02.2011:23:05:01 -0730", "2011-02-04T06:35:01Z"),
        ] {
            assert_eq!(read(text, Order::Dmy, b'.'), expected(at), "{text}");
        }
        for text in ["03.02.2011 13:05 PM", "03.02.2011 24:00", "03.02.2011 1", "03.02.2011 1:05:", "03.02.2011 1:05 x"]
        {
            assert_eq!(read(text, Order::Dmy, b'.'), None, "{text}");
        }
    }
}
