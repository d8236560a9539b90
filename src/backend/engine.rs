//! An open database with all that belongs to it for as long as it is open.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use ave_actors_store::Error;
use rocksdb::{ColumnFamilyDescriptor, DB, DEFAULT_COLUMN_FAMILY_NAME, Options, ReadOptions, WriteOptions, properties};

use super::{
    Durability,
    directory::{self, Contents},
    error,
    options::{self, EngineOptions},
    read_ahead::ReadAhead,
    tuning::Tuning,
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
        let contents = directory::prepare(path)?;
        let options =
            EngineOptions::new(&tuning, contents == Contents::Nothing).map_err(|cause| error::open(path, &cause))?;
        let column_families = match contents {
            Contents::Nothing => vec![DEFAULT_COLUMN_FAMILY_NAME.to_owned()],
            Contents::Database => {
                DB::list_cf(&options.database, path).map_err(|cause| error::list_column_families(path, &cause))?
            }
        };
        let descriptors =
            column_families.iter().map(|name| ColumnFamilyDescriptor::new(name, options.database.clone()));
        let db =
            DB::open_cf_descriptors(&options.database, path, descriptors).map_err(|cause| error::open(path, &cause))?;
        let engine = Self {
            db,
            write: options::write_options(durability),
            read: ReadOptions::default(),
            read_ahead: ReadAhead::new(tuning.read_ahead_bytes),
            options,
            tuning,
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

    pub(super) fn write_options(&self) -> &WriteOptions {
        &self.write
    }

    pub(super) fn read_options(&self) -> &ReadOptions {
        &self.read
    }

    /// Waits, if memtables have outgrown their limit, until flushes have made room. To be called before every write.
    ///
    /// RocksDB flushes one column family at a time. Writers without durability can fill the memtables of a few hundred
    /// families faster than that empties them, and then nothing but this keeps the memory budget. It waits for running
    /// flushes only: memory that nobody is about to release, because an iterator pins it, is no reason to wait.
    pub(super) fn wait_for_memory(&self) {
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

    /// What a new column family is created with.
    pub(super) fn column_family_options(&self) -> &Options {
        &self.options.database
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
