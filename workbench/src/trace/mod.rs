//! Traces as files: import, fit, information, generation, export, reading.
//!
//! The format and the recorder are the library's, [`ave_actors_rocksdb::trace`]. This module knows commands and
//! workloads below it and nothing of databases or reports.

mod checked;
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
mod place;
mod prefetch;
mod reader;
mod records;
mod replay;
mod writer;

pub use checked::{Trace, TraceBuilder};
pub use command::{TraceActor, TraceCommand};
pub use content::Commands;
pub use error::TraceError;
pub use export::{ExportError, Selection, Table, TableFormat, export};
pub use fit::{Aspect, Fit, fit};
pub use generate::{GenerateLength, GenerateOptions, GenerateSummary, Preload, generate};
pub use import::{
    ImportLimits, ImportObserver, ImportOptions, ImportStage, ImportSummary, LogInput, Unobserved, import, import_from,
};
pub use info::{LiveData, Rhythm, Sizes, SkewFit, TraceInfo, WorkingSet, info};
pub(crate) use place::{beside, put_in_place};
pub use reader::{Truncation, files_of, looks_like_one, read, read_in};
pub use replay::TraceSource;
pub use writer::TraceWriter;
