//! Traces: which storage operations actors issue, the file format that holds them, and a recorder that writes it.
//!
//! A trace is a CSV file with a header row, plain or zstd-compressed, behind one comment line that carries version
//! and provenance. It holds operations, keys and sizes, never a payload; actors' names are keyed hashes unless the
//! recorder is configured otherwise. This module knows nothing of RocksDB: it records any `DbManager`.

mod command;
#[doc(hidden)]
pub mod format;
mod line;
mod names;
mod recorder;

pub use command::{CommandKind, Op, OpKind, UnknownName};
pub use format::{Provenance, Recording};
pub use names::NameRule;
pub use recorder::{
    Compression, Recorder, RecorderError, RecorderOptions, RecorderStats, RecordingCollection, RecordingManager,
    RecordingState,
};
