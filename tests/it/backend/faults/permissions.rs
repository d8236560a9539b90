//! Directories and files without permission, and read-only file systems.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use tempfile::tempdir;

use super::{
    child::{on_small_disk, without_privileges},
    files, store_error, value,
};
use crate::backend::{assert_contains, existing_database, open, open_error};

fn set_mode(path: &Path, mode: u32) -> u32 {
    let before = fs::metadata(path).unwrap().permissions().mode();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    before
}

/// While `path` has this mode, the open fails and names it. Afterwards the database opens with all its data.
fn assert_fails_with_mode(database: &Path, path: &Path, mode: u32) {
    let before = set_mode(path, mode);
    let error = open_error(database);
    assert_contains(&error, &[path.to_str().unwrap(), "Permission denied", "Check the owner and the permissions"]);
    assert!(!error.contains("broken") && !error.contains("in use"), "{error}");
    set_mode(path, before);
    assert_eq!(value(database, "events", "01").unwrap(), b"flushed");
    assert_eq!(value(database, "events", "02").unwrap(), b"in the log");
}

#[test]
fn an_error_names_a_directory_without_permission() {
    without_privileges(an_error_names_a_directory_without_permission, || {
        let dir = tempdir().unwrap();
        let path = dir.path().join("above/db");
        existing_database(&path);
        for mode in [0o500, 0o300, 0o000] {
            assert_fails_with_mode(&path, &path, mode);
        }
    });
}

#[test]
fn an_error_names_a_directory_whose_parent_has_no_permission() {
    without_privileges(an_error_names_a_directory_whose_parent_has_no_permission, || {
        let dir = tempdir().unwrap();
        let above = dir.path().join("above");
        let path = above.join("db");
        existing_database(&path);
        assert_fails_with_mode(&path, &above, 0o600);
    });
}

#[test]
fn a_new_database_fails_in_a_directory_without_write_permission() {
    without_privileges(a_new_database_fails_in_a_directory_without_write_permission, || {
        let dir = tempdir().unwrap();
        let before = set_mode(dir.path(), 0o500);
        for path in [dir.path().to_path_buf(), dir.path().join("below")] {
            let error = open_error(&path);
            assert_contains(
                &error,
                &[path.to_str().unwrap(), "Permission denied", "Check the owner and the permissions"],
            );
        }
        set_mode(dir.path(), before);
        drop(open(&dir.path().join("below")));
    });
}

/// Without a sync of its parent directory, a new directory may not survive a power loss.
#[test]
fn a_new_directory_fails_if_its_parent_cannot_be_synced() {
    without_privileges(a_new_directory_fails_if_its_parent_cannot_be_synced, || {
        let dir = tempdir().unwrap();
        let manager = open(&dir.path().join("db"));
        let parent = dir.path().join("parent");
        fs::create_dir(&parent).unwrap();
        // Files can be created in it, but it cannot be opened.
        let before = set_mode(&parent, 0o300);
        for _ in 0..2 {
            let error = open_error(&parent.join("some/where"));
            assert_contains(&error, &["cannot create the directory", parent.to_str().unwrap(), "Permission denied"]);
        }
        let error = store_error(manager.checkpoint(&parent.join("copy")));
        assert_contains(
            &error,
            &[parent.to_str().unwrap(), "its parent directory cannot be synced", "Permission denied"],
        );
        set_mode(&parent, before);
        assert!(!parent.join("some").exists());
        drop(open(&parent.join("some/where")));
    });
}

#[test]
fn an_error_names_a_file_without_permission() {
    without_privileges(an_error_names_a_file_without_permission, || {
        let dir = tempdir().unwrap();
        existing_database(dir.path());
        for (part, mode) in
            [("CURRENT", 0o000), ("MANIFEST-", 0o000), (".log", 0o000), (".sst", 0o000), ("LOCK", 0o400)]
        {
            // Each open replaces these files, so their names change.
            let file = files(dir.path(), part).pop().unwrap();
            assert_fails_with_mode(dir.path(), &file, mode);
        }
    });
}

#[test]
fn an_error_names_a_read_only_file_system() {
    on_small_disk(an_error_names_a_read_only_file_system, 64, |disk| {
        let path = disk.path().join("db");
        existing_database(&path);
        disk.make_read_only();
        for new_or_existing in [path.clone(), disk.path().join("new")] {
            let error = open_error(&new_or_existing);
            let place = new_or_existing.to_str().unwrap();
            assert_contains(
                &error,
                &[place, "Read-only file system", &format!("Mount the file system of {place} writable")],
            );
            assert!(!error.contains("broken") && !error.contains("in use"), "{error}");
        }
        disk.make_writable();
        assert_eq!(value(&path, "events", "02").unwrap(), b"in the log");
        drop(open(&disk.path().join("new")));
    });
}
