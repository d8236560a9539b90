//! RocksDB called directly: the ceiling of what any backend over it can reach.
//!
//! The options are this backend's: it creates the database, and RocksDB reads them back from the `OPTIONS` file. What
//! such a file cannot hold is made again (block cache, memory budget) or missing (statistics, the collector that looks
//! for deletions), so that bare RocksDB does a little less.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result, bail};
use ave_actors_rocksdb::{
    RocksDbManager,
    rocksdb::{BoundColumnFamily, Cache, DB, Env, Options, WriteBufferManager, WriteOptions},
};
use ave_actors_store::database::DbManager;
use ave_peer_cases::{
    MACHINE, Outcome, Run,
    cases::put::{self, Until},
    catalog::Work,
    data::Key,
};

const FAMILY: &str = "events";

pub(crate) fn run(work: Work, run: &Run, outcome: &mut Outcome) -> Result<()> {
    let dir = run.database("db")?;
    match work {
        Work::PutOff { threads } => measure(&dir, threads, false, put::until_off(threads, run), outcome),
        Work::PutOn { threads } => measure(&dir, threads, true, put::until_on(run), outcome),
        other => bail!("bare RocksDB only puts; {other:?} is not for it"),
    }
}

fn measure(dir: &Path, threads: u64, durability: bool, until: Until, outcome: &mut Outcome) -> Result<()> {
    let db = open(dir)?;
    let family = db.cf_handle(FAMILY).context("the column family was created")?;
    let logs = (0..threads).map(|_| log(&db, &family, durability)).collect();
    put::measure(logs, until, outcome)?;
    put::verify(threads, until, outcome, |_, key| {
        db.get_cf(&family, key.stored())?.context("nothing stored under an acknowledged key")
    })
}

fn log<'a>(
    db: &'a DB,
    family: &'a Arc<BoundColumnFamily<'_>>,
    durability: bool,
) -> impl FnMut(&Key, &[u8]) -> Result<()> + Send + 'a {
    let mut options = WriteOptions::default();
    options.set_sync(durability);
    move |key, value| Ok(db.put_cf_opt(family, key.stored(), value, &options)?)
}

/// Has the backend create the database, then opens it without the backend.
fn open(dir: &Path) -> Result<DB> {
    let manager = RocksDbManager::new(&dir.to_owned(), false, Some(MACHINE))?;
    let budget = usize::try_from(manager.tuning().memory_budget_bytes)?;
    let memtables = usize::try_from(manager.tuning().memtable_budget_bytes)?;
    drop(manager.create_collection(FAMILY, "nobody")?);
    drop(manager);

    // 0: the cache finds out how large its entries are.
    let cache = Cache::new_hyper_clock_cache(budget, 0);
    let (mut options, families) = Options::load_latest(dir, Env::new()?, false, cache.clone())?;
    let memtables = WriteBufferManager::new_write_buffer_manager_with_cache(memtables, false, cache);
    options.set_write_buffer_manager(&memtables);
    Ok(DB::open_cf_descriptors(&options, dir, families)?)
}
