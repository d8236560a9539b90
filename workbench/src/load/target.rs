//! The backends under load.

use std::path::Path;

use ave_actors_store::Error;
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

    fn statistics(&self, manager: &Self::Manager) -> Vec<(&'static str, u64)> {
        // A database without statistics is about to fail an operation, which reports the cause.
        manager.stats().map_or_else(|_| Vec::new(), |stats| figures(&stats))
    }

    fn counters(&self, manager: &Self::Manager, durability: Durability) -> Option<EngineCounters> {
        // A database without statistics is about to fail an operation, which reports the cause.
        let stats = manager.stats().ok()?;
        // The histograms cost every operation a fraction of a microsecond, which is nothing beside a sync.
        let syncs = if durability.is_on() { manager.latencies().wal_sync } else { Default::default() };
        Some(EngineCounters {
            wal_syncs: stats.wal_syncs,
            timed_wal_syncs: syncs.count,
            wal_sync_micros: syncs.sum_micros,
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
