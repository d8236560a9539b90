//! Faults of the environment. Each causes an error that names the operation, the place and a remedy. Nothing panics, no
//! acknowledged write is lost, and a retry succeeds after the fault is gone.

#[cfg(target_os = "linux")]
pub(crate) mod child;
mod damage;
#[cfg(feature = "export-rocksdb")]
mod foreign;
#[cfg(target_os = "linux")]
mod full_disk;
#[cfg(target_os = "linux")]
mod open_files;
#[cfg(target_os = "linux")]
mod permissions;

use std::{fmt::Debug, fs, path::Path, path::PathBuf};

use ave_actors_store::{
    Error,
    database::{Collection, DbManager},
};

use super::{assert_contains, open};

/// The message of a failed read, which names the column family and the key.
fn read_error<T: Debug>(result: Result<T, Error>, family: &str, expected_key: &str) -> String {
    match result {
        Err(Error::Get { key, reason }) => {
            assert_eq!(key, expected_key);
            assert_contains(&reason, &[&format!("column family '{family}'")]);
            reason
        }
        other => panic!("not a Get error: {other:?}"),
    }
}

/// The message of a failed write or other operation.
fn store_error<T: Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Store { reason, .. }) => reason,
        other => panic!("not a Store error: {other:?}"),
    }
}

/// Opens a closed database, and reads one entry.
fn value(path: &Path, family: &str, key: &str) -> Result<Vec<u8>, Error> {
    let manager = open(path);
    let collection = manager.create_collection(family, "actor")?;
    Collection::get(&collection, key)
}

/// The files of a database whose names start or end with `part`, sorted.
fn files(database: &Path, part: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(database).unwrap().map(|entry| entry.unwrap().path());
    let matches = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with(part) || name.ends_with(part)
    };
    let mut files: Vec<PathBuf> = paths.filter(matches).collect();
    files.sort();
    files
}

/// Incompressible bytes, different for every `n`.
pub(crate) fn noise(n: usize, length: usize) -> Vec<u8> {
    let mut x = (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        (x >> 24).to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}
