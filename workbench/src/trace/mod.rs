//! Traces as files: import, fit, information, generation, export, reading.
//!
//! The format and the recorder are the library's, [`ave_actors_rocksdb::trace`]. This module knows commands and
//! workloads below it and nothing of databases or reports.

mod atomic_file;
mod builder;
mod command;
mod content;
mod error;
mod export;
mod fit;
mod generate;
mod history;
mod import;
mod info;
mod packed;
mod part;
mod prefetch;
mod reader;
mod records;
mod replay;
mod shard;
mod writer;

pub(crate) use atomic_file::{
    AtomicFile, is_same_file, is_standard_output, replace_file, scratch_directory, without_temporary_name,
};
pub use builder::{Trace, TraceBuilder};
pub use command::{TraceActor, TraceCommand};
pub use error::TraceError;
pub use export::{ExportError, Selection, Table, TableFormat, export};
pub(crate) use fit::Aspect;
pub use fit::{Fit, fit};
pub(crate) use generate::GenerateSummary;
pub use generate::{GenerateLength, GenerateOptions, Preload, generate};
pub use import::{
    ImportLimits, ImportObserver, ImportOptions, ImportStage, ImportSummary, ImportWarning, LogInput, Preset,
    SkippedRows, import, import_from,
};
pub(crate) use import::{byte_size, family_name};
pub(crate) use info::{Rhythm, SkewFit, WorkingSet};
pub use info::{Sizes, TraceInfo, TypeInfo, info};
pub use reader::{Truncation, read};
pub(crate) use reader::{looks_like_trace, read_in, trace_files};
pub(crate) use replay::TraceSource;
pub use shard::{NotAShard, ShardNumber};
pub use writer::TraceWriter;
