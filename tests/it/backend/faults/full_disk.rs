//! A full disk: writes fail, reads succeed, and writes resume automatically when there is space again.

use std::{collections::BTreeMap, fs, path::Path, thread};

use ave_actors_rocksdb::{RocksDbManager, RocksDbStore};
use ave_actors_store::{
    Error,
    database::{Collection, DbManager},
};
use tempfile::tempdir;

use super::{
    child::{Disk, on_small_disk},
    files, noise, store_error,
};
use crate::backend::{assert_contains, copy, creation_error, key, open, open_error, try_open, wait_until};

const FAMILIES: [&str; 3] = ["one", "two", "three"];

/// A database, and the numbers and lengths of its acknowledged writes.
struct Log {
    manager: RocksDbManager,
    collections: Vec<RocksDbStore>,
    acknowledged: BTreeMap<usize, usize>,
    next: usize,
}

impl Log {
    fn open(path: &Path, durability: bool) -> Self {
        let manager = try_open(path, durability).unwrap();
        let collections = FAMILIES.map(|family| manager.create_collection(family, "actor").unwrap()).into();
        Self { manager, collections, acknowledged: BTreeMap::new(), next: 0 }
    }

    fn write(&mut self, length: usize) -> Result<(), Error> {
        let n = self.next;
        self.collections[n % FAMILIES.len()].put(&key(n), &noise(n, length))?;
        self.acknowledged.insert(n, length);
        self.next += 1;
        Ok(())
    }

    /// Writes until a write fails, and returns the error. `length` must fill the disk within 100,000 writes.
    fn write_until_it_fails(&mut self, length: usize) -> Error {
        (0..100_000).find_map(|_| self.write(length).err()).expect("the disk is full")
    }

    fn assert_all_acknowledged(&self) {
        let all = |collection: &RocksDbStore| collection.iter(false).unwrap().map(Result::unwrap).collect::<Vec<_>>();
        let found: BTreeMap<String, Vec<u8>> = self.collections.iter().flat_map(all).collect();
        for (&n, &length) in &self.acknowledged {
            let key = key(n);
            assert!(found.get(&key) == Some(&noise(n, length)), "write {n} was acknowledged");
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

/// All writers retry until they succeed, as an application without knowledge of the disk does.
fn all_writers_resume(log: &mut Log) {
    thread::scope(|scope| {
        for collection in &mut log.collections {
            scope.spawn(|| wait_until("writes resume", || collection.put("retried", b"x").is_ok()));
        }
    });
}

/// Opens a copy of the files that a killed process would leave now.
fn assert_all_acknowledged_after_a_kill(log: &Log, durability: bool) {
    let dir = tempdir().unwrap();
    let copied = dir.path().join("copy");
    copy(log.manager.path(), &copied);
    let after_a_kill = Log { acknowledged: log.acknowledged.clone(), ..Log::open(&copied, durability) };
    after_a_kill.assert_all_acknowledged();
    assert_eq!(after_a_kill.manager.lost_logs(), None);
}

fn writes_fail_and_resume(disk: &Disk, durability: bool) {
    let path = disk.path().join("db");
    let mut log = Log::open(&path, durability);
    // Memtables with data, which RocksDB flushes when it resumes.
    for _ in 0..600 {
        log.write(3000).unwrap();
    }
    disk.fill_except(0);

    let error = store_error(Err::<(), _>(log.write_until_it_fails(500)));
    let n = log.next;
    let (family, operation) = (FAMILIES[n % 3], format!("put of 'actor.{}'", key(n)));
    let place = format!("Free space on the file system of {}", path.display());
    assert_contains(
        &error,
        &[&format!("column family '{family}'"), &operation, "No space left on device", &place, "automatically"],
    );
    let again = store_error(log.write(500));
    assert_contains(&again, &["No space left on device", &place]);
    log.assert_all_acknowledged();

    assert_contains(
        &creation_error(log.manager.create_collection("new", "actor")),
        &["'new'", "No space left on device", &place],
    );
    assert_contains(&store_error(log.manager.stop()), &["No space left on device", &place]);
    let backup = disk.path().join("backup");
    assert_contains(&store_error(log.manager.checkpoint(&backup)), &["No space left on device"]);

    assert_all_acknowledged_after_a_kill(&log, durability);

    disk.free();
    all_writers_resume(&mut log);
    for _ in 0..100 {
        log.write(500).unwrap();
    }
    // The failed writes left a gap in the sequence numbers.
    assert_all_acknowledged_after_a_kill(&log, durability);
    log.manager.create_collection("new", "actor").unwrap().put("01", b"x").unwrap();
    log.manager.checkpoint(&backup).unwrap();
    assert_eq!(log.manager.stop(), Ok(()));
    log.reopen().assert_all_acknowledged();
}

#[test]
fn writes_with_durability_fail_on_a_full_disk_and_resume_with_space() {
    on_small_disk(writes_with_durability_fail_on_a_full_disk_and_resume_with_space, 96, |disk| {
        writes_fail_and_resume(disk, true);
    });
}

#[test]
fn writes_without_durability_fail_on_a_full_disk_and_resume_with_space() {
    on_small_disk(writes_without_durability_fail_on_a_full_disk_and_resume_with_space, 96, |disk| {
        writes_fail_and_resume(disk, false);
    });
}

#[test]
fn writes_fail_after_a_flush_to_a_full_disk_and_resume_with_space() {
    on_small_disk(writes_fail_after_a_flush_to_a_full_disk_and_resume_with_space, 96, |disk| {
        let mut log = Log::open(&disk.path().join("db"), false);
        // Almost fills the preallocated log: closing it must not free enough space for the flush.
        for _ in 0..1450 {
            log.write(3000).unwrap();
        }
        disk.fill_except(0);
        let place = format!("Free space on the file system of {}", disk.path().join("db").display());
        let error = store_error(log.manager.stop());
        assert_contains(&error, &["column family", "flush of the memtable", ".sst", "No space left on device", &place]);
        assert_contains(&store_error(log.write(500)), &["put of 'actor.", "No space left on device", &place]);
        log.assert_all_acknowledged();

        disk.free();
        all_writers_resume(&mut log);
        assert_eq!(log.manager.stop(), Ok(()));
        log.reopen().assert_all_acknowledged();
    });
}

#[test]
fn writes_succeed_on_a_disk_too_full_for_a_compaction() {
    on_small_disk(writes_succeed_on_a_disk_too_full_for_a_compaction, 96, |disk| {
        let path = disk.path().join("db");
        let mut log = Log::open(&path, false);
        let level_0 = |log: &Log| log.manager.stats().unwrap().levels[0].files;
        let files_to_compact = usize::try_from(log.manager.tuning().level_zero_files).unwrap();
        for file in 0..files_to_compact {
            if file > 0 {
                log.manager.stop().unwrap();
            }
            // Overlapping files of one family, so that none can move to the next level without a rewrite.
            for n in 0..180 {
                log.next = FAMILIES.len() * (files_to_compact * n + file);
                log.write(10_000).unwrap();
            }
        }
        // Space for the last file, which triggers a compaction, but not for the compaction.
        disk.fill_except(4 * 1024 * 1024);
        log.manager.stop().unwrap();
        wait_until("a compaction fails", || {
            files(&path, "LOG").iter().any(|log| fs::read_to_string(log).unwrap().contains("No space left"))
        });
        wait_until("its output is removed", || disk.free_bytes() > 1024 * 1024);
        log.next = FAMILIES.len() * files_to_compact * 180;
        for _ in 0..10 {
            log.write(100).unwrap();
        }
        assert_eq!(level_0(&log), files_to_compact as u64);
        log.assert_all_acknowledged();

        disk.free();
        wait_until("compactions resume", || level_0(&log) < files_to_compact as u64);
        log.reopen().assert_all_acknowledged();
    });
}

/// Either the next log or the next table needs an inode first. For RocksDB the failure to create a log is fatal, so the
/// error must name the remedy for that case.
#[test]
fn writes_fail_without_inodes_and_resume_as_the_error_says() {
    on_small_disk(writes_fail_without_inodes_and_resume_as_the_error_says, 64, |disk| {
        let mut log = Log::open(&disk.path().join("db"), false);
        disk.fill_with_files();
        let error = store_error(Err::<(), _>(log.write_until_it_fails(20_000)));
        assert_contains(&error, &["put of 'actor.", "No space left on device", "inodes"]);
        log.assert_all_acknowledged();
        disk.remove_files();
        if error.contains("automatically") {
            all_writers_resume(&mut log);
        } else {
            let remedy = ["inodes", "open it again", "No acknowledged write is lost"];
            assert_contains(&error, &remedy);
            assert_contains(&store_error(log.write(100)), &remedy);
            log = log.reopen();
        }
        log.assert_all_acknowledged();
        log.write(100).unwrap();
    });
}

#[test]
fn an_open_fails_on_a_full_disk_and_succeeds_with_space() {
    on_small_disk(an_open_fails_on_a_full_disk_and_succeeds_with_space, 64, |disk| {
        let path = disk.path().join("db");
        let mut log = Log::open(&path, false);
        for _ in 0..300 {
            log.write(3000).unwrap();
        }
        let Log { manager, collections, acknowledged, .. } = log;
        drop((manager, collections));
        disk.fill_except(0);
        for new_or_existing in [path.clone(), disk.path().join("new")] {
            let error = open_error(&new_or_existing);
            let place = format!("Free space on the file system of {}", new_or_existing.display());
            assert_contains(&error, &["cannot", "No space left on device", &place]);
        }
        disk.free();
        let log = Log { acknowledged, ..Log::open(&path, false) };
        log.assert_all_acknowledged();
        drop(open(&disk.path().join("new")));
    });
}
