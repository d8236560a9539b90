//! The trace format: columns, the comment line in front, and a trace in memory.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

pub use super::line::{Line, family_suffix};
pub use super::names::hashed;

/// First characters of a trace; the version follows, then the provenance as JSON.
pub const MAGIC: &str = "# ave-trace ";
/// Version this build writes and reads.
pub const VERSION: u32 = 1;
/// The header row.
pub const COLUMNS: [&str; 8] =
    ["time_ns", "column_family", "actor", "command_id", "command", "operation", "key", "bytes"];
/// Digits of an event key, as the store writes it.
pub const KEY_DIGITS: usize = 20;

/// First characters of a line that says how many operations were lost before the next one.
pub const DROPPED: &str = "# dropped ";

/// Writes what stands in front of the operations: the comment with version and provenance, and the header row.
pub fn write_head(out: &mut impl Write, provenance: &Provenance) -> io::Result<()> {
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

impl Provenance {
    /// Whether another trace is the next part of the same recording.
    pub fn continues(&self, other: &Self) -> bool {
        let parts = self.recording.as_ref().zip(other.recording.as_ref());
        parts.is_some_and(|(part, next)| part.id == next.id && part.part + 1 == next.part)
    }

    /// Whether reads say how many bytes they found: zero then means that nothing was there.
    pub const fn reads_say_bytes(&self) -> bool {
        self.recording.is_some()
    }
}

const fn default_compressibility() -> f64 {
    0.5
}
