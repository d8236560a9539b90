//! Converts [`Tuning`] to RocksDB options. No other module sets an option.

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, BottommostLevelCompaction, Cache, CompactOptions, DBCompactionStyle,
    DBCompressionType, DBRecoveryMode, FlushOptions, InfoLogger, IngestExternalFileOptions, LogLevel, Options,
    ReadOptions, WriteBufferManager, WriteOptions, statistics::StatsLevel,
};

use super::{Durability, key::Prefix, tuning::Tuning};

/// The options of one database, kept while it is open.
pub(super) struct EngineOptions {
    /// Options of the database and of each column family. They also give access to its statistics.
    pub(super) database: Options,
    /// Shared by all column families.
    pub(super) cache: Cache,
    /// Limits the memtables of all column families, and charges them to the cache.
    pub(super) memtables: WriteBufferManager,
}

/// More than the files of level 0, which an iterator reads at the same time.
const OPEN_FILES_OF_A_SCRUB: i32 = 64;

/// What the options depend on beside the machine.
pub(super) struct Opening {
    pub(super) durability: Durability,
    /// See [`Era::name`](super::nested_prefixes::Era::name).
    pub(super) era_name: String,
    /// Whether a missing database is created.
    pub(super) creates: bool,
    /// Size of the SST files.
    pub(super) table_bytes: u64,
}

impl EngineOptions {
    /// Enables RocksDB's counters, and with `latencies` its histograms. Further calls have no effect.
    pub(super) fn enable_counters(&self, latencies: bool) {
        let level = if latencies { StatsLevel::ExceptDetailedTimers } else { StatsLevel::ExceptHistogramOrTimers };
        // The level is a property of the statistics object, which copies of the options share with the open database.
        self.database.clone().set_statistics_level(level);
    }

    /// Hands the warnings and errors of RocksDB to `listen`, instead of writing them to the file `LOG` of the database.
    pub(super) fn listen(&mut self, listen: impl Fn(&str) + Send + Sync + 'static) {
        let logger = InfoLogger::new_callback_logger(LogLevel::Warn, move |_, line| listen(line));
        self.database.set_info_logger(logger);
    }

    /// For one read of the whole database. Few files are open at a time, and an iterator skips no versions of a key, so
    /// that it reads all blocks.
    pub(super) fn read_everything(&mut self) {
        self.database.set_max_open_files(OPEN_FILES_OF_A_SCRUB);
        self.database.set_max_sequential_skip_in_iterations(u64::MAX);
    }

    /// For files that will be a part of a database with `table_bytes` of them.
    pub(super) fn bulk_load(&self, tuning: &Tuning, table_bytes: u64) -> Options {
        let mut options = self.database.clone();
        options.set_block_based_table_factory(&table_options(tuning, table_bytes, &self.cache));
        options
    }

    /// For an opening that writes nothing.
    pub(super) fn read_only(tuning: &Tuning) -> Result<Self, rocksdb::Error> {
        let opening = Opening { durability: Durability::Off, era_name: String::new(), creates: false, table_bytes: 0 };
        Self::new(tuning, &opening)
    }

    pub(super) fn new(tuning: &Tuning, opening: &Opening) -> Result<Self, rocksdb::Error> {
        let cache = block_cache(tuning);
        // Starts flushes, but does not block writers: a thread that writes while it iterates would wait forever for
        // memory that its own iterator pins. `Memtables` blocks them, and only while flushes run.
        let memtables = WriteBufferManager::new_write_buffer_manager_with_cache(
            to_usize(tuning.memtable_limit_bytes),
            false,
            cache.clone(),
        );
        let mut database =
            Options::default().get_options_from_string(options_without_setter(tuning, &opening.era_name))?;
        database.create_if_missing(opening.creates);
        database.create_missing_column_families(true);
        database.set_write_buffer_manager(&memtables);
        set_memtables(&mut database, tuning);
        set_log(&mut database, tuning, opening.durability);
        set_files(&mut database, tuning);
        set_large_values(&mut database, tuning, &cache);
        set_diagnostics(&mut database, tuning);
        database.set_block_based_table_factory(&table_options(tuning, opening.table_bytes, &cache));
        Ok(Self { database, cache, memtables })
    }
}

/// Options for which the binding has no setter, in the format of RocksDB's options files.
fn options_without_setter(tuning: &Tuning, era_name: &str) -> String {
    // Without the two job counts, RocksDB would use a quarter of their sum for flushes.
    format!(
        "max_background_flushes={};max_background_compactions={};db_host_id={}",
        tuning.flush_jobs, tuning.compaction_jobs, era_name
    )
}

/// A lock-free cache, because every read accesses it several times.
fn block_cache(tuning: &Tuning) -> Cache {
    const ANY_ENTRY_SIZE: usize = 0;
    Cache::new_hyper_clock_cache(to_usize(tuning.memory_budget_bytes), ANY_ENTRY_SIZE)
}

fn set_memtables(options: &mut Options, tuning: &Tuning) {
    options.set_write_buffer_size(to_usize(tuning.write_buffer_bytes));
    options.set_max_write_buffer_number(to_i32(tuning.max_write_buffers));
    options.set_arena_block_size(to_usize(tuning.arena_block_bytes));
}

fn set_log(options: &mut Options, tuning: &Tuning, durability: Durability) {
    options.set_max_total_wal_size(tuning.max_wal_bytes);
    options.set_wal_bytes_per_sync(tuning.wal_bytes_per_sync);
    options.set_recycle_log_file_num(tuning.recycled_wal_files as usize);
    // After a crash, recovery applies everything before the first damaged record and nothing after it.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    // That mode does not detect a missing log, or one truncated between two records, and would replay newer logs after
    // the gap. So the manifest records the length of each closed log once it is synced. The stricter
    // `track_and_verify_wals` does not work with recycled logs: it can take the remains of an older log after the end
    // of a newer one for damage, and drop the writes that follow.
    options.set_track_and_verify_wals_in_manifest(true);
    // One group of writers writes to the log while the previous one writes to the memtables.
    options.set_enable_pipelined_write(true);
    // Otherwise each writer of a group is woken twice: to write its own entry to the memtable, and when all have. With
    // a sync per group, groups are large, and one thread that writes all entries saves a third of the CPU time.
    options.set_allow_concurrent_memtable_write(durability == Durability::Off);
}

/// Only zlib uses these two.
const WINDOW_BITS: i32 = -14;
const STRATEGY: i32 = 0;
/// Dictionary size in bytes. Blocks are large enough to compress well without one.
const NO_DICTIONARY: i32 = 0;

fn set_files(options: &mut Options, tuning: &Tuning) {
    options.set_max_open_files(to_i32(tuning.max_open_files));
    options.set_compaction_style(DBCompactionStyle::Level);
    options.set_level_compaction_dynamic_level_bytes(true);
    options.set_level_zero_file_num_compaction_trigger(to_i32(tuning.level_zero_files));
    options.set_target_file_size_base(tuning.target_file_bytes);
    options.set_max_bytes_for_level_base(tuning.level_base_bytes);
    // Fast compression for upper levels, which are rewritten often. Dense compression for the last, which has most
    // data.
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_bottommost_compression_type(DBCompressionType::Zstd);
    options.set_bottommost_compression_options(WINDOW_BITS, to_i32(tuning.zstd_level), STRATEGY, NO_DICTIONARY, true);
    options.set_bytes_per_sync(tuning.sst_bytes_per_sync);
    // A ratio of 0 disables that trigger. Only the count within the window remains.
    options.add_compact_on_deletion_collector_factory(
        tuning.tombstone_window as usize,
        tuning.tombstone_trigger as usize,
        0.0,
    );
    // An open does not read every file to update statistics, and closing an iterator does not delete files.
    options.set_skip_stats_update_on_db_open(true);
    options.set_avoid_unnecessary_blocking_io(true);
}

/// Compactions move references to large values instead of the values, except in the oldest blob files.
fn set_large_values(options: &mut Options, tuning: &Tuning, cache: &Cache) {
    options.set_enable_blob_files(true);
    options.set_min_blob_size(tuning.min_blob_bytes);
    options.set_blob_compression_type(DBCompressionType::Lz4);
    options.set_blob_cache(cache);
    options.set_enable_blob_gc(true);
    options.set_blob_gc_age_cutoff(f64::from(tuning.blob_gc_percent) / 100.0);
}

fn set_diagnostics(options: &mut Options, tuning: &Tuning) {
    options.set_log_level(LogLevel::Warn);
    options.set_max_log_file_size(to_usize(tuning.info_log_bytes));
    options.set_keep_log_file_num(tuning.info_log_files as usize);
    // Counters cost every write and read a few percent, so `enable_counters` starts them on the first `stats()` call.
    // They are not dumped to RocksDB's own log, where each column family would take a page.
    options.enable_statistics();
    options.set_statistics_level(StatsLevel::DisableAll);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
}

fn table_options(tuning: &Tuning, table_bytes: u64, cache: &Cache) -> BlockBasedOptions {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_block_size(to_usize(tuning.block_bytes));
    table.set_block_restart_interval(to_i32(tuning.block_restart_interval));
    table.set_bloom_filter(f64::from(tuning.bloom_bits_per_key), false);
    // Outside the cache, indexes and filters would grow with the data without limit.
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    if table_bytes > tuning.ram_bytes {
        // The filters and indexes of new files exceed the cache: a read would load all of a file's for one block. In a
        // smaller database they fit, and the search of two levels would take half a microsecond of every read.
        table.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
        table.set_partition_filters(true);
        table.set_metadata_block_size(to_usize(tuning.index_partition_bytes));
        table.set_pin_top_level_index_and_filter(true);
    }
    table
}

pub(super) fn write_options(durability: Durability) -> WriteOptions {
    let mut options = WriteOptions::default();
    options.set_sync(durability == Durability::On);
    options
}

/// For an iterator over the entries of one prefix.
pub(super) fn range_options(prefix: &Prefix) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_iterate_lower_bound(prefix.lower_bound());
    options.set_iterate_upper_bound(prefix.upper_bound());
    options
}

/// Like [`range_options`], for reading one entry. A scan of more than `hidden` deleted or overwritten entries fails
/// with [`rocksdb::ErrorKind::Incomplete`].
pub(super) fn bounded_scan_options(prefix: &Prefix, hidden: u32) -> ReadOptions {
    let mut options = range_options(prefix);
    options.set_max_skippable_internal_keys(hidden.into());
    options
}

/// For a scan of a whole column family. Does not fill the block cache.
pub(super) fn whole_scan_options() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.fill_cache(false);
    options
}

/// Like [`range_options`], for one scan before a purge. Does not fill the block cache.
pub(super) fn purge_scan_options(prefix: &Prefix) -> ReadOptions {
    let mut options = range_options(prefix);
    options.fill_cache(false);
    options
}

/// For one read of every entry, deleted ones included, that verifies all blocks and does not evict others from a cache.
// Deprecated because it is of no use for speed. Without it, an iterator skips files that a range deletion covers.
#[expect(deprecated)]
pub(super) fn scrub_options() -> ReadOptions {
    const READ_AHEAD: usize = 2 * 1024 * 1024;
    let mut options = ReadOptions::default();
    options.set_verify_checksums(true);
    options.fill_cache(false);
    options.set_ignore_range_deletions(true);
    options.set_readahead_size(READ_AHEAD);
    options
}

/// Moves the files into the database instead of copying them.
pub(super) fn ingest_options() -> IngestExternalFileOptions {
    let mut options = IngestExternalFileOptions::default();
    options.set_move_files(true);
    options
}

/// Also rewrites the last level, but no file twice.
pub(super) fn compact_options() -> CompactOptions {
    let mut options = CompactOptions::default();
    options.set_bottommost_level_compaction(BottommostLevelCompaction::ForceOptimized);
    options
}

/// `wait`: whether the call returns after the flush instead of after its start.
pub(super) fn flush_options(wait: bool) -> FlushOptions {
    let mut options = FlushOptions::default();
    options.set_wait(wait);
    options
}

/// RocksDB's counts are C integers. All values of [`Tuning`] are far below the limit.
fn to_i32(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn to_usize(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
