//! One column family, shared by every handle of its name.
//!
//! RocksDB finds a column family by name under a lock. Doing that once per family instead of once per operation needs a
//! handle that borrows the database beside the database itself; `self_cell` keeps the two together without `unsafe`.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use rocksdb::{BoundColumnFamily, DB, DBPinnableSlice, DBRawIterator, ReadOptions, WriteBatch};
use self_cell::self_cell;

use super::{engine::Engine, key};

type Handle<'a> = Arc<BoundColumnFamily<'a>>;

self_cell!(
    struct Cell {
        owner: Arc<Engine>,
        #[covariant]
        dependent: Handle,
    }
);

/// A column family of an open database, which it keeps open.
pub(super) struct ColumnFamily {
    name: String,
    cell: Cell,
    live: RwLock<LivePrefixes>,
}

/// The prefixes of live handles that can write into the range of another prefix, each with its number of handles.
///
/// A purge holds it for reading from its look at the data to its write, and no handle of such a prefix comes into
/// being meanwhile: what the purge has not seen, and spares nonetheless, are exactly the prefixes in here. Prefixes
/// without a dot are nobody's concern and never enter.
#[derive(Debug, Default)]
pub(super) struct LivePrefixes(BTreeMap<String, usize>);

impl LivePrefixes {
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl ColumnFamily {
    /// The family `name` of the database, `None` if it has no such family.
    pub(super) fn find(engine: &Arc<Engine>, name: &str) -> Option<Self> {
        let cell = Cell::try_new(Arc::clone(engine), |engine| engine.db().cf_handle(name).ok_or(())).ok()?;
        Some(Self { name: name.to_owned(), cell, live: RwLock::default() })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// For operations of the database that want the handle.
    pub(super) fn handle(&self) -> &Handle<'_> {
        self.cell.borrow_dependent()
    }

    fn engine(&self) -> &Engine {
        self.cell.borrow_owner()
    }

    fn db(&self) -> &DB {
        self.engine().db()
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<DBPinnableSlice<'_>>, rocksdb::Error> {
        self.db().get_pinned_cf_opt(self.handle(), key, self.engine().read_options())
    }

    pub(super) fn put(&self, key: &[u8], value: &[u8]) -> Result<(), rocksdb::Error> {
        self.engine().wait_for_memory();
        self.db().put_cf_opt(self.handle(), key, value, self.engine().write_options())
    }

    pub(super) fn delete(&self, key: &[u8]) -> Result<(), rocksdb::Error> {
        self.engine().wait_for_memory();
        self.db().delete_cf_opt(self.handle(), key, self.engine().write_options())
    }

    /// All of the batch or, after an error or a crash, nothing of it.
    pub(super) fn write(&self, batch: WriteBatch) -> Result<(), rocksdb::Error> {
        self.engine().wait_for_memory();
        self.db().write_opt(batch, self.engine().write_options())
    }

    pub(super) fn iterator(&self, options: ReadOptions) -> DBRawIterator<'_> {
        self.db().raw_iterator_cf_opt(self.handle(), options)
    }

    /// A handle of this prefix comes into being. Waits for a purge in this family, if the prefix has a dot.
    pub(super) fn enter(&self, prefix: &str) {
        if key::may_lie_inside_another(prefix) {
            let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
            *live.0.entry(prefix.to_owned()).or_insert(0) += 1;
        }
    }

    /// A handle of this prefix is gone.
    pub(super) fn leave(&self, prefix: &str) {
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

    /// The live prefixes, held still while the guard lives.
    pub(super) fn live_prefixes(&self) -> RwLockReadGuard<'_, LivePrefixes> {
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }
}
