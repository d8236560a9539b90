//! Integration tests of the library: one binary, so that RocksDB is linked once.

#[cfg(feature = "rocksdb")]
mod backend;
