//! The logs of a job as a decoder reads them, and what it makes of them.

use std::fs::File;
use std::io::{BufRead, BufReader};

use super::super::input::LogProgress;
use super::super::job::ImportJob;
use super::super::observer::ImportStage;
use super::super::options::ImportOptions;
use crate::trace::error::TraceError;

/// Logs as rows of CSV.
pub(super) struct Decoded {
    /// Of each log.
    pub(super) rows: Vec<File>,
    /// The given options, with the columns of the rows.
    pub(super) options: ImportOptions,
    /// Lines of the import's summary about what the rows do not have.
    pub(super) notes: Vec<String>,
}

/// A log from its beginning.
pub(super) fn open(
    job: &mut ImportJob<'_>,
    source: usize,
    progress: &LogProgress,
) -> Result<impl BufRead + use<>, TraceError> {
    let log = job.input.open(source, progress).map_err(|error| job.unreadable(source, error))?;
    let mut log = BufReader::with_capacity(256 << 10, log);
    // A byte order mark is no text.
    if log.fill_buf().map_err(|error| job.unreadable(source, error))?.starts_with(b"\xef\xbb\xbf") {
        log.consume(3);
    }
    Ok(log)
}

/// Copies logs that can be read only once.
pub(super) fn keep_all(job: &mut ImportJob<'_>) -> Result<(), TraceError> {
    for source in 0..job.input.count() {
        if !job.input.opens_again(source) {
            copy(job, source)?;
        }
    }
    Ok(())
}

fn copy(job: &mut ImportJob<'_>, source: usize) -> Result<(), TraceError> {
    let progress = job.input.progress();
    let mut log = job.input.open(source, &progress).map_err(|error| job.unreadable(source, error))?;
    let copy = job.copied(source, &mut log, ImportStage::Decode, &progress)?;
    job.input.replace_by_copy(source, copy);
    Ok(())
}

/// A log as a file that can be read in any order, decompressed.
pub(super) fn seekable(job: &mut ImportJob<'_>, source: usize) -> Result<File, TraceError> {
    let plain = |job: &ImportJob<'_>| job.input.plain_file(source).map_err(|error| job.unreadable(source, error));
    if let Some(file) = plain(job)?.filter(|_| job.input.opens_again(source)) {
        return Ok(file);
    }
    copy(job, source)?;
    plain(job)?.ok_or_else(|| job.at(source, "format".to_owned(), None, "compressed twice".to_owned()))
}
