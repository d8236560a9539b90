//! A scrub reads every block, and names the damaged files.

use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use ave_actors_rocksdb::backend::{Progress, Scrub, scrub, unobserved};
use ave_actors_store::{
    Error,
    database::{Collection, DbManager, State},
};

use super::{Database, assert_contains, backups::contents, existing_database, faults::noise, key, open, put};

fn scrubbed(path: &Path) -> Scrub {
    scrub(path, None, unobserved).unwrap()
}

fn damaged(scrub: &Scrub) -> Vec<&PathBuf> {
    scrub.damage.iter().map(|damage| &damage.file).collect()
}

fn with_extension(path: &Path, extension: &str) -> Vec<PathBuf> {
    contents(path).into_keys().filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// Events that overwritten and purged ones are among, and states in blob files. Closed and without logs.
fn populate(path: &Path) {
    let mut manager = open(path);
    for (family, prefix) in [("a_events", "one"), ("a_events", "two"), ("b_events", "one")] {
        let mut events = manager.create_collection(family, prefix).unwrap();
        for n in 0..200 {
            Collection::put(&mut events, &key(n), &noise(n, 300)).unwrap();
        }
        for round in 0..20 {
            Collection::put(&mut events, "overwritten", &noise(round, 300)).unwrap();
        }
    }
    manager.stop().unwrap();
    Collection::purge(&mut manager.create_collection("a_events", "two").unwrap()).unwrap();
    let mut states = manager.create_state("a_states", "one").unwrap();
    State::put(&mut states, &noise(1, 100_000)).unwrap();
    manager.stop().unwrap();
}

#[test]
fn an_undamaged_database_is_clean_and_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    existing_database(dir.path());
    let before = contents(dir.path());
    let result = scrubbed(dir.path());
    assert_eq!((result.damage, result.entries, result.unreadable_log_bytes), (vec![], 2, 0));
    assert_eq!(contents(dir.path()), before);
}

/// Bytes of a table to change: some of its data, many of its index, properties and footer, which are at its end.
fn samples(length: usize) -> impl Iterator<Item = usize> {
    let tail = length.saturating_sub(2000);
    (0..tail).step_by(tail / 30 + 1).chain((tail..length).step_by(25))
}

/// A damaged filter makes lookups slower, not wrong, and RocksDB does not report it.
#[test]
fn a_changed_byte_anywhere_in_a_table_but_in_its_filter_is_found() {
    /// Upper limit for the filter of a few hundred keys.
    const FILTER_BYTES: usize = 800;
    let dir = tempfile::tempdir().unwrap();
    populate(dir.path());
    let tables = with_extension(dir.path(), "sst");
    assert!(tables.len() >= 3);
    for table in tables {
        let original = fs::read(&table).unwrap();
        let mut missed = Vec::new();
        for at in samples(original.len()) {
            flip(&table, at);
            let result = scrubbed(dir.path());
            match damaged(&result).as_slice() {
                [] => missed.push(at),
                // RocksDB does not name the file if its properties are damaged.
                found => assert!(found == [&table] || found == [dir.path()], "byte {at}: {result:?}"),
            }
            fs::write(&table, &original).unwrap();
        }
        if let (Some(first), Some(last)) = (missed.first(), missed.last()) {
            assert!(last - first < FILTER_BYTES, "missed {missed:?} of {} bytes", original.len());
        }
    }
    assert_eq!(scrubbed(dir.path()).damage, []);
}

#[test]
fn a_changed_large_value_is_found() {
    let dir = tempfile::tempdir().unwrap();
    populate(dir.path());
    let blobs = with_extension(dir.path(), "blob");
    assert_eq!(blobs.len(), 1);
    flip(&blobs[0], 50_000);
    assert_eq!(damaged(&scrubbed(dir.path())), [&blobs[0]]);
}

#[test]
fn every_damaged_family_is_found_in_one_scrub() {
    let dir = tempfile::tempdir().unwrap();
    populate(dir.path());
    let blob = &with_extension(dir.path(), "blob")[0];
    let tables = with_extension(dir.path(), "sst");
    // The first table is that of a_events or b_events: each has hundreds of entries.
    let large: Vec<_> = tables.iter().filter(|table| fs::metadata(table).unwrap().len() > 30_000).collect();
    for table in &large {
        flip(table, 1000);
    }
    flip(blob, 50_000);
    let result = scrubbed(dir.path());
    let mut found = damaged(&result);
    found.sort();
    let mut expected: Vec<_> = large.into_iter().chain([blob]).collect();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn missing_and_truncated_files_are_damage() {
    let dir = tempfile::tempdir().unwrap();
    populate(dir.path());
    let table = with_extension(dir.path(), "sst").remove(0);
    let original = fs::read(&table).unwrap();
    fs::write(&table, &original[..original.len() / 2]).unwrap();
    assert_eq!(damaged(&scrubbed(dir.path())), [&table]);
    fs::remove_file(&table).unwrap();
    assert_eq!(damaged(&scrubbed(dir.path())), [&table]);
}

#[test]
fn writes_behind_a_damaged_log_record_are_damage() {
    let dir = tempfile::tempdir().unwrap();
    {
        let manager = open(dir.path());
        let mut events = manager.create_collection("events", "actor").unwrap();
        for n in 0..100 {
            put(&mut events, &key(n), "event");
        }
    }
    let log = with_extension(dir.path(), "log").remove(0);
    flip(&log, fs::read(&log).unwrap().len() / 2);
    let before = contents(dir.path());
    let result = scrubbed(dir.path());
    assert!(result.unreadable_log_bytes > 0);
    assert_contains(&result.damage[0].reason, &["follow a damaged record"]);
    assert_eq!(contents(dir.path()), before);
}

#[test]
fn an_open_database_is_scrubbed_while_it_is_written_to() {
    let db = Database::new();
    let mut events = db.collection("events", "actor");
    for n in 0..1000 {
        Collection::put(&mut events, &key(n), &noise(n, 2000)).unwrap();
    }
    let mut n = 1000;
    let observe = |_| {
        put(&mut events, &key(n), "written meanwhile");
        n += 1;
        ControlFlow::Continue(())
    };
    let result = db.manager.scrub(None, observe).unwrap();
    assert_eq!((result.damage, result.entries), (vec![], 1000));
    assert!(n > 1000);
    assert_eq!(super::files(db.manager.path()).filter(|name| name.starts_with("transient")).count(), 0);

    db.manager.checkpoint(&db.beside("flushed")).unwrap();
    let table = with_extension(db.manager.path(), "sst").remove(0);
    flip(&table, 1000);
    assert_eq!(damaged(&db.manager.scrub(None, unobserved).unwrap()), [&table]);
}

#[test]
fn progress_of_a_scrub_follows_the_entries() {
    let dir = tempfile::tempdir().unwrap();
    let mut manager = open(dir.path());
    let mut events = manager.create_collection("events", "actor").unwrap();
    for n in 0..1000 {
        Collection::put(&mut events, &key(n), &noise(n, 2000)).unwrap();
    }
    manager.stop().unwrap();
    drop((events, manager));
    let mut seen = Vec::new();
    let observe = |progress: Progress| {
        seen.push(progress.done_bytes * 100 / progress.total_bytes);
        ControlFlow::Continue(())
    };
    scrub(dir.path(), None, observe).unwrap();
    // Steps of 256 KiB of 2 MB.
    assert!(seen.len() > 6 && seen.is_sorted() && seen[0] < 20 && seen.last() == Some(&100), "{seen:?}");
}

#[test]
fn an_observer_ends_a_scrub() {
    let dir = tempfile::tempdir().unwrap();
    populate(dir.path());
    match scrub(dir.path(), None, |_| ControlFlow::Break(())) {
        Err(Error::Store { reason, .. }) => assert_contains(&reason, &["interrupted"]),
        other => panic!("{other:?}"),
    }
}
