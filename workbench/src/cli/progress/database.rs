//! Progress of an operation on a whole database, and its interruption by Ctrl-C.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ave_actors_rocksdb::backend::Progress;
use indicatif::ProgressBar;

use super::bar;
use crate::cli::output::Output;
use crate::load::Control;
use crate::units;

/// Longest time without a line where there is no bar.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Shows progress and passes on Ctrl-C.
pub(crate) struct DatabaseProgress {
    output: Output,
    label: &'static str,
    bar: ProgressBar,
    control: Arc<Control>,
    last_line: Instant,
    is_started: bool,
}

impl DatabaseProgress {
    /// `label`: what is being done, such as `verifying`.
    pub(crate) fn new(output: Output, label: &'static str, control: Arc<Control>) -> Self {
        let bar = bar::new(output);
        if bar.is_hidden() {
            output.progress(label);
        }
        Self { output, label, bar, control, last_line: Instant::now(), is_started: false }
    }

    /// The observer of the backend's operations.
    pub(crate) fn observe(&mut self, progress: Progress) -> ControlFlow<()> {
        let Progress { done_bytes, total_bytes } = progress;
        if !self.is_started {
            bar::restart(&self.bar, self.label.to_owned(), Some(total_bytes));
            self.is_started = true;
        }
        self.bar.set_position(done_bytes);
        self.bar.set_prefix(units::bytes(done_bytes as f64));
        if self.bar.is_hidden() && self.last_line.elapsed() >= HEARTBEAT {
            self.last_line = Instant::now();
            let [done, total] = [done_bytes, total_bytes].map(|bytes| units::bytes(bytes as f64));
            self.output.progress(&format!("  {}: {done} of {total}", self.label));
        }
        if self.control.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Removes the bar. Returns whether Ctrl-C was pressed.
    pub(crate) fn finish(self) -> bool {
        self.bar.finish_and_clear();
        self.control.is_stopped()
    }
}
