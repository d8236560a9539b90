//! Derives RocksDB's settings from the CPU cores and the RAM of a machine. Pure functions without a database.
//!
//! The actor runtime and the operating system share the machine, so the database gets a small, fixed share: **one**
//! memory budget, whatever the number of column families.

use std::fmt;

use ave_actors_store::config::ResolvedSpec;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;

/// Memory budget in percent of RAM.
const MEMORY_PERCENT: u64 = 5;
/// The smallest budget with which RocksDB works well, in bytes.
const MIN_MEMORY: u64 = 32 * MIB;
/// The smallest open-file limit with which a process can open a database.
pub(super) const MIN_OPEN_FILES: u64 = 128;

/// Settings of one database, derived from the machine it runs on. They cannot be changed one by one.
///
/// ```
/// use ave_actors_rocksdb::backend::Tuning;
/// use ave_actors_store::config::ResolvedSpec;
///
/// let tuning = Tuning::new(&ResolvedSpec { ram_mb: 4096, cpu_cores: 2 }, None);
/// assert_eq!(tuning.memory_budget_bytes, 4096 * 1024 * 1024 / 20);
/// assert!(tuning.memtable_budget_bytes <= tuning.memory_budget_bytes / 8 * 5);
/// for setting in tuning.settings() {
///     println!("{setting}");
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuning {
    /// RAM of the machine, in bytes.
    pub ram_bytes: u64,
    /// CPU cores of the machine.
    pub cpu_cores: usize,
    /// Limit of the block cache and all memtables together, in bytes: 5 % of RAM, at least 32 MiB.
    pub memory_budget_bytes: u64,
    /// Target for all memtables together, in bytes: 5/8 of the memory budget. Above it, the fullest are flushed.
    pub memtable_budget_bytes: u64,
    /// Limit for all memtables together, in bytes: 13/16 of the memory budget. Above it, writers wait for a flush.
    pub memtable_limit_bytes: u64,
    /// Size at which a memtable is flushed, in bytes: 3/8 of the memtable budget, 4 to 64 MiB.
    pub write_buffer_bytes: u64,
    /// Memtables of one column family, the active one included, at which its writers wait: 4.
    pub max_write_buffers: u32,
    /// Unit in which memtables allocate memory, in bytes: 8 to 64 KiB, a power of two.
    pub arena_block_bytes: u64,
    /// Total size of the write-ahead logs at which the oldest data in them is flushed, in bytes: 3/2 of the memtable
    /// budget, 32 MiB to 1 GiB.
    pub max_wal_bytes: u64,
    /// Files that the database keeps open at most: one per 4 MiB of RAM, 256 to 8192, and at most half of the open-file
    /// limit of the process.
    pub max_open_files: u32,
    /// Flushes that run at the same time: 4.
    pub flush_jobs: u32,
    /// Compactions that run at the same time: half of the cores, 1 to 4.
    pub compaction_jobs: u32,
    /// Number of files in level 0 that triggers a compaction into the next level: 8.
    pub level_zero_files: u32,
    /// Approximate size of an SST file, in bytes: one memtable, at least 16 MiB.
    pub target_file_bytes: u64,
    /// Size of the first level below level 0, in bytes: four memtables, at least 64 MiB. Each further level is ten
    /// times as large.
    pub level_base_bytes: u64,
    /// Approximate size of a block before compression, in bytes: 16 KiB. A block is the unit of reading and caching.
    pub block_bytes: u64,
    /// Number of entries between two whole keys in a block, at which a search can start: 4.
    pub block_restart_interval: u32,
    /// Size of a partition of the index or the filter of an SST file, in bytes: 32 KiB. Used for new files of a database
    /// that is larger than the RAM when it is opened; smaller ones have one partition.
    pub index_partition_bytes: u64,
    /// Size from which values are stored in blob files instead of SST files, in bytes: 16 KiB.
    pub min_blob_bytes: u64,
    /// Share of the blob files, oldest first, from which compactions remove overwritten values, in percent: 50.
    pub blob_gc_percent: u32,
    /// Compression level of zstd, which compresses the last level of SST files: 1.
    pub zstd_level: u32,
    /// Limit of the values that all handles together store as read-ahead, in bytes: 1/64 of the memory budget, 512 KiB
    /// to 4 MiB. Not part of that budget.
    pub read_ahead_bytes: u64,
    /// Size of the Bloom filters, in bits per key: 10.
    pub bloom_bits_per_key: u32,
    /// Bytes of an SST file after which the kernel starts to write them to disk: 1 MiB.
    pub sst_bytes_per_sync: u64,
    /// Bytes of the log after which the kernel starts to write them to disk, without durability: 4 MiB.
    pub wal_bytes_per_sync: u64,
    /// Log files that are kept for reuse instead of being deleted: 2.
    pub recycled_wal_files: u32,
    /// Deletions among any [`Tuning::tombstone_window`] consecutive entries of a file that trigger its compaction: 512.
    pub tombstone_trigger: u32,
    /// Number of consecutive entries for [`Tuning::tombstone_trigger`]: 1024.
    pub tombstone_window: u32,
    /// Consecutive deleted or overwritten entries that a read skips before it triggers a flush of the memtable: 256.
    pub hidden_entries_trigger: u32,
    /// Deletions by one handle that trigger a flush of the memtable: 32,768.
    pub deletions_trigger: u32,
    /// Range deletions in a memtable after which a read triggers its flush: 128.
    pub range_deletions_trigger: u32,
    /// Size at which RocksDB's own log file is rotated, in bytes: 10 MiB.
    pub info_log_bytes: u64,
    /// Number of RocksDB's own log files that are kept: 5.
    pub info_log_files: u32,
    open_file_limit: Option<u64>,
    reasons: Reasons,
}

/// The reasons that depend on the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reasons {
    memory_budget: String,
    max_open_files: String,
}

/// One setting for display, from [`Tuning::settings`].
///
/// `Display` prints one line: `memory_budget = 214748364 bytes (5 % of 4096 MiB RAM …)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Name, unique among the settings.
    pub name: &'static str,
    /// Value, in `unit`.
    pub value: u64,
    /// Unit of the value, for example `bytes` or `files`.
    pub unit: &'static str,
    /// Reason for the value.
    pub reason: String,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} {} ({})", self.name, self.value, self.unit, self.reason)
    }
}

impl Tuning {
    /// Derives the settings for a machine.
    ///
    /// `open_file_limit` is the soft limit on open files of this process, `None` if unlimited; the database uses at
    /// most half of it. Accepts any machine: with less than 640 MiB of RAM the memory budget is the minimum of 32 MiB.
    pub fn new(spec: &ResolvedSpec, open_file_limit: Option<u64>) -> Self {
        let ram_bytes = spec.ram_mb.saturating_mul(MIB);
        let (memory_budget_bytes, memory_budget) = memory_budget(spec.ram_mb);
        let (max_open_files, open_files_reason) = max_open_files(spec.ram_mb, open_file_limit);
        let memtables = memory_budget_bytes / 8 * 5;
        let write_buffer_bytes = (memtables / 8 * 3).clamp(4 * MIB, 64 * MIB);
        Self {
            ram_bytes,
            cpu_cores: spec.cpu_cores,
            memory_budget_bytes,
            memtable_budget_bytes: memtables,
            memtable_limit_bytes: memory_budget_bytes / 16 * 13,
            write_buffer_bytes,
            max_write_buffers: 4,
            arena_block_bytes: power_of_two_at_most(memtables / 1024).clamp(8 * KIB, 64 * KIB),
            max_wal_bytes: (memtables / 2 * 3).clamp(32 * MIB, GIB),
            max_open_files,
            flush_jobs: 4,
            compaction_jobs: compaction_jobs(spec.cpu_cores),
            level_zero_files: 8,
            target_file_bytes: write_buffer_bytes.max(16 * MIB),
            level_base_bytes: (4 * write_buffer_bytes).max(64 * MIB),
            block_bytes: 16 * KIB,
            block_restart_interval: 4,
            index_partition_bytes: 32 * KIB,
            min_blob_bytes: 16 * KIB,
            blob_gc_percent: 50,
            zstd_level: 1,
            read_ahead_bytes: (memory_budget_bytes / 64).clamp(512 * KIB, 4 * MIB),
            bloom_bits_per_key: 10,
            sst_bytes_per_sync: MIB,
            wal_bytes_per_sync: 4 * MIB,
            recycled_wal_files: 2,
            tombstone_trigger: 512,
            tombstone_window: 1024,
            hidden_entries_trigger: 256,
            deletions_trigger: 32 * 1024,
            range_deletions_trigger: 128,
            info_log_bytes: 10 * MIB,
            info_log_files: 5,
            open_file_limit,
            reasons: Reasons { memory_budget, max_open_files: open_files_reason },
        }
    }

    /// Soft limit on open files of this process. `None`: unlimited or unknown.
    pub(super) fn open_file_limit(&self) -> Option<u64> {
        self.open_file_limit
    }

    /// Every setting with its unit and its reason, for display.
    pub fn settings(&self) -> Vec<Setting> {
        let mut settings = self.memory_settings();
        settings.extend(self.write_settings());
        settings.extend(self.file_settings());
        settings
    }

    fn memory_settings(&self) -> Vec<Setting> {
        vec![
            setting("memory_budget", self.memory_budget_bytes, "bytes", &self.reasons.memory_budget),
            setting(
                "memtable_budget",
                self.memtable_budget_bytes,
                "bytes",
                "5/8 of the memory budget, shared by all column families and charged to the block cache: a larger \
                 budget means fewer and larger files when hundreds of families are flushed",
            ),
            setting(
                "memtable_limit",
                self.memtable_limit_bytes,
                "bytes",
                "writers that are faster than the disk wait, so that 3/16 of the memory budget remain for blocks",
            ),
            setting(
                "write_buffer",
                self.write_buffer_bytes,
                "bytes",
                "3/8 of the memtable budget: snapshots overwritten in a memtable are never written to a file, and \
                 there is space for a second memtable while the first is flushed",
            ),
            setting(
                "max_write_buffers",
                self.max_write_buffers,
                "memtables",
                "writers continue while three are flushed",
            ),
            setting(
                "arena_block",
                self.arena_block_bytes,
                "bytes",
                "small compared with the memtable budget: with the default of 1 MiB, the empty blocks of a few hundred \
                 column families exhaust it, and every write triggers a flush",
            ),
        ]
    }

    fn write_settings(&self) -> Vec<Setting> {
        vec![
            setting(
                "max_wal",
                self.max_wal_bytes,
                "bytes",
                "disk space, not memory: limits the log that an open replays. Below the memtables, it would flush all \
                 families of the oldest log before the fullest are flushed",
            ),
            setting(
                "flush_jobs",
                self.flush_jobs,
                "jobs",
                "a flush uses the disk more than the CPU, and hundreds of column families cause many small flushes",
            ),
            setting(
                "compaction_jobs",
                self.compaction_jobs,
                "jobs",
                "half of the cores, at least 1 and at most 4: the others are for the application",
            ),
            setting(
                "recycled_wal_files",
                self.recycled_wal_files,
                "files",
                "a sync of a file that keeps its size needs no commit of the file system journal",
            ),
            setting(
                "wal_bytes_per_sync",
                self.wal_bytes_per_sync,
                "bytes",
                "avoids a burst of write-back at the end of a log: fewer than one write in a thousand waits for the \
                 disk",
            ),
            setting(
                "sst_bytes_per_sync",
                self.sst_bytes_per_sync,
                "bytes",
                "avoids a burst of write-back at the end of a file",
            ),
        ]
    }

    fn file_settings(&self) -> Vec<Setting> {
        let tombstones = format!(
            "of {} consecutive entries: reads do not scan the deleted events of a compacted log",
            self.tombstone_window
        );
        vec![
            setting("max_open_files", self.max_open_files, "files", &self.reasons.max_open_files),
            setting(
                "target_file",
                self.target_file_bytes,
                "bytes",
                "few files, because the number of open files is limited",
            ),
            setting(
                "level_zero_files",
                self.level_zero_files,
                "files",
                "each compaction rewrites overlapping data of the next level: twice the default of 4 halves that, and \
                 filters let reads skip most of the files",
            ),
            setting("level_base", self.level_base_bytes, "bytes", "four flushed memtables"),
            setting(
                "block",
                self.block_bytes,
                "bytes",
                "one or two blocks contain the events that one actor replays, so a recovery from disk takes a few \
                 reads; the index, which the cache also stores, is a quarter of that for the default of 4 KiB",
            ),
            setting(
                "block_restart_interval",
                self.block_restart_interval,
                "entries",
                "a search scans up to this many entries one by one, each a CPU cache miss; the default is 16",
            ),
            setting(
                "index_partition",
                self.index_partition_bytes,
                "bytes",
                "of a database larger than the RAM: a read loads parts of index and filter instead of all, often a \
                 megabyte per file; 4 KiB would take more reads",
            ),
            setting(
                "min_blob",
                self.min_blob_bytes,
                "bytes",
                "compactions do not rewrite values in blob files: large snapshots are overwritten before a rewrite \
                 would pay off",
            ),
            setting(
                "blob_gc",
                self.blob_gc_percent,
                "percent",
                "compared with the default of 25, randomly overwritten snapshots take a third less space, for a few \
                 percent more writes",
            ),
            setting(
                "zstd_level",
                self.zstd_level,
                "level",
                "compresses serialized events as well as the default level 3, and compactions take less CPU time from \
                 the application",
            ),
            setting(
                "read_ahead",
                self.read_ahead_bytes,
                "bytes",
                "actors recover with one read per event: each read also reads the events after it, 64 KiB per actor \
                 that recovers at the same time",
            ),
            setting(
                "bloom_bits_per_key",
                self.bloom_bits_per_key,
                "bits",
                "about 1 % of the reads of absent keys access the disk",
            ),
            setting("tombstone_trigger", self.tombstone_trigger, "deletions", &tombstones),
            setting(
                "hidden_entries_trigger",
                self.hidden_entries_trigger,
                "entries",
                "every read scans the deletions in a memtable until it is flushed; `last` reads this many in the time of ten \
                 reads",
            ),
            setting(
                "deletions_trigger",
                self.deletions_trigger,
                "deletions",
                "limits the first read of a log that was compacted entry by entry to about 20 ms, and still flushes \
                 rarely",
            ),
            setting(
                "range_deletions_trigger",
                self.range_deletions_trigger,
                "deletions",
                "each purge adds one, and the next read sorts all of the memtable: this many cost about 10 us",
            ),
            setting("info_log", self.info_log_bytes, "bytes", "keeps RocksDB's own log small"),
            setting("info_log_files", self.info_log_files, "files", "enough to analyse a crash"),
        ]
    }
}

fn setting(name: &'static str, value: impl Into<u64>, unit: &'static str, reason: &str) -> Setting {
    Setting { name, value: value.into(), unit, reason: reason.to_owned() }
}

fn memory_budget(ram_mib: u64) -> (u64, String) {
    let share = ram_mib.saturating_mul(MIB) / (100 / MEMORY_PERCENT);
    let percent = format!("{MEMORY_PERCENT} % of {ram_mib} MiB RAM");
    if share >= MIN_MEMORY {
        (share, format!("{percent}: the actor runtime and the operating system share the machine"))
    } else {
        (MIN_MEMORY, format!("the minimum: {percent} is too little for RocksDB"))
    }
}

/// Proportional to RAM, because every open file has a table reader of some tens of KiB outside the memory budget.
fn max_open_files(ram_mib: u64, limit: Option<u64>) -> (u32, String) {
    let by_ram = (ram_mib / 4).clamp(256, 8192);
    let (files, reason) = match limit.map(|limit| limit / 2) {
        Some(half) if half < by_ram => {
            (half.max(MIN_OPEN_FILES / 2), "half of the open-file limit of this process".to_owned())
        }
        _ => (by_ram, format!("one per 4 MiB of {ram_mib} MiB RAM, at least 256 and at most 8192")),
    };
    (u32::try_from(files).unwrap_or(u32::MAX), reason)
}

fn compaction_jobs(cores: usize) -> u32 {
    u32::try_from(cores / 2).unwrap_or(4).clamp(1, 4)
}

fn power_of_two_at_most(n: u64) -> u64 {
    n.checked_ilog2().map_or(1, |bits| 1 << bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tuning(ram_mb: u64, cpu_cores: usize) -> Tuning {
        Tuning::new(&ResolvedSpec { ram_mb, cpu_cores }, None)
    }

    #[test]
    fn the_memory_budget_is_five_percent_of_ram() {
        assert_eq!(tuning(20 * 1024, 4).memory_budget_bytes, GIB);
        assert_eq!(tuning(20 * 1024, 4).memtable_budget_bytes, GIB / 8 * 5);
    }

    #[test]
    fn a_small_machine_gets_the_minimum_budget_with_that_reason() {
        for ram_mb in [0, 1, 512] {
            let tuning = tuning(ram_mb, 1);
            assert_eq!(tuning.memory_budget_bytes, MIN_MEMORY);
            let settings = tuning.settings();
            assert!(settings[0].reason.contains("minimum"), "{}", settings[0]);
        }
    }

    #[test]
    fn open_files_are_at_most_half_of_the_process_limit() {
        let spec = ResolvedSpec { ram_mb: 16 * 1024, cpu_cores: 4 };
        assert_eq!(Tuning::new(&spec, None).max_open_files, 4096);
        assert_eq!(Tuning::new(&spec, Some(1024)).max_open_files, 512);
        assert_eq!(Tuning::new(&spec, Some(1_000_000)).max_open_files, 4096);
        assert_eq!(Tuning::new(&spec, Some(0)).max_open_files, 64, "RocksDB needs a few");
    }

    #[test]
    fn compactions_use_at_most_half_of_the_cores() {
        assert_eq!([0, 1, 2, 4, 6, 8, 64].map(compaction_jobs), [1, 1, 1, 2, 3, 4, 4]);
    }

    #[test]
    fn empty_arena_blocks_of_300_families_fit_half_of_the_memtable_budget() {
        assert_eq!(tuning(512, 2).arena_block_bytes, 16 * KIB);
        assert_eq!(tuning(64 * 1024, 8).arena_block_bytes, 64 * KIB);
        assert!(300 * tuning(512, 2).arena_block_bytes < tuning(512, 2).memtable_budget_bytes / 2);
    }

    #[test]
    fn every_setting_has_a_unique_name_a_unit_and_a_reason() {
        let settings = tuning(4096, 2).settings();
        let names: std::collections::BTreeSet<_> = settings.iter().map(|setting| setting.name).collect();
        assert_eq!(names.len(), settings.len());
        assert!(settings.iter().all(|setting| !setting.reason.is_empty() && !setting.unit.is_empty()));
    }

    proptest! {
        #[test]
        fn any_machine_gets_consistent_settings(ram_mb in any::<u64>(), cores in any::<usize>(), files: Option<u64>) {
            let tuning = Tuning::new(&ResolvedSpec { ram_mb, cpu_cores: cores }, files);
            prop_assert!(tuning.memtable_budget_bytes <= tuning.memory_budget_bytes / 8 * 5);
            prop_assert!(tuning.memtable_budget_bytes < tuning.memtable_limit_bytes);
            prop_assert!(tuning.memtable_limit_bytes < tuning.memory_budget_bytes);
            prop_assert!(tuning.write_buffer_bytes <= tuning.memtable_budget_bytes);
            prop_assert!(tuning.arena_block_bytes.is_power_of_two());
            prop_assert!((32 * MIB..=GIB).contains(&tuning.max_wal_bytes));
            prop_assert!((64..=8192).contains(&tuning.max_open_files));
        }
    }
}
