//! Finding out how a log writes its times.

use crate::trace::import::times::civil::Order;
use crate::trace::import::times::unix::Unit;
use crate::trace::import::times::{Form, TimeReader};

/// What the first rows say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Guess {
    /// It is this form.
    Is(Form),
    /// Days and months stand in one of two orders, and these rows fit both.
    DaysOrMonthsFirst(u8),
    /// None that is known.
    Unknown,
}

/// Forms in which a date is written, the more usual ones first; where the order is open both stand here.
const FORMS: [Form; 12] = [
    Form::Iso,
    Form::Date(Order::Ymd, b'/'),
    Form::Date(Order::Ymd, b'.'),
    Form::Date(Order::Dmy, b'.'),
    Form::Date(Order::Dmy, b'/'),
    Form::Date(Order::Mdy, b'/'),
    Form::Date(Order::Dmy, b'-'),
    Form::Date(Order::Mdy, b'-'),
    Form::Date(Order::Dmy, b' '),
    Form::Date(Order::Mdy, b' '),
    Form::Date(Order::Ymd, b' '),
    Form::Date(Order::Mdy, b'.'),
];

/// The form most of the texts are in. A row that does not hold to it is then named for what it is.
pub(in super::super) fn guess(texts: &[Vec<u8>]) -> Guess {
    let forms = || FORMS.into_iter().chain(Unit::ALL.map(Form::UnixGuessed));
    let most = forms().map(|form| fitting(&form, texts)).max().unwrap_or(0);
    let Some(form) = forms().find(|form| most > 0 && fitting(form, texts) == most) else { return Guess::Unknown };
    match form {
        // With points between them days come before months, wherever that is written.
        Form::Date(Order::Dmy, separator)
            if separator != b'.' && fitting(&Form::Date(Order::Mdy, separator), texts) == most =>
        {
            Guess::DaysOrMonthsFirst(separator)
        }
        form => Guess::Is(form),
    }
}

fn fitting(form: &Form, texts: &[Vec<u8>]) -> usize {
    let reader = TimeReader { form: form.clone(), zone: None };
    texts.iter().filter(|text| reader.read(text).is_ok()).count()
}

/// The order of days and months, if this text can be read in one of them only.
pub(in super::super) fn between_orders(text: &[u8], separator: u8) -> Option<Order> {
    let fits = |order| crate::trace::import::times::Civil::read(text.trim_ascii(), order, separator).is_some();
    match (fits(Order::Dmy), fits(Order::Mdy)) {
        (true, false) => Some(Order::Dmy),
        (false, true) => Some(Order::Mdy),
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
        let date = |order, separator| Guess::Is(Form::Date(order, separator));
        assert_eq!(found(&["2011-10-11 13:45:40+02:00"]), Guess::Is(Form::Iso));
        assert_eq!(found(&["20111011", "20111012"]), Guess::Is(Form::Iso));
        assert_eq!(found(&["2011/10/11 13:45"]), date(Order::Ymd, b'/'));
        assert_eq!(found(&["01.02.2011"]), date(Order::Dmy, b'.'));
        assert_eq!(found(&["01/02/2011", "13/02/2011"]), date(Order::Dmy, b'/'));
        assert_eq!(found(&["01/02/2011", "02/13/2011 1:00 PM"]), date(Order::Mdy, b'/'));
        assert_eq!(found(&["01-02-2011", "13-02-2011"]), date(Order::Dmy, b'-'));
        assert_eq!(found(&["01-Feb-2011"]), date(Order::Dmy, b'-'));
        assert_eq!(found(&["1318340740", "1318340740.5"]), Guess::Is(Form::UnixGuessed(Unit::Seconds)));
        assert_eq!(found(&["0", "1318340740276"]), Guess::Is(Form::UnixGuessed(Unit::Milliseconds)));
        assert_eq!(found(&["yesterday"]), Guess::Unknown);
        assert_eq!(found(&["yesterday", "2011-10-11"]), Guess::Is(Form::Iso), "the bad row is the other one");
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_decided() {
        assert_eq!(found(&["01/02/2011", "03/04/2011"]), Guess::DaysOrMonthsFirst(b'/'));
        assert_eq!(between_orders(b"01/02/2011", b'/'), None);
        assert_eq!(between_orders(b"13/02/2011 10:00", b'/'), Some(Order::Dmy));
        assert_eq!(between_orders(b"02/13/2011", b'/'), Some(Order::Mdy));
        assert_eq!(between_orders(b"13/13/2011", b'/'), None);
    }
}
