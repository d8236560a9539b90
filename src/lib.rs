//! The RocksDB store for actor events and snapshots behind the [`ave-actors-store`](ave_actors_store) traits.
//!
//! [`RocksDbManager`] opens a database and creates the handles of actors. A handle is a [`RocksDbStore`]: a
//! [`Collection`](ave_actors_store::database::Collection) of events or a [`State`](ave_actors_store::database::State).
//!
#![cfg_attr(
    feature = "rocksdb",
    doc = r#"
```
use ave_actors_rocksdb::RocksDbManager;
use ave_actors_store::database::{Collection, DbManager, State};

# fn main() -> Result<(), Box<dyn std::error::Error>> {
# let directory = tempfile::tempdir()?;
# let path = directory.path().join("db");
// `true`: writes survive a power cut. `None`: tuned for the cores and the RAM of this process.
let mut manager = RocksDbManager::new(&path, true, None)?;

let mut events = manager.create_collection("account_events", "alice")?;
Collection::put(&mut events, "00000000000000000001", b"opened")?;
assert_eq!(Collection::get(&events, "00000000000000000001")?, b"opened");

let mut state = manager.create_state("account_states", "alice")?;
State::put(&mut state, b"balance: 0")?;
assert_eq!(State::get(&state)?, b"balance: 0");

drop((events, state));
manager.stop()?;
# Ok(())
# }
```

An actor system takes the manager as it is; see `examples/embed.rs` in the repository.
"#
)]
//!
//! # Guarantees
//!
//! - **Isolation.** Each handle reads, iterates and purges its own entries only, for any two prefixes, `a` and `a.b`
//!   included.
//! - **Durability.** With `durability = true` a write that returned `Ok` survives a power cut, and concurrent writes share
//!   syncs. With `false` it survives the death of the process. After a crash the database holds a prefix of the writes.
//! - **Seeks, not scans.** `last` and `get_by_range` cost a seek plus the entries they return, for a log of any length.
//! - **One memory budget.** Block cache and memtables of all column families together stay within 5 % of the RAM of the
//!   [`MachineSpec`](ave_actors_store::config::MachineSpec), at least 32 MiB. Without a specification, the [share](machine)
//!   of this process counts, with the limits of its control group.
//!
//! # Threads
//!
//! The manager and its handles are `Send` and `Sync`, and calls block on the disk: with durability for the duration of a
//! sync, without it for microseconds unless RocksDB slows down writers. `stop` may be called more than once.
//!
//! # Errors
//!
//! Methods return [`ave_actors_store::Error`]. Its message names the path or `prefix.key`, the cause and, if there is one,
//! the remedy. An absent entry is [`Error::EntryNotFound`](ave_actors_store::Error::EntryNotFound). After a full disk,
//! writes resume by themselves once there is space; other write errors may require a restart, which the message then says.
//!
//! # Limits
//!
//! - One process and one manager at a time open a database for writing.
//! - Opening needs 128 open files at least; `max_open_files` of the tuning is the recommended limit.
//! - Databases of release 0.4.0 open and read back.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `rocksdb` | yes | the backend: [`RocksDbManager`], [`RocksDbStore`], [`backend`] |
//! | `export-rocksdb` | no | the `rocksdb` crate, re-exported |
//! | `trace` | no | [`trace`]: a recorder that writes the storage operations of a running system as a trace |
//!
//! The manual for production is `docs/operating.md` in the repository. The package `ave-workbench` there measures
//! this store on a machine and recommends a machine size.
#![cfg_attr(docsrs, feature(doc_cfg))]

// For `ave-workbench` only, without any promise of stability.
#[doc(hidden)]
pub mod files;
pub mod machine;

#[cfg(feature = "rocksdb")]
pub mod backend;

/// The module path under which the published releases export the backend.
#[cfg(feature = "rocksdb")]
#[doc(hidden)]
pub use backend as db;

#[cfg(feature = "rocksdb")]
pub use backend::{RocksDbManager, RocksDbStore};

#[cfg(feature = "export-rocksdb")]
pub use rocksdb;

#[cfg(feature = "trace")]
pub mod trace;

#[cfg(feature = "trace")]
pub use trace::{
    Compression, NameRule, Recorder, RecorderError, RecorderOptions, RecorderStats, RecordingCollection,
    RecordingManager, RecordingState,
};

/// The examples of README.md and docs/ run as doc tests.
#[cfg(all(doctest, feature = "rocksdb"))]
mod documents {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/operating.md")]
    struct Operating;
    #[doc = include_str!("../docs/keys-with-dots.md")]
    struct KeysWithDots;
    #[doc = include_str!("../docs/tuning.md")]
    struct Tuning;
    #[cfg(feature = "trace")]
    #[doc = include_str!("../docs/recording.md")]
    struct Recording;
}
