//! Integration tests: one binary, so that RocksDB is linked once.

#[cfg(feature = "rocksdb")]
mod backend;
#[cfg(feature = "workbench")]
mod report;
mod tidy;
#[cfg(feature = "workbench")]
mod workbench;
