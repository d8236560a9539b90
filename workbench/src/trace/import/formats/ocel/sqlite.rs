//! OCEL 2.0 in SQLite: tables `event`, `object` and `event_object`, and a table for each type of events with their times and
//! attributes, whose name is in `event_map_type`.
//!
//! The file is read where it is and never written to; temporary tables put the events together, in the order of `event`.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt::Write;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row};

use super::super::super::observer::ImportStage;
use super::sink::{Event, Sink};
use super::value::{BOOLEAN_BYTES, number_bytes};
use crate::trace::error::TraceError;
use crate::workload::{escape, excerpt, path_text};

/// First bytes of a database.
pub(in super::super) const MAGIC: &[u8] = b"SQLite format 3\0";

const EVENTS: &str = "event";
const OBJECTS: &str = "object";
const RELATIONS: &str = "event_object";
const EVENT_TYPES: &str = "event_map_type";

/// Events by the order of `event`, and the objects of each by the order of `event_object`. A file of a foreign program has no
/// indexes that could be relied on.
const TEMPORARY: &str = "\
    PRAGMA trusted_schema = OFF;
    PRAGMA temp.cache_size = -65536;
    CREATE TEMP TABLE read_event (number INTEGER PRIMARY KEY, id TEXT UNIQUE, type TEXT, time TEXT, bytes INTEGER, place TEXT);
    CREATE TEMP TABLE read_relation (event INTEGER, number INTEGER, object TEXT, PRIMARY KEY (event, number)) WITHOUT ROWID;
    BEGIN;";

/// Rows between two looks at the observer.
const ROWS_PER_STEP: i64 = 1 << 12;

pub(super) fn read(sink: &mut Sink<'_, '_>) -> Result<(), TraceError> {
    let log = Database::open(sink)?;
    let tables = log.event_tables(sink)?;
    log.read_objects(sink)?;
    log.run(sink, TEMPORARY)?;
    log.read_events(sink)?;
    for table in &tables {
        log.read_type(sink, table)?;
    }
    log.check_types(sink)?;
    log.read_relations(sink)?;
    log.write_events(sink)
}

struct Database {
    connection: Connection,
}

impl Database {
    fn open(sink: &Sink<'_, '_>) -> Result<Self, TraceError> {
        let path = place(sink)?;
        let mut uri = "file:".to_owned();
        for &byte in path.as_os_str().as_bytes() {
            if byte.is_ascii_alphanumeric() || b"/-._".contains(&byte) {
                uri.push(byte.into());
            } else {
                // Writing to a string cannot fail.
                let _ = write!(uri, "%{byte:02x}");
            }
        }
        // Nobody else writes to it, so that SQLite locks nothing and leaves nothing beside it.
        uri.push_str("?mode=ro&immutable=1");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(uri, flags).map_err(|error| failed(sink, &error))?;
        let log = Self { connection };
        for table in [EVENTS, OBJECTS, RELATIONS, EVENT_TYPES] {
            if !log.has_table(sink, table)? {
                return Err(no_ocel(sink, table));
            }
        }
        Ok(log)
    }

    fn has_table(&self, sink: &Sink<'_, '_>, name: &str) -> Result<bool, TraceError> {
        let sql =
            "SELECT count(*) > 0 FROM main.sqlite_master WHERE type IN ('table', 'view') AND lower(name) = lower(?1)";
        self.connection.query_row(sql, [name], |row| row.get(0)).map_err(|error| failed(sink, &error))
    }

    fn run(&self, sink: &Sink<'_, '_>, sql: &str) -> Result<(), TraceError> {
        self.connection.execute_batch(sql).map_err(|error| failed(sink, &error))
    }

    /// The tables of the types of events.
    fn event_tables(&self, sink: &mut Sink<'_, '_>) -> Result<Vec<String>, TraceError> {
        let mut tables: Vec<String> = Vec::new();
        self.each_row(sink, EVENT_TYPES, ["ocel_type", "ocel_type_map"], |sink, row, [type_name, map]| {
            let (type_name, table) = (row.text(sink, type_name)?, format!("event_{}", row.text(sink, map)?));
            if !self.has_table(sink, &table)? {
                let reason = format!("the type `{}` has no table `{}`", excerpt(&type_name), excerpt(&table));
                return Err(sink.bad(row.place(), reason));
            }
            // Two types may share a table.
            if !tables.contains(&table) {
                tables.push(table);
            }
            Ok(())
        })?;
        Ok(tables)
    }

    fn read_objects(&self, sink: &mut Sink<'_, '_>) -> Result<(), TraceError> {
        self.each_row(sink, OBJECTS, ["ocel_id", "ocel_type"], |sink, row, [id, type_name]| {
            let type_name = row.text(sink, type_name)?;
            sink.object(row.text(sink, id)?.into_owned(), &type_name);
            Ok(())
        })
    }

    fn read_events(&self, sink: &mut Sink<'_, '_>) -> Result<(), TraceError> {
        let insert = self.connection.prepare("INSERT INTO read_event (number, id, type) VALUES (?1, ?2, ?3)");
        let mut insert = insert.map_err(|error| failed(sink, &error))?;
        self.each_row(sink, EVENTS, ["ocel_id", "ocel_type"], |sink, row, [id, type_name]| {
            let (id, type_name) = (row.text(sink, id)?, row.text(sink, type_name)?);
            insert.execute((row.number, &id, &type_name)).map_err(|error| match error.sqlite_error_code() {
                Some(ErrorCode::ConstraintViolation) => {
                    sink.bad(row.place(), format!("the event `{}` is there twice", excerpt(&id)))
                }
                _ => failed(sink, &error),
            })?;
            Ok(())
        })
    }

    /// Adds times and lengths to the events of a table of a type.
    fn read_type(&self, sink: &mut Sink<'_, '_>, table: &str) -> Result<(), TraceError> {
        let update = "UPDATE read_event SET time = ?2, bytes = ?3, place = ?4 WHERE id = ?1 AND time IS NULL";
        let mut update = self.connection.prepare(update).map_err(|error| failed(sink, &error))?;
        let zone_is_given = sink.job.options.time_zone.is_some();
        self.each_row(sink, table, ["ocel_id", "ocel_time"], |sink, row, [id, time]| {
            let (key, id) = (id, row.text(sink, id)?);
            let mut at = text(row.value(time)).unwrap_or_default();
            if !zone_is_given && has_no_offset(&at) {
                at.to_mut().push('Z');
            }
            let bytes: usize = (0..row.booleans.len())
                .filter(|column| ![key, time].contains(column))
                .filter_map(|column| Some(1 + bytes(row.value(column), row.booleans[column])?))
                .sum();
            let known = update.execute((&id, &at, i64::try_from(bytes).unwrap_or(i64::MAX), row.place()));
            match known.map_err(|error| failed(sink, &error))? {
                0 => Err(sink.bad(row.place(), self.why_not_updated(sink, &id)?)),
                _ => Ok(()),
            }
        })
    }

    fn why_not_updated(&self, sink: &Sink<'_, '_>, id: &str) -> Result<String, TraceError> {
        let sql = "SELECT count(*) > 0 FROM read_event WHERE id = ?1";
        let is_known = self.connection.query_row(sql, [id], |row| row.get(0)).map_err(|error| failed(sink, &error))?;
        let reason = if is_known { "is there twice" } else { "is not in the table `event`" };
        Ok(format!("the event `{}` {reason}", excerpt(id)))
    }

    /// Fails if an event is in no table of a type.
    fn check_types(&self, sink: &Sink<'_, '_>) -> Result<(), TraceError> {
        let sql = "SELECT number, id, type FROM read_event WHERE time IS NULL ORDER BY number LIMIT 1";
        let mut statement = self.connection.prepare(sql).map_err(|error| failed(sink, &error))?;
        let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let found: Option<(i64, String, String)> =
            found.and_then(|mut rows| rows.next().transpose()).map_err(|error| failed(sink, &error))?;
        let Some((number, id, type_name)) = found else { return Ok(()) };
        let reason = format!(
            "the event `{}` is in no table of its type `{}`, expected one that `{EVENT_TYPES}` names",
            excerpt(&id),
            excerpt(&type_name)
        );
        Err(sink.bad(row_place(EVENTS, number), reason))
    }

    fn read_relations(&self, sink: &mut Sink<'_, '_>) -> Result<(), TraceError> {
        let insert = "INSERT INTO read_relation SELECT number, ?2, ?3 FROM read_event WHERE id = ?1";
        let mut insert = self.connection.prepare(insert).map_err(|error| failed(sink, &error))?;
        self.each_row(sink, RELATIONS, ["ocel_event_id", "ocel_object_id"], |sink, row, [event, object]| {
            let (event, object) = (row.text(sink, event)?, row.text(sink, object)?);
            if !sink.has_object(&object) {
                return Err(sink.bad(row.place(), format!("`{}` is not in the table `{OBJECTS}`", excerpt(&object))));
            }
            match insert.execute((&event, row.number, &object)).map_err(|error| failed(sink, &error))? {
                0 => Err(sink.bad(row.place(), format!("`{}` is not in the table `{EVENTS}`", excerpt(&event)))),
                _ => Ok(()),
            }
        })
    }

    fn write_events(&self, sink: &mut Sink<'_, '_>) -> Result<(), TraceError> {
        let prepare = |sql| self.connection.prepare(sql).map_err(|error| failed(sink, &error));
        let mut events = prepare("SELECT number, type, time, bytes, place FROM read_event ORDER BY number")?;
        let mut relations = prepare("SELECT object FROM read_relation WHERE event = ?1 ORDER BY number")?;
        let mut rows = events.query([]).map_err(|error| failed(sink, &error))?;
        while let Some(row) = rows.next().map_err(|error| failed(sink, &error))? {
            let objects = relations.query_map([row_number(row)], |row| row.get(0)).and_then(Iterator::collect);
            let objects: Vec<String> = objects.map_err(|error| failed(sink, &error))?;
            let [type_name, time, place] =
                [1, 2, 4].map(|column| row.get_ref(column).ok().and_then(text).unwrap_or_default());
            let attribute_bytes: i64 = row.get(3).map_err(|error| failed(sink, &error))?;
            let attribute_bytes = usize::try_from(attribute_bytes).unwrap_or(0);
            sink.event(&Event {
                type_name: &type_name,
                time: &time,
                attribute_bytes,
                objects: &objects,
                place: &place,
            })?;
        }
        Ok(())
    }

    /// Visits each row of a table in its order, with the numbers of these columns.
    fn each_row<'a, 'j, const N: usize>(
        &self,
        sink: &mut Sink<'a, 'j>,
        table: &str,
        columns: [&str; N],
        mut visit: impl FnMut(&mut Sink<'a, 'j>, &TableRow<'_>, [usize; N]) -> Result<(), TraceError>,
    ) -> Result<(), TraceError> {
        // The order of an index would be another one.
        let sql = format!("SELECT * FROM main.\"{}\" NOT INDEXED", table.replace('"', "\"\""));
        let mut statement = self.connection.prepare(&sql).map_err(|error| failed(sink, &error))?;
        let found = statement.columns();
        let booleans: Vec<_> = found
            .iter()
            .map(|column| column.decl_type().is_some_and(|declared| declared.eq_ignore_ascii_case("boolean")))
            .collect();
        let names: Vec<_> = found.iter().map(|column| column.name().to_owned()).collect();
        let mut places = [0; N];
        for (place, column) in places.iter_mut().zip(columns) {
            let found = names.iter().position(|name| name.eq_ignore_ascii_case(column));
            let missing = || sink.bad(format!("table `{}`", excerpt(table)), format!("it has no column `{column}`"));
            *place = found.ok_or_else(missing)?;
        }
        let mut rows = statement.query([]).map_err(|error| failed(sink, &error))?;
        let mut number = 0_i64;
        while let Some(row) = rows.next().map_err(|error| failed(sink, &error))? {
            number += 1;
            if number % ROWS_PER_STEP == 0 {
                sink.job.proceed(ImportStage::Decode, sink.progress)?;
            }
            visit(sink, &TableRow { table, number, names: &names, booleans: &booleans, row }, places)?;
        }
        Ok(())
    }
}

/// A row of a table of the log.
struct TableRow<'r> {
    table: &'r str,
    /// From 1.
    number: i64,
    names: &'r [String],
    /// Which columns are declared as booleans.
    booleans: &'r [bool],
    row: &'r Row<'r>,
}

impl<'r> TableRow<'r> {
    fn place(&self) -> String {
        row_place(self.table, self.number)
    }

    fn value(&self, column: usize) -> ValueRef<'r> {
        self.row.get_ref(column).unwrap_or(ValueRef::Null)
    }

    /// A value that must be there.
    fn text(&self, sink: &Sink<'_, '_>, column: usize) -> Result<Cow<'r, str>, TraceError> {
        text(self.value(column)).ok_or_else(|| sink.bad(self.place(), format!("`{}` is null", self.names[column])))
    }
}

fn row_place(table: &str, number: i64) -> String {
    format!("table `{}`, row {number}", excerpt(table))
}

fn row_number(row: &Row<'_>) -> i64 {
    row.get(0).unwrap_or(0)
}

fn text(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string().into()),
        ValueRef::Real(number) => Some(number.to_string().into()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes)),
    }
}

/// Length of an attribute; `None` if the event does not have it.
fn bytes(value: ValueRef<'_>, is_boolean: bool) -> Option<usize> {
    match value {
        ValueRef::Null => None,
        _ if is_boolean => Some(BOOLEAN_BYTES),
        ValueRef::Integer(number) => Some(number.to_string().len()),
        ValueRef::Real(number) => Some(number_bytes(number)),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes.len()),
    }
}

/// Whether a time is a date and a time of day alone, as in the specification's `1970-01-01 00:00:00`, which is in UTC.
fn has_no_offset(time: &str) -> bool {
    let Some((date_and_time, fraction)) = time.split_at_checked("1970-01-01 00:00:00".len()) else { return false };
    let has_time = matches!(date_and_time.as_bytes()[10], b' ' | b'T') && date_and_time.as_bytes()[13] == b':';
    let digits = if fraction.is_empty() { Some("") } else { fraction.strip_prefix('.') };
    has_time && digits.is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
}

/// The file, after a look at what is known without SQLite.
fn place(sink: &Sink<'_, '_>) -> Result<PathBuf, TraceError> {
    let name = sink.job.input.name(sink.source);
    let must_be_file = || sink.bad("SQLite".to_owned(), "must be a file that is not compressed, no pipe".to_owned());
    let path = sink.job.input.regular_file(sink.source).ok_or_else(must_be_file)?;
    let unreadable = |error| sink.job.unreadable(sink.source, error);
    let path = path.canonicalize().map_err(unreadable)?;
    let file = File::open(&path).map_err(unreadable)?;
    let mut header = [0; 100];
    let is_whole = file.read_exact_at(&mut header, 0).is_ok();
    if !header.starts_with(MAGIC) {
        return Err(must_be_file());
    }
    let (length, expected) = (file.metadata().map_err(unreadable)?.len(), whole_length(&header));
    if !is_whole || length < expected {
        return Err(sink.bad("SQLite".to_owned(), format!("cut off: {length} bytes, expected {expected}")));
    }
    // Changes that are not in the file yet, or half of them.
    for ending in ["-wal", "-journal"] {
        let mut beside = OsString::from(&path);
        beside.push(ending);
        if std::fs::metadata(&beside).is_ok_and(|found| found.len() > 0) {
            let reason = format!(
                "a program has it open, or did not close it: {} has changes; import a copy made with `sqlite3 {} \".backup \
                 copy.sqlite\"`",
                path_text(Path::new(&beside)),
                path_text(name)
            );
            return Err(sink.bad("SQLite".to_owned(), reason));
        }
    }
    Ok(path)
}

/// Length of a database by its header; the header alone where that does not say it.
fn whole_length(header: &[u8; 100]) -> u64 {
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let page_bytes = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 1 << 16,
        bytes => u64::from(bytes),
    };
    let is_counted = number(24) == number(92);
    if is_counted { page_bytes * u64::from(number(28)) } else { header.len() as u64 }
}

fn no_ocel(sink: &Sink<'_, '_>, table: &str) -> TraceError {
    let path = sink.job.input.name(sink.source).to_owned();
    let what = format!("a SQLite database without the table `{table}` of OCEL 2.0");
    let advice = "export the table of the events: `sqlite3 -csv -header FILE 'select * from TABLE' | ave-workbench trace \
                  import -`";
    TraceError::NotALog { path, what, advice: advice.to_owned() }
}

fn failed(sink: &Sink<'_, '_>, error: &rusqlite::Error) -> TraceError {
    sink.bad("SQLite".to_owned(), escape(&error.to_string()))
}
