//! Faults of the world around the database. Each ends in an error that says what failed, where, and what to do; nothing
//! panics, nothing that was acknowledged is lost, and once the fault is gone a retry works.

#[cfg(target_os = "linux")]
pub(crate) mod child;
mod damage;
#[cfg(target_os = "linux")]
mod full_disk;
#[cfg(target_os = "linux")]
mod open_files;
#[cfg(target_os = "linux")]
mod permissions;
#[cfg(feature = "export-rocksdb")]
mod strangers;

use std::{fmt::Debug, fs, path::Path, path::PathBuf};

use ave_actors_rocksdb::RocksDbManager;
use ave_actors_store::{
    Error,
    database::{Collection, DbManager},
};

use super::{SMALL, open};

/// The text of a failed read, which names the column family and the key.
fn read_error<T: Debug>(result: Result<T, Error>, family: &str, expected_key: &str) -> String {
    match result {
        Err(Error::Get { key, reason }) => {
            assert_eq!(key, expected_key);
            says(&reason, &[&format!("column family '{family}'")]);
            reason
        }
        other => panic!("not a failed read: {other:?}"),
    }
}

/// The text of a failed write or other operation.
fn store_error<T: Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Store { reason, .. }) => reason,
        other => panic!("not a failed operation: {other:?}"),
    }
}

/// The text of a column family or database that could not be had.
fn creation_error<T>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::CreateStore { reason }) => reason,
        Err(other) => panic!("not a failed creation: {other:?}"),
        Ok(_) => panic!("created"),
    }
}

fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

/// A collection of its own in a new manager, for a look at a database that nobody has open.
fn value(path: &Path, family: &str, key: &str) -> Result<Vec<u8>, Error> {
    let manager = open(path);
    let collection = manager.create_collection(family, "actor")?;
    Collection::get(&collection, key)
}

fn try_open(path: &Path) -> Result<RocksDbManager, Error> {
    RocksDbManager::new(&path.to_path_buf(), false, Some(SMALL))
}

/// The files of a database with this beginning or this end in their names, in order.
fn files(database: &Path, part: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(database).unwrap().map(|entry| entry.unwrap().path());
    let is_meant = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with(part) || name.ends_with(part)
    };
    let mut files: Vec<PathBuf> = paths.filter(is_meant).collect();
    files.sort();
    files
}

/// Bytes that do not compress, different for every `n`.
fn noise(n: usize, length: usize) -> Vec<u8> {
    let mut x = (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        (x >> 24).to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}
