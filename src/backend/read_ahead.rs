//! Reads ahead for callers that get the entries of a collection one by one, in order.
//!
//! An actor that recovers reads its last event twice and then its events with the keys `n`, `n+1`, `n+2`, each with a
//! call of its own. Every such call would search the whole database, although its entry directly follows the previous
//! one. So this module remembers the last entry. From the second key of a sequence on, or from the first one after a
//! read of the last entry, an iterator reads the entry together with those after it, and a slot stores them for later
//! calls.
//!
//! Two guarantees:
//!
//! * **No stale value.** A stored value is valid only while *no write has begun*, since before it was read, to any
//!   collection that shares its [`WriteCounter`]. A write increments the counter before it does anything else, so a
//!   returned value is the one that the database contains at that moment.
//! * **Bounded memory.** All handles share a fixed number of slots of [`SLOT_BYTES`]. A handle takes over the slot of
//!   another one.

use std::{
    collections::VecDeque,
    hash::{BuildHasher, RandomState},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

/// Bytes of values that one slot stores at most, apart from the last entry.
pub(super) const SLOT_BYTES: usize = 64 * 1024;
/// Entries of the first window of a sequence. Small, because a sequence may end after two keys.
const INITIAL_WINDOW: usize = 16;
/// Entries of the first window after a read of the last entry.
const REPLAY_WINDOW: usize = 64;
/// Entries of a window at most. Each further window is twice as large as the one before.
const MAX_WINDOW: usize = 256;
/// A larger last entry is not remembered.
const MAX_LAST_ENTRY_BYTES: usize = 4 * 1024;
/// Number of write counters. Many, so that writers of different collections rarely share one.
const COUNTERS: u64 = 4096;

/// The read-ahead state of one database, shared by all its handles.
pub(super) struct ReadAhead {
    slots: Box<[Mutex<Slot>]>,
    counters: Box<[WriteCounter]>,
    hasher: RandomState,
    readers: AtomicU64,
}

/// Identifies a handle, and the counter of the writes to its collection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    id: u64,
    counter: CounterIndex,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CounterIndex(usize);

/// Counts the writes to some of the collections.
#[derive(Default)]
struct WriteCounter {
    begun: AtomicU64,
    ended: AtomicU64,
}

/// The number of writes of a [`WriteCounter`] at a moment when none was in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version(u64);

/// The sequence of the handle that used this slot last.
#[derive(Default)]
struct Slot {
    reader: Option<u64>,
    /// The key after the one that was read last.
    expected: Successor,
    /// The values of the expected key and of those after it, as of `version`.
    values: VecDeque<Vec<u8>>,
    version: Option<Version>,
    window: usize,
    /// The last entry, if it is known.
    last: Option<(Version, LastEntry)>,
    /// Whether the handle has read the last entry, and no key since.
    last_was_read: bool,
}

/// The key and the value of the last entry of a collection. `None` if the collection is empty.
pub(super) type LastEntry = Option<(String, Vec<u8>)>;

/// The result of a lookup.
pub(super) enum Lookup<'a> {
    /// The value, as the database contains it now.
    Found(Vec<u8>),
    /// Not stored. Read this entry together with those after it.
    Sequential(SlotWriter<'a>),
    /// Not stored, and no sequence. Read this entry alone.
    Single,
}

/// Stores entries in a slot while they are read.
pub(super) struct SlotWriter<'a> {
    slot: MutexGuard<'a, Slot>,
    /// From before anything was read.
    version: Version,
    next: Successor,
    bytes: usize,
}

impl ReadAhead {
    /// Stores about `bytes` of values at most, and at least one slot.
    pub(super) fn new(bytes: u64) -> Self {
        let slots = (bytes / SLOT_BYTES as u64).max(1);
        Self {
            slots: (0..slots).map(|_| Mutex::default()).collect(),
            counters: (0..COUNTERS).map(|_| WriteCounter::default()).collect(),
            hasher: RandomState::new(),
            readers: AtomicU64::new(0),
        }
    }

    /// A reader for a new handle.
    pub(super) fn reader(&self, counter: CounterIndex) -> Reader {
        Reader { id: self.readers.fetch_add(1, Ordering::Relaxed), counter }
    }

    /// The counter of writes to the entries of this prefix.
    pub(super) fn counter(&self, family: &str, prefix: &[u8]) -> CounterIndex {
        CounterIndex(index(self.hasher.hash_one((family, prefix)), self.counters.len()))
    }

    /// Like [`count_write`](Self::count_write), for a write to any number of prefixes.
    pub(super) fn count_write_to_all<R>(&self, write: impl FnOnce() -> R) -> R {
        for counter in &self.counters {
            counter.begun.fetch_add(1, Ordering::SeqCst);
        }
        let result = write();
        for counter in &self.counters {
            counter.ended.fetch_add(1, Ordering::SeqCst);
        }
        result
    }

    /// Runs a write and counts its begin and end, which invalidates values that were read before.
    pub(super) fn count_write<R>(&self, counter: CounterIndex, write: impl FnOnce() -> R) -> R {
        let counter = &self.counters[counter.0];
        counter.begun.fetch_add(1, Ordering::SeqCst);
        let result = write();
        counter.ended.fetch_add(1, Ordering::SeqCst);
        result
    }

    /// Looks up the value of `key`, and continues or starts a sequence with it.
    pub(super) fn lookup(&self, reader: Reader, key: &str) -> Lookup<'_> {
        let Some(mut slot) = self.slot(reader) else { return Lookup::Single };
        let counter = &self.counters[reader.counter.0];
        let in_sequence = if slot.expected.matches(key) {
            slot.expected.advance();
            if let Some(value) = slot.next_value(counter) {
                return Lookup::Found(value);
            }
            true
        } else {
            slot.expected.set_after(key);
            slot.begins_sequence(key)
        };
        slot.clear_values();
        match counter.idle_version() {
            Some(version) if in_sequence => {
                let next = slot.expected.clone();
                Lookup::Sequential(SlotWriter { slot, version, next, bytes: 0 })
            }
            // A write in progress may change what is read now.
            _ => Lookup::Single,
        }
    }

    /// The remembered last entry, or the one that `read` returns, which is remembered.
    pub(super) fn last<E>(&self, reader: Reader, read: impl FnOnce() -> Result<LastEntry, E>) -> Result<LastEntry, E> {
        let Some(mut slot) = self.slot(reader) else { return read() };
        let counter = &self.counters[reader.counter.0];
        slot.last_was_read = true;
        if let Some((version, last)) = &slot.last
            && counter.is_current(*version)
        {
            return Ok(last.clone());
        }
        slot.last = None;
        let version = counter.idle_version();
        let last = read()?;
        let is_small = last.as_ref().is_none_or(|(key, value)| key.len() + value.len() <= MAX_LAST_ENTRY_BYTES);
        slot.last = version.filter(|_| is_small).map(|version| (version, last.clone()));
        Ok(last)
    }

    /// The slot of this reader. `None` if it is locked: waiting would cost more than a read.
    fn slot(&self, reader: Reader) -> Option<MutexGuard<'_, Slot>> {
        // Fibonacci hashing: of the handles of an actor, drawn in order, only one reads.
        let slot = reader.id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let mut slot = self.slots[index(slot, self.slots.len())].try_lock().ok()?;
        if slot.reader != Some(reader.id) {
            *slot = Slot { reader: Some(reader.id), ..Slot::default() };
        }
        Some(slot)
    }
}

fn index(n: u64, len: usize) -> usize {
    usize::try_from(n % len as u64).unwrap_or(0)
}

impl WriteCounter {
    /// The current version. `None` while a write is in progress.
    fn idle_version(&self) -> Option<Version> {
        // In this order: a write that begins in between makes the two differ.
        let ended = self.ended.load(Ordering::SeqCst);
        let begun = self.begun.load(Ordering::SeqCst);
        (begun == ended).then_some(Version(begun))
    }

    /// Whether no write has begun since.
    fn is_current(&self, version: Version) -> bool {
        self.begun.load(Ordering::SeqCst) == version.0
    }
}

impl Slot {
    /// Whether `key`, which does not continue a sequence, starts one: a caller that reads the last entry and then an
    /// earlier one is expected to read all entries between them.
    fn begins_sequence(&mut self, key: &str) -> bool {
        let replay = std::mem::take(&mut self.last_was_read)
            && matches!(&self.last, Some((_, Some((last, _)))) if key.len() == last.len() && key < last.as_str());
        self.window = if replay { REPLAY_WINDOW } else { INITIAL_WINDOW };
        replay
    }

    /// The next stored value, if no write has begun since it was read.
    fn next_value(&mut self, counter: &WriteCounter) -> Option<Vec<u8>> {
        self.version.is_some_and(|version| counter.is_current(version)).then(|| self.values.pop_front())?
    }

    fn clear_values(&mut self) {
        self.values.clear();
        self.version = None;
    }
}

impl SlotWriter<'_> {
    /// Counts the value that the caller gets. Returns whether the slot accepts an entry.
    pub(super) fn begin(&mut self, bytes: usize) -> bool {
        self.bytes = bytes;
        self.accepts_more()
    }

    /// Stores an entry, whose key is in stored form, if it is the next one of the sequence and fits in the slot. Returns
    /// whether the slot accepts another entry.
    pub(super) fn push(&mut self, stored: &[u8], value: &[u8]) -> bool {
        if !self.next.matches_stored(stored) || value.len() > SLOT_BYTES.saturating_sub(self.bytes) {
            return false;
        }
        self.slot.values.push_back(value.to_vec());
        self.next.advance();
        self.bytes += value.len();
        self.accepts_more()
    }

    fn accepts_more(&self) -> bool {
        // The window includes the entry that the caller gets.
        self.bytes < SLOT_BYTES && self.slot.values.len() + 1 < self.slot.window
    }

    /// Makes the stored entries available to later calls. Without this call they are not used.
    pub(super) fn finish(mut self) {
        self.slot.version = Some(self.version);
        self.slot.window = (2 * self.slot.window).min(MAX_WINDOW);
    }
}

/// The key after another one: the next higher number with the same count of digits. Keys that are not numbers, and
/// numbers whose digits are all nines, have none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Successor {
    /// Empty if there is none.
    digits: Vec<u8>,
}

impl Successor {
    fn set_after(&mut self, key: &str) {
        self.digits.clear();
        if key.bytes().all(|byte| byte.is_ascii_digit()) {
            self.digits.extend_from_slice(key.as_bytes());
            self.advance();
        }
    }

    fn matches(&self, key: &str) -> bool {
        self.matches_stored(key.as_bytes())
    }

    /// Digits are stored unchanged.
    fn matches_stored(&self, key: &[u8]) -> bool {
        !self.digits.is_empty() && self.digits == key
    }

    fn advance(&mut self) {
        for digit in self.digits.iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
        self.digits.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A collection with the keys 0 to 99. Counts the reads of the database behind it.
    struct Collection {
        ahead: ReadAhead,
        reader: Reader,
        reads: usize,
    }

    fn key(n: u32) -> String {
        format!("{n:020}")
    }

    impl Collection {
        fn new() -> Self {
            let ahead = ReadAhead::new(SLOT_BYTES as u64);
            let reader = ahead.reader(ahead.counter("events", b"actor"));
            Self { ahead, reader, reads: 0 }
        }

        fn get(&mut self, n: u32) -> String {
            let value = |n: u32| format!("value {n}");
            match self.ahead.lookup(self.reader, &key(n)) {
                Lookup::Found(value) => return String::from_utf8(value).unwrap(),
                Lookup::Single => {}
                Lookup::Sequential(mut slot) => {
                    let mut rest = (n + 1)..100;
                    while rest.next().is_some_and(|n| slot.push(key(n).as_bytes(), value(n).as_bytes())) {}
                    slot.finish();
                }
            }
            self.reads += 1;
            value(n)
        }
    }

    #[test]
    fn keys_in_sequence_are_read_in_windows() {
        let mut collection = Collection::new();
        for n in 0..100 {
            assert_eq!(collection.get(n), format!("value {n}"));
        }
        // The first key alone, then windows of 16, 32 and 64.
        assert_eq!(collection.reads, 4);
    }

    #[test]
    fn keys_out_of_sequence_are_read_one_by_one() {
        let mut collection = Collection::new();
        for n in (0..100).step_by(2).chain((0..100).rev()) {
            assert_eq!(collection.get(n), format!("value {n}"));
        }
        assert_eq!(collection.reads, 150);
    }

    #[test]
    fn a_write_invalidates_values_read_before_it() {
        let mut collection = Collection::new();
        collection.get(0);
        collection.get(1);
        let counter = collection.reader.counter;
        collection.ahead.count_write(counter, || {});
        assert!(!matches!(collection.ahead.lookup(collection.reader, &key(2)), Lookup::Found(_)));
    }

    #[test]
    fn nothing_is_found_or_stored_during_a_write() {
        let mut collection = Collection::new();
        collection.get(0);
        collection.get(1);
        let (ahead, reader) = (&collection.ahead, collection.reader);
        ahead.count_write(reader.counter, || {
            assert!(matches!(ahead.lookup(reader, &key(2)), Lookup::Single));
            assert!(matches!(ahead.lookup(reader, &key(3)), Lookup::Single));
        });
        assert!(matches!(ahead.lookup(reader, &key(4)), Lookup::Sequential(_)));
    }

    #[test]
    fn a_write_to_another_counter_invalidates_nothing() {
        let mut collection = Collection::new();
        let own = collection.reader.counter;
        let other = (0..1000)
            .map(|n: u32| collection.ahead.counter("events", &n.to_le_bytes()))
            .find(|counter| *counter != own);
        collection.get(0);
        collection.get(1);
        collection.ahead.count_write(other.unwrap(), || {});
        assert!(matches!(collection.ahead.lookup(collection.reader, &key(2)), Lookup::Found(_)));
    }

    #[test]
    fn a_slot_taken_over_by_another_handle_returns_nothing_of_the_first() {
        let mut collection = Collection::new();
        collection.get(0);
        collection.get(1);
        let other = collection.ahead.reader(collection.reader.counter);
        assert!(matches!(collection.ahead.lookup(other, &key(2)), Lookup::Single));
        assert!(matches!(collection.ahead.lookup(collection.reader, &key(2)), Lookup::Single));
    }

    #[test]
    fn the_last_entry_is_remembered_until_a_write() {
        let Collection { ahead, reader, .. } = Collection::new();
        let read = |value: &str| ahead.last::<()>(reader, || Ok(Some((key(9), value.into())))).unwrap().unwrap().1;
        assert_eq!(read("first"), b"first");
        assert_eq!(read("second"), b"first");
        ahead.count_write(reader.counter, || assert_eq!(read("third"), b"third", "the write may have changed it"));
        assert_eq!(read("fourth"), b"fourth", "the write may have changed it after that");
    }

    #[test]
    fn a_read_of_the_last_entry_starts_read_ahead_at_the_first_key() {
        let mut collection = Collection::new();
        let (reader, last) = (collection.reader, Some((key(99), Vec::new())));
        assert_eq!(collection.ahead.last::<()>(reader, || Ok(last.clone())), Ok(last.clone()));
        for n in 50..100 {
            assert_eq!(collection.get(n), format!("value {n}"));
        }
        assert_eq!(collection.reads, 1);
        collection.get(3);
        collection.get(17);
        assert_eq!(collection.reads, 3, "only the first key after the last entry starts a sequence");
    }

    #[test]
    fn a_slot_accepts_values_up_to_its_size() {
        let collection = Collection::new();
        let (ahead, reader) = (&collection.ahead, collection.reader);
        assert!(matches!(ahead.lookup(reader, &key(0)), Lookup::Single));
        let Lookup::Sequential(mut slot) = ahead.lookup(reader, &key(1)) else { panic!("no sequence") };
        let half = vec![7; 32 * 1024];
        assert!(slot.push(key(2).as_bytes(), &half));
        assert!(!slot.push(key(3).as_bytes(), &half), "full");
    }

    #[test]
    fn a_value_that_does_not_fit_is_not_stored() {
        let collection = Collection::new();
        let (ahead, reader) = (&collection.ahead, collection.reader);
        assert!(matches!(ahead.lookup(reader, &key(0)), Lookup::Single));
        let Lookup::Sequential(mut slot) = ahead.lookup(reader, &key(1)) else { panic!("no sequence") };
        assert!(slot.push(key(2).as_bytes(), b"small"));
        assert!(!slot.push(key(3).as_bytes(), &vec![7; SLOT_BYTES]));
        slot.finish();
        assert!(matches!(ahead.lookup(reader, &key(2)), Lookup::Found(_)));
        assert!(matches!(ahead.lookup(reader, &key(3)), Lookup::Sequential(_)));
    }

    #[test]
    fn nothing_is_read_ahead_after_a_value_as_large_as_a_slot() {
        let collection = Collection::new();
        let (ahead, reader) = (&collection.ahead, collection.reader);
        assert!(matches!(ahead.lookup(reader, &key(0)), Lookup::Single));
        let Lookup::Sequential(mut slot) = ahead.lookup(reader, &key(1)) else { panic!("no sequence") };
        assert!(slot.begin(SLOT_BYTES - 1));
        assert!(!slot.begin(SLOT_BYTES));
    }

    proptest! {
        #[test]
        fn the_successor_is_the_next_number_with_as_many_digits(n in 0_u64..1_000_000) {
            let mut successor = Successor::default();
            successor.set_after(&format!("{n:06}"));
            prop_assert_eq!(successor.matches(&format!("{:06}", n + 1)), n < 999_999);
        }

        #[test]
        fn keys_that_are_not_numbers_have_no_successor(key in "[^0-9]*[0-9]*[^0-9]+[0-9]*", other in "[0-9a-z]*") {
            let mut successor = Successor::default();
            successor.set_after(&key);
            prop_assert!(!successor.matches(&other) && !successor.matches("") && !successor.matches(&key));
        }
    }
}
