//! `db`: operations on a database from a shell.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ave_actors_rocksdb::RocksDbManager;
use ave_actors_store::database::{Collection, DbManager, State};

use super::program::{Ended, FAILED, INCONCLUSIVE, MISSED, PASS, Place, USAGE, interrupted, json};

/// A manager of the database `db`.
fn open(place: &Place) -> RocksDbManager {
    RocksDbManager::new(&place.path("db"), true, None).unwrap()
}

/// Writes events of `actors` actors and a state of the first.
fn write(manager: &RocksDbManager, actors: usize, first_event: usize) {
    for actor in 0..actors {
        let mut events = manager.create_collection("Account_events", &format!("actor-{actor}")).unwrap();
        for n in first_event..first_event + 10 {
            Collection::put(&mut events, &format!("{n:020}"), &[7; 100]).unwrap();
        }
    }
    let mut state = manager.create_state("Account_states", "actor-0").unwrap();
    State::put(&mut state, &[7; 5000]).unwrap();
}

/// A place with a closed database of three actors.
fn ledger() -> Place {
    let place = Place::new();
    let mut manager = open(&place);
    write(&manager, 3, 0);
    manager.stop().unwrap();
    place
}

fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_file()).map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn events_in(path: &Path) -> usize {
    let manager = RocksDbManager::open_read_only(path, None).unwrap();
    let count = |actor| {
        let events = manager.create_collection("Account_events", &format!("actor-{actor}")).unwrap();
        events.iter(false).unwrap().count()
    };
    (0..3).map(count).sum()
}

#[track_caller]
fn passed(ended: &Ended, parts: &[&str]) {
    assert_eq!(ended.code, PASS, "{}{}", ended.stdout, ended.stderr);
    for part in parts {
        assert!(ended.stdout.contains(part), "`{part}` is missing: {}", ended.stdout);
    }
}

#[test]
fn info_shows_sizes_and_actors_and_changes_nothing() {
    let place = ledger();
    let before = contents(&place.path("db"));
    let info = json(&place.run("db info db --json").stdout);
    assert_eq!((&info["kind"], &info["actors_count"]), (&"database".into(), &3.into()), "{info}");
    assert_eq!(info["largest_actors"][0]["name"], "actor-0");
    assert!(info["largest_actors"][0]["approximate_bytes"].as_u64().unwrap() > 5000, "{info}");
    assert_eq!(info["column_families"][0]["name"], "Account_events");
    assert!(info["column_families"][0]["bytes"].as_u64().unwrap() > 0);
    assert_eq!((&info["in_use"], &info["unreadable_log_bytes"]), (&false.into(), &0.into()));
    assert!(info["rocksdb_version"].as_str().unwrap().starts_with("11."), "{info}");
    assert!(info["last_backup"].is_null());
    passed(
        &place.run("db info db --largest 1"),
        &["Account_events", "actor-0", "approximate size", "last backup   none"],
    );
    assert!(!place.run("db info db --largest 1").stdout.contains("actor-1"));
    assert_eq!(contents(&place.path("db")), before);
}

#[test]
fn info_works_beside_an_application_and_says_so() {
    let place = ledger();
    let manager = open(&place);
    passed(&place.run("db info db"), &["by another process"]);
    write(&manager, 3, 10);
}

#[test]
fn verify_passes_an_undamaged_database_and_names_a_damaged_file() {
    let place = ledger();
    let before = contents(&place.path("db"));
    passed(&place.run("db verify db"), &["PASS", "db is undamaged", "31 entries"]);
    assert_eq!(contents(&place.path("db")), before);

    let table = before.keys().find(|path| path.extension().is_some_and(|extension| extension == "sst")).unwrap();
    let mut bytes = before[table].clone();
    bytes[20] ^= 1;
    fs::write(table, bytes).unwrap();
    let name = table.file_name().unwrap().to_str().unwrap();
    let ended = place.run("db verify db");
    assert_eq!(ended.code, MISSED, "{}", ended.stderr);
    assert!(ended.stdout.contains("FAIL") && ended.stdout.contains(name), "{}", ended.stdout);
    let ended = place.run("db verify db --json");
    assert_eq!(ended.code, MISSED);
    let result = json(&ended.stdout);
    assert_eq!((&result["outcome"], result["damage"].as_array().unwrap().len()), (&"fail".into(), 1));
    assert!(result["damage"][0]["file"].as_str().unwrap().ends_with(name), "{result}");
}

#[test]
fn verify_refuses_a_database_whose_files_change() {
    let place = ledger();
    let _manager = open(&place);
    place.run("db verify db").refused(FAILED, &["is in use", "Verify a backup"]);
    place.run("db backup db --to backups").refused(FAILED, &["is in use"]);
}

#[test]
fn backups_are_written_listed_verified_and_restored() {
    let place = ledger();
    passed(&place.run("db backup db --to backups"), &["Backup 1 is complete and verified", "1 backup in total"]);
    write(&open(&place), 3, 10);
    let second = json(&place.run("db backup db --to backups --rate 1000 --json").stdout);
    assert_eq!((&second["id"], &second["kept_count"]), (&2.into(), &2.into()), "{second}");
    assert!(second["copied_bytes"].as_u64() < second["bytes"].as_u64(), "{second}");

    let list = json(&place.run("db info backups --json").stdout);
    assert_eq!((&list["kind"], list["backups"].as_array().unwrap().len()), (&"backups".into(), 2), "{list}");
    passed(&place.run("db info backups"), &["backups has 2 backups", "copied"]);
    passed(&place.run("db info db"), &["000002"]);
    passed(&place.run("db info backups/000001"), &["Account_events"]);
    passed(&place.run("db verify backups"), &["PASS", "2 backups"]);
    passed(&place.run("db verify backups/000001"), &["PASS", "31 entries"]);

    passed(&place.run("db restore backups --to latest"), &["Restored backup 2"]);
    passed(&place.run("db restore backups --to first --backup 1"), &["Restored backup 1"]);
    assert_eq!((events_in(&place.path("first")), events_in(&place.path("latest"))), (30, 60));

    passed(&place.run("db backup db --to backups --keep 1"), &["Backup 3", "1 backup in total"]);
}

#[test]
fn a_damaged_backup_fails_its_verification_and_is_not_restored() {
    let place = ledger();
    assert_eq!(place.run("db backup db --to backups").code, PASS);
    let table = contents(&place.path("backups/000001"))
        .into_keys()
        .find(|path| path.extension().is_some_and(|extension| extension == "sst"))
        .unwrap();
    let mut bytes = fs::read(&table).unwrap();
    bytes[20] ^= 1;
    fs::write(&table, bytes).unwrap();
    for words in ["db verify backups", "db verify backups --backup 1", "db verify backups/000001"] {
        let ended = place.run(words);
        assert_eq!(ended.code, MISSED, "{words}: {}", ended.stderr);
        assert!(ended.stdout.contains(table.file_name().unwrap().to_str().unwrap()), "{}", ended.stdout);
    }
    place.run("db restore backups --to restored").refused(FAILED, &["is damaged", ".sst"]);
}

#[test]
fn nothing_is_overwritten_or_created_by_mistake() {
    let place = ledger();
    fs::create_dir(place.path("foreign")).unwrap();
    place.write("foreign/notes.txt", "mine");
    place.run("db backup db --to foreign").refused(FAILED, &["no directory of backups", "notes.txt"]);
    place.run("db backup absent --to backups").refused(FAILED, &["absent", "No such file"]);
    place.run("db info foreign").refused(FAILED, &["not a RocksDB database", "notes.txt"]);
    place.run("db verify absent").refused(FAILED, &["absent"]);
    place.run("db restore foreign --to restored").refused(FAILED, &["no directory of backups"]);
    assert_eq!(place.run("db backup db --to backups").code, PASS);
    place.run("db restore backups --to db").refused(FAILED, &["is not empty"]);
    place.run("db restore backups --to foreign").refused(FAILED, &["is not empty", "notes.txt"]);
    place.run("db restore backups --to restored --backup 9").refused(FAILED, &["no backup 9"]);
    place.holds_only(&["backups", "db", "foreign"]);
}

#[test]
fn invalid_arguments_are_usage_errors() {
    let place = ledger();
    place.run("db").refused(USAGE, &["Usage"]);
    place.run("db backup db").refused(USAGE, &["--to"]);
    place.run("db backup db --to backups --keep 0").refused(USAGE, &["--keep"]);
    place.run("db backup db --to backups --rate 0").refused(USAGE, &["--rate"]);
    place.run("db verify db --backup 1").refused(USAGE, &["--backup", "no directory of backups"]);
    place.holds_only(&["db"]);
}

#[test]
fn control_characters_of_a_path_do_not_reach_the_terminal() {
    let place = Place::new();
    let ended = place.run("db info a\u{1b}[31m");
    ended.refused(FAILED, &["a\\u{1b}[31m"]);
    assert!(!ended.stderr.contains('\u{1b}'));
}

#[test]
fn ctrl_c_ends_a_backup_and_a_restoration_and_leaves_nothing_half_written() {
    let place = ledger();
    assert_eq!(place.run("db backup db --to backups").code, PASS);
    write(&open(&place), 3, 10);
    let before = contents(&place.path("backups/000001"));
    let slow = "--rate 0.000001";
    let (code, rest) = interrupted(&place, &format!("db backup db --to backups {slow}"), "backing up", "-INT");
    assert_eq!(code, INCONCLUSIVE, "{rest}");
    assert!(rest.contains("interrupted. Earlier backups are unchanged"), "{rest}");
    assert_eq!(contents(&place.path("backups/000001")), before);
    let left: Vec<_> = fs::read_dir(place.path("backups")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");

    let (code, rest) = interrupted(&place, &format!("db restore backups --to restored {slow}"), "restoring", "-INT");
    assert_eq!(code, INCONCLUSIVE, "{rest}");
    assert_eq!(fs::read_dir(place.path("restored")).unwrap().count(), 0);
    passed(&place.run("db restore backups --to restored"), &["Restored backup 1"]);
}
