//! The handle of one collection or one state.

use std::{fmt, sync::Arc};

use ave_actors_store::{
    Error,
    database::{Collection, CollectionIter, State},
};
use tracing::debug;

use super::{
    column::ColumnFamily,
    error,
    iter::{self, Cursor, Direction, Entries},
    key::{self, Prefix},
    purge,
    read_ahead::{Ahead, Look, Reader, TrackIndex},
};

/// Events or a snapshot of one actor: a [`Collection`] or a [`State`] of one prefix in one column family.
///
/// Comes from [`RocksDbManager`](super::RocksDbManager). It keeps the database open: the directory is free for others
/// once the manager, all its clones and all handles are dropped.
///
/// As a [`Collection`] it holds entries sorted by key, bytewise. It sees its own entries only, whatever other prefixes
/// share the column family. As a [`State`] it holds one value.
pub struct RocksDbStore {
    family: Arc<ColumnFamily>,
    prefix: Prefix,
    reader: Reader,
    /// Where writes to the entries of this collection are counted.
    entries_track: TrackIndex,
    /// The same for the value of this state, which is an entry of a shorter prefix if its name has a dot.
    state_track: TrackIndex,
    /// Entries deleted by this handle since it last saw to the memtable that holds the deletions.
    deletions: u32,
}

impl RocksDbStore {
    pub(super) fn new(family: Arc<ColumnFamily>, prefix: &str) -> Self {
        family.enter(prefix);
        let prefix = Prefix::new(prefix);
        let ahead = family.read_ahead();
        let entries_track = ahead.track(family.name(), prefix.state_key());
        let state_track = ahead.track(family.name(), key::prefix_of(prefix.state_key()));
        let reader = ahead.reader(entries_track);
        Self { family, prefix, reader, entries_track, state_track, deletions: 0 }
    }

    fn read(&self, stored: &[u8], logical: impl Fn() -> String) -> Result<Vec<u8>, Error> {
        match self.family.get(stored) {
            Ok(Some(value)) => Ok(value.to_vec()),
            Ok(None) => Err(error::not_found(logical())),
            Err(cause) => Err(error::get(self.family.site(), self.family.name(), logical(), &cause)),
        }
    }

    /// The entry of `key`, and those after it for the calls to come.
    fn read_on(&self, key: &str, mut ahead: Ahead<'_>) -> Result<Vec<u8>, Error> {
        let cursor = Cursor::at_key(&self.family, &self.prefix, Direction::Forward, key)?;
        let mut cursor = cursor.ok_or_else(|| error::not_found(self.prefix.logical_key(key)))?;
        let value = cursor.entry().map(|(_, value)| value.to_vec());
        let value = value.ok_or_else(|| error::not_found(self.prefix.logical_key(key)))?;
        cursor.advance();
        while let Some((stored, value)) = cursor.entry() {
            if !ahead.keep(stored, value) {
                break;
            }
            cursor.advance();
        }
        ahead.finish();
        Ok(value)
    }

    fn write(&self, track: TrackIndex, stored: &[u8], value: &[u8], logical: impl Fn() -> String) -> Result<(), Error> {
        self.family.put(track, stored, value).map_err(|cause| self.failed("put", &logical(), &cause))
    }

    fn remove(&self, track: TrackIndex, stored: &[u8], logical: impl Fn() -> String) -> Result<(), Error> {
        match self.family.get(stored) {
            Ok(Some(_)) => self.family.delete(track, stored).map_err(|cause| self.failed("delete", &logical(), &cause)),
            Ok(None) => Err(error::not_found(logical())),
            Err(cause) => Err(error::get(self.family.site(), self.family.name(), logical(), &cause)),
        }
    }

    /// A log that is compacted entry by entry fills the memtable with deletions, which its readers wade through.
    fn count_deletion(&mut self) {
        self.deletions += 1;
        if self.deletions >= self.family.deletions_trigger() {
            self.deletions = 0;
            self.family.shed_deletions();
        }
    }

    fn failed(&self, what: &str, logical: &str, cause: &rocksdb::Error) -> Error {
        let what = format!("{what} of '{logical}'");
        let failed = if self.family.is_stopped() { error::write } else { error::operation };
        failed(self.family.site(), self.family.name(), &what, cause)
    }

    fn cursor(&self, direction: Direction) -> Cursor<'_> {
        Cursor::at_start(&self.family, &self.prefix, direction)
    }

    /// The cursor at the entry after `from`.
    fn cursor_after(&self, from: String, direction: Direction) -> Result<Cursor<'_>, Error> {
        let cursor = Cursor::at_key(&self.family, &self.prefix, direction, &from)?;
        let mut cursor = cursor.ok_or_else(|| error::not_found(from))?;
        cursor.advance();
        Ok(cursor)
    }
}

impl Drop for RocksDbStore {
    fn drop(&mut self) {
        self.family.leave(self.prefix.as_str());
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

    /// Entries that are asked for in order, `…01`, `…02`, `…03`, are read together. What is returned is what the
    /// database holds in this moment nonetheless.
    fn get(&self, key: &str) -> Result<Vec<u8>, Error> {
        match self.family.read_ahead().look(self.reader, key) {
            Look::Found(value) => Ok(value),
            Look::Sequential(ahead) => self.read_on(key, ahead),
            Look::Single => {
                self.prefix.with_stored_key(key, |stored| self.read(stored, || self.prefix.logical_key(key)))
            }
        }
    }

    fn put(&mut self, key: &str, data: &[u8]) -> Result<(), Error> {
        self.prefix.with_stored_key(key, |stored| {
            self.write(self.entries_track, stored, data, || self.prefix.logical_key(key))
        })
    }

    fn del(&mut self, key: &str) -> Result<(), Error> {
        self.prefix
            .with_stored_key(key, |stored| self.remove(self.entries_track, stored, || self.prefix.logical_key(key)))?;
        self.count_deletion();
        Ok(())
    }

    /// One seek, whatever the length of the log, and whatever was deleted from it once background work has cleared it.
    fn last(&self) -> Result<Option<(String, Vec<u8>)>, Error> {
        self.family.read_ahead().last(self.reader, || {
            let cursor = Cursor::at_last(&self.family, &self.prefix);
            match cursor.entry() {
                Some((key, value)) => iter::owned_entry(&self.family, &self.prefix, key, value).map(Some),
                None => cursor.check().map(|()| None),
            }
        })
    }

    /// All entries or, after an error or a crash, none are gone. Entries of other prefixes stay, also those that are
    /// written while this runs.
    fn purge(&mut self) -> Result<(), Error> {
        debug!(column_family = self.family.name(), prefix = self.prefix.as_str(), "purging collection");
        purge::purge(&self.family, self.entries_track, &self.prefix)
            .map_err(|cause| self.failed("purge", self.prefix.as_str(), &cause))
    }

    /// Sees the entries of the moment in which it is called, whatever is written while it runs.
    fn iter(&self, reverse: bool) -> Result<CollectionIter<'_>, Error> {
        let direction = if reverse { Direction::Reverse } else { Direction::Forward };
        Ok(Box::new(Entries::new(self.cursor(direction))?))
    }

    /// One seek and what it returns, whatever the length of the log and wherever in it `from` lies.
    fn get_by_range(&self, from: Option<String>, quantity: isize) -> Result<Vec<Vec<u8>>, Error> {
        let direction = if quantity < 0 { Direction::Reverse } else { Direction::Forward };
        let mut cursor = match from {
            Some(from) => self.cursor_after(from, direction)?,
            None => self.cursor(direction),
        };
        let mut values = Vec::new();
        let wanted = quantity.unsigned_abs();
        while values.len() < wanted {
            let Some((_, value)) = cursor.entry() else {
                cursor.check()?;
                break;
            };
            values.push(value.to_vec());
            if values.len() < wanted {
                cursor.advance();
            }
        }
        Ok(values)
    }
}

impl State for RocksDbStore {
    fn name(&self) -> &str {
        self.family.name()
    }

    fn get(&self) -> Result<Vec<u8>, Error> {
        self.read(self.prefix.state_key(), || self.prefix.as_str().to_owned())
    }

    fn put(&mut self, data: &[u8]) -> Result<(), Error> {
        self.write(self.state_track, self.prefix.state_key(), data, || self.prefix.as_str().to_owned())
    }

    fn del(&mut self) -> Result<(), Error> {
        self.remove(self.state_track, self.prefix.state_key(), || self.prefix.as_str().to_owned())
    }

    /// Removes the value and nothing else.
    fn purge(&mut self) -> Result<(), Error> {
        debug!(column_family = self.family.name(), prefix = self.prefix.as_str(), "purging state");
        self.family
            .delete(self.state_track, self.prefix.state_key())
            .map_err(|cause| self.failed("purge", self.prefix.as_str(), &cause))
    }
}
