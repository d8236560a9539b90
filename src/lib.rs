//! The RocksDB store for actor events and snapshots behind the [`ave-actors-store`](ave_actors_store) traits.
//!
//! [`RocksDbManager`] opens a database and creates one [`RocksDbStore`] per actor, which is both a
//! [`Collection`](ave_actors_store::database::Collection) of events and a
//! [`State`](ave_actors_store::database::State) of snapshots:
//!
//! - each actor reads, iterates and purges its own entries only, for any two prefixes;
//! - `last` and `get_by_range` cost a seek plus what they return, however long the log is;
//! - block cache and memtables of all column families stay inside one memory budget, which follows from the
//!   [`MachineSpec`](ave_actors_store::config::MachineSpec) or from the limits of this process;
//! - with `durability = true` a write that returned `Ok` survives a power cut, otherwise the death of the process.
//!
#![cfg_attr(
    feature = "rocksdb",
    doc = r#"
```
use ave_actors_rocksdb::RocksDbManager;
use ave_actors_store::database::{Collection, DbManager};

# fn main() -> Result<(), ave_actors_store::Error> {
let directory = tempfile::tempdir().expect("a temporary directory");
// No durability: writes survive the death of the process. `None`: tuned for the memory and cores of this process.
let mut manager = RocksDbManager::new(&directory.path().join("db"), false, None)?;
let mut events = manager.create_collection("account_events", "alice")?;
events.put("00000000000000000001", b"opened")?;
assert_eq!(events.get("00000000000000000001")?, b"opened");
assert!(events.last()?.is_some());
manager.stop()?;
# Ok(())
# }
```
"#
)]
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

/// The snippets of the README run.
#[cfg(all(doctest, feature = "rocksdb"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// The snippets of the manual run.
#[cfg(all(doctest, feature = "rocksdb"))]
#[doc = include_str!("../docs/operating.md")]
struct Operating;

/// The snippets of the page on keys with dots run.
#[cfg(all(doctest, feature = "rocksdb"))]
#[doc = include_str!("../docs/keys-with-dots.md")]
struct KeysWithDotsPage;

/// The snippets of the page on tuning run.
#[cfg(all(doctest, feature = "rocksdb"))]
#[doc = include_str!("../docs/tuning.md")]
struct TuningPage;

/// The snippets of the page on recordings run.
#[cfg(all(doctest, feature = "rocksdb", feature = "trace"))]
#[doc = include_str!("../docs/recording.md")]
struct RecordingPage;
