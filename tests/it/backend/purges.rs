//! Purges: which entries they keep, what they cost, and what happens beside them.

use std::{sync::Barrier, thread};

use ave_actors_store::database::Collection;

use super::{Database, bytes_iterated, finishes, key, keys, put, wait_until};

/// Bytes that a purge of `log` with 2,000 events reads.
fn bytes_read_by_a_purge(db: &Database, family: &str) -> u64 {
    let mut log = db.collection(family, "log");
    for n in 0..2000 {
        put(&mut log, &key(n), "event");
    }
    let bytes = bytes_iterated(db, || Collection::purge(&mut log).unwrap());
    assert_eq!(keys(&log).len(), 0);
    bytes
}

/// Far below the 40,000 bytes of the keys of its log.
const REGISTRATIONS: u64 = 100;

#[test]
fn a_purge_reads_no_event_whatever_prefixes_lie_inside_its_own() {
    let db = Database::new();
    put(&mut db.collection("nested", "log.inner"), "01", "of the inner log");
    for db in [&db, &db] {
        assert_eq!(bytes_read_by_a_purge(db, "flat"), 0);
        assert!(bytes_read_by_a_purge(db, "nested") < REGISTRATIONS);
    }
    let db = db.reopen();
    assert_eq!(bytes_read_by_a_purge(&db, "flat"), 0);
    assert!(bytes_read_by_a_purge(&db, "nested") < REGISTRATIONS);
    assert_eq!(keys(&db.collection("nested", "log.inner")), ["01"]);
}

/// The published 0.4.0 registers no nested prefixes. Opening the database directly, as it does, stands for it.
#[cfg(feature = "export-rocksdb")]
mod beside_another_release {
    use std::path::Path;

    use ave_actors_rocksdb::rocksdb::{DB, Options};

    use super::*;
    use crate::backend::open;

    fn write_as_another_release(path: &Path, entries: &[&str]) {
        let options = Options::default();
        let db = DB::open_cf(&options, path, DB::list_cf(&options, path).unwrap()).unwrap();
        for entry in entries {
            db.put_cf(&db.cf_handle("events").unwrap(), entry, "of another release").unwrap();
        }
    }

    #[test]
    fn a_purge_keeps_the_entries_of_nested_prefixes_that_another_release_wrote() {
        let mut db = Database::new();
        put(&mut db.collection("events", "log.registered"), "01", "of this release");
        for (n, prefix) in ["log.a", "log.z.deeper", "log.z", "log."].into_iter().enumerate() {
            let path = db.manager.path().to_path_buf();
            let dir = db.dir;
            drop(db.manager);
            write_as_another_release(&path, &[&format!("log.{}", key(n)), &format!("{prefix}.01")]);
            db = Database { manager: open(&path), dir };
            let mut log = db.collection("events", "log");
            put(&mut log, &key(n + 1), "of this release");
            Collection::purge(&mut log).unwrap();
            assert_eq!(keys(&log).len(), 0);
            for kept in ["log.registered", prefix] {
                assert_eq!(keys(&db.collection("events", kept)), ["01"], "{kept} after {prefix}");
            }
        }
    }

    #[test]
    fn after_one_scan_a_purge_reads_no_event_of_a_database_of_another_release() {
        let db = Database::new();
        db.collection("events", "log");
        let path = db.manager.path().to_path_buf();
        let dir = db.dir;
        drop(db.manager);
        let entries: Vec<_> = (0..3000).map(|n| format!("other-{n:04}.{}", key(n))).collect();
        write_as_another_release(&path, &entries.iter().map(String::as_str).collect::<Vec<_>>());
        write_as_another_release(&path, &["log.inner.01"]);
        let db = Database { manager: open(&path), dir };
        let mut purges = 0;
        wait_until("the scan is complete", || {
            purges += 1;
            bytes_read_by_a_purge(&db, "events") < REGISTRATIONS
        });
        let db = db.reopen();
        assert!(bytes_read_by_a_purge(&db, "events") < REGISTRATIONS, "the scan is not repeated");
        assert_eq!(keys(&db.collection("events", "log.inner")), ["01"]);
        assert_eq!(keys(&db.collection("events", "other-2999")).len(), 1);
    }
}

#[test]
fn purge_keeps_entries_of_longer_prefixes() {
    let db = Database::new();
    // A live handle that writes nothing.
    let _idle = db.collection("events", "log.00000000000000001500");
    for events in [10, 600, 3000] {
        let mut log = db.collection("events", "log");
        let mut children = ["log.", "log.00000000000000000005", "log.00000000000000000700", "log.z"]
            .map(|prefix| db.collection("events", prefix));
        let mut neighbours = ["lo", "log-", "log/", "log0"].map(|prefix| db.collection("events", prefix));
        for n in 0..events {
            put(&mut log, &key(n), "event");
        }
        for other in children.iter_mut().chain(&mut neighbours) {
            put(other, "01", "foreign");
        }
        Collection::purge(&mut log).unwrap();
        assert_eq!(keys(&log), Vec::<String>::new(), "{events} events");
        for other in children.iter().chain(&neighbours) {
            assert_eq!(keys(other), ["01"], "{other:?} after {events} events");
        }
    }
}

/// In each round, one thread purges `a` while another writes the first entries of new prefixes below it, which it
/// must keep. Half of their handles exist before the purge starts, the others are created during it.
#[test]
fn purge_keeps_entries_that_longer_prefixes_write_during_it() {
    const ROUNDS: usize = 50;
    const CHILDREN: usize = 20;
    finishes(|| {
        let db = Database::new();
        let child = |round, n| db.collection("events", &format!("a.b{round}-{n}"));
        let mut parent = db.collection("events", "a");
        let start = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    let mut children: Vec<_> = (0..CHILDREN / 2).map(|n| child(round, n)).collect();
                    start.wait();
                    for child in &mut children {
                        put(child, "01", "child");
                    }
                    for n in CHILDREN / 2..CHILDREN {
                        put(&mut child(round, n), "01", "child");
                    }
                }
            });
            for _ in 0..ROUNDS {
                // On both sides of the children.
                for n in 0..20 {
                    put(&mut parent, &format!("{}{n}", if n % 2 == 0 { "a" } else { "c" }), "parent");
                }
                start.wait();
                Collection::purge(&mut parent).unwrap();
                assert_eq!(keys(&parent), Vec::<String>::new());
            }
        });
        let children = (0..ROUNDS).flat_map(|round| (0..CHILDREN).map(move |n| (round, n)));
        let lost: Vec<_> = children.filter(|&(round, n)| keys(&child(round, n)).is_empty()).collect();
        assert_eq!(lost, []);
    });
}

/// A second handle writes one event after the other while the first purges: the purge takes effect at one moment, so the
/// events after that moment remain, and no other.
#[test]
fn a_purge_beside_a_writer_of_the_same_collection_takes_effect_at_one_moment() {
    const ROUNDS: usize = 50;
    const EVENTS: usize = 200;
    finishes(|| {
        let db = Database::new();
        db.collection("events", "log.00000000000000000100");
        let mut log = db.collection("events", "log");
        let start = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut writer = db.collection("events", "log");
                for _ in 0..ROUNDS {
                    start.wait();
                    for n in 0..EVENTS {
                        put(&mut writer, &key(n), "event");
                    }
                    start.wait();
                }
            });
            for round in 0..ROUNDS {
                start.wait();
                Collection::purge(&mut log).unwrap();
                start.wait();
                let left = keys(&log);
                let first = EVENTS - left.len();
                assert_eq!(left, (first..EVENTS).map(key).collect::<Vec<_>>(), "round {round}");
                Collection::purge(&mut log).unwrap();
            }
        });
    });
}

#[test]
fn reads_after_many_purges_flush_their_range_deletions() {
    let db = Database::new();
    let trigger = db.manager.tuning().range_deletions_trigger;
    let mut log = db.collection("events", "log");
    for _ in 0..2 * trigger {
        Collection::purge(&mut log).unwrap();
    }
    assert_eq!(db.manager.stats().unwrap().sst_bytes, 0, "purges alone flush nothing");
    wait_until("a read flushed them", || {
        assert_eq!(log.last().unwrap(), None);
        put(&mut log, "01", "event");
        Collection::purge(&mut log).unwrap();
        db.manager.stats().unwrap().sst_bytes > 0
    });
}
