//! Read-only opening.

use std::fs;

use ave_actors_rocksdb::{
    RocksDbManager,
    backend::{Backups, unobserved},
};
use ave_actors_store::{
    Error,
    database::{Collection, DbManager, State},
};

use super::{
    Database, SMALL, assert_contains, backups::contents, creation_error, entries, existing_database, keys, open, put,
};

fn read_only(path: &std::path::Path) -> RocksDbManager {
    RocksDbManager::open_read_only(path, Some(SMALL)).unwrap()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn it_sees_flushed_and_logged_writes_and_changes_no_file() {
    let dir = tempfile::tempdir().unwrap();
    existing_database(dir.path());
    let before = contents(dir.path());
    {
        let mut manager = read_only(dir.path());
        let events = manager.create_collection("events", "actor").unwrap();
        assert_eq!(entries(&events, false), pairs(&[("01", "flushed"), ("02", "in the log")]));
        assert_eq!(events.last().unwrap().unwrap().0, "02");
        assert_eq!(manager.stats().unwrap().column_families, 2);
        assert_eq!(manager.unreadable_log_bytes(), 0);
        manager.stop().unwrap();
    }
    assert_eq!(contents(dir.path()), before);
}

#[test]
#[cfg(target_os = "linux")]
fn it_needs_no_permission_to_write() {
    use std::os::unix::fs::PermissionsExt;
    super::faults::child::without_privileges(it_needs_no_permission_to_write, || {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        existing_database(&path);
        let set_mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        set_mode(0o500);
        let manager = read_only(&path);
        assert_eq!(keys(&manager.create_collection("events", "actor").unwrap()), ["01", "02"]);
        set_mode(0o700);
    });
}

#[test]
fn every_change_fails_and_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    existing_database(&path);
    let manager = read_only(&path);
    let mut events = manager.create_collection("events", "actor").unwrap();
    let mut state = manager.create_state("events", "state").unwrap();
    let beside = dir.path().join("beside");
    let changes: [(&str, Result<(), Error>); 8] = [
        ("put", Collection::put(&mut events, "03", b"x")),
        ("del", Collection::del(&mut events, "01")),
        ("purge", Collection::purge(&mut events)),
        ("state put", State::put(&mut state, b"x")),
        ("compact", manager.compact()),
        ("checkpoint", manager.checkpoint(&beside)),
        ("backup", manager.backup(&Backups::new(&beside), unobserved).map(drop)),
        ("drop", manager.drop_column_family("events")),
    ];
    for (change, result) in changes {
        assert_contains(&format!("{change}: {}", result.unwrap_err()), &["RocksDbManager::new to change it"]);
    }
    assert!(!beside.exists());
    let missing = creation_error(manager.create_collection("new", "actor"));
    assert_contains(&missing, &["no column family 'new'", "open read-only"]);
    assert_eq!(keys(&events), ["01", "02"]);
}

#[test]
fn it_works_beside_a_writer_and_sees_one_moment() {
    let db = Database::new();
    let mut events = db.collection("events", "actor");
    put(&mut events, "01", "before");
    let reader = read_only(db.manager.path());
    put(&mut events, "02", "after");
    let seen = reader.create_collection("events", "actor").unwrap();
    assert_eq!(keys(&seen), ["01"]);
    assert_eq!(keys(&read_only(db.manager.path()).create_collection("events", "actor").unwrap()), ["01", "02"]);
    put(&mut events, "03", "the writer continues");
}

#[test]
fn it_opens_nothing_but_a_database() {
    let dir = tempfile::tempdir().unwrap();
    let error = |path: &std::path::Path| creation_error(RocksDbManager::open_read_only(path, None));
    assert_contains(&error(dir.path()), &["there is no database"]);
    let absent = dir.path().join("absent");
    assert_contains(&error(&absent), &["absent", "No such file or directory"]);
    assert!(!absent.exists());
    fs::write(dir.path().join("notes.txt"), "x").unwrap();
    assert_contains(&error(dir.path()), &["is not a RocksDB database"]);
}

#[test]
fn it_counts_unreadable_log_bytes_and_leaves_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let manager = open(&path);
    let mut events = manager.create_collection("events", "actor").unwrap();
    for n in 0..100 {
        put(&mut events, &super::key(n), "event");
    }
    drop((events, manager));
    let log = contents(&path).into_keys().find(|path| path.extension().is_some_and(|e| e == "log")).unwrap();
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&log, bytes).unwrap();
    let before = contents(&path);
    for _ in 0..2 {
        let manager = read_only(&path);
        assert!(manager.unreadable_log_bytes() > 0);
        let found = keys(&manager.create_collection("events", "actor").unwrap()).len();
        assert!(0 < found && found < 100, "{found}");
    }
    assert_eq!(contents(&path), before);
}
