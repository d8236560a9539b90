//! Input, output, options and observer of one import, and its errors.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::blocks::fill;
use super::input::{LogInput, LogProgress};
use super::observer::{ImportObserver, ImportStage};
use super::options::{ImportOptions, SkippedRows};
use crate::trace::atomic_file::scratch_directory;
use crate::trace::error::TraceError;

pub(super) struct ImportJob<'a> {
    pub(super) input: LogInput,
    pub(super) output: &'a Path,
    pub(super) options: &'a ImportOptions,
    pub(super) observer: &'a dyn ImportObserver,
    /// Of logs that were decoded to CSV.
    pub(super) format: Option<&'static str>,
    /// Lines of the summary about what the logs do not have.
    pub(super) notes: Vec<String>,
    /// Rows that were left out when the logs were decoded.
    pub(super) skipped: SkippedRows,
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

    /// How many of the columns the logs themselves have: those behind are the size and the place of a decoded log.
    pub(super) const fn own_columns(&self, columns: usize) -> usize {
        columns - if self.format.is_some() { 2 } else { 0 }
    }

    /// Where temporary files are.
    pub(super) fn directory(&self) -> PathBuf {
        scratch_directory(self.output)
    }

    /// Copies a log to a nameless file beside the output, so that it can be read more than once and in any order.
    pub(super) fn copied(
        &self,
        source: usize,
        log: &mut dyn Read,
        stage: ImportStage,
        progress: &LogProgress,
    ) -> Result<Arc<File>, TraceError> {
        const COPIED_BYTES: usize = 1 << 20;
        let mut copy = tempfile::tempfile_in(self.directory()).map_err(|error| self.unwritable(error))?;
        let (mut buffer, mut is_over) = (Vec::new(), false);
        while !is_over {
            buffer.clear();
            is_over = fill(log, &mut buffer, COPIED_BYTES).map_err(|error| self.unreadable(source, error))?;
            copy.write_all(&buffer).map_err(|error| self.unwritable(error))?;
            self.proceed(stage, progress)?;
        }
        Ok(Arc::new(copy))
    }

    /// `column` is absent if the whole line is malformed. Of a decoded log the line is that of the decoded rows.
    pub(super) fn malformed(&self, source: usize, line: u64, column: Option<String>, reason: String) -> TraceError {
        if let Some(place) = self.input.place_of(source, line) {
            return self.at(source, place, column, reason);
        }
        TraceError::Malformed { path: self.input.name(source).to_owned(), line, column, reason }
    }

    /// An error at a place of the original log.
    pub(super) fn at(&self, source: usize, place: String, column: Option<String>, reason: String) -> TraceError {
        TraceError::BadEvent { path: self.input.name(source).to_owned(), place, column, reason }
    }

    pub(super) fn unsuitable(&self, source: usize, option: &'static str, reason: impl Into<String>) -> TraceError {
        TraceError::Unsuitable { path: self.input.name(source).to_owned(), option, reason: reason.into() }
    }
}
