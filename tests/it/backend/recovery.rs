//! What is there after the end: a stop, a drop without a stop, a torn log, a killed process.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use ave_actors_rocksdb::{RocksDbManager, RocksDbStore};
use ave_actors_store::{
    Error, StoreOperation,
    database::{Collection, DbManager, State},
};
use tempfile::tempdir;

use super::{Database, SMALL, entries, open, put};

/// Event `n` goes to one of these: a hole would show as an event missing in one family below the last in another.
const FAMILIES: [&str; 3] = ["one", "two", "three"];

fn manager(path: &Path, durability: bool) -> RocksDbManager {
    RocksDbManager::new(&path.to_path_buf(), durability, Some(SMALL)).unwrap()
}

fn logs(manager: &RocksDbManager) -> [RocksDbStore; 3] {
    FAMILIES.map(|family| manager.create_collection(family, "actor").unwrap())
}

fn write_event(logs: &mut [RocksDbStore; 3], n: usize) {
    Collection::put(&mut logs[n % 3], &format!("{n:020}"), &n.to_le_bytes()).unwrap();
}

/// How many events are there. They must be the first ones, all of them, each with its value.
fn recovered_events(path: &Path) -> usize {
    let manager = open(path);
    let mut found = Vec::new();
    for log in &logs(&manager) {
        for item in log.iter(false).unwrap() {
            let (key, value) = item.unwrap();
            let n: usize = key.parse().unwrap();
            assert_eq!(value, n.to_le_bytes());
            found.push(n);
        }
    }
    found.sort_unstable();
    assert_eq!(found, (0..found.len()).collect::<Vec<_>>(), "no hole");
    found.len()
}

#[test]
fn everything_is_there_after_a_stop() {
    let mut db = Database::new();
    put(&mut db.collection("events", "actor"), "01", "event");
    State::put(&mut db.state("states", "actor"), b"state").unwrap();
    db.manager.stop().unwrap();
    let db = db.reopen();
    assert_eq!(entries(&db.collection("events", "actor"), false), [("01".to_owned(), "event".to_owned())]);
    assert_eq!(State::get(&db.state("states", "actor")), Ok(b"state".to_vec()));
}

#[test]
fn everything_is_there_after_a_drop_without_a_stop() {
    for durability in [true, false] {
        let dir = tempdir().unwrap();
        let mut logs = logs(&manager(dir.path(), durability));
        for n in 0..100 {
            write_event(&mut logs, n);
        }
        drop(logs);
        assert_eq!(recovered_events(dir.path()), 100, "durability {durability}");
    }
}

#[test]
fn deletes_and_purges_stay_done() {
    let db = Database::new();
    let mut deleted = db.collection("events", "deleted");
    let mut purged = db.collection("events", "purged");
    for collection in [&mut deleted, &mut purged] {
        put(collection, "01", "a");
        put(collection, "02", "b");
    }
    Collection::del(&mut deleted, "01").unwrap();
    Collection::purge(&mut purged).unwrap();
    drop((deleted, purged));
    let db = db.reopen();
    assert_eq!(entries(&db.collection("events", "deleted"), false), [("02".to_owned(), "b".to_owned())]);
    assert_eq!(entries(&db.collection("events", "purged"), false), []);
}

/// The newest write-ahead log that holds anything.
fn newest_log(dir: &Path) -> PathBuf {
    let logs = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let logs = logs.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.filter(|path| fs::metadata(path).unwrap().len() > 0).max().unwrap()
}

#[test]
fn a_torn_log_costs_the_end_and_nothing_before_it() {
    const EVENTS: usize = 200;
    for torn_permille in [1, 300, 700, 999] {
        let dir = tempdir().unwrap();
        let mut logs = logs(&manager(dir.path(), false));
        for n in 0..EVENTS {
            write_event(&mut logs, n);
        }
        drop(logs);
        let log = fs::OpenOptions::new().write(true).open(newest_log(dir.path())).unwrap();
        let len = log.metadata().unwrap().len();
        log.set_len(len - len * torn_permille / 1000 - 1).unwrap();
        let recovered = recovered_events(dir.path());
        let kept = usize::try_from(1000 - torn_permille).unwrap() * EVENTS / 1000;
        assert!(recovered < EVENTS, "the end is gone");
        assert!(recovered + 2 >= kept, "{recovered} events of about {kept} that were left in the log");
    }
}

#[test]
fn a_damaged_file_is_a_failed_read_never_an_absent_entry() {
    let mut db = Database::new();
    put(&mut db.collection("events", "actor"), "01", "event");
    State::put(&mut db.state("states", "actor"), b"state").unwrap();
    db.manager.stop().unwrap();
    let path = db.manager.path().to_path_buf();
    let files = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
    for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "sst")) {
        // The first block of a file holds its entries.
        let mut bytes = fs::read(&file).unwrap();
        bytes[4] ^= 0xFF;
        fs::write(&file, bytes).unwrap();
    }
    let mut db = db.reopen();
    let mut events = db.collection("events", "actor");
    let failed = |result: Result<(), Error>, expected_key: &str| {
        let Err(Error::Get { key, reason }) = result else { panic!("not a failed read: {result:?}") };
        assert_eq!(key, expected_key);
        assert!(reason.contains("column family"), "{reason}");
    };
    failed(Collection::get(&events, "01").map(drop), "actor.01");
    failed(Collection::del(&mut events, "01"), "actor.01");
    failed(events.last().map(drop), "actor.");
    failed(events.iter(false).map(drop), "actor.");
    failed(events.get_by_range(None, 1).map(drop), "actor.");
    failed(events.get_by_range(Some("01".to_owned()), 1).map(drop), "actor.01");
    failed(State::get(&db.state("states", "actor")).map(drop), "actor");
    let Err(Error::Store { operation, reason }) = Collection::purge(&mut events) else { panic!("purged") };
    assert_eq!(operation, StoreOperation::RocksdbOperation);
    assert!(reason.contains("events") && reason.contains("purge of 'actor'"), "{reason}");
    assert_eq!(db.manager.stop(), Ok(()));
}

const WRITE_TO: &str = "AVE_TEST_WRITE_TO";
const DURABILITY: &str = "AVE_TEST_DURABILITY";
const ACKNOWLEDGED: &str = "acknowledged ";

/// Not a test of its own: the process that [`acknowledged_writes_survive_the_death_of_the_process`] kills. It goes on
/// writing where the last one was killed, and says so after every write that returned.
#[test]
fn child_writer() {
    let Some(path) = std::env::var_os(WRITE_TO) else { return };
    let path = PathBuf::from(path);
    let first = recovered_events(&path);
    let mut logs = logs(&manager(&path, std::env::var_os(DURABILITY).is_some()));
    let mut out = std::io::stdout();
    for n in first.. {
        write_event(&mut logs, n);
        writeln!(out, "{ACKNOWLEDGED}{n}").unwrap();
    }
}

fn spawn_writer(path: &Path, durability: bool) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["backend::recovery::child_writer", "--exact"]).env(WRITE_TO, path).stdout(Stdio::piped());
    if durability {
        command.env(DURABILITY, "on");
    }
    command.spawn().unwrap()
}

/// Reads what the child acknowledges until there is enough, kills it, and reads the rest. The last number.
fn kill_after(mut child: Child, acknowledgements: usize) -> usize {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = lines.by_ref().filter_map(|line| {
        // The line before the kill may be torn; the test harness writes lines of its own.
        line.ok()?.strip_prefix(ACKNOWLEDGED)?.parse().ok()
    });
    let mut last = acknowledged.nth(acknowledgements).unwrap();
    child.kill().unwrap();
    if let Some(number) = acknowledged.last() {
        last = number;
    }
    child.wait().unwrap();
    last
}

#[test]
fn acknowledged_writes_survive_the_death_of_the_process() {
    for durability in [true, false] {
        let dir = tempdir().unwrap();
        for round in 1..=4 {
            // Long enough in one round for logs to be switched and memtables to be flushed in the next.
            let last = kill_after(spawn_writer(dir.path(), durability), 150 * round);
            let recovered = recovered_events(dir.path());
            assert!(recovered > last, "event {last} was acknowledged, {recovered} are there; durability {durability}");
        }
    }
}
