//! Conformance tests for any backend of `ave-actors-store`, stricter than the suite of that crate. They run over the
//! store's own `MemoryManager`, which is the reference, and over RocksDB.

use ave_actors_store::{
    database::{Collection, DbManager, State},
    memory::MemoryManager,
};

use super::{Database, entries, keys, not_found, put};

/// Prefixes that a wrong encoding would confuse: common starts, many dots, bytes next to the dot, an empty one,
/// non-ASCII ones, and one longer than any buffer.
fn confusable_prefixes() -> Vec<String> {
    let mut prefixes: Vec<String> = [
        "",
        ".",
        "..",
        "a",
        "a.",
        "a..",
        ".a",
        "a.b",
        "a.b.c",
        "a.b.",
        "a-",
        "a/",
        "a.-",
        "ab",
        "a.bc",
        "b",
        "é",
        "é.日本",
        "a\0",
    ]
    .map(str::to_owned)
    .into();
    prefixes.push("p".repeat(1000));
    prefixes.push(format!("{}.child", "p".repeat(1000)));
    prefixes
}

/// Keys that look like the end of another prefix, or like an encoded dot.
const CONFUSABLE_KEYS: [&str; 12] =
    ["", ".", "k", "b", "b.k", "b.c.k", ".k", "-", "-.", "/", "é", "00000000000000000001"];

fn fill<C: Collection>(collections: &mut [(String, C)]) {
    for (prefix, collection) in collections {
        for key in CONFUSABLE_KEYS {
            put(collection, key, &format!("{prefix}|{key}"));
        }
    }
}

fn collections<C, S>(db: &impl DbManager<C, S>) -> Vec<(String, C)>
where
    C: Collection,
    S: State,
{
    confusable_prefixes()
        .into_iter()
        .map(|prefix| (prefix.clone(), db.create_collection("events", &prefix).unwrap()))
        .collect()
}

/// The entries of a collection after [`fill`].
fn expected(prefix: &str) -> Vec<(String, String)> {
    let mut keys = CONFUSABLE_KEYS;
    keys.sort_unstable();
    keys.map(|key| (key.to_owned(), format!("{prefix}|{key}"))).into()
}

fn collections_see_their_own_entries_in_order_both_ways<C: Collection, S: State>(db: &impl DbManager<C, S>) {
    let mut collections = collections(db);
    fill(&mut collections);
    for (prefix, collection) in &collections {
        let mut expected = expected(prefix);
        assert_eq!(entries(collection, false), expected, "prefix {prefix:?}");
        expected.reverse();
        assert_eq!(entries(collection, true), expected, "prefix {prefix:?} in reverse");
    }
}

fn collections_get_their_own_entries<C: Collection, S: State>(db: &impl DbManager<C, S>) {
    let mut collections = collections(db);
    fill(&mut collections);
    for (prefix, collection) in &collections {
        for key in CONFUSABLE_KEYS {
            assert_eq!(
                collection.get(key),
                Ok(format!("{prefix}|{key}").into_bytes()),
                "prefix {prefix:?} key {key:?}"
            );
        }
    }
}

fn last_is_the_last_of_the_own_entries<C: Collection, S: State>(db: &impl DbManager<C, S>) {
    let mut collections = collections(db);
    for (prefix, collection) in &collections {
        assert_eq!(collection.last(), Ok(None), "prefix {prefix:?}");
    }
    fill(&mut collections);
    for (prefix, collection) in &collections {
        assert_eq!(collection.last(), Ok(Some(("é".to_owned(), format!("{prefix}|é").into_bytes()))));
    }
}

fn a_purge_empties_its_collection_and_no_other<C: Collection, S: State>(db: &impl DbManager<C, S>) {
    let mut collections = collections(db);
    for victim in 0..collections.len() {
        fill(&mut collections);
        collections[victim].1.purge().unwrap();
        for (n, (prefix, collection)) in collections.iter().enumerate() {
            let expected = if n == victim { Vec::new() } else { expected(prefix) };
            assert_eq!(entries(collection, false), expected, "prefix {prefix:?} after a purge of {victim}");
        }
    }
}

fn a_delete_removes_one_entry_of_one_collection<C: Collection, S: State>(db: &impl DbManager<C, S>) {
    let mut collections = collections(db);
    fill(&mut collections);
    for n in 0..collections.len() {
        let (prefix, collection) = &mut collections[n];
        collection.del("b.k").unwrap();
        assert_eq!(collection.del("b.k"), Err(not_found(&format!("{prefix}.b.k"))));
        assert_eq!(entries(collection, false).len(), CONFUSABLE_KEYS.len() - 1);
        for (prefix, untouched) in &collections[n + 1..] {
            assert_eq!(entries(untouched, false), expected(prefix), "prefix {prefix:?}");
        }
    }
}

fn ranges_exclude_from_and_follow_the_sign_of_the_quantity<C: Collection, S: State>(db: &impl DbManager<C, S>) {
    let mut log = db.create_collection("events", "log").unwrap();
    let mut foreign = db.create_collection("events", "log.2").unwrap();
    for n in 1..=5 {
        put(&mut log, &n.to_string(), &n.to_string());
        put(&mut foreign, &n.to_string(), "foreign");
    }
    let range = |from: Option<&str>, quantity| {
        let values = log.get_by_range(from.map(str::to_owned), quantity).unwrap();
        values.into_iter().map(|value| String::from_utf8(value).unwrap()).collect::<Vec<_>>().concat()
    };
    assert_eq!(range(None, 2), "12");
    assert_eq!(range(None, -2), "54");
    assert_eq!(range(None, 0), "");
    assert_eq!(range(None, 99), "12345");
    assert_eq!(range(None, -99), "54321");
    assert_eq!(range(Some("2"), 2), "34", "after `from`, without it");
    assert_eq!(range(Some("2"), -2), "1");
    assert_eq!(range(Some("3"), 0), "");
    assert_eq!(range(Some("5"), 3), "");
    assert_eq!(range(Some("1"), -3), "");
    assert_eq!(range(Some("1"), isize::MAX), "2345");
}

fn a_range_from_an_absent_key_is_not_found<C: Collection, S: State>(db: &impl DbManager<C, S>) {
    let mut log = db.create_collection("events", "log").unwrap();
    let mut foreign = db.create_collection("events", "log.2").unwrap();
    put(&mut log, "1", "1");
    put(&mut log, "3", "3");
    put(&mut foreign, "2", "foreign");
    for quantity in [1, 0, -1, isize::MAX] {
        for from in ["2", "0", "4", "", "2.2", "log.1"] {
            let result = log.get_by_range(Some(from.to_owned()), quantity);
            assert_eq!(result, Err(not_found(from)), "the key alone, as given; quantity {quantity}");
        }
    }
}

fn ranges_of_an_empty_collection_are_empty<C: Collection, S: State>(db: &impl DbManager<C, S>) {
    let log = db.create_collection("events", "log").unwrap();
    assert_eq!(log.get_by_range(None, 10), Ok(Vec::new()));
    assert_eq!(log.get_by_range(None, -10), Ok(Vec::new()));
}

fn states_of_confusable_prefixes_are_independent<C: Collection, S: State>(db: &impl DbManager<C, S>) {
    let prefixes = confusable_prefixes();
    let mut states: Vec<S> = prefixes.iter().map(|prefix| db.create_state("states", prefix).unwrap()).collect();
    for (prefix, state) in prefixes.iter().zip(&mut states) {
        assert_eq!(state.get(), Err(not_found(prefix)));
        state.put(prefix.as_bytes()).unwrap();
    }
    for n in 0..states.len() {
        assert_eq!(states[n].get(), Ok(prefixes[n].clone().into_bytes()));
        if n % 2 == 0 {
            states[n].del().unwrap();
        } else {
            states[n].purge().unwrap();
        }
        assert_eq!(states[n].get(), Err(not_found(&prefixes[n])));
        assert_eq!(states[n].del(), Err(not_found(&prefixes[n])));
        assert_eq!(states[n].purge(), Ok(()), "purging nothing succeeds");
    }
}

fn a_state_and_a_collection_of_one_prefix_are_independent<C: Collection, S: State>(db: &impl DbManager<C, S>) {
    let mut collection = db.create_collection("both", "actor").unwrap();
    let mut state = db.create_state("both", "actor").unwrap();
    put(&mut collection, "k", "event");
    state.put(b"state").unwrap();
    assert_eq!(keys(&collection), ["k"]);
    collection.purge().unwrap();
    assert_eq!(state.get(), Ok(b"state".to_vec()));
    put(&mut collection, "k", "event");
    state.purge().unwrap();
    assert_eq!(keys(&collection), ["k"]);
}

/// Makes each function above a test of each backend.
macro_rules! conformance {
    ($($name:ident),* $(,)?) => {
        mod memory {
            $(#[test] fn $name() { super::$name(&super::MemoryManager::default()); })*
        }
        mod rocksdb {
            $(#[test] fn $name() { super::$name(&super::Database::new().manager); })*
        }
    };
}

conformance! {
    collections_see_their_own_entries_in_order_both_ways,
    collections_get_their_own_entries,
    last_is_the_last_of_the_own_entries,
    a_purge_empties_its_collection_and_no_other,
    a_delete_removes_one_entry_of_one_collection,
    ranges_exclude_from_and_follow_the_sign_of_the_quantity,
    a_range_from_an_absent_key_is_not_found,
    ranges_of_an_empty_collection_are_empty,
    states_of_confusable_prefixes_are_independent,
    a_state_and_a_collection_of_one_prefix_are_independent,
}

/// Only over RocksDB: the trait's default method overflows.
#[test]
fn the_smallest_quantity_returns_all_entries_in_reverse() {
    let db = Database::new();
    let mut log = db.collection("events", "log");
    put(&mut log, "1", "1");
    put(&mut log, "2", "2");
    assert_eq!(log.get_by_range(None, isize::MIN), Ok(vec![b"2".to_vec(), b"1".to_vec()]));
}
