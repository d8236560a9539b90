//! Reads dates and times of day of many forms.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use super::unix::billionths;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct DateOrder([DatePart; 3]);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DatePart {
    Year,
    Month,
    Day,
}

impl DateOrder {
    pub(super) const YMD: Self = Self([DatePart::Year, DatePart::Month, DatePart::Day]);
    pub(super) const DMY: Self = Self([DatePart::Day, DatePart::Month, DatePart::Year]);
    pub(super) const MDY: Self = Self([DatePart::Month, DatePart::Day, DatePart::Year]);

    /// `DD.MM.YYYY`, with this separator.
    pub(super) fn pattern(self, separator: u8) -> String {
        self.0.map(|part| ["YYYY", "MM", "DD"][part as usize]).join(&char::from(separator).to_string())
    }
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

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
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

    fn digits(&mut self, most: usize) -> &'a [u8] {
        let count = self.0.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        digits
    }

    /// A number of `least` to `most` digits.
    fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let digits = self.digits(most);
        (digits.len() >= least).then(|| digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
    }

    fn date(&mut self, order: DateOrder, separator: u8) -> Option<Date> {
        let mut parts = [0; 3];
        for (place, part) in order.0.into_iter().enumerate() {
            if place > 0 {
                self.eat(separator)?;
            }
            parts[part as usize] = match part {
                DatePart::Year => self.number(4, 4)?,
                DatePart::Month => self.month()?,
                DatePart::Day => self.number(1, 2)?,
            };
        }
        let [year, month, day] = parts;
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
                let digits = Some(self.digits(usize::MAX)).filter(|digits| !digits.is_empty())?;
                nanosecond = billionths(digits).cast_signed();
            }
        }
        let hour = self.half_of_day(hour)?;
        Time::new(hour.try_into().ok()?, minute.try_into().ok()?, second.try_into().ok()?, nanosecond).ok()
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
