//! One column family, shared by every handle of its name.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use ave_actors_store::Error;
use rocksdb::{BoundColumnFamily, DB, DBPinnableSlice, DBRawIterator, ReadOptions, WriteBatch, WriteOptions};

use super::{
    engine::Engine,
    error::{self, ErrorContext},
    key,
    memtables::Memtable,
    read_ahead::{CounterIndex, ReadAhead},
};

/// A column family of an open database. Keeps the database open.
pub(super) struct ColumnFamily {
    name: String,
    engine: Arc<Engine>,
    memtable: Arc<Memtable>,
    live: RwLock<LivePrefixes>,
    /// See [`ColumnFamily::has_no_nested_prefixes`]. Changes once, while `live` is locked for writing.
    no_nested_prefixes: AtomicBool,
}

/// The prefixes of live handles that can write into the range of another prefix, each with its number of handles.
/// Prefixes without a dot cannot, and are not in it.
///
/// A purge holds the read lock from its scan to its write, so that no handle of such a prefix is created meanwhile. Its
/// scan may miss entries that handles of the prefixes in here write; the purge spares their ranges.
#[derive(Debug, Default)]
pub(super) struct LivePrefixes(BTreeMap<String, usize>);

impl LivePrefixes {
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl ColumnFamily {
    /// The family `name` of the database, `None` if it does not exist. `is_new`: created since the database was opened.
    pub(super) fn find(engine: &Arc<Engine>, name: &str, is_new: bool) -> Option<Self> {
        Some(Self {
            name: name.to_owned(),
            engine: Arc::clone(engine),
            memtable: engine.memtables().add_family(name)?,
            live: RwLock::default(),
            no_nested_prefixes: AtomicBool::new(is_new),
        })
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

    /// Atomic: after an error or a crash, either all of the batch is written or nothing.
    pub(super) fn write(&self, counter: CounterIndex, batch: WriteBatch) -> Result<(), rocksdb::Error> {
        self.write_with(counter, batch.size_in_bytes(), |db, options| db.write_opt(batch, options))
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
        self.db().raw_iterator_cf_opt(self.handle(), options)
    }

    /// Call when a handle of `prefix` is created. If the prefix has a dot, waits for a running purge of this family.
    pub(super) fn register_handle(&self, prefix: &str) {
        if key::may_lie_inside_another(prefix) {
            let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
            self.no_nested_prefixes.store(false, Ordering::Relaxed);
            *live.0.entry(prefix.to_owned()).or_insert(0) += 1;
        }
    }

    /// Call when a handle of `prefix` is dropped.
    pub(super) fn unregister_handle(&self, prefix: &str) {
        if !key::may_lie_inside_another(prefix) {
            return;
        }
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(handles) = live.0.get_mut(prefix) {
            *handles -= 1;
            if *handles == 0 {
                live.0.remove(prefix);
            }
        }
    }

    /// Whether no prefix in this family lies inside the range of another, because no prefix ever had a dot. `false`, as
    /// unknown, for families that existed when the database was opened. Stable only while [`LivePrefixes`] are locked.
    pub(super) fn has_no_nested_prefixes(&self) -> bool {
        self.no_nested_prefixes.load(Ordering::Relaxed)
    }

    /// The live prefixes. They do not change while the guard exists.
    pub(super) fn lock_live_prefixes(&self) -> RwLockReadGuard<'_, LivePrefixes> {
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }
}
