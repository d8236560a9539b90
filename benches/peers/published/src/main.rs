//! Runs one case against the published backend, against the published backend over `SQLite`, or against the store's
//! `MemoryManager`.

use std::path::Path;

use anyhow::{Result, bail};
use ave_actors_sqlite::{SqliteCollection, SqliteManager};
use ave_actors_store::{
    Error,
    memory::{MemoryManager, MemoryStore},
};
use ave_peer_cases::{Case, MACHINE, Outcome, Peer, Run, cases, server};
use published::{RocksDbManager, RocksDbStore};

struct Published;

impl Peer for Published {
    type Collection = RocksDbStore;
    type State = RocksDbStore;
    type Manager = RocksDbManager;

    fn open(&self, dir: &Path, durability: bool) -> Result<RocksDbManager, Error> {
        RocksDbManager::new(&dir.to_owned(), durability, Some(MACHINE))
    }
}

struct Sqlite;

impl Peer for Sqlite {
    type Collection = SqliteCollection;
    type State = SqliteCollection;
    type Manager = SqliteManager;

    fn open(&self, dir: &Path, durability: bool) -> Result<SqliteManager, Error> {
        SqliteManager::new(&dir.to_owned(), durability, Some(MACHINE))
    }
}

/// Opening it again finds what it held: it lives as long as the process.
#[derive(Default)]
struct Memory(MemoryManager);

impl Peer for Memory {
    type Collection = MemoryStore;
    type State = MemoryStore;
    type Manager = MemoryManager;

    fn open(&self, _dir: &Path, _durability: bool) -> Result<MemoryManager, Error> {
        Ok(self.0.clone())
    }
}

fn main() -> Result<()> {
    server::main(run)
}

fn run(backend: &str, case: &Case, run: &Run, outcome: &mut Outcome) -> Result<()> {
    match backend {
        "published" => cases::run(case.work, &Published, run, outcome),
        "sqlite" => cases::run(case.work, &Sqlite, run, outcome),
        "memory" => cases::run(case.work, &Memory::default(), run, outcome),
        other => bail!("no backend {other} in this binary; there are published, sqlite and memory"),
    }
}
