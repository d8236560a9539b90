//! The backends under load.

use std::marker::PhantomData;
use std::path::Path;

use ave_actors_store::Error;
#[cfg(feature = "rocksdb")]
use ave_actors_store::config::resolve_spec;
use ave_actors_store::database::{Collection, DbManager, State};

use super::engine::{EngineCounters, FamilySize};
use crate::actor::Durability;

/// A kind of backend that can be opened in a directory. Errors are the backend's own.
#[expect(clippy::missing_errors_doc, reason = "the trait documents them")]
pub trait Target: Sync {
    /// Its event collections.
    type Collection: Collection + 'static;
    /// Its state stores.
    type State: State + 'static;
    /// Its manager.
    type Manager: DbManager<Self::Collection, Self::State>;

    /// Opens or creates a database in `directory`.
    fn open(&self, directory: &Path, durability: Durability) -> Result<Self::Manager, Error>;

    /// Begins to fill a database that is open and empty; the entries will take about `expected_bytes` on disk. Default: each
    /// is put.
    fn loader<'m>(&self, manager: &'m Self::Manager, _expected_bytes: u64) -> Result<Box<dyn Loader + 'm>, Error> {
        Ok(Box::new(PutLoader::<Self::Collection, Self::State, Self::Manager> { manager, handles: PhantomData }))
    }

    /// RAM of its machine, in which the system caches the files, bytes. Default: 0, for a backend without files.
    fn ram_bytes(&self) -> u64 {
        0
    }

    /// Whether a file of this name in the directory of a closed database never changes later, so that a copy of the database
    /// can share it. Default: none.
    fn is_immutable(&self, _file_name: &str) -> bool {
        false
    }

    /// The engine's own figures by name, the same names each time. Default: none.
    fn statistics(&self, _manager: &Self::Manager) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// Counters of the engine, which was opened with this durability. Default: `None`.
    fn counters(&self, _manager: &Self::Manager, _durability: Durability) -> Option<EngineCounters> {
        None
    }

    /// Sizes of the column families. Default: none.
    fn family_sizes(&self, _manager: &Self::Manager) -> Result<Vec<FamilySize>, Error> {
        Ok(Vec::new())
    }

    /// Compacts everything, so that overwritten and deleted entries are gone. Default: no effect.
    fn compact(&self, _manager: &Self::Manager) -> Result<(), Error> {
        Ok(())
    }
}

/// Fills a database. Its writers work in several threads.
#[expect(clippy::missing_errors_doc, reason = "errors are the backend's own")]
pub trait Loader: Sync {
    /// A writer of a range of entries of the column family `name`, which no other writer's range overlaps.
    fn writer<'l>(&'l self, name: &str) -> Result<Box<dyn LoadWriter + 'l>, Error>;

    /// Completes the load after all writers.
    fn finish(self: Box<Self>) -> Result<(), Error>;
}

/// Writes entries in the order of actors' names and keys.
#[expect(clippy::missing_errors_doc, reason = "errors are the backend's own")]
pub trait LoadWriter {
    /// An event of an actor.
    fn event(&mut self, actor: &str, key: &str, value: &[u8]) -> Result<(), Error>;

    /// The state of an actor.
    fn state(&mut self, actor: &str, value: &[u8]) -> Result<(), Error>;

    /// Ends the range.
    fn finish(self: Box<Self>) -> Result<(), Error>;
}

/// Puts one entry after the other.
struct PutLoader<'m, C, S, M> {
    manager: &'m M,
    handles: PhantomData<fn() -> (C, S)>,
}

struct PutWriter<'l, C, S, M> {
    loader: &'l PutLoader<'l, C, S, M>,
    name: String,
    /// The handle of the actor that was written last.
    events: Option<(String, C)>,
}

impl<C, S, M> Loader for PutLoader<'_, C, S, M>
where
    C: Collection + 'static,
    S: State + 'static,
    M: DbManager<C, S>,
{
    fn writer<'l>(&'l self, name: &str) -> Result<Box<dyn LoadWriter + 'l>, Error> {
        Ok(Box::new(PutWriter { loader: self, name: name.to_owned(), events: None }))
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}

impl<C: Collection, S: State, M: DbManager<C, S>> LoadWriter for PutWriter<'_, C, S, M> {
    fn event(&mut self, actor: &str, key: &str, value: &[u8]) -> Result<(), Error> {
        if self.events.as_ref().is_none_or(|(name, _)| name != actor) {
            self.events = Some((actor.to_owned(), self.loader.manager.create_collection(&self.name, actor)?));
        }
        self.events.as_mut().map_or(Ok(()), |(_, events)| events.put(key, value))
    }

    fn state(&mut self, actor: &str, value: &[u8]) -> Result<(), Error> {
        self.loader.manager.create_state(&self.name, actor)?.put(value)
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}

/// The backend's figures that a load changes.
#[cfg(feature = "rocksdb")]
fn figures(stats: &ave_actors_rocksdb::backend::EngineStats) -> Vec<(&'static str, u64)> {
    vec![
        ("memtable_bytes", stats.memtable_bytes),
        ("block_cache_bytes", stats.block_cache_bytes),
        ("table_reader_bytes", stats.table_reader_bytes),
        ("memory_budget_bytes", stats.memory_budget_bytes),
        ("stall_micros", stats.stall_micros),
        ("wal_syncs_count", stats.wal_syncs),
        ("wal_bytes", stats.wal_bytes),
        ("user_written_bytes", stats.user_written_bytes),
        ("flush_written_bytes", stats.flush_written_bytes),
        ("compaction_read_bytes", stats.compaction_read_bytes),
        ("compaction_written_bytes", stats.compaction_written_bytes),
        ("pending_compaction_bytes", stats.pending_compaction_bytes),
        ("block_cache_hits_count", stats.block_cache_hits),
        ("block_cache_misses_count", stats.block_cache_misses),
        ("level_0_files_count", stats.levels.first().map_or(0, |level| level.files)),
        ("live_data_bytes", stats.live_data_bytes),
        ("sst_bytes", stats.sst_bytes),
        ("blob_bytes", stats.blob_bytes),
        ("column_families_count", stats.column_families),
    ]
}

/// The RocksDB backend of this package, tuned for one machine.
#[cfg(feature = "rocksdb")]
#[derive(Debug, Clone)]
pub struct RocksDbTarget {
    spec: ave_actors_store::config::MachineSpec,
}

#[cfg(feature = "rocksdb")]
impl RocksDbTarget {
    /// The backend with the tuning for `spec`.
    pub const fn new(spec: ave_actors_store::config::MachineSpec) -> Self {
        Self { spec }
    }
}

#[cfg(feature = "rocksdb")]
impl Target for RocksDbTarget {
    type Collection = ave_actors_rocksdb::RocksDbStore;
    type State = ave_actors_rocksdb::RocksDbStore;
    type Manager = ave_actors_rocksdb::RocksDbManager;

    fn open(&self, directory: &Path, durability: Durability) -> Result<Self::Manager, Error> {
        ave_actors_rocksdb::RocksDbManager::new(&directory.to_path_buf(), durability.is_on(), Some(self.spec.clone()))
    }

    fn loader<'m>(&self, manager: &'m Self::Manager, expected_bytes: u64) -> Result<Box<dyn Loader + 'm>, Error> {
        Ok(Box::new(manager.bulk_load(expected_bytes)?))
    }

    fn ram_bytes(&self) -> u64 {
        resolve_spec(Some(self.spec.clone())).ram_mb << 20
    }

    fn is_immutable(&self, file_name: &str) -> bool {
        Path::new(file_name).extension().is_some_and(|extension| extension == "sst" || extension == "blob")
    }

    fn statistics(&self, manager: &Self::Manager) -> Vec<(&'static str, u64)> {
        // A database without statistics is about to fail an operation, which reports the cause.
        manager.stats().map_or_else(|_| Vec::new(), |stats| figures(&stats))
    }

    fn counters(&self, manager: &Self::Manager, durability: Durability) -> Option<EngineCounters> {
        // A database without statistics is about to fail an operation, which reports the cause.
        let stats = manager.stats().ok()?;
        // The histograms cost every operation a fraction of a microsecond, which is nothing beside a sync.
        let (timed_wal_syncs, wal_sync_micros) = if durability.is_on() {
            let syncs = manager.latencies().wal_sync;
            (syncs.count, syncs.sum_micros)
        } else {
            (0, 0)
        };
        Some(EngineCounters {
            wal_syncs: stats.wal_syncs,
            timed_wal_syncs,
            wal_sync_micros,
            stall_micros: stats.stall_micros,
            pending_compaction_bytes: stats.pending_compaction_bytes,
            background_jobs: stats.running_flushes + stats.running_compactions,
            block_cache_bytes: stats.block_cache_bytes,
            table_reader_bytes: stats.table_reader_bytes,
        })
    }

    fn family_sizes(&self, manager: &Self::Manager) -> Result<Vec<FamilySize>, Error> {
        let family = |size: ave_actors_rocksdb::backend::ColumnFamilySize| {
            let mut levels = size.levels.iter().map(|level| level.bytes);
            let young_bytes = levels.next().unwrap_or_default();
            FamilySize { young_bytes, settled_bytes: levels.sum(), blob_bytes: size.blob_bytes, name: size.name }
        };
        Ok(manager.column_family_sizes()?.into_iter().map(family).collect())
    }

    fn compact(&self, manager: &Self::Manager) -> Result<(), Error> {
        manager.compact()
    }
}

#[cfg(feature = "rocksdb")]
impl Loader for ave_actors_rocksdb::backend::BulkLoad {
    fn writer<'l>(&'l self, name: &str) -> Result<Box<dyn LoadWriter + 'l>, Error> {
        Ok(Box::new(Self::writer(self, name)))
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        Self::finish(*self)
    }
}

#[cfg(feature = "rocksdb")]
impl LoadWriter for ave_actors_rocksdb::backend::BulkWriter<'_> {
    fn event(&mut self, actor: &str, key: &str, value: &[u8]) -> Result<(), Error> {
        self.put(actor, key, value)
    }

    fn state(&mut self, actor: &str, value: &[u8]) -> Result<(), Error> {
        self.put_state(actor, value)
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        Self::finish(*self)
    }
}
