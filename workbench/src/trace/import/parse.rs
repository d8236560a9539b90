//! From a block of the log to its events.

use std::borrow::Cow;

use csv::ByteRecord;

use super::actors::{Actors, is_blank, is_placeholder};
use super::blocks::{Dialect, lines};
use super::byte_size::byte_size;
use super::columns::Columns;
use super::rows::{Rows, field, joined, record_bytes};
use super::sort::Event;
use super::times::TimeReader;
use crate::units;
use crate::workload::{MAX_VALUE_BYTES, excerpt};

/// Between the parts of a name that is joined from several columns.
const NAME_SEPARATOR: u8 = b'/';

pub(super) struct Plan {
    pub(super) dialect: Dialect,
    pub(super) columns: Columns,
    pub(super) times: TimeReader,
    pub(super) hexadecimal_payload: bool,
    pub(super) type_separator: Option<char>,
    /// Whether bad rows are left out. If not, the first one ends the import.
    pub(super) skips_bad_rows: bool,
    /// Share of the first rows without an actor, for an error.
    pub(super) without_actor: String,
}

#[derive(Default)]
pub(super) struct Parsed {
    /// With the numbers of `actors`.
    pub(super) events: Vec<Event>,
    pub(super) actors: Actors,
    pub(super) lines: u64,
    /// Whether a time has no offset.
    pub(super) has_local_times: bool,
    /// Whether a time has no year.
    pub(super) has_yearless_times: bool,
    /// Events at times that the clocks showed twice: place among the events, and the second time.
    pub(super) repeated: Vec<(usize, i64)>,
    /// Events at times that the clocks skipped.
    pub(super) skipped_times: u64,
    /// Rows of separators alone.
    pub(super) blank_rows: u64,
    /// Skipped rows by flaw, and the first one.
    pub(super) skipped: [u64; Flaw::COUNT],
    pub(super) first_skipped: Option<BadRow>,
}

/// Why a row is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    NoActor,
    NoTime,
    Ragged,
    TooLarge,
}

impl Flaw {
    pub(super) const COUNT: usize = 4;
}

pub(super) struct BadRow {
    /// Lines of the block before it.
    pub(super) line: u64,
    /// Absent if the whole row is malformed.
    pub(super) column: Option<String>,
    pub(super) reason: String,
}

impl Plan {
    /// Reads a block of rows.
    pub(super) fn parse(&self, block: &[u8]) -> Result<Parsed, BadRow> {
        let mut rows = Rows::new(block, self.dialect);
        let mut parsed = Parsed { lines: lines(block), ..Parsed::default() };
        while let Some(row) = rows.next_row() {
            let Err(flaw) = self.add(row, &mut parsed) else { continue };
            if !self.skips_bad_rows || parsed.first_skipped.is_none() {
                let (column, reason) = self.explain(row, flaw);
                let bad = BadRow { line: rows.lines_before(), column, reason };
                if !self.skips_bad_rows {
                    return Err(bad);
                }
                parsed.first_skipped = Some(bad);
            }
            parsed.skipped[flaw as usize] += 1;
        }
        parsed.blank_rows = rows.blanks;
        Ok(parsed)
    }

    fn add(&self, row: &ByteRecord, parsed: &mut Parsed) -> Result<(), Flaw> {
        if !self.fits(row) {
            return Err(Flaw::Ragged);
        }
        let columns = &self.columns;
        let mut parts = columns.actor.iter().map(|&column| field(row, column).trim_ascii());
        if parts.all(|part| is_blank(part) || self.skips_bad_rows && is_placeholder(part)) {
            return Err(Flaw::NoActor);
        }
        let moment = self.times.read(&self.time_text(row)).ok_or(Flaw::NoTime)?;
        let bytes = self.event_bytes(row).and_then(|bytes| u32::try_from(bytes).ok());
        let bytes = bytes.filter(|&bytes| bytes <= MAX_VALUE_BYTES).ok_or(Flaw::TooLarge)?;
        let name = joined(row, &columns.actor, NAME_SEPARATOR);
        let actor = parsed
            .actors
            .number(self.type_of(row, &name), &name)
            .expect("a block has fewer rows than bytes, counted in 32 bits");
        parsed.has_local_times |= moment.is_local;
        parsed.has_yearless_times |= moment.is_yearless;
        parsed.skipped_times += u64::from(moment.is_skipped);
        parsed.repeated.extend(moment.repeated_at.map(|later| (parsed.events.len(), later)));
        parsed.events.push(Event { time: moment.nanoseconds, actor, bytes });
        Ok(())
    }

    /// The column and the reason for an error.
    fn explain(&self, row: &ByteRecord, flaw: Flaw) -> (Option<String>, String) {
        let columns = &self.columns;
        let advice = if self.is_comment(row) {
            "; if lines that begin with `#` are comments, pass --comment '#'"
        } else if self.skips_bad_rows {
            ""
        } else {
            "; --skip-bad-rows leaves such rows out"
        };
        match flaw {
            Flaw::Ragged => {
                let (found, expected) = (units::counted(row.len() as u64, "field"), columns.headers.len());
                let is_escaped = self.dialect.escape.is_none() && row.as_slice().contains(&b'\\');
                let escape = if is_escaped { "; if a backslash stands before quotes, pass --escape '\\'" } else { "" };
                let unnamed = if row.len() == expected + 1 {
                    "; if the header lacks the name of one column, leave it out with --skip-lines and pass --no-header"
                } else {
                    ""
                };
                (None, format!("{found}, expected {expected} as in the first row{escape}{unnamed}{advice}"))
            }
            Flaw::NoActor => {
                let share = &self.without_actor;
                (Some(columns.names(&columns.actor)), format!("empty, expected the actor's name{share}{advice}"))
            }
            Flaw::NoTime if row.iter().eq(columns.headers.iter().map(String::as_bytes)) => {
                (None, format!("the header again, as in logs that were joined{advice}"))
            }
            Flaw::NoTime => {
                let text = self.time_text(row);
                let expected = self.times.expected(&text);
                let reason = format!("`{}`, expected {expected}{advice}", time_excerpt(&text));
                (Some(columns.names(&columns.time)), reason)
            }
            Flaw::TooLarge => {
                let column = columns.size.or(columns.payload).map(|column| columns.headers[column].clone());
                let reason = match (self.event_bytes(row), columns.size) {
                    (None, Some(size)) => {
                        format!(
                            "`{}`, expected a size in bytes such as `4096` or `4k`{advice}",
                            time_excerpt(field(row, size))
                        )
                    }
                    (bytes, _) => {
                        let bytes = bytes.unwrap_or(usize::MAX);
                        format!("a payload of {bytes} bytes, expected at most {MAX_VALUE_BYTES}{advice}")
                    }
                };
                (column, reason)
            }
        }
    }

    /// Whether a row may be a comment of a log whose comments were not declared.
    fn is_comment(&self, row: &ByteRecord) -> bool {
        let begins = |text: &[u8]| text.starts_with(b"#");
        self.dialect.comment.is_none()
            && begins(field(row, 0))
            && !self.columns.headers.first().is_some_and(|name| begins(name.as_bytes()))
    }

    /// The size of the row's event; `None` if the column of the sizes has no number.
    fn event_bytes(&self, row: &ByteRecord) -> Option<usize> {
        match (self.columns.size, self.columns.payload) {
            (Some(size), _) => usize::try_from(byte_size(std::str::from_utf8(field(row, size)).ok()?)?).ok(),
            (None, Some(payload)) => Some(self.payload_bytes(field(row, payload))),
            (None, None) => Some(record_bytes(row)),
        }
    }

    fn payload_bytes(&self, payload: &[u8]) -> usize {
        match payload.strip_prefix(b"\\x") {
            Some(digits) if self.hexadecimal_payload => digits.len() / 2,
            _ => payload.len(),
        }
    }

    /// The type of the row's actor, if the log has types.
    fn type_of<'r>(&self, row: &'r ByteRecord, name: &'r [u8]) -> Option<&'r [u8]> {
        let found = match (self.columns.actor_type, self.type_separator) {
            (Some(column), _) => Some(field(row, column)),
            (None, Some(separator)) => {
                let mut utf_8 = [0; 4];
                let separator = separator.encode_utf8(&mut utf_8).as_bytes();
                memchr::memmem::find(name, separator).map(|end| &name[..end])
            }
            (None, None) => None,
        };
        found.filter(|type_name| !type_name.trim_ascii().is_empty())
    }

    /// Whether a row has the columns of the first one. Those without a name at the end may be absent, and blank fields may
    /// follow.
    pub(super) fn fits(&self, row: &ByteRecord) -> bool {
        let columns = self.columns.headers.len();
        row.len() == columns
            || if row.len() < columns {
                row.len() >= self.columns.fewest
            } else {
                row.iter().skip(columns).all(|field| field.trim_ascii().is_empty())
            }
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
