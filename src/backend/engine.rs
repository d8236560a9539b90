//! An open database with all that belongs to it for as long as it is open.

use std::{collections::BTreeSet, path::Path};

use ave_actors_store::Error;
use rocksdb::{ColumnFamilyDescriptor, DB, DEFAULT_COLUMN_FAMILY_NAME, ReadOptions, WriteOptions};

use super::{
    Durability,
    directory::{self, Contents},
    error::{self, Site},
    gate::Gate,
    memory::Memtables,
    options::{self, EngineOptions},
    read_ahead::ReadAhead,
    room,
    tuning::{FEWEST_OPEN_FILES, Tuning},
    unreadable,
};

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
    unreadable_log_bytes: u64,
    memtables: Memtables,
}

/// A database that was just opened, and the names of its column families: those that it had, and those that are new.
pub(super) struct Opened {
    pub(super) engine: Engine,
    pub(super) existing: BTreeSet<String>,
    pub(super) new: BTreeSet<String>,
}

impl Engine {
    /// Opens the database in `path`, or creates it where there is nothing, together with those of the `wanted` column
    /// families that it lacks.
    pub(super) fn open(
        path: &Path,
        durability: Durability,
        tuning: Tuning,
        wanted: &BTreeSet<String>,
    ) -> Result<Opened, Error> {
        if let Some(limit) = tuning.open_file_limit().filter(|&limit| limit < FEWEST_OPEN_FILES) {
            return Err(error::too_few_open_files(path, limit));
        }
        let site = Site::new(path, &tuning);
        let contents = directory::prepare(path)?;
        let options =
            EngineOptions::new(&tuning, contents == Contents::Nothing).map_err(|cause| error::open(&site, &cause))?;
        let existing = match contents {
            Contents::Nothing => BTreeSet::from([DEFAULT_COLUMN_FAMILY_NAME.to_owned()]),
            Contents::Database => DB::list_cf(&options.database, path)
                .map_err(|cause| error::list_column_families(&site, &cause))?
                .into_iter()
                .collect(),
        };
        let new: BTreeSet<String> = wanted.difference(&existing).cloned().collect();
        let descriptors = existing
            .union(&new)
            .map(|name| ColumnFamilyDescriptor::new(name, options.database.clone()))
            .collect::<Vec<_>>();
        let db = DB::open_cf_descriptors(&options.database, path, descriptors)
            .map_err(|cause| error::open(&site, &cause))?;
        let engine = Self {
            db,
            write: options::write_options(durability),
            read: ReadOptions::default(),
            read_ahead: ReadAhead::new(tuning.read_ahead_bytes),
            memtables: Memtables::new(options.memtables.clone(), &tuning),
            options,
            tuning,
            unreadable_log_bytes: unreadable::left_out_bytes(path),
            gate: Gate::default(),
            site,
        };
        Ok(Opened { engine, existing, new })
    }

    pub(super) fn db(&self) -> &DB {
        &self.db
    }

    pub(super) fn path(&self) -> &Path {
        self.db.path()
    }

    /// What the opening could not read of the write-ahead logs, in bytes.
    pub(super) fn unreadable_log_bytes(&self) -> u64 {
        self.unreadable_log_bytes
    }

    /// What errors of this database have to name.
    pub(super) fn site(&self) -> &Site {
        &self.site
    }

    /// A write of data, when there is memory for it.
    pub(super) fn write(&self, write: impl FnOnce(&DB) -> Result<(), rocksdb::Error>) -> Result<(), rocksdb::Error> {
        self.change(|db| {
            self.memtables.make_room(db);
            write(db)
        })
    }

    /// Anything that RocksDB refuses while it takes no writes, and that makes it worse if tried: see [`Gate`].
    pub(super) fn change(&self, change: impl FnOnce(&DB) -> Result<(), rocksdb::Error>) -> Result<(), rocksdb::Error> {
        self.gate.pass(&self.db)?;
        change(&self.db).inspect_err(|cause| self.gate.shut(cause))
    }

    /// Whether RocksDB takes writes, as far as it says so.
    pub(super) fn takes_writes(&self) -> bool {
        self.gate.pass(&self.db).is_ok()
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

    /// What the memtables take, and what is written to each.
    pub(super) fn memtables(&self) -> &Memtables {
        &self.memtables
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
