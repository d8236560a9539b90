#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

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
pub mod workbench;

#[cfg(feature = "trace")]
pub use workbench::trace::{
    Compression, NameRule, Recorder, RecorderError, RecorderOptions, RecorderStats, RecordingCollection,
    RecordingManager, RecordingState,
};

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
