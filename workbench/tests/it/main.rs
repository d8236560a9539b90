//! Integration tests of the workbench: one binary, so that RocksDB is linked once. The folders are those of `src`.

// Helpers are part of the tests: a failure in one is a failure of the test that called it, and so is what it says.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod actor;
mod catalogue;
mod certify;
mod cli;
mod compare;
mod documentation;
mod fleet;
mod history;
mod host;
mod load;
mod plan;
mod process;
mod render;
mod report;
mod support;
mod tidy;
mod trace;
mod workload;
