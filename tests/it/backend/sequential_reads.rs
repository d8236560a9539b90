//! Reads of single entries in order, as a recovering actor issues them, read ahead. The results must be the same as
//! without it.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use ave_actors_store::{
    Error,
    database::{Collection, DbManager, State},
};

use super::{Database, key, not_found, put};

const KEYS: usize = 40;

fn get(log: &impl Collection, n: usize) -> Result<String, Error> {
    log.get(&key(n)).map(|value| String::from_utf8(value).unwrap())
}

#[test]
fn a_replay_reads_each_block_once() {
    let mut db = Database::new();
    let mut log = db.collection("events", "log");
    for n in 0..KEYS {
        put(&mut log, &key(n), &format!("event {n}"));
    }
    db.manager.stop().unwrap();
    let log = db.collection("events", "log");
    log.last().unwrap();
    let before = db.manager.stats().unwrap();
    for n in 5..KEYS {
        assert_eq!(get(&log, n), Ok(format!("event {n}")));
    }
    let after = db.manager.stats().unwrap();
    let blocks = |stats: &ave_actors_rocksdb::backend::EngineStats| stats.block_cache_hits + stats.block_cache_misses;
    let read = blocks(&after) - blocks(&before);
    assert!((1..=4).contains(&read), "{read} blocks for {} events", KEYS - 5);
}

#[test]
fn a_gap_in_the_log_is_not_found_and_later_entries_are() {
    let db = Database::new();
    let mut log = db.collection("events", "log");
    for n in (0..KEYS).filter(|n| n % 7 != 3) {
        put(&mut log, &key(n), &n.to_string());
    }
    for n in 0..KEYS {
        let expected = if n % 7 == 3 { Err(not_found(&format!("log.{}", key(n)))) } else { Ok(n.to_string()) };
        assert_eq!(get(&log, n), expected);
    }
}

#[test]
fn read_ahead_skips_entries_of_longer_prefixes() {
    let db = Database::new();
    let mut log = db.collection("events", "log");
    for n in 0..KEYS {
        put(&mut log, &key(n), "own");
        put(&mut db.collection("events", &format!("log.{}", key(n))), &key(n), "foreign");
    }
    for n in 0..KEYS {
        assert_eq!(get(&log, n), Ok("own".to_owned()));
    }
}

#[test]
fn the_next_read_returns_the_result_of_any_write() {
    type Write = fn(&Database);
    let ways: [(&str, Write, Result<&str, ()>); 4] = [
        ("put by another handle", |db| put(&mut db.collection("events", "log"), &key(5), "new"), Ok("new")),
        ("del", |db| Collection::del(&mut db.collection("events", "log"), &key(5)).unwrap(), Err(())),
        ("purge", |db| Collection::purge(&mut db.collection("events", "log")).unwrap(), Err(())),
        (
            "put of the state that is the same entry",
            |db| State::put(&mut db.state("events", &format!("log.{}", key(5))), b"new").unwrap(),
            Ok("new"),
        ),
    ];
    for (way, write, expected) in ways {
        let db = Database::new();
        let mut log = db.collection("events", "log");
        for n in 0..KEYS {
            put(&mut log, &key(n), "old");
        }
        for n in 0..5 {
            assert_eq!(get(&log, n), Ok("old".to_owned()));
        }
        write(&db);
        let expected = expected.map(str::to_owned).map_err(|()| not_found(&format!("log.{}", key(5))));
        assert_eq!(get(&log, 5), expected, "{way}");
    }
}

#[test]
fn last_returns_the_last_entry_after_every_write() {
    let db = Database::new();
    let mut log = db.collection("events", "log");
    let other_handle = db.collection("events", "log");
    let last = |log: &dyn Collection| log.last().unwrap().map(|(key, _)| key);
    for n in 0..KEYS {
        assert_eq!(last(&other_handle), n.checked_sub(1).map(key));
        put(&mut log, &key(n), "event");
        assert_eq!(last(&log), Some(key(n)));
    }
    Collection::del(&mut log, &key(KEYS - 1)).unwrap();
    assert_eq!(last(&other_handle), Some(key(KEYS - 2)));
    Collection::purge(&mut log).unwrap();
    assert_eq!(last(&other_handle), None);
}

/// Sets the flag when it is dropped, also by a panic, so that no reader waits for a writer that has failed.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One thread overwrites the log with increasing numbers while others replay it.
#[test]
fn a_read_never_returns_a_value_overwritten_before_it_began() {
    const READERS: usize = 3;
    let db = Database::new();
    let written: Vec<AtomicU64> = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
    let done = AtomicBool::new(false);
    let start = Barrier::new(READERS + 1);
    let mut log = db.collection("events", "log");
    for n in 0..KEYS {
        put(&mut log, &key(n), "0");
    }
    thread::scope(|scope| {
        for reader in 0..READERS {
            let (log, written, done, start) = (db.collection("events", "log"), &written, &done, &start);
            scope.spawn(move || {
                let mut seen = vec![0; KEYS];
                start.wait();
                while !done.load(Ordering::Relaxed) {
                    if reader == 0 {
                        log.last().unwrap();
                    }
                    for n in 0..KEYS {
                        let at_least = written[n].load(Ordering::SeqCst).max(seen[n]);
                        seen[n] = get(&log, n).unwrap().parse().unwrap();
                        assert!(seen[n] >= at_least, "key {n}: {} after {at_least}", seen[n]);
                    }
                }
            });
        }
        start.wait();
        let _done = SetOnDrop(&done);
        for generation in 1..=300 {
            for (n, written) in written.iter().enumerate() {
                put(&mut log, &key(n), &generation.to_string());
                written.store(generation, Ordering::SeqCst);
            }
            // Lets readers start to read ahead.
            thread::yield_now();
        }
    });
}
