//! Statistics of a database.

use std::{collections::BTreeMap, sync::Arc};

use ave_actors_store::{Error, StoreOperation};
use rocksdb::{
    CStrLike, LiveFile, properties,
    statistics::{Histogram, HistogramData, Ticker},
};

use super::{column::ColumnFamily, engine::Engine, error, wal_recovery};

/// A property of RocksDB's `db.h` for which the binding has no constant.
pub(super) const TOTAL_BLOB_FILE_SIZE: &str = "rocksdb.total-blob-file-size";

/// Statistics of a database over all its column families, from [`RocksDbManager::stats`](super::RocksDbManager::stats).
///
/// Sizes and states are current values. Counters, marked below, start at 0 with the first `stats()` call after an open,
/// because they cost every write and read a few percent. To measure an interval, subtract two snapshots.
///
/// ```
/// # use ave_actors_rocksdb::RocksDbManager;
/// # use ave_actors_store::database::{DbManager, State};
/// # let dir = tempfile::tempdir().unwrap();
/// # let manager = RocksDbManager::new(&dir.path().to_path_buf(), true, None)?;
/// let before = manager.stats()?;
/// State::put(&mut manager.create_state("snapshots", "actor-1")?, b"state")?;
/// let after = manager.stats()?;
/// assert_eq!(after.wal_syncs - before.wal_syncs, 1);
/// # Ok::<(), ave_actors_store::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineStats {
    /// Limit of block cache and memtables together, in bytes.
    pub memory_budget_bytes: u64,
    /// Size of all memtables, in bytes, allocated but unused parts included.
    pub memtable_bytes: u64,
    /// Size of the block cache, in bytes. Includes the memtables, which are charged to it in units of 256 KiB.
    pub block_cache_bytes: u64,
    /// Part of the block cache that cannot be evicted now, in bytes. Includes the memtables.
    pub block_cache_pinned_bytes: u64,
    /// Memory of open SST files outside the block cache, in bytes.
    pub table_reader_bytes: u64,

    /// Counter: time that writers waited for flushes or compactions, in microseconds.
    pub stall_micros: u64,
    /// Whether the database rejects or blocks all writes now: flushes or compactions are too slow, or one has failed,
    /// for example on a full disk.
    pub write_stopped: bool,
    /// The error of RocksDB that stops writes, or the last one of a failed flush or compaction while
    /// [`write_stopped`](Self::write_stopped) is `true`. `None` if there is none.
    pub background_error: Option<String>,
    /// Counter: failed flushes and compactions since the opening. RocksDB repeats them.
    pub background_errors: u64,

    /// Counter: syncs of the write-ahead log to disk. One sync can cover many writers.
    pub wal_syncs: u64,
    /// Counter: bytes written to the write-ahead log.
    pub wal_bytes: u64,
    /// Size of the write-ahead logs on disk, in bytes, recycled ones included.
    pub wal_file_bytes: u64,
    /// Counter: bytes that the application wrote, keys and values, before compression.
    pub user_written_bytes: u64,
    /// Counter: bytes that flushes wrote to SST files, compressed.
    pub flush_written_bytes: u64,
    /// Counter: bytes that compactions read, compressed.
    pub compaction_read_bytes: u64,
    /// Counter: bytes that compactions wrote, compressed.
    pub compaction_written_bytes: u64,

    /// Counter: blocks found in the block cache.
    pub block_cache_hits: u64,
    /// Counter: blocks not found in the block cache and read from a file.
    pub block_cache_misses: u64,
    /// Counter: bytes that point reads returned, values only.
    pub point_read_bytes: u64,
    /// Counter: bytes that iterators returned, keys and values.
    pub iterator_read_bytes: u64,

    /// SST files per level over all column families, level 0 first, up to the last level with a file.
    pub levels: Vec<LevelStats>,
    /// Bytes that compactions have yet to rewrite, estimated by RocksDB.
    pub pending_compaction_bytes: u64,
    /// Flushes running now.
    pub running_flushes: u64,
    /// Compactions running now.
    pub running_compactions: u64,
    /// Bytes on disk of data that is not overwritten or deleted, estimated by RocksDB. Includes blob files, excludes
    /// memtables.
    pub live_data_bytes: u64,
    /// Size of all SST files on disk, in bytes, obsolete ones included.
    pub sst_bytes: u64,
    /// Size of all blob files on disk, in bytes, obsolete ones included. They contain the large values.
    pub blob_bytes: u64,
    /// Number of entries, estimated by RocksDB.
    pub estimated_keys: u64,
    /// Number of column families, including `default`, which always exists.
    pub column_families: u64,
}

/// The SST files of one level of the log-structured merge tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LevelStats {
    /// Number of files.
    pub files: u64,
    /// Size of the files, in bytes.
    pub bytes: u64,
}

/// Disk space of one column family, from
/// [`RocksDbManager::column_family_sizes`](super::RocksDbManager::column_family_sizes).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnFamilySize {
    /// Name of the column family.
    pub name: String,
    /// SST files per level, level 0 first, up to the last level with a file.
    pub levels: Vec<LevelStats>,
    /// Size of its blob files, in bytes. They contain the large values.
    pub blob_bytes: u64,
}

/// Latencies since the first call of [`RocksDbManager::latencies`](super::RocksDbManager::latencies).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Latencies {
    /// Syncs of the write-ahead log. One sync can cover many writers.
    pub wal_sync: Latency,
    /// Flushes of memtables to SST files.
    pub flush: Latency,
}

/// Count, percentiles and sum of one kind of operation, in microseconds. Percentiles are interpolated by RocksDB from
/// buckets that are up to 50 % wide. All are 0 if there was no operation.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Latency {
    /// Number of operations.
    pub count: u64,
    /// Sum, in microseconds.
    pub sum_micros: u64,
    /// Median, in microseconds.
    pub p50_micros: f64,
    /// 95th percentile, in microseconds.
    pub p95_micros: f64,
    /// 99th percentile, in microseconds.
    pub p99_micros: f64,
    /// Longest, in microseconds.
    pub max_micros: f64,
}

impl From<HistogramData> for Latency {
    fn from(data: HistogramData) -> Self {
        Self {
            count: data.count(),
            sum_micros: data.sum(),
            p50_micros: data.median(),
            p95_micros: data.p95(),
            p99_micros: data.p99(),
            max_micros: data.max(),
        }
    }
}

/// Starts the histograms if they are not running.
pub(super) fn latencies(engine: &Engine) -> Latencies {
    engine.enable_latencies();
    let latency = |histogram| engine.options().database.get_histogram_data(histogram).into();
    Latencies { wal_sync: latency(Histogram::WalFileSyncMicros), flush: latency(Histogram::FlushTime) }
}

impl ColumnFamilySize {
    /// Size of all its SST and blob files, in bytes.
    pub fn bytes(&self) -> u64 {
        self.blob_bytes + self.levels.iter().map(|level| level.bytes).sum::<u64>()
    }
}

impl EngineStats {
    /// Bytes written to disk by log, flushes and compactions, per byte that the application wrote. `None` if it has
    /// written none since the counters started.
    ///
    /// ```
    /// use ave_actors_rocksdb::backend::EngineStats;
    ///
    /// let stats = EngineStats {
    ///     user_written_bytes: 100,
    ///     wal_bytes: 110,
    ///     flush_written_bytes: 60,
    ///     compaction_written_bytes: 130,
    ///     ..EngineStats::default()
    /// };
    /// assert_eq!(stats.write_amplification(), Some(3.0));
    /// assert_eq!(EngineStats::default().write_amplification(), None);
    /// ```
    pub fn write_amplification(&self) -> Option<f64> {
        let written = self.wal_bytes + self.flush_written_bytes + self.compaction_written_bytes;
        ratio(written, self.user_written_bytes)
    }

    /// Share of block reads that the block cache served, from 0 to 1. `None` without block reads since the counters
    /// started.
    ///
    /// ```
    /// use ave_actors_rocksdb::backend::EngineStats;
    ///
    /// let stats = EngineStats { block_cache_hits: 9, block_cache_misses: 1, ..EngineStats::default() };
    /// assert_eq!(stats.cache_hit_ratio(), Some(0.9));
    /// ```
    pub fn cache_hit_ratio(&self) -> Option<f64> {
        ratio(self.block_cache_hits, self.block_cache_hits + self.block_cache_misses)
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

pub(super) fn collect(engine: &Engine, families: &[Arc<ColumnFamily>]) -> Result<EngineStats, Error> {
    let read = Properties { engine, families };
    engine.enable_counters();
    let mut stats = counters(engine);
    stats.memory_budget_bytes = engine.tuning().memory_budget_bytes;
    stats.memtable_bytes = engine.memtables().bytes();
    stats.block_cache_bytes = engine.options().cache.get_usage() as u64;
    stats.block_cache_pinned_bytes = engine.options().cache.get_pinned_usage() as u64;
    stats.table_reader_bytes = read.sum(properties::ESTIMATE_TABLE_READERS_MEM)?;
    let stopping_error = engine.stopping_error();
    stats.write_stopped = stopping_error.is_some() || read.of_database(properties::IS_WRITE_STOPPED)? != 0;
    stats.background_errors = read.of_database(properties::BACKGROUND_ERRORS)?;
    stats.background_error = match stopping_error {
        None if stats.write_stopped && stats.background_errors > 0 => {
            wal_recovery::reported_background_error(engine.path())
        }
        stopping => stopping.map(|cause| cause.to_string()),
    };
    stats.wal_file_bytes = wal_recovery::bytes_on_disk(engine.path())
        .map_err(|cause| error::file("list the write-ahead logs in", engine.path(), &cause))?;
    stats.levels = levels(engine)?;
    stats.pending_compaction_bytes = read.sum(properties::ESTIMATE_PENDING_COMPACTION_BYTES)?;
    stats.running_flushes = read.of_database(properties::NUM_RUNNING_FLUSHES)?;
    stats.running_compactions = read.of_database(properties::NUM_RUNNING_COMPACTIONS)?;
    stats.live_data_bytes = read.sum(properties::ESTIMATE_LIVE_DATA_SIZE)?;
    stats.sst_bytes = read.sum(properties::TOTAL_SST_FILES_SIZE)?;
    stats.blob_bytes = read.sum(TOTAL_BLOB_FILE_SIZE)?;
    stats.estimated_keys = read.sum(properties::ESTIMATE_NUM_KEYS)?;
    stats.column_families = families.len() as u64;
    Ok(stats)
}

fn counters(engine: &Engine) -> EngineStats {
    let count = |ticker| engine.options().database.get_ticker_count(ticker);
    EngineStats {
        stall_micros: count(Ticker::StallMicros) + engine.memtables().waited_micros(),
        wal_syncs: count(Ticker::WalFileSynced),
        wal_bytes: count(Ticker::WalFileBytes),
        user_written_bytes: count(Ticker::BytesWritten),
        flush_written_bytes: count(Ticker::FlushWriteBytes),
        compaction_read_bytes: count(Ticker::CompactReadBytes),
        compaction_written_bytes: count(Ticker::CompactWriteBytes),
        block_cache_hits: count(Ticker::BlockCacheHit),
        block_cache_misses: count(Ticker::BlockCacheMiss),
        point_read_bytes: count(Ticker::BytesRead),
        iterator_read_bytes: count(Ticker::IterBytesRead),
        ..EngineStats::default()
    }
}

/// The size of every column family, sorted by name.
pub(super) fn family_sizes(engine: &Engine, families: &[Arc<ColumnFamily>]) -> Result<Vec<ColumnFamilySize>, Error> {
    let mut sizes = BTreeMap::new();
    for family in families {
        let blob_bytes = family_property(engine, family, TOTAL_BLOB_FILE_SIZE)?;
        let name = family.name().to_owned();
        sizes.insert(name.clone(), ColumnFamilySize { name, levels: Vec::new(), blob_bytes });
    }
    for file in files(engine)? {
        // A family that was created after the call began is not in the result.
        if let Some(size) = sizes.get_mut(&file.column_family_name) {
            add(&mut size.levels, &file);
        }
    }
    Ok(sizes.into_values().collect())
}

fn levels(engine: &Engine) -> Result<Vec<LevelStats>, Error> {
    let mut levels = Vec::new();
    for file in files(engine)? {
        add(&mut levels, &file);
    }
    Ok(levels)
}

fn files(engine: &Engine) -> Result<Vec<LiveFile>, Error> {
    engine.db().live_files().map_err(|cause| failed(engine, "list the files of", &cause))
}

fn add(levels: &mut Vec<LevelStats>, file: &LiveFile) {
    let level = usize::try_from(file.level).unwrap_or(0);
    if levels.len() <= level {
        levels.resize(level + 1, LevelStats::default());
    }
    levels[level].files += 1;
    levels[level].bytes += file.size as u64;
}

fn failed(engine: &Engine, action: &str, cause: &rocksdb::Error) -> Error {
    error::database(engine.error_context(), StoreOperation::RocksdbOperation, action, cause)
}

/// 0 if RocksDB does not know the property.
fn property(engine: &Engine, value: Result<Option<u64>, rocksdb::Error>) -> Result<u64, Error> {
    value.map(Option::unwrap_or_default).map_err(|cause| failed(engine, "read a property of", &cause))
}

fn family_property(engine: &Engine, family: &ColumnFamily, name: impl CStrLike) -> Result<u64, Error> {
    property(engine, engine.db().property_int_value_cf(family.handle(), name))
}

/// Reads properties of the database, and sums of properties that RocksDB has per column family.
struct Properties<'a> {
    engine: &'a Engine,
    families: &'a [Arc<ColumnFamily>],
}

impl Properties<'_> {
    fn of_database(&self, name: impl CStrLike) -> Result<u64, Error> {
        property(self.engine, self.engine.db().property_int_value(name))
    }

    fn sum(&self, name: impl CStrLike + Copy) -> Result<u64, Error> {
        self.families.iter().map(|family| family_property(self.engine, family, name)).sum()
    }
}
