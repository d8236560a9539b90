//! What operators rely on: what operations cost, one memory budget, statistics, checkpoints, and purges beside writers.

use std::{thread, time::Duration};

use ave_actors_rocksdb::RocksDbManager;
use ave_actors_store::{
    Error,
    database::{Collection, DbManager, State},
};
use tempfile::tempdir;

use super::{Database, SMALL, keys, open, put};

/// Bytes that iterators hand out while `work` runs.
fn bytes_iterated<R>(db: &Database, work: impl FnOnce() -> R) -> u64 {
    let before = db.manager.stats().unwrap().iterator_read_bytes;
    work();
    db.manager.stats().unwrap().iterator_read_bytes - before
}

#[test]
fn last_and_ranges_read_what_they_return_however_long_the_log() {
    const ENTRY: u64 = 20 + 100 + 10;
    let db = Database::new();
    let mut log = db.collection("events", "log");
    let mut foreign = db.collection("events", "log.z");
    for n in 0..10_000 {
        Collection::put(&mut log, &format!("{n:020}"), &[0; 100]).unwrap();
        Collection::put(&mut foreign, &format!("{n:020}"), &[0; 100]).unwrap();
    }
    let middle = || Some(format!("{:020}", 5_000));
    // Two more entries than returned: the one a seek lands on, and the foreign run that is stepped over.
    assert!(bytes_iterated(&db, || log.last().unwrap()) <= 3 * ENTRY);
    assert!(bytes_iterated(&db, || log.get_by_range(middle(), 10).unwrap()) <= 13 * ENTRY);
    assert!(bytes_iterated(&db, || log.get_by_range(middle(), -10).unwrap()) <= 13 * ENTRY);
    assert!(bytes_iterated(&db, || log.get_by_range(None, -1).unwrap()) <= 3 * ENTRY);
    assert!(bytes_iterated(&db, || log.get_by_range(Some("absent".to_owned()), 1).unwrap_err()) <= 3 * ENTRY);
}

/// One test for both, because creating the families is what takes the time.
#[test]
fn many_column_families_share_one_memory_budget_and_do_not_flush_on_every_write() {
    const FAMILIES: usize = 200;
    let db = Database::new();
    let tuning = db.manager.tuning().clone();
    let mut collections: Vec<_> = (0..FAMILIES).map(|n| db.collection(&format!("family-{n}"), "actor")).collect();
    for round in 0..5 {
        for collection in &mut collections {
            put(collection, &round.to_string(), "a small event");
        }
    }
    assert_eq!(db.manager.stats().unwrap().flush_written_bytes, 0, "a few kilobytes fit the memtables of any machine");

    let value = vec![7; 4096];
    for round in 0..60 {
        for collection in &mut collections {
            Collection::put(collection, &format!("{round:020}"), &value).unwrap();
        }
        let stats = db.manager.stats().unwrap();
        // A write is let in below the limit and may end above it.
        assert!(stats.memtable_bytes <= tuning.memtable_limit_bytes + 1024 * 1024, "{stats:?}");
        assert!(stats.block_cache_bytes <= tuning.memory_budget_bytes, "{stats:?}");
    }
}

#[test]
fn a_thread_that_writes_while_it_iterates_never_waits_for_itself() {
    let db = Database::new();
    let mut log = db.collection("events", "log");
    let mut copy = db.collection("copies", "log");
    let value = vec![7; 64 * 1024];
    for n in 0..16 {
        Collection::put(&mut log, &n.to_string(), &value).unwrap();
    }
    // The iterator pins the memtable it reads. What is written meanwhile is more than all memtables may take.
    let written: u64 = log
        .iter(false)
        .unwrap()
        .map(|item| {
            let (key, value) = item.unwrap();
            let copies = (0..50).map(|n| Collection::put(&mut copy, &format!("{key}-{n}"), &value).unwrap());
            copies.count() as u64 * value.len() as u64
        })
        .sum();
    assert!(written > db.manager.tuning().memory_budget_bytes);
    assert_eq!(keys(&copy).len(), 16 * 50);
}

#[test]
fn durability_is_one_sync_per_write_and_its_absence_none() {
    for (durability, syncs) in [(true, 10), (false, 0)] {
        let dir = tempdir().unwrap();
        let manager = RocksDbManager::new(&dir.path().to_path_buf(), durability, Some(SMALL)).unwrap();
        let mut events = manager.create_collection("events", "actor").unwrap();
        let before = manager.stats().unwrap().wal_syncs;
        for n in 0..8 {
            put(&mut events, &n.to_string(), "event");
        }
        Collection::del(&mut events, "0").unwrap();
        Collection::purge(&mut events).unwrap();
        assert_eq!(manager.stats().unwrap().wal_syncs - before, syncs, "durability {durability}");
    }
}

#[test]
fn statistics_say_what_happened() {
    let mut db = Database::new();
    let mut events = db.collection("events", "actor");
    let before = db.manager.stats().unwrap();
    assert_eq!(before.memory_budget_bytes, db.manager.tuning().memory_budget_bytes);
    assert_eq!(before.column_families, 2);
    for n in 0..1000 {
        Collection::put(&mut events, &format!("{n:020}"), &[7; 1000]).unwrap();
    }
    let written = db.manager.stats().unwrap();
    assert!(written.user_written_bytes - before.user_written_bytes >= 1_000_000);
    assert!(written.wal_bytes - before.wal_bytes >= 1_000_000);
    assert!(written.memtable_bytes >= 1_000_000);
    db.manager.stop().unwrap();
    let flushed = db.manager.stats().unwrap();
    assert!(flushed.flush_written_bytes > 0);
    assert_eq!(flushed.levels.iter().map(|level| level.bytes).sum::<u64>(), flushed.sst_bytes);
    assert_eq!(flushed.estimated_keys, 1000);
    assert!(flushed.live_data_bytes > 0);
    assert!(flushed.write_amplification().unwrap() > 1.0);
    assert!(!flushed.write_stopped);
    for _ in 0..10 {
        Collection::get(&events, &format!("{:020}", 500)).unwrap();
    }
    let read = db.manager.stats().unwrap();
    assert_eq!(read.point_read_bytes - flushed.point_read_bytes, 10_000);
    assert!(read.block_cache_hits > flushed.block_cache_hits);
    assert!(read.cache_hit_ratio().is_some());
}

#[test]
fn a_checkpoint_is_a_database_of_its_own() {
    let db = Database::new();
    let mut events = db.collection("events", "actor");
    put(&mut events, "01", "before");
    let path = db.beside("checkpoint");
    db.manager.checkpoint(&path).unwrap();
    put(&mut events, "02", "after");

    let copy = open(&path);
    let mut copied = copy.create_collection("events", "actor").unwrap();
    assert_eq!(keys(&copied), ["01"]);
    put(&mut copied, "03", "only in the copy");
    assert_eq!(keys(&events), ["01", "02"]);
}

#[test]
fn a_checkpoint_never_overwrites() {
    let db = Database::new();
    for (target, says) in
        [(db.manager.path().to_path_buf(), "exists already"), (db.beside("missing/copy"), "does not exist")]
    {
        let Err(Error::Store { reason, .. }) = db.manager.checkpoint(&target) else { panic!("overwritten") };
        assert!(reason.contains(target.to_str().unwrap()) && reason.contains(says), "{reason}");
    }
    put(&mut db.collection("events", "actor"), "01", "writes go on");
}

/// What a purge looks at: everything where prefixes may lie inside each other, a few entries where none ever did.
#[test]
fn a_purge_does_not_look_at_a_long_log_unless_another_may_lie_inside_it() {
    let db = Database::new();
    let read_by_a_purge = |db: &Database, family: &str| {
        let mut log = db.collection(family, "log");
        for n in 0..2000 {
            put(&mut log, &format!("{n:020}"), "event");
        }
        let bytes = bytes_iterated(db, || Collection::purge(&mut log).unwrap());
        assert_eq!(keys(&log).len(), 0);
        bytes
    };
    let whole = 2000 * 20;
    assert!(read_by_a_purge(&db, "flat") < whole / 10);
    put(&mut db.collection("nested", "log.inner"), "01", "of the inner log");
    assert!(read_by_a_purge(&db, "nested") >= whole);
    let db = db.reopen();
    assert!(read_by_a_purge(&db, "flat") >= whole, "nobody knows what was in it");
    assert!(read_by_a_purge(&db, "nested") >= whole);
    assert_eq!(keys(&db.collection("nested", "log.inner")), ["01"]);
}

/// Short logs are deleted entry by entry, long ones in ranges around what is not theirs.
#[test]
fn a_purge_spares_what_lies_inside_it_however_long_the_log() {
    let db = Database::new();
    // Nothing is ever written through this handle, but something could be.
    let _idle = db.collection("events", "log.00000000000000001500");
    for events in [10, 600, 3000] {
        let mut log = db.collection("events", "log");
        let mut children = ["log.", "log.00000000000000000005", "log.00000000000000000700", "log.z"]
            .map(|prefix| db.collection("events", prefix));
        let mut neighbours = ["lo", "log-", "log/", "log0"].map(|prefix| db.collection("events", prefix));
        for n in 0..events {
            put(&mut log, &format!("{n:020}"), "event");
        }
        for other in children.iter_mut().chain(&mut neighbours) {
            put(other, "01", "not yours");
        }
        Collection::purge(&mut log).unwrap();
        assert_eq!(keys(&log), Vec::<String>::new(), "{events} events");
        for other in children.iter().chain(&neighbours) {
            assert_eq!(keys(other), ["01"], "{other:?} after {events} events");
        }
    }
}

/// While `a` is filled and purged again and again, others write the first entry of ever new prefixes below it, which no
/// purge can have seen when it began.
#[test]
fn a_purge_never_takes_what_a_longer_prefix_writes_meanwhile() {
    const ROUNDS: usize = 20;
    const CHILDREN: usize = 50;
    let db = Database::new();
    let name = |round, n| format!("a.b{round}-{n}");
    let mut parent = db.collection("events", "a");
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..ROUNDS {
                let mut children: Vec<_> = (0..CHILDREN).map(|n| db.collection("events", &name(round, n))).collect();
                for child in &mut children {
                    put(child, "01", "child");
                    thread::sleep(Duration::from_micros(50));
                }
            }
        });
        while !writer.is_finished() {
            // So many, and on both sides of the children, that they are deleted in ranges.
            for n in 0..1200 {
                put(&mut parent, &format!("{}{n}", if n % 2 == 0 { "a" } else { "c" }), "parent");
            }
            Collection::purge(&mut parent).unwrap();
            assert_eq!(keys(&parent), Vec::<String>::new());
        }
    });
    let names = (0..ROUNDS).flat_map(|round| (0..CHILDREN).map(move |n| name(round, n)));
    let lost = names.filter(|name| keys(&db.collection("events", name)).is_empty());
    assert_eq!(lost.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn handles_work_from_many_threads_at_once() {
    let db = Database::new();
    thread::scope(|scope| {
        for n in 0..8 {
            let db = &db;
            scope.spawn(move || {
                let mut events = db.collection("events", &format!("actor-{n}"));
                let mut state = db.state("states", &format!("actor-{n}"));
                for event in 0..200_u32 {
                    Collection::put(&mut events, &format!("{event:020}"), &event.to_le_bytes()).unwrap();
                    State::put(&mut state, &event.to_le_bytes()).unwrap();
                }
                assert_eq!(events.last().unwrap().unwrap().1, 199_u32.to_le_bytes());
                assert_eq!(State::get(&state).unwrap(), 199_u32.to_le_bytes());
                assert_eq!(keys(&events).len(), 200);
            });
        }
    });
}
