//! Colour, where the reader's terminal shows it: `NO_COLOR` and `CLICOLOR_FORCE` are heeded where text is written, in
//! [`output`](crate::cli::output), `TERM=dumb` here. Colour says nothing that the words do not say.

use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};

use crate::compare::ComparisonOutcome;
use crate::report::Outcome;

/// What is wrong.
pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// What may be wrong.
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// What is right.
const PASS: Style = AnsiColor::Green.on_default().bold();

/// Whether the terminal says that it shows text and nothing else.
pub(super) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Lets a dumb terminal get no colour from here on, unless colour is forced. Left alone, `CI` and `CLICOLOR` would turn it
/// on there.
pub(super) fn heed_dumb_terminals() {
    if is_dumb() && !anstyle_query::clicolor_force() {
        ColorChoice::Never.write_global();
    }
}

/// `text` in this style.
pub(super) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The outcome as people read it, and its style.
pub(super) const fn outcome(outcome: Outcome) -> (&'static str, Style) {
    match outcome {
        Outcome::Pass => ("PASS", PASS),
        Outcome::Fail => ("FAIL", ERROR),
        Outcome::Inconclusive => ("INCONCLUSIVE", WARNING),
    }
}

/// The style of a comparison's outcome.
pub(super) const fn comparison(outcome: ComparisonOutcome) -> Style {
    match outcome {
        ComparisonOutcome::NoDifference | ComparisonOutcome::Improvement | ComparisonOutcome::NoRegression => PASS,
        ComparisonOutcome::Regression => ERROR,
        ComparisonOutcome::Undecided => WARNING,
    }
}
