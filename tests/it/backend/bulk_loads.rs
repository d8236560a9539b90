//! Bulk loads, with `put` as the oracle.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    thread,
};

use ave_actors_rocksdb::{RocksDbManager, backend::BulkLoad};
use ave_actors_store::{
    Error,
    database::{Collection, DbManager, State},
};
use proptest::{collection::btree_map, prelude::*, sample::select};

use super::{Database, SMALL, assert_contains, entries, files, key, open, open_error, scratch};

const PIECES: [&str; 8] = [".", "a", "b", "-", "/", "1", "é", "\0"];

fn name() -> impl Strategy<Value = String> {
    proptest::collection::vec(select(&PIECES[..]), 0..5).prop_map(|pieces| pieces.concat())
}

/// Loads collection entries by prefix and key into the family `events`.
fn load(manager: &RocksDbManager, entries: &BTreeMap<(String, String), String>) {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_unstable_by_key(|((prefix, key), _)| BulkLoad::sort_key(prefix, key));
    let load = manager.bulk_load(0).unwrap();
    let mut writer = load.writer("events");
    for ((prefix, key), value) in sorted {
        writer.put(prefix, key, value.as_bytes()).unwrap();
    }
    writer.finish().unwrap();
    load.finish().unwrap();
}

fn put_all(manager: &RocksDbManager, entries: &BTreeMap<(String, String), String>) {
    for ((prefix, key), value) in entries {
        let mut collection = manager.create_collection("events", prefix).unwrap();
        Collection::put(&mut collection, key, value.as_bytes()).unwrap();
    }
}

/// What every read path finds of a prefix.
fn found(manager: &RocksDbManager, prefix: &str, keys: &[&String]) -> impl PartialEq + std::fmt::Debug {
    let collection = manager.create_collection("events", prefix).unwrap();
    let gets: Vec<_> = keys.iter().map(|key| Collection::get(&collection, key)).collect();
    let ranges: Vec<_> = keys.iter().map(|key| collection.get_by_range(Some((*key).clone()), 2)).collect();
    (entries(&collection, false), entries(&collection, true), collection.last(), gets, ranges)
}

/// The files of a load of two column families, copied before it was finished.
fn interrupted_load(path: &Path) -> PathBuf {
    let manager = open(path);
    let load = manager.bulk_load(0).unwrap();
    let mut events = load.writer("events");
    events.put("a", "1", b"event of a").unwrap();
    events.put("a.b", "1", b"event of a.b").unwrap();
    events.finish().unwrap();
    let mut states = load.writer("states");
    states.put_state("a", b"state of a").unwrap();
    states.finish().unwrap();
    let directory = path.join(files(path).find(|name| name.starts_with("bulk-load-")).unwrap());
    let saved = path.with_extension("saved");
    fs::create_dir(&saved).unwrap();
    for name in files(&directory) {
        fs::copy(directory.join(&name), saved.join(&name)).unwrap();
    }
    load.finish().unwrap();
    saved
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn a_load_equals_puts_for_every_read_path(
        before in btree_map((name(), name()), "[a-z]{0,3}", 0..6),
        loaded in btree_map((name(), name()), "[a-z]{0,3}", 0..30),
        after in btree_map((name(), name()), "[a-z]{0,3}", 0..6),
        purged in name(),
    ) {
        let dir = scratch();
        let path = |name: &str| dir.path().join(name);
        let [bulk, oracle] = ["bulk", "oracle"].map(|name| open(&path(name)));
        put_all(&bulk, &before);
        put_all(&oracle, &before);
        load(&bulk, &loaded);
        put_all(&oracle, &loaded);
        put_all(&bulk, &after);
        put_all(&oracle, &after);
        let all: Vec<&(String, String)> = before.keys().chain(loaded.keys()).chain(after.keys()).collect();
        let same = |bulk: &RocksDbManager, oracle: &RocksDbManager| {
            all.iter().all(|(prefix, _)| {
                let keys: Vec<&String> = all.iter().map(|(_, key)| key).collect();
                found(bulk, prefix, &keys) == found(oracle, prefix, &keys)
            })
        };
        prop_assert!(same(&bulk, &oracle));
        // Entries of longer prefixes stay.
        for manager in [&bulk, &oracle] {
            Collection::purge(&mut manager.create_collection("events", &purged).unwrap()).unwrap();
        }
        prop_assert!(same(&bulk, &oracle));
        drop((bulk, oracle));
        prop_assert!(same(&open(&path("bulk")), &open(&path("oracle"))), "after reopening");
    }
}

#[test]
fn a_load_is_compacted_and_takes_no_log() {
    let db = Database::new();
    let value = vec![7; 1000];
    let load = db.manager.bulk_load(0).unwrap();
    thread::scope(|scope| {
        for actor in ["a", "b", "c"] {
            let (load, value) = (&load, &value);
            scope.spawn(move || {
                let mut writer = load.writer("events");
                (0..1000).for_each(|n| writer.put(actor, &key(n), value).unwrap());
                writer.finish().unwrap();
            });
        }
    });
    let mut large = load.writer("states");
    large.put_state("large", &vec![1; 100_000]).unwrap();
    large.finish().unwrap();
    assert_eq!(db.manager.stats().unwrap().live_data_bytes, 0, "nothing is there before the end");
    load.finish().unwrap();
    let stats = db.manager.stats().unwrap();
    assert_eq!(stats.wal_bytes, 0);
    assert!(stats.levels.iter().rev().skip(1).all(|level| level.files == 0), "{:?}", stats.levels);
    assert!(stats.blob_bytes > 0, "large values are where a compaction moves them");
    assert_eq!(entries(&db.collection("events", "b"), false).len(), 1000);
    assert_eq!(State::get(&db.state("states", "large")).unwrap().len(), 100_000);
}

#[test]
fn a_handle_that_read_ahead_finds_what_is_loaded() {
    let db = Database::new();
    let mut events = db.collection("events", "a");
    (0..10).for_each(|n| Collection::put(&mut events, &key(n), b"old").unwrap());
    (0..5).for_each(|n| drop(Collection::get(&events, &key(n)).unwrap()));
    assert_eq!(events.last().unwrap().unwrap().1, b"old");
    load(&db.manager, &(5..12).map(|n| (("a".to_owned(), key(n)), "new".to_owned())).collect());
    assert_eq!(Collection::get(&events, &key(5)).unwrap(), b"new");
    assert_eq!(events.last().unwrap(), Some((key(11), b"new".to_vec())));
}

#[test]
fn entries_out_of_order_and_ranges_that_overlap_are_refused() {
    let db = Database::new();
    let load = db.manager.bulk_load(0).unwrap();
    let mut writer = load.writer("events");
    writer.put("b", "1", b"").unwrap();
    for (prefix, key) in [("b", "1"), ("a", "2")] {
        let Err(Error::Store { reason, .. }) = writer.put(prefix, key, b"") else { panic!("accepted") };
        assert_contains(&reason, &["'events'", &format!("{prefix}.{key}"), "sort_key"]);
    }
    writer.put("b", "3", b"").unwrap();
    writer.finish().unwrap();
    let mut other = load.writer("events");
    other.put("b", "2", b"").unwrap();
    other.finish().unwrap();
    let Err(Error::Store { reason, .. }) = load.finish() else { panic!("accepted") };
    assert_contains(&reason, &["b.2"]);
    assert!(entries(&db.collection("events", "b"), false).is_empty());
    assert!(!files(&db.dir.path().join("db")).any(|name| name.starts_with("bulk-load-")));
}

#[test]
fn a_killed_process_leaves_a_load_that_is_completed_or_removed() {
    let dir = tempfile::tempdir().unwrap();
    let saved = interrupted_load(&dir.path().join("whole"));
    let lists: [Option<&str>; 2] = [None, Some("0 6576656e7473\n1 737461746573\n")];
    for (at, list) in lists.into_iter().enumerate() {
        let path = dir.path().join(at.to_string());
        drop(open(&path));
        let load = path.join("bulk-load-0");
        fs::create_dir(&load).unwrap();
        for name in files(&saved) {
            fs::copy(saved.join(&name), load.join(&name)).unwrap();
        }
        if let Some(list) = list {
            fs::write(load.join("COMMITTED"), list).unwrap();
            let reader = RocksDbManager::open_read_only(&path, Some(SMALL)).unwrap_err();
            assert_contains(&reader.to_string(), &["bulk load was interrupted"]);
        }
        let manager = open(&path);
        assert!(!load.exists());
        let events = entries(&manager.create_collection("events", "a").unwrap(), false);
        let state = State::get(&manager.create_state("states", "a").unwrap());
        if list.is_some() {
            assert_eq!(events, [("1".to_owned(), "event of a".to_owned())]);
            assert_eq!(state.unwrap(), b"state of a");
        } else {
            assert!(events.is_empty() && state.is_err());
        }
    }
}

#[test]
fn a_damaged_list_of_files_is_an_error_at_the_opening() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    drop(open(&path));
    fs::create_dir(path.join("bulk-load-0")).unwrap();
    fs::write(path.join("bulk-load-0/COMMITTED"), "0 zz\n").unwrap();
    assert_contains(&open_error(&path), &["0 zz"]);
}
