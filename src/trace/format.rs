//! The trace format, for `ave-workbench`: columns, first line, provenance.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

pub use super::line::{KEY_DIGITS, Line, family_suffix};
pub use super::names::hashed;

/// First characters of a trace; the version follows, then the provenance as JSON.
pub const MAGIC: &str = "# ave-trace ";
/// Version this build writes and reads.
pub const VERSION: u32 = 1;
/// The header row.
pub const COLUMNS: [&str; 8] =
    ["time_ns", "column_family", "actor", "command_id", "command", "operation", "key", "bytes"];
/// First characters of a comment with the number of operations lost before the next line.
pub const DROPPED: &str = "# dropped ";

/// Writes the comment line with version and provenance, and the header row.
pub fn write_head(out: &mut impl Write, provenance: &Provenance) -> io::Result<()> {
    let json = serde_json::to_string(provenance)?;
    writeln!(out, "{MAGIC}{VERSION} {json}\n{}", COLUMNS.join(","))
}

/// Writes bytes as they are, or as one zstd frame with a checksum.
pub enum Compressor<W: Write> {
    /// As they are.
    Plain(W),
    /// Compressed.
    Zstd(zstd::Encoder<'static, W>),
}

impl<W: Write> Compressor<W> {
    /// Level 1: traces of light actors are a tenth smaller than at level 3, and compressed nearly twice as fast.
    const LEVEL: i32 = 1;

    /// A writer of either kind.
    pub fn new(out: W, is_compressed: bool) -> io::Result<Self> {
        if !is_compressed {
            return Ok(Self::Plain(out));
        }
        let mut encoder = zstd::Encoder::new(out, Self::LEVEL)?;
        encoder.include_checksum(true)?;
        Ok(Self::Zstd(encoder))
    }

    /// The writer behind it.
    pub fn get_ref(&self) -> &W {
        match self {
            Self::Plain(out) => out,
            Self::Zstd(encoder) => encoder.get_ref(),
        }
    }

    /// Ends the frame.
    pub fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(out) => Ok(out),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}

/// Origin of a trace, in its first line.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Short name, used for the report.
    pub name: String,
    /// File or system it was created from.
    pub source: String,
    /// `import`, `recorder` or `generator`, with the version of this package.
    pub made_by: String,
    /// `light`, `full, snapshot every 100 events`, …; empty if unknown.
    #[serde(default)]
    pub persistence: String,
    /// Whether actors' names are keyed hashes.
    #[serde(default)]
    pub names_hashed: bool,
    /// Repeating share of each value that a replay generates, 0 to 1. Default 0.5.
    #[serde(default = "default_compressibility")]
    pub compressibility: f64,
    /// Assumptions, as text for the report.
    #[serde(default)]
    pub assumptions: Vec<String>,
    /// Recording and part, if a recorder created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<Recording>,
    /// Which part of another trace it is, if it was exported as a shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

/// A shard: all commands of some actors of a trace. The shards of a trace have each of its commands once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Number of the shard, from 1.
    pub number: u32,
    /// Number of shards.
    pub count: u32,
    /// SHA-256 of the rows of the whole trace, each with its line end; hexadecimal. The same in all of its shards.
    pub trace_sha256: String,
    /// Commands of the whole trace.
    pub trace_commands: u64,
    /// Storage operations of the whole trace.
    pub trace_operations: u64,
}

/// Position of a trace in a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Random id of the recording, 32 hexadecimal digits; unrelated to the key of the names.
    pub id: String,
    /// Number of the part within the recording, from 1.
    pub part: u32,
    /// Start of the recording, which is time 0 in all parts: milliseconds since 1970-01-01 UTC.
    pub began_unix_ms: u64,
}

impl Provenance {
    /// Whether `other` is the next part of the same recording.
    pub fn continues(&self, other: &Self) -> bool {
        let parts = self.recording.as_ref().zip(other.recording.as_ref());
        parts.is_some_and(|(part, next)| part.id == next.id && part.part + 1 == next.part)
    }

    /// Whether reads have the bytes they found, so that 0 means an absent entry.
    pub const fn reads_say_bytes(&self) -> bool {
        self.recording.is_some()
    }
}

const fn default_compressibility() -> f64 {
    0.5
}
