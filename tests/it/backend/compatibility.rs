//! A database written by the published 0.4.0 opens, reads back and accepts writes. See `tests/fixtures/README.md`.

use std::{collections::BTreeSet, path::Path};

use ave_actors_store::database::{Collection, DbManager, State};

use super::{Database, copy, entries, keys, not_found, open, put};

/// A copy of the fixture, opened.
fn published() -> Database {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/published-0.4.0");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    copy(&fixture, &path);
    Database { manager: open(&path), dir }
}

/// The events that 0.4.0 wrote for an actor.
fn written(actor: &str, until: u64) -> Vec<(String, String)> {
    let numbers = (0..until).filter(|number| *number != 3);
    numbers.map(|number| (format!("{number:020}"), format!("{actor} event {number}"))).collect()
}

/// Options that determine the format of tables, large values and logs. 0.4.0 was tried with these values: see "Upgrading
/// from 0.4.0" in docs/operating.md. If this test fails, try a downgrade again.
#[test]
fn files_have_the_formats_that_the_published_release_was_tried_with() {
    const TRIED: [&str; 13] = [
        "rocksdb_version=11.8.1",
        "format_version=7",
        "checksum=kXXH3",
        "comparator=leveldb.BytewiseComparator",
        "compression=kLZ4Compression",
        "bottommost_compression=kZSTD",
        "blob_compression_type=kLZ4Compression",
        "filter_policy=bloomfilter",
        "index_type=kBinarySearch",
        "data_block_index_type=kDataBlockBinarySearch",
        "separate_key_value_in_data_block=false",
        "merge_operator=nullptr",
        "wal_compression=kNoCompression",
    ];
    let database = Database::new();
    database.collection("events", "actor");
    let path = database.manager.path();
    let options = super::files(path).filter(|name| name.starts_with("OPTIONS-")).max().unwrap();
    let text = std::fs::read_to_string(path.join(options)).unwrap();
    for tried in TRIED {
        let name = tried.split_inclusive('=').next().unwrap();
        let values: BTreeSet<&str> = text.lines().map(str::trim).filter(|line| line.starts_with(name)).collect();
        assert_eq!(values, BTreeSet::from([tried]));
    }
}

fn state(database: &Database, actor: &str) -> String {
    String::from_utf8(State::get(&database.state("ledger_states", actor)).unwrap()).unwrap()
}

#[test]
fn tables_and_log_of_the_published_release_read_back() {
    let database = published();
    for (actor, until) in [("alpha", 25), ("beta", 20), ("a.b", 20)] {
        let events = database.collection("ledger_events", actor);
        assert_eq!(entries(&events, false), written(actor, until));
        assert_eq!(events.last().unwrap().unwrap().0, format!("{:020}", until - 1));
    }
    assert_eq!(state(&database, "alpha"), "alpha state, newer");
    assert_eq!(state(&database, "beta"), "beta state");
    assert_eq!(state(&database, "a.b"), "a.b state");
}

#[test]
fn deletions_and_purges_of_the_published_release_persist() {
    let database = published();
    let deleted = format!("{:020}", 3);
    let events = database.collection("ledger_events", "beta");
    assert_eq!(Collection::get(&events, &deleted), Err(not_found(&format!("beta.{deleted}"))));
    assert!(keys(&database.collection("ledger_events", "gamma")).is_empty());
}

#[test]
fn a_database_of_the_published_release_accepts_writes_and_purges() {
    let database = published();
    put(&mut database.collection("ledger_events", "alpha"), &format!("{:020}", 25), "alpha event 25");
    Collection::purge(&mut database.collection("ledger_events", "beta")).unwrap();
    database.manager.clone().stop().unwrap();

    let database = database.reopen();
    assert_eq!(entries(&database.collection("ledger_events", "alpha"), false), written("alpha", 26));
    assert!(keys(&database.collection("ledger_events", "beta")).is_empty());
    assert_eq!(entries(&database.collection("ledger_events", "a.b"), false), written("a.b", 20));
}
