//! Traces: what actors really asked of their stores, in a file that pandas and DuckDB open as it is.
//!
//! A trace is a CSV file with a header row, plain or zstd-compressed, behind one comment line that carries version
//! and provenance. It holds operations, keys and sizes, never a payload; actors' names are keyed hashes unless asked
//! otherwise. This module knows commands and workloads below it and nothing of databases or reports.

mod error;
mod format;
mod import;
mod info;
mod reader;
mod replay;
mod writer;

pub use error::TraceError;
pub use format::{Provenance, Trace, TraceActor, TraceCommand};
pub use import::{ImportOptions, ImportSummary, NameRule, import};
pub use info::{TraceInfo, info};
pub use reader::{Truncation, looks_like_one, read};
pub use replay::TraceSource;
pub use writer::TraceWriter;
