//! Opens a database, creates its column families, and runs operations on the whole database.

use std::{
    collections::{BTreeSet, HashMap},
    fmt, fs, io,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use ave_actors_store::{
    Error, StoreOperation,
    config::{MachineSpec, resolve_spec},
    database::DbManager,
};
use rocksdb::{DB, DEFAULT_COLUMN_FAMILY_NAME, WaitForCompactOptions, checkpoint::Checkpoint};
use tracing::{debug, info, warn};

use super::{
    Durability, RocksDbStore,
    actor_sizes::{self, ActorSizes},
    backup_list::{self, LastBackup},
    backups::{Backup, Backups},
    column::ColumnFamily,
    directory,
    engine::{Engine, Opened},
    error, load_files,
    nested_scan::Scan,
    options,
    progress::Progress,
    recording::Recording,
    scrub::{self, Scrub},
    stats::{self, ColumnFamilySize, EngineStats, Latencies},
    tuning::Tuning,
};
use crate::{
    files::{directory_of, sync_directory},
    machine,
};

/// One RocksDB database: opens it and creates handles of collections and states.
///
/// Clones are cheap and share the database. It closes when the last clone and the last handle are dropped.
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

/// The state that the clones of a manager share. Handles reference their column family, and through it the engine, but
/// not this: a family that referenced the map which contains it would never be dropped.
struct Database {
    _nested_scan: Option<Scan>,
    recording: Recording,
    engine: Arc<Engine>,
    /// Every column family of the database by name.
    families: RwLock<HashMap<String, Arc<ColumnFamily>>>,
    /// Locked while a family is created or dropped, so that readers of `families` do not wait for the disk.
    creation: Mutex<()>,
}

impl RocksDbManager {
    /// Opens the database in the directory `path`, or creates both.
    ///
    /// * `durability`: with `true`, every write waits for the disk, and a write that returned `Ok` survives a power
    ///   loss. With `false`, it survives a crash of the process. In both modes, a crash leaves all writes up to some
    ///   point in time and none after it.
    /// * `spec`: the machine to size the database for. The database uses 5 % of its RAM, at least 32 MiB, and half of
    ///   its cores, 1 to 4, for compactions. `None` is this process's share of the host, see
    ///   [`machine::process_share`].
    ///
    /// With the feature `trace`, the environment variable `AVE_TRACE_DIR` names a directory for a recording of all
    /// operations, which needs no change of the application: the manual has a page on it.
    ///
    /// # Errors
    ///
    /// [`Error::CreateStore`], which names the path and the cause, if
    ///
    /// * the directory cannot be created, read or written,
    /// * it contains files but no RocksDB database; they are not changed,
    /// * the database is broken; its data is not changed,
    /// * the database is in use, by another process or by another manager of this one,
    /// * the open-file limit of this process is below 128,
    /// * the directory in `AVE_TRACE_DIR` takes no recording.
    // The signature of the published release.
    #[allow(clippy::ptr_arg)]
    pub fn new(path: &PathBuf, durability: bool, spec: Option<MachineSpec>) -> Result<Self, Error> {
        Self::with_column_families(path, durability, spec, std::iter::empty::<String>())
    }

    /// Like [`RocksDbManager::new`], and also creates those of the named column families that do not exist.
    ///
    /// Optional: handles create their column families. But RocksDB rewrites the options of all column families for each
    /// one it creates, which takes tens of milliseconds at three hundred. This function creates all of them at once. An
    /// application that knows its actor types can pass their column families, which `ave-actors-store` names
    /// `{type}_events`, `{type}_states` and `{type}_metadata`.
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
    /// Those of [`RocksDbManager::new`], and [`Error::CreateStore`] if a column family cannot be created: for example, a
    /// name is empty or contains a NUL character.
    pub fn with_column_families<N: Into<String>>(
        path: &Path,
        durability: bool,
        spec: Option<MachineSpec>,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Self, Error> {
        let names = names.into_iter().map(Into::into).collect();
        Self::open(path, Durability::from(durability), tuning_for(spec), &names)
    }

    /// Opens an existing database for reading. Changes no file in `path`: use it to look at a backup, at a checkpoint,
    /// or at a database that another process has open.
    ///
    /// The manager sees the database as it is at this moment; the logs are replayed in memory, of at most
    /// [`Tuning::max_wal_bytes`]. Writes and everything else that changes the database fail, as do handles of column
    /// families that do not exist; [`stop`](DbManager::stop) does nothing. `spec` is that of [`RocksDbManager::new`].
    ///
    /// Beside a process that writes to the database, the opening or a later read can fail because that process has
    /// deleted a file. Open it again then, or look at a checkpoint.
    ///
    /// ```
    /// # use ave_actors_rocksdb::RocksDbManager;
    /// # use ave_actors_store::database::{DbManager, State};
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let path = dir.path().join("db");
    /// let manager = RocksDbManager::new(&path, true, None)?;
    /// State::put(&mut manager.create_state("snapshots", "actor-1")?, b"state")?;
    ///
    /// let reader = RocksDbManager::open_read_only(&path, None)?;
    /// let mut state = reader.create_state("snapshots", "actor-1")?;
    /// assert_eq!(State::get(&state)?, b"state");
    /// assert!(State::put(&mut state, b"changed").is_err());
    /// # Ok::<(), ave_actors_store::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::CreateStore`] if there is no database, if it is broken, or if it cannot be read.
    pub fn open_read_only(path: &Path, spec: Option<MachineSpec>) -> Result<Self, Error> {
        Self::with_engine(Engine::open_read_only(path, tuning_for(spec))?, Recording::default())
    }

    fn open(path: &Path, durability: Durability, tuning: Tuning, required: &BTreeSet<String>) -> Result<Self, Error> {
        let opened = Engine::open(path, durability, tuning, required)?;
        let recording = Recording::of_environment(opened.engine.path())?;
        Self::with_engine(opened, recording)
    }

    fn with_engine(opened: Opened, recording: Recording) -> Result<Self, Error> {
        let Opened { engine, names } = opened;
        let engine = Arc::new(engine);
        let families = names
            .into_iter()
            .map(|name| Ok((name.clone(), Arc::new(find(&engine, &name)?))))
            .collect::<Result<HashMap<_, _>, Error>>()?;
        log_opening(&engine, families.len());
        let nested_scan = if engine.is_read_only() { None } else { start_nested_scan(families.values())? };
        let (families, creation) = (RwLock::new(families), Mutex::new(()));
        let database = Database { engine, recording, families, creation, _nested_scan: nested_scan };
        let manager = Self { database: Arc::new(database) };
        if manager.engine().is_read_only() {
            load_files::check_complete(manager.engine())?;
        } else {
            load_files::recover(manager.engine(), |name| manager.family(name))?;
        }
        Ok(manager)
    }

    /// The directory of the database: absolute, without symbolic links and `..`.
    pub fn path(&self) -> &Path {
        self.engine().path()
    }

    /// The recorder that `AVE_TRACE_DIR` has started, for its counters. `None` without it.
    #[cfg(feature = "trace")]
    pub fn recorder(&self) -> Option<&crate::trace::Recorder> {
        self.database.recording.recorder()
    }

    /// The settings of the database, with their reasons.
    pub fn tuning(&self) -> &Tuning {
        self.engine().tuning()
    }

    /// Whether a durable write in a task of a multi-thread tokio runtime releases its worker thread to other tasks while
    /// it waits for the disk. Default: `true`. Applies to all clones and handles; no effect with durability off.
    ///
    /// All writes that wait at the same time share one sync, so many busy actors write several times as fast. The price
    /// is one more thread of the runtime per waiting write, at most its `max_blocking_threads` (default 512). With
    /// `false`, at most as many writes wait as the runtime has worker threads.
    pub fn release_worker_threads(&self, enabled: bool) {
        self.engine().release_worker_threads(enabled);
    }

    /// Reports each operation of a handle that takes at least `threshold` as a `tracing` event of level `WARN`, with its
    /// name, column family, prefix and duration, but no value. Default: `None`, which reports nothing and reads no clock.
    /// Applies to all clones and handles. Of an iteration, only its start counts.
    ///
    /// ```
    /// # use ave_actors_rocksdb::RocksDbManager;
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let manager = RocksDbManager::new(&dir.path().join("db"), false, None)?;
    /// manager.warn_of_slow_operations(Some(std::time::Duration::from_millis(100)));
    /// # Ok::<(), ave_actors_store::Error>(())
    /// ```
    pub fn warn_of_slow_operations(&self, threshold: Option<Duration>) {
        self.engine().slow_operations().set_threshold(threshold);
    }

    /// Bytes of the write-ahead logs that were skipped when the database was opened. Normally 0.
    ///
    /// After a power loss these may be an incomplete write, which was never acknowledged; [`RocksDbManager::lost_logs`]
    /// is `None` then. The file `LOG` in the directory of the database names the log file and the reason.
    pub fn unreadable_log_bytes(&self) -> u64 {
        self.engine().unreadable_log_bytes()
    }

    /// The directory with the write-ahead logs of writes that were complete, but follow a damaged record and were
    /// therefore lost when the database was opened, now or earlier. `None` if there are none.
    ///
    /// An application that must not continue after a loss stops here, before its first write, and restores a backup. The
    /// directory, `lost-logs-…` in that of the database, remains until it is deleted, so a restart does not hide the
    /// loss.
    pub fn lost_logs(&self) -> Option<&Path> {
        self.engine().lost_logs()
    }

    /// Current statistics. The first call after an open starts the counters at 0.
    ///
    /// Costs a few microseconds per column family and per file: call it every second, not for every write.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if RocksDB cannot read a property or list its files.
    pub fn stats(&self) -> Result<EngineStats, Error> {
        stats::collect(self.engine(), &self.families())
    }

    /// Latencies of syncs and flushes since the first call, which starts the histograms: call it when the application
    /// starts, or not at all. From then on RocksDB also times every read and write, which takes longer by a fraction of a
    /// microsecond; see the manual for figures.
    ///
    /// ```
    /// # use ave_actors_rocksdb::RocksDbManager;
    /// # use ave_actors_store::database::{DbManager, State};
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let manager = RocksDbManager::new(&dir.path().join("db"), true, None)?;
    /// manager.latencies();
    /// State::put(&mut manager.create_state("snapshots", "actor-1")?, b"state")?;
    /// assert_eq!(manager.latencies().wal_sync.count, 1);
    /// # Ok::<(), ave_actors_store::Error>(())
    /// ```
    pub fn latencies(&self) -> Latencies {
        stats::latencies(self.engine())
    }

    /// The number of actors, and the `largest` ones with their approximate sizes.
    ///
    /// Takes a seek per actor and column family: 0.4 s for 100,000 actors whose tables are in memory. For events the size is
    /// RocksDB's estimate of the compressed bytes in tables, to the block; memtables and large values are not in it. For
    /// states it is the size of the value. Column families are expected to have the names that `ave-actors-store` gives
    /// them. An actor whose name continues that of another with a dot and a digit may be missing.
    ///
    /// ```
    /// # use ave_actors_rocksdb::RocksDbManager;
    /// # use ave_actors_store::database::{DbManager, State};
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let manager = RocksDbManager::new(&dir.path().join("db"), false, None)?;
    /// State::put(&mut manager.create_state("Account_states", "alice")?, &[0; 1000])?;
    /// let sizes = manager.actor_sizes(10)?;
    /// assert_eq!(sizes.actors, 1);
    /// assert_eq!((&*sizes.largest[0].actor_type, &*sizes.largest[0].name), ("Account", "alice"));
    /// assert_eq!(sizes.largest[0].approximate_bytes, 5 + 1000);
    /// # Ok::<(), ave_actors_store::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if RocksDB cannot read its files.
    pub fn actor_sizes(&self, largest: usize) -> Result<ActorSizes, Error> {
        actor_sizes::collect(self.engine(), &self.families(), largest)
    }

    /// The version of RocksDB that last opened the database for writing, such as `11.8.1`. `None` if it is not known.
    pub fn rocksdb_version(&self) -> Option<String> {
        directory::rocksdb_version(self.path())
    }

    /// Disk space of each column family, sorted by name. Excludes memtables and write-ahead logs.
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
    /// [`Error::Store`] if RocksDB cannot read a property or list its files.
    pub fn column_family_sizes(&self) -> Result<Vec<ColumnFamilySize>, Error> {
        stats::family_sizes(self.engine(), &self.families())
    }

    /// Deletes a column family with all its entries, which frees its disk space soon after. Not undone by anything but a
    /// backup. Drop all handles of the family first.
    ///
    /// ```
    /// # use ave_actors_rocksdb::RocksDbManager;
    /// # use ave_actors_store::database::{DbManager, State};
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let manager = RocksDbManager::new(&dir.path().join("db"), false, None)?;
    /// State::put(&mut manager.create_state("OldActor_states", "actor-1")?, b"state")?;
    /// manager.drop_column_family("OldActor_states")?;
    /// assert_eq!(manager.stats()?.column_families, 1);
    /// # Ok::<(), ave_actors_store::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if there is no such family, if it is `default`, if a handle or another operation uses it, or if
    /// the manifest cannot be written.
    pub fn drop_column_family(&self, name: &str) -> Result<(), Error> {
        let engine = self.engine();
        engine.check_writable("drop a column family of")?;
        if name == DEFAULT_COLUMN_FAMILY_NAME {
            return Err(error::not_droppable(self.path(), name, "RocksDB needs it"));
        }
        let _guard = self.database.creation.lock().unwrap_or_else(PoisonError::into_inner);
        let family = self.take_unused_family(name)?;
        debug!(column_family = name, "dropping column family");
        if let Err(cause) = engine.run(|db| db.drop_cf(name)) {
            let failed = error::operation(engine.error_context(), name, "drop", &cause);
            self.lock_families_for_change().insert(name.to_owned(), family);
            return Err(failed);
        }
        engine.memtables().remove_family(family.handle());
        Ok(())
    }

    /// Removes a family that has no handle from the map. Statistics use each family for a moment, so it tries for a
    /// while.
    fn take_unused_family(&self, name: &str) -> Result<Arc<ColumnFamily>, Error> {
        const ATTEMPTS: u32 = 100;
        for _ in 0..ATTEMPTS {
            let mut families = self.lock_families_for_change();
            match families.remove(name) {
                None => return Err(error::not_droppable(self.path(), name, "it does not exist")),
                Some(family) if Arc::strong_count(&family) == 1 => return Ok(family),
                Some(family) => drop(families.insert(name.to_owned(), family)),
            }
            drop(families);
            thread::sleep(Duration::from_millis(10));
        }
        Err(error::not_droppable(self.path(), name, "it is in use. Drop its handles first"))
    }

    /// Rewrites every column family once, which removes overwritten and deleted entries from its files. Optional:
    /// background compactions do the same gradually. Use it to measure the size of the data, or to free disk space soon
    /// after many deletions.
    ///
    /// Reads and rewrites the whole database, about 10 s per GB. Meanwhile it needs additional disk space of the size
    /// of the largest column family. It rewrites large values only as far as compactions would, see
    /// [`Tuning::blob_gc_percent`].
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if a file cannot be written. No data is lost.
    pub fn compact(&self) -> Result<(), Error> {
        self.engine().check_writable("compact")?;
        debug!(path = %self.path().display(), "compacting all column families");
        self.compact_families(&self.families())
    }

    pub(super) fn compact_families(&self, families: &[Arc<ColumnFamily>]) -> Result<(), Error> {
        let options = options::compact_options();
        for family in families {
            self.engine().db().compact_range_cf_opt(family.handle(), None::<&[u8]>, None::<&[u8]>, &options);
        }
        // The calls above do not return errors. RocksDB stores the error, and this call returns it.
        let wait = WaitForCompactOptions::default();
        self.run(StoreOperation::RocksdbOperation, "compact", |db| db.wait_for_compact(&wait))
    }

    /// Writes a consistent copy of the database to the directory `path`, which must not exist. The copy is an
    /// independent database.
    ///
    /// On the same file system, files are hard-linked instead of copied, which is fast and takes little space. Writers
    /// do not wait.
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
    /// [`Error::Store`] if `path` exists, if its parent directory does not, or if either cannot be written to disk.
    pub fn checkpoint(&self, path: &Path) -> Result<(), Error> {
        self.engine().check_writable("write a checkpoint of")?;
        debug!(from = %self.path().display(), to = %path.display(), "writing checkpoint");
        directory::check_checkpoint_target(path)?;
        self.create_checkpoint(path)?;
        sync_directory(directory_of(path)).map_err(|cause| {
            error::checkpoint_target(path, &format!("its parent directory cannot be synced to disk: {cause}"))
        })
    }

    /// Writes a verified backup, while writers continue, and then deletes old ones as [`Backups::keep`] says. Contains
    /// every write that was acknowledged before the call, with durability off as well.
    ///
    /// Copies what the previous backup does not have, syncs it, and reads it back. Meanwhile the database keeps the space
    /// of files that it no longer needs. Blocks its thread for the duration: a service calls it in one of its own.
    ///
    /// # Errors
    ///
    /// [`Error::Store`], with all earlier backups unchanged,
    ///
    /// * if the directory has files, but no backups, or has backups of another database,
    /// * if another backup is being written to it or restored from it,
    /// * if memtables cannot be flushed, or the backup cannot be written or verified,
    /// * if `observer` has ended the backup,
    /// * if the database is open read-only.
    ///
    /// Also if the backup is complete, but an old one cannot be deleted; the message says so.
    pub fn backup(
        &self,
        backups: &Backups,
        mut observer: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Backup, Error> {
        self.engine().check_writable("back up")?;
        debug!(from = %self.path().display(), to = %backups.path().display(), "writing a backup");
        let identity = self.engine().db().get_db_identity().map_err(|cause| {
            let context = self.engine().error_context();
            error::database(context, StoreOperation::RocksdbOperation, "read the identity of", &cause)
        })?;
        let new = backups.begin(&String::from_utf8_lossy(&identity))?;
        let backup = self.with_checkpoint(|checkpoint| new.write(checkpoint, &mut observer))?;
        info!(path = %backup.path.display(), bytes = backup.bytes, copied_bytes = backup.copied_bytes, "wrote a backup");
        let recorded =
            fs::canonicalize(&backup.path).and_then(|path| backup_list::write_last(self.path(), backup.created, &path));
        if let Err(cause) = recorded {
            warn!(path = %self.path().display(), %cause, "cannot record the backup in the database");
        }
        Ok(backup)
    }

    /// The last backup that [`RocksDbManager::backup`] wrote of this database. `None` if there is none.
    pub fn last_backup(&self) -> Option<LastBackup> {
        backup_list::read_last(self.path())
    }

    /// Like [`scrub`](super::scrub()), for this database, while writers continue. Flushes all memtables first.
    ///
    /// # Errors
    ///
    /// Those of [`scrub`](super::scrub()), and [`Error::Store`] if the memtables cannot be flushed.
    pub fn scrub(
        &self,
        bytes_per_second: Option<u64>,
        observer: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Scrub, Error> {
        if self.engine().is_read_only() {
            return scrub::scrub(self.path(), bytes_per_second, observer);
        }
        let mut result = self.with_checkpoint(|checkpoint| scrub::scrub(checkpoint, bytes_per_second, observer))?;
        for damage in &mut result.damage {
            damage.file = self.path().join(damage.file.file_name().unwrap_or_default());
        }
        Ok(result)
    }

    /// Runs an operation on a checkpoint in the directory of the database, and removes the checkpoint.
    fn with_checkpoint<R>(&self, run: impl FnOnce(&Path) -> Result<R, Error>) -> Result<R, Error> {
        static CHECKPOINTS: AtomicU64 = AtomicU64::new(0);
        let path = directory::transient_checkpoint(self.path(), CHECKPOINTS.fetch_add(1, Ordering::Relaxed));
        let result = self.create_checkpoint(&path).and_then(|()| run(&path));
        // RocksDB has removed it after an error of its own.
        if let Err(cause) = fs::remove_dir_all(&path)
            && cause.kind() != io::ErrorKind::NotFound
        {
            warn!(path = %path.display(), %cause, "cannot remove a checkpoint. The next opening tries again");
        }
        result
    }

    fn create_checkpoint(&self, path: &Path) -> Result<(), Error> {
        let action = format!("write to {} a checkpoint of", path.display());
        self.run(StoreOperation::RocksdbOperation, &action, |db| Checkpoint::new(db)?.create_checkpoint(path))
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.database.engine
    }

    /// Runs an operation on the whole database. `action` is its verb and object, for the error message.
    fn run(
        &self,
        operation: StoreOperation,
        action: &str,
        run: impl FnOnce(&DB) -> Result<(), rocksdb::Error>,
    ) -> Result<(), Error> {
        let engine = self.engine();
        engine.run(run).map_err(|cause| error::database(engine.error_context(), operation, action, &cause))
    }

    fn lock_families(&self) -> RwLockReadGuard<'_, HashMap<String, Arc<ColumnFamily>>> {
        self.database.families.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_families_for_change(&self) -> RwLockWriteGuard<'_, HashMap<String, Arc<ColumnFamily>>> {
        self.database.families.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn families(&self) -> Vec<Arc<ColumnFamily>> {
        self.lock_families().values().cloned().collect()
    }

    fn existing(&self, name: &str) -> Option<Arc<ColumnFamily>> {
        self.lock_families().get(name).cloned()
    }

    /// The column family `name`. Creates it if it does not exist.
    pub(super) fn family(&self, name: &str) -> Result<Arc<ColumnFamily>, Error> {
        match self.existing(name) {
            Some(family) => Ok(family),
            None => self.create_family(name),
        }
    }

    fn create_family(&self, name: &str) -> Result<Arc<ColumnFamily>, Error> {
        let _guard = self.database.creation.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have created it while this one waited for the lock.
        if let Some(family) = self.existing(name) {
            return Ok(family);
        }
        let engine = &self.database.engine;
        engine.create_column_family(name, self.families().len())?;
        let family = Arc::new(find(engine, name)?);
        self.lock_families_for_change().insert(name.to_owned(), Arc::clone(&family));
        debug!(column_family = name, "created column family");
        Ok(family)
    }

    pub(super) fn sync_log(&self) -> Result<(), Error> {
        self.run(StoreOperation::FlushWal, "sync the write-ahead log of", |db| db.flush_wal(true))
    }

    /// Flushes every memtable. Starts all flushes before it waits for them, so that they run in parallel.
    fn flush(&self) -> Result<(), Error> {
        let families = self.families();
        let flush = |family: &ColumnFamily, wait| {
            self.engine().modify(|db| db.flush_cf_opt(family.handle(), &options::flush_options(wait)))
        };
        for family in &families {
            // RocksDB starts no flush while writes are stopped. The second pass waits, and returns the errors.
            drop(flush(family, false));
        }
        let finish = |family: &Arc<ColumnFamily>| {
            flush(family, true).map_err(|cause| family.failed("flush of the memtable", &cause))
        };
        // A failed flush of one family does not prevent the flushes of the others.
        families.iter().map(finish).fold(Ok(()), Result::and)
    }
}

fn find(engine: &Arc<Engine>, name: &str) -> Result<ColumnFamily, Error> {
    let family = ColumnFamily::find(engine, name)
        .ok_or_else(|| error::create(format!("RocksDB has no handle of the open column family '{name}'")))?;
    family
        .nested_prefixes()
        .read_complete()
        .map_err(|cause| error::create_column_family(engine.error_context(), name, &cause))?;
    Ok(family)
}

/// Scans the families of a database that an earlier release wrote.
fn start_nested_scan<'a>(families: impl Iterator<Item = &'a Arc<ColumnFamily>>) -> Result<Option<Scan>, Error> {
    let all = families.map(|family| family.nested_prefixes());
    let incomplete: Vec<_> = all.filter(|nested| !nested.is_complete()).cloned().collect();
    let scan = (!incomplete.is_empty()).then(|| Scan::start(incomplete)).transpose();
    scan.map_err(|cause| error::create(format!("cannot start the thread that finds nested prefixes: {cause}")))
}

fn tuning_for(spec: Option<MachineSpec>) -> Tuning {
    let share = machine::process_share();
    let spec = match spec {
        Some(spec) => resolve_spec(Some(spec)),
        None => share.resolved(),
    };
    Tuning::new(&spec, share.open_files)
}

fn log_opening(engine: &Engine, column_families: usize) {
    let tuning = engine.tuning();
    info!(
        path = %engine.path().display(),
        durability = ?engine.durability(),
        read_only = engine.is_read_only(),
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
            "skipped unreadable data of the write-ahead logs. The file LOG in this directory has the reason"
        );
    }
}

impl DbManager<RocksDbStore, RocksDbStore> for RocksDbManager {
    /// Creates a handle of the collection `prefix` in the column family `name`. Creates the family if it does not
    /// exist.
    ///
    /// # Errors
    ///
    /// [`Error::CreateStore`] if the column family cannot be created: for example, its name is empty or contains a NUL
    /// character. [`Error::Store`] if the prefix has a dot, is new, and cannot be registered in the database.
    fn create_collection(&self, name: &str, prefix: &str) -> Result<RocksDbStore, Error> {
        debug!(column_family = name, prefix, "creating a collection handle");
        let create = || RocksDbStore::new(self.family(name)?, prefix);
        self.database.recording.collection(name, prefix, create).map(|(store, calls)| store.recorded(calls))
    }

    /// Creates a handle of the state `prefix` in the column family `name`. Creates the family if it does not exist.
    ///
    /// Use different column families for states and collections, as `ave-actors-store` does: a state is stored under
    /// its prefix alone, so in one family the state `a.b` and the entry `b` of the collection `a` are the same.
    ///
    /// # Errors
    ///
    /// [`Error::CreateStore`] if the column family cannot be created: for example, its name is empty or contains a NUL
    /// character. [`Error::Store`] if the prefix has a dot, is new, and cannot be registered in the database.
    fn create_state(&self, name: &str, prefix: &str) -> Result<RocksDbStore, Error> {
        debug!(column_family = name, prefix, "creating a state handle");
        let create = || RocksDbStore::new(self.family(name)?, prefix);
        self.database.recording.state(name, prefix, create).map(|(store, calls)| store.recorded(calls))
    }

    /// Syncs the write-ahead log to disk, then flushes every memtable to SST files, so that the next open has no log to
    /// replay. Can be called more than once; handles stay usable. Completes a recording, see
    /// [`RocksDbManager::new`]: later calls are not in it.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if the log or a memtable cannot be written. If only a memtable cannot, no data is lost: the
    /// next open replays the log.
    fn stop(&mut self) -> Result<(), Error> {
        if self.engine().is_read_only() {
            return Ok(());
        }
        debug!(path = %self.path().display(), "syncing the log and flushing all memtables");
        self.database.recording.finish();
        self.sync_log()?;
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
    use std::hash::{BuildHasher, RandomState};

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

    fn open(dir: &tempfile::TempDir) -> RocksDbManager {
        RocksDbManager::new(&dir.path().join("db"), false, None).unwrap()
    }

    /// Stops all writes by the number of files in level 0, below the number that a compaction would start at.
    fn stop_writes(manager: &RocksDbManager) {
        let mut stalled = manager.create_collection("stalled", "actor").unwrap();
        Collection::put(&mut stalled, "01", b"event").unwrap();
        let family = manager.existing("stalled").unwrap();
        let db = manager.engine().db();
        let triggers = [
            ("level0_file_num_compaction_trigger", "100"),
            ("level0_slowdown_writes_trigger", "1"),
            ("level0_stop_writes_trigger", "1"),
        ];
        db.set_options_cf(family.handle(), &triggers).unwrap();
        db.flush_cf(family.handle()).unwrap();
        assert!(manager.stats().unwrap().write_stopped);
    }

    #[test]
    fn stop_flushes_every_memtable_while_writes_are_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let mut manager = open(&dir);
        let mut events = manager.create_collection("events", "actor").unwrap();
        Collection::put(&mut events, "01", b"event").unwrap();
        stop_writes(&manager);
        assert_eq!(manager.stop(), Ok(()));
        let family = manager.existing("events").unwrap();
        let entries = rocksdb::properties::NUM_ENTRIES_ACTIVE_MEM_TABLE;
        assert_eq!(manager.engine().db().property_int_value_cf(family.handle(), entries), Ok(Some(0)));
        assert!(!manager.engine().is_stopped());
    }

    #[test]
    fn only_a_database_larger_than_the_memory_partitions_its_indexes() {
        let dir = tempfile::tempdir().unwrap();
        let open = || {
            let spec = MachineSpec::Custom { ram_mb: 1, cpu_cores: 1 };
            RocksDbManager::new(&dir.path().join("db"), false, Some(spec)).unwrap()
        };
        let compacted = |manager: &RocksDbManager| {
            manager.compact().unwrap();
            let family = manager.existing("events").unwrap();
            let properties = c"rocksdb.aggregated-table-properties";
            manager.engine().db().property_value_cf(family.handle(), properties).unwrap().unwrap()
        };
        let manager = open();
        let mut events = manager.create_collection("events", "actor").unwrap();
        for n in 0..4000 {
            // A compressed table would be smaller than the memory.
            let bytes: Vec<u8> = (0..500_u64).map(|i| RandomState::new().hash_one(i).to_le_bytes()[0]).collect();
            Collection::put(&mut events, &format!("{n:020}"), &bytes).unwrap();
        }
        assert!(!compacted(&manager).contains("# index partitions"));
        drop((manager, events));
        assert!(compacted(&open()).contains("# index partitions"), "{}", compacted(&open()));
    }

    #[test]
    fn only_errors_that_stop_the_database_close_the_gate() {
        let dir = tempfile::tempdir().unwrap();
        let manager = open(&dir);
        let engine = manager.engine();
        engine.modify(|db| db.create_cf("default", &rocksdb::Options::default())).unwrap_err();
        assert!(!engine.is_stopped(), "the family exists");
        manager.checkpoint(Path::new("/proc/checkpoint")).unwrap_err();
        assert!(!engine.is_stopped(), "no directory for a checkpoint");
        stop_writes(&manager);
        let family = manager.existing("stalled").unwrap();
        let flush = |db: &DB| db.flush_cf_opt(family.handle(), &options::flush_options(false));
        assert_eq!(engine.modify(flush).unwrap_err().kind(), rocksdb::ErrorKind::TryAgain);
        assert!(!engine.is_stopped(), "a stall");
    }
}
