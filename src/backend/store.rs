//! The handle of one collection or one state.

use std::{fmt, sync::Arc};

use ave_actors_store::{
    Error,
    database::{Collection, CollectionIter, State},
};
use rocksdb::DBPinnableSlice;
use tracing::debug;

use super::{
    column::ColumnFamily,
    error,
    iter::{self, Cursor, Direction, Entries},
    key::{self, Prefix},
    purge,
    read_ahead::{CounterIndex, Lookup, Reader, SlotWriter},
    recording::HandleCalls,
};

/// A handle of a [`Collection`] or a [`State`]: one prefix in one column family, for the events or the snapshot of one
/// actor.
///
/// [`RocksDbManager`](super::RocksDbManager) creates it. A handle keeps the database open: another process can open the
/// directory after the manager, all its clones and all handles are dropped.
///
/// A [`Collection`] contains entries sorted bytewise by key. It sees only its own entries, whatever other prefixes
/// share the column family. A [`State`] contains one value.
pub struct RocksDbStore {
    family: Arc<ColumnFamily>,
    prefix: Prefix,
    reader: Reader,
    /// Counts writes to the entries of this collection.
    entries_counter: CounterIndex,
    /// Counts writes to the value of this state. Shared with the shorter prefix whose entry it is, if its name has a dot.
    state_counter: CounterIndex,
    /// Entries that this handle deleted since its last [`ColumnFamily::flush_deletions`].
    deletions: u32,
    calls: HandleCalls,
}

impl RocksDbStore {
    pub(super) fn new(family: Arc<ColumnFamily>, prefix: &str) -> Result<Self, Error> {
        family.register(prefix)?;
        let prefix = Prefix::new(prefix);
        let ahead = family.read_ahead();
        let entries_counter = ahead.counter(family.name(), prefix.state_key());
        let state = prefix.state_key();
        let state_counter =
            ahead.counter(family.name(), if key::is_nested(state) { key::prefix_of(state) } else { state });
        let reader = ahead.reader(entries_counter);
        let calls = HandleCalls::default();
        Ok(Self { family, prefix, reader, entries_counter, state_counter, deletions: 0, calls })
    }

    /// The same handle, whose calls are recorded.
    pub(super) fn recorded(self, calls: HandleCalls) -> Self {
        Self { calls, ..self }
    }

    fn get_stored(&self, stored: &[u8], logical: impl Fn() -> String) -> Result<DBPinnableSlice<'_>, Error> {
        match self.family.get(stored) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(error::not_found(logical())),
            Err(cause) => Err(error::get(self.family.error_context(), self.family.name(), logical(), &cause)),
        }
    }

    /// Reads the entry of `key`, and stores those after it for later calls.
    fn get_sequence(&self, key: &str, mut slot: SlotWriter<'_>) -> Result<Vec<u8>, Error> {
        let not_found = || error::not_found(self.prefix.logical_key(key));
        let cursor = Cursor::at_key(&self.family, &self.prefix, Direction::Forward, key)?;
        let mut cursor = cursor.ok_or_else(not_found)?;
        let value = cursor.entry().map(|(_, value)| value.to_vec()).ok_or_else(not_found)?;
        let mut continues = slot.begin(value.len());
        while continues {
            cursor.advance();
            continues = cursor.entry().is_some_and(|(stored, value)| slot.push(stored, value));
        }
        slot.finish();
        Ok(value)
    }

    fn write(
        &self,
        counter: CounterIndex,
        stored: &[u8],
        value: &[u8],
        logical: impl Fn() -> String,
    ) -> Result<(), Error> {
        self.family.put(counter, stored, value).map_err(|cause| self.failed("put", &logical(), &cause))
    }

    fn remove(&self, counter: CounterIndex, stored: &[u8], logical: impl Fn() -> String) -> Result<(), Error> {
        self.get_stored(stored, &logical)?;
        self.family.delete(counter, stored).map_err(|cause| self.failed("delete", &logical(), &cause))
    }

    /// A log that is compacted entry by entry fills the memtable with deletions, which slow down reads.
    fn count_deletion(&mut self) {
        self.deletions += 1;
        if self.deletions >= self.family.deletions_trigger() {
            self.deletions = 0;
            self.family.flush_deletions();
        }
    }

    fn failed(&self, operation: &str, logical: &str, cause: &rocksdb::Error) -> Error {
        self.family.failed(&format!("{operation} of '{logical}'"), cause)
    }

    /// Runs an operation, and reports it if it is slow.
    #[inline]
    fn watch<R>(&self, operation: &str, run: impl FnOnce() -> R) -> R {
        let (family, prefix) = (self.family.name(), self.prefix.as_str());
        self.family.engine().slow_operations().watch(operation, family, prefix, run)
    }

    /// See [`Collection::get_by_range`].
    fn read_range(&self, from: Option<String>, quantity: isize) -> Result<Vec<Vec<u8>>, Error> {
        let direction = if quantity < 0 { Direction::Reverse } else { Direction::Forward };
        let mut cursor = match from {
            Some(from) => self.cursor_after(from, direction)?,
            None => self.cursor(direction),
        };
        let mut values = Vec::new();
        let limit = quantity.unsigned_abs();
        while values.len() < limit {
            let Some((_, value)) = cursor.entry() else {
                cursor.check()?;
                break;
            };
            values.push(value.to_vec());
            if values.len() < limit {
                cursor.advance();
            }
        }
        Ok(values)
    }

    fn cursor(&self, direction: Direction) -> Cursor<'_> {
        Cursor::at_start(&self.family, &self.prefix, direction)
    }

    fn cursor_after(&self, from: String, direction: Direction) -> Result<Cursor<'_>, Error> {
        let cursor = Cursor::at_key(&self.family, &self.prefix, direction, &from)?;
        let mut cursor = cursor.ok_or_else(|| error::not_found(from))?;
        cursor.advance();
        Ok(cursor)
    }
}

impl fmt::Debug for RocksDbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RocksDbStore")
            .field("column_family", &self.family.name())
            .field("prefix", &self.prefix.as_str())
            .finish_non_exhaustive()
    }
}

impl Collection for RocksDbStore {
    fn name(&self) -> &str {
        self.family.name()
    }

    /// Reads keys in sequence, `…01`, `…02`, `…03`, in one pass. The value is still the one that the database contains
    /// at the time of the call.
    fn get(&self, key: &str) -> Result<Vec<u8>, Error> {
        let read = || match self.family.read_ahead().lookup(self.reader, key) {
            Lookup::Found(value) => Ok(value),
            Lookup::Sequential(slot) => self.get_sequence(key, slot),
            Lookup::Single => self.prefix.with_stored_key(key, |stored| {
                self.get_stored(stored, || self.prefix.logical_key(key)).map(|value| value.to_vec())
            }),
        };
        self.calls.get(key, || self.watch("get", read))
    }

    fn put(&mut self, key: &str, data: &[u8]) -> Result<(), Error> {
        let write = || {
            self.prefix.with_stored_key(key, |stored| {
                self.write(self.entries_counter, stored, data, || self.prefix.logical_key(key))
            })
        };
        self.calls.put(key, data, || self.watch("put", write))
    }

    fn del(&mut self, key: &str) -> Result<(), Error> {
        let remove = || {
            self.prefix.with_stored_key(key, |stored| {
                self.remove(self.entries_counter, stored, || self.prefix.logical_key(key))
            })
        };
        self.calls.del(key, || self.watch("del", remove))?;
        self.count_deletion();
        Ok(())
    }

    /// Costs one seek, whatever the length of the log, and once compaction has removed deleted entries, however many
    /// were deleted.
    fn last(&self) -> Result<Option<(String, Vec<u8>)>, Error> {
        let read = || {
            let cursor = Cursor::at_last(&self.family, &self.prefix);
            match cursor.entry() {
                Some((key, value)) => iter::owned_entry(&self.family, &self.prefix, key, value).map(Some),
                None => cursor.check().map(|()| None),
            }
        };
        self.calls.last(|| self.watch("last", || self.family.read_ahead().last(self.reader, read)))
    }

    /// Atomic: after an error or a crash, either all entries are deleted or none. Keeps the entries of other prefixes,
    /// including those written during the purge.
    fn purge(&mut self) -> Result<(), Error> {
        debug!(column_family = self.family.name(), prefix = self.prefix.as_str(), "purging collection");
        let purge = || purge::purge(&self.family, self.entries_counter, &self.prefix);
        let purged = || self.watch("purge", purge).map_err(|cause| self.failed("purge", self.prefix.as_str(), &cause));
        self.calls.purge(purged)
    }

    /// Iterates over a snapshot of the time of the call. Later writes are not visible.
    fn iter(&self, reverse: bool) -> Result<CollectionIter<'_>, Error> {
        let direction = if reverse { Direction::Reverse } else { Direction::Forward };
        // The application determines how long the iteration itself takes.
        let entries = self.calls.foreign(|| self.watch("iter", || Entries::new(self.cursor(direction))))?;
        Ok(Box::new(entries))
    }

    /// Costs one seek and the returned entries, whatever the length of the log and the position of `from`.
    fn get_by_range(&self, from: Option<String>, quantity: isize) -> Result<Vec<Vec<u8>>, Error> {
        self.calls.foreign(|| self.watch("get_by_range", || self.read_range(from, quantity)))
    }
}

impl State for RocksDbStore {
    fn name(&self) -> &str {
        self.family.name()
    }

    fn get(&self) -> Result<Vec<u8>, Error> {
        let read =
            || self.get_stored(self.prefix.state_key(), || self.prefix.as_str().to_owned()).map(|value| value.to_vec());
        self.calls.get_state(|| self.watch("get state", read))
    }

    fn put(&mut self, data: &[u8]) -> Result<(), Error> {
        let write =
            || self.write(self.state_counter, self.prefix.state_key(), data, || self.prefix.as_str().to_owned());
        self.calls.put_state(data, || self.watch("put state", write))
    }

    fn del(&mut self) -> Result<(), Error> {
        let remove = || self.remove(self.state_counter, self.prefix.state_key(), || self.prefix.as_str().to_owned());
        self.calls.foreign(|| self.watch("del state", remove))
    }

    /// Deletes the value of this state only. Succeeds if there is none.
    fn purge(&mut self) -> Result<(), Error> {
        debug!(column_family = self.family.name(), prefix = self.prefix.as_str(), "purging state");
        let purge = || self.family.delete(self.state_counter, self.prefix.state_key());
        let failed = |cause| self.failed("purge", self.prefix.as_str(), &cause);
        self.calls.purge_state(|| self.watch("purge state", purge).map_err(failed))
    }
}
