//! Options and summary of an import.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::actor::{PersistenceRules, Strategy};
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
    /// Format of the time in `strftime` notation, or `unix-s`, `unix-ms`, `unix-us` or `unix-ns`; detected if absent.
    pub time_format: Option<String>,
    /// Zone of times without an offset; UTC if absent.
    pub time_zone: Option<TimeZone>,
    /// Column of the payload; the whole row if absent.
    pub payload_column: Option<String>,
    /// Field separator; guessed among comma, semicolon, tab and bar if absent.
    pub delimiter: Option<u8>,
    /// How the actors persist.
    pub rules: PersistenceRules,
    /// Serialised state of an actor, bytes.
    pub state_bytes: u32,
    /// Actor type, which names the column families.
    pub type_name: String,
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
            time_zone: None,
            payload_column: None,
            delimiter: None,
            rules: PersistenceRules { strategy: Strategy::Light, compact_on_snapshot: false, encrypted: false },
            state_bytes: 1024,
            type_name: "case".to_owned(),
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
    /// Duration of the import, until the trace was on disk.
    pub elapsed: Duration,
}

impl ImportSummary {
    pub(crate) fn rows_per_second(&self) -> f64 {
        self.events as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }
}
