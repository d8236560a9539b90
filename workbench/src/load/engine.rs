//! Statistics of a storage engine that reports use.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Counters of a storage engine since the database was opened, and gauges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineCounters {
    /// Syncs of the write-ahead log (counter).
    pub wal_syncs: u64,
    /// Syncs whose time is in `wal_sync_micros` (counter): with durability on alone, since timing them costs every operation.
    #[serde(default)]
    pub timed_wal_syncs: u64,
    /// Time of those syncs, microseconds (counter).
    #[serde(default)]
    pub wal_sync_micros: u64,
    /// Time writers were stalled, microseconds (counter).
    pub stall_micros: u64,
    /// Bytes waiting to be compacted (gauge).
    pub pending_compaction_bytes: u64,
    /// Running flushes and compactions (gauge).
    pub background_jobs: u64,
    /// Block cache in use, memtables included, now.
    pub block_cache_bytes: u64,
    /// Memory of open files beside the block cache, now.
    pub table_reader_bytes: u64,
}

impl EngineCounters {
    /// Counters since `before`, and current gauges.
    #[must_use]
    pub const fn since(self, before: Self) -> Self {
        Self {
            wal_syncs: self.wal_syncs.saturating_sub(before.wal_syncs),
            timed_wal_syncs: self.timed_wal_syncs.saturating_sub(before.timed_wal_syncs),
            wal_sync_micros: self.wal_sync_micros.saturating_sub(before.wal_sync_micros),
            stall_micros: self.stall_micros.saturating_sub(before.stall_micros),
            ..self
        }
    }

    pub(crate) const fn is_settled(self) -> bool {
        self.background_jobs == 0 && self.pending_compaction_bytes == 0
    }
}

/// Size of one column family on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FamilySize {
    /// Its name: `{type}_events`, `{type}_states` or `{type}_metadata`.
    pub name: String,
    /// Level 0, bytes: files that were not compacted yet. They may contain entries that newer files overwrite or delete.
    pub young_bytes: u64,
    /// Levels below, bytes: files that compactions wrote.
    pub settled_bytes: u64,
    /// Blob files, bytes.
    pub blob_bytes: u64,
}

impl FamilySize {
    /// Total, bytes.
    pub const fn bytes(&self) -> u64 {
        self.young_bytes + self.settled_bytes + self.blob_bytes
    }
}

/// One figure of an engine before and after a load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EngineFigure {
    /// Its name, with the unit at its end.
    pub name: Cow<'static, str>,
    /// Before the warm-up.
    pub before: u64,
    /// After the load.
    pub after: u64,
}

impl EngineFigure {
    /// Figures of the same names in the same order, before and after.
    pub(super) fn pair(before: Vec<(&'static str, u64)>, after: Vec<(&'static str, u64)>) -> Vec<Self> {
        let pairs = before.into_iter().zip(after).filter(|((name, _), (other, _))| name == other);
        pairs.map(|((name, before), (_, after))| Self { name: name.into(), before, after }).collect()
    }
}
