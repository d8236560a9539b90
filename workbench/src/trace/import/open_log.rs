//! An open log: its first bytes, from which it is surveyed, and the rest.

use std::io::Read;
use std::sync::Arc;

use super::blocks::{MAX_RECORD_BYTES, fill, lines};
use super::input::{FromStart, LogProgress};
use super::job::ImportJob;
use super::observer::ImportStage;
use crate::trace::error::TraceError;

const HEAD_BYTES: usize = 256 << 10;

pub(super) struct OpenLog {
    /// Its number among the inputs.
    pub(super) source: usize,
    /// The first bytes behind the lines that are skipped.
    pub(super) head: Vec<u8>,
    /// Whether `head` is all of it.
    pub(super) is_whole: bool,
    /// Number of lines that were skipped.
    pub(super) lines_before: u64,
    /// The separator that a first line such as `sep=;` names.
    pub(super) separator: Option<u8>,
    pub(super) rest: Box<dyn Read + Send>,
}

impl OpenLog {
    pub(super) fn open(job: &mut ImportJob<'_>, source: usize, progress: &LogProgress) -> Result<Self, TraceError> {
        let rest = job.input.open(source, progress).map_err(|error| job.unreadable(source, error))?;
        let (head, is_whole, lines_before, separator) = (Vec::new(), false, 0, None);
        let mut log = Self { source, head, is_whole, lines_before, separator, rest };
        log.fill_head(job)?;
        if log.head.starts_with(b"\xef\xbb\xbf") {
            log.head.drain(..3);
        }
        for _ in 0..job.options.skip_lines {
            let Some(end) = line_end(&log.head) else {
                let reason = format!("longer than {HEAD_BYTES} bytes, expected a line to skip");
                let too_long = || job.malformed(source, log.lines_before + 1, None, reason);
                return Err(if log.is_whole { job.empty() } else { too_long() });
            };
            log.drop_lines(end);
            if log.head.len() < HEAD_BYTES / 2 {
                log.fill_head(job)?;
            }
        }
        log.take_separator();
        Ok(log)
    }

    fn fill_head(&mut self, job: &ImportJob<'_>) -> Result<(), TraceError> {
        if !self.is_whole {
            let filled = fill(&mut self.rest, &mut self.head, HEAD_BYTES);
            self.is_whole = filled.map_err(|error| job.unreadable(self.source, error))?;
        }
        Ok(())
    }

    /// Reads more into the head; false at the end of the log, or if the head is larger than a record may be.
    pub(super) fn grow_head(&mut self, job: &ImportJob<'_>) -> Result<bool, TraceError> {
        if self.is_whole || self.head.len() > MAX_RECORD_BYTES {
            return Ok(false);
        }
        let wanted = self.head.len() * 4;
        let filled = fill(&mut self.rest, &mut self.head, wanted);
        self.is_whole = filled.map_err(|error| job.unreadable(self.source, error))?;
        Ok(true)
    }

    /// Drops the header, or any other whole lines.
    pub(super) fn drop_lines(&mut self, end: usize) {
        self.lines_before += lines(&self.head[..end]);
        self.head.drain(..end);
    }

    /// Takes the first line if it is `sep=;` or `"sep=;"`, by which spreadsheets name the separator.
    fn take_separator(&mut self) {
        let Some(end) = line_end(&self.head) else { return };
        let line = self.head[..end].trim_ascii_end();
        let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
        // The separator may be a tab, which is a blank.
        let separator = match (line.get(..4), line.get(4..)) {
            (Some(name), Some([separator])) if name.eq_ignore_ascii_case(b"sep=") => *separator,
            (Some(name), Some([])) if name.eq_ignore_ascii_case(b"sep=") => b'\t',
            _ => return,
        };
        self.separator = Some(separator).filter(u8::is_ascii);
        self.drop_lines(end);
    }

    /// Copies the rest to a nameless file beside the output, so that it can be read twice; returns a second reader of it.
    pub(super) fn spool(
        &mut self,
        job: &ImportJob<'_>,
        progress: &LogProgress,
    ) -> Result<Box<dyn Read + Send>, TraceError> {
        let copy = job.copied(self.source, &mut self.rest, ImportStage::Survey, progress)?;
        self.rest = Box::new(FromStart::new(Arc::clone(&copy)));
        Ok(Box::new(FromStart::new(copy)))
    }
}

/// The end of the first line, behind its line feed, or its carriage return in a text without line feeds.
fn line_end(text: &[u8]) -> Option<usize> {
    let end = |byte| memchr::memchr(byte, text);
    end(b'\n').or_else(|| end(b'\r')).map(|at| at + 1)
}
