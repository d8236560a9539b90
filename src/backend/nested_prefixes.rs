//! Remembers the nested prefixes of each column family, so that a purge of `a` keeps the entries of `a.b` without
//! scanning for them.
//!
//! A prefix with a dot is *nested*: its entries may lie in the range of a shorter prefix. Before the first handle of a
//! nested prefix is created, the prefix is registered: stored in its column family under a key that begins with `FF`,
//! which no text contains. The log contains the registration before any entry of the prefix, so a crash never leaves an
//! entry without it.
//!
//! The registrations of a family are *complete* if every release that wrote to it made them. Release 0.4.0 does not.
//! So each opening continues or begins an [`Era`], a series of openings by releases that do. Those of a family are
//! complete if it was created in this era, or after a [scan](super::nested_scan), which is stored in the default family.

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    io,
    path::Path,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use rocksdb::{DB, DBPinnableSlice, DBRawIterator, ReadOptions, WriteBatch};

use super::{
    directory::{self, Contents},
    key::{self, Prefix, Run},
    memtables::Memtable,
};

/// The first byte of the key of a registration. In the default family, two of them begin the key that contains the era
/// in which a family became complete.
const MARK: u8 = 0xFF;
/// No key of a registration is smaller, and none of an entry or a state is larger.
pub(super) const FIRST_REGISTRATION: &[u8] = &[MARK];
/// Bits of [`Parents`]. At a thousand nested prefixes, 1 or 2 % of the other prefixes are mistaken for parents.
const PARENT_BITS: usize = 1 << 16;

/// A series of openings by releases that register nested prefixes, without one by another release in between.
///
/// The options file, which RocksDB writes at every opening, contains the era. If the newest one has none, another
/// release had the database open, and an era begins. Its number, that of a file that RocksDB wrote at the last opening,
/// is larger than that of any earlier era: each opening writes files, and their numbers only increase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Era(u64);

impl Era {
    /// What the name in the options file, RocksDB's `db_host_id`, begins with.
    const NAME: &str = "ave-actors-rocksdb-nested-prefixes-";

    /// Begins with the creation of the database, so every family is complete.
    const FIRST: Self = Self(0);
    /// No era, for an opening that writes nothing.
    pub(super) const NONE: Self = Self(u64::MAX);

    /// The era of an opening. Call before RocksDB opens the database.
    pub(super) fn of(directory: &Path, contents: Contents) -> io::Result<Self> {
        if contents == Contents::Empty {
            return Ok(Self::FIRST);
        }
        let (mut newest_options, mut newest_manifest) = (None, None);
        for name in directory::list(directory)? {
            let number = |kind: &str| name.strip_prefix(kind).and_then(|number| number.parse::<u64>().ok());
            newest_options = newest_options.max(number("OPTIONS-"));
            newest_manifest = newest_manifest.max(number("MANIFEST-"));
        }
        // Without either, RocksDB opens nothing.
        let next = newest_options.max(newest_manifest).map_or(Self::NONE, Self);
        // An unreadable file begins an era as well: that costs a scan, and no data.
        let options = newest_options.and_then(|number| fs::read_to_string(directory.join(options_file(number))).ok());
        Ok(options.and_then(|options| Self::in_options(&options)).unwrap_or(next))
    }

    fn in_options(options: &str) -> Option<Self> {
        let mut values = options.lines().filter_map(|line| line.trim().strip_prefix("db_host_id="));
        values.next()?.strip_prefix(Self::NAME)?.parse().ok().map(Self)
    }

    /// The name for the options file.
    pub(super) fn name(self) -> String {
        format!("{}{}", Self::NAME, self.0)
    }

    fn stored(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// Stores that the families `names` are complete.
    pub(super) fn store_complete<'a>(
        self,
        db: &DB,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), rocksdb::Error> {
        if self == Self::FIRST {
            return Ok(());
        }
        let mut batch = WriteBatch::default();
        names.into_iter().for_each(|name| batch.put(complete_key(name), self.stored()));
        // Not synced: without it, the family is scanned again.
        if batch.is_empty() { Ok(()) } else { db.write(batch) }
    }

    fn is_complete(self, db: &DB, name: &str) -> Result<bool, rocksdb::Error> {
        let is_stored = |stored: DBPinnableSlice<'_>| *stored == self.stored();
        Ok(self == Self::FIRST || db.get_pinned(complete_key(name))?.is_some_and(is_stored))
    }
}

fn options_file(number: u64) -> String {
    format!("OPTIONS-{number:06}")
}

fn complete_key(family: &str) -> Vec<u8> {
    [&[MARK, MARK], family.as_bytes()].concat()
}

/// The nested prefixes of one column family.
pub(super) struct NestedPrefixes {
    family: String,
    memtable: Arc<Memtable>,
    era: Era,
    /// Locked for writing while a prefix is registered.
    parents: RwLock<Parents>,
    is_loaded: AtomicBool,
    is_complete: AtomicBool,
}

/// The prefixes that have nested ones, and a few others: a Bloom filter with one hash, of a fixed size. Empty if there
/// are none.
struct Parents {
    words: Vec<u64>,
    hasher: RandomState,
}

/// Excludes registrations.
pub(super) struct Locked<'a> {
    nested: &'a NestedPrefixes,
    parents: RwLockReadGuard<'a, Parents>,
}

impl NestedPrefixes {
    pub(super) fn new(family: &str, memtable: Arc<Memtable>, era: Era) -> Self {
        Self {
            family: family.to_owned(),
            memtable,
            era,
            parents: RwLock::new(Parents { words: Vec::new(), hasher: RandomState::new() }),
            is_loaded: AtomicBool::new(false),
            is_complete: AtomicBool::new(false),
        }
    }

    pub(super) fn memtable(&self) -> &Memtable {
        &self.memtable
    }

    /// Reads whether the registrations are complete.
    pub(super) fn read_complete(&self) -> Result<bool, rocksdb::Error> {
        let is_complete = self.era.is_complete(self.memtable.db(), &self.family)?;
        self.is_complete.store(is_complete, Ordering::Release);
        Ok(is_complete)
    }

    /// Whether every nested prefix with an entry is registered.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete.load(Ordering::Acquire)
    }

    /// Stores that the registrations are complete.
    pub(super) fn set_complete(&self) -> Result<(), rocksdb::Error> {
        self.era.store_complete(self.memtable.db(), [self.family.as_str()])?;
        self.is_complete.store(true, Ordering::Release);
        Ok(())
    }

    /// Registers `prefix`, stored, if it is nested and not registered yet. `write` writes the key. Waits for running
    /// purges to write, not for scans.
    pub(super) fn register(
        &self,
        prefix: &[u8],
        write: impl FnOnce(&[u8]) -> Result<(), rocksdb::Error>,
    ) -> Result<(), rocksdb::Error> {
        if !key::is_nested(prefix) {
            return Ok(());
        }
        let key = registration(prefix);
        if self.memtable.db().get_pinned_cf(self.memtable.handle(), &key)?.is_some() {
            return Ok(());
        }
        let mut parents = self.parents.write().unwrap_or_else(PoisonError::into_inner);
        write(&key)?;
        parents.add_of(prefix);
        Ok(())
    }

    pub(super) fn lock(&self) -> Result<Locked<'_>, rocksdb::Error> {
        if !self.is_loaded.load(Ordering::Acquire) {
            self.load()?;
        }
        Ok(Locked { nested: self, parents: self.parents.read().unwrap_or_else(PoisonError::into_inner) })
    }

    #[cold]
    fn load(&self) -> Result<(), rocksdb::Error> {
        let mut parents = self.parents.write().unwrap_or_else(PoisonError::into_inner);
        let mut registrations = self.registrations(FIRST_REGISTRATION, None);
        while let Some(key) = registrations.key() {
            parents.add_of(&key[1..]);
            registrations.next();
        }
        registrations.status()?;
        self.is_loaded.store(true, Ordering::Release);
        Ok(())
    }

    fn registrations(&self, first: &[u8], end: Option<Vec<u8>>) -> DBRawIterator<'_> {
        let mut options = ReadOptions::default();
        options.set_iterate_lower_bound(first);
        if let Some(end) = end {
            options.set_iterate_upper_bound(end);
        }
        let mut iterator = self.memtable.db().raw_iterator_cf_opt(self.memtable.handle(), options);
        iterator.seek_to_first();
        iterator
    }
}

impl Locked<'_> {
    /// The runs of the registered prefixes inside the range of `prefix`, in any order, perhaps repeated.
    pub(super) fn runs_in(&self, prefix: &Prefix) -> Result<Vec<Run>, rocksdb::Error> {
        let mut runs = Vec::new();
        if !self.parents.contains(prefix.as_str().as_bytes()) {
            return Ok(runs);
        }
        let (first, end) = (registration(prefix.lower_bound()), registration(&prefix.upper_bound()));
        let mut registrations = self.nested.registrations(&first, Some(end));
        while let Some(key) = registrations.key() {
            runs.extend(prefix.run_of(&key[1..]).map(|name| prefix.run(name)));
            registrations.next();
        }
        registrations.status()?;
        Ok(runs)
    }
}

impl Parents {
    fn bit(&self, prefix: &[u8]) -> (usize, u64) {
        let hash = self.hasher.hash_one(prefix);
        let bit = usize::try_from(hash % PARENT_BITS as u64).unwrap_or(0);
        (bit / 64, 1 << (bit % 64))
    }

    /// Adds every prefix whose range contains the entries of `nested`.
    fn add_of(&mut self, nested: &[u8]) {
        self.words.resize(PARENT_BITS / 64, 0);
        for parent in key::parents(nested) {
            let (word, bit) = self.bit(parent);
            self.words[word] |= bit;
        }
    }

    fn contains(&self, prefix: &[u8]) -> bool {
        if self.words.is_empty() {
            return false;
        }
        let (word, bit) = self.bit(prefix);
        self.words[word] & bit != 0
    }
}

fn registration(prefix: &[u8]) -> Vec<u8> {
    [&[MARK], prefix].concat()
}

/// Whether a stored key belongs to this module, not to an entry or a state.
pub(super) fn is_registration(stored: &[u8]) -> bool {
    stored.first() == Some(&MARK)
}
