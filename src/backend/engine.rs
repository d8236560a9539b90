//! An open database with all that belongs to it for as long as it is open.

use std::path::Path;

use ave_actors_store::Error;
use rocksdb::{ColumnFamilyDescriptor, DB, DEFAULT_COLUMN_FAMILY_NAME, Options, ReadOptions, WriteOptions};

use super::{
    Durability,
    directory::{self, Contents},
    error,
    options::{self, EngineOptions},
    tuning::Tuning,
};

/// The database and the options that every operation on it shares: built once, not once per operation.
pub(super) struct Engine {
    db: DB,
    write: WriteOptions,
    read: ReadOptions,
    options: EngineOptions,
    tuning: Tuning,
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
        let options = EngineOptions::new(&tuning, contents == Contents::Nothing);
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
        let write = options::write_options(durability);
        let engine = Self { db, write, read: ReadOptions::default(), options, tuning };
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

    /// What a new column family is created with.
    pub(super) fn column_family_options(&self) -> &Options {
        &self.options.database
    }

    pub(super) fn options(&self) -> &EngineOptions {
        &self.options
    }

    pub(super) fn tuning(&self) -> &Tuning {
        &self.tuning
    }
}
