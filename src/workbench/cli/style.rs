//! Colour, where the reader's terminal shows it: `NO_COLOR`, `CLICOLOR_FORCE` and `TERM=dumb` are heeded where text is
//! written, in [`output`](super::output). Colour says nothing that the words do not say.

use anstyle::{AnsiColor, Style};

use crate::workbench::report::Outcome;
use crate::workbench::report::compare::ComparisonOutcome;

/// What is wrong.
pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// What may be wrong.
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// What is right.
const PASS: Style = AnsiColor::Green.on_default().bold();

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

/// The outcome of a comparison as people read it, and its style.
pub(super) const fn comparison(outcome: ComparisonOutcome) -> (&'static str, Style) {
    match outcome {
        ComparisonOutcome::NoRegression => ("NO REGRESSION", PASS),
        ComparisonOutcome::Regression => ("REGRESSION", ERROR),
        ComparisonOutcome::Undecided => ("CANNOT TELL", WARNING),
    }
}
