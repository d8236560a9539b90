//! Decoded events as rows of CSV in a temporary file.

use std::fs::File;
use std::io;

use memchr::memchr2;

use super::super::input::LogProgress;
use super::super::job::ImportJob;
use super::super::observer::ImportStage;
use crate::trace::error::TraceError;

/// Name of the last column: the place of the event in the original log.
const PLACE: &str = "(place)";
/// Rows between two looks at the observer.
const ROWS_PER_STEP: u64 = 1 << 12;
const BUFFER_BYTES: usize = 256 << 10;

/// Writes a row for each event. Row and line are the same: line breaks in values become spaces.
pub(super) struct RowWriter<'a, 'j> {
    job: &'a ImportJob<'j>,
    progress: &'a LogProgress,
    csv: csv::Writer<File>,
    rows: u64,
}

impl<'a, 'j> RowWriter<'a, 'j> {
    /// A temporary file without a name. The header has the columns, then `size`, the name of the column with
    /// the size of the event, then the place.
    pub(super) fn new(
        job: &'a ImportJob<'j>,
        progress: &'a LogProgress,
        columns: impl IntoIterator<Item = impl AsRef<[u8]>>,
        size: &str,
    ) -> Result<Self, TraceError> {
        let file = tempfile::tempfile_in(job.directory()).map_err(|error| job.unwritable(error))?;
        let csv = csv::WriterBuilder::new().buffer_capacity(BUFFER_BYTES).flexible(true).from_writer(file);
        let mut writer = Self { job, progress, csv, rows: 0 };
        for column in columns {
            writer.field(column.as_ref())?;
        }
        writer.end(size, PLACE)?;
        Ok(writer)
    }

    /// Appends a field to the row.
    pub(super) fn field(&mut self, field: &[u8]) -> Result<(), TraceError> {
        let written = if memchr2(b'\n', b'\r', field).is_some() {
            let spaced: Vec<u8> = field.iter().map(|byte| if b"\r\n".contains(byte) { b' ' } else { *byte }).collect();
            self.csv.write_field(spaced)
        } else {
            self.csv.write_field(field)
        };
        written.map_err(|error| self.failed(error.into()))
    }

    /// Ends the row of an event of this size at this place of the original log.
    pub(super) fn row(&mut self, bytes: usize, place: &str) -> Result<(), TraceError> {
        let mut digits = itoa::Buffer::new();
        self.end(digits.format(bytes), place)?;
        self.rows += 1;
        if self.rows.is_multiple_of(ROWS_PER_STEP) {
            self.job.proceed(ImportStage::Decode, self.progress)?;
        }
        Ok(())
    }

    fn end(&mut self, size: &str, place: &str) -> Result<(), TraceError> {
        self.field(size.as_bytes())?;
        self.field(place.as_bytes())?;
        self.csv.write_record(None::<&[u8]>).map_err(|error| self.failed(error.into()))
    }

    /// The file.
    pub(super) fn finish(self) -> Result<File, TraceError> {
        let job = self.job;
        self.csv.into_inner().map_err(|error| job.unwritable(io::Error::from(error.error().kind())))
    }

    fn failed(&self, error: io::Error) -> TraceError {
        self.job.unwritable(error)
    }
}
