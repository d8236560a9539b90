//! The first rows of a log, from which its columns and the form of its times are found.

use std::collections::HashSet;

use csv::ByteRecord;

use super::actors::is_placeholder;
use super::blocks::Dialect;
use super::job::ImportJob;
use super::open_log::OpenLog;
use super::rows::{Rows, field, text};
use crate::trace::error::TraceError;

/// Rows whose contents decide.
const SAMPLE_ROWS: usize = 1000;
/// Longer values are messages rather than names, bytes.
const LONGEST_NAME: usize = 80;

pub(super) struct Sample {
    /// Names of the columns; numbers if the log has no header.
    pub(super) headers: Vec<String>,
    pub(super) rows: Vec<SampleRow>,
    /// Bytes of the log before its first row.
    pub(super) header_bytes: usize,
}

pub(super) struct SampleRow {
    /// Line of the file, from 1.
    pub(super) line: u64,
    pub(super) row: ByteRecord,
}

impl Sample {
    pub(super) fn read(job: &ImportJob<'_>, log: &OpenLog, dialect: Dialect) -> Result<Self, TraceError> {
        let mut rows = Rows::new(&log.head, dialect);
        let first = rows.next_row().cloned().ok_or_else(|| job.empty())?;
        let line = log.lines_before + rows.lines_before() + 1;
        if rows.is_at_end() && !log.is_whole {
            let reason = format!("a first row of more than {} bytes, expected a CSV log", log.head.len());
            return Err(job.malformed(log.source, line, None, reason));
        }
        let mut sample = Self { headers: Vec::new(), rows: Vec::new(), header_bytes: 0 };
        if job.options.has_header {
            sample.header_bytes = rows.end();
            sample.headers = first.iter().map(|name| text(name).into_owned()).collect();
        } else {
            sample.headers = (1..=first.len()).map(|number| number.to_string()).collect();
            sample.rows.push(SampleRow { line, row: first });
        }
        while sample.rows.len() < SAMPLE_ROWS
            && let Some(row) = rows.next_row().cloned()
        {
            // The last record of a longer log is cut off.
            if log.is_whole || !rows.is_at_end() {
                sample.rows.push(SampleRow { line: log.lines_before + rows.lines_before() + 1, row });
            }
        }
        Ok(sample)
    }

    /// The texts of a column without those that stand for no value.
    fn values(&self, column: usize) -> impl Iterator<Item = &[u8]> {
        let texts = self.rows.iter().map(move |sample| field(&sample.row, column).trim_ascii());
        texts.filter(|text| !text.is_empty() && !is_placeholder(text))
    }

    /// Number of different values in a column.
    pub(super) fn distinct(&self, column: usize) -> usize {
        self.values(column).collect::<HashSet<_>>().len()
    }

    /// Number of rows with a value in a column.
    pub(super) fn filled(&self, column: usize) -> usize {
        self.values(column).count()
    }

    /// Whether the values of a column are like names: short, and neither times nor decimal numbers.
    pub(super) fn is_like_names(&self, column: usize) -> bool {
        let is_measure = |text: &[u8]| {
            let mut others = text.iter().filter(|byte| !byte.is_ascii_digit() && **byte != b'-');
            matches!((others.next(), others.next()), (Some(b'.' | b','), None))
        };
        let is_time = |text: &[u8]| memchr::memchr_iter(b':', text).nth(1).is_some();
        !self.values(column).any(|text| text.len() > LONGEST_NAME || is_measure(text) || is_time(text))
    }
}
