//! Turns an event log into a trace.
//!
//! An event log is a CSV file in which a row is an event, one column names the case it belongs to and one the time.
//! A case becomes an actor, a row becomes a `persist` command, and the length of the row (or of a chosen column) is
//! the size of the event. The size of the actors' state is not in the log: it is an option, and noted as an assumption.
//!
//! The log is read once, in blocks that all threads parse (`blocks`, `rows`, `parse`); its events, 16 bytes each, are
//! sorted by time, on disk if there are many (`sort`), and written as commands (`convert`). Separator, columns and form
//! of the times are found before, from the first rows (`survey`, `columns`, `times`). Nothing here knows databases or
//! terminals.

mod actors;
mod blocks;
mod columns;
mod convert;
mod input;
mod job;
mod observer;
mod options;
mod parse;
mod read;
mod rows;
mod sort;
mod survey;
mod times;

pub use convert::{import, import_from};
pub use input::LogInput;
pub use observer::{ImportObserver, ImportStage};
pub use options::{ImportLimits, ImportOptions, ImportSummary};
