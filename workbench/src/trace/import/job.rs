//! Input, output, options and observer of one import, and its errors.

use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;

use super::input::{LogInput, LogProgress};
use super::observer::{ImportObserver, ImportStage};
use super::options::ImportOptions;
use crate::trace::error::TraceError;

pub(super) struct ImportJob<'a> {
    pub(super) input: LogInput,
    pub(super) output: &'a Path,
    pub(super) options: &'a ImportOptions,
    pub(super) observer: &'a dyn ImportObserver,
}

impl ImportJob<'_> {
    /// Reports how much of the log is read; an error if the observer cancelled.
    pub(super) fn proceed(&self, stage: ImportStage, log: Option<&LogProgress>) -> Result<(), TraceError> {
        let done = log.map_or(0, |log| log.taken.load(Ordering::Relaxed));
        self.proceed_to(stage, done, log.and_then(|log| log.size))
    }

    pub(super) fn proceed_to(&self, stage: ImportStage, done: u64, total: Option<u64>) -> Result<(), TraceError> {
        self.observer.progress(stage, done, total);
        if self.observer.is_stopped() { Err(TraceError::Interrupted) } else { Ok(()) }
    }

    pub(super) fn empty(&self) -> TraceError {
        TraceError::Empty { path: self.input.name.clone(), what: "events" }
    }

    pub(super) fn unreadable(&self, source: io::Error) -> TraceError {
        TraceError::file("read", &self.input.name)(source)
    }

    pub(super) fn unwritable(&self, source: io::Error) -> TraceError {
        TraceError::file("write", self.output)(source)
    }

    /// `column` is absent if the whole line is malformed.
    pub(super) fn malformed(&self, line: u64, column: Option<String>, reason: String) -> TraceError {
        TraceError::Malformed { path: self.input.name.clone(), line, column, reason }
    }
}
