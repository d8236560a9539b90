//! From what RocksDB says to what `ave-actors-store` promises its callers: the only place where one becomes the other.
//!
//! Every error names its place (column family, key or path) and its cause. Nothing is logged here: whoever gets the
//! error decides what to do with it.

use std::{fmt::Display, path::Path};

use ave_actors_store::{Error, StoreOperation};

/// The database, its directory or a column family could not be had.
pub(super) fn create(reason: impl Into<String>) -> Error {
    Error::CreateStore { reason: reason.into() }
}

/// The database in `path` could not be opened.
pub(super) fn open(path: &Path, cause: &rocksdb::Error) -> Error {
    let path = path.display();
    if is_locked(cause) {
        return create(format!(
            "the database at {path} is in use: another process or another manager of this process holds its lock file \
             {path}/LOCK ({cause})"
        ));
    }
    match cause.kind() {
        rocksdb::ErrorKind::Corruption if is_damaged_log(cause) => create(format!(
            "the database at {path} is broken: its write-ahead logs lack writes that later ones were built on, and to \
             open it would leave a hole ({cause}). It is left as it is; restore it from a checkpoint"
        )),
        rocksdb::ErrorKind::Corruption => create(format!("the database at {path} is broken: {cause}")),
        _ => create(format!("cannot open the database at {path}: {cause}")),
    }
}

fn is_locked(cause: &rocksdb::Error) -> bool {
    let text: &str = cause.as_ref();
    text.contains("lock hold by current process") || text.contains("While lock file")
}

/// What RocksDB says when a log is gone, shorter than when it was synced, or damaged although newer data was flushed.
fn is_damaged_log(cause: &rocksdb::Error) -> bool {
    let text: &str = cause.as_ref();
    ["Missing WAL", "Size mismatch: WAL", "beyond the point of corruption"].iter().any(|part| text.contains(part))
}

/// The column families of the database in `path` could not be listed, though it claims to be one.
pub(super) fn list_column_families(path: &Path, cause: &rocksdb::Error) -> Error {
    create(format!(
        "the database at {} is broken, its column families cannot be read: {cause}. It is left as it is; restore it \
         from a checkpoint",
        path.display()
    ))
}

/// A column family could not be created.
pub(super) fn create_column_family(name: &str, cause: impl Display) -> Error {
    create(format!("cannot create column family '{name}': {cause}"))
}

/// A read of one entry failed. Not for absent entries.
pub(super) fn get(column_family: &str, key: String, cause: impl Display) -> Error {
    Error::Get { key, reason: format!("column family '{column_family}': {cause}") }
}

/// A write to, or another operation on, a column family failed.
pub(super) fn operation(operation: StoreOperation, column_family: &str, what: &str, cause: impl Display) -> Error {
    Error::Store { operation, reason: format!("column family '{column_family}', {what}: {cause}") }
}

/// An operation on the database as a whole failed.
pub(super) fn database(operation: StoreOperation, path: &Path, what: &str, cause: impl Display) -> Error {
    Error::Store { operation, reason: format!("{what} the database at {}: {cause}", path.display()) }
}

/// There is no such entry.
pub(super) fn not_found(key: impl Into<String>) -> Error {
    Error::EntryNotFound { key: key.into() }
}
