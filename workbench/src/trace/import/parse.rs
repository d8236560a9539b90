//! From a block of the log to its events.

use std::borrow::Cow;

use csv::ByteRecord;

use super::actors::Actors;
use super::blocks::lines;
use super::columns::Columns;
use super::rows::{Rows, joined, record_bytes};
use super::sort::Event;
use super::times::TimeReader;
use crate::workload::{MAX_VALUE_BYTES, excerpt};

/// Between the parts of a name that is joined from several columns.
const NAME_SEPARATOR: u8 = b'/';

pub(super) struct Plan {
    pub(super) delimiter: u8,
    pub(super) columns: Columns,
    pub(super) times: TimeReader,
}

#[derive(Default)]
pub(super) struct Parsed {
    /// With the numbers of `actors`.
    pub(super) events: Vec<Event>,
    pub(super) actors: Actors,
    pub(super) lines: u64,
    /// Whether a time has no offset.
    pub(super) has_local_times: bool,
}

pub(super) struct BadRow {
    /// Lines of the block before it.
    pub(super) line: u64,
    /// Absent if the whole row is malformed.
    pub(super) column: Option<String>,
    pub(super) reason: String,
}

impl Plan {
    /// Reads a block; the first one begins with the header.
    pub(super) fn parse(&self, block: &[u8], has_header: bool) -> Result<Parsed, BadRow> {
        let mut rows = Rows::new(block, self.delimiter);
        let mut parsed = Parsed { lines: lines(block), ..Parsed::default() };
        if has_header {
            rows.next_row();
        }
        while let Some(row) = rows.next_row() {
            if let Err((column, reason)) = self.add(row, &mut parsed) {
                return Err(BadRow { line: rows.lines_before(), column, reason });
            }
        }
        Ok(parsed)
    }

    /// Adds a row; the column and the reason if it is malformed.
    fn add(&self, row: &ByteRecord, parsed: &mut Parsed) -> Result<(), (Option<String>, String)> {
        let columns = &self.columns;
        if !self.fits(row) {
            let expected = columns.headers.len();
            return Err((None, format!("{} fields, expected {expected} as in the header", row.len())));
        }
        if columns.actor.iter().all(|&column| row[column].is_empty()) {
            return Err((Some(columns.names(&columns.actor)), "empty, expected the actor's name".to_owned()));
        }
        let text = self.time_text(row);
        let moment = self.times.read(&text).map_err(|expected| {
            (Some(columns.names(&columns.time)), format!("`{}`, expected {expected}", time_excerpt(&text)))
        })?;
        let bytes = columns.payload.map_or_else(|| record_bytes(row), |column| row[column].len());
        let bytes = u32::try_from(bytes).ok().filter(|&bytes| bytes <= MAX_VALUE_BYTES).ok_or_else(|| {
            let column = columns.payload.map(|column| columns.headers[column].clone());
            (column, format!("a payload of {bytes} bytes, expected at most {MAX_VALUE_BYTES}"))
        })?;
        let name = joined(row, &columns.actor, NAME_SEPARATOR);
        let actor = parsed.actors.number(&name).expect("a block has fewer rows than bytes, counted in 32 bits");
        parsed.has_local_times |= moment.is_local;
        parsed.events.push(Event { time: moment.nanoseconds, actor, bytes });
        Ok(())
    }

    pub(super) fn fits(&self, row: &ByteRecord) -> bool {
        row.len() == self.columns.headers.len()
    }

    /// The text of the time: of one column, or of several with a space between them.
    pub(super) fn time_text<'r>(&self, row: &'r ByteRecord) -> Cow<'r, [u8]> {
        joined(row, &self.columns.time, b' ')
    }
}

/// The text of a time for an error message.
pub(super) fn time_excerpt(text: &[u8]) -> String {
    excerpt(&String::from_utf8_lossy(text.trim_ascii()))
}
