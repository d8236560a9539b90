//! Iterates over the entries of one prefix and skips those of any other.

use ave_actors_store::{Error, database::CollectionEntryResult};
use rocksdb::{DBRawIterator, ErrorKind};

use super::{
    column::ColumnFamily,
    error,
    key::{self, Entry, Prefix},
    options,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Reverse,
}

/// A position among the entries of one prefix. Every move ends at an entry of that prefix or at the end. One seek skips
/// a run of foreign entries, whatever its length.
pub(super) struct Cursor<'a> {
    raw: DBRawIterator<'a>,
    family: &'a ColumnFamily,
    prefix: &'a Prefix,
    direction: Direction,
    on_entry: bool,
}

impl<'a> Cursor<'a> {
    /// Starts at the first entry in this direction.
    pub(super) fn at_start(family: &'a ColumnFamily, prefix: &'a Prefix, direction: Direction) -> Self {
        let mut cursor = Self::new(family, prefix, direction);
        match direction {
            Direction::Forward => cursor.raw.seek_to_first(),
            Direction::Reverse => cursor.raw.seek_to_last(),
        }
        cursor.skip_foreign_entries();
        cursor
    }

    /// Starts at the last entry, for reading that entry only.
    ///
    /// Any number of deleted entries may follow the last one, as in a log that was compacted into a snapshot. If this
    /// read meets more than the trigger, it also starts a flush, so that later reads do not scan them again.
    pub(super) fn at_last(family: &'a ColumnFamily, prefix: &'a Prefix) -> Self {
        let bounded = options::bounded_scan_options(prefix, family.hidden_entries_trigger());
        let direction = Direction::Reverse;
        let mut cursor = Self { raw: family.iterator(bounded), family, prefix, direction, on_entry: false };
        cursor.raw.seek_to_last();
        cursor.skip_foreign_entries();
        if cursor.raw.status().is_err_and(|cause| cause.kind() == ErrorKind::Incomplete) {
            drop(cursor);
            family.flush_deletions();
            cursor = Self::at_start(family, prefix, direction);
        }
        cursor
    }

    /// Starts at the entry of `key`. `None` if there is no such entry.
    pub(super) fn at_key(
        family: &'a ColumnFamily,
        prefix: &'a Prefix,
        direction: Direction,
        key: &str,
    ) -> Result<Option<Self>, Error> {
        let mut cursor = Self::new(family, prefix, direction);
        cursor.on_entry = prefix.with_stored_key(key, |stored| {
            cursor.raw.seek(stored);
            cursor.raw.key() == Some(stored)
        });
        match cursor.raw.status() {
            Ok(()) => Ok(cursor.on_entry.then_some(cursor)),
            Err(cause) => Err(cursor.failed(key, &cause)),
        }
    }

    fn new(family: &'a ColumnFamily, prefix: &'a Prefix, direction: Direction) -> Self {
        Self { raw: family.iterator(options::range_options(prefix)), family, prefix, direction, on_entry: false }
    }

    /// Moves to the next entry in this direction.
    pub(super) fn advance(&mut self) {
        match self.direction {
            Direction::Forward => self.raw.next(),
            Direction::Reverse => self.raw.prev(),
        }
        self.skip_foreign_entries();
    }

    /// The current entry: its key as stored, without the prefix, and its value. `None` at the end and after an error,
    /// which [`Cursor::check`] returns.
    pub(super) fn entry(&self) -> Option<(&[u8], &[u8])> {
        if !self.on_entry {
            return None;
        }
        let (key, value) = self.raw.item()?;
        Some((&key[self.prefix.lower_bound().len()..], value))
    }

    /// Fails if the last move failed.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.raw.status().map_err(|cause| self.failed("", &cause))
    }

    /// `key` is empty if the failed read has no single key.
    fn failed(&self, key: &str, cause: &rocksdb::Error) -> Error {
        error::get(self.family.error_context(), self.family.name(), self.prefix.logical_key(key), cause)
    }

    /// Moves to the nearest entry of this prefix in this direction, the current one included.
    fn skip_foreign_entries(&mut self) {
        self.on_entry = loop {
            match self.raw.key().map(|key| self.prefix.classify(key)) {
                Some(Entry::Own(_)) => break true,
                Some(Entry::Outside) | None => break false,
                Some(Entry::Foreign(run)) => {
                    let run = self.prefix.run(run);
                    self.skip_run(&run);
                }
            }
        };
    }

    /// Moves to the first entry on the other side of a run of foreign entries.
    fn skip_run(&mut self, (first, after): &(Vec<u8>, Vec<u8>)) {
        match self.direction {
            Direction::Forward => self.raw.seek(after),
            Direction::Reverse => {
                self.raw.seek_for_prev(first);
                if self.raw.key() == Some(first) {
                    self.raw.prev();
                }
            }
        }
    }
}

/// The entries of one collection, in order.
pub(super) struct Entries<'a> {
    cursor: Cursor<'a>,
    /// Whether the current entry was yielded.
    yielded: bool,
    finished: bool,
}

impl<'a> Entries<'a> {
    pub(super) fn new(cursor: Cursor<'a>) -> Result<Self, Error> {
        cursor.check()?;
        Ok(Self { cursor, yielded: false, finished: false })
    }
}

impl Iterator for Entries<'_> {
    type Item = CollectionEntryResult;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        if self.yielded {
            self.cursor.advance();
        }
        self.yielded = true;
        if let Some((key, value)) = self.cursor.entry() {
            return Some(owned_entry(self.cursor.family, self.cursor.prefix, key, value));
        }
        self.finished = true;
        self.cursor.check().err().map(Err)
    }
}

/// The entry for the caller: decodes the key, copies the value.
pub(super) fn owned_entry(
    family: &ColumnFamily,
    prefix: &Prefix,
    stored: &[u8],
    value: &[u8],
) -> CollectionEntryResult {
    let key = key::decode(stored).map_err(|cause| {
        error::undecodable(family.name(), prefix.logical_key(&String::from_utf8_lossy(stored)), cause)
    })?;
    Ok((key, value.to_vec()))
}
