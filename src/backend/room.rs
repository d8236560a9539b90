//! Whether there is room for a new column family.
//!
//! RocksDB records a new family first and opens its directory and rewrites its options file afterwards. If one of these
//! fails, for want of space or of descriptors, the family exists and nobody gets hold of it before the next opening. So
//! what they need is tried out before.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// Not a name of RocksDB's, with the extension of its temporary files.
const TRIAL_FILE: &str = "room.dbtmp";
/// The options of one family take six thousand bytes in the options file, which holds those of all families.
const OPTIONS_BYTES: usize = 8 * 1024;
/// The rest of that file, and the record in the manifest.
const OTHER_BYTES: usize = 64 * 1024;
/// Files that RocksDB has open at the same time for this, with one to spare.
const DESCRIPTORS: usize = 4;

/// Fails if one more family cannot be created in a database that has `families` of them.
pub(super) fn for_column_family(database: &Path, families: usize) -> io::Result<()> {
    let path = database.join(TRIAL_FILE);
    let tried = try_out(&path, OPTIONS_BYTES * (families + 1) + OTHER_BYTES);
    match fs::remove_file(&path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => tried.and(Err(cause)),
        _ => tried,
    }
}

fn try_out(path: &Path, bytes: usize) -> io::Result<()> {
    let mut file = File::create(path)?;
    let _held = (1..DESCRIPTORS).map(|_| file.try_clone()).collect::<io::Result<Vec<_>>>()?;
    let zeros = [0; OPTIONS_BYTES];
    let mut left = bytes;
    while left > 0 {
        let piece = left.min(zeros.len());
        file.write_all(&zeros[..piece])?;
        left -= piece;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(TRIAL_FILE), "of a process that was killed").unwrap();
        for_column_family(dir.path(), 100).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_that_cannot_be_written_has_no_room() {
        let dir = tempfile::tempdir().unwrap();
        let error = for_column_family(&dir.path().join("missing"), 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
