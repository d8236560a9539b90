//! A full disk: writes fail, reads go on, and writes go on by themselves when there is space again.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use ave_actors_rocksdb::{RocksDbManager, RocksDbStore};
use ave_actors_store::{
    Error,
    database::{Collection, DbManager},
};
use tempfile::tempdir;

use super::{
    child::{Disk, on_small_disk},
    creation_error, files, noise, says, store_error, try_open,
};
use crate::backend::{SMALL, copy};

const FAMILIES: [&str; 3] = ["one", "two", "three"];
/// RocksDB looks for space every five seconds.
const DEADLINE: Duration = Duration::from_secs(120);

/// A database that remembers what it has acknowledged.
struct Log {
    manager: RocksDbManager,
    collections: Vec<RocksDbStore>,
    acknowledged: BTreeMap<usize, usize>,
    next: usize,
}

impl Log {
    fn open(path: &Path, durability: bool) -> Self {
        let manager = RocksDbManager::new(&path.to_path_buf(), durability, Some(SMALL)).unwrap();
        let collections = FAMILIES.map(|family| manager.create_collection(family, "actor").unwrap()).into();
        Self { manager, collections, acknowledged: BTreeMap::new(), next: 0 }
    }

    fn write(&mut self, length: usize) -> Result<(), Error> {
        let n = self.next;
        self.collections[n % FAMILIES.len()].put(&format!("{n:020}"), &noise(n, length))?;
        self.acknowledged.insert(n, length);
        self.next += 1;
        Ok(())
    }

    /// Writes until it fails. The error.
    fn write_until_it_fails(&mut self, length: usize) -> Error {
        loop {
            if let Err(error) = self.write(length) {
                return error;
            }
        }
    }

    fn has_all_that_was_acknowledged(&self) {
        let all = |collection: &RocksDbStore| collection.iter(false).unwrap().map(Result::unwrap).collect::<Vec<_>>();
        let found: BTreeMap<String, Vec<u8>> = self.collections.iter().flat_map(all).collect();
        for (&n, &length) in &self.acknowledged {
            let key = format!("{n:020}");
            assert!(found.get(&key) == Some(&noise(n, length)), "{n} was acknowledged");
            assert_eq!(Collection::get(&self.collections[n % FAMILIES.len()], &key).unwrap().len(), length);
        }
    }

    /// Closes the database and opens it again.
    fn reopen(self) -> Self {
        let Self { manager, collections, acknowledged, next } = self;
        let path = manager.path().to_path_buf();
        drop((manager, collections));
        Self { acknowledged, next, ..Self::open(&path, false) }
    }
}

/// Every writer tries again and again, as an application that knows nothing of the disk would.
fn all_writers_get_through(log: &mut Log) {
    thread::scope(|scope| {
        for collection in &mut log.collections {
            scope.spawn(|| {
                let start = Instant::now();
                while let Err(error) = collection.put("written again and again", b"x") {
                    assert!(start.elapsed() < DEADLINE, "writes do not go on: {error}");
                    thread::sleep(Duration::from_millis(1));
                }
            });
        }
    });
}

fn eventually(what: &str, mut happens: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happens() {
        assert!(start.elapsed() < DEADLINE, "it does not happen that {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn fills_up_and_goes_on(disk: &Disk, durability: bool) {
    let path = disk.path().join("db");
    let mut log = Log::open(&path, durability);
    // So that the families have something to write out when they resume.
    for _ in 0..600 {
        log.write(3000).unwrap();
    }
    disk.fill_except(0);

    let error = store_error(Err::<(), _>(log.write_until_it_fails(500)));
    let n = log.next;
    let (family, key) = (FAMILIES[n % 3], format!("put of 'actor.{n:020}'"));
    let place = format!("free space on the file system of {}", path.display());
    says(&error, &[&format!("column family '{family}'"), &key, "No space left on device", &place, "by themselves"]);
    let again = store_error(log.write(500));
    says(&again, &["No space left on device", &place]);
    log.has_all_that_was_acknowledged();

    says(&creation_error(log.manager.create_collection("new", "actor")), &["'new'", "No space left on device", &place]);
    says(&store_error(log.manager.stop()), &["No space left on device", &place]);
    let backup = disk.path().join("backup");
    says(&store_error(log.manager.checkpoint(&backup)), &["No space left on device"]);

    // What a kill would leave behind now.
    let elsewhere = tempdir().unwrap();
    let copied = elsewhere.path().join("copy");
    copy(&path, &copied);
    let after_a_kill = Log { acknowledged: log.acknowledged.clone(), ..Log::open(&copied, durability) };
    after_a_kill.has_all_that_was_acknowledged();

    disk.free();
    all_writers_get_through(&mut log);
    for _ in 0..100 {
        log.write(500).unwrap();
    }
    log.manager.create_collection("new", "actor").unwrap().put("01", b"x").unwrap();
    log.manager.checkpoint(&backup).unwrap();
    assert_eq!(log.manager.stop(), Ok(()));
    log.reopen().has_all_that_was_acknowledged();
}

#[test]
fn writes_with_durability_fail_on_a_full_disk_and_go_on_when_there_is_space() {
    on_small_disk(writes_with_durability_fail_on_a_full_disk_and_go_on_when_there_is_space, 96, |disk| {
        fills_up_and_goes_on(disk, true);
    });
}

#[test]
fn writes_without_durability_fail_on_a_full_disk_and_go_on_when_there_is_space() {
    on_small_disk(writes_without_durability_fail_on_a_full_disk_and_go_on_when_there_is_space, 96, |disk| {
        fills_up_and_goes_on(disk, false);
    });
}

#[test]
fn a_disk_that_fills_up_during_a_flush_stops_writes_until_there_is_space() {
    on_small_disk(a_disk_that_fills_up_during_a_flush_stops_writes_until_there_is_space, 96, |disk| {
        let mut log = Log::open(&disk.path().join("db"), false);
        // Nearly all of what the log has preallocated: closing it must not give back enough for the flush.
        for _ in 0..1450 {
            log.write(3000).unwrap();
        }
        disk.fill_except(0);
        let place = format!("free space on the file system of {}", disk.path().join("db").display());
        let error = store_error(log.manager.stop());
        says(&error, &["column family", "flush of the memtable", ".sst", "No space left on device", &place]);
        says(&store_error(log.write(500)), &["put of 'actor.", "No space left on device", &place]);
        log.has_all_that_was_acknowledged();

        disk.free();
        all_writers_get_through(&mut log);
        assert_eq!(log.manager.stop(), Ok(()));
        log.reopen().has_all_that_was_acknowledged();
    });
}

#[test]
fn a_disk_that_is_too_full_for_a_compaction_still_takes_writes() {
    on_small_disk(a_disk_that_is_too_full_for_a_compaction_still_takes_writes, 96, |disk| {
        let path = disk.path().join("db");
        let mut log = Log::open(&path, false);
        let level_0 = |log: &Log| log.manager.stats().unwrap().levels[0].files;
        let files_to_compact = usize::try_from(log.manager.tuning().level_zero_files).unwrap();
        for file in 0..files_to_compact {
            if file > 0 {
                log.manager.stop().unwrap();
            }
            // Files of one family that overlap, so that none can be moved to the next level as it is.
            for n in 0..180 {
                log.next = FAMILIES.len() * (files_to_compact * n + file);
                log.write(10_000).unwrap();
            }
        }
        // Enough for the last file, which starts a compaction of all, and not for that.
        disk.fill_except(4 * 1024 * 1024);
        log.manager.stop().unwrap();
        eventually("a compaction fails", || {
            files(&path, "LOG").iter().any(|log| fs::read_to_string(log).unwrap().contains("No space left"))
        });
        eventually("what it has written is removed", || disk.free_bytes() > 1024 * 1024);
        log.next = FAMILIES.len() * files_to_compact * 180;
        for _ in 0..10 {
            log.write(100).unwrap();
        }
        assert_eq!(level_0(&log), files_to_compact as u64);
        log.has_all_that_was_acknowledged();

        disk.free();
        eventually("compactions go on", || level_0(&log) < files_to_compact as u64);
        log.reopen().has_all_that_was_acknowledged();
    });
}

/// Either the next log or the next table meets the lack of inodes first, and that decides what helps: RocksDB calls it
/// fatal when it cannot begin a log. The error says which it is.
#[test]
fn a_disk_without_inodes_stops_writes_and_the_error_says_what_makes_them_go_on() {
    on_small_disk(a_disk_without_inodes_stops_writes_and_the_error_says_what_makes_them_go_on, 64, |disk| {
        let mut log = Log::open(&disk.path().join("db"), false);
        disk.fill_with_files();
        let error = store_error(Err::<(), _>(log.write_until_it_fails(20_000)));
        says(&error, &["put of 'actor.", "No space left on device", "inodes"]);
        log.has_all_that_was_acknowledged();
        disk.remove_files();
        if error.contains("by themselves") {
            all_writers_get_through(&mut log);
        } else {
            let hint = ["inodes", "open it again", "nothing that was acknowledged is lost"];
            says(&error, &hint);
            says(&store_error(log.write(100)), &hint);
            log = log.reopen();
        }
        log.has_all_that_was_acknowledged();
        log.write(100).unwrap();
    });
}

#[test]
fn a_database_on_a_full_disk_opens_when_there_is_space() {
    on_small_disk(a_database_on_a_full_disk_opens_when_there_is_space, 64, |disk| {
        let path = disk.path().join("db");
        let mut log = Log::open(&path, false);
        for _ in 0..300 {
            log.write(3000).unwrap();
        }
        let Log { manager, collections, acknowledged, .. } = log;
        drop((manager, collections));
        disk.fill_except(0);
        for new_or_existing in [path.clone(), disk.path().join("new")] {
            let error = creation_error(try_open(&new_or_existing));
            let place = format!("free space on the file system of {}", new_or_existing.display());
            says(&error, &["cannot", "No space left on device", &place]);
        }
        disk.free();
        let log = Log { acknowledged, ..Log::open(&path, false) };
        log.has_all_that_was_acknowledged();
        drop(try_open(&disk.path().join("new")).unwrap());
    });
}
