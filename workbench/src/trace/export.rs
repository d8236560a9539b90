//! Tables of a trace for other tools, and parts of it as traces.

use std::io::{self, Write};

use serde::Serialize;

use super::builder::Trace;
use super::command::{TraceActor, TraceCommand};
use crate::workload::mix;
use ave_actors_rocksdb::trace::Op;
use ave_actors_rocksdb::trace::format::{DROPPED, Line, write_head};

/// Rows of an exported table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// A command: time, actor, kind, number of storage operations, bytes written and read.
    Commands,
    /// An actor: its commands by kind, first and last time, bytes written and read.
    Actors,
    /// A storage operation, in the format of a trace; the result is one.
    Trace,
}

/// Form of the tables [`Table::Commands`] and [`Table::Actors`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// CSV with a header row.
    Csv,
    /// A JSON object per line.
    JsonLines,
}

/// Which commands of a trace are exported.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Selection {
    /// First time that is included, nanoseconds from the first command.
    pub from_ns: u64,
    /// First time that is excluded; no limit if absent.
    pub to_ns: Option<u64>,
    /// Share of the actors that are kept, `0.0 ..= 1.0`; the same ones each time.
    pub actors_ratio: f64,
}

impl Selection {
    /// All of the trace.
    pub const ALL: Self = Self { from_ns: 0, to_ns: None, actors_ratio: 1.0 };

    fn contains(&self, command: &TraceCommand) -> bool {
        let in_time = command.at_ns >= self.from_ns && self.to_ns.is_none_or(|to_ns| command.at_ns < to_ns);
        in_time && (self.actors_ratio >= 1.0 || draw(command.actor) < self.actors_ratio)
    }

    fn describe(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.from_ns > 0 {
            parts.push(format!("from {} s on", self.from_ns as f64 / 1e9));
        }
        if let Some(to_ns) = self.to_ns {
            parts.push(format!("before {} s", to_ns as f64 / 1e9));
        }
        if self.actors_ratio < 1.0 {
            parts.push(format!("{} % of the actors", 100.0 * self.actors_ratio));
        }
        (!parts.is_empty()).then(|| format!("a part of the trace: {}", parts.join(", ")))
    }
}

/// A number from 0 to 1 that belongs to an actor.
fn draw(actor: u32) -> f64 {
    const SALT: u64 = 0x65_78_70;
    mix(0, u64::from(actor), SALT, 0) as f64 / u64::MAX as f64
}

/// Why a trace was not exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The temporary file of a long trace cannot be read.
    #[error("cannot read the trace: {0}")]
    Read(#[from] io::Error),
    /// The table cannot be written.
    #[error("cannot write the table: {0}")]
    Write(io::Error),
    /// No command is selected.
    #[error("no command of these actors is in that time")]
    Nothing,
}

/// Writes a table of the selected commands to `out` and returns how many rows it has. [`Table::Trace`] ignores `format`.
///
/// Memory: 100 bytes an actor for [`Table::Actors`], little for the others.
///
/// # Errors
///
/// [`ExportError`] if the trace cannot be read, the table cannot be written, or nothing is selected.
pub fn export(
    trace: &Trace,
    selection: &Selection,
    table: Table,
    format: TableFormat,
    out: &mut impl Write,
) -> Result<u64, ExportError> {
    let rows = match table {
        Table::Commands => commands(trace, selection, Rows::new(format, out))?,
        Table::Actors => actors(trace, selection, Rows::new(format, out))?,
        Table::Trace => operations(trace, selection, out)?,
    };
    if rows == 0 { Err(ExportError::Nothing) } else { Ok(rows) }
}

/// Calls `visit` for each selected command with its number in the trace. Returns how many there are.
fn for_each_selected(
    trace: &Trace,
    selection: &Selection,
    mut visit: impl FnMut(u64, &TraceCommand, &[Op]) -> Result<(), ExportError>,
) -> Result<u64, ExportError> {
    let (mut number, mut selected) = (0, 0);
    trace.try_for_each_command(|command, ops| {
        if selection.contains(&command) {
            visit(number, &command, ops)?;
            selected += 1;
        }
        number += 1;
        Ok::<_, ExportError>(())
    })?;
    Ok(selected)
}

/// Bytes of the values written, and of those read as far as the trace states them.
fn moved_bytes(ops: &[Op]) -> [u64; 2] {
    ops.iter().fold([0, 0], |[written, read], op| {
        let bytes = u64::from(op.bytes);
        if op.kind.writes_value() { [written + bytes, read] } else { [written, read + bytes] }
    })
}

#[derive(Serialize)]
struct CommandRow<'a> {
    time_ns: u64,
    actor_type: &'a str,
    actor: &'a str,
    command_id: u64,
    command: &'static str,
    operations_count: u64,
    written_bytes: u64,
    read_bytes: u64,
}

fn commands<W: Write>(trace: &Trace, selection: &Selection, mut rows: Rows<W>) -> Result<u64, ExportError> {
    let count = for_each_selected(trace, selection, |command_id, command, ops| {
        let TraceActor { type_name, name } = &trace.actors()[command.actor as usize];
        let [written_bytes, read_bytes] = moved_bytes(ops);
        rows.write(&CommandRow {
            time_ns: command.at_ns,
            actor_type: type_name,
            actor: name,
            command_id,
            command: command.kind.name(),
            operations_count: ops.len() as u64,
            written_bytes,
            read_bytes,
        })
    })?;
    rows.flush().map(|()| count)
}

#[derive(Clone, Default, Serialize)]
struct ActorRow<'a> {
    actor_type: &'a str,
    actor: &'a str,
    commands_count: u64,
    operations_count: u64,
    persist_count: u64,
    snapshot_count: u64,
    recover_count: u64,
    events_count: u64,
    last_event_count: u64,
    purge_count: u64,
    first_ns: u64,
    last_ns: u64,
    written_bytes: u64,
    read_bytes: u64,
}

impl ActorRow<'_> {
    fn add(&mut self, command: &TraceCommand, ops: &[Op]) {
        if self.commands_count == 0 {
            self.first_ns = command.at_ns;
        }
        self.last_ns = command.at_ns;
        self.commands_count += 1;
        self.operations_count += ops.len() as u64;
        let Self { persist_count, snapshot_count, recover_count, events_count, last_event_count, purge_count, .. } =
            self;
        let counts = [persist_count, snapshot_count, recover_count, events_count, last_event_count, purge_count];
        *counts[command.kind.index()] += 1;
        let [written, read] = moved_bytes(ops);
        self.written_bytes += written;
        self.read_bytes += read;
    }
}

fn actors<'a, W: Write>(trace: &'a Trace, selection: &Selection, mut rows: Rows<W>) -> Result<u64, ExportError> {
    let row =
        |actor: &'a TraceActor| ActorRow { actor_type: &actor.type_name, actor: &actor.name, ..ActorRow::default() };
    let mut actors: Vec<_> = trace.actors().iter().map(row).collect();
    for_each_selected(trace, selection, |_, command, ops| {
        actors[command.actor as usize].add(command, ops);
        Ok(())
    })?;
    actors.retain(|actor| actor.commands_count > 0);
    actors.iter().try_for_each(|actor| rows.write(actor))?;
    rows.flush().map(|()| actors.len() as u64)
}

fn operations(trace: &Trace, selection: &Selection, out: &mut impl Write) -> Result<u64, ExportError> {
    let mut provenance = trace.provenance.clone();
    provenance.assumptions.extend(selection.describe());
    write_head(out, &provenance).map_err(ExportError::Write)?;
    if trace.dropped_count() > 0 {
        // Their position is not known.
        writeln!(out, "{DROPPED}{}", trace.dropped_count()).map_err(ExportError::Write)?;
    }
    let (mut lines, mut count, mut command_id) = (Vec::new(), 0, 0);
    for_each_selected(trace, selection, |_, command, ops| {
        let TraceActor { type_name, name: actor } = &trace.actors()[command.actor as usize];
        lines.clear();
        for &op in ops {
            Line { at_ns: command.at_ns, type_name, actor, command_id, command: command.kind, op }.append(&mut lines);
        }
        command_id += 1;
        count += ops.len() as u64;
        out.write_all(&lines).map_err(ExportError::Write)
    })?;
    Ok(count)
}

enum Rows<W: Write> {
    Csv(Box<csv::Writer<W>>),
    JsonLines(W),
}

impl<W: Write> Rows<W> {
    fn new(format: TableFormat, out: W) -> Self {
        match format {
            TableFormat::Csv => Self::Csv(Box::new(csv::Writer::from_writer(out))),
            TableFormat::JsonLines => Self::JsonLines(out),
        }
    }

    fn write(&mut self, row: &impl Serialize) -> Result<(), ExportError> {
        let written = match self {
            Self::Csv(out) => out.serialize(row).map_err(io_error),
            Self::JsonLines(out) => {
                serde_json::to_writer(&mut *out, row).map_err(io::Error::from).and_then(|()| out.write_all(b"\n"))
            }
        };
        written.map_err(ExportError::Write)
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        let flushed = match self {
            Self::Csv(out) => out.flush(),
            Self::JsonLines(out) => out.flush(),
        };
        flushed.map_err(ExportError::Write)
    }
}

/// Keeps the kind of the error: a broken pipe ends the program quietly.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
