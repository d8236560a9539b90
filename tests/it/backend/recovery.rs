//! Reopening after a stop, after a drop without a stop, and with damaged files. For killed processes see `crash.rs`,
//! for damaged logs `wal_damage.rs`.

use std::fs;

use ave_actors_store::{
    Error,
    database::{Collection, DbManager, State},
};
use tempfile::tempdir;

use super::{Database, entries, keys, open, put, try_open};

#[test]
fn all_entries_survive_a_stop_and_a_reopen() {
    let mut db = Database::new();
    put(&mut db.collection("events", "actor"), "01", "event");
    State::put(&mut db.state("states", "actor"), b"state").unwrap();
    db.manager.stop().unwrap();
    let db = db.reopen();
    assert_eq!(entries(&db.collection("events", "actor"), false), [("01".to_owned(), "event".to_owned())]);
    assert_eq!(State::get(&db.state("states", "actor")), Ok(b"state".to_vec()));
}

#[test]
fn all_entries_survive_a_drop_without_a_stop() {
    for durability in [true, false] {
        let dir = tempdir().unwrap();
        let manager = try_open(dir.path(), durability).unwrap();
        let families = ["one", "two", "three"];
        for family in families {
            let mut events = manager.create_collection(family, "actor").unwrap();
            for n in 0..100 {
                put(&mut events, &format!("{n:020}"), family);
            }
        }
        drop(manager);
        let manager = open(dir.path());
        for family in families {
            assert_eq!(
                keys(&manager.create_collection(family, "actor").unwrap()).len(),
                100,
                "durability {durability}"
            );
        }
    }
}

#[test]
fn deletes_and_purges_survive_a_reopen() {
    let db = Database::new();
    let mut deleted = db.collection("events", "deleted");
    let mut purged = db.collection("events", "purged");
    for collection in [&mut deleted, &mut purged] {
        put(collection, "01", "a");
        put(collection, "02", "b");
    }
    Collection::del(&mut deleted, "01").unwrap();
    Collection::purge(&mut purged).unwrap();
    drop((deleted, purged));
    let db = db.reopen();
    assert_eq!(entries(&db.collection("events", "deleted"), false), [("02".to_owned(), "b".to_owned())]);
    assert_eq!(entries(&db.collection("events", "purged"), false), []);
}

#[test]
fn unreadable_log_bytes_counts_the_skipped_part_of_a_damaged_log() {
    let dir = tempdir().unwrap();
    let mut events = open(dir.path()).create_collection("events", "actor").unwrap();
    for n in 0..100 {
        put(&mut events, &format!("{n:020}"), "event");
    }
    drop(events);
    let logs = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let logs = logs.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    let log = logs.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    let undamaged = fs::read(&log).unwrap();
    let mut bytes = undamaged.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&log, bytes).unwrap();

    let damaged = open(dir.path());
    let found = keys(&damaged.create_collection("events", "actor").unwrap()).len();
    assert!((1..100).contains(&found), "{found} events");
    let skipped = damaged.unreadable_log_bytes();
    assert!(skipped > 0 && skipped <= undamaged.len() as u64, "{skipped} bytes");
    let kept = damaged.lost_logs().expect("the writes after the damage are complete");
    assert_eq!(fs::read_dir(kept).unwrap().count(), 1);
    let kept = kept.to_path_buf();
    drop(damaged);
    let reopened = open(dir.path());
    assert_eq!(reopened.unreadable_log_bytes(), 0, "the skipped part is removed");
    assert_eq!(reopened.lost_logs(), Some(kept.as_path()), "a restart does not hide the loss");
    drop(reopened);
    fs::remove_dir_all(&kept).unwrap();
    assert_eq!(open(dir.path()).lost_logs(), None, "accepted");
}

#[test]
fn reads_of_a_damaged_table_fail_instead_of_not_finding_entries() {
    let mut db = Database::new();
    put(&mut db.collection("events", "actor"), "01", "event");
    State::put(&mut db.state("states", "actor"), b"state").unwrap();
    db.manager.stop().unwrap();
    let path = db.manager.path().to_path_buf();
    let files = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
    for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "sst")) {
        // The first block of a file contains its entries.
        let mut bytes = fs::read(&file).unwrap();
        bytes[4] ^= 0xFF;
        fs::write(&file, bytes).unwrap();
    }
    let mut db = db.reopen();
    let mut events = db.collection("events", "actor");
    let failed = |result: Result<(), Error>, expected_key: &str| {
        let Err(Error::Get { key, reason }) = result else { panic!("not a Get error: {result:?}") };
        assert_eq!(key, expected_key);
        assert!(reason.contains("column family"), "{reason}");
    };
    failed(Collection::get(&events, "01").map(drop), "actor.01");
    failed(Collection::del(&mut events, "01"), "actor.01");
    failed(events.last().map(drop), "actor.");
    failed(events.iter(false).map(drop), "actor.");
    failed(events.get_by_range(None, 1).map(drop), "actor.");
    failed(events.get_by_range(Some("01".to_owned()), 1).map(drop), "actor.01");
    failed(State::get(&db.state("states", "actor")).map(drop), "actor");
    assert_eq!(Collection::purge(&mut events), Ok(()), "it reads nothing");
    assert_eq!(db.manager.stop(), Ok(()));
}
