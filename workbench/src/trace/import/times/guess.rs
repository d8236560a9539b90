//! Detects the form of the times of a log.

use super::civil::{self, DateOrder};
use super::form::TimeForm;
use super::reader::TimeReader;
use super::unix::UNITS;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Guess {
    Is(TimeForm),
    /// A date with this separator; the rows fit day before month and month before day.
    DaysOrMonthsFirst(u8),
    Unknown,
}

/// Forms of dates in order of preference; both orders of day and month where the order is ambiguous.
const FORMS: [TimeForm; 12] = [
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
];

/// The form of most of the texts. The others are reported when they are read.
pub(in super::super) fn guess(texts: &[Vec<u8>]) -> Guess {
    let forms = || FORMS.into_iter().chain(UNITS.iter().map(|unit| TimeForm::Unix { unit, is_guessed: true }));
    let most = forms().map(|form| fitting(&form, texts)).max().unwrap_or(0);
    let Some(form) = forms().find(|form| most > 0 && fitting(form, texts) == most) else { return Guess::Unknown };
    match form {
        // With points as separators days always come before months.
        TimeForm::Date(DateOrder::DMY, separator)
            if separator != b'.' && fitting(&TimeForm::Date(DateOrder::MDY, separator), texts) == most =>
        {
            Guess::DaysOrMonthsFirst(separator)
        }
        form => Guess::Is(form),
    }
}

fn fitting(form: &TimeForm, texts: &[Vec<u8>]) -> usize {
    let reader = TimeReader { form: form.clone(), zone: None };
    texts.iter().filter(|text| reader.read(text).is_ok()).count()
}

/// The order of days and months, if this text can be read in one of them only.
pub(in super::super) fn date_order(text: &[u8], separator: u8) -> Option<DateOrder> {
    let fits = |order| civil::read(text.trim_ascii(), order, separator).is_some();
    match (fits(DateOrder::DMY), fits(DateOrder::MDY)) {
        (true, false) => Some(DateOrder::DMY),
        (false, true) => Some(DateOrder::MDY),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_that_of_most_rows() {
        let date = |order, separator| Guess::Is(TimeForm::Date(order, separator));
        for (texts, expected) in [
            (["20111011", "20111012"], Guess::Is(TimeForm::Iso)),
            (["01.02.2011", "02.03.2011"], date(DateOrder::DMY, b'.')),
            (["01-02-2011", "13-02-2011"], date(DateOrder::DMY, b'-')),
            (["01/02/2011", "02/13/2011 1:00 PM"], date(DateOrder::MDY, b'/')),
            (["0", "1318340740276"], Guess::Is(TimeForm::Unix { unit: &UNITS[1], is_guessed: true })),
            // The bad row is the other one.
            (["yesterday", "2011-10-11"], Guess::Is(TimeForm::Iso)),
            (["yesterday", "today"], Guess::Unknown),
            (["01/02/2011", "03/04/2011"], Guess::DaysOrMonthsFirst(b'/')),
        ] {
            assert_eq!(guess(&texts.map(|text| text.as_bytes().to_vec())), expected, "{texts:?}");
        }
        assert_eq!(date_order(b"13/13/2011", b'/'), None);
    }
}
