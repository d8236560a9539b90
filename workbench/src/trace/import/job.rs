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
    /// Reports how much of the logs is read; an error if the observer cancelled.
    pub(super) fn proceed(&self, stage: ImportStage, logs: &LogProgress) -> Result<(), TraceError> {
        self.proceed_to(stage, logs.taken.load(Ordering::Relaxed), logs.size)
    }

    pub(super) fn proceed_to(&self, stage: ImportStage, done: u64, total: Option<u64>) -> Result<(), TraceError> {
        self.observer.progress(stage, done, total);
        if self.observer.is_stopped() { Err(TraceError::Interrupted) } else { Ok(()) }
    }

    pub(super) fn empty(&self) -> TraceError {
        TraceError::Empty { path: self.input.name(0).to_owned(), what: "events" }
    }

    pub(super) fn unreadable(&self, source: usize, error: io::Error) -> TraceError {
        TraceError::file("read", self.input.name(source))(error)
    }

    pub(super) fn unwritable(&self, error: io::Error) -> TraceError {
        TraceError::file("write", self.output)(error)
    }

    /// `column` is absent if the whole line is malformed.
    pub(super) fn malformed(&self, source: usize, line: u64, column: Option<String>, reason: String) -> TraceError {
        TraceError::Malformed { path: self.input.name(source).to_owned(), line, column, reason }
    }
}
