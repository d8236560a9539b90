//! Reads dates and times of day of many forms.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use super::number::billionths;

/// The parts of a date in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct DateOrder(&'static [DatePart]);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DatePart {
    Year,
    /// Two digits, 1969 to 2068.
    ShortYear,
    Month,
    Day,
}

impl DateOrder {
    pub(super) const YMD: Self = Self(&[DatePart::Year, DatePart::Month, DatePart::Day]);
    pub(super) const DMY: Self = Self(&[DatePart::Day, DatePart::Month, DatePart::Year]);
    pub(super) const MDY: Self = Self(&[DatePart::Month, DatePart::Day, DatePart::Year]);
    pub(super) const SHORT_YMD: Self = Self(&[DatePart::ShortYear, DatePart::Month, DatePart::Day]);
    pub(super) const SHORT_DMY: Self = Self(&[DatePart::Day, DatePart::Month, DatePart::ShortYear]);
    pub(super) const SHORT_MDY: Self = Self(&[DatePart::Month, DatePart::Day, DatePart::ShortYear]);
    /// Without a year, or with a year behind the time of day.
    pub(super) const DM: Self = Self(&[DatePart::Day, DatePart::Month]);
    pub(super) const MD: Self = Self(&[DatePart::Month, DatePart::Day]);

    const ALL: [Self; 8] =
        [Self::YMD, Self::DMY, Self::MDY, Self::SHORT_YMD, Self::SHORT_DMY, Self::SHORT_MDY, Self::DM, Self::MD];

    /// `DD.MM.YYYY`, with this separator.
    pub(super) fn pattern(self, separator: u8) -> String {
        let parts = self.0.iter().map(|&part| ["YYYY", "YY", "MM", "DD"][part as usize]);
        parts.collect::<Vec<_>>().join(&char::from(separator).to_string())
    }

    /// The order and the separator of a pattern.
    pub(super) fn of_pattern(pattern: &str) -> Option<(Self, u8)> {
        let separator = pattern.bytes().find(|byte| !byte.is_ascii_alphabetic())?;
        let order = Self::ALL.into_iter().find(|order| order.pattern(separator) == pattern)?;
        Some((order, separator))
    }

    pub(super) fn has_year(self) -> bool {
        self.0.len() == 3
    }

    pub(super) fn has_short_year(self) -> bool {
        self.0.contains(&DatePart::ShortYear)
    }
}

/// What a text says about a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil<'a> {
    pub(super) time: DateTime,
    pub(super) zone: Zone<'a>,
    /// Whether its year is the given one.
    pub(super) is_yearless: bool,
}

/// What follows the time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone<'a> {
    Absent,
    Offset(Offset),
    /// `CEST`: several zones may share it.
    Abbreviation(&'a [u8]),
}

/// Reads a text all of which is a date, or a date and a time of day with or without an offset from UTC. `year` is that of
/// dates without one, which need a time of day.
pub(super) fn read(text: &[u8], order: DateOrder, separator: u8, year: Option<i16>) -> Option<Civil<'_>> {
    let mut rest = Rest(text);
    rest.weekday();
    let [long, month, day] = rest.date(order, separator)?;
    if order.has_year() {
        return rest.clock_after(date([long?, month?, day?])?, true);
    }
    // `Mar 27 13:06:56 2015`, as C writes it.
    let behind = text.len().checked_sub(5).map(|at| text.split_at(at)).filter(|(_, year)| year[0] == b' ');
    let behind = behind.and_then(|(before, year)| Some((before, Rest(&year[1..]).number(4, 4)?)));
    let (until, written) = behind.map_or((text.len(), None), |(before, year)| (before.len(), Some(year)));
    let from = text.len() - rest.0.len();
    let rest = Rest(text.get(from..until).filter(|rest| !rest.is_empty())?);
    let year = written.or_else(|| year?.try_into().ok())?;
    let read = rest.clock_after(date([year, month?, day?])?, false)?;
    Some(Civil { is_yearless: written.is_none(), ..read })
}

/// Reads `20111011` and a time of day, which may have no separators either: `20111011T134540Z`, `20171223-22:15:29:606`,
/// `20111011134540.276+0200`.
pub(super) fn read_compact(text: &[u8]) -> Option<Civil<'_>> {
    let mut rest = Rest(text);
    let parts = [rest.number(4, 4)?, rest.number(2, 2)?, rest.number(2, 2)?];
    rest.clock_after(date(parts)?, true)
}

fn date([year, month, day]: [u32; 3]) -> Option<Date> {
    Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
}

const MONTHS: [&[u8; 3]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
const WEEKDAYS: [&[u8; 3]; 7] = [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"];
/// A no-break space, a narrow one (before AM and PM in new versions of Java and of browsers) and a thin one, in UTF-8.
const RARE_SPACES: [&[u8]; 3] = [b"\xc2\xa0", b"\xe2\x80\xaf", b"\xe2\x80\x89"];

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
        while self.eat(b' ').is_some() || RARE_SPACES.iter().any(|space| self.eat_word(space).is_some()) {}
    }

    fn letters(&self) -> usize {
        self.0.iter().take_while(|byte| byte.is_ascii_alphabetic()).count()
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
        (digits.len() >= least).then(|| value(digits))
    }

    /// `Fri, ` or `Friday ` before a date.
    fn weekday(&mut self) {
        let letters = self.letters();
        if letters >= 3
            && self.0.get(..3).is_some_and(|start| WEEKDAYS.iter().any(|name| start.eq_ignore_ascii_case(*name)))
        {
            self.0 = &self.0[letters..];
            let _ = self.eat(b',');
            self.skip_spaces();
        }
    }

    /// Year, month and day, each if the order has it.
    fn date(&mut self, order: DateOrder, separator: u8) -> Option<[Option<u32>; 3]> {
        let mut parts = [None; 3];
        for (place, &part) in order.0.iter().enumerate() {
            if place > 0 {
                if separator == b' ' {
                    // `Jan 15, 2024`.
                    let _ = self.eat(b',');
                }
                self.eat(separator)?;
                if separator == b' ' {
                    self.skip_spaces();
                }
            }
            let (at, number) = match part {
                DatePart::Year => (0, self.number(4, 4)?),
                DatePart::ShortYear => (0, self.number(2, 2).map(|year| year + if year < 69 { 2000 } else { 1900 })?),
                DatePart::Month => (1, self.month()?),
                DatePart::Day => (2, self.number(1, 2)?),
            };
            parts[at] = Some(number);
        }
        Some(parts)
    }

    /// A number, or at least three letters of a name.
    fn month(&mut self) -> Option<u32> {
        if let Some(number) = self.number(1, 2) {
            return Some(number);
        }
        let letters = self.letters();
        let start = self.0.get(..3).filter(|_| letters >= 3)?;
        let month = (1..).zip(MONTHS).find(|(_, name)| start.eq_ignore_ascii_case(*name))?.0;
        self.0 = &self.0[letters..];
        // A point may shorten the name.
        let _ = self.eat(b'.');
        Some(month)
    }

    /// The rest: nothing, or a time of day with or without an offset. It may be `1345` and `134540` if it is `compact`.
    fn clock_after(mut self, date: Date, compact: bool) -> Option<Civil<'a>> {
        if self.0.is_empty() {
            return Some(Civil { time: date.to_datetime(Time::midnight()), zone: Zone::Absent, is_yearless: false });
        }
        let is_joined = compact && self.0.iter().take_while(|byte| byte.is_ascii_digit()).count() == 6;
        let dash = !is_joined && self.between_date_and_clock()?;
        // `2011-10-11-07:00` is a date with an offset, or a time of day: nothing decides.
        let clock = self.clock(compact).filter(|clock| !dash || clock.has_seconds)?;
        let date = if clock.ends_the_day { date.tomorrow().ok()? } else { date };
        let zone = self.zone()?;
        self.0.is_empty().then_some(Civil { time: date.to_datetime(clock.time), zone, is_yearless: false })
    }

    fn zone(&mut self) -> Option<Zone<'a>> {
        if self.0.is_empty() {
            return Some(Zone::Absent);
        }
        let before = self.0;
        let Some(offset) = self.offset() else {
            self.0 = before;
            return self.abbreviation().map(Zone::Abbreviation);
        };
        self.zone_name();
        Some(Zone::Offset(offset))
    }

    /// `CEST` behind a space: three to five capital letters.
    fn abbreviation(&mut self) -> Option<&'a [u8]> {
        self.skip_spaces();
        let length = self.0.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
        let (name, rest) = self.0.split_at(length);
        self.0 = rest;
        (3..=5).contains(&length).then_some(name)
    }

    /// Returns whether a dash was between them.
    fn between_date_and_clock(&mut self) -> Option<bool> {
        let _ = self.eat(b',');
        let before = self.0.len();
        self.skip_spaces();
        if self.0.len() < before {
            // `January 15, 2024 at 1:06 PM`.
            if self.eat_word(b"at ").is_some() {
                self.skip_spaces();
            }
            return Some(false);
        }
        // `10/Oct/2000:13:55:36`, as web servers write it.
        if [b'T', b't', b':'].into_iter().any(|byte| self.eat(byte).is_some()) {
            return Some(false);
        }
        self.eat(b'-').map(|()| true)
    }

    fn clock(&mut self, compact: bool) -> Option<Clock> {
        let (hour, minute, second, has_seconds) =
            if compact && self.0.iter().take_while(|byte| byte.is_ascii_digit()).count() >= 4 {
                self.compact_clock()?
            } else {
                self.separated_clock()?
            };
        let nanosecond = if has_seconds { self.fraction()? } else { 0 };
        let ends_the_day = (hour, minute, second, nanosecond) == (24, 0, 0, 0);
        let hour = if ends_the_day { 0 } else { self.half_of_day(hour)? };
        let time = Time::new(hour.try_into().ok()?, minute.try_into().ok()?, second.try_into().ok()?, nanosecond);
        Some(Clock { time: time.ok()?, has_seconds, ends_the_day })
    }

    /// `134540`, `81257` (a leading zero was dropped) or `1345`.
    fn compact_clock(&mut self) -> Option<(u32, u32, u32, bool)> {
        let digits = self.digits(usize::MAX);
        let (hour, rest) = digits.split_at(if digits.len() == 5 { 1 } else { 2 });
        let (minute, second) = rest.split_at(2);
        let second = Some(second).filter(|second| matches!(second.len(), 0 | 2))?;
        Some((value(hour), value(minute), value(second), !second.is_empty()))
    }

    /// With colons, or with points. Some devices write `22:16:0`.
    fn separated_clock(&mut self) -> Option<(u32, u32, u32, bool)> {
        let hour = self.number(1, 2)?;
        let separator = [b':', b'.'].into_iter().find(|&separator| self.eat(separator).is_some())?;
        let minute = self.digits(2);
        let has_seconds = self.eat(separator).is_some();
        let least = if separator == b':' && has_seconds { 1 } else { 2 };
        let minute = Some(minute).filter(|minute| minute.len() >= least).map(value)?;
        if !has_seconds {
            return Some((hour, minute, 0, false));
        }
        // A leap second is the second before it, as in Unix time.
        let second = self.number(least, 2).filter(|&second| second <= 60)?.min(59);
        Some((hour, minute, second, true))
    }

    /// Nanoseconds: a fraction of a second behind a point or comma; behind a colon a number of milliseconds, or of
    /// microseconds or nanoseconds if it has six or nine digits.
    fn fraction(&mut self) -> Option<i32> {
        if self.eat(b'.').or_else(|| self.eat(b',')).is_some() {
            let digits = Some(self.digits(usize::MAX)).filter(|digits| !digits.is_empty())?;
            return Some(billionths(digits).cast_signed());
        }
        if self.eat(b':').is_some() {
            let digits = self.digits(9);
            let unit = match digits.len() {
                1..=3 => 1_000_000,
                6 => 1_000,
                9 => 1,
                _ => return None,
            };
            return Some(value(digits).cast_signed() * unit);
        }
        Some(0)
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
            return if self.0.is_empty() { Some(Offset::UTC) } else { self.hours_and_minutes() };
        }
        self.hours_and_minutes()
    }

    /// `(Central European Standard Time)` behind an offset, as browsers write it, or `CET`, as Go does.
    fn zone_name(&mut self) {
        let before = self.0;
        self.skip_spaces();
        let is_name =
            self.eat(b'(').is_some() && self.0.iter().position(|&byte| byte == b')') == self.0.len().checked_sub(1);
        let is_abbreviation = || Rest(before).abbreviation().is_some_and(|name| before.ends_with(name));
        self.0 = if is_name || is_abbreviation() { &[] } else { before };
    }

    fn hours_and_minutes(&mut self) -> Option<Offset> {
        let sign = if self.eat(b'+').is_some() { 1 } else { self.eat(b'-').map(|()| -1)? };
        let hours = self.number(1, 2)?;
        let minutes = if self.0.first().is_none_or(|byte| matches!(byte, b' ' | b'(')) {
            0
        } else {
            let _ = self.eat(b':');
            self.number(2, 2)?
        };
        let seconds = i32::try_from(hours * 3600 + minutes * 60).ok().filter(|_| minutes < 60)?;
        Offset::from_seconds(sign * seconds).ok()
    }
}

struct Clock {
    time: Time,
    has_seconds: bool,
    /// `24:00:00`, the midnight that ends the day.
    ends_the_day: bool,
}

fn value(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
}
