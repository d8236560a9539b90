//! Reading a trace.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::format::{COLUMNS, MAGIC, VERSION};
use super::line::family_suffix;
use super::{Provenance, Trace, TraceActor, TraceCommand, TraceError};
use crate::workbench::actor::{CommandKind, Op, OpKind};
use crate::workbench::workload::MAX_VALUE_BYTES;

/// What to do with a trace that ends in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncation {
    /// It is an error.
    Refuse,
    /// Its whole lines are used.
    UseWholeLines,
}

/// Reads a trace, plain or zstd (told by its first bytes, not by its name).
///
/// # Errors
///
/// [`TraceError`] with file, line, column and what was expected; [`TraceError::Truncated`] for a trace that ends in the
/// middle, unless `truncation` allows it; [`TraceError::Empty`] for one without commands.
pub fn read(path: &Path, truncation: Truncation) -> Result<Trace, TraceError> {
    let mut input = WholeLines::open(path)?;
    let provenance = read_provenance(path, &mut input)?;
    read_header(path, &mut input)?;
    let mut builder = Builder::new(path, provenance);
    while let Some((number, line)) = input.next_record() {
        // A recorder says here how many operations it had to drop. A name that begins like this is quoted.
        if !line.starts_with('#') {
            builder.line(line, number)?;
        }
    }
    if let (Some(reason), Truncation::Refuse) = (input.cut, truncation) {
        let whole_lines = input.number.saturating_sub(2);
        return Err(TraceError::Truncated { path: path.to_owned(), whole_lines, reason });
    }
    let trace = builder.finish();
    if trace.commands.is_empty() {
        return Err(TraceError::Empty { path: path.to_owned(), what: "commands" });
    }
    Ok(trace)
}

/// Largest value as it is stored: the largest a workload generates, and what the store adds to it.
const MAX_STORED_BYTES: u32 = MAX_VALUE_BYTES + 1024;

/// Whether a file is meant as a trace: by its first bytes, or else by its name. Whether it is one, [`read`] tells.
pub fn looks_like_one(path: &Path) -> bool {
    let mut first = [0; ZSTD_MAGIC.len()];
    let is_read = File::open(path).and_then(|mut file| file.read_exact(&mut first)).is_ok();
    let name = path.to_string_lossy();
    is_read && (first == ZSTD_MAGIC || MAGIC.as_bytes().starts_with(&first))
        || name.ends_with(".csv")
        || name.ends_with(".zst")
}

/// Hands out lines that end in a newline, and remembers how the input ended if it did not.
struct WholeLines {
    input: Box<dyn BufRead>,
    line: String,
    /// Lines handed out.
    number: u64,
    /// How the cut shows, if there is one.
    cut: Option<String>,
}

/// First bytes of a zstd frame (RFC 8878).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

impl WholeLines {
    fn open(path: &Path) -> Result<Self, TraceError> {
        let failed = |source| TraceError::File { action: "read", path: path.to_owned(), source };
        let mut file = BufReader::with_capacity(1 << 18, File::open(path).map_err(failed)?);
        let compressed = file.fill_buf().map_err(failed)?.starts_with(&ZSTD_MAGIC);
        let input: Box<dyn BufRead> = if compressed {
            let decoder: Box<dyn Read> = Box::new(zstd::Decoder::with_buffer(file).map_err(failed)?);
            Box::new(BufReader::with_capacity(1 << 18, decoder))
        } else {
            Box::new(file)
        };
        Ok(Self { input, line: String::new(), number: 0, cut: None })
    }

    /// The next whole line and its number, from 1.
    fn next_line(&mut self) -> Option<(u64, &str)> {
        self.line.clear();
        if !self.append_line() {
            return None;
        }
        Some((self.number, self.line.trim_end_matches(['\n', '\r'])))
    }

    /// The next whole record and the number of its first line: a quoted name may hold line breaks.
    fn next_record(&mut self) -> Option<(u64, &str)> {
        self.line.clear();
        let first = self.number + 1;
        while self.append_line() {
            if self.line.bytes().filter(|&byte| byte == b'"').count().is_multiple_of(2) {
                return Some((first, self.line.trim_end_matches(['\n', '\r'])));
            }
        }
        if !self.line.is_empty() {
            self.cut.get_or_insert_with(|| "the last record has no end".to_owned());
        }
        None
    }

    /// Appends a line to the one in hand; false, with the reason if there is one, where no whole line is left.
    fn append_line(&mut self) -> bool {
        match self.input.read_line(&mut self.line) {
            Ok(0) => false,
            Ok(_) if self.line.ends_with('\n') => {
                self.number += 1;
                true
            }
            Ok(_) => {
                self.cut = Some("the last line has no end".to_owned());
                false
            }
            Err(error) => {
                self.cut = Some(error.to_string());
                false
            }
        }
    }
}

fn read_provenance(path: &Path, input: &mut WholeLines) -> Result<Provenance, TraceError> {
    let not_a_trace = |reason: String| TraceError::NotATrace { path: path.to_owned(), reason };
    let Some((_, line)) = input.next_line() else {
        return Err(match input.cut.take() {
            Some(reason) => TraceError::Truncated { path: path.to_owned(), whole_lines: 0, reason },
            None => TraceError::Empty { path: path.to_owned(), what: "commands" },
        });
    };
    let Some((version, json)) = line.strip_prefix(MAGIC).and_then(|rest| rest.split_once(' ')) else {
        let hint = "to replay an event log, turn it into a trace first: `ave-workbench trace import FILE`";
        return Err(not_a_trace(format!("the first line does not begin with `{MAGIC}{VERSION} `; {hint}")));
    };
    if version != VERSION.to_string() {
        return Err(not_a_trace(format!("version {version}, expected {VERSION}")));
    }
    serde_json::from_str(json).map_err(|error| not_a_trace(format!("the provenance is not valid JSON: {error}")))
}

fn read_header(path: &Path, input: &mut WholeLines) -> Result<(), TraceError> {
    let expected = COLUMNS.join(",");
    match input.next_line() {
        Some((_, line)) if line == expected => Ok(()),
        found => Err(TraceError::NotATrace {
            path: path.to_owned(),
            reason: format!("line 2 is `{}`, expected `{expected}`", found.map_or("", |(_, line)| line)),
        }),
    }
}

/// Puts lines together into commands.
struct Builder<'a> {
    path: &'a Path,
    trace: Trace,
    actors: HashMap<TraceActor, u32>,
    /// Snapshots and metadata records written so far, per actor.
    written: Vec<[u64; 2]>,
    open_command: Option<u64>,
}

/// A line, taken apart.
struct Fields<'l> {
    time: &'l str,
    family: &'l str,
    actor: &'l str,
    command_id: &'l str,
    command: &'l str,
    operation: &'l str,
    key: &'l str,
    bytes: &'l str,
}

impl<'a> Builder<'a> {
    fn new(path: &'a Path, provenance: Provenance) -> Self {
        let trace = Trace { provenance, ..Trace::default() };
        Self { path, trace, actors: HashMap::new(), written: Vec::new(), open_command: None }
    }

    fn line(&mut self, line: &str, number: u64) -> Result<(), TraceError> {
        // Names come from other systems and may be quoted; the CSV reader takes care of those few.
        if line.contains('"') {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
            let record =
                reader.records().next().transpose().map_err(|error| self.bad_line(number, error.to_string()))?;
            let record = record.unwrap_or_default();
            return self.fields(record.iter(), number);
        }
        self.fields(line.split(','), number)
    }

    fn fields<'l>(&mut self, mut fields: impl Iterator<Item = &'l str>, number: u64) -> Result<(), TraceError> {
        let mut found = [""; COLUMNS.len()];
        for (place, slot) in found.iter_mut().enumerate() {
            let reason = || format!("{place} fields, expected {}", COLUMNS.len());
            *slot = fields.next().ok_or_else(|| self.bad_line(number, reason()))?;
        }
        if fields.next().is_some() {
            return Err(self.bad_line(number, format!("more than {} fields", COLUMNS.len())));
        }
        let [time, family, actor, command_id, command, operation, key, bytes] = found;
        self.operation(&Fields { time, family, actor, command_id, command, operation, key, bytes }, number)
    }

    fn operation(&mut self, fields: &Fields<'_>, line: u64) -> Result<(), TraceError> {
        let at_ns: u64 = self.number(fields.time, "time_ns", line)?;
        let command_id: u64 = self.number(fields.command_id, "command_id", line)?;
        let command: CommandKind = self.parse(fields.command, "command", line)?;
        let kind: OpKind = self.parse(fields.operation, "operation", line)?;
        let bytes: u32 = self.number(fields.bytes, "bytes", line)?;
        if bytes > MAX_STORED_BYTES {
            let reason = format!("{bytes}, expected at most {MAX_STORED_BYTES}");
            return Err(self.bad_field(line, "bytes", reason));
        }
        let actor = self.actor(fields, kind, line)?;
        let number = self.value_number(fields, actor, kind, line)?;
        if self.open_command != Some(command_id) {
            self.begin(at_ns, actor, command, line)?;
            self.open_command = Some(command_id);
        }
        self.trace.ops.push(Op::new(kind, number, bytes));
        if let Some(open) = self.trace.commands.last_mut() {
            if open.actor != actor || open.kind != command {
                let reason = format!("command {command_id} belongs to another actor or kind on the line before");
                return Err(self.bad_line(line, reason));
            }
            open.ops.end = self.trace.ops.len();
        }
        Ok(())
    }

    fn begin(&mut self, at_ns: u64, actor: u32, kind: CommandKind, line: u64) -> Result<(), TraceError> {
        if at_ns < self.trace.duration_ns() {
            let reason = format!("{at_ns} is before the command above, expected ascending times");
            return Err(self.bad_field(line, "time_ns", reason));
        }
        let start = self.trace.ops.len();
        self.trace.commands.push(TraceCommand { at_ns, actor, kind, ops: start..start });
        Ok(())
    }

    fn actor(&mut self, fields: &Fields<'_>, kind: OpKind, line: u64) -> Result<u32, TraceError> {
        let suffix = family_suffix(kind);
        let Some(type_name) = fields.family.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('_')) else {
            let reason = format!("`{}`, expected a name ending in `_{suffix}` for {kind}", fields.family);
            return Err(self.bad_field(line, "column_family", reason));
        };
        let actor = TraceActor { type_name: type_name.to_owned(), name: fields.actor.to_owned() };
        if let Some(&known) = self.actors.get(&actor) {
            return Ok(known);
        }
        let new = u32::try_from(self.trace.actors.len())
            .map_err(|_| self.bad_line(line, "more than 4294967295 actors".to_owned()))?;
        self.trace.actors.push(actor.clone());
        self.written.push([0; 2]);
        self.actors.insert(actor, new);
        Ok(new)
    }

    /// The event's number, or how many states or metadata records the actor wrote before.
    fn value_number(&mut self, fields: &Fields<'_>, actor: u32, kind: OpKind, line: u64) -> Result<u64, TraceError> {
        if kind.names_event() {
            return self.number(fields.key, "key", line);
        }
        let written = match kind {
            OpKind::StatesPut => &mut self.written[actor as usize][0],
            OpKind::MetadataPut => &mut self.written[actor as usize][1],
            _ => return Ok(0),
        };
        *written += 1;
        Ok(*written - 1)
    }

    fn number<T: std::str::FromStr>(&self, text: &str, column: &str, line: u64) -> Result<T, TraceError> {
        text.parse().map_err(|_| self.bad_field(line, column, format!("`{text}`, expected a whole number")))
    }

    fn parse<T>(&self, text: &str, column: &str, line: u64) -> Result<T, TraceError>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        text.parse().map_err(|error: T::Err| self.bad_field(line, column, error.to_string()))
    }

    fn bad_field(&self, line: u64, column: &str, reason: String) -> TraceError {
        TraceError::Field { path: self.path.to_owned(), line, column: column.to_owned(), reason }
    }

    fn bad_line(&self, line: u64, reason: String) -> TraceError {
        TraceError::Line { path: self.path.to_owned(), line, reason }
    }

    /// The trace, its times counted from its first command: one that was cut at the front begins at once.
    fn finish(mut self) -> Trace {
        let first = self.trace.commands.first().map_or(0, |command| command.at_ns);
        for command in &mut self.trace.commands {
            command.at_ns -= first;
        }
        self.trace
    }
}
