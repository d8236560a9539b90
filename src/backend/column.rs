//! One column family, shared by every handle of its name.
//!
//! RocksDB finds a column family by name under a lock. Doing that once per family instead of once per operation needs a
//! handle that borrows the database beside the database itself; `self_cell` keeps the two together without `unsafe`.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use rocksdb::{
    BoundColumnFamily, DB, DBPinnableSlice, DBRawIterator, ReadOptions, WriteBatch, WriteOptions, properties,
};
use self_cell::self_cell;
use tracing::debug;

use super::{
    engine::Engine,
    error::Site,
    key,
    memory::Fill,
    options,
    read_ahead::{ReadAhead, TrackIndex},
};

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
    /// See [`ColumnFamily::is_flat`]. Changes once, with `live` locked for writing.
    flat: AtomicBool,
    fill: Arc<Fill>,
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
    /// The family `name` of the database, `None` if it has no such family. `is_new`: it was just created.
    pub(super) fn find(engine: &Arc<Engine>, name: &str, is_new: bool) -> Option<Self> {
        let cell = Cell::try_new(Arc::clone(engine), |engine| engine.db().cf_handle(name).ok_or(())).ok()?;
        let fill = engine.memtables().add_family(name);
        Some(Self { name: name.to_owned(), cell, live: RwLock::default(), flat: AtomicBool::new(is_new), fill })
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

    pub(super) fn read_ahead(&self) -> &ReadAhead {
        self.engine().read_ahead()
    }

    /// What errors of this family have to name.
    pub(super) fn site(&self) -> &Site {
        self.engine().site()
    }

    /// Whether the database takes no writes for now.
    pub(super) fn is_stopped(&self) -> bool {
        self.engine().is_stopped()
    }

    fn db(&self) -> &DB {
        self.engine().db()
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<DBPinnableSlice<'_>>, rocksdb::Error> {
        self.db().get_pinned_cf_opt(self.handle(), key, self.engine().read_options())
    }

    /// `track` is the one on which writes to the entries of that prefix are counted, here and below.
    pub(super) fn put(&self, track: TrackIndex, key: &[u8], value: &[u8]) -> Result<(), rocksdb::Error> {
        let bytes = key.len() + value.len();
        self.write_with(track, bytes, |db, options| db.put_cf_opt(self.handle(), key, value, options))
    }

    pub(super) fn delete(&self, track: TrackIndex, key: &[u8]) -> Result<(), rocksdb::Error> {
        self.write_with(track, key.len(), |db, options| db.delete_cf_opt(self.handle(), key, options))
    }

    /// All of the batch or, after an error or a crash, nothing of it.
    pub(super) fn write(&self, track: TrackIndex, batch: WriteBatch) -> Result<(), rocksdb::Error> {
        self.write_with(track, batch.size_in_bytes(), |db, options| db.write_opt(batch, options))
    }

    fn write_with(
        &self,
        track: TrackIndex,
        bytes: usize,
        write: impl FnOnce(&DB, &WriteOptions) -> Result<(), rocksdb::Error>,
    ) -> Result<(), rocksdb::Error> {
        let engine = self.engine();
        self.fill.add(bytes);
        engine.write(|db| engine.read_ahead().write(track, || write(db, engine.write_options())))
    }

    /// How many deleted or overwritten entries in a row a reader puts up with.
    pub(super) fn hidden_entries_trigger(&self) -> u32 {
        self.engine().tuning().hidden_entries_trigger
    }

    /// How many deletions of one handle a memtable may collect.
    pub(super) fn deletions_trigger(&self) -> u32 {
        self.engine().tuning().deletions_trigger
    }

    /// Starts to write the memtable to a file, if it holds so many deletions that readers suffer from them.
    /// Compactions then clear the file: they look for files full of deletions, and memtables they do not see.
    ///
    /// A failure concerns nobody: the deletions cost time, and the next one tries again.
    pub(super) fn shed_deletions(&self) {
        let deletions = self.db().property_int_value_cf(self.handle(), properties::NUM_DELETES_ACTIVE_MEM_TABLE);
        if deletions.is_ok_and(|deletions| deletions >= Some(self.hidden_entries_trigger().into())) {
            let flushing = self.engine().change(|db| db.flush_cf_opt(self.handle(), &options::flush_options(false)));
            debug!(column_family = self.name, ?flushing, "flushing a memtable full of deletions");
        }
    }

    pub(super) fn iterator(&self, options: ReadOptions) -> DBRawIterator<'_> {
        self.db().raw_iterator_cf_opt(self.handle(), options)
    }

    /// A handle of this prefix comes into being. Waits for a purge in this family, if the prefix has a dot.
    pub(super) fn enter(&self, prefix: &str) {
        if key::may_lie_inside_another(prefix) {
            let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
            self.flat.store(false, Ordering::Relaxed);
            *live.0.entry(prefix.to_owned()).or_insert(0) += 1;
        }
    }

    /// Whether no prefix in this family lies inside the range of another: none in it has ever had a dot. Known of
    /// families that were created since the opening. To be asked with [`LivePrefixes`] at hand.
    pub(super) fn is_flat(&self) -> bool {
        self.flat.load(Ordering::Relaxed)
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
