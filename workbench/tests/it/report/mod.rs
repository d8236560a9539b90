//! The report: schema and directory.

mod directory;
mod schema;
