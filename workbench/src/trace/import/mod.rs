//! Turns event logs into a trace.
//!
//! An event log is a CSV file in which a row is an event, one column names the case it belongs to and one the time.
//! A case becomes an actor, a row becomes a `persist` command, and the length of the row (or of a chosen column) is
//! the size of the event. The size of the actors' state is not in the log: it is an option, and noted as an assumption.
//!
//! Separator, columns and form of the times are found from the first rows (`open_log`, `sample`, `survey`, `delimiter`,
//! `columns`, `times`). Then each log is read once, in blocks that all threads parse (`blocks`, `rows`, `parse`, `read`);
//! the events, 16 bytes each, are sorted by time, on disk if there are many (`sort`), and written as commands
//! (`convert`), with `warnings` about what may be wrong. A log in another format is decoded to CSV before all that
//! (`formats`). Nothing here knows databases or terminals.

mod actors;
mod blocks;
mod byte_size;
mod columns;
mod convert;
mod delimiter;
mod formats;
mod input;
mod job;
mod observer;
mod open_log;
mod options;
mod outliers;
mod parse;
mod preset;
mod read;
mod repeated;
mod rows;
mod sample;
mod sort;
mod survey;
mod times;
mod warnings;

pub(crate) use actors::family_name;
pub(crate) use byte_size::byte_size;
pub use convert::{import, import_from};
pub use input::LogInput;
pub use observer::{ImportObserver, ImportStage};
pub use options::{ImportLimits, ImportOptions, ImportSummary, ImportWarning, SkippedRows};
pub use preset::Preset;
