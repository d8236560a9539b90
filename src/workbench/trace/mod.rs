//! Traces: what actors really asked of their stores, in a file that pandas and DuckDB open as it is.
//!
//! A trace is a CSV file with a header row, plain or zstd-compressed, behind one comment line that carries version
//! and provenance. It holds operations, keys and sizes, never a payload; actors' names are keyed hashes unless asked
//! otherwise. This module knows commands and workloads below it and nothing of databases or reports.

#[cfg(feature = "workbench")]
mod checked;
#[cfg(feature = "workbench")]
mod content;
#[cfg(feature = "workbench")]
mod error;
#[cfg(feature = "workbench")]
mod export;
#[cfg(feature = "workbench")]
mod fit;
mod format;
#[cfg(feature = "workbench")]
mod generate;
#[cfg(feature = "workbench")]
mod history;
#[cfg(feature = "workbench")]
mod import;
#[cfg(feature = "workbench")]
mod info;
mod line;
mod names;
#[cfg(feature = "workbench")]
mod packed;
mod place;
#[cfg(feature = "workbench")]
mod prefetch;
#[cfg(feature = "workbench")]
mod reader;
mod recorder;
#[cfg(feature = "workbench")]
mod records;
#[cfg(feature = "workbench")]
mod replay;
#[cfg(feature = "workbench")]
mod writer;

#[cfg(feature = "workbench")]
pub use checked::{Trace, TraceBuilder};
#[cfg(feature = "workbench")]
pub use content::Commands;
#[cfg(feature = "workbench")]
pub use error::TraceError;
#[cfg(feature = "workbench")]
pub use export::{ExportError, Selection, Table, TableFormat, export};
#[cfg(feature = "workbench")]
pub use fit::{Aspect, Fit, fit};
pub use format::{Provenance, Recording, TraceActor, TraceCommand};
#[cfg(feature = "workbench")]
pub use generate::{GenerateLength, GenerateOptions, GenerateSummary, Preload, generate};
#[cfg(feature = "workbench")]
pub use import::{
    ImportLimits, ImportObserver, ImportOptions, ImportStage, ImportSummary, LogInput, Unobserved, import, import_from,
};
#[cfg(feature = "workbench")]
pub use info::{LiveData, Rhythm, Sizes, SkewFit, TraceInfo, WorkingSet, info};
pub use names::NameRule;
#[cfg(feature = "workbench")]
pub(in crate::workbench) use place::{beside, put_in_place};
#[cfg(feature = "workbench")]
pub use reader::{Truncation, files_of, looks_like_one, read, read_in};
pub use recorder::{
    Compression, Recorder, RecorderError, RecorderOptions, RecorderStats, RecordingCollection, RecordingManager,
    RecordingState,
};
#[cfg(feature = "workbench")]
pub use replay::TraceSource;
#[cfg(feature = "workbench")]
pub use writer::TraceWriter;
