//! Costs of operations, the memory budget, statistics, checkpoints, and handles in many threads.

use std::{ops::RangeInclusive, thread};

use ave_actors_store::{
    Error,
    database::{Collection, DbManager, State},
};
use tempfile::tempdir;

use super::{Database, assert_contains, bytes_iterated, finishes, key, keys, open, put, try_open};

#[test]
fn last_and_ranges_read_a_constant_number_of_entries_beyond_the_result() {
    /// Key with prefix, and value.
    const ENTRY: u64 = 4 + 20 + 100;
    let db = Database::new();
    let mut log = db.collection("events", "log");
    let mut foreign = db.collection("events", "log.z");
    for n in 0..10_000 {
        Collection::put(&mut log, &key(n), &[0; 100]).unwrap();
        Collection::put(&mut foreign, &key(n), &[0; 100]).unwrap();
    }
    let middle = || Some(key(5_000));
    // Up to two more entries: the start of the range, and one of the foreign run that the cursor skips.
    let returned = |entries: u64| -> RangeInclusive<u64> { entries * ENTRY..=(entries + 2) * (ENTRY + 6) };
    let cases = [
        ("last", bytes_iterated(&db, || log.last().unwrap()), returned(1)),
        ("10 forward", bytes_iterated(&db, || log.get_by_range(middle(), 10).unwrap()), returned(10)),
        ("10 in reverse", bytes_iterated(&db, || log.get_by_range(middle(), -10).unwrap()), returned(10)),
        ("1 from the end", bytes_iterated(&db, || log.get_by_range(None, -1).unwrap()), returned(1)),
        ("absent", bytes_iterated(&db, || log.get_by_range(Some("absent".to_owned()), 1).unwrap_err()), returned(0)),
    ];
    for (case, bytes, expected) in cases {
        assert!(expected.contains(&bytes), "{case}: {bytes} bytes, expected {expected:?}");
    }
}

/// One test for two rules, because the creation of the families takes most of the time.
#[test]
fn many_column_families_share_one_memory_budget_and_small_writes_cause_no_flush() {
    const FAMILIES: usize = 200;
    let db = Database::new();
    let tuning = db.manager.tuning().clone();
    let mut collections: Vec<_> = (0..FAMILIES).map(|n| db.collection(&format!("family-{n}"), "actor")).collect();
    let before = db.manager.stats().unwrap();
    for round in 0..5 {
        for collection in &mut collections {
            put(collection, &round.to_string(), "a small event");
        }
    }
    let small = db.manager.stats().unwrap();
    assert!(small.user_written_bytes > before.user_written_bytes);
    assert_eq!(small.flush_written_bytes, before.flush_written_bytes, "the memtables have space for a few kilobytes");

    let value = vec![7; 4096];
    let written = 60 * FAMILIES * value.len();
    assert!(written as u64 > tuning.memtable_limit_bytes, "enough to reach the limit");
    for round in 0..60 {
        for collection in &mut collections {
            Collection::put(collection, &key(round), &value).unwrap();
        }
        let stats = db.manager.stats().unwrap();
        // A write starts below the limit and may end above it.
        assert!(stats.memtable_bytes <= tuning.memtable_limit_bytes + 1024 * 1024, "{stats:?}");
        assert!(stats.block_cache_bytes <= tuning.memory_budget_bytes, "{stats:?}");
    }
    assert!(db.manager.stats().unwrap().flush_written_bytes > small.flush_written_bytes);
}

#[test]
fn a_thread_that_writes_while_it_iterates_does_not_wait_for_its_own_memory() {
    finishes(|| {
        let db = Database::new();
        let mut log = db.collection("events", "log");
        let mut copy = db.collection("copies", "log");
        let value = vec![7; 64 * 1024];
        for n in 0..16 {
            Collection::put(&mut log, &n.to_string(), &value).unwrap();
        }
        // The iterator pins the memtable that it reads. The writes exceed the limit of all memtables.
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
    });
}

#[test]
fn each_write_syncs_once_with_durability_and_never_without() {
    for (durability, syncs) in [(true, 10), (false, 0)] {
        let dir = tempdir().unwrap();
        let manager = try_open(dir.path(), durability).unwrap();
        let mut events = manager.create_collection("events", "actor").unwrap();
        let before = manager.stats().unwrap();
        for n in 0..8 {
            put(&mut events, &n.to_string(), "event");
        }
        Collection::del(&mut events, "0").unwrap();
        Collection::purge(&mut events).unwrap();
        let after = manager.stats().unwrap();
        assert!(after.wal_bytes > before.wal_bytes, "the counters count");
        assert_eq!(after.wal_syncs - before.wal_syncs, syncs, "durability {durability}");
    }
}

#[test]
fn statistics_count_writes_flushes_and_reads() {
    let mut db = Database::new();
    let mut events = db.collection("events", "actor");
    let before = db.manager.stats().unwrap();
    assert_eq!(before.memory_budget_bytes, db.manager.tuning().memory_budget_bytes);
    assert_eq!(before.column_families, 2);
    for n in 0..1000 {
        Collection::put(&mut events, &key(n), &[7; 1000]).unwrap();
    }
    let written = db.manager.stats().unwrap();
    assert!(written.user_written_bytes - before.user_written_bytes >= 1_000_000);
    assert!(written.wal_bytes - before.wal_bytes >= 1_000_000);
    assert!(written.memtable_bytes >= before.memtable_bytes + 1_000_000);
    db.manager.stop().unwrap();
    let flushed = db.manager.stats().unwrap();
    assert!(flushed.flush_written_bytes > written.flush_written_bytes);
    assert!(flushed.sst_bytes > written.sst_bytes);
    assert_eq!(flushed.levels.iter().map(|level| level.bytes).sum::<u64>(), flushed.sst_bytes);
    assert_eq!(flushed.estimated_keys, 1000);
    assert!(flushed.live_data_bytes > 0);
    assert!(flushed.write_amplification().unwrap() > 1.0);
    assert!(!flushed.write_stopped);
    for _ in 0..10 {
        Collection::get(&events, &key(500)).unwrap();
    }
    let read = db.manager.stats().unwrap();
    assert_eq!(read.point_read_bytes - flushed.point_read_bytes, 10_000);
    assert!(read.block_cache_hits > flushed.block_cache_hits);
    let ratio = read.cache_hit_ratio().unwrap();
    assert!(ratio > 0.0 && ratio <= 1.0, "{ratio}");
}

#[test]
fn a_checkpoint_is_an_independent_database() {
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
fn a_checkpoint_fails_if_its_path_exists_or_its_parent_does_not() {
    let db = Database::new();
    put(&mut db.collection("events", "actor"), "01", "before");
    for (target, reason_part) in
        [(db.manager.path().to_path_buf(), "already exists"), (db.beside("missing/copy"), "does not exist")]
    {
        let Err(Error::Store { reason, .. }) = db.manager.checkpoint(&target) else { panic!("no error") };
        assert_contains(&reason, &[target.to_str().unwrap(), reason_part]);
    }
    put(&mut db.collection("events", "actor"), "02", "after");
    assert_eq!(keys(&db.reopen().collection("events", "actor")), ["01", "02"]);
}

#[test]
fn handles_in_many_threads_read_their_own_writes() {
    let db = Database::new();
    thread::scope(|scope| {
        for n in 0..8 {
            let db = &db;
            scope.spawn(move || {
                let mut events = db.collection("events", &format!("actor-{n}"));
                let mut state = db.state("states", &format!("actor-{n}"));
                for event in 0..200 {
                    Collection::put(&mut events, &key(event), &event.to_le_bytes()).unwrap();
                    State::put(&mut state, &event.to_le_bytes()).unwrap();
                }
                assert_eq!(events.last().unwrap().unwrap().1, 199_usize.to_le_bytes());
                assert_eq!(State::get(&state).unwrap(), 199_usize.to_le_bytes());
                assert_eq!(keys(&events).len(), 200);
            });
        }
    });
}

#[test]
fn a_dropped_column_family_is_gone_and_its_name_can_be_used_again() {
    let db = Database::new();
    for family in ["dropped", "kept"] {
        let mut events = db.collection(family, "actor");
        for n in 0..1000 {
            Collection::put(&mut events, &key(n), &[7; 1000]).unwrap();
        }
    }
    db.manager.compact().unwrap();
    assert_contains(&store_reason(db.manager.drop_column_family("absent")), &["'absent'", "does not exist"]);
    assert_contains(&store_reason(db.manager.drop_column_family("default")), &["'default'"]);
    let handle = db.collection("dropped", "actor");
    assert_contains(&store_reason(db.manager.drop_column_family("dropped")), &["in use", "Drop its handles"]);
    assert_eq!(keys(&handle).len(), 1000, "nothing was dropped");
    drop(handle);

    db.manager.drop_column_family("dropped").unwrap();
    assert_eq!(db.manager.stats().unwrap().column_families, 2);
    let mut again = db.collection("dropped", "actor");
    assert_eq!(keys(&again), [""; 0]);
    put(&mut again, "01", "new");
    assert_eq!(again.get_by_range(None, 10).unwrap(), [b"new"]);
    drop(again);
    db.manager.drop_column_family("dropped").unwrap();

    let db = db.reopen();
    assert_eq!(
        db.manager.column_family_sizes().unwrap().iter().map(|size| &size.name).collect::<Vec<_>>(),
        ["default", "kept"]
    );
    assert_eq!(keys(&db.collection("kept", "actor")).len(), 1000);
}

/// A dropped family does not hold back the flushes of the others.
#[test]
fn writes_continue_after_families_with_full_memtables_are_dropped() {
    finishes(|| {
        let db = Database::new();
        let limit = db.manager.tuning().memtable_limit_bytes;
        for round in 0..6 {
            let name = format!("family-{round}");
            let mut events = db.collection(&name, "actor");
            for n in 0..limit / 4 / 4096 {
                Collection::put(&mut events, &n.to_string(), &[7; 4096]).unwrap();
            }
            drop(events);
            db.manager.drop_column_family(&name).unwrap();
        }
        let mut kept = db.collection("kept", "actor");
        for n in 0..2 * limit / 4096 {
            Collection::put(&mut kept, &n.to_string(), &[7; 4096]).unwrap();
        }
        let stats = db.manager.stats().unwrap();
        assert!(stats.memtable_bytes <= limit + 1024 * 1024, "{stats:?}");
    });
}

fn store_reason(result: Result<(), Error>) -> String {
    match result {
        Err(Error::Store { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}
