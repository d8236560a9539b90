//! One column family, shared by every handle of its name.

use std::{path::PathBuf, sync::Arc};

use ave_actors_store::Error;
use rocksdb::{BoundColumnFamily, DB, DBPinnableSlice, DBRawIterator, ReadOptions, WriteBatch, WriteOptions};

use super::{
    engine::Engine,
    error::{self, ErrorContext},
    memtables::Memtable,
    nested_prefixes::NestedPrefixes,
    options,
    read_ahead::{CounterIndex, ReadAhead},
};

/// A column family of an open database. Keeps the database open.
pub(super) struct ColumnFamily {
    name: String,
    memtable: Arc<Memtable>,
    nested: Arc<NestedPrefixes>,
    /// Last: the path is free when the engine is dropped, and those above have the database open.
    engine: Arc<Engine>,
}

impl ColumnFamily {
    /// The family `name` of the database, `None` if it does not exist.
    pub(super) fn find(engine: &Arc<Engine>, name: &str) -> Option<Self> {
        let memtable = engine.memtables().add_family(name)?;
        let nested = Arc::new(NestedPrefixes::new(name, Arc::clone(&memtable), engine.era()));
        Some(Self { name: name.to_owned(), engine: Arc::clone(engine), memtable, nested })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn handle(&self) -> &Arc<BoundColumnFamily<'_>> {
        self.memtable.handle()
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn read_ahead(&self) -> &ReadAhead {
        self.engine().read_ahead()
    }

    pub(super) fn error_context(&self) -> &ErrorContext {
        self.engine().error_context()
    }

    /// The error of a failed write or flush, `what`.
    pub(super) fn failed(&self, what: &str, cause: &rocksdb::Error) -> Error {
        let failed = if self.engine().is_stopped() { error::write } else { error::operation };
        failed(self.error_context(), &self.name, what, cause)
    }

    fn db(&self) -> &DB {
        self.engine().db()
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<DBPinnableSlice<'_>>, rocksdb::Error> {
        self.limit_range_deletions();
        self.db().get_pinned_cf_opt(self.handle(), key, self.engine().read_options())
    }

    /// `counter` counts the writes to the prefix of `key`, here and in the other write methods.
    pub(super) fn put(&self, counter: CounterIndex, key: &[u8], value: &[u8]) -> Result<(), rocksdb::Error> {
        let bytes = key.len() + value.len();
        self.write_with(counter, bytes, |db, options| db.put_cf_opt(self.handle(), key, value, options))
    }

    pub(super) fn delete(&self, counter: CounterIndex, key: &[u8]) -> Result<(), rocksdb::Error> {
        self.write_with(counter, key.len(), |db, options| db.delete_cf_opt(self.handle(), key, options))
    }

    /// Writes a batch of range deletions. Atomic: after an error or a crash, all of them are written or none.
    pub(super) fn delete_ranges(&self, counter: CounterIndex, ranges: WriteBatch) -> Result<(), rocksdb::Error> {
        self.memtable.add_range_deletions(u32::try_from(ranges.len()).unwrap_or(u32::MAX));
        self.write_with(counter, ranges.size_in_bytes(), |db, options| db.write_opt(ranges, options))
    }

    /// Adds files of sorted entries, which newer reads find instead of older entries. Atomic.
    pub(super) fn ingest(&self, files: Vec<PathBuf>) -> Result<(), rocksdb::Error> {
        if files.is_empty() {
            return Ok(());
        }
        let engine = self.engine();
        engine.modify(|db| {
            let ingest = || db.ingest_external_file_cf_opts(self.handle(), &options::ingest_options(), files);
            engine.read_ahead().count_write_to_all(ingest)
        })
    }

    fn write_with(
        &self,
        counter: CounterIndex,
        bytes: usize,
        write: impl FnOnce(&DB, &WriteOptions) -> Result<(), rocksdb::Error>,
    ) -> Result<(), rocksdb::Error> {
        let engine = self.engine();
        self.memtable.add(bytes);
        engine.write(|db| engine.read_ahead().count_write(counter, || write(db, engine.write_options())))
    }

    /// See [`Tuning::hidden_entries_trigger`](super::Tuning::hidden_entries_trigger).
    pub(super) fn hidden_entries_trigger(&self) -> u32 {
        self.engine().tuning().hidden_entries_trigger
    }

    /// See [`Tuning::deletions_trigger`](super::Tuning::deletions_trigger).
    pub(super) fn deletions_trigger(&self) -> u32 {
        self.engine().tuning().deletions_trigger
    }

    /// See [`Memtables::flush_deletions`](super::memtables::Memtables::flush_deletions).
    pub(super) fn flush_deletions(&self) {
        self.engine().memtables().flush_deletions(&self.memtable);
    }

    pub(super) fn iterator(&self, options: ReadOptions) -> DBRawIterator<'_> {
        self.limit_range_deletions();
        self.db().raw_iterator_cf_opt(self.handle(), options)
    }

    /// Call before a read. See [`Tuning::range_deletions_trigger`](super::Tuning::range_deletions_trigger).
    fn limit_range_deletions(&self) {
        if self.memtable.range_deletions() >= self.engine().tuning().range_deletions_trigger {
            self.flush_deletions();
        }
    }

    /// Call before a handle of `prefix` is created.
    pub(super) fn register(&self, prefix: &str) -> Result<(), Error> {
        if self.engine().is_read_only() {
            return Ok(());
        }
        // Not synced: a later entry syncs the log up to and including itself.
        let put = |key: &[u8]| self.engine().modify(|db| db.put_cf(self.handle(), key, []));
        self.nested
            .register(prefix.as_bytes(), put)
            .map_err(|cause| self.failed(&format!("registration of the prefix '{prefix}'"), &cause))
    }

    pub(super) fn nested_prefixes(&self) -> &Arc<NestedPrefixes> {
        &self.nested
    }
}
