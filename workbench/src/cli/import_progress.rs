//! Progress of an import for a person, and Ctrl-C.

use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;

use crate::cli::bar;
use crate::cli::output::Output;
use crate::load::Control;
use crate::trace::{ImportObserver, ImportStage};
use crate::units;

/// An observer that shows how far an import is, and stops it when a person does.
pub(super) struct ImportProgress {
    bar: Option<ProgressBar>,
    stage: Mutex<Option<ImportStage>>,
    control: Arc<Control>,
}

impl ImportProgress {
    pub(super) fn new(output: Output, control: Arc<Control>) -> Self {
        Self { bar: bar::new(output), stage: Mutex::new(None), control }
    }

    /// Removes the bar, so that the result stands alone.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

const fn label(stage: ImportStage) -> &'static str {
    match stage {
        ImportStage::Survey => "looking for a day above 12",
        ImportStage::Read => "reading the log",
        ImportStage::Write => "writing the trace",
    }
}

impl ImportObserver for ImportProgress {
    fn progress(&self, stage: ImportStage, done: u64, total: Option<u64>) {
        let Some(bar) = &self.bar else { return };
        let before = self.stage.lock().unwrap_or_else(PoisonError::into_inner).replace(stage);
        if before != Some(stage) {
            bar::begin(bar, label(stage).to_owned(), total);
        }
        let figure = match stage {
            ImportStage::Write => units::counted(done, "event"),
            ImportStage::Survey | ImportStage::Read => units::bytes(done as f64),
        };
        bar::show(bar, done, label(stage).to_owned(), figure);
    }

    fn is_stopped(&self) -> bool {
        self.control.is_stopped()
    }
}
