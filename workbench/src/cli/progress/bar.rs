//! The progress bar: a headline, and below it the bar and figures. Hidden where it makes no sense, it still keeps the rate.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::output::Output;

const TICK: Duration = Duration::from_millis(120);

pub(super) fn new(output: Output) -> ProgressBar {
    if output.shows_bars() { ProgressBar::new(0) } else { ProgressBar::hidden() }
}

/// Restarts the bar for `total` steps, if their number is known.
pub(super) fn restart(bar: &ProgressBar, headline: String, total: Option<u64>) {
    let template = if let Some(total) = total {
        bar.set_length(total);
        "{spinner} {wide_msg}\n  {wide_bar} {percent:>3} % {prefix}"
    } else {
        bar.unset_length();
        "{spinner} {wide_msg}\n  {elapsed} {prefix}"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix("");
    bar.set_message(headline);
    bar.reset();
    if !bar.is_hidden() {
        bar.enable_steady_tick(TICK);
        // Short phases are shown too.
        bar.force_draw();
    }
}
