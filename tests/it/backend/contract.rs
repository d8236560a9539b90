//! The documented contract of the published crate.

use ave_actors_store::{
    Error,
    database::{Collection, DbManager, State},
};

use super::{Database, entries, keys, not_found, put};

#[test]
fn get_returns_the_value_that_put_wrote() {
    let db = Database::new();
    let mut events = db.collection("events", "actor-1");
    put(&mut events, "01", "created");
    assert_eq!(Collection::get(&events, "01"), Ok(b"created".to_vec()));
}

#[test]
fn put_replaces_an_existing_value() {
    let db = Database::new();
    let mut events = db.collection("events", "actor-1");
    put(&mut events, "01", "first");
    put(&mut events, "01", "second");
    assert_eq!(entries(&events, false), [("01".to_owned(), "second".to_owned())]);
}

#[test]
fn keys_and_values_may_be_empty() {
    let db = Database::new();
    let mut events = db.collection("events", "actor-1");
    put(&mut events, "", "");
    assert_eq!(Collection::get(&events, ""), Ok(Vec::new()));
    assert_eq!(events.last(), Ok(Some((String::new(), Vec::new()))));
}

#[test]
fn values_are_raw_bytes_of_any_size() {
    let db = Database::new();
    let mut events = db.collection("events", "actor-1");
    let value: Vec<u8> = (0..3_000_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    Collection::put(&mut events, "big", &value).unwrap();
    assert!(Collection::get(&events, "big").unwrap() == value, "a value of 3 MB");
}

#[test]
fn not_found_errors_name_the_key_as_the_user_wrote_it() {
    let db = Database::new();
    let mut events = db.collection("events", "actor-1");
    assert_eq!(Collection::get(&events, "01"), Err(not_found("actor-1.01")));
    assert_eq!(Collection::del(&mut events, "01"), Err(not_found("actor-1.01")));
    assert_eq!(Collection::get(&events, "v1.2"), Err(not_found("actor-1.v1.2")), "with its dots");
}

#[test]
fn del_removes_one_entry_once() {
    let db = Database::new();
    let mut events = db.collection("events", "actor-1");
    put(&mut events, "01", "a");
    put(&mut events, "02", "b");
    assert_eq!(Collection::del(&mut events, "01"), Ok(()));
    assert_eq!(Collection::del(&mut events, "01"), Err(not_found("actor-1.01")));
    assert_eq!(keys(&events), ["02"]);
}

#[test]
fn last_is_the_greatest_key_whatever_was_written_last() {
    let db = Database::new();
    let mut events = db.collection("events", "actor-1");
    assert_eq!(events.last(), Ok(None));
    put(&mut events, "02", "b");
    put(&mut events, "01", "a");
    assert_eq!(events.last(), Ok(Some(("02".to_owned(), b"b".to_vec()))));
    Collection::del(&mut events, "02").unwrap();
    assert_eq!(events.last(), Ok(Some(("01".to_owned(), b"a".to_vec()))));
}

#[test]
fn iter_yields_keys_without_the_prefix_in_bytewise_order_both_ways() {
    let db = Database::new();
    let mut events = db.collection("events", "actor-1");
    for key in ["9", "10", "b", "B", "é", ""] {
        put(&mut events, key, key);
    }
    assert_eq!(keys(&events), ["", "10", "9", "B", "b", "é"]);
    let reversed: Vec<_> = entries(&events, true).into_iter().map(|(key, _)| key).collect();
    assert_eq!(reversed, ["é", "b", "B", "9", "10", ""]);
}

#[test]
fn iter_reads_a_snapshot_of_its_creation() {
    let db = Database::new();
    let mut events = db.collection("events", "actor-1");
    put(&mut events, "01", "a");
    let reader = db.collection("events", "actor-1");
    let iter = reader.iter(false).unwrap();
    put(&mut events, "02", "b");
    Collection::del(&mut events, "01").unwrap();
    assert_eq!(iter.map(|item| item.unwrap().0).collect::<Vec<_>>(), ["01"]);
}

#[test]
fn an_exhausted_iterator_stays_exhausted() {
    let db = Database::new();
    let mut events = db.collection("events", "actor-1");
    put(&mut events, "01", "a");
    let mut iter = events.iter(false).unwrap();
    assert!(iter.next().is_some());
    assert!(iter.next().is_none());
    assert!(iter.next().is_none());
}

#[test]
fn purge_deletes_every_entry_and_may_be_repeated() {
    let db = Database::new();
    let mut events = db.collection("events", "actor-1");
    for n in 0..100 {
        put(&mut events, &format!("{n:020}"), "event");
    }
    for _ in 0..2 {
        assert_eq!(Collection::purge(&mut events), Ok(()));
        assert_eq!(keys(&events), Vec::<String>::new());
        assert_eq!(events.last(), Ok(None));
    }
    put(&mut events, "01", "again");
    assert_eq!(keys(&events), ["01"], "a purged collection accepts writes");
}

#[test]
fn a_state_contains_one_value() {
    let db = Database::new();
    let mut state = db.state("snapshots", "actor-1");
    assert_eq!(State::get(&state), Err(not_found("actor-1")));
    State::put(&mut state, b"v1").unwrap();
    State::put(&mut state, b"v2").unwrap();
    assert_eq!(State::get(&state), Ok(b"v2".to_vec()));
    assert_eq!(State::del(&mut state), Ok(()));
    assert_eq!(State::del(&mut state), Err(not_found("actor-1")));
}

#[test]
fn purging_a_state_removes_exactly_that_state() {
    let db = Database::new();
    let mut state = db.state("snapshots", "actor-1");
    let mut longer = db.state("snapshots", "actor-10");
    let mut dotted = db.state("snapshots", "actor-1.child");
    for state in [&mut state, &mut longer, &mut dotted] {
        State::put(state, b"v").unwrap();
    }
    assert_eq!(State::purge(&mut state), Ok(()));
    assert_eq!(State::purge(&mut state), Ok(()), "purging nothing succeeds");
    assert_eq!(State::get(&state), Err(not_found("actor-1")));
    assert_eq!(State::get(&longer), Ok(b"v".to_vec()));
    assert_eq!(State::get(&dotted), Ok(b"v".to_vec()));
}

#[test]
fn name_is_the_column_family() {
    let db = Database::new();
    assert_eq!(Collection::name(&db.collection("events", "actor-1")), "events");
    assert_eq!(State::name(&db.state("snapshots", "actor-1")), "snapshots");
}

#[test]
fn handles_of_one_name_and_prefix_share_their_entries() {
    let db = Database::new();
    let mut writer = db.collection("events", "actor-1");
    let reader = db.manager.clone().create_collection("events", "actor-1").unwrap();
    put(&mut writer, "01", "a");
    assert_eq!(keys(&reader), ["01"]);
}

#[test]
fn equal_prefixes_in_different_column_families_are_independent() {
    let db = Database::new();
    let mut one = db.collection("one", "actor");
    let mut two = db.collection("two", "actor");
    put(&mut one, "01", "one");
    put(&mut two, "02", "two");
    Collection::purge(&mut one).unwrap();
    assert_eq!(keys(&two), ["02"]);
}

#[test]
fn a_column_family_that_cannot_be_created_is_a_create_store_error_that_names_it() {
    let db = Database::new();
    let error = db.manager.create_collection("nul\0byte", "actor").unwrap_err();
    let Error::CreateStore { reason } = error else { panic!("{error:?}") };
    assert!(reason.contains("nul\0byte"), "{reason}");
}

#[test]
fn stop_can_be_repeated_and_handles_work_afterwards() {
    let mut db = Database::new();
    let mut events = db.collection("events", "actor-1");
    put(&mut events, "01", "a");
    assert_eq!(db.manager.stop(), Ok(()));
    assert_eq!(db.manager.stop(), Ok(()));
    put(&mut events, "02", "b");
    assert_eq!(keys(&events), ["01", "02"]);
    assert_eq!(keys(&db.collection("later", "actor-1")), Vec::<String>::new());
    assert_eq!(db.manager.stop(), Ok(()));
}

#[test]
fn stop_flushes_the_memtables_of_all_column_families() {
    let mut db = Database::new();
    for family in ["one", "two", "three"] {
        put(&mut db.collection(family, "actor"), "01", "event");
    }
    let files = |db: &Database| db.manager.stats().unwrap().levels.iter().map(|level| level.files).sum::<u64>();
    assert_eq!(files(&db), 0);
    db.manager.stop().unwrap();
    assert_eq!(files(&db), 3);
}

#[test]
fn the_quick_start_of_the_contract_runs() {
    use ave_actors_rocksdb::RocksDbManager;
    use ave_actors_store::config::{MachineProfile, MachineSpec};

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ave-actors-rocksdb-docs");
    let manager = RocksDbManager::new(&path, true, Some(MachineSpec::Profile(MachineProfile::Medium))).unwrap();

    let mut events = manager.create_collection("events", "actor-1").unwrap();
    Collection::put(&mut events, "00000000000000000001", b"event-1").unwrap();
    assert_eq!(Collection::get(&events, "00000000000000000001").unwrap(), b"event-1");

    let mut state = manager.create_state("snapshots", "actor-1").unwrap();
    State::put(&mut state, b"snapshot-v1").unwrap();
    assert_eq!(State::get(&state).unwrap(), b"snapshot-v1");
}
