//! The production backend: [`RocksDbManager`] and [`RocksDbStore`] implement the traits of `ave-actors-store` over
//! RocksDB.
//!
//! A *collection* (the events of an actor) and a *state* (its snapshot) each have a prefix in a column family, which
//! all actors of a type share. The backend adds to RocksDB:
//!
//! * **Isolation.** A collection reads and purges only its own entries, for any two prefixes, `a` and `a.b` included.
//! * **Seeks, not scans.** Reading the last entry or a range costs one seek plus the returned entries.
//! * **Bulk loads** of many entries as sorted files, see [`BulkLoad`].
//! * **Backups** beside the load, see [`Backups`], and a read-only opening of what is not to be changed.
//! * **One memory budget** for all column families, see [`Tuning`], and statistics, see [`EngineStats`].
//!
//! It has no dependency on the workbench: no workload, no measurement, no report. No other module uses RocksDB.
//!
//! # Example
//!
//! ```
//! use ave_actors_rocksdb::RocksDbManager;
//! use ave_actors_store::{
//!     config::{MachineProfile, MachineSpec},
//!     database::{Collection, DbManager, State},
//! };
//!
//! fn main() -> Result<(), ave_actors_store::Error> {
//!     let path = std::env::temp_dir().join("ave-actors-rocksdb-docs");
//!     let manager = RocksDbManager::new(
//!         &path,
//!         true,
//!         Some(MachineSpec::Profile(MachineProfile::Medium)),
//!     )?;
//!
//!     let mut events = manager.create_collection("events", "actor-1")?;
//!     Collection::put(&mut events, "00000000000000000001", b"event-1")?;
//!     assert_eq!(
//!         Collection::get(&events, "00000000000000000001")?,
//!         b"event-1"
//!     );
//!
//!     let mut state = manager.create_state("snapshots", "actor-1")?;
//!     State::put(&mut state, b"snapshot-v1")?;
//!     assert_eq!(State::get(&state)?, b"snapshot-v1");
//!
//!     Ok(())
//! }
//! ```
//!
//! # Storage
//!
//! A collection entry is stored as `prefix.key`, sorted bytewise; pad sequence numbers with zeros. A dot inside a key
//! is stored as the bytes `2D FF`, which preserves the order and distinguishes the key `b.c` of `a` from the key `c` of
//! `a.b`. A state is stored under its prefix alone. Databases of earlier releases open without conversion. One thing
//! differs: earlier releases stored key `b.c` of `a` and key `c` of `a.b` as the same entry. Such an entry now belongs
//! to `a.b`.

mod actor_sizes;
mod backup_list;
mod backups;
mod blob_file;
mod blocking;
mod bulk_load;
mod column;
mod directory;
mod engine;
mod error;
mod file_copy;
mod in_use;
mod iter;
mod key;
mod load_files;
mod log_format;
mod manager;
mod manifest;
mod memtables;
mod nested_prefixes;
mod nested_scan;
mod options;
mod progress;
mod purge;
mod read_ahead;
mod recording;
mod restore;
mod scrub;
mod slow_operations;
mod space_check;
mod stats;
mod store;
mod tuning;
mod wal_recovery;
mod write_gate;

pub use actor_sizes::{ActorSize, ActorSizes};
pub use backup_list::LastBackup;
pub use backups::{Backup, Backups, Damage};
pub use bulk_load::{BulkLoad, BulkWriter};
pub use directory::is_in_use;
pub use manager::RocksDbManager;
pub use progress::{Progress, unobserved};
pub use scrub::{Scrub, scrub};
pub use stats::{ColumnFamilySize, EngineStats, Latencies, Latency, LevelStats};
pub use store::RocksDbStore;
pub use tuning::{Setting, Tuning};

/// The failure that a write that returned `Ok` survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Durability {
    /// A crash of the process.
    Off,
    /// A power loss.
    On,
}

impl From<bool> for Durability {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}
