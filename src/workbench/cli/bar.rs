//! A progress bar, where there is a terminal to show it on.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::output::Output;

/// The bar for what `output` shows; `None` where bars make no sense.
pub(super) fn new(output: Output) -> Option<ProgressBar> {
    output.shows_bars().then(|| {
        let bar = ProgressBar::new(0);
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    })
}

/// Lets the bar begin anew with something that takes `total` steps, if that is known.
pub(super) fn begin(bar: &ProgressBar, label: impl Into<std::borrow::Cow<'static, str>>, total: Option<u64>) {
    let template = match total {
        Some(_) => "{spinner} {msg} {wide_bar} {percent:>3} % {prefix}",
        None => "{spinner} {msg} {elapsed} {prefix}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.reset();
    bar.set_length(total.unwrap_or(0));
    bar.set_prefix("");
    bar.set_message(label);
}
