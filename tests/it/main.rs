//! Integration tests: one binary, so that RocksDB is linked once.

#[cfg(feature = "workbench")]
mod report;
