//! Colours. `NO_COLOR` and `CLICOLOR_FORCE` take effect where text is written, in [`output`](crate::cli::output),
//! `TERM=dumb` here. Colour carries no information that the text does not.

use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};

use crate::report::Outcome;

pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const PASS: Style = AnsiColor::Green.on_default().bold();

pub(super) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Disables colour on dumb terminals, where `CI` or `CLICOLOR` would enable it, unless it is forced.
pub(super) fn disable_colour_on_dumb_terminals() {
    if is_dumb() && !anstyle_query::clicolor_force() {
        ColorChoice::Never.write_global();
    }
}

pub(super) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

pub(super) const fn outcome(outcome: Outcome) -> (&'static str, Style) {
    match outcome {
        Outcome::Pass => ("PASS", PASS),
        Outcome::Fail => ("FAIL", ERROR),
        Outcome::Inconclusive => ("INCONCLUSIVE", WARNING),
    }
}
