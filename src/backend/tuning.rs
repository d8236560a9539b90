//! How RocksDB is set up for a machine: plain numbers, each with its reason. Pure: no database in here.
//!
//! The machine is shared with the actor runtime and the operating system, so the database gets a small, fixed part of
//! it: **one** memory budget, whatever the number of column families.

use std::fmt;

use ave_actors_store::config::ResolvedSpec;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;

/// The share of the machine's RAM that the database may use, in percent.
const MEMORY_PERCENT: u64 = 5;
/// The budget below which RocksDB does not work sensibly.
const MEMORY_FLOOR: u64 = 32 * MIB;
/// A process that may hold fewer files open than this cannot open a database.
pub(super) const FEWEST_OPEN_FILES: u64 = 128;

/// Settings of one database, derived from the machine it runs on.
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
    /// RAM of the machine this is for, in bytes.
    pub ram_bytes: u64,
    /// CPU cores of the machine this is for.
    pub cpu_cores: usize,
    /// Block cache and memtables of all column families together, in bytes: 5 % of RAM, at least 32 MiB.
    pub memory_budget_bytes: u64,
    /// The part of the budget that memtables are meant to take, in bytes: five eighths. The fullest are flushed
    /// from there on.
    pub memtable_budget_bytes: u64,
    /// Where writers wait for a flush, in bytes of memtables: 13/16 of the memory budget.
    pub memtable_limit_bytes: u64,
    /// A memtable is flushed when it reaches this many bytes.
    pub write_buffer_bytes: u64,
    /// Memtables one column family may hold, the active one included, before its writers wait.
    pub max_write_buffers: u32,
    /// Memory is handed to memtables in blocks of this many bytes.
    pub arena_block_bytes: u64,
    /// Write-ahead logs may grow to this many bytes together before the oldest data in them is flushed.
    pub max_wal_bytes: u64,
    /// Files the database keeps open.
    pub max_open_files: u32,
    /// Flushes that run at the same time.
    pub flush_jobs: u32,
    /// Compactions that run at the same time.
    pub compaction_jobs: u32,
    /// So many files of level 0 are merged into the next level.
    pub level_zero_files: u32,
    /// SST files are about this many bytes.
    pub target_file_bytes: u64,
    /// The first level below level 0 holds this many bytes, each further level ten times as many.
    pub level_base_bytes: u64,
    /// A block, the unit of reading and caching, holds about this many bytes before compression.
    pub block_bytes: u64,
    /// Within a block, every so many entries the key is stored whole, and a search may begin there.
    pub block_restart_interval: u32,
    /// Values of at least this many bytes are stored in blob files instead of SST files.
    pub min_blob_bytes: u64,
    /// Compactions clear so many percent of the blob files, the oldest ones, of what is overwritten.
    pub blob_gc_percent: u32,
    /// The level at which zstd compresses the last level of SST files.
    pub zstd_level: u32,
    /// What all handles together keep of entries that were read ahead, in bytes. Not part of the memory budget.
    pub read_ahead_bytes: u64,
    /// Bloom filter bits per key.
    pub bloom_bits_per_key: u32,
    /// While writing an SST file, the kernel is asked to write it out every so many bytes.
    pub sst_bytes_per_sync: u64,
    /// While writing the log without durability, the kernel is asked to write it out every so many bytes.
    pub wal_bytes_per_sync: u64,
    /// Log files that are overwritten in place instead of being deleted and created.
    pub recycled_wal_files: u32,
    /// A file in which this many of any [`Tuning::tombstone_window`] consecutive entries are deletions is compacted.
    pub tombstone_trigger: u32,
    /// See [`Tuning::tombstone_trigger`].
    pub tombstone_window: u32,
    /// A reader that meets this many deleted or overwritten entries in a row has the memtable with them flushed.
    pub hidden_entries_trigger: u32,
    /// After so many deletions by one handle the memtable with them is flushed.
    pub deletions_trigger: u32,
    /// After so many deletions of whole ranges the memtable with them is flushed.
    pub range_deletions_trigger: u32,
    /// RocksDB's own log file is rotated at this many bytes.
    pub info_log_bytes: u64,
    /// That many rotated log files are kept.
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

/// One setting as people read it.
///
/// Its `Display` is one line: `memory_budget = 214748364 bytes (5 % of 4096 MiB RAM …)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// What is set.
    pub name: &'static str,
    /// To what.
    pub value: u64,
    /// In which unit.
    pub unit: &'static str,
    /// And why.
    pub reason: String,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} {} ({})", self.name, self.value, self.unit, self.reason)
    }
}

impl Tuning {
    /// The settings for a machine.
    ///
    /// `open_file_limit` is what the operating system allows this process, `None` for no limit; the database takes at
    /// most half of it. Any machine gets an answer: one with less than 640 MiB of RAM gets the floor of 32 MiB.
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
            max_wal_bytes: (memtables / 2).clamp(32 * MIB, GIB),
            max_open_files,
            flush_jobs: 4,
            compaction_jobs: compaction_jobs(spec.cpu_cores),
            level_zero_files: 8,
            target_file_bytes: write_buffer_bytes.max(16 * MIB),
            level_base_bytes: (4 * write_buffer_bytes).max(64 * MIB),
            block_bytes: 16 * KIB,
            block_restart_interval: 4,
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

    /// What the operating system allows this process, `None` for no limit.
    pub(super) fn open_file_limit(&self) -> Option<u64> {
        self.open_file_limit
    }

    /// Every setting with its unit and its reason, for people to read.
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
                "five eighths of the memory budget, shared by all column families and charged to the block cache: the more, \
                 the fewer and larger the files that hundreds of families are flushed to",
            ),
            setting(
                "memtable_limit",
                self.memtable_limit_bytes,
                "bytes",
                "writers that outrun the disk wait here, so that three sixteenths of the memory budget are left for blocks",
            ),
            setting(
                "write_buffer",
                self.write_buffer_bytes,
                "bytes",
                "three eighths of the memtable budget: snapshots that are overwritten in a memtable are never written to a \
                 file, and there is room for another one while the first is flushed",
            ),
            setting("max_write_buffers", self.max_write_buffers, "memtables", "writers go on while three are flushed"),
            setting(
                "arena_block",
                self.arena_block_bytes,
                "bytes",
                "small against the memtable budget: with the default of 1 MiB a few hundred column families exhaust it \
                 with empty blocks, and every write flushes",
            ),
        ]
    }

    fn write_settings(&self) -> Vec<Setting> {
        vec![
            setting(
                "max_wal",
                self.max_wal_bytes,
                "bytes",
                "disk, not memory: bounds what an opening has to replay, and how large the memtable of a family gets \
                 that is written often and little",
            ),
            setting(
                "flush_jobs",
                self.flush_jobs,
                "jobs",
                "a flush waits for the disk more than it computes, and hundreds of column families mean many small ones",
            ),
            setting(
                "compaction_jobs",
                self.compaction_jobs,
                "jobs",
                "half the cores, at least one and at most four: the rest is the application's",
            ),
            setting(
                "recycled_wal_files",
                self.recycled_wal_files,
                "files",
                "a synchronous write into a file that keeps its size needs no file system journal commit",
            ),
            setting(
                "wal_bytes_per_sync",
                self.wal_bytes_per_sync,
                "bytes",
                "no burst of write-back at the end of a log, and rarer than one write in a thousand: the one that meets it waits",
            ),
            setting(
                "sst_bytes_per_sync",
                self.sst_bytes_per_sync,
                "bytes",
                "no burst of write-back at the end of a file",
            ),
        ]
    }

    fn file_settings(&self) -> Vec<Setting> {
        let tombstones = format!(
            "of {} consecutive entries: a log whose events were compacted away is not waded through",
            self.tombstone_window
        );
        vec![
            setting("max_open_files", self.max_open_files, "files", &self.reasons.max_open_files),
            setting("target_file", self.target_file_bytes, "bytes", "few files, so that bounded open files go far"),
            setting(
                "level_zero_files",
                self.level_zero_files,
                "files",
                "each merge rewrites what it meets in the next level: twice the default of 4 halves that, and readers \
                 look into few of the files thanks to their filters",
            ),
            setting("level_base", self.level_base_bytes, "bytes", "four flushed memtables"),
            setting(
                "block",
                self.block_bytes,
                "bytes",
                "the events that one actor replays lie in one or two blocks, so a recovery from the disk is a few \
                 reads; and the index, which the cache has to hold as well, is a quarter of that of the default of \
                 4 KiB",
            ),
            setting(
                "block_restart_interval",
                self.block_restart_interval,
                "entries",
                "a search steps over so many entries one by one, each a cache miss; the default is 16",
            ),
            setting(
                "min_blob",
                self.min_blob_bytes,
                "bytes",
                "compactions do not rewrite what lies in blob files: large snapshots are overwritten before it would \
                 pay",
            ),
            setting(
                "blob_gc",
                self.blob_gc_percent,
                "percent",
                "against the default of 25, snapshots that are overwritten at random take a third less space for a \
                 few percent more writing",
            ),
            setting(
                "zstd_level",
                self.zstd_level,
                "level",
                "serialized events come out as small as at level 3, the default, for less of the CPU time that \
                 compactions take from the application",
            ),
            setting(
                "read_ahead",
                self.read_ahead_bytes,
                "bytes",
                "actors recover with one read per event: those behind the one in question are read along, 64 KiB per \
                 reader, and as many actors recover at a time",
            ),
            setting(
                "bloom_bits_per_key",
                self.bloom_bits_per_key,
                "bits",
                "about 1 % of the reads of absent keys touch the disk",
            ),
            setting("tombstone_trigger", self.tombstone_trigger, "deletions", &tombstones),
            setting(
                "hidden_entries_trigger",
                self.hidden_entries_trigger,
                "entries",
                "deletions in a memtable are waded through by every reader until it is flushed; so many cost about as \
                 much as ten reads",
            ),
            setting(
                "deletions_trigger",
                self.deletions_trigger,
                "deletions",
                "the first reader of a log that was compacted entry by entry waits some 20 ms at most, and a flush per \
                 so many deletions is rare",
            ),
            setting(
                "range_deletions_trigger",
                self.range_deletions_trigger,
                "deletions",
                "each purge of a long log is one, and the first read after each sorts all that are in the memtable: so \
                 many cost some 10 us",
            ),
            setting("info_log", self.info_log_bytes, "bytes", "RocksDB's own log stays small"),
            setting("info_log_files", self.info_log_files, "files", "enough to see what happened before a crash"),
        ]
    }
}

fn setting(name: &'static str, value: impl Into<u64>, unit: &'static str, reason: &str) -> Setting {
    Setting { name, value: value.into(), unit, reason: reason.to_owned() }
}

fn memory_budget(ram_mib: u64) -> (u64, String) {
    let share = ram_mib.saturating_mul(MIB) / (100 / MEMORY_PERCENT);
    let percent = format!("{MEMORY_PERCENT} % of {ram_mib} MiB RAM");
    if share >= MEMORY_FLOOR {
        (share, format!("{percent}: the actor runtime and the operating system live on the same machine"))
    } else {
        (MEMORY_FLOOR, format!("the floor: {percent} is too little for RocksDB to work with"))
    }
}

/// Scales with RAM, because every open file holds a table reader (some tens of KiB) outside the memory budget.
fn max_open_files(ram_mib: u64, limit: Option<u64>) -> (u32, String) {
    let by_ram = (ram_mib / 4).clamp(256, 8192);
    let (files, reason) = match limit.map(|limit| limit / 2) {
        Some(half) if half < by_ram => {
            (half.max(FEWEST_OPEN_FILES / 2), "half of the files this process may hold open".to_owned())
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
    fn the_budget_is_five_percent_of_ram() {
        assert_eq!(tuning(20 * 1024, 4).memory_budget_bytes, GIB);
        assert_eq!(tuning(20 * 1024, 4).memtable_budget_bytes, GIB / 8 * 5);
    }

    #[test]
    fn a_small_machine_gets_the_floor_and_is_told() {
        for ram_mb in [0, 1, 512] {
            let tuning = tuning(ram_mb, 1);
            assert_eq!(tuning.memory_budget_bytes, MEMORY_FLOOR);
            let settings = tuning.settings();
            assert!(settings[0].reason.contains("floor"), "{}", settings[0]);
        }
    }

    #[test]
    fn open_files_take_at_most_half_of_what_the_process_may_hold() {
        let spec = ResolvedSpec { ram_mb: 16 * 1024, cpu_cores: 4 };
        assert_eq!(Tuning::new(&spec, None).max_open_files, 4096);
        assert_eq!(Tuning::new(&spec, Some(1024)).max_open_files, 512);
        assert_eq!(Tuning::new(&spec, Some(1_000_000)).max_open_files, 4096);
        assert_eq!(Tuning::new(&spec, Some(0)).max_open_files, 64, "RocksDB needs a few");
    }

    #[test]
    fn half_of_the_cores_are_the_applications() {
        assert_eq!([0, 1, 2, 4, 6, 8, 64].map(compaction_jobs), [1, 1, 1, 2, 3, 4, 4]);
    }

    #[test]
    fn arena_blocks_stay_small_against_the_memtable_budget() {
        assert_eq!(tuning(512, 2).arena_block_bytes, 16 * KIB);
        assert_eq!(tuning(64 * 1024, 8).arena_block_bytes, 64 * KIB);
        // 300 column families that hold one block each leave most of the budget free.
        assert!(300 * tuning(512, 2).arena_block_bytes < tuning(512, 2).memtable_budget_bytes / 2);
    }

    #[test]
    fn every_setting_has_a_name_of_its_own_and_a_reason() {
        let settings = tuning(4096, 2).settings();
        let names: std::collections::BTreeSet<_> = settings.iter().map(|setting| setting.name).collect();
        assert_eq!(names.len(), settings.len());
        assert!(settings.iter().all(|setting| !setting.reason.is_empty() && !setting.unit.is_empty()));
    }

    proptest! {
        #[test]
        fn any_machine_gets_settings_that_fit_together(ram_mb in any::<u64>(), cores in any::<usize>(), files: Option<u64>) {
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
