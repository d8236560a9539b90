//! Tests of the backend through the traits of `ave-actors-store`.

// Helpers are part of the tests: a failure in one is a failure of the test that called it.
#![allow(clippy::unwrap_used)]

mod actor_system;
mod backups;
mod bulk_loads;
mod compatibility;
mod conformance;
mod contract;
#[cfg(unix)]
mod crash;
pub(crate) mod faults;
#[cfg(target_os = "linux")]
mod memory;
mod metrics;
mod model;
mod monitoring;
mod opening;
mod operations;
mod purges;
mod read_only;
#[cfg(feature = "trace")]
mod recording;
mod recovery;
mod scrubs;
mod sequential_reads;
mod wal_damage;

use std::{
    fs, io,
    panic::resume_unwind,
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use ave_actors_rocksdb::{RocksDbManager, RocksDbStore};
use ave_actors_store::{
    Error,
    config::MachineSpec,
    database::{Collection, DbManager},
};
use tempfile::TempDir;

/// A machine small enough for a test to reach its limits.
const SMALL: MachineSpec = MachineSpec::Custom { ram_mb: 512, cpu_cores: 2 };
/// Limit of every wait, far above what a busy machine needs.
const DEADLINE: Duration = Duration::from_secs(120);

/// Waits until `condition` is true, and fails after [`DEADLINE`].
fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Runs `body` in another thread, and fails if it does not finish before [`DEADLINE`].
fn finishes(body: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = mpsc::channel();
    let running = thread::spawn(move || {
        body();
        sender.send(()).unwrap();
    });
    match receiver.recv_timeout(DEADLINE) {
        Err(RecvTimeoutError::Timeout) => panic!("not finished after {DEADLINE:?}"),
        // A panic of the body drops the sender.
        Ok(()) | Err(RecvTimeoutError::Disconnected) => running.join().unwrap_or_else(|panic| resume_unwind(panic)),
    }
}

/// A database in a temporary directory.
struct Database {
    // Dropped, and so closed, before the directory is removed.
    manager: RocksDbManager,
    dir: TempDir,
}

impl Database {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { manager: open(&dir.path().join("db")), dir }
    }

    fn collection(&self, name: &str, prefix: &str) -> RocksDbStore {
        self.manager.create_collection(name, prefix).unwrap()
    }

    fn state(&self, name: &str, prefix: &str) -> RocksDbStore {
        self.manager.create_state(name, prefix).unwrap()
    }

    /// A path next to the database.
    fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Closes the database and opens it again.
    fn reopen(self) -> Self {
        let Self { manager, dir } = self;
        drop(manager);
        Self { manager: open(&dir.path().join("db")), dir }
    }
}

/// Bytes that iterators return while `work` runs.
fn bytes_iterated<R>(db: &Database, work: impl FnOnce() -> R) -> u64 {
    let before = db.manager.stats().unwrap().iterator_read_bytes;
    work();
    db.manager.stats().unwrap().iterator_read_bytes - before
}

/// A directory in memory if it has 1 GiB of space, for tests that open a database a thousand times. A killed process
/// leaves the same files there as on a disk.
fn scratch() -> TempDir {
    const MEMORY: &str = "/dev/shm";
    const ENOUGH_KIB: u64 = 1024 * 1024;
    let available = || {
        let output = Command::new("df").args(["--output=avail", MEMORY]).output().ok()?;
        String::from_utf8(output.stdout).ok()?.split_whitespace().last()?.parse().ok()
    };
    let in_memory = available().is_some_and(|kib: u64| kib >= ENOUGH_KIB).then(|| tempfile::tempdir_in(MEMORY).ok());
    in_memory.flatten().unwrap_or_else(|| tempfile::tempdir().unwrap())
}

fn try_open(path: &Path, durability: bool) -> Result<RocksDbManager, Error> {
    RocksDbManager::new(&path.to_path_buf(), durability, Some(SMALL))
}

fn open(path: &Path) -> RocksDbManager {
    try_open(path, false).unwrap()
}

/// A closed database with one flushed and one unflushed entry.
fn existing_database(path: &Path) {
    let mut manager = open(path);
    let mut events = manager.create_collection("events", "actor").unwrap();
    put(&mut events, "01", "flushed");
    manager.stop().unwrap();
    put(&mut events, "02", "in the log");
}

/// The names of the files in a directory.
fn files(dir: &Path) -> impl Iterator<Item = String> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap())
}

/// Copies the files of a database, which may be open, to a directory that does not exist.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for name in files(from).filter(|name| name != "LOCK" && from.join(name).is_file()) {
        match fs::copy(from.join(&name), to.join(&name)) {
            // RocksDB deletes obsolete files in the background.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            copied => drop(copied.unwrap()),
        }
    }
}

/// The message of a database or column family that cannot be opened or created.
fn creation_error<T>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::CreateStore { reason }) => reason,
        Err(other) => panic!("not a CreateStore error: {other:?}"),
        Ok(_) => panic!("no error"),
    }
}

fn open_error(path: &Path) -> String {
    creation_error(try_open(path, false))
}

fn assert_contains(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

/// The key under which `ave-actors-store` stores event `n`.
fn key(n: usize) -> String {
    format!("{n:020}")
}

fn put(collection: &mut impl Collection, key: &str, value: &str) {
    collection.put(key, value.as_bytes()).unwrap();
}

/// All entries in order, values as text.
fn entries(collection: &impl Collection, reverse: bool) -> Vec<(String, String)> {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    collection.iter(reverse).unwrap().map(|item| item.map(|(key, value)| (key, text(value))).unwrap()).collect()
}

fn keys(collection: &impl Collection) -> Vec<String> {
    collection.iter(false).unwrap().map(|item| item.unwrap().0).collect()
}

fn not_found(key: &str) -> Error {
    Error::EntryNotFound { key: key.to_owned() }
}
