//! Blocks of the backend's tables, and what a cache takes for one.

use ave_actors_rocksdb::backend::Tuning;
use ave_actors_rocksdb::trace::Op;

/// An entry's header, sequence number and the end of its key: what no two entries share.
const ENTRY_BYTES: f64 = 13.0;
/// An event's key behind the actor's name: the dot and twenty digits.
const EVENT_NUMBER_BYTES: f64 = 21.0;
/// An entry of an index beside its key: sequence number, place and size of the block, restart point.
const INDEX_ENTRY_BYTES: f64 = 18.0;
/// What RocksDB leaves of a key in an index where neighbouring keys have different names.
const SHORT_INDEX_KEY_BYTES: f64 = 4.0;
/// What a table keeps of a value that lies in a blob file.
const BLOB_PLACE_BYTES: f64 = 20.0;
/// The unit in which Linux caches files.
const PAGE_BYTES: f64 = 4096.0;
/// Values compress to no less than this share.
const LEAST_DENSITY: f64 = 0.05;

/// Sizes of blocks, and what a cache takes for one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlockGeometry {
    block_bytes: f64,
    restart_interval: f64,
    partition_bytes: f64,
    filter_bits: f64,
    min_blob_bytes: f64,
    /// Bytes that the cache takes per byte of a block of values.
    density: f64,
    /// Bytes that it takes beyond that for each block.
    overhead_bytes: f64,
    /// Whether the cache contains what was written without being read.
    keeps_written: bool,
}

impl BlockGeometry {
    /// Blocks in the page cache: compressed, and in whole pages. A block begins and ends within a page, so it takes one page
    /// more than its size. Files that were written stay in the page cache until other pages need the memory.
    ///
    /// `compressibility` is the share of each value that repeats, 0 to 1.
    pub fn in_page_cache(tuning: &Tuning, compressibility: f64) -> Self {
        Self {
            density: (1.0 - compressibility).max(LEAST_DENSITY),
            overhead_bytes: PAGE_BYTES,
            keeps_written: true,
            ..Self::in_block_cache(tuning)
        }
    }

    /// Blocks in the backend's block cache: as they were before compression, and only if they were read.
    pub fn in_block_cache(tuning: &Tuning) -> Self {
        Self {
            block_bytes: tuning.block_bytes as f64,
            restart_interval: f64::from(tuning.block_restart_interval),
            partition_bytes: tuning.index_partition_bytes as f64,
            filter_bits: f64::from(tuning.bloom_bits_per_key),
            min_blob_bytes: tuning.min_blob_bytes as f64,
            density: 1.0,
            overhead_bytes: 0.0,
            keeps_written: false,
        }
    }

    pub(super) const fn keeps_written(&self) -> bool {
        self.keeps_written
    }

    /// Whether a value is stored outside of the blocks.
    pub(super) fn is_blob(&self, value_bytes: u32) -> bool {
        f64::from(value_bytes) >= self.min_blob_bytes
    }

    /// What an entry takes of a block for its value.
    pub(super) fn inline_bytes(&self, value_bytes: u32) -> f64 {
        if self.is_blob(value_bytes) { BLOB_PLACE_BYTES } else { f64::from(value_bytes) }
    }

    /// A column family of so many entries with values of this mean size in blocks.
    pub(super) fn family(&self, kind: FamilyKind, entries: u64, name_bytes: f64, inline_bytes: f64) -> FamilyBlocks {
        let (shared, key) = match kind {
            // Names differ from the first character on.
            FamilyKind::States | FamilyKind::Metadata => (0.0, name_bytes),
            FamilyKind::Events => (1.0 - 1.0 / self.restart_interval, name_bytes + EVENT_NUMBER_BYTES),
        };
        let entry_bytes = ENTRY_BYTES + key * (1.0 - shared) + inline_bytes;
        let per_block = (self.block_bytes / entry_bytes).max(1.0);
        let index_key =
            if kind == FamilyKind::Events && per_block < entries as f64 { key } else { SHORT_INDEX_KEY_BYTES };
        let per_index = (self.partition_bytes / (INDEX_ENTRY_BYTES + index_key)).max(1.0) * per_block;
        let per_filter = 8.0 * self.partition_bytes / self.filter_bits;
        let block_bytes = self.cached(per_block * entry_bytes * self.density);
        let index_bytes = self.cached(self.partition_bytes * self.density);
        let filter_bytes = self.cached(self.partition_bytes);
        let part = |per: f64, bytes: u32| (entries as f64 / per).ceil() * f64::from(bytes);
        FamilyBlocks {
            per_block,
            per_index,
            per_filter,
            block_bytes,
            index_bytes,
            filter_bytes,
            stored_bytes: part(per_block, block_bytes) + part(per_index, index_bytes) + part(per_filter, filter_bytes),
        }
    }

    /// What the cache takes for a value outside of the blocks.
    pub(super) fn blob_bytes(&self, value_bytes: u32) -> u32 {
        self.cached(f64::from(value_bytes) * self.density)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a block is smaller than 4 GiB")]
    fn cached(&self, bytes: f64) -> u32 {
        (bytes + self.overhead_bytes) as u32
    }
}

/// The three column families of an actor type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FamilyKind {
    Events,
    States,
    Metadata,
}

impl FamilyKind {
    /// The family an operation reads or writes.
    pub(super) const fn of(op: Op) -> Self {
        use ave_actors_rocksdb::trace::OpKind;
        match op.kind {
            OpKind::StatesPut | OpKind::StatesGet | OpKind::StatesPurge => Self::States,
            OpKind::MetadataPut | OpKind::MetadataGet | OpKind::MetadataPurge => Self::Metadata,
            _ => Self::Events,
        }
    }
}

/// Entries of a column family per data block, index partition and filter partition, and what a cache takes for each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct FamilyBlocks {
    pub(super) per_block: f64,
    pub(super) per_index: f64,
    pub(super) per_filter: f64,
    pub(super) block_bytes: u32,
    pub(super) index_bytes: u32,
    pub(super) filter_bytes: u32,
    /// What a cache of all of it would take.
    pub(super) stored_bytes: f64,
}
