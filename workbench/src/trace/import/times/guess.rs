//! Detects the form of the times of a log.

use super::civil::{self, DateOrder};
use super::form::TimeForm;
use super::reader::TimeReader;
use super::unix::UNITS;

/// The form that the first rows show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Guess {
    /// This form.
    Is(TimeForm),
    /// A date with this separator; the rows fit day before month and month before day.
    DaysOrMonthsFirst(u8),
    /// No known form.
    Unknown,
}

/// Forms of dates in order of preference; both orders of day and month where the order is ambiguous.
const FORMS: [TimeForm; 12] = [
    TimeForm::Iso,
    TimeForm::Date(DateOrder::Ymd, b'/'),
    TimeForm::Date(DateOrder::Ymd, b'.'),
    TimeForm::Date(DateOrder::Dmy, b'.'),
    TimeForm::Date(DateOrder::Dmy, b'/'),
    TimeForm::Date(DateOrder::Mdy, b'/'),
    TimeForm::Date(DateOrder::Dmy, b'-'),
    TimeForm::Date(DateOrder::Mdy, b'-'),
    TimeForm::Date(DateOrder::Dmy, b' '),
    TimeForm::Date(DateOrder::Mdy, b' '),
    TimeForm::Date(DateOrder::Ymd, b' '),
    TimeForm::Date(DateOrder::Mdy, b'.'),
];

/// The form of most of the texts. The others are reported when they are read.
pub(in super::super) fn guess(texts: &[Vec<u8>]) -> Guess {
    let forms = || FORMS.into_iter().chain(UNITS.iter().map(TimeForm::UnixGuessed));
    let most = forms().map(|form| fitting(&form, texts)).max().unwrap_or(0);
    let Some(form) = forms().find(|form| most > 0 && fitting(form, texts) == most) else { return Guess::Unknown };
    match form {
        // With points as separators days always come before months.
        TimeForm::Date(DateOrder::Dmy, separator)
            if separator != b'.' && fitting(&TimeForm::Date(DateOrder::Mdy, separator), texts) == most =>
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
    match (fits(DateOrder::Dmy), fits(DateOrder::Mdy)) {
        (true, false) => Some(DateOrder::Dmy),
        (false, true) => Some(DateOrder::Mdy),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(texts: &[&str]) -> Guess {
        guess(&texts.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>())
    }

    #[test]
    fn the_form_is_found_from_the_rows() {
        let date = |order, separator| Guess::Is(TimeForm::Date(order, separator));
        assert_eq!(found(&["2011-10-11 13:45:40+02:00"]), Guess::Is(TimeForm::Iso));
        assert_eq!(found(&["20111011", "20111012"]), Guess::Is(TimeForm::Iso));
        assert_eq!(found(&["2011/10/11 13:45"]), date(DateOrder::Ymd, b'/'));
        assert_eq!(found(&["01.02.2011"]), date(DateOrder::Dmy, b'.'));
        assert_eq!(found(&["01/02/2011", "13/02/2011"]), date(DateOrder::Dmy, b'/'));
        assert_eq!(found(&["01/02/2011", "02/13/2011 1:00 PM"]), date(DateOrder::Mdy, b'/'));
        assert_eq!(found(&["01-02-2011", "13-02-2011"]), date(DateOrder::Dmy, b'-'));
        assert_eq!(found(&["01-Feb-2011"]), date(DateOrder::Dmy, b'-'));
        assert_eq!(found(&["1318340740", "1318340740.5"]), Guess::Is(TimeForm::UnixGuessed(&UNITS[0])));
        assert_eq!(found(&["0", "1318340740276"]), Guess::Is(TimeForm::UnixGuessed(&UNITS[1])));
        assert_eq!(found(&["yesterday"]), Guess::Unknown);
        assert_eq!(found(&["yesterday", "2011-10-11"]), Guess::Is(TimeForm::Iso), "the bad row is the other one");
    }

    #[test]
    fn ambiguous_dates_are_not_guessed() {
        assert_eq!(found(&["01/02/2011", "03/04/2011"]), Guess::DaysOrMonthsFirst(b'/'));
        assert_eq!(date_order(b"01/02/2011", b'/'), None);
        assert_eq!(date_order(b"13/02/2011 10:00", b'/'), Some(DateOrder::Dmy));
        assert_eq!(date_order(b"02/13/2011", b'/'), Some(DateOrder::Mdy));
        assert_eq!(date_order(b"13/13/2011", b'/'), None);
    }
}
