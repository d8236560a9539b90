//! Opens new, existing and broken databases, foreign directories, and a database in use.

use std::{collections::BTreeMap, fs, path::Path, process::Command, sync::Barrier, thread};

use ave_actors_rocksdb::{RocksDbManager, backend::Tuning, machine};
use ave_actors_store::{
    config::{MachineProfile, MachineSpec},
    database::{Collection, DbManager},
};
use tempfile::tempdir;

#[cfg(target_os = "linux")]
use super::faults::child::alone;
use super::{
    Database, SMALL, assert_contains, creation_error, existing_database, finishes, keys, open, open_error, put,
};

/// The files of a directory with their content.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap_or_default()))
        .collect()
}

/// The open fails with a message that contains `parts`, and changes no file.
fn assert_refused(dir: &Path, parts: &[&str]) {
    let before = contents(dir);
    assert_fails(dir, parts);
    assert!(contents(dir) == before, "a refused directory is unchanged");
}

/// The open fails with a message that contains `parts`, and changes no data. RocksDB writes the cause to its own log.
fn assert_broken(dir: &Path, parts: &[&str]) {
    let data = || contents(dir).into_iter().filter(|(name, _)| !name.starts_with("LOG")).collect::<BTreeMap<_, _>>();
    let before = data();
    assert_fails(dir, parts);
    assert!(data() == before, "the data of a broken database is unchanged");
}

fn assert_fails(dir: &Path, parts: &[&str]) {
    let message = open_error(dir);
    assert_contains(&message, parts);
    assert_contains(&message, &[dir.to_str().unwrap()]);
}

#[test]
fn missing_directories_are_created() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("some/where/deep");
    let manager = open(&path);
    assert_eq!(manager.path(), path.canonicalize().unwrap());
    assert!(path.join("CURRENT").is_file());
}

#[test]
fn an_empty_file_system_becomes_a_database() {
    let dir = tempdir().unwrap();
    fs::create_dir(dir.path().join("lost+found")).unwrap();
    drop(open(dir.path()));
    assert!(dir.path().join("CURRENT").is_file());
}

#[test]
fn an_incomplete_creation_is_repeated() {
    let dir = tempdir().unwrap();
    for leftover in ["LOCK", "LOG", "IDENTITY", "000001.dbtmp"] {
        fs::write(dir.path().join(leftover), "").unwrap();
    }
    fs::write(dir.path().join("MANIFEST-000001"), "half a mani").unwrap();
    let manager = open(dir.path());
    put(&mut manager.create_collection("events", "actor").unwrap(), "01", "event");
    drop(manager);
    assert_eq!(keys(&open(dir.path()).create_collection("events", "actor").unwrap()), ["01"]);
}

#[test]
fn an_existing_database_opens_with_all_column_families() {
    let db = Database::new();
    for family in ["one", "two", "three", "ünïcode"] {
        put(&mut db.collection(family, "actor"), "01", family);
    }
    let before = db.manager.stats().unwrap().column_families;
    let db = db.reopen();
    assert_eq!(db.manager.stats().unwrap().column_families, before);
    for family in ["one", "two", "three", "ünïcode"] {
        assert_eq!(Collection::get(&db.collection(family, "actor"), "01"), Ok(family.as_bytes().to_vec()));
    }
}

#[test]
fn with_column_families_creates_the_missing_ones() {
    let dir = tempdir().unwrap();
    let open_with = |names: &[&str]| {
        RocksDbManager::with_column_families(dir.path(), false, Some(SMALL), names.iter().copied()).unwrap()
    };
    let families = |manager: &RocksDbManager| manager.stats().unwrap().column_families;
    let manager = open_with(&["one", "two", "two", "default"]);
    assert_eq!(families(&manager), 3);
    put(&mut manager.create_collection("one", "actor").unwrap(), "01", "event");
    drop(manager);

    let manager = open_with(&["two", "three"]);
    assert_eq!(families(&manager), 4, "existing and new ones");
    assert_eq!(keys(&manager.create_collection("one", "actor").unwrap()), ["01"]);
    put(&mut manager.create_collection("three", "actor").unwrap(), "02", "event");
    drop(manager);
    assert_eq!(keys(&open(dir.path()).create_collection("three", "actor").unwrap()), ["02"]);
}

#[test]
fn a_path_that_is_a_file_is_refused() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "precious").unwrap();
    assert!(open_error(&file).contains("is a file"), "{}", open_error(&file));
    let below = file.join("db");
    let message = open_error(&below);
    assert!(message.contains(below.to_str().unwrap()), "{message}");
    assert_eq!(fs::read(&file).unwrap(), b"precious");
}

#[test]
fn a_directory_of_other_files_is_refused() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("notes.txt"), "precious").unwrap();
    assert_refused(dir.path(), &["not a RocksDB database", "notes.txt"]);
}

#[test]
fn a_level_db_database_is_refused() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("CURRENT"), "MANIFEST-000002\n").unwrap();
    fs::write(dir.path().join("000005.ldb"), "table").unwrap();
    assert_refused(dir.path(), &["not a RocksDB database", "LevelDB", "000005.ldb"]);
}

#[test]
fn a_database_whose_manifest_is_gone_is_broken_not_new() {
    let dir = tempdir().unwrap();
    existing_database(dir.path());
    for name in contents(dir.path()).keys().filter(|name| name.starts_with("MANIFEST-")) {
        fs::remove_file(dir.path().join(name)).unwrap();
    }
    assert_broken(dir.path(), &["broken"]);
}

#[test]
fn a_database_whose_manifest_is_garbage_is_broken_not_new() {
    let dir = tempdir().unwrap();
    existing_database(dir.path());
    for name in contents(dir.path()).keys().filter(|name| name.starts_with("MANIFEST-")) {
        fs::write(dir.path().join(name), [0xAB; 4096]).unwrap();
    }
    assert_broken(dir.path(), &["broken"]);
}

#[test]
fn a_database_with_garbage_in_current_is_broken_not_new() {
    let dir = tempdir().unwrap();
    existing_database(dir.path());
    fs::write(dir.path().join("CURRENT"), "garbage").unwrap();
    assert_broken(dir.path(), &["broken"]);
}

#[test]
fn a_database_without_current_is_broken_not_new() {
    let dir = tempdir().unwrap();
    existing_database(dir.path());
    fs::remove_file(dir.path().join("CURRENT")).unwrap();
    assert_broken(dir.path(), &["broken", "CURRENT"]);
}

#[test]
fn a_database_that_lost_a_data_file_is_broken() {
    let dir = tempdir().unwrap();
    existing_database(dir.path());
    let table = contents(dir.path()).into_keys().find(|name| name.contains(".sst")).unwrap();
    fs::remove_file(dir.path().join(&table)).unwrap();
    let message = open_error(dir.path());
    assert!(message.contains("broken") && message.contains(&table), "{message}");
}

#[test]
fn a_second_manager_in_the_process_fails_and_names_the_lock() {
    let db = Database::new();
    let message = open_error(db.manager.path());
    assert_contains(&message, &["in use", "/LOCK"]);
    put(&mut db.collection("events", "actor"), "01", "the first manager still works");
}

#[cfg(unix)]
#[test]
fn every_spelling_of_a_path_is_the_same_database() {
    let dir = tempdir().unwrap();
    for name in ["other", "real"] {
        fs::create_dir(dir.path().join(name)).unwrap();
    }
    std::os::unix::fs::symlink("real", dir.path().join("link")).unwrap();
    // Creates the database.
    let manager = open(&dir.path().join("other/../link/db"));
    assert_eq!(manager.path(), dir.path().join("real/db").canonicalize().unwrap());
    for spelling in ["real/db", "link/db", "real/../real/db", "real/./db/", "real/db/../db"] {
        assert_contains(&open_error(&dir.path().join(spelling)), &["in use", "/LOCK"]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_relative_path_does_not_depend_on_the_working_directory_later() {
    alone(a_relative_path_does_not_depend_on_the_working_directory_later, || {
        let (dir, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
        std::env::set_current_dir(dir.path()).unwrap();
        let mut manager = open(Path::new("db"));
        std::env::set_current_dir(elsewhere.path()).unwrap();
        assert_eq!(manager.path(), dir.path().join("db").canonicalize().unwrap());
        put(&mut manager.create_collection("events", "actor").unwrap(), "01", "event");
        manager.stop().unwrap();
        drop(manager);
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
        let events = open(&dir.path().join("db")).create_collection("events", "actor").unwrap();
        assert_eq!(keys(&events), ["01"]);
    });
}

#[test]
fn column_family_names_that_cannot_be_stored_are_refused() {
    let db = Database::new();
    for name in ["", "a\0b"] {
        let quoted = format!("'{name}'");
        let parts = ["cannot create column family", &quoted, "empty or contains a NUL character"];
        assert_contains(&creation_error(db.manager.create_collection(name, "actor")), &parts);
        assert_contains(&creation_error(db.manager.create_state(name, "actor")), &parts);
        let new = db.beside("new");
        let opened = RocksDbManager::with_column_families(&new, false, Some(SMALL), ["good", name]);
        assert_contains(&creation_error(opened), &parts);
        assert!(!new.exists());
    }
}

#[test]
fn a_handle_keeps_the_database_open() {
    let dir = tempdir().unwrap();
    let mut events = open(dir.path()).create_collection("events", "actor").unwrap();
    put(&mut events, "01", "event");
    assert!(open_error(dir.path()).contains("in use"));
    drop(events);
    assert_eq!(keys(&open(dir.path()).create_collection("events", "actor").unwrap()), ["01"]);
}

#[test]
fn a_second_process_fails_and_names_the_lock() {
    const PATH: &str = "AVE_TEST_OPEN";
    // In the second process, which runs this test alone.
    if let Some(path) = std::env::var_os(PATH) {
        return assert_contains(&open_error(Path::new(&path)), &["in use", "/LOCK"]);
    }
    let db = Database::new();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["backend::opening::a_second_process_fails_and_names_the_lock", "--exact"])
        .env(PATH, db.manager.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[cfg(unix)]
#[test]
fn an_error_names_the_directory_that_cannot_be_created() {
    let message = open_error(Path::new("/proc/no-such-directory/db"));
    assert!(message.contains("cannot create the directory /proc/no-such-directory/db"), "{message}");
}

#[test]
fn threads_that_create_the_same_column_families_share_them() {
    const THREADS: usize = 8;
    const NAMES: usize = 12;
    finishes(|| {
        let db = Database::new();
        let start = Barrier::new(THREADS);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (db, start) = (&db, &start);
                scope.spawn(move || {
                    start.wait();
                    for n in 0..NAMES {
                        // All threads create the same families, each in a different order.
                        let name = format!("family-{}", (n + thread) % NAMES);
                        put(&mut db.collection(&name, &format!("actor-{thread}")), "01", "event");
                    }
                });
            }
        });
        let db = db.reopen();
        assert_eq!(db.manager.stats().unwrap().column_families, NAMES as u64 + 1, "each once, and the default family");
        for n in 0..NAMES {
            for thread in 0..THREADS {
                assert_eq!(keys(&db.collection(&format!("family-{n}"), &format!("actor-{thread}"))), ["01"]);
            }
        }
    });
}

#[test]
fn without_a_spec_the_process_share_determines_the_tuning() {
    let dir = tempdir().unwrap();
    let manager = RocksDbManager::new(&dir.path().to_path_buf(), true, None).unwrap();
    let share = machine::process_share();
    assert_eq!(*manager.tuning(), Tuning::new(&share.resolved(), share.open_files));
}

#[test]
fn a_profile_determines_the_tuning_on_any_host() {
    let dir = tempdir().unwrap();
    let spec = MachineSpec::Profile(MachineProfile::XXLarge);
    let manager = RocksDbManager::new(&dir.path().to_path_buf(), false, Some(spec)).unwrap();
    assert_eq!(manager.tuning().ram_bytes, 32 * 1024 * 1024 * 1024);
    assert_eq!(manager.tuning().cpu_cores, 8);
}
