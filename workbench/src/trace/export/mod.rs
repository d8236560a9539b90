//! Tables of a trace for other tools, and parts of it as traces.
//!
//! `request` says what is exported, `tables` has the rows, `table` the forms of a table, `columns` its form in Parquet.

mod columns;
mod field;
mod request;
mod table;
mod tables;

pub use request::{ExportError, Selection, Table, TableFormat};
pub use tables::export;
