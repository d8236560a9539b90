//! Reads a trace: one file, or the parts of a recording.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::builder::{Trace, TraceBuilder};
use super::command::TraceCommand;
use super::content::MEMORY_BYTES;
use super::error::TraceError;
use super::records::{GZIP_MAGIC, Records, ZSTD_MAGIC};
use crate::workload::{MAX_VALUE_BYTES, excerpt};
use ave_actors_rocksdb::trace::format::{COLUMNS, DROPPED, MAGIC, VERSION, family_suffix};
use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind, Provenance};

/// What to do with a trace that is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncation {
    /// It is an error.
    Refuse,
    /// Its whole lines are used.
    UseWholeLines,
}

/// Reads a trace, plain, zstd or gzip, or all parts of the recording in a directory. The first bytes decide on the compression,
/// not the name. A last line without an end is read if it is whole, and noted among the assumptions; a recorder ends every line. A trace of more than some ten million operations is kept in the system's directory for temporary files.
///
/// # Errors
///
/// [`TraceError`] with file, line, column and what was expected; [`TraceError::Truncated`] for a trace that is cut off,
/// unless `truncation` allows it; [`TraceError::Empty`] for one without commands.
pub fn read(path: &Path, truncation: Truncation) -> Result<Trace, TraceError> {
    read_in(path, truncation, &std::env::temp_dir())
}

/// Reads a trace; a long one is kept in a temporary file in `directory`.
pub(crate) fn read_in(path: &Path, truncation: Truncation, directory: &Path) -> Result<Trace, TraceError> {
    let parts = trace_files(path)?;
    let mut read: Option<Reading> = None;
    for (index, part) in parts.iter().enumerate() {
        let mut records = Records::open(part)?;
        let provenance = read_provenance(part, &mut records)?;
        read_header(part, &mut records)?;
        let mut reading = match read.take() {
            None => Reading {
                builder: TraceBuilder::in_directory(provenance, directory, MEMORY_BYTES),
                open: None,
                ops: Vec::new(),
                newest_actor: (String::new(), String::new(), u32::MAX),
            },
            Some(mut reading) => {
                if !reading.builder.continue_with(provenance) {
                    let before = parts[index - 1].display();
                    let reason =
                        format!("it is not the next part of the recording after {before}; read them one at a time");
                    return Err(TraceError::NotATrace { path: part.clone(), reason });
                }
                reading
            }
        };
        while let Some((line, record)) = records.next_record() {
            reading.record(Position { path: part, line }, record)?;
        }
        if truncation == Truncation::Refuse && parts.len() == 1 {
            reading.last_line(part, &mut records);
        }
        // Only the newest part of a recording can be cut off by a kill: a gap in the middle is always an error.
        let may_be_cut = index + 1 == parts.len() && truncation == Truncation::UseWholeLines;
        if let Some(reason) = records.cut.take().filter(|_| !may_be_cut) {
            let whole_lines = records.lines.saturating_sub(2);
            return Err(TraceError::Truncated { path: part.clone(), whole_lines, reason });
        }
        read = Some(reading);
    }
    let trace = read.ok_or_else(|| TraceError::Empty { path: path.to_owned(), what: "traces" })?.finish()?;
    if trace.command_count() == 0 {
        return Err(TraceError::Empty { path: path.to_owned(), what: "commands" });
    }
    Ok(trace)
}

/// The files of a trace or a recording, in the order of their names.
pub(crate) fn trace_files(path: &Path) -> Result<Vec<PathBuf>, TraceError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(TraceError::file("read", path))?;
    let mut parts: Vec<_> = entries.into_iter().map(|entry| entry.path()).filter(|part| has_trace_name(part)).collect();
    parts.sort();
    Ok(parts)
}

fn has_trace_name(path: &Path) -> bool {
    let name = path.to_string_lossy().to_ascii_lowercase();
    [".csv", ".csv.zst", ".csv.gz"].iter().any(|ending| name.ends_with(ending))
}

/// Largest value as it is stored: the largest a workload generates, and what the store adds to it.
const MAX_STORED_BYTES: u32 = MAX_VALUE_BYTES + 1024;

/// Whether a file looks like a trace, by its first bytes or its name. A directory is, if it contains such files.
pub(crate) fn looks_like_trace(path: &Path) -> bool {
    if path.is_dir() {
        return trace_files(path).is_ok_and(|parts| !parts.is_empty());
    }
    let mut first = [0; ZSTD_MAGIC.len()];
    let is_read = File::open(path).and_then(|mut file| file.read_exact(&mut first)).is_ok();
    let is_packed = first == ZSTD_MAGIC || first.starts_with(&GZIP_MAGIC);
    is_read && (is_packed || MAGIC.as_bytes().starts_with(&first)) || has_trace_name(path)
}

fn read_provenance(path: &Path, records: &mut Records) -> Result<Provenance, TraceError> {
    let not_a_trace = |reason: String| TraceError::NotATrace { path: path.to_owned(), reason };
    let Some(line) = records.next_line().map(|(_, line)| String::from_utf8_lossy(line).into_owned()) else {
        return Err(match records.cut.take() {
            Some(reason) => TraceError::Truncated { path: path.to_owned(), whole_lines: 0, reason },
            None => TraceError::Empty { path: path.to_owned(), what: "commands" },
        });
    };
    let Some((version, json)) = line.strip_prefix(MAGIC).and_then(|rest| rest.split_once(' ')) else {
        let hint = "to replay an event log, turn it into a trace first: `ave-workbench trace import FILE`";
        return Err(not_a_trace(format!("the first line does not begin with `{MAGIC}{VERSION} `; {hint}")));
    };
    if version != VERSION.to_string() {
        return Err(not_a_trace(format!("version {}, expected {VERSION}", excerpt(version))));
    }
    serde_json::from_str(json)
        .map_err(|error| not_a_trace(format!("the provenance is not valid JSON: {}", excerpt(&error.to_string()))))
}

fn read_header(path: &Path, records: &mut Records) -> Result<(), TraceError> {
    let expected = COLUMNS.join(",");
    let found = records.next_line().map_or(&b""[..], |(_, line)| line);
    if found == expected.as_bytes() {
        return Ok(());
    }
    let reason = format!("line 2 is `{}`, expected `{expected}`", excerpt(&String::from_utf8_lossy(found)));
    Err(TraceError::NotATrace { path: path.to_owned(), reason })
}

#[derive(Clone, Copy)]
struct Position<'p> {
    path: &'p Path,
    line: u64,
}

impl Position<'_> {
    fn bad_line(self, reason: String) -> TraceError {
        TraceError::Malformed { path: self.path.to_owned(), line: self.line, column: None, reason }
    }

    fn bad_field(self, column: &str, reason: String) -> TraceError {
        TraceError::Malformed { path: self.path.to_owned(), line: self.line, column: Some(column.to_owned()), reason }
    }

    fn number(self, column: &str, text: &str) -> Result<u64, TraceError> {
        text.parse().map_err(|_| self.bad_field(column, format!("`{}`, expected a whole number", excerpt(text))))
    }

    fn named<T: std::str::FromStr<Err: std::fmt::Display>>(self, column: &str, text: &str) -> Result<T, TraceError> {
        // The error of the excerpt is safe to show, and an excerpt of an unknown name is unknown.
        text.parse()
            .or_else(|_| excerpt(text).parse())
            .map_err(|error: T::Err| self.bad_field(column, error.to_string()))
    }
}

struct Reading {
    builder: TraceBuilder,
    /// The command whose lines are being read, and its number.
    open: Option<(u64, TraceCommand)>,
    ops: Vec<Op>,
    /// Actor type, name and number of the last record: records of one actor follow each other.
    newest_actor: (String, String, u32),
}

impl Reading {
    fn record(&mut self, at: Position<'_>, record: &[u8]) -> Result<(), TraceError> {
        let record = std::str::from_utf8(record).map_err(|_| at.bad_line("not valid UTF-8".to_owned()))?;
        if record.starts_with('#') {
            return self.comment(at, record);
        }
        // Only names can be quoted, and few are: the CSV reader handles those.
        if record.contains('"') {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(record.as_bytes());
            let fields = reader.records().next().transpose().map_err(|error| at.bad_line(error.to_string()))?;
            return self.fields(at, fields.unwrap_or_default().iter());
        }
        self.fields(at, record.split(','))
    }

    /// Reads a last line without an end. One that is not whole stays what cuts the trace off.
    fn last_line(&mut self, path: &Path, records: &mut Records) {
        let is_recording = self.builder.provenance().recording.is_some();
        let Some((line, record)) = records.line_without_end().filter(|_| !is_recording) else { return };
        if self.record(Position { path, line }, record).is_ok() {
            records.lines = line;
            records.cut = None;
            self.builder.assume("the last line is whole, although it has no end".to_owned());
        }
    }

    fn comment(&mut self, at: Position<'_>, comment: &str) -> Result<(), TraceError> {
        let Some(count) = comment.strip_prefix(DROPPED) else {
            return Err(at.bad_line(format!("`{}`, expected a command or `{DROPPED}N`", excerpt(comment))));
        };
        self.builder.dropped(at.number("dropped", count)?);
        Ok(())
    }

    fn fields<'l>(&mut self, at: Position<'_>, mut fields: impl Iterator<Item = &'l str>) -> Result<(), TraceError> {
        let mut found = [""; COLUMNS.len()];
        for (count, slot) in found.iter_mut().enumerate() {
            let reason = || format!("{count} fields, expected {}", COLUMNS.len());
            *slot = fields.next().ok_or_else(|| at.bad_line(reason()))?;
        }
        if fields.next().is_some() {
            return Err(at.bad_line(format!("more than {} fields", COLUMNS.len())));
        }
        let [time, family, actor, id, command, operation, key, bytes] = found;
        let at_ns = at.number("time_ns", time)?;
        let id = at.number("command_id", id)?;
        let command: CommandKind = at.named("command", command)?;
        let kind: OpKind = at.named("operation", operation)?;
        let bytes = at.number("bytes", bytes)?;
        let bytes = u32::try_from(bytes)
            .ok()
            .filter(|&bytes| bytes <= MAX_STORED_BYTES)
            .ok_or_else(|| at.bad_field("bytes", format!("{bytes}, expected at most {MAX_STORED_BYTES}")))?;
        let has_key = kind.names_event() || (kind == OpKind::EventsLast && !key.is_empty());
        let event = if has_key { at.number("key", key)? } else { 0 };
        let actor = self.actor(at, family, actor, kind)?;
        self.begin_or_continue(at, id, TraceCommand { at_ns, actor, kind: command })?;
        self.ops.push(Op::new(kind, event, bytes));
        Ok(())
    }

    /// Closes the open command if this record begins another one.
    fn begin_or_continue(&mut self, at: Position<'_>, id: u64, command: TraceCommand) -> Result<(), TraceError> {
        if let Some((open_id, open)) = &self.open {
            if *open_id == id {
                if open.actor == command.actor && open.kind == command.kind {
                    return Ok(());
                }
                let reason = format!("command {id} belongs to another actor or kind on the line before");
                return Err(at.bad_line(reason));
            }
            if command.at_ns < open.at_ns {
                let reason = format!("{} is before the command above, expected ascending times", command.at_ns);
                return Err(at.bad_field("time_ns", reason));
            }
        }
        self.close()?;
        self.open = Some((id, command));
        Ok(())
    }

    fn close(&mut self) -> Result<(), TraceError> {
        if let Some((_, open)) = self.open.take() {
            self.builder.command(open.at_ns, open.actor, open.kind, &mut self.ops)?;
            self.ops.clear();
        }
        Ok(())
    }

    fn actor(&mut self, at: Position<'_>, family: &str, name: &str, kind: OpKind) -> Result<u32, TraceError> {
        let suffix = family_suffix(kind);
        let Some(type_name) = family.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('_')) else {
            let reason = format!("`{}`, expected a name ending in `_{suffix}` for {kind}", excerpt(family));
            return Err(at.bad_field("column_family", reason));
        };
        let (newest_type, newest_name, newest) = &mut self.newest_actor;
        if *newest_name != name || *newest_type != type_name || *newest == u32::MAX {
            *newest = self.builder.actor(type_name, name);
            newest_type.replace_range(.., type_name);
            newest_name.replace_range(.., name);
        }
        Ok(*newest)
    }

    fn finish(mut self) -> Result<Trace, TraceError> {
        self.close()?;
        self.builder.finish()
    }
}
