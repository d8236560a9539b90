//! Reads dates and times of day of many forms.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// Order of the parts of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum DateOrder {
    /// Year, month, day.
    Ymd,
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
}

/// Reads a text all of which is a date, or a date and a time of day with or without an offset from UTC.
pub(super) fn read(text: &[u8], order: DateOrder, separator: u8) -> Option<(DateTime, Option<Offset>)> {
    let mut rest = Rest(text);
    let date = rest.date(order, separator)?;
    if rest.0.is_empty() {
        return Some((date.to_datetime(Time::midnight()), None));
    }
    rest.between_date_and_clock()?;
    let time = date.to_datetime(rest.clock()?);
    let offset = if rest.0.is_empty() { None } else { Some(rest.offset()?) };
    rest.0.is_empty().then_some((time, offset))
}

const MONTHS: [&[u8; 3]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

/// The unread rest of a text.
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

    fn date(&mut self, order: DateOrder, separator: u8) -> Option<Date> {
        let (year, month, day);
        match order {
            DateOrder::Ymd => {
                year = self.number(4, 4)?;
                self.eat(separator)?;
                month = self.month()?;
                self.eat(separator)?;
                day = self.number(1, 2)?;
            }
            DateOrder::Dmy => {
                day = self.number(1, 2)?;
                self.eat(separator)?;
                month = self.month()?;
                self.eat(separator)?;
                year = self.number(4, 4)?;
            }
            DateOrder::Mdy => {
                month = self.month()?;
                self.eat(separator)?;
                day = self.number(1, 2)?;
                self.eat(separator)?;
                year = self.number(4, 4)?;
            }
        }
        Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
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

    fn clock(&mut self) -> Option<Time> {
        let hour = self.number(1, 2)?;
        self.eat(b':')?;
        let minute = self.number(2, 2)?;
        let (mut second, mut nanosecond) = (0, 0);
        if self.eat(b':').is_some() {
            // A leap second is the second before it, as in Unix time.
            second = self.number(2, 2).filter(|&second| second <= 60)?.min(59);
            if self.eat(b'.').or_else(|| self.eat(b',')).is_some() {
                nanosecond = self.fraction()?;
            }
        }
        let hour = self.half_of_day(hour)?;
        Time::new(hour.try_into().ok()?, minute.try_into().ok()?, second.try_into().ok()?, nanosecond).ok()
    }

    /// Digits behind the point as nanoseconds; what is finer is dropped.
    fn fraction(&mut self) -> Option<i32> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(digits);
        self.0 = rest;
        let all = digits.iter().chain(std::iter::repeat(&b'0'));
        (!digits.is_empty()).then(|| all.take(9).fold(0, |number, digit| number * 10 + i32::from(digit - b'0')))
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

    fn offset(&mut self) -> Option<Offset> {
        self.skip_spaces();
        if [&b"Z"[..], b"UTC", b"GMT"].iter().any(|word| self.eat_word(word).is_some()) {
            return Some(Offset::UTC);
        }
        let sign = if self.eat(b'+').is_some() { 1 } else { self.eat(b'-').map(|()| -1)? };
        let hours = self.number(2, 2)?;
        let minutes = if self.0.is_empty() {
            0
        } else {
            let _ = self.eat(b':');
            self.number(2, 2)?
        };
        let seconds = i32::try_from(hours * 3600 + minutes * 60).ok().filter(|_| minutes < 60)?;
        Offset::from_seconds(sign * seconds).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{DateOrder, Offset};
    use jiff::Timestamp;

    fn read(text: &str, order: DateOrder, separator: u8) -> Option<Timestamp> {
        let (time, offset) = super::read(text.as_bytes(), order, separator)?;
        offset.unwrap_or(Offset::UTC).to_timestamp(time).ok()
    }

    fn expected(text: &str) -> Option<Timestamp> {
        text.parse().ok()
    }

    #[test]
    fn dates_are_read_in_the_given_order() {
        let at = expected("2011-02-03T00:00:00Z");
        assert_eq!(read("2011/02/03", DateOrder::Ymd, b'/'), at);
        assert_eq!(read("3.2.2011", DateOrder::Dmy, b'.'), at);
        assert_eq!(read("02/03/2011", DateOrder::Mdy, b'/'), at);
        assert_eq!(read("03-Feb-2011", DateOrder::Dmy, b'-'), at);
        assert_eq!(read("3 February 2011", DateOrder::Dmy, b' '), at);
        assert_eq!(read("30.02.2011", DateOrder::Dmy, b'.'), None);
        assert_eq!(read("03.02.11", DateOrder::Dmy, b'.'), None, "the century is unknown");
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
            assert_eq!(read(text, DateOrder::Dmy, b'.'), expected(at), "{text}");
        }
        for text in ["03.02.2011 13:05 PM", "03.02.2011 24:00", "03.02.2011 1", "03.02.2011 1:05:", "03.02.2011 1:05 x"]
        {
            assert_eq!(read(text, DateOrder::Dmy, b'.'), None, "{text}");
        }
    }
}
