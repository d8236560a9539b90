//! Options and summary of an import.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::actor::{PersistenceRules, Strategy};
use crate::trace::error::TraceError;
use crate::units;
use ave_actors_rocksdb::trace::NameRule;

/// How to read an event log, and how its actors persist.
///
/// ```
/// use ave_workbench::trace::ImportOptions;
///
/// let options = ImportOptions { actor_column: Some("order".to_owned()), ..ImportOptions::default() };
/// assert_eq!(options.state_bytes, 1024);
/// ```
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Column that names the actor, or several with commas between them, whose texts are joined by `/`; guessed if
    /// absent.
    pub actor_column: Option<String>,
    /// Column of the time, or two with a comma between them for date and time of day; guessed if absent.
    pub time_column: Option<String>,
    /// Format of the time: the order of the date such as `DD/MM/YYYY`, `strftime` notation, or `unix-s`, `unix-ms`, `unix-us`, `unix-ns`, `excel-days`,
    /// `dotnet-ticks`, `filetime` or `webkit-us`; detected if absent. Behind a colon, `%f` is a number of milliseconds.
    pub time_format: Option<String>,
    /// Year of dates without one; an error if such dates occur and it is absent.
    pub year: Option<i16>,
    /// Zone of times without an offset; UTC if absent.
    pub time_zone: Option<TimeZone>,
    /// Column of the payload; the whole row if absent.
    pub payload_column: Option<String>,
    /// Column with the size of the event, bytes; the length of the payload if absent.
    pub size_column: Option<String>,
    /// Whether a payload that begins with `\x` is hexadecimal, as `PostgreSQL` writes bytes: two digits are one byte.
    pub hexadecimal_payload: bool,
    /// Field separator; that of a first line such as `sep=;` or guessed among comma, semicolon, tab and bar if absent.
    pub delimiter: Option<u8>,
    /// Whether the first row names the columns; else they are called `1`, `2` and so on.
    pub has_header: bool,
    /// Number of lines before the first row.
    pub skip_lines: u64,
    /// Lines that begin with it are comments.
    pub comment: Option<u8>,
    /// Inside quotes, the character behind it is text.
    pub escape: Option<u8>,
    /// Largest number of bad rows to leave out: without an actor (`NA`, `NULL` and the like included), without a readable
    /// time, with missing fields. If absent, the first such row is an error, and `NA` is an actor.
    pub skip_bad_rows: Option<u64>,
    /// How the actors persist.
    pub rules: PersistenceRules,
    /// Serialised state of an actor, bytes.
    pub state_bytes: u32,
    /// Actor type, which names the column families; with `type_column` or `type_separator` the type of actors without one.
    pub type_name: String,
    /// Column of the actor's type; all actors have one type if absent.
    pub type_column: Option<String>,
    /// Character between the type and the rest of an actor's name, as in `account-17`.
    pub type_separator: Option<char>,
    /// Whether actors keep their names.
    pub names: NameRule,
    /// Bounds of the memory.
    pub limits: ImportLimits,
}

/// Everything guessed, light persistence, 1024 bytes of state, names hashed.
impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            actor_column: None,
            time_column: None,
            time_format: None,
            year: None,
            time_zone: None,
            payload_column: None,
            size_column: None,
            hexadecimal_payload: false,
            delimiter: None,
            has_header: true,
            skip_lines: 0,
            comment: None,
            escape: None,
            skip_bad_rows: None,
            rules: PersistenceRules { strategy: Strategy::Light, compact_on_snapshot: false, encrypted: false },
            state_bytes: 1024,
            type_name: "case".to_owned(),
            type_column: None,
            type_separator: None,
            names: NameRule::Hash,
            limits: ImportLimits::default(),
        }
    }
}

/// Bounds of an import's memory, which does not depend on the length of the log.
///
/// It needs about `32 × run_events + 16 × threads × block_bytes` bytes, 64 KiB for each run on disk, and for
/// each actor about 200 bytes and its name twice. With the defaults and two threads that is 160 MiB and the actors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportLimits {
    /// Bytes of the log that are parsed at once by one thread; a longer record is a block of its own.
    pub block_bytes: usize,
    /// Events that are sorted at once, 16 bytes each and as much again while sorting; more are sorted in runs of so
    /// many, which are written to a nameless temporary file in the output's directory and merged.
    pub run_events: usize,
}

/// Blocks of 1 MiB and runs of 4 Mi events.
impl Default for ImportLimits {
    fn default() -> Self {
        Self { block_bytes: 1 << 20, run_events: 4 << 20 }
    }
}

/// Result of an import.
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
    /// Columns and forms that were used, and which of them were guessed.
    pub columns: Vec<String>,
    /// Assumptions about data that is not in the log.
    pub assumptions: Vec<String>,
    /// What may be wrong with the log.
    pub warnings: Vec<ImportWarning>,
    /// Rows left out.
    pub skipped: SkippedRows,
    /// Rows of separators alone, which are no events.
    pub blank_rows: u64,
    /// Duration of the import, until the trace was on disk.
    pub elapsed: Duration,
}

impl ImportSummary {
    pub(crate) fn rows_per_second(&self) -> f64 {
        self.events as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }
}

/// Something that may be wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportWarning {
    /// What was found.
    pub what: String,
    /// What to do.
    pub hint: String,
}

/// Rows that an import left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SkippedRows {
    /// Rows whose actor is blank, or `NA`, `NULL` or the like.
    pub without_actor: u64,
    /// Rows whose time is blank or cannot be read.
    pub without_time: u64,
    /// Rows with fewer fields than the first one, or more.
    pub ragged: u64,
    /// Rows whose event is larger than the largest value, or has no size.
    pub too_large: u64,
    /// Lines of a log in JSON that are no object.
    pub no_object: u64,
    /// Place of the first one, and why it was left out.
    pub first: Option<String>,
}

impl SkippedRows {
    /// Number of rows left out.
    pub fn total(&self) -> u64 {
        self.without_actor + self.without_time + self.ragged + self.too_large + self.no_object
    }

    /// Keeps the reason of the first row. `error` is that of the last one, which fails above the limit.
    pub(super) fn check(&mut self, limit: u64, error: TraceError) -> Result<(), TraceError> {
        if self.total() <= limit {
            self.first.get_or_insert(error.to_string());
            return Ok(());
        }
        let behind = |reason: String| format!("more than {limit} bad rows ({}); {reason}", self.reasons());
        Err(match error {
            TraceError::Malformed { path, line, column, reason } => {
                TraceError::Malformed { path, line, column, reason: behind(reason) }
            }
            TraceError::BadEvent { path, place, column, reason } => {
                TraceError::BadEvent { path, place, column, reason: behind(reason) }
            }
            other => other,
        })
    }

    /// `3 rows without an actor, 1 row without a time`.
    pub(crate) fn reasons(&self) -> String {
        let reasons = [
            (self.without_actor, "without an actor"),
            (self.without_time, "without a time"),
            (self.ragged, "with missing or more fields"),
            (self.too_large, "without a usable size"),
            (self.no_object, "that is no JSON object"),
        ];
        let reasons = reasons.iter().filter(|(rows, _)| *rows > 0);
        reasons
            .map(|(rows, reason)| format!("{} {reason}", units::counted(*rows, "row")))
            .collect::<Vec<_>>()
            .join(", ")
    }
}
