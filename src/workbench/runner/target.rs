//! What the runner drives.

use std::path::Path;

use ave_actors_store::Error;
use ave_actors_store::database::{Collection, DbManager, State};

use super::EngineCounters;
use crate::workbench::actor::Durability;

/// A kind of backend that can be opened in a directory.
pub trait Target: Sync {
    /// Its event collections.
    type Collection: Collection + 'static;
    /// Its state stores.
    type State: State + 'static;
    /// Its manager.
    type Manager: DbManager<Self::Collection, Self::State>;

    /// A short name for reports.
    fn name(&self) -> &'static str;

    /// Opens or creates a database in `directory`.
    ///
    /// # Errors
    ///
    /// The backend's own.
    fn open(&self, directory: &Path, durability: Durability) -> Result<Self::Manager, Error>;

    /// What the engine says of itself; `None` if it says nothing.
    fn counters(&self, manager: &Self::Manager) -> Option<EngineCounters> {
        let _ = manager;
        None
    }
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
    type Collection = crate::RocksDbStore;
    type State = crate::RocksDbStore;
    type Manager = crate::RocksDbManager;

    fn name(&self) -> &'static str {
        "rocksdb"
    }

    fn open(&self, directory: &Path, durability: Durability) -> Result<Self::Manager, Error> {
        crate::RocksDbManager::new(&directory.to_path_buf(), durability.is_on(), Some(self.spec.clone()))
    }

    fn counters(&self, manager: &Self::Manager) -> Option<EngineCounters> {
        // A database that cannot tell its statistics is about to fail an operation that says why.
        let stats = manager.stats().ok()?;
        Some(EngineCounters {
            wal_syncs: stats.wal_syncs,
            stall_micros: stats.stall_micros,
            pending_compaction_bytes: stats.pending_compaction_bytes,
            background_jobs: stats.running_flushes + stats.running_compactions,
        })
    }
}
