//! Detects the form of the times of a log.

use jiff::tz::TimeZone;

use super::civil::DateOrder;
use super::form::TimeForm;
use super::number::{self, unix_scales};
use super::reader::TimeReader;

#[derive(Debug, Clone)]
pub(in super::super) enum Guess {
    Is(TimeForm),
    /// The rows fit several orders of day, month and year.
    Ambiguous(Candidates),
    /// Dates without a year.
    WithoutYear,
    /// Times with the abbreviation of a time zone that is not given, or has no such name: place of one, and why it is not read.
    OtherZone(usize, String),
    /// Numbers that are no plausible Unix times, or may be something else: place of one, and what it may be.
    Number(usize, String),
    Unknown,
}

/// Forms of dates in order of preference; all orders of day, month and year where the order is ambiguous.
const FORMS: [TimeForm; 26] = [
    TimeForm::Iso,
    TimeForm::Date(DateOrder::YMD, b'/'),
    TimeForm::Date(DateOrder::YMD, b'.'),
    TimeForm::Date(DateOrder::DMY, b'.'),
    TimeForm::Date(DateOrder::DMY, b'/'),
    TimeForm::Date(DateOrder::MDY, b'/'),
    TimeForm::Date(DateOrder::DMY, b'-'),
    TimeForm::Date(DateOrder::MDY, b'-'),
    TimeForm::Date(DateOrder::DMY, b' '),
    TimeForm::Date(DateOrder::MDY, b' '),
    TimeForm::Date(DateOrder::YMD, b' '),
    TimeForm::Date(DateOrder::MDY, b'.'),
    TimeForm::Date(DateOrder::SHORT_DMY, b'.'),
    TimeForm::Date(DateOrder::SHORT_DMY, b'/'),
    TimeForm::Date(DateOrder::SHORT_MDY, b'/'),
    TimeForm::Date(DateOrder::SHORT_YMD, b'/'),
    TimeForm::Date(DateOrder::SHORT_DMY, b'-'),
    TimeForm::Date(DateOrder::SHORT_MDY, b'-'),
    TimeForm::Date(DateOrder::SHORT_YMD, b'-'),
    TimeForm::Date(DateOrder::SHORT_DMY, b' '),
    TimeForm::Date(DateOrder::MD, b' '),
    TimeForm::Date(DateOrder::DM, b' '),
    TimeForm::Date(DateOrder::MD, b'-'),
    TimeForm::Date(DateOrder::DM, b'-'),
    TimeForm::Date(DateOrder::MD, b'/'),
    TimeForm::Date(DateOrder::DM, b'/'),
];

/// A leap year, in which every date without a year exists.
const ANY_YEAR: i16 = 2000;

/// The form of most of the texts; the others are reported when they are read. `year` is that of dates without one, `zone` that
/// of times without an offset.
pub(in super::super) fn guess(texts: &[Vec<u8>], year: Option<i16>, zone: Option<&TimeZone>) -> Guess {
    let readers = known(year, zone);
    let fitting = |reader: &TimeReader| texts.iter().filter(|text| fits(reader, text)).count();
    let counts: Vec<usize> = readers.iter().map(fitting).collect();
    let most = counts.iter().copied().max().unwrap_or(0);
    let without_year = || known(Some(ANY_YEAR), zone).iter().map(fitting).max().unwrap_or(0) > most;
    if year.is_none() && most < texts.len() && without_year() {
        return Guess::WithoutYear;
    }
    let Some(first) = counts.iter().position(|&count| most > 0 && count == most) else {
        let of_zone = texts.iter().enumerate().find_map(|(place, text)| {
            let problem = readers.iter().find_map(|reader| reader.zone_problem(text))?;
            Some(Guess::OtherZone(place, problem))
        });
        return of_zone.or_else(|| number_among(texts, number::is_number)).unwrap_or(Guess::Unknown);
    };
    match &readers[first].form {
        // With points as separators days always come before months.
        TimeForm::Date(_, separator) if *separator != b'.' => {
            let is_rival = |form: &TimeForm| matches!(form, TimeForm::Date(_, other) if other == separator);
            let rivals =
                readers.iter().zip(&counts).filter(|(reader, count)| **count == most && is_rival(&reader.form));
            let rivals = Candidates(rivals.map(|(reader, _)| reader.clone()).collect());
            rivals.decided().map_or_else(|| Guess::Ambiguous(rivals.clone()), |form| Guess::Is(form.clone()))
        }
        TimeForm::Number { .. } => {
            let others = texts.iter().filter(|text| number::has_other_reading(text.trim_ascii())).count();
            let other = number_among(texts, number::has_other_reading).filter(|_| others >= most);
            other.unwrap_or_else(|| Guess::Is(readers[first].form.clone()))
        }
        form => Guess::Is(form.clone()),
    }
}

fn known(year: Option<i16>, zone: Option<&TimeZone>) -> Vec<TimeReader> {
    let unix = unix_scales().iter().map(|scale| TimeForm::Number { scale, is_guessed: true });
    FORMS.into_iter().chain(unix).map(|form| TimeReader { form, zone: zone.cloned(), year }).collect()
}

/// The first such text, as a number that may stand for several times.
fn number_among(texts: &[Vec<u8>], is_such: impl Fn(&[u8]) -> bool) -> Option<Guess> {
    let place = texts.iter().position(|text| is_such(text.trim_ascii()))?;
    Some(Guess::Number(place, number::readings(texts[place].trim_ascii())))
}

/// Whether a reader reads the text, and plausibly where the form alone proves little.
fn fits(reader: &TimeReader, text: &[u8]) -> bool {
    let Some(moment) = reader.read(text) else { return false };
    if !reader.form.has_short_years() {
        return true;
    }
    // No log has the year before the name of a month: `05-Jan-24` is in 2024.
    let names_month = || text.iter().position(u8::is_ascii_alphabetic).is_some_and(|at| at < 4);
    let is_year_first = matches!(reader.form, TimeForm::Date(order, _) if order == DateOrder::SHORT_YMD);
    number::is_plausible(moment.nanoseconds) && !(is_year_first && names_month())
}

/// Forms that the texts of a log fit, more than one until a text decides.
#[derive(Debug, Clone)]
pub(in super::super) struct Candidates(Vec<TimeReader>);

impl Candidates {
    /// Keeps the forms that fit the text, if any does.
    pub(in super::super) fn narrow(&mut self, text: &[u8]) {
        if self.decided().is_some() || self.0.iter().all(|reader| fits(reader, text)) {
            return;
        }
        if self.0.iter().any(|reader| fits(reader, text)) {
            self.0.retain(|reader| fits(reader, text));
        }
    }

    /// Keeps the forms that texts behind have too, if any is the same.
    pub(in super::super) fn meet(&mut self, behind: &Self) {
        let is_behind = |reader: &TimeReader| behind.0.iter().any(|other| other.form == reader.form);
        if self.0.iter().any(is_behind) {
            self.0.retain(is_behind);
        }
    }

    pub(in super::super) fn decided(&self) -> Option<&TimeForm> {
        match &self.0[..] {
            [only] => Some(&only.form),
            _ => None,
        }
    }

    /// Whether a text has all of the forms.
    pub(in super::super) fn fit(&self, text: &[u8]) -> bool {
        self.0.iter().all(|reader| fits(reader, text))
    }

    /// The dates that a text may stand for, each with the option that selects it: `2015-01-24 (--time-format DD/MM/YY)`.
    pub(in super::super) fn readings(&self, text: &[u8]) -> Vec<String> {
        let reading = |reader: &TimeReader| {
            let option = format!("`--time-format {}`", reader.form.name());
            reader.civil_date(text).map_or(option.clone(), |date| format!("{date} ({option})"))
        };
        self.0.iter().map(reading).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formats(candidates: &Candidates) -> Vec<String> {
        candidates.0.iter().map(|reader| reader.form.name()).collect()
    }

    fn guessed(texts: &[&str], year: Option<i16>) -> String {
        match guess(&texts.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>(), year, None) {
            Guess::Is(form) => form.name(),
            Guess::Ambiguous(candidates) => formats(&candidates).join(" or "),
            Guess::WithoutYear => "no year".to_owned(),
            Guess::OtherZone(_, problem) => problem,
            Guess::Number(_, readings) => readings,
            Guess::Unknown => "unknown".to_owned(),
        }
    }

    #[test]
    fn the_form_is_that_of_most_rows() {
        for (texts, expected) in [
            (&["20111011", "20111012"][..], "RFC 3339 and relatives"),
            (&["01.02.2011", "02.03.2011"], "DD.MM.YYYY"),
            (&["01-02-2011", "13-02-2011"], "DD-MM-YYYY"),
            (&["01/02/2011", "02/13/2011 1:00 PM"], "MM/DD/YYYY"),
            (&["17/May/2015:10:05:03 +0000"], "DD/MM/YYYY"),
            (&["1318340740276", "1318340740277", "0"], "Unix milliseconds"),
            // The bad row is the other one.
            (&["yesterday", "2011-10-11"], "RFC 3339 and relatives"),
            (&["yesterday", "today"], "unknown"),
            (&["01/02/2011", "03/04/2011"], "DD/MM/YYYY or MM/DD/YYYY"),
            // Two-digit years: the order may begin with the year.
            (&["9.3.10 8:05", "25.3.10 8:05"], "DD.MM.YY"),
            (&["05-Jan-24", "06-Jan-24"], "DD-MM-YY"),
            (&["3/25/10 8:05"], "MM/DD/YY"),
            (&["17/06/09 20:10:40"], "DD/MM/YY or YY/MM/DD"),
            (&["17/06/28 20:10:40"], "YY/MM/DD"),
            (&["09/03/10 8:05"], "DD/MM/YY or MM/DD/YY or YY/MM/DD"),
            (&["Mar 27 13:06:56", "Mar 28 13:06:56"], "no year"),
            (&["Mar 27 13:06:56 2015"], "MM DD"),
            // A zone's abbreviation belongs to no form.
            (
                &["2024-01-15 10:00:00 PST"],
                "`PST` is short for several time zones: pass --time-zone, for example `--time-zone America/Los_Angeles`",
            ),
        ] {
            assert_eq!(guessed(texts, None), expected, "{texts:?}");
        }
        assert_eq!(guessed(&["Mar 27 13:06:56"], Some(2015)), "MM DD");
        assert_eq!(guessed(&["03-27 13:06:56.123"], Some(2015)), "MM-DD");
    }

    #[test]
    fn numbers_that_are_no_plausible_unix_times_are_not_guessed() {
        for (text, reading) in [
            ("45674.41", "excel-days"),
            ("638788202934631440", "dotnet-ticks"),
            ("133486830000000000", "filetime"),
            ("5000000000", "2128"),
            ("202401021530", "%Y%m%d%H%M"),
            ("01022024", "%d%m%Y"),
            ("203615", "time of day"),
            ("2024", "a year"),
            ("0", "1970"),
        ] {
            let found = guessed(&[text, text], None);
            assert!(found.contains("--time-format unix-") && found.contains(reading), "{text}: {found}");
        }
    }

    #[test]
    fn a_later_text_decides_between_candidates() {
        let Guess::Ambiguous(start) = guess(&[b"09/03/10".to_vec()], None, None) else { panic!("ambiguous") };
        let mut first = start.clone();
        first.narrow(b"13/03/10");
        assert_eq!(formats(&first), ["DD/MM/YY", "YY/MM/DD"]);
        first.narrow(b"99/99/99");
        assert_eq!(formats(&first).len(), 2, "a text in no form decides nothing");
        let mut second = start;
        second.narrow(b"31/03/99");
        first.meet(&second);
        assert_eq!(first.decided().map(TimeForm::name).as_deref(), Some("DD/MM/YY"));
    }
}
