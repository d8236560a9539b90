//! Tables of a trace for other tools, and parts of it as traces.

use std::io::{self, Write};

use sha2::{Digest, Sha256};

use super::field::{Cell, Field, Kind};
use super::request::{ExportError, Selection, Table, TableFormat};
use super::table::TableWriter;
use crate::trace::builder::Trace;
use crate::trace::command::{TraceActor, TraceCommand};
use crate::trace::shard::ShardNumber;
use ave_actors_rocksdb::trace::format::{DROPPED, Line, write_head};
use ave_actors_rocksdb::trace::{CommandKind, Op, Shard};

/// Writes a table of the selected commands to `out` and returns how many rows it has.
///
/// Memory: 100 bytes an actor for [`Table::Actors`], a million rows of columns for [`TableFormat::Parquet`].
///
/// # Errors
///
/// [`ExportError`] if the trace cannot be read, the table cannot be written, or nothing is selected.
pub fn export(
    trace: &Trace,
    selection: &Selection,
    table: Table,
    format: TableFormat,
    out: &mut (impl Write + Send),
) -> Result<u64, ExportError> {
    // Before the first byte is written.
    if let Some(Shard { number, count, .. }) = trace.provenance.shard.as_ref().filter(|_| selection.shard.is_some()) {
        return Err(ExportError::ShardOfShard { number: *number, count: *count });
    }
    if !is_any_selected(trace, selection)? {
        let is_elsewhere = selection.shard.is_some() && is_any_selected(trace, &selection.of_all_shards())?;
        return Err(if is_elsewhere { ExportError::NothingOfShard } else { ExportError::Nothing });
    }
    match (table, format) {
        (Table::Commands, _) => commands(trace, selection, TableWriter::new(&COMMANDS, format, out)?),
        (Table::Actors, _) => actors(trace, selection, TableWriter::new(&ACTORS, format, out)?),
        (Table::Trace, TableFormat::Parquet) => {
            operations(trace, selection, TableWriter::new(&OPERATIONS, format, out)?)
        }
        (Table::Trace, _) => part_of_trace(trace, selection, out),
    }
}

fn is_any_selected(trace: &Trace, selection: &Selection) -> Result<bool, ExportError> {
    /// Ends the search.
    enum Stop {
        Found,
        Failed(io::Error),
    }
    impl From<io::Error> for Stop {
        fn from(error: io::Error) -> Self {
            Self::Failed(error)
        }
    }
    let in_shard = selection.in_shard(trace);
    let searched = trace.try_for_each_command(|command, _| {
        let is_in_shard = in_shard.as_ref().is_none_or(|in_shard| in_shard[command.actor as usize]);
        if is_in_shard && selection.contains(&command) { Err(Stop::Found) } else { Ok(()) }
    });
    match searched {
        Ok(()) => Ok(false),
        Err(Stop::Found) => Ok(true),
        Err(Stop::Failed(error)) => Err(error.into()),
    }
}

/// Calls `visit` for each selected command with its number in the trace. Returns how many there are.
fn for_each_selected(
    trace: &Trace,
    selection: &Selection,
    mut visit: impl FnMut(u64, &TraceCommand, &[Op]) -> Result<(), ExportError>,
) -> Result<u64, ExportError> {
    let (mut number, mut selected) = (0, 0);
    let in_shard = selection.in_shard(trace);
    let is_in_shard = |actor: u32| in_shard.as_ref().is_none_or(|in_shard| in_shard[actor as usize]);
    trace.try_for_each_command(|command, ops| {
        if selection.contains(&command) && is_in_shard(command.actor) {
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

const COMMANDS: [Field; 9] = [
    Field::new("time_ns", Kind::Integer),
    Field::new("actor_type", Kind::Text),
    Field::columnar("actor_id", Kind::Integer),
    Field::textual("actor", Kind::Text),
    Field::new("command_id", Kind::Integer),
    Field::new("command", Kind::Text),
    Field::new("operations_count", Kind::Integer),
    Field::new("written_bytes", Kind::Integer),
    Field::new("read_bytes", Kind::Integer),
];

fn commands<W: Write + Send>(
    trace: &Trace,
    selection: &Selection,
    mut table: TableWriter<'_, W>,
) -> Result<u64, ExportError> {
    let count = for_each_selected(trace, selection, |command_id, command, ops| {
        let TraceActor { type_name, name } = &trace.actors()[command.actor as usize];
        let [written_bytes, read_bytes] = moved_bytes(ops);
        table.row(&[
            Cell::Integer(command.at_ns),
            Cell::Text(type_name),
            Cell::Integer(command.actor.into()),
            Cell::Text(name),
            Cell::Integer(command_id),
            Cell::Text(command.kind.name()),
            Cell::Integer(ops.len() as u64),
            Cell::Integer(written_bytes),
            Cell::Integer(read_bytes),
        ])
    })?;
    table.finish().map(|()| count)
}

const OPERATIONS: [Field; 8] = [
    Field::new("time_ns", Kind::Integer),
    Field::new("actor_type", Kind::Text),
    Field::new("actor_id", Kind::Integer),
    Field::new("command_id", Kind::Integer),
    Field::new("command", Kind::Text),
    Field::new("operation", Kind::Text),
    Field::new("event_number", Kind::OptionalInteger),
    Field::new("bytes", Kind::Integer),
];

fn operations<W: Write + Send>(
    trace: &Trace,
    selection: &Selection,
    mut table: TableWriter<'_, W>,
) -> Result<u64, ExportError> {
    let mut count = 0;
    for_each_selected(trace, selection, |command_id, command, ops| {
        count += ops.len() as u64;
        ops.iter().try_for_each(|op| {
            table.row(&[
                Cell::Integer(command.at_ns),
                Cell::Text(&trace.actors()[command.actor as usize].type_name),
                Cell::Integer(command.actor.into()),
                Cell::Integer(command_id),
                Cell::Text(command.kind.name()),
                Cell::Text(op.kind.name()),
                if op.has_event_number() { Cell::Integer(op.number) } else { Cell::Missing },
                Cell::Integer(op.bytes.into()),
            ])
        })
    })?;
    table.finish().map(|()| count)
}

const ACTORS: [Field; 15] = [
    Field::columnar("actor_id", Kind::Integer),
    Field::new("actor_type", Kind::Text),
    Field::new("actor", Kind::Text),
    Field::new("commands_count", Kind::Integer),
    Field::new("operations_count", Kind::Integer),
    Field::new("persist_count", Kind::Integer),
    Field::new("snapshot_count", Kind::Integer),
    Field::new("recover_count", Kind::Integer),
    Field::new("events_count", Kind::Integer),
    Field::new("last_event_count", Kind::Integer),
    Field::new("purge_count", Kind::Integer),
    Field::new("first_ns", Kind::Integer),
    Field::new("last_ns", Kind::Integer),
    Field::new("written_bytes", Kind::Integer),
    Field::new("read_bytes", Kind::Integer),
];

#[derive(Clone, Default)]
struct Sums {
    commands: u64,
    operations: u64,
    by_kind: [u64; CommandKind::ALL.len()],
    first_ns: u64,
    last_ns: u64,
    written_bytes: u64,
    read_bytes: u64,
}

impl Sums {
    fn add(&mut self, command: &TraceCommand, ops: &[Op]) {
        if self.commands == 0 {
            self.first_ns = command.at_ns;
        }
        self.last_ns = command.at_ns;
        self.commands += 1;
        self.operations += ops.len() as u64;
        self.by_kind[command.kind.index()] += 1;
        let [written, read] = moved_bytes(ops);
        self.written_bytes += written;
        self.read_bytes += read;
    }
}

fn actors<W: Write + Send>(
    trace: &Trace,
    selection: &Selection,
    mut table: TableWriter<'_, W>,
) -> Result<u64, ExportError> {
    let mut sums = vec![Sums::default(); trace.actors().len()];
    for_each_selected(trace, selection, |_, command, ops| {
        sums[command.actor as usize].add(command, ops);
        Ok(())
    })?;
    let mut count = 0;
    for (id, (actor, sums)) in trace.actors().iter().zip(&sums).enumerate().filter(|(_, (_, sums))| sums.commands > 0) {
        let mut cells = vec![Cell::Integer(id as u64), Cell::Text(&actor.type_name), Cell::Text(&actor.name)];
        let counts = [sums.commands, sums.operations].into_iter().chain(sums.by_kind);
        let integers = counts.chain([sums.first_ns, sums.last_ns, sums.written_bytes, sums.read_bytes]);
        cells.extend(integers.map(Cell::Integer));
        table.row(&cells)?;
        count += 1;
    }
    table.finish().map(|()| count)
}

fn part_of_trace(trace: &Trace, selection: &Selection, out: &mut impl Write) -> Result<u64, ExportError> {
    let mut provenance = trace.provenance.clone();
    provenance.assumptions.extend(selection.describe());
    if *selection != Selection::ALL {
        provenance.shard = selection.shard.map(|shard| identity(trace, selection, shard)).transpose()?;
    }
    write_head(out, &provenance).map_err(ExportError::Write)?;
    // Their position is not known, nor their actors: of all shards the first one has them.
    if trace.dropped_count() > 0 && selection.shard.is_none_or(|shard| shard.number() == 1) {
        writeln!(out, "{DROPPED}{}", trace.dropped_count()).map_err(ExportError::Write)?;
    }
    let (in_shard, mut count) = (selection.in_shard(trace), 0);
    for_each_in_rows(trace, selection, |actor, operations, rows| {
        if in_shard.as_ref().is_none_or(|in_shard| in_shard[actor as usize]) {
            count += operations;
            out.write_all(rows).map_err(ExportError::Write)?;
        }
        Ok(())
    })?;
    Ok(count)
}

/// What a shard must say of the whole selection for its report to be merged with those of the other shards.
fn identity(trace: &Trace, selection: &Selection, shard: ShardNumber) -> Result<Shard, ExportError> {
    let (mut digest, mut commands, mut all_operations) = (Sha256::new(), 0, 0);
    for_each_in_rows(trace, selection, |_, operations, rows| {
        digest.update(rows);
        commands += 1;
        all_operations += operations;
        Ok(())
    })?;
    Ok(Shard {
        number: shard.number(),
        count: shard.count(),
        trace_sha256: format!("{:x}", digest.finalize()),
        trace_commands: commands,
        trace_operations: all_operations,
    })
}

/// Calls `visit` for each selected command of all shards with its actor, its number of operations and its rows. Times and
/// numbers of commands count from the first of them, so that they are the same in every shard.
fn for_each_in_rows(
    trace: &Trace,
    selection: &Selection,
    mut visit: impl FnMut(u32, u64, &[u8]) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let (mut rows, mut command_id, mut first_ns) = (Vec::new(), 0, None);
    for_each_selected(trace, &selection.of_all_shards(), |_, command, ops| {
        let TraceActor { type_name, name: actor } = &trace.actors()[command.actor as usize];
        let at_ns = command.at_ns - *first_ns.get_or_insert(command.at_ns);
        rows.clear();
        for &op in ops {
            Line { at_ns, type_name, actor, command_id, command: command.kind, op }.append(&mut rows);
        }
        command_id += 1;
        visit(command.actor, ops.len() as u64, &rows)
    })?;
    Ok(())
}
