//! Checks that disk space and file descriptors suffice for a new column family.
//!
//! RocksDB records a new column family in the manifest first, then opens its directory and rewrites the options file.
//! If a later step fails, the family exists but has no handle until the next open. So the resources that these steps
//! need are tried out first.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// No RocksDB file has this name. `.dbtmp` is RocksDB's extension for temporary files.
const PROBE_FILE: &str = "space-check.dbtmp";
/// The options file holds the options of every column family, about 6,000 bytes each.
const OPTIONS_BYTES: usize = 8 * 1024;
/// The other parts of that file, and the record in the manifest.
const OTHER_BYTES: usize = 64 * 1024;
/// Files that RocksDB opens at the same time while it creates a column family, plus one spare.
const DESCRIPTORS: usize = 4;

/// Fails if there is no space or no descriptor for one more column family in a database that has `families`.
pub(super) fn probe_column_family(database: &Path, families: usize) -> io::Result<()> {
    let path = database.join(PROBE_FILE);
    let probed = open_files(&path).and_then(|()| check_space(database, OPTIONS_BYTES * (families + 1) + OTHER_BYTES));
    match fs::remove_file(&path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => probed.and(Err(cause)),
        _ => probed,
    }
}

fn open_files(path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    let _descriptors = (1..DESCRIPTORS).map(|_| file.try_clone()).collect::<io::Result<Vec<_>>>()?;
    file.write_all(&[0])
}

fn check_space(database: &Path, bytes: usize) -> io::Result<()> {
    let file_system = rustix::fs::statvfs(database)?;
    let available = file_system.f_bavail.saturating_mul(file_system.f_frsize);
    if available < bytes as u64 { Err(rustix::io::Errno::NOSPC.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_removes_its_file_and_one_of_a_killed_process() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(PROBE_FILE), "left by a killed process").unwrap();
        probe_column_family(dir.path(), 100).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_probe_fails_where_no_file_can_be_created() {
        let dir = tempfile::tempdir().unwrap();
        let error = probe_column_family(&dir.path().join("missing"), 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
