//! What the engine is doing, as plain data.

use std::{collections::BTreeMap, sync::Arc};

use ave_actors_store::{Error, StoreOperation};
use rocksdb::{CStrLike, LiveFile, properties, statistics::Ticker};

use super::{column::ColumnFamily, engine::Engine, error};

/// A property that the binding has no name for, as RocksDB's `db.h` lists it.
const TOTAL_BLOB_FILE_SIZE: &str = "rocksdb.total-blob-file-size";

/// A moment in the life of a database, over all its column families.
///
/// Sizes and states are those of the moment. The counters, named so below, count from the first of all moments that
/// somebody asks for: counting costs every write and every read a few percent, so it begins when somebody wants to
/// know. The difference between two moments is what happened between them.
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
    /// What block cache and memtables together may take, in bytes.
    pub memory_budget_bytes: u64,
    /// What memtables take, in bytes, allocated but unused parts included.
    pub memtable_bytes: u64,
    /// What the block cache holds, in bytes. Memtables are charged to it in pieces of 256 KiB and included.
    pub block_cache_bytes: u64,
    /// The part of the block cache that cannot be evicted now, in bytes. Memtables are included.
    pub block_cache_pinned_bytes: u64,
    /// What open SST files take outside the block cache, in bytes.
    pub table_reader_bytes: u64,

    /// Counter: time that writers were held back because flushes or compactions could not keep up, in microseconds.
    pub stall_micros: u64,
    /// Whether no write gets through at this moment, because flushes or compactions cannot keep up or because one has
    /// failed, on a full disk say.
    pub write_stopped: bool,

    /// Counter: synchronous writes of the write-ahead log to the disk. One can cover many writers.
    pub wal_syncs: u64,
    /// Counter: bytes written to the write-ahead log.
    pub wal_bytes: u64,
    /// Counter: bytes that callers wrote, keys and values, before compression.
    pub user_written_bytes: u64,
    /// Counter: bytes of memtables written to SST files, compressed.
    pub flush_written_bytes: u64,
    /// Counter: bytes that compactions read, compressed.
    pub compaction_read_bytes: u64,
    /// Counter: bytes that compactions wrote, compressed.
    pub compaction_written_bytes: u64,

    /// Counter: blocks found in the block cache.
    pub block_cache_hits: u64,
    /// Counter: blocks that had to be read from a file.
    pub block_cache_misses: u64,
    /// Counter: bytes that point reads returned, values only.
    pub point_read_bytes: u64,
    /// Counter: bytes that iterators returned, keys and values.
    pub iterator_read_bytes: u64,

    /// Files and bytes per level of all column families, level 0 first, up to the last level that holds a file.
    pub levels: Vec<LevelStats>,
    /// What compactions still have to rewrite, in bytes, as RocksDB estimates it.
    pub pending_compaction_bytes: u64,
    /// Flushes running at this moment.
    pub running_flushes: u64,
    /// Compactions running at this moment.
    pub running_compactions: u64,
    /// Data that is not overwritten or deleted, in bytes on disk, as RocksDB estimates it. Memtables are not in it.
    /// Large values in blob files are.
    pub live_data_bytes: u64,
    /// All SST files that are still on the disk, in bytes.
    pub sst_bytes: u64,
    /// All blob files that are still on the disk, in bytes. They hold the large values.
    pub blob_bytes: u64,
    /// Entries, as RocksDB estimates it.
    pub estimated_keys: u64,
    /// Column families, the always present `default` included.
    pub column_families: u64,
}

/// One level of the log-structured merge trees of all column families.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LevelStats {
    /// SST files.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

/// What one column family takes on the disk, see [`RocksDbManager::column_family_sizes`](super::RocksDbManager::column_family_sizes).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnFamilySize {
    /// Its name.
    pub name: String,
    /// SST files and their bytes per level, level 0 first, up to the last level that holds a file.
    pub levels: Vec<LevelStats>,
    /// Its blob files, in bytes. They hold the large values.
    pub blob_bytes: u64,
}

impl ColumnFamilySize {
    /// All its files, in bytes.
    pub fn bytes(&self) -> u64 {
        self.blob_bytes + self.levels.iter().map(|level| level.bytes).sum::<u64>()
    }
}

impl EngineStats {
    /// Bytes written to the disk per byte that callers wrote: log, flushes and compactions. `None` before the first
    /// write.
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

    /// The part of the blocks that were found in the block cache, from 0 to 1. `None` before the first look.
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

/// Asks the engine.
pub(super) fn collect(engine: &Engine, families: &[Arc<ColumnFamily>]) -> Result<EngineStats, Error> {
    let ask = Questions { engine, families };
    engine.options().begin_to_count();
    let mut stats = counters(engine);
    stats.memory_budget_bytes = engine.tuning().memory_budget_bytes;
    stats.memtable_bytes = engine.memtables().bytes();
    stats.block_cache_bytes = engine.options().cache.get_usage() as u64;
    stats.block_cache_pinned_bytes = engine.options().cache.get_pinned_usage() as u64;
    stats.table_reader_bytes = ask.sum(properties::ESTIMATE_TABLE_READERS_MEM)?;
    stats.write_stopped = !engine.takes_writes() || ask.database(properties::IS_WRITE_STOPPED)? != 0;
    stats.levels = levels(engine)?;
    stats.pending_compaction_bytes = ask.sum(properties::ESTIMATE_PENDING_COMPACTION_BYTES)?;
    stats.running_flushes = ask.database(properties::NUM_RUNNING_FLUSHES)?;
    stats.running_compactions = ask.database(properties::NUM_RUNNING_COMPACTIONS)?;
    stats.live_data_bytes = ask.sum(properties::ESTIMATE_LIVE_DATA_SIZE)?;
    stats.sst_bytes = ask.sum(properties::TOTAL_SST_FILES_SIZE)?;
    stats.blob_bytes = ask.sum(TOTAL_BLOB_FILE_SIZE)?;
    stats.estimated_keys = ask.sum(properties::ESTIMATE_NUM_KEYS)?;
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

/// Asks the engine for the size of every column family, in the order of their names.
pub(super) fn family_sizes(engine: &Engine, families: &[Arc<ColumnFamily>]) -> Result<Vec<ColumnFamilySize>, Error> {
    let mut sizes = BTreeMap::new();
    for family in families {
        let blob_bytes = engine.db().property_int_value_cf(family.handle(), TOTAL_BLOB_FILE_SIZE);
        let blob_bytes = blob_bytes.map_err(|cause| failed(engine, "read a property of", &cause))?.unwrap_or_default();
        let name = family.name().to_owned();
        sizes.insert(name.clone(), ColumnFamilySize { name, levels: Vec::new(), blob_bytes });
    }
    for file in files(engine)? {
        // A family that was created since has none of the sizes asked for.
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

fn failed(engine: &Engine, what: &str, cause: &rocksdb::Error) -> Error {
    error::database(engine.site(), StoreOperation::RocksdbOperation, what, cause)
}

/// Properties, which RocksDB answers one column family at a time.
struct Questions<'a> {
    engine: &'a Engine,
    families: &'a [Arc<ColumnFamily>],
}

impl Questions<'_> {
    /// Of the database as a whole.
    fn database(&self, property: impl CStrLike) -> Result<u64, Error> {
        let answer = self.engine.db().property_int_value(property);
        answer.map(Option::unwrap_or_default).map_err(|cause| failed(self.engine, "read a property of", &cause))
    }

    /// Of all column families together.
    fn sum(&self, property: impl CStrLike + Copy) -> Result<u64, Error> {
        let of = |family: &Arc<ColumnFamily>| self.engine.db().property_int_value_cf(family.handle(), property);
        self.families.iter().try_fold(0, |sum, family| {
            let value = of(family).map_err(|cause| failed(self.engine, "read a property of", &cause))?;
            Ok(sum + value.unwrap_or_default())
        })
    }
}
