//! Opening a database, its column families, and everything that concerns it as a whole.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use ave_actors_store::{
    Error, StoreOperation,
    config::{MachineSpec, resolve_spec},
    database::DbManager,
};
use rocksdb::{WaitForCompactOptions, checkpoint::Checkpoint};
use tracing::{debug, info, warn};

use super::{
    Durability, RocksDbStore,
    column::ColumnFamily,
    directory,
    engine::{Engine, Opened},
    error, options,
    stats::{self, ColumnFamilySize, EngineStats},
    tuning::Tuning,
};
use crate::machine;

/// One RocksDB database: opens it and hands out collections and states.
///
/// Clones are cheap and share the database. It is closed when the last clone and the last handle are dropped.
///
/// ```
/// use ave_actors_rocksdb::RocksDbManager;
/// use ave_actors_store::{
///     config::MachineSpec,
///     database::{Collection, DbManager},
/// };
///
/// let dir = tempfile::tempdir().unwrap();
/// let spec = MachineSpec::Custom { ram_mb: 1024, cpu_cores: 2 };
/// let mut manager = RocksDbManager::new(&dir.path().join("db"), true, Some(spec))?;
///
/// let mut events = manager.create_collection("events", "actor-1")?;
/// Collection::put(&mut events, "00000000000000000001", b"created")?;
/// assert_eq!(events.last()?, Some(("00000000000000000001".to_owned(), b"created".to_vec())));
///
/// manager.stop()?;
/// # Ok::<(), ave_actors_store::Error>(())
/// ```
#[derive(Clone)]
pub struct RocksDbManager {
    database: Arc<Database>,
}

/// What the clones of a manager share. Handles hold their column family, and with it the engine, but not this: a
/// family that knew the map it is kept in would keep itself alive.
struct Database {
    engine: Arc<Engine>,
    /// Every column family of the database by name. Only ever grows.
    families: RwLock<HashMap<String, Arc<ColumnFamily>>>,
    /// Held while a family is created, so that readers of the map need not wait for the disk.
    creation: Mutex<()>,
}

impl RocksDbManager {
    /// Opens the database in the directory `path`, or creates both.
    ///
    /// * `durability`: `true` makes every write wait for the disk, so that one that returned `Ok` survives a loss of
    ///   power. With `false` it survives the death of the process. Either way, what is there after a crash is what was
    ///   written up to some moment, without a hole.
    /// * `spec`: the machine to size the database for, of which it takes 5 % of the RAM and at most half of the cores.
    ///   `None` is this process's share of the host, see [`machine::process_share`].
    ///
    /// # Errors
    ///
    /// [`Error::CreateStore`], which names the path and the cause, if
    ///
    /// * the directory cannot be created, read or written,
    /// * it holds something other than a RocksDB database: nothing in it is changed,
    /// * it holds one that is broken: its data is left as it is,
    /// * the database is in use, by another process or by another manager of this one.
    // The contract's signature.
    #[allow(clippy::ptr_arg)]
    pub fn new(path: &PathBuf, durability: bool, spec: Option<MachineSpec>) -> Result<Self, Error> {
        Self::with_column_families(path, durability, spec, std::iter::empty::<String>())
    }

    /// Like [`RocksDbManager::new`], and creates those of the named column families that the database lacks.
    ///
    /// Nobody has to: handles create their column families. But each creation of its own takes the longer the more
    /// there are, tens of milliseconds at three hundred, because RocksDB writes down the options of all of them anew.
    /// Here that happens once. An application that knows its actor types can name theirs, which `ave-actors-store`
    /// calls `{type}_events`, `{type}_states` and `{type}_metadata`.
    ///
    /// ```
    /// # use ave_actors_rocksdb::RocksDbManager;
    /// # let dir = tempfile::tempdir().unwrap();
    /// let families = ["Account", "Transfer"].into_iter().flat_map(|actor_type| {
    ///     ["events", "states", "metadata"].map(|kind| format!("{actor_type}_{kind}"))
    /// });
    /// let manager = RocksDbManager::with_column_families(dir.path(), true, None, families)?;
    /// assert_eq!(manager.stats()?.column_families, 6 + 1);
    /// # Ok::<(), ave_actors_store::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`RocksDbManager::new`], also if a column family cannot be created.
    pub fn with_column_families<N: Into<String>>(
        path: &Path,
        durability: bool,
        spec: Option<MachineSpec>,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Self, Error> {
        let share = machine::process_share();
        let spec = match spec {
            Some(spec) => resolve_spec(Some(spec)),
            None => share.resolved(),
        };
        let tuning = Tuning::new(&spec, share.open_files);
        Self::open(path, Durability::from(durability), tuning, &names.into_iter().map(Into::into).collect())
    }

    fn open(path: &Path, durability: Durability, tuning: Tuning, wanted: &BTreeSet<String>) -> Result<Self, Error> {
        let Opened { engine, existing, new } = Engine::open(path, durability, tuning, wanted)?;
        let engine = Arc::new(engine);
        let existing = existing.into_iter().map(|name| (name, false));
        let families = existing
            .chain(new.into_iter().map(|name| (name, true)))
            .map(|(name, is_new)| Ok((name.clone(), Arc::new(find(&engine, &name, is_new)?))))
            .collect::<Result<HashMap<_, _>, Error>>()?;
        log_opening(&engine, durability, families.len());
        let database = Database { engine, families: RwLock::new(families), creation: Mutex::new(()) };
        Ok(Self { database: Arc::new(database) })
    }

    /// The directory the database lies in.
    pub fn path(&self) -> &Path {
        self.engine().path()
    }

    /// How the database is set up, and why.
    pub fn tuning(&self) -> &Tuning {
        self.engine().tuning()
    }

    /// What this opening could not read of the write-ahead logs and left out, in bytes. 0 if nothing is missing.
    ///
    /// After a loss of power it may be the write that was under way, which was never acknowledged. After anything else
    /// it means that the logs were damaged: what they held from there on is lost. The file `LOG` in the database's
    /// directory says which log, and why.
    pub fn unreadable_log_bytes(&self) -> u64 {
        self.engine().unreadable_log_bytes()
    }

    /// What the database is doing.
    ///
    /// Costs a few microseconds per column family and per file: for every second, not for every write.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if RocksDB does not answer.
    pub fn stats(&self) -> Result<EngineStats, Error> {
        stats::collect(self.engine(), &self.families())
    }

    /// What each column family takes on the disk, in the order of their names. Memtables and logs are not in it.
    ///
    /// ```
    /// # use ave_actors_rocksdb::RocksDbManager;
    /// # use ave_actors_store::database::{DbManager, State};
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let manager = RocksDbManager::new(&dir.path().join("db"), false, None)?;
    /// State::put(&mut manager.create_state("snapshots", "actor-1")?, b"state")?;
    /// manager.compact()?;
    /// let sizes = manager.column_family_sizes()?;
    /// assert_eq!(sizes[1].name, "snapshots");
    /// assert!(sizes[1].bytes() > 0);
    /// # Ok::<(), ave_actors_store::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if RocksDB does not answer.
    pub fn column_family_sizes(&self) -> Result<Vec<ColumnFamilySize>, Error> {
        stats::family_sizes(self.engine(), &self.families())
    }

    /// Rewrites every column family once, so that nothing is left in its files of what was overwritten or deleted.
    /// Nobody has to: compactions do so little by little. It tells what the data alone takes, and gives space back at
    /// once after much was deleted.
    ///
    /// Reads and rewrites the whole database, some 10 s per GB, and needs the space of its largest column family
    /// meanwhile. Large values are rewritten only where compactions would: see [`Tuning::blob_gc_percent`].
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if a file cannot be written. Nothing is lost then.
    pub fn compact(&self) -> Result<(), Error> {
        debug!(path = %self.path().display(), "compacting everything");
        let options = options::compact_options();
        for family in self.families() {
            self.engine().db().compact_range_cf_opt(family.handle(), None::<&[u8]>, None::<&[u8]>, &options);
        }
        // The call above does not say whether it failed. RocksDB holds on to the error, and says it here.
        self.engine()
            .change(|db| db.wait_for_compact(&WaitForCompactOptions::default()))
            .map_err(|cause| error::database(self.engine().site(), StoreOperation::RocksdbOperation, "compact", &cause))
    }

    /// Writes a copy of the database, as of now, to the directory `path`, which must not exist yet. The copy is a
    /// database of its own.
    ///
    /// On the same file system, files are linked instead of copied: it takes moments and hardly any space. Writers are
    /// not held back.
    ///
    /// ```
    /// # use ave_actors_rocksdb::RocksDbManager;
    /// # use ave_actors_store::database::{DbManager, State};
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let manager = RocksDbManager::new(&dir.path().join("db"), false, None)?;
    /// State::put(&mut manager.create_state("snapshots", "actor-1")?, b"state")?;
    /// let backup = dir.path().join("backup");
    /// manager.checkpoint(&backup)?;
    ///
    /// let copy = RocksDbManager::new(&backup, false, None)?;
    /// assert_eq!(State::get(&copy.create_state("snapshots", "actor-1")?)?, b"state");
    /// # Ok::<(), ave_actors_store::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if `path` exists, if the directory it would lie in does not, or if it cannot be written.
    pub fn checkpoint(&self, path: &Path) -> Result<(), Error> {
        debug!(from = %self.path().display(), to = %path.display(), "writing checkpoint");
        directory::examine_target(path)?;
        let what = format!("write to {} a checkpoint of", path.display());
        self.engine()
            .change(|db| Checkpoint::new(db)?.create_checkpoint(path))
            .map_err(|cause| error::database(self.engine().site(), StoreOperation::RocksdbOperation, &what, &cause))
    }

    fn engine(&self) -> &Engine {
        &self.database.engine
    }

    fn families(&self) -> Vec<Arc<ColumnFamily>> {
        self.database.families.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn existing(&self, name: &str) -> Option<Arc<ColumnFamily>> {
        self.database.families.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The column family of this name, created if it does not exist.
    fn family(&self, name: &str) -> Result<Arc<ColumnFamily>, Error> {
        match self.existing(name) {
            Some(family) => Ok(family),
            None => self.create_family(name),
        }
    }

    fn create_family(&self, name: &str) -> Result<Arc<ColumnFamily>, Error> {
        let _alone = self.database.creation.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have created it while this one waited.
        if let Some(family) = self.existing(name) {
            return Ok(family);
        }
        let engine = &self.database.engine;
        engine.create_column_family(name, self.families().len())?;
        let family = Arc::new(find(engine, name, true)?);
        let mut families = self.database.families.write().unwrap_or_else(PoisonError::into_inner);
        families.insert(name.to_owned(), Arc::clone(&family));
        debug!(column_family = name, "created column family");
        Ok(family)
    }

    /// Flushes of different column families share the background threads instead of waiting for each other: all are
    /// started, then all are waited for.
    fn flush(&self) -> Result<(), Error> {
        let mut result = Ok(());
        for options in [options::flush_options(false), options::flush_options(true)] {
            for family in self.families() {
                let flushed = self.engine().change(|db| db.flush_cf_opt(family.handle(), &options));
                let flushed = flushed.map_err(|cause| {
                    let what = "flush of the memtable";
                    error::write(family.site(), family.name(), what, &cause)
                });
                // One family that cannot be flushed is no reason to leave the others to the log.
                result = result.and(flushed);
            }
        }
        result
    }
}

fn find(engine: &Arc<Engine>, name: &str, is_new: bool) -> Result<ColumnFamily, Error> {
    ColumnFamily::find(engine, name, is_new)
        .ok_or_else(|| error::create(format!("RocksDB does not know column family '{name}' although it was opened")))
}

fn log_opening(engine: &Engine, durability: Durability, column_families: usize) {
    let tuning = engine.tuning();
    info!(
        path = %engine.path().display(),
        ?durability,
        column_families,
        ram_bytes = tuning.ram_bytes,
        cpu_cores = tuning.cpu_cores,
        memory_budget_bytes = tuning.memory_budget_bytes,
        memtable_budget_bytes = tuning.memtable_budget_bytes,
        max_wal_bytes = tuning.max_wal_bytes,
        max_open_files = tuning.max_open_files,
        flush_jobs = tuning.flush_jobs,
        compaction_jobs = tuning.compaction_jobs,
        "opened RocksDB database"
    );
    for setting in tuning.settings() {
        debug!(%setting, "tuning");
    }
    if engine.unreadable_log_bytes() > 0 {
        warn!(
            path = %engine.path().display(),
            bytes = engine.unreadable_log_bytes(),
            "the opening left out what it could not read of the write-ahead logs: see the file LOG"
        );
    }
}

impl DbManager<RocksDbStore, RocksDbStore> for RocksDbManager {
    /// The collection `prefix` in the column family `name`, which is created if it does not exist.
    ///
    /// # Errors
    ///
    /// [`Error::CreateStore`] if the column family cannot be created.
    fn create_collection(&self, name: &str, prefix: &str) -> Result<RocksDbStore, Error> {
        debug!(column_family = name, prefix, "collection");
        Ok(RocksDbStore::new(self.family(name)?, prefix))
    }

    /// The state `prefix` in the column family `name`, which is created if it does not exist.
    ///
    /// A state is stored under its prefix alone. Give states and collections different column families, as
    /// `ave-actors-store` does: in one family, the state `a.b` and the entry `b` of the collection `a` are the same.
    ///
    /// # Errors
    ///
    /// [`Error::CreateStore`] if the column family cannot be created.
    fn create_state(&self, name: &str, prefix: &str) -> Result<RocksDbStore, Error> {
        debug!(column_family = name, prefix, "state");
        Ok(RocksDbStore::new(self.family(name)?, prefix))
    }

    /// Flushes the write-ahead log to the disk, then every memtable to SST files, so that the next opening has nothing
    /// to replay. Can be called again; handles can be used afterwards.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if the log or a memtable cannot be written. If the log could, nothing is lost: the next
    /// opening replays what is missing.
    fn stop(&mut self) -> Result<(), Error> {
        debug!(path = %self.path().display(), "stopping");
        let engine = self.engine();
        engine
            .change(|db| db.flush_wal(true))
            .map_err(|cause| error::database(engine.site(), StoreOperation::FlushWal, "flush the log of", &cause))?;
        self.flush()
    }
}

impl fmt::Debug for RocksDbManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RocksDbManager").field("path", &self.path()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ave_actors_store::{
        database::{Collection, State},
        test_store_trait,
    };

    impl Default for RocksDbManager {
        fn default() -> Self {
            let path = tempfile::tempdir().unwrap().keep();
            Self::new(&path, false, None).unwrap()
        }
    }

    test_store_trait! {
        store_trait: crate::RocksDbManager: RocksDbStore
    }
}
