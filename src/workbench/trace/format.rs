//! The trace format: columns, the comment line in front, and a trace in memory.

use std::io::{self, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::workbench::actor::CommandKind;

/// First characters of a trace; the version follows, then the provenance as JSON.
pub(super) const MAGIC: &str = "# ave-trace ";
/// Version this build writes and reads.
pub(super) const VERSION: u32 = 1;
/// The header row.
pub(super) const COLUMNS: [&str; 8] =
    ["time_ns", "column_family", "actor", "command_id", "command", "operation", "key", "bytes"];
/// Digits of an event key, as the store writes it.
pub(super) const KEY_DIGITS: usize = 20;

/// First characters of a line that says how many operations were lost before the next one.
pub(super) const DROPPED: &str = "# dropped ";

/// Writes what stands in front of the operations: the comment with version and provenance, and the header row.
pub(super) fn write_head(out: &mut impl Write, provenance: &Provenance) -> io::Result<()> {
    let json = serde_json::to_string(provenance)?;
    writeln!(out, "{MAGIC}{VERSION} {json}\n{}", COLUMNS.join(","))
}

/// Where a trace comes from and how it was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Short name; names the report.
    pub name: String,
    /// File or system it was made from.
    pub source: String,
    /// `import`, `recorder` or `generator`, with the version of this package.
    pub made_by: String,
    /// `light`, `full, snapshot every 100 events`, …; empty if unknown.
    #[serde(default)]
    pub persistence: String,
    /// Whether actors' names are keyed hashes.
    #[serde(default)]
    pub names_hashed: bool,
    /// Whether reads that found something say how many bytes, as a recording's do: zero then means that nothing was there.
    #[serde(default)]
    pub reads_say_bytes: bool,
    /// Share of each value that repeats, 0 to 1, for the values a replay makes up.
    #[serde(default = "default_compressibility")]
    pub compressibility: f64,
    /// What was assumed, in words.
    #[serde(default)]
    pub assumptions: Vec<String>,
}

impl Provenance {
    /// Whether another trace is a part of the same recording.
    #[cfg(feature = "workbench")]
    pub(super) fn is_of_same_recording(&self, other: &Self) -> bool {
        (&self.name, &self.source, &self.made_by) == (&other.name, &other.source, &other.made_by)
    }
}

const fn default_compressibility() -> f64 {
    0.5
}

/// An actor that occurs in a trace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TraceActor {
    /// Actor type: the column families are this plus `_events`, `_states`, `_metadata`.
    pub type_name: Arc<str>,
    /// Its name, which prefixes its keys.
    pub name: Box<str>,
}

impl TraceActor {
    /// An actor by its type and name.
    pub fn new(type_name: &str, name: &str) -> Self {
        Self { type_name: type_name.into(), name: name.into() }
    }
}

/// One command of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceCommand {
    /// Nanoseconds from the start of the trace.
    pub at_ns: u64,
    /// Place of the actor among those of the trace.
    pub actor: u32,
    /// What it is.
    pub kind: CommandKind,
}
