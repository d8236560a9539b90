//! Turning an event log into a trace.
//!
//! An event log is any CSV file in which a row is an event, one column names the case it belongs to and one the time.
//! A case becomes an actor, a row becomes a `persist` command, and the length of the row (or of a chosen column) is
//! the size of the event. What the log does not say, the size of the actors' state, is an option, and is said.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::names::{NameRule, hashed};
use super::writer::TraceWriter;
use super::{Provenance, TraceActor, TraceCommand, TraceError};
use crate::workbench::actor::{ActorLog, Command, CommandKind, PersistenceRules};
use crate::workbench::workload::MAX_VALUE_BYTES;

/// How to read an event log and what to make of it.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Column that names the actor; guessed if absent.
    pub actor_column: Option<String>,
    /// Column that holds the time; guessed if absent.
    pub time_column: Option<String>,
    /// Format of the time in `strftime` notation; RFC 3339 and its relatives, and Unix seconds or milliseconds, if
    /// absent.
    pub time_format: Option<String>,
    /// Column that holds the payload; the whole row if absent.
    pub payload_column: Option<String>,
    /// Field separator; guessed among comma, semicolon and tab if absent.
    pub delimiter: Option<u8>,
    /// How the actors persist.
    pub rules: PersistenceRules,
    /// Serialised state of an actor, bytes.
    pub state_bytes: u32,
    /// Actor type, which names the column families.
    pub type_name: String,
    /// Whether actors keep their names.
    pub names: NameRule,
}

/// What an import did, for the person who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportSummary {
    /// Rows that became `persist` commands.
    pub events: u64,
    /// Distinct actors.
    pub actors: u64,
    /// Storage operations written.
    pub operations: u64,
    /// Time of the first and the last event.
    pub span: [Timestamp; 2],
    /// Which columns were used and which of them were guessed.
    pub columns: Vec<String>,
    /// What the log did not say and was assumed.
    pub assumptions: Vec<String>,
}

/// Reads the event log at `log` and writes a trace to `output`.
///
/// Rows may come in any order; the trace is in order of time, and rows of equal time keep the log's order.
///
/// # Errors
///
/// [`TraceError`] with file, line, column and what was expected. Nothing is written unless all of the log is good.
pub fn import(log: &Path, output: &Path, options: &ImportOptions) -> Result<ImportSummary, TraceError> {
    let events = EventLog::read(log, options)?;
    let provenance = provenance(log, options, &events);
    let mut writer = TraceWriter::create(output, &provenance)?;
    let operations = write_commands(&mut writer, &events, options)?;
    writer.finish()?;
    let moments = |event: Option<&Event>| event.map_or(Timestamp::UNIX_EPOCH, |event| event.time);
    Ok(ImportSummary {
        events: events.events.len() as u64,
        actors: events.actors.len() as u64,
        operations,
        span: [moments(events.events.first()), moments(events.events.last())],
        columns: events.columns,
        assumptions: provenance.assumptions,
    })
}

struct Event {
    time: Timestamp,
    actor: u32,
    bytes: u32,
}

struct EventLog {
    events: Vec<Event>,
    actors: Vec<String>,
    columns: Vec<String>,
    assumed_utc: bool,
}

impl EventLog {
    fn read(path: &Path, options: &ImportOptions) -> Result<Self, TraceError> {
        let failed = |source| TraceError::File { action: "read", path: path.to_owned(), source };
        let delimiter = options.delimiter.map_or_else(|| guess_delimiter(path).map_err(failed), Ok)?;
        let file = File::open(path).map_err(failed)?;
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(file);
        let headers = reader.headers().map_err(|error| bad_csv(path, &error))?.clone();
        if headers.is_empty() {
            return Err(TraceError::Empty { path: path.to_owned(), what: "events" });
        }
        let columns = Columns::find(path, &headers, options)?;
        let mut log =
            Self { events: Vec::new(), actors: Vec::new(), columns: columns.described(&headers), assumed_utc: false };
        let mut known: HashMap<String, u32> = HashMap::new();
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).map_err(|error| bad_csv(path, &error))? {
            let event = log.event(path, &headers, &record, &columns, options, &mut known)?;
            log.events.push(event);
        }
        if log.events.is_empty() {
            return Err(TraceError::Empty { path: path.to_owned(), what: "events" });
        }
        log.events.sort_by_key(|event| event.time);
        Ok(log)
    }

    fn event(
        &mut self,
        path: &Path,
        headers: &csv::StringRecord,
        record: &csv::StringRecord,
        columns: &Columns,
        options: &ImportOptions,
        known: &mut HashMap<String, u32>,
    ) -> Result<Event, TraceError> {
        let line = record.position().map_or(0, csv::Position::line);
        let bad = |column: usize, reason: String| TraceError::Field {
            path: path.to_owned(),
            line,
            column: headers.get(column).unwrap_or("").to_owned(),
            reason,
        };
        let name = record.get(columns.actor).unwrap_or("");
        if name.is_empty() {
            return Err(bad(columns.actor, "empty, expected the actor's name".to_owned()));
        }
        let text = record.get(columns.time).unwrap_or("").trim();
        let (time, has_offset) = parse_time(text, options.time_format.as_deref())
            .map_err(|expected| bad(columns.time, format!("`{text}`, expected {expected}")))?;
        self.assumed_utc |= !has_offset;
        let bytes = payload_bytes(record, columns.payload);
        let bytes = u32::try_from(bytes)
            .ok()
            .filter(|&bytes| bytes <= MAX_VALUE_BYTES)
            .ok_or_else(|| bad(columns.actor, format!("a row of {bytes} bytes, expected at most {MAX_VALUE_BYTES}")))?;
        let actor = match known.get(name) {
            Some(&actor) => actor,
            None => self.new_actor(name, known),
        };
        Ok(Event { time, actor, bytes })
    }

    fn new_actor(&mut self, name: &str, known: &mut HashMap<String, u32>) -> u32 {
        let actor = u32::try_from(self.actors.len()).expect("fewer actors than a CSV file in memory has rows");
        self.actors.push(name.to_owned());
        known.insert(name.to_owned(), actor);
        actor
    }
}

/// The length of the payload: of one column, or of the row as it stands in the file, without its line end and quotes.
fn payload_bytes(record: &csv::StringRecord, column: Option<usize>) -> usize {
    column.map_or_else(
        || record.as_slice().len() + record.len().saturating_sub(1),
        |column| record.get(column).map_or(0, str::len),
    )
}

struct Columns {
    actor: usize,
    time: usize,
    payload: Option<usize>,
    guessed: [bool; 2],
}

/// Names under which event logs keep the case, most telling first. The first is the one of the XES standard.
const ACTOR_NAMES: &[&str] = &[
    "case:concept:name",
    "case_id",
    "caseid",
    "case id",
    "case",
    "actor_id",
    "actor",
    "subject_id",
    "subject",
    "entity_id",
    "entity",
    "aggregate_id",
    "stream_id",
    "stream",
    "account_id",
    "order_id",
    "user_id",
    "session_id",
    "trace_id",
    "device_id",
    "key",
];
/// Names under which event logs keep the time, most telling first. The first is the one of the XES standard.
const TIME_NAMES: &[&str] = &[
    "time:timestamp",
    "timestamp",
    "time_stamp",
    "event_time",
    "eventtime",
    "time",
    "datetime",
    "date_time",
    "occurred_at",
    "created_at",
    "complete timestamp",
    "complete_timestamp",
    "start_time",
    "start timestamp",
    "ts",
    "date",
];

impl Columns {
    fn find(path: &Path, headers: &csv::StringRecord, options: &ImportOptions) -> Result<Self, TraceError> {
        let pick = |asked: Option<&String>, names: &[&str], what: &str, option: &str| match asked {
            Some(name) => named(path, headers, name, option).map(|column| (column, false)),
            None => guess(path, headers, names, what, option).map(|column| (column, true)),
        };
        let (actor, actor_guessed) = pick(options.actor_column.as_ref(), ACTOR_NAMES, "the actor", "--actor-column")?;
        let (time, time_guessed) = pick(options.time_column.as_ref(), TIME_NAMES, "the time", "--time-column")?;
        let payload =
            options.payload_column.as_ref().map(|name| named(path, headers, name, "--payload-column")).transpose()?;
        Ok(Self { actor, time, payload, guessed: [actor_guessed, time_guessed] })
    }

    fn described(&self, headers: &csv::StringRecord) -> Vec<String> {
        let column = |what: &str, column: usize, guessed: bool| {
            let how = if guessed { " (guessed)" } else { "" };
            format!("{what}: `{}`{how}", headers.get(column).unwrap_or(""))
        };
        vec![
            column("actor", self.actor, self.guessed[0]),
            column("time", self.time, self.guessed[1]),
            self.payload
                .map_or_else(|| "payload: the whole row".to_owned(), |payload| column("payload", payload, false)),
        ]
    }
}

fn named(path: &Path, headers: &csv::StringRecord, name: &str, option: &str) -> Result<usize, TraceError> {
    headers.iter().position(|header| header == name).ok_or_else(|| TraceError::MissingColumn {
        path: path.to_owned(),
        wanted: format!("`{name}`"),
        advice: format!("name another with {option}"),
        columns: headers.iter().map(str::to_owned).collect(),
    })
}

fn guess(
    path: &Path,
    headers: &csv::StringRecord,
    names: &[&str],
    what: &str,
    option: &str,
) -> Result<usize, TraceError> {
    let find = |name: &&str| headers.iter().position(|header| header.trim().eq_ignore_ascii_case(name));
    names.iter().find_map(find).ok_or_else(|| TraceError::MissingColumn {
        path: path.to_owned(),
        wanted: format!("looks like {what} (`{}` or the like)", names[..4].join("`, `")),
        advice: format!("name it with {option}"),
        columns: headers.iter().map(str::to_owned).collect(),
    })
}

/// The separator that occurs most in the first line.
fn guess_delimiter(path: &Path) -> std::io::Result<u8> {
    use std::io::{BufRead, BufReader};
    let mut first = Vec::new();
    BufReader::new(File::open(path)?).read_until(b'\n', &mut first)?;
    let count = |delimiter: u8| first.split(|&byte| byte == delimiter).count();
    // The last of equal maxima wins: a comma unless another separator is more frequent.
    Ok([b'\t', b';', b','].into_iter().max_by_key(|&delimiter| count(delimiter)).unwrap_or(b','))
}

fn bad_csv(path: &Path, error: &csv::Error) -> TraceError {
    let path = path.to_owned();
    match error.kind() {
        csv::ErrorKind::Io(source) => {
            TraceError::File { action: "read", path, source: std::io::Error::new(source.kind(), source.to_string()) }
        }
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => TraceError::Line {
            path,
            line: pos.as_ref().map_or(0, csv::Position::line),
            reason: format!("{len} fields, expected {expected_len} as in the header"),
        },
        csv::ErrorKind::Utf8 { pos, err } => TraceError::Line {
            path,
            line: pos.as_ref().map_or(0, csv::Position::line),
            reason: format!("field {} is not valid UTF-8", err.field() + 1),
        },
        _ => {
            TraceError::Line { path, line: error.position().map_or(0, csv::Position::line), reason: error.to_string() }
        }
    }
}

/// Unix times above this are milliseconds: as seconds it would be the year 5138.
const LARGEST_SECONDS: f64 = 1e11;

/// Forms beside RFC 3339 and its relatives that can be read in one way only. Where month and day could change places,
/// the form must be named.
const PLAIN_FORMATS: &[&str] =
    &["%Y/%m/%d %H:%M:%S%.f", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%d.%m.%Y %H:%M:%S%.f", "%d.%m.%Y %H:%M", "%d.%m.%Y"];

/// The time, and whether the text said its offset from UTC.
fn parse_time(text: &str, format: Option<&str>) -> Result<(Timestamp, bool), String> {
    if let Some(format) = format {
        return parse_with_format(text, format);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok((time, true));
    }
    if let Ok(civil) = text.parse::<DateTime>() {
        return in_utc(civil).ok_or_else(|| "a time between the years -9999 and 9999".to_owned());
    }
    if let Some(time) = PLAIN_FORMATS.iter().find_map(|format| parse_with_format(text, format).ok()) {
        return Ok(time);
    }
    unix_time(text).ok_or_else(|| {
        "a time such as `2011-10-11 13:45:40.276+02:00` or Unix seconds or milliseconds; \
         name another form with --time-format (strftime notation, for example `%d.%m.%Y %H:%M`)"
            .to_owned()
    })
}

fn parse_with_format(text: &str, format: &str) -> Result<(Timestamp, bool), String> {
    let expected = |error: jiff::Error| format!("the form `{format}` ({error})");
    let parsed = jiff::fmt::strtime::parse(format, text).map_err(expected)?;
    if parsed.offset().is_some() {
        return Ok((parsed.to_timestamp().map_err(expected)?, true));
    }
    let civil = match parsed.to_datetime() {
        Ok(civil) => civil,
        Err(_) => parsed.to_date().map_err(expected)?.to_datetime(jiff::civil::Time::midnight()),
    };
    in_utc(civil).ok_or_else(|| format!("the form `{format}`"))
}

fn in_utc(civil: DateTime) -> Option<(Timestamp, bool)> {
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| (zoned.timestamp(), false))
}

fn unix_time(text: &str) -> Option<(Timestamp, bool)> {
    let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
    let seconds = if number.abs() > LARGEST_SECONDS { number / 1e3 } else { number };
    #[expect(clippy::cast_possible_truncation, reason = "out-of-range times are refused by the timestamp")]
    let nanoseconds = (seconds * 1e9).round() as i128;
    Timestamp::from_nanosecond(nanoseconds).ok().map(|time| (time, true))
}

fn provenance(log: &Path, options: &ImportOptions, events: &EventLog) -> Provenance {
    let mut assumptions = vec![format!("every actor's serialised state is {} bytes", options.state_bytes)];
    if events.assumed_utc {
        assumptions.push("times without an offset are in UTC".to_owned());
    }
    let source: PathBuf = log.file_name().map(PathBuf::from).unwrap_or_default();
    Provenance {
        name: log.file_stem().map_or_else(|| "trace".to_owned(), |stem| stem.to_string_lossy().into_owned()),
        source: source.display().to_string(),
        made_by: format!("import, {} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
        persistence: options.rules.to_string(),
        names_hashed: options.names == NameRule::Hash,
        compressibility: if options.rules.encrypted { 0.0 } else { 0.5 },
        recording: None,
        assumptions,
    }
}

fn write_commands(writer: &mut TraceWriter, log: &EventLog, options: &ImportOptions) -> Result<u64, TraceError> {
    let key: [u8; 16] = rand::random();
    let actors: Vec<TraceActor> = log.actors.iter().map(|name| trace_actor(name, options, &key)).collect();
    let mut logs = vec![ActorLog::default(); actors.len()];
    let mut ops = Vec::new();
    let mut operations = 0;
    let first = log.events[0].time;
    for event in &log.events {
        ops.clear();
        let command = Command::Persist { event_bytes: event.bytes, state_bytes: options.state_bytes };
        logs[event.actor as usize].expand(options.rules, command, &mut ops);
        operations += ops.len() as u64;
        let at_ns = u64::try_from(first.duration_until(event.time).as_nanos()).unwrap_or(0);
        let line = TraceCommand { at_ns, actor: event.actor, kind: CommandKind::Persist, ops: 0..ops.len() };
        writer.command(&actors[event.actor as usize], &line, &ops)?;
    }
    Ok(operations)
}

fn trace_actor(name: &str, options: &ImportOptions, key: &[u8; 16]) -> TraceActor {
    let name = match options.names {
        NameRule::Keep => name.to_owned(),
        NameRule::Hash => hashed(name, key),
    };
    TraceActor { type_name: options.type_name.clone(), name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workbench::actor::Strategy;

    fn time(text: &str) -> String {
        parse_time(text, None).unwrap().0.to_string()
    }

    #[test]
    fn times_are_read_in_the_forms_event_logs_use() {
        assert_eq!(time("2011-10-11 13:45:40.276000+02:00"), "2011-10-11T11:45:40.276Z");
        assert_eq!(time("2011-10-11T13:45:40Z"), "2011-10-11T13:45:40Z");
        assert_eq!(time("2011-10-11 13:45:40"), "2011-10-11T13:45:40Z");
        assert_eq!(time("1318340740"), "2011-10-11T13:45:40Z");
        assert_eq!(time("1318340740276"), "2011-10-11T13:45:40.276Z");
        assert_eq!(time("2011/10/11 13:45:40.276"), "2011-10-11T13:45:40.276Z");
        assert_eq!(time("2011/10/11 13:45:40"), "2011-10-11T13:45:40Z");
        assert_eq!(time("11.10.2011 13:45"), "2011-10-11T13:45:00Z");
        assert_eq!(time("2011-10-11"), "2011-10-11T00:00:00Z");
        let (parsed, has_offset) = parse_time("11.10.2011 13:45", Some("%d.%m.%Y %H:%M")).unwrap();
        assert_eq!((parsed.to_string().as_str(), has_offset), ("2011-10-11T13:45:00Z", false));
    }

    #[test]
    fn a_time_that_is_none_says_what_was_expected() {
        assert!(parse_time("yesterday", None).unwrap_err().contains("--time-format"));
        assert!(parse_time("2011", Some("%d.%m.%Y")).unwrap_err().contains("%d.%m.%Y"));
        assert!(parse_time("10/11/2011 13:45", None).is_err(), "October or November? It must be said");
        assert!(parse_time("NaN", None).is_err() && parse_time("", None).is_err());
    }

    #[test]
    fn hashed_names_stay_distinct_and_tell_nothing() {
        let options = |names| ImportOptions {
            actor_column: None,
            time_column: None,
            time_format: None,
            payload_column: None,
            delimiter: None,
            rules: PersistenceRules { strategy: Strategy::Light, compact_on_snapshot: false, encrypted: false },
            state_bytes: 1,
            type_name: "t".to_owned(),
            names,
        };
        let hashed = |name: &str, key| trace_actor(name, &options(NameRule::Hash), &[key; 16]).name;
        assert_eq!(hashed("case-1", 1), hashed("case-1", 1));
        assert_ne!(hashed("case-1", 1), hashed("case-2", 1));
        assert_ne!(hashed("case-1", 1), hashed("case-1", 2), "another key, another name");
        assert_eq!(trace_actor("case-1", &options(NameRule::Keep), &[0; 16]).name, "case-1");
    }
}
