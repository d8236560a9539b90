//! The production backend: [`RocksDbManager`] and [`RocksDbStore`] implement the traits of `ave-actors-store` over
//! RocksDB.
//!
//! A *collection* (the events of an actor) and a *state* (its snapshot) each live under a prefix in a column family,
//! which all actors of a type share. What the backend adds to RocksDB:
//!
//! * **Isolation.** A collection sees and purges its own entries only, for any two prefixes, `a` and `a.b` included.
//! * **Seeks, not scans.** The last entry, and a range from anywhere, cost a seek plus what they return.
//! * **One memory budget** for all column families, see [`Tuning`], and [`EngineStats`] that say what becomes of it.
//!
//! It knows nothing of the workbench: no workload, no measurement, no report. No other module knows RocksDB.
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
//! is stored as the bytes `2D FF`, which keeps the order and tells the key `b.c` of `a` from the key `c` of `a.b`. A
//! state is stored under its prefix alone. Databases of earlier releases open as they are. The one thing that reads
//! differently: an entry whose *key* held a dot, which they could not tell from an entry of a longer prefix, and which
//! is one now.

mod column;
mod directory;
mod engine;
mod error;
mod gate;
mod iter;
mod key;
mod manager;
mod memory;
mod options;
mod purge;
mod read_ahead;
mod room;
mod stats;
mod store;
mod tuning;
mod unreadable;

pub use manager::RocksDbManager;
pub use stats::{ColumnFamilySize, EngineStats, LevelStats};
pub use store::RocksDbStore;
pub use tuning::{Setting, Tuning};

/// What a write that returned `Ok` survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Durability {
    /// The death of the process.
    Off,
    /// The loss of power.
    On,
}

impl From<bool> for Durability {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}
