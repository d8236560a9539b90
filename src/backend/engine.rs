//! An open database with all that belongs to it for as long as it is open.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use ave_actors_store::Error;
use rocksdb::{ColumnFamilyDescriptor, DB, DEFAULT_COLUMN_FAMILY_NAME, ReadOptions, WriteOptions, properties};

use super::{
    Durability,
    directory::{self, Contents},
    error::{self, Site},
    gate::Gate,
    options::{self, EngineOptions},
    read_ahead::ReadAhead,
    room,
    tuning::{FEWEST_OPEN_FILES, Tuning},
};

/// How long a writer looks away from memtables that are full.
const MEMORY_POLL: Duration = Duration::from_millis(1);
/// So many looks in a row that see no flush end the waiting. One is not enough: the next flush may be about to begin.
const IDLE_LOOKS: u32 = 3;
/// How long one write is held back at most, whatever the flushes are doing.
const MEMORY_WAIT: Duration = Duration::from_secs(1);

/// The database and the options that every operation on it shares: built once, not once per operation.
pub(super) struct Engine {
    db: DB,
    write: WriteOptions,
    read: ReadOptions,
    options: EngineOptions,
    tuning: Tuning,
    read_ahead: ReadAhead,
    gate: Gate,
    site: Site,
    /// Time that writers waited for memory, in microseconds.
    waited_micros: AtomicU64,
}

/// A database that was just opened, and the names of its column families.
pub(super) struct Opened {
    pub(super) engine: Engine,
    pub(super) column_families: Vec<String>,
}

impl Engine {
    /// Opens the database in `path`, or creates it where there is nothing.
    pub(super) fn open(path: &Path, durability: Durability, tuning: Tuning) -> Result<Opened, Error> {
        if let Some(limit) = tuning.open_file_limit().filter(|&limit| limit < FEWEST_OPEN_FILES) {
            return Err(error::too_few_open_files(path, limit));
        }
        let site = Site::new(path, &tuning);
        let contents = directory::prepare(path)?;
        let options =
            EngineOptions::new(&tuning, contents == Contents::Nothing).map_err(|cause| error::open(&site, &cause))?;
        let column_families = match contents {
            Contents::Nothing => vec![DEFAULT_COLUMN_FAMILY_NAME.to_owned()],
            Contents::Database => {
                DB::list_cf(&options.database, path).map_err(|cause| error::list_column_families(&site, &cause))?
            }
        };
        let descriptors =
            column_families.iter().map(|name| ColumnFamilyDescriptor::new(name, options.database.clone()));
        let db = DB::open_cf_descriptors(&options.database, path, descriptors)
            .map_err(|cause| error::open(&site, &cause))?;
        let engine = Self {
            db,
            write: options::write_options(durability),
            read: ReadOptions::default(),
            read_ahead: ReadAhead::new(tuning.read_ahead_bytes),
            options,
            tuning,
            gate: Gate::default(),
            site,
            waited_micros: AtomicU64::new(0),
        };
        Ok(Opened { engine, column_families })
    }

    pub(super) fn db(&self) -> &DB {
        &self.db
    }

    pub(super) fn path(&self) -> &Path {
        self.db.path()
    }

    /// What errors of this database have to name.
    pub(super) fn site(&self) -> &Site {
        &self.site
    }

    /// A write of data, when there is memory for it.
    pub(super) fn write(&self, write: impl FnOnce(&DB) -> Result<(), rocksdb::Error>) -> Result<(), rocksdb::Error> {
        self.change(|db| {
            self.wait_for_memory();
            write(db)
        })
    }

    /// Anything that RocksDB refuses while it takes no writes, and that makes it worse if tried: see [`Gate`].
    pub(super) fn change(&self, change: impl FnOnce(&DB) -> Result<(), rocksdb::Error>) -> Result<(), rocksdb::Error> {
        self.gate.pass(&self.db)?;
        change(&self.db).inspect_err(|cause| self.gate.shut(cause))
    }

    /// Whether a write has failed and none has been let through since.
    pub(super) fn is_stopped(&self) -> bool {
        self.gate.is_shut()
    }

    /// Creates the column family `name`, the next after `families` of them.
    pub(super) fn create_column_family(&self, name: &str, families: usize) -> Result<(), Error> {
        room::for_column_family(self.path(), families)
            .map_err(|cause| error::no_room_for_column_family(&self.site, name, &cause))?;
        self.change(|db| db.create_cf(name, &self.options.database))
            .map_err(|cause| error::create_column_family(&self.site, name, &cause))
    }

    pub(super) fn write_options(&self) -> &WriteOptions {
        &self.write
    }

    pub(super) fn read_options(&self) -> &ReadOptions {
        &self.read
    }

    /// Waits, if memtables have outgrown their limit, until flushes have made room.
    ///
    /// RocksDB flushes one column family at a time. Writers without durability can fill the memtables of a few hundred
    /// families faster than that empties them, and then nothing but this keeps the memory budget. It waits for running
    /// flushes only: memory that nobody is about to release, because an iterator pins it, is no reason to wait.
    fn wait_for_memory(&self) {
        if self.memory_is_short() {
            let start = Instant::now();
            let mut idle_looks = 0;
            while self.memory_is_short() && idle_looks < IDLE_LOOKS && start.elapsed() < MEMORY_WAIT {
                idle_looks = if self.is_flushing() { 0 } else { idle_looks + 1 };
                thread::sleep(MEMORY_POLL);
            }
            let waited = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.waited_micros.fetch_add(waited, Ordering::Relaxed);
        }
    }

    /// Time that writers spent in [`Engine::wait_for_memory`], in microseconds.
    pub(super) fn waited_micros(&self) -> u64 {
        self.waited_micros.load(Ordering::Relaxed)
    }

    fn memory_is_short(&self) -> bool {
        self.options.memtables.get_usage() as u64 >= self.tuning.memtable_limit_bytes
    }

    fn is_flushing(&self) -> bool {
        matches!(self.db.property_int_value(properties::NUM_RUNNING_FLUSHES), Ok(Some(1..)))
    }

    pub(super) fn options(&self) -> &EngineOptions {
        &self.options
    }

    pub(super) fn read_ahead(&self) -> &ReadAhead {
        &self.read_ahead
    }

    pub(super) fn tuning(&self) -> &Tuning {
        &self.tuning
    }
}
