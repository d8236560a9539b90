//! Runs one case against this backend, against RocksDB called directly with this backend's options, or against a file.

mod bare;
mod file;

use std::path::Path;

use anyhow::{Result, bail};
use ave_actors_rocksdb::{RocksDbManager, RocksDbStore};
use ave_actors_store::Error;
use ave_peer_cases::{Case, MACHINE, Outcome, Peer, Run, cases, server};

struct Ours;

impl Peer for Ours {
    type Collection = RocksDbStore;
    type State = RocksDbStore;
    type Manager = RocksDbManager;

    fn open(&self, dir: &Path, durability: bool) -> Result<RocksDbManager, Error> {
        RocksDbManager::new(&dir.to_owned(), durability, Some(MACHINE))
    }

    fn memory_budget(&self, manager: &RocksDbManager) -> Option<u64> {
        Some(manager.tuning().memory_budget_bytes)
    }
}

fn main() -> Result<()> {
    server::main(run)
}

fn run(backend: &str, case: &Case, run: &Run, outcome: &mut Outcome) -> Result<()> {
    match backend {
        "ours" => cases::run(case.work, &Ours, run, outcome),
        "bare" => bare::run(case.work, run, outcome),
        "file" => file::run(case.work, run, outcome),
        other => bail!("no backend {other} in this binary; there are ours, bare and file"),
    }
}
