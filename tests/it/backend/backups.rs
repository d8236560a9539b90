//! Backups beside writers: incremental, verified, kept and deleted as asked, restored whole or not at all.

use std::{
    collections::BTreeMap,
    env, fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use ave_actors_rocksdb::{
    RocksDbManager,
    backend::{Backup, Backups, Progress, scrub, unobserved},
};
use ave_actors_store::{
    Error,
    database::{Collection, DbManager},
};

use super::{
    Database, assert_contains, entries, existing_database, faults::noise, key, keys, open, open_error, put, try_open,
};

fn backups(db: &Database) -> Backups {
    Backups::new(db.beside("backups"))
}

fn back_up(db: &Database, backups: &Backups) -> Backup {
    db.manager.backup(backups, unobserved).unwrap()
}

fn reason<T>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Store { reason, .. }) => reason,
        Err(other) => panic!("not a Store error: {other:?}"),
        Ok(_) => panic!("no error"),
    }
}

fn interrupt(_: Progress) -> ControlFlow<()> {
    ControlFlow::Break(())
}

fn ids(backups: &Backups) -> Vec<u64> {
    backups.list().unwrap().into_iter().map(|backup| backup.id).collect()
}

/// Names and contents of all files below a directory.
pub(crate) fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(contents(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files
}

/// The events of a restored database.
fn restored_keys(path: &Path) -> Vec<String> {
    keys(&open(path).create_collection("events", "actor").unwrap())
}

/// Writes enough events for files of their own, and returns their number.
fn write(db: &Database, first: usize) -> usize {
    let mut events = db.collection("events", "actor");
    for n in first..first + 100 {
        put(&mut events, &key(n), &format!("event {n}"));
    }
    first + 100
}

#[test]
fn a_backup_restores_what_was_acknowledged_before_it() {
    for durability in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let manager = try_open(&dir.path().join("db"), durability).unwrap();
        let mut events = manager.create_collection("events", "actor").unwrap();
        for n in 0..100 {
            put(&mut events, &key(n), "acknowledged");
        }
        let backups = Backups::new(dir.path().join("backups"));
        let backup = manager.backup(&backups, unobserved).unwrap();
        put(&mut events, "later", "not in the backup");

        let restored = dir.path().join("restored");
        assert_eq!(backups.restore(None, &restored, unobserved).unwrap(), backup);
        assert_eq!(restored_keys(&restored), (0..100).map(key).collect::<Vec<_>>());
    }
}

#[test]
fn a_second_backup_copies_only_what_is_new_and_each_restores_its_own_state() {
    let db = Database::new();
    let backups = backups(&db);
    let mut events = db.collection("events", "actor");
    for n in 0..100 {
        events.put(&key(n), &noise(n, 10_000)).unwrap();
    }
    let first = back_up(&db, &backups);
    assert_eq!(first.copied_bytes, first.bytes, "everything is new");
    assert!(first.bytes > 1_000_000);
    put(&mut events, &key(100), "one more");
    let second = back_up(&db, &backups);
    assert_eq!((first.id, second.id), (1, 2));
    assert!(second.copied_bytes < 100_000, "{second:?}");
    assert!(second.bytes > first.bytes);

    for (backup, expected) in [(first, 100), (second, 101)] {
        let restored = db.beside(&format!("restored-{}", backup.id));
        backups.restore(Some(backup.id), &restored, unobserved).unwrap();
        assert_eq!(restored_keys(&restored).len(), expected);
    }
}

#[test]
fn a_backup_is_consistent_while_writers_continue() {
    let db = Database::new();
    let backups = backups(&db).keep(2);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for writer in ["a", "b"] {
            let (db, stop) = (&db, &stop);
            scope.spawn(move || {
                let mut events = db.collection(&format!("{writer}_events"), "actor");
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) {
                    put(&mut events, &key(n), "event");
                    n += 1;
                }
            });
        }
        for _ in 0..5 {
            back_up(&db, &backups);
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(ids(&backups), [4, 5]);
    assert_eq!(backups.verify(None, unobserved).unwrap(), []);
    let restored = db.beside("restored");
    backups.restore(None, &restored, unobserved).unwrap();
    assert_eq!(scrub(&restored, None, unobserved).unwrap().damage, []);
    let manager = open(&restored);
    for writer in ["a", "b"] {
        let found = keys(&manager.create_collection(&format!("{writer}_events"), "actor").unwrap());
        assert!(!found.is_empty());
        assert_eq!(found, (0..found.len()).map(key).collect::<Vec<_>>(), "no event is missing");
    }
}

#[test]
fn only_the_latest_backups_are_kept_and_shared_files_survive() {
    let db = Database::new();
    let backups = backups(&db).keep(2);
    let mut next = 0;
    for _ in 0..4 {
        next = write(&db, next);
        back_up(&db, &backups);
    }
    assert_eq!(ids(&backups), [3, 4]);
    assert_eq!(backups.verify(None, unobserved).unwrap(), []);
    let restored = db.beside("restored");
    backups.restore(Some(3), &restored, unobserved).unwrap();
    assert_eq!(restored_keys(&restored).len(), 300);
}

#[test]
fn a_failed_backup_leaves_all_earlier_ones_and_the_next_succeeds() {
    let db = Database::new();
    let backups = backups(&db).keep(1);
    write(&db, 0);
    back_up(&db, &backups);
    let before = contents(backups.path());
    write(&db, 100);
    assert_contains(&reason(db.manager.backup(&backups, interrupt)), &["interrupted", "Earlier backups are unchanged"]);
    assert_eq!(contents(backups.path()), before);

    // What a process leaves that was killed while it wrote the second backup and deleted the first.
    fs::create_dir(backups.path().join("000002.tmp")).unwrap();
    fs::write(backups.path().join("000002.tmp/000009.sst"), "half").unwrap();
    assert_eq!(ids(&backups), [1]);
    assert_eq!(back_up(&db, &backups).id, 2);
    assert_eq!(ids(&backups), [2]);
    assert!(!backups.path().join("000002.tmp").exists());
    assert_eq!(backups.verify(None, unobserved).unwrap(), []);
}

#[test]
fn the_copied_files_of_the_database_are_released() {
    let db = Database::new();
    write(&db, 0);
    back_up(&db, &backups(&db));
    drop(db.manager.backup(&backups(&db), interrupt));
    let checkpoints = || super::files(db.manager.path()).filter(|name| name.starts_with("transient")).count();
    assert_eq!(checkpoints(), 0);

    // What a killed process leaves.
    fs::create_dir(db.manager.path().join("transient-checkpoint-7")).unwrap();
    fs::write(db.manager.path().join("transient-checkpoint-7/000009.sst"), "linked").unwrap();
    let db = db.reopen();
    assert_eq!(super::files(db.manager.path()).filter(|name| name.starts_with("transient")).count(), 0);
}

#[test]
fn backups_go_to_a_new_an_empty_or_their_own_directory_only() {
    let db = Database::new();
    let foreign = db.beside("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("notes.txt"), "mine").unwrap();
    let before = contents(&foreign);
    let refused = reason(db.manager.backup(&Backups::new(&foreign), unobserved));
    assert_contains(&refused, &["no directory of backups", "notes.txt", "new or empty directory"]);
    assert_eq!(contents(&foreign), before);
    assert_contains(&reason(Backups::new(&foreign).list()), &["no directory of backups"]);
    assert!(Backups::new(db.beside("absent")).list().is_err());

    let empty = db.beside("empty/below");
    fs::create_dir_all(&empty).unwrap();
    back_up(&db, &Backups::new(&empty));
    let other = Database::new();
    assert_contains(&reason(other.manager.backup(&Backups::new(&empty), unobserved)), &["another database"]);
    assert_eq!(ids(&Backups::new(&empty)), [1]);
}

#[test]
fn a_restored_database_continues_the_backups_of_its_original() {
    let db = Database::new();
    let backups = backups(&db);
    write(&db, 0);
    back_up(&db, &backups);
    let restored = db.beside("restored");
    backups.restore(None, &restored, unobserved).unwrap();

    // From here on both databases give the same names to different files.
    let copy = Database { manager: open(&restored), dir: tempfile::tempdir().unwrap() };
    let (mut original_events, mut copied_events) =
        (db.collection("events", "actor"), copy.collection("events", "actor"));
    put(&mut original_events, "x", "of the original");
    put(&mut copied_events, "x", "of the copied..");
    back_up(&db, &backups);
    let of_copy = back_up(&copy, &backups);
    assert_eq!(of_copy.id, 3);
    assert!(of_copy.copied_bytes < of_copy.bytes, "the files of the first backup are shared");
    assert_eq!(backups.verify(None, unobserved).unwrap(), []);
    for (id, value) in [(2, "of the original"), (3, "of the copied..")] {
        let reader = RocksDbManager::open_read_only(&backups.path().join(format!("{id:06}")), None).unwrap();
        let events = reader.create_collection("events", "actor").unwrap();
        assert_eq!(Collection::get(&events, "x").unwrap(), value.as_bytes());
    }
}

#[test]
fn verification_names_changed_truncated_and_missing_files() {
    let db = Database::new();
    let backups = backups(&db);
    write(&db, 0);
    let backup = back_up(&db, &backups);
    let of = |extension: &str| {
        let mut paths = fs::read_dir(&backup.path).unwrap().map(|entry| entry.unwrap().path());
        paths.find(|path| path.to_str().unwrap().contains(extension)).unwrap()
    };
    let (table, manifest, options) = (of(".sst"), of("MANIFEST"), of("OPTIONS"));
    let mut bytes = fs::read(&table).unwrap();
    bytes[10] ^= 1;
    fs::write(&table, bytes).unwrap();
    fs::write(&manifest, "short").unwrap();
    fs::remove_file(&options).unwrap();

    let damage = backups.verify(Some(1), unobserved).unwrap();
    let find = |path: &Path| damage.iter().find(|damage| damage.file == path).unwrap().reason.clone();
    assert_eq!(damage.len(), 3);
    assert_contains(&find(&table), &["checksum"]);
    assert_contains(&find(&manifest), &["size is 5 bytes"]);
    assert_contains(&find(&options), &["missing"]);
    assert_contains(&reason(backups.restore(None, &db.beside("restored"), unobserved)), &["is damaged"]);
    assert_contains(&reason(backups.verify(Some(2), unobserved)), &["has no backup 2"]);

    fs::write(backup.path.join("BACKUP"), "nonsense").unwrap();
    let damage = backups.verify(None, unobserved).unwrap();
    assert_eq!((damage.len(), damage[0].file.clone()), (1, backup.path.join("BACKUP")));
    assert_eq!(backups.list().unwrap(), [], "a damaged backup is not offered");
    assert_eq!(back_up(&db, &backups).id, 2, "and does not prevent the next");
}

#[test]
fn a_damaged_backup_does_not_restore() {
    let db = Database::new();
    let backups = backups(&db);
    write(&db, 0);
    let backup = back_up(&db, &backups);
    let table = contents(&backup.path).into_keys().find(|path| path.extension().is_some_and(|e| e == "sst")).unwrap();
    let mut bytes = fs::read(&table).unwrap();
    bytes[10] ^= 1;
    fs::write(&table, bytes).unwrap();
    let restored = db.beside("restored");
    assert_contains(&reason(backups.restore(None, &restored, unobserved)), &["is damaged", ".sst"]);
    assert_eq!(fs::read_dir(&restored).unwrap().count(), 0, "nothing half-written remains");
}

#[test]
fn a_restoration_never_overwrites() {
    let db = Database::new();
    let backups = backups(&db);
    back_up(&db, &backups);
    let (database, foreign) = (db.beside("database"), db.beside("foreign"));
    existing_database(&database);
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("notes.txt"), "mine").unwrap();
    for path in [&database, &foreign] {
        let before = contents(path);
        assert_contains(&reason(backups.restore(None, path, unobserved)), &["is not empty", "Choose a new directory"]);
        assert_eq!(contents(path), before);
    }
    let empty = db.beside("empty");
    fs::create_dir(&empty).unwrap();
    backups.restore(None, &empty, unobserved).unwrap();
    assert_eq!(entries(&open(&empty).create_collection("events", "actor").unwrap(), false), []);
}

/// Every state in which a killed restoration can leave the directory.
#[test]
fn an_incomplete_restoration_is_not_opened_and_can_be_repeated() {
    let db = Database::new();
    let backups = backups(&db);
    write(&db, 0);
    let backup = back_up(&db, &backups);
    let names: Vec<_> = super::files(&backup.path).filter(|name| name != "CURRENT" && name != "BACKUP").collect();
    for complete in 0..=names.len() {
        let path = db.beside("restored");
        fs::create_dir(&path).unwrap();
        fs::copy(backup.path.join("CURRENT"), path.join("CURRENT.restoring")).unwrap();
        for name in &names[..complete] {
            fs::copy(backup.path.join(name), path.join(name)).unwrap();
        }
        assert_contains(&open_error(&path), &["is incomplete", "interrupted", "Restore it again"]);
        assert!(RocksDbManager::open_read_only(&path, None).is_err());
        backups.restore(None, &path, unobserved).unwrap();
        assert_eq!(restored_keys(&path).len(), 100);
        fs::remove_dir_all(&path).unwrap();
    }
}

#[test]
fn an_interrupted_restoration_removes_what_it_wrote() {
    let db = Database::new();
    let backups = backups(&db);
    write(&db, 0);
    back_up(&db, &backups);
    let restored = db.beside("restored");
    let mut steps = 0;
    let interrupted = backups.restore(None, &restored, |_| {
        steps += 1;
        if steps < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert_contains(&reason(interrupted), &["interrupted"]);
    assert_eq!(fs::read_dir(&restored).unwrap().count(), 0);
}

#[test]
fn a_backup_opens_read_only_and_is_never_changed() {
    let db = Database::new();
    let backups = backups(&db);
    write(&db, 0);
    let backup = back_up(&db, &backups);
    let before = contents(backups.path());
    assert_contains(&open_error(&backup.path), &["is a backup", "Restore it", "read-only"]);
    let reader = RocksDbManager::open_read_only(&backup.path, None).unwrap();
    assert_eq!(keys(&reader.create_collection("events", "actor").unwrap()).len(), 100);
    assert_eq!(scrub(&backup.path, None, unobserved).unwrap().damage, []);
    assert_eq!(contents(backups.path()), before);

    // A copy made without this program.
    let copy = db.beside("copy");
    super::copy(&backup.path, &copy);
    fs::remove_file(copy.join("BACKUP")).unwrap();
    assert_eq!(restored_keys(&copy).len(), 100);
}

#[test]
fn progress_rises_to_the_total() {
    let db = Database::new();
    write(&db, 0);
    let mut seen: Vec<Progress> = Vec::new();
    let mut observe = |progress| {
        seen.push(progress);
        ControlFlow::Continue(())
    };
    let backup = db.manager.backup(&backups(&db), &mut observe).unwrap();
    assert!(seen.is_sorted_by_key(|progress| progress.done_bytes));
    let last = seen.last().unwrap();
    assert_eq!((last.done_bytes, last.total_bytes), (2 * backup.copied_bytes, 2 * backup.copied_bytes));
}

#[test]
fn a_database_knows_its_last_backup() {
    let db = Database::new();
    assert_eq!(db.manager.last_backup(), None);
    let backup = back_up(&db, &backups(&db));
    let last = db.reopen().manager.last_backup().unwrap();
    assert_eq!((last.created, last.path), (backup.created, backup.path));
}

#[test]
fn two_backups_to_one_directory_do_not_mix() {
    let db = Database::new();
    let backups = backups(&db);
    write(&db, 0);
    back_up(&db, &backups);
    write(&db, 100);
    let mut second = None;
    let observe = |_| {
        second.get_or_insert_with(|| reason(db.manager.backup(&backups, unobserved)));
        ControlFlow::Continue(())
    };
    db.manager.backup(&backups, observe).unwrap();
    assert_contains(&second.unwrap(), &["is in use", "Try again later"]);
    assert_eq!(ids(&backups), [1, 2]);
}

/// Kills a child process at every step of a backup, and afterwards of a restoration, until one is completed.
#[test]
#[cfg(unix)]
fn a_process_killed_at_any_step_leaves_whole_backups_and_no_half_restored_database() {
    const DIRECTORY: &str = "AVE_TEST_BACKUP";
    const STEPS: &str = "AVE_TEST_STEPS";
    let test = "backend::backups::a_process_killed_at_any_step_leaves_whole_backups_and_no_half_restored_database";
    if let (Ok(directory), Ok(steps)) = (env::var(DIRECTORY), env::var(STEPS)) {
        let mut steps: usize = steps.parse().unwrap();
        let mut observe = |_| {
            steps = steps.checked_sub(1).unwrap_or_else(|| std::process::abort());
            ControlFlow::Continue(())
        };
        let directory = Path::new(&directory);
        let backups = Backups::new(directory.join("backups")).keep(1);
        if directory.join("db").exists() {
            open(&directory.join("db")).backup(&backups, &mut observe).unwrap();
        } else {
            backups.restore(None, &directory.join("restored"), &mut observe).unwrap();
        }
        return;
    }

    let dir = tempfile::tempdir().unwrap();
    let (db, backups) = (dir.path().join("db"), Backups::new(dir.path().join("backups")));
    // Whether the child completed.
    let completes = |steps: usize| {
        let mut child = Command::new(env::current_exe().unwrap());
        child.args([test, "--exact"]).env(DIRECTORY, dir.path()).env(STEPS, steps.to_string());
        child.output().unwrap().status.success()
    };
    let keys_in = |path: &Path| {
        let reader = RocksDbManager::open_read_only(path, None).unwrap();
        keys(&reader.create_collection("events", "actor").unwrap()).len()
    };
    existing_database(&db);
    assert!(completes(usize::MAX), "the first backup");
    put(&mut open(&db).create_collection("events", "actor").unwrap(), "03", "of the second backup");
    let mut kills = 0;
    while !completes(kills) {
        kills += 1;
        assert_eq!(ids(&backups), [1], "killed at step {kills}");
        assert_eq!(backups.verify(None, unobserved).unwrap(), []);
    }
    assert!(kills > 3, "copies and verifications were interrupted");
    assert_eq!((ids(&backups), keys_in(&backups.list().unwrap()[0].path)), (vec![2], 3));
    assert_eq!(super::files(&db).filter(|name| name.starts_with("transient")).count(), 0);

    fs::remove_dir_all(&db).unwrap();
    let restored = dir.path().join("restored");
    let mut kills = 0;
    while !completes(kills) {
        kills += 1;
        assert_contains(&open_error(&restored), &["incomplete"]);
    }
    assert!(kills > 3);
    assert_eq!(restored_keys(&restored).len(), 3);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_destroys_no_backup_and_no_database() {
    super::faults::child::on_small_disk(a_full_disk_destroys_no_backup_and_no_database, 16, |disk| {
        let db = Database::new();
        let backups = Backups::new(disk.path().join("backups")).keep(1);
        write(&db, 0);
        back_up(&db, &backups);
        let before = contents(backups.path());
        for n in 0..100 {
            Collection::put(&mut db.collection("events", "more"), &key(n), &noise(n, 10_000)).unwrap();
        }
        disk.fill_except(100_000);
        let full = reason(db.manager.backup(&backups, unobserved));
        assert_contains(&full, &["No space left on device", "Free space on the file system of", "backups/000002"]);
        assert_eq!(contents(backups.path()), before);
        put(&mut db.collection("events", "actor"), "still", "writable");

        let restored = disk.path().join("restored");
        disk.free();
        back_up(&db, &backups);
        assert_eq!(ids(&backups), [2]);
        disk.fill_except(100_000);
        assert_contains(&reason(backups.restore(None, &restored, unobserved)), &["No space left on device"]);
        assert_eq!(fs::read_dir(&restored).unwrap().count(), 0);
        disk.free();
        backups.restore(None, &restored, unobserved).unwrap();
        assert_eq!(restored_keys(&restored).len(), 101);
    });
}
