//! Walking over the entries of one prefix, and over nobody else's.

use ave_actors_store::{Error, database::CollectionEntryResult};
use rocksdb::{DBRawIterator, ErrorKind};

use super::{
    column::ColumnFamily,
    error,
    key::{self, Entry, Prefix},
    options,
};

/// Which way a walk goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Reverse,
}

/// A position among the entries of one prefix. Every move lands on an entry of that prefix or at the end: runs of
/// foreign entries are stepped over with one seek each, however long they are.
pub(super) struct Cursor<'a> {
    raw: DBRawIterator<'a>,
    family: &'a ColumnFamily,
    prefix: &'a Prefix,
    direction: Direction,
}

impl<'a> Cursor<'a> {
    /// At the first entry in the direction of the walk.
    pub(super) fn at_start(family: &'a ColumnFamily, prefix: &'a Prefix, direction: Direction) -> Self {
        let mut cursor = Self::new(family, prefix, direction);
        match direction {
            Direction::Forward => cursor.raw.seek_to_first(),
            Direction::Reverse => cursor.raw.seek_to_last(),
        }
        cursor.skip_foreign();
        cursor
    }

    /// At the last entry, for whoever wants no other one.
    ///
    /// Behind the last entry, or in place of all, there may be any number of deleted ones: that is how a log ends which
    /// was compacted into a snapshot. One that is met here is waded through, and not left there for the next reader.
    pub(super) fn at_last(family: &'a ColumnFamily, prefix: &'a Prefix) -> Self {
        let impatient = options::impatient_options(prefix, family.hidden_entries_trigger());
        let direction = Direction::Reverse;
        let mut cursor = Self { raw: family.iterator(impatient), family, prefix, direction };
        cursor.raw.seek_to_last();
        cursor.skip_foreign();
        if cursor.raw.status().is_err_and(|cause| cause.kind() == ErrorKind::Incomplete) {
            drop(cursor);
            family.shed_deletions();
            cursor = Self::at_start(family, prefix, direction);
        }
        cursor
    }

    /// At the entry of `key`. `None` if there is none.
    pub(super) fn at_key(
        family: &'a ColumnFamily,
        prefix: &'a Prefix,
        direction: Direction,
        key: &str,
    ) -> Result<Option<Self>, Error> {
        let mut cursor = Self::new(family, prefix, direction);
        let found = prefix.with_stored_key(key, |stored| {
            cursor.raw.seek(stored);
            cursor.raw.key() == Some(stored)
        });
        if found { Ok(Some(cursor)) } else { cursor.check_at(key).map(|()| None) }
    }

    fn new(family: &'a ColumnFamily, prefix: &'a Prefix, direction: Direction) -> Self {
        Self { raw: family.iterator(options::range_options(prefix)), family, prefix, direction }
    }

    /// To the next entry in the direction of the walk.
    pub(super) fn advance(&mut self) {
        match self.direction {
            Direction::Forward => self.raw.next(),
            Direction::Reverse => self.raw.prev(),
        }
        self.skip_foreign();
    }

    /// The stored key and the value under the cursor. `None` at the end, and after an error: see [`Cursor::check`].
    pub(super) fn entry(&self) -> Option<(&[u8], &[u8])> {
        let (key, value) = self.raw.item()?;
        match self.prefix.classify(key) {
            Entry::Own(key) => Some((key, value)),
            Entry::Foreign(_) | Entry::Outside => None,
        }
    }

    /// Whether the cursor is where it is because reading failed.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.check_at("")
    }

    fn check_at(&self, key: &str) -> Result<(), Error> {
        let place = || self.prefix.logical_key(key);
        self.raw.status().map_err(|cause| error::get(self.family.site(), self.family.name(), place(), &cause))
    }

    fn skip_foreign(&mut self) {
        while let Some(Entry::Foreign(run)) = self.raw.key().map(|key| self.prefix.classify(key)) {
            let (first, after) = self.prefix.run(run);
            match self.direction {
                Direction::Forward => self.raw.seek(after),
                Direction::Reverse => {
                    self.raw.seek_for_prev(&first);
                    if self.raw.key() == Some(&first) {
                        self.raw.prev();
                    }
                }
            }
        }
    }
}

/// The entries of one collection, in order.
pub(super) struct Entries<'a> {
    cursor: Cursor<'a>,
    /// The cursor stands on an entry that was yielded already.
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

/// An entry as the caller gets it: the key without prefix and decoded, the value copied once.
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
