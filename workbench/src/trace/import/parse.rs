//! From a block of the log to its events.

use std::borrow::Cow;
use std::collections::HashMap;

use super::blocks::lines;
use super::columns::Columns;
use super::rows::Rows;
use super::sort::Event;
use super::times::TimeReader;
use crate::workload::{MAX_VALUE_BYTES, excerpt};

/// Between the parts of a name that is joined from several columns.
const NAME_SEPARATOR: u8 = b'/';

/// How a row is read.
pub(super) struct Plan {
    pub(super) delimiter: u8,
    pub(super) columns: Columns,
    pub(super) times: TimeReader,
}

/// Content of a block.
pub(super) struct Parsed<'a> {
    /// Their actors are indices into `names`.
    pub(super) events: Vec<Event>,
    /// Every actor of the block once, in order of appearance.
    pub(super) names: Vec<Cow<'a, [u8]>>,
    /// Line ends in the block.
    pub(super) lines: u64,
    /// Whether a time has no offset.
    pub(super) has_local_times: bool,
}

/// A malformed row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadRow {
    /// Lines of the block before it.
    pub(super) line: u64,
    /// Absent if the whole row is malformed.
    pub(super) column: Option<String>,
    /// What was found and what was expected.
    pub(super) reason: String,
}

impl Plan {
    /// Reads a block; the first one begins with the header.
    pub(super) fn parse<'a>(&self, block: &'a [u8], has_header: bool) -> Result<Parsed<'a>, BadRow> {
        let mut rows = Rows::new(block, self.delimiter);
        let mut parser = Parser { plan: self, known: HashMap::new(), names: Vec::new(), last: None, local: false };
        let mut events = Vec::new();
        if has_header {
            rows.advance();
        }
        while rows.advance() {
            match parser.event(&rows) {
                Ok(event) => events.push(event),
                Err((column, reason)) => return Err(BadRow { line: lines(&block[..rows.start()]), column, reason }),
            }
        }
        Ok(Parsed { events, names: parser.names, lines: lines(block), has_local_times: parser.local })
    }

    /// The text of the time: of one column, or of several with a space between them.
    pub(super) fn time_text<'a>(columns: &[usize], rows: &Rows<'a>) -> Cow<'a, [u8]> {
        joined(columns, rows, b' ')
    }
}

/// State of the parser between the rows of a block.
struct Parser<'a, 'p> {
    plan: &'p Plan,
    known: HashMap<Cow<'a, [u8]>, u32>,
    names: Vec<Cow<'a, [u8]>>,
    /// The actor of the row before: logs are often grouped by it.
    last: Option<u32>,
    local: bool,
}

/// Column and reason of a malformed row.
type Malformation = (Option<String>, String);

impl<'a> Parser<'a, '_> {
    fn event(&mut self, rows: &Rows<'a>) -> Result<Event, Malformation> {
        let columns = &self.plan.columns;
        let expected = columns.headers.len();
        if rows.len() != expected {
            return Err((None, format!("{} fields, expected {expected} as in the header", rows.len())));
        }
        let name = joined(&columns.actor, rows, NAME_SEPARATOR);
        if columns.actor.iter().all(|&column| rows.field_bytes(column) == 0) {
            return Err((Some(columns.names(&columns.actor)), "empty, expected the actor's name".to_owned()));
        }
        let text = Plan::time_text(&columns.time, rows);
        let moment = self.plan.times.read(&text).map_err(|expected| {
            (Some(columns.names(&columns.time)), format!("`{}`, expected {expected}", time_excerpt(&text)))
        })?;
        self.local |= moment.is_local;
        let bytes = self.payload_bytes(rows)?;
        Ok(Event { time: moment.nanoseconds, actor: self.actor(name), bytes })
    }

    /// The length of the payload: of one column, or of the row without its line end and quotes.
    fn payload_bytes(&self, rows: &Rows<'a>) -> Result<u32, Malformation> {
        let payload = self.plan.columns.payload;
        let bytes = payload.map_or_else(|| rows.record_bytes(), |column| rows.field_bytes(column));
        u32::try_from(bytes).ok().filter(|&bytes| bytes <= MAX_VALUE_BYTES).ok_or_else(|| {
            let column = payload.map(|column| self.plan.columns.headers[column].clone());
            (column, format!("a payload of {bytes} bytes, expected at most {MAX_VALUE_BYTES}"))
        })
    }

    fn actor(&mut self, name: Cow<'a, [u8]>) -> u32 {
        if let Some(last) = self.last.filter(|&last| self.names[last as usize] == name) {
            return last;
        }
        let next = self.names.len();
        let number = *self.known.entry(name).or_insert_with_key(|name| {
            self.names.push(name.clone());
            u32::try_from(next).expect("a block has fewer rows than bytes, and those are counted in 32 bits")
        });
        self.last = Some(number);
        number
    }
}

fn joined<'a>(columns: &[usize], rows: &Rows<'a>, separator: u8) -> Cow<'a, [u8]> {
    match columns {
        [column] => rows.field(*column),
        columns => Cow::Owned(columns.iter().map(|&column| rows.field(column)).collect::<Vec<_>>().join(&separator)),
    }
}

/// The text of a time for an error message.
pub(super) fn time_excerpt(text: &[u8]) -> String {
    excerpt(&String::from_utf8_lossy(text.trim_ascii()))
}
