//! Reads the time of a row.
//!
//! A log writes its times in one form. The form is an option, or found from the first rows (`guess`), and every row must
//! have it. Times are nanoseconds since 1970 in an `i64`, which reaches from 1677 to 2262.

mod civil;
mod form;
mod guess;
mod number;
mod reader;

pub(super) use form::{ADVICE, KNOWN_FORMS, TimeForm};
pub(super) use guess::{Candidates, Guess, guess};
pub(super) use reader::TimeReader;
