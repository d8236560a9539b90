//! A progress bar, where there is a terminal to show it on: a line that says what is being done, and below it the bar with
//! what is known of it.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::output::Output;

/// Interval at which its spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// The bar for what `output` shows; `None` where bars make no sense.
pub(super) fn new(output: Output) -> Option<ProgressBar> {
    output.shows_bars().then(|| ProgressBar::new(0))
}

/// Lets the bar begin anew with something that takes `total` steps, if that is known.
pub(super) fn begin(bar: &ProgressBar, headline: String, total: Option<u64>) {
    let template = match total {
        Some(_) => "{spinner} {wide_msg}\n  {wide_bar} {percent:>3} % {prefix}",
        None => "{spinner} {wide_msg}\n  {elapsed} {prefix}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix("");
    bar.set_message(headline);
    bar.set_length(total.unwrap_or(0));
    bar.reset();
    bar.enable_steady_tick(TICK);
    // However short it is, it is seen.
    bar.force_draw();
}

/// Shows how far it is.
pub(super) fn show(bar: &ProgressBar, done: u64, headline: String, figures: String) {
    bar.set_position(done);
    bar.set_message(headline);
    bar.set_prefix(figures);
}
