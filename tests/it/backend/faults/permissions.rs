//! Directories and files that this process may not use, and file systems that nobody may write to.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use tempfile::tempdir;

use super::{
    child::{on_small_disk, without_privileges},
    creation_error, files, says, try_open, value,
};
use crate::backend::existing_database;

fn set_mode(path: &Path, mode: u32) -> u32 {
    let before = fs::metadata(path).unwrap().permissions().mode();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    before
}

/// The database does not open while `path` has this mode, and says so, and opens with all its data afterwards.
fn opens_only_after(database: &Path, path: &Path, mode: u32) {
    let before = set_mode(path, mode);
    let error = creation_error(try_open(database));
    says(&error, &[path.to_str().unwrap(), "Permission denied", "check the owner and the permissions"]);
    assert!(!error.contains("broken") && !error.contains("in use"), "{error}");
    set_mode(path, before);
    assert_eq!(value(database, "events", "01").unwrap(), b"flushed");
    assert_eq!(value(database, "events", "02").unwrap(), b"in the log");
}

#[test]
fn a_directory_that_may_not_be_used_is_named() {
    without_privileges(a_directory_that_may_not_be_used_is_named, || {
        let dir = tempdir().unwrap();
        let path = dir.path().join("above/db");
        existing_database(&path);
        for mode in [0o500, 0o300, 0o000] {
            opens_only_after(&path, &path, mode);
        }
    });
}

#[test]
fn a_directory_in_one_that_may_not_be_entered_is_named() {
    without_privileges(a_directory_in_one_that_may_not_be_entered_is_named, || {
        let dir = tempdir().unwrap();
        let above = dir.path().join("above");
        let path = above.join("db");
        existing_database(&path);
        opens_only_after(&path, &above, 0o600);
    });
}

#[test]
fn a_new_database_where_nothing_may_be_created_is_refused() {
    without_privileges(a_new_database_where_nothing_may_be_created_is_refused, || {
        let dir = tempdir().unwrap();
        let before = set_mode(dir.path(), 0o500);
        for path in [dir.path().to_path_buf(), dir.path().join("below")] {
            let error = creation_error(try_open(&path));
            says(&error, &[path.to_str().unwrap(), "Permission denied", "check the owner and the permissions"]);
        }
        set_mode(dir.path(), before);
        drop(try_open(&dir.path().join("below")).unwrap());
    });
}

#[test]
fn a_file_that_may_not_be_read_or_written_is_named() {
    without_privileges(a_file_that_may_not_be_read_or_written_is_named, || {
        let dir = tempdir().unwrap();
        existing_database(dir.path());
        for (part, mode) in
            [("CURRENT", 0o000), ("MANIFEST-", 0o000), (".log", 0o000), (".sst", 0o000), ("LOCK", 0o400)]
        {
            // Opening writes new files for all that are asked for here.
            let file = files(dir.path(), part).pop().unwrap();
            opens_only_after(dir.path(), &file, mode);
        }
    });
}

#[test]
fn a_read_only_file_system_is_named() {
    on_small_disk(a_read_only_file_system_is_named, 64, |disk| {
        let path = disk.path().join("db");
        existing_database(&path);
        disk.make_read_only();
        for new_or_existing in [path.clone(), disk.path().join("new")] {
            let error = creation_error(try_open(&new_or_existing));
            let place = new_or_existing.to_str().unwrap();
            says(&error, &[place, "Read-only file system", &format!("mount the file system of {place} writable")]);
            assert!(!error.contains("broken") && !error.contains("in use"), "{error}");
        }
        disk.make_writable();
        assert_eq!(value(&path, "events", "02").unwrap(), b"in the log");
        drop(try_open(&disk.path().join("new")).unwrap());
    });
}
