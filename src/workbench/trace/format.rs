//! The trace format: columns, the comment line in front, and a trace in memory.

use std::io::{self, Write};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::workbench::actor::{CommandKind, Op};

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
    /// Share of each value that repeats, 0 to 1, for the values a replay makes up.
    #[serde(default = "default_compressibility")]
    pub compressibility: f64,
    /// What was assumed, in words.
    #[serde(default)]
    pub assumptions: Vec<String>,
    /// Which part of which recording it is, if a recorder made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<Recording>,
}

/// Which recording a trace is a part of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// The same in all parts of a recording and in no other: 32 hexadecimal digits. It says nothing of the names' key.
    pub id: String,
    /// Number of the part within the recording, from 1.
    pub part: u32,
    /// When the recording began, which is time 0 in all its parts: milliseconds since 1970-01-01 UTC.
    pub began_unix_ms: u64,
}

const fn default_compressibility() -> f64 {
    0.5
}

/// An actor that occurs in a trace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TraceActor {
    /// Actor type: the column families are this plus `_events`, `_states`, `_metadata`.
    pub type_name: String,
    /// Its name, which prefixes its keys.
    pub name: String,
}

/// One command of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceCommand {
    /// Nanoseconds from the start of the trace.
    pub at_ns: u64,
    /// Index into [`Trace::actors`].
    pub actor: u32,
    /// What it is.
    pub kind: CommandKind,
    /// Its operations, as a range of [`Trace::ops`].
    pub ops: Range<usize>,
}

/// A trace in memory: 24 bytes per operation and 40 per command.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    /// Where it comes from.
    pub provenance: Provenance,
    /// Everyone who occurs.
    pub actors: Vec<TraceActor>,
    /// What they asked, in order of time.
    pub commands: Vec<TraceCommand>,
    /// The storage operations behind it.
    pub ops: Vec<Op>,
}

impl Trace {
    /// Time of the last command, nanoseconds from the start.
    pub fn duration_ns(&self) -> u64 {
        self.commands.last().map_or(0, |command| command.at_ns)
    }

    /// The operations of a command.
    pub fn ops_of(&self, command: &TraceCommand) -> &[Op] {
        &self.ops[command.ops.clone()]
    }

    /// The commands it issues, in report order.
    pub fn kinds(&self) -> Vec<CommandKind> {
        CommandKind::ALL.into_iter().filter(|&kind| self.commands.iter().any(|command| command.kind == kind)).collect()
    }

    /// Distinct actor types.
    pub fn type_count(&self) -> usize {
        let types: std::collections::HashSet<_> = self.actors.iter().map(|actor| &actor.type_name).collect();
        types.len()
    }

    /// Longest value any operation carries, in bytes.
    pub fn longest_value(&self) -> u32 {
        self.ops.iter().map(|op| op.bytes).max().unwrap_or(0)
    }
}
