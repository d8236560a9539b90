//! Progress of an import, and its interruption by Ctrl-C.

use std::sync::{Arc, Mutex};

use indicatif::ProgressBar;

use super::{bar, lock};
use crate::cli::output::Output;
use crate::load::Control;
use crate::trace::{ImportObserver, ImportStage};
use crate::units;

/// An observer that shows progress and passes on Ctrl-C.
pub(crate) struct ImportProgress {
    pub(crate) bar: ProgressBar,
    stage: Mutex<Option<ImportStage>>,
    control: Arc<Control>,
}

impl ImportProgress {
    pub(crate) fn new(output: Output, control: Arc<Control>) -> Self {
        Self { bar: bar::new(output), stage: Mutex::new(None), control }
    }
}

impl ImportObserver for ImportProgress {
    fn progress(&self, stage: ImportStage, done: u64, total: Option<u64>) {
        let (label, position) = match stage {
            ImportStage::Decode => ("decoding the log", units::bytes(done as f64)),
            ImportStage::Survey => ("detecting the date order (D/M or M/D)", units::bytes(done as f64)),
            ImportStage::Read => ("reading the log", units::bytes(done as f64)),
            ImportStage::Write => ("writing the trace", units::counted(done, "event")),
        };
        if lock(&self.stage).replace(stage) != Some(stage) {
            bar::restart(&self.bar, label.to_owned(), total);
        }
        self.bar.set_position(done);
        self.bar.set_prefix(position);
    }

    fn is_stopped(&self) -> bool {
        self.control.is_stopped()
    }
}
