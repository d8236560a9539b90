//! Reading ahead for callers that get the entries of a collection one by one, in order.
//!
//! An actor that recovers asks for its last event, asks for it once more, and then gets its events with the keys `n`,
//! `n+1`, `n+2`, each with a call of its own. Every such call searches the whole database anew, although what it looks
//! for lies right behind what the last one found. So the last entry is remembered; and from the second key in a row on,
//! or the first one after the last entry was asked for, an iterator looks it up, and what lies behind it is kept for
//! the calls to come.
//!
//! Two things are never traded for that:
//!
//! * **No stale value.** What was kept counts only as long as *no write has begun* since before it was read, to any
//!   collection that shares its [`Track`]. A write announces itself before it does anything, so a value that is handed
//!   out is the one the database holds at that moment.
//! * **Bounded memory.** All handles share a fixed number of slots of [`SLOT_BYTES`]. A handle that needs the slot of
//!   another takes it over.

use std::{
    collections::VecDeque,
    hash::{BuildHasher, RandomState},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

/// A slot keeps about this many bytes of values.
pub(super) const SLOT_BYTES: u64 = 64 * 1024;
/// Entries that are read at first, because two keys in a row may be all there is.
const FIRST_WINDOW: usize = 16;
/// Entries that are read at first by whoever has just asked where the log ends.
const REPLAY_WINDOW: usize = 64;
/// Entries that are read at most.
const LAST_WINDOW: usize = 256;
/// A last entry that is larger is not remembered.
const LAST_BYTES: usize = 4 * 1024;
/// Writes are counted in this many places, so that writers of different collections rarely meet.
const TRACKS: u64 = 4096;

/// What all handles of a database share for reading ahead.
pub(super) struct ReadAhead {
    slots: Box<[Mutex<Slot>]>,
    tracks: Box<[Track]>,
    hasher: RandomState,
    readers: AtomicU64,
}

/// Who reads, and on which track the writes to what it reads are counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    id: u64,
    track: TrackIndex,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TrackIndex(usize);

/// Counts the writes to some of the collections.
#[derive(Default)]
struct Track {
    begun: AtomicU64,
    ended: AtomicU64,
}

/// A moment in the life of a [`Track`] in which no write was under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment(u64);

/// What is known of the handle that read here last.
#[derive(Default)]
struct Slot {
    reader: Option<u64>,
    /// The key that comes after the last one that was asked for.
    expected: Successor,
    /// The values of the expected key and of those after it, as of `moment`.
    values: VecDeque<Vec<u8>>,
    moment: Option<Moment>,
    window: usize,
    /// The last entry, if it is known.
    last: Option<(Moment, LastEntry)>,
    /// Nothing was asked for since the last entry.
    replay: bool,
}

/// The key of the last entry of a collection and its value, `None` if the collection is empty.
pub(super) type LastEntry = Option<(String, Vec<u8>)>;

/// What became of a look for a value that was read ahead.
pub(super) enum Look<'a> {
    /// Here it is, as the database holds it now.
    Found(Vec<u8>),
    /// There is none, but it pays to read this entry together with those after it.
    Sequential(Ahead<'a>),
    /// There is none, and nothing says that the next key will be asked for next.
    Single,
}

/// Room for entries that are read ahead.
pub(super) struct Ahead<'a> {
    slot: MutexGuard<'a, Slot>,
    /// From before anything was read.
    moment: Moment,
    next: Successor,
    bytes: u64,
}

impl ReadAhead {
    /// Keeps at most about `bytes` of values, and at least what one handle reads ahead.
    pub(super) fn new(bytes: u64) -> Self {
        let slots = (bytes / SLOT_BYTES).max(1);
        Self {
            slots: (0..slots).map(|_| Mutex::default()).collect(),
            tracks: (0..TRACKS).map(|_| Track::default()).collect(),
            hasher: RandomState::new(),
            readers: AtomicU64::new(0),
        }
    }

    /// For a new handle.
    pub(super) fn reader(&self, track: TrackIndex) -> Reader {
        Reader { id: self.readers.fetch_add(1, Ordering::Relaxed), track }
    }

    /// Where writes to the entries of this prefix are counted.
    pub(super) fn track(&self, family: &str, prefix: &[u8]) -> TrackIndex {
        TrackIndex(index(self.hasher.hash_one((family, prefix)), self.tracks.len()))
    }

    /// Runs a write, so that nothing that was read before is taken for what is there afterwards.
    pub(super) fn write<R>(&self, track: TrackIndex, write: impl FnOnce() -> R) -> R {
        let track = &self.tracks[track.0];
        track.begun.fetch_add(1, Ordering::SeqCst);
        let result = write();
        track.ended.fetch_add(1, Ordering::SeqCst);
        result
    }

    /// Looks for the value of `key`, and remembers that it was asked for.
    pub(super) fn look(&self, reader: Reader, key: &str) -> Look<'_> {
        let Some(mut slot) = self.slot(reader) else { return Look::Single };
        let track = &self.tracks[reader.track.0];
        let in_sequence = if slot.expected.is(key) {
            slot.expected.advance();
            if let Some(value) = slot.value_still_on(track) {
                return Look::Found(value);
            }
            true
        } else {
            slot.expected.follow(key);
            slot.begins_sequence(key)
        };
        slot.forget_values();
        match track.quiet_moment() {
            Some(moment) if in_sequence => {
                let next = slot.expected.clone();
                Look::Sequential(Ahead { slot, moment, next, bytes: 0 })
            }
            // Or what is read now may be changed by the write that is under way.
            _ => Look::Single,
        }
    }

    /// The last entry: the one that is remembered, or what `read` finds, which is.
    pub(super) fn last<E>(&self, reader: Reader, read: impl FnOnce() -> Result<LastEntry, E>) -> Result<LastEntry, E> {
        let Some(mut slot) = self.slot(reader) else { return read() };
        let track = &self.tracks[reader.track.0];
        slot.replay = true;
        if let Some((moment, last)) = &slot.last
            && track.is_still(*moment)
        {
            return Ok(last.clone());
        }
        slot.last = None;
        let moment = track.quiet_moment();
        let last = read()?;
        let is_small = last.as_ref().is_none_or(|(key, value)| key.len() + value.len() <= LAST_BYTES);
        slot.last = moment.filter(|_| is_small).map(|moment| (moment, last.clone()));
        Ok(last)
    }

    /// The slot of this reader, `None` if it is in use: it is not worth waiting for.
    fn slot(&self, reader: Reader) -> Option<MutexGuard<'_, Slot>> {
        let mut slot = self.slots[index(reader.id, self.slots.len())].try_lock().ok()?;
        if slot.reader != Some(reader.id) {
            *slot = Slot { reader: Some(reader.id), ..Slot::default() };
        }
        Some(slot)
    }
}

fn index(n: u64, len: usize) -> usize {
    usize::try_from(n % len as u64).unwrap_or(0)
}

impl Track {
    /// Now, if no write is under way.
    fn quiet_moment(&self) -> Option<Moment> {
        // In this order: a write that begins in between makes the two differ.
        let ended = self.ended.load(Ordering::SeqCst);
        let begun = self.begun.load(Ordering::SeqCst);
        (begun == ended).then_some(Moment(begun))
    }

    /// Whether no write has begun since.
    fn is_still(&self, moment: Moment) -> bool {
        self.begun.load(Ordering::SeqCst) == moment.0
    }
}

impl Slot {
    /// Whether `key`, which continues no sequence, begins one: whoever asks for the end of a log and then for an entry
    /// before it wants all that lies between them.
    fn begins_sequence(&mut self, key: &str) -> bool {
        let replay = std::mem::take(&mut self.replay)
            && matches!(&self.last, Some((_, Some((last, _)))) if key.len() == last.len() && key < last.as_str());
        self.window = if replay { REPLAY_WINDOW } else { FIRST_WINDOW };
        replay
    }

    /// The next value, if no write has begun since it was read.
    fn value_still_on(&mut self, track: &Track) -> Option<Vec<u8>> {
        self.moment.is_some_and(|moment| track.is_still(moment)).then(|| self.values.pop_front())?
    }

    fn forget_values(&mut self) {
        self.values.clear();
        self.moment = None;
    }
}

impl Ahead<'_> {
    /// Keeps an entry, its key as stored, if it is the next one in the sequence. Whether there is room for more.
    pub(super) fn keep(&mut self, stored: &[u8], value: &[u8]) -> bool {
        if !self.next.is_stored(stored) {
            return false;
        }
        self.slot.values.push_back(value.to_vec());
        self.next.advance();
        self.bytes += value.len() as u64;
        // The entry that was asked for counts as well.
        self.bytes < SLOT_BYTES && self.slot.values.len() + 1 < self.slot.window
    }

    /// What was kept is good for the calls to come.
    pub(super) fn finish(mut self) {
        self.slot.moment = Some(self.moment);
        self.slot.window = (2 * self.slot.window).min(LAST_WINDOW);
    }
}

/// The key that follows another one: of equally many digits, one higher. There is none after a key that is no number,
/// and after one of nines alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Successor {
    /// Empty if there is none: an empty key follows no other.
    digits: Vec<u8>,
}

impl Successor {
    fn follow(&mut self, key: &str) {
        self.digits.clear();
        if key.bytes().all(|byte| byte.is_ascii_digit()) {
            self.digits.extend_from_slice(key.as_bytes());
            self.advance();
        }
    }

    fn is(&self, key: &str) -> bool {
        self.is_stored(key.as_bytes())
    }

    /// Numbers hold no dot, so they are stored as they are.
    fn is_stored(&self, key: &[u8]) -> bool {
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

    /// A collection with the keys 0 to 99, and how often the database behind it was asked.
    struct Collection {
        ahead: ReadAhead,
        reader: Reader,
        asked: usize,
    }

    fn key(n: u32) -> String {
        format!("{n:020}")
    }

    impl Collection {
        fn new() -> Self {
            let ahead = ReadAhead::new(SLOT_BYTES);
            let reader = ahead.reader(ahead.track("events", b"actor"));
            Self { ahead, reader, asked: 0 }
        }

        fn get(&mut self, n: u32) -> String {
            let value = |n: u32| format!("value {n}");
            match self.ahead.look(self.reader, &key(n)) {
                Look::Found(value) => return String::from_utf8(value).unwrap(),
                Look::Single => {}
                Look::Sequential(mut ahead) => {
                    let mut rest = (n + 1)..100;
                    while rest.next().is_some_and(|n| ahead.keep(key(n).as_bytes(), value(n).as_bytes())) {}
                    ahead.finish();
                }
            }
            self.asked += 1;
            value(n)
        }
    }

    #[test]
    fn keys_in_a_row_are_read_together() {
        let mut collection = Collection::new();
        for n in 0..100 {
            assert_eq!(collection.get(n), format!("value {n}"));
        }
        // The first key alone, then 16, 32 and 64 of them.
        assert_eq!(collection.asked, 4);
    }

    #[test]
    fn keys_that_are_not_in_a_row_are_read_one_by_one() {
        let mut collection = Collection::new();
        for n in (0..100).step_by(2).chain((0..100).rev()) {
            assert_eq!(collection.get(n), format!("value {n}"));
        }
        assert_eq!(collection.asked, 150);
    }

    #[test]
    fn a_write_ends_the_life_of_what_was_read_before_it() {
        let mut collection = Collection::new();
        collection.get(0);
        collection.get(1);
        let track = collection.reader.track;
        collection.ahead.write(track, || {});
        assert!(!matches!(collection.ahead.look(collection.reader, &key(2)), Look::Found(_)));
    }

    #[test]
    fn while_a_write_is_under_way_nothing_is_found_and_nothing_kept() {
        let mut collection = Collection::new();
        collection.get(0);
        collection.get(1);
        let (ahead, reader) = (&collection.ahead, collection.reader);
        ahead.write(reader.track, || {
            assert!(matches!(ahead.look(reader, &key(2)), Look::Single));
            assert!(matches!(ahead.look(reader, &key(3)), Look::Single));
        });
        assert!(matches!(ahead.look(reader, &key(4)), Look::Sequential(_)));
    }

    #[test]
    fn a_write_to_another_collection_disturbs_nobody() {
        let mut collection = Collection::new();
        let own = collection.reader.track;
        let other =
            (0..1000).map(|n: u32| collection.ahead.track("events", &n.to_le_bytes())).find(|track| *track != own);
        collection.get(0);
        collection.get(1);
        collection.ahead.write(other.unwrap(), || {});
        assert!(matches!(collection.ahead.look(collection.reader, &key(2)), Look::Found(_)));
    }

    #[test]
    fn a_slot_that_another_handle_took_over_holds_nothing_of_the_first() {
        let mut collection = Collection::new();
        collection.get(0);
        collection.get(1);
        let other = collection.ahead.reader(collection.reader.track);
        assert!(matches!(collection.ahead.look(other, &key(2)), Look::Single));
        assert!(matches!(collection.ahead.look(collection.reader, &key(2)), Look::Single));
    }

    #[test]
    fn the_last_entry_is_read_once_until_a_write() {
        let Collection { ahead, reader, .. } = Collection::new();
        let read = |value: &str| ahead.last::<()>(reader, || Ok(Some((key(9), value.into())))).unwrap().unwrap().1;
        assert_eq!(read("first"), b"first");
        assert_eq!(read("second"), b"first");
        ahead.write(reader.track, || assert_eq!(read("third"), b"third", "the write may have changed it"));
        assert_eq!(read("fourth"), b"fourth", "the write may have changed it after that");
    }

    #[test]
    fn whoever_asks_for_the_end_first_reads_ahead_from_the_first_key_on() {
        let mut collection = Collection::new();
        let (reader, last) = (collection.reader, Some((key(99), Vec::new())));
        assert_eq!(collection.ahead.last::<()>(reader, || Ok(last.clone())), Ok(last.clone()));
        for n in 50..100 {
            assert_eq!(collection.get(n), format!("value {n}"));
        }
        assert_eq!(collection.asked, 1);
        collection.get(3);
        collection.get(17);
        assert_eq!(collection.asked, 3, "once");
    }

    #[test]
    fn large_values_are_not_piled_up() {
        let collection = Collection::new();
        let (ahead, reader) = (&collection.ahead, collection.reader);
        assert!(matches!(ahead.look(reader, &key(0)), Look::Single));
        let Look::Sequential(mut room) = ahead.look(reader, &key(1)) else { panic!("not in a row") };
        let half = vec![7; 32 * 1024];
        assert!(room.keep(key(2).as_bytes(), &half));
        assert!(!room.keep(key(3).as_bytes(), &half), "full");
    }

    proptest! {
        #[test]
        fn the_successor_is_the_next_number_of_as_many_digits(n in 0_u64..1_000_000) {
            let mut successor = Successor::default();
            successor.follow(&format!("{n:06}"));
            prop_assert_eq!(successor.is(&format!("{:06}", n + 1)), n < 999_999);
        }

        #[test]
        fn what_is_no_number_has_no_successor(key in "[^0-9]*[0-9]*[^0-9]+[0-9]*", other in "[0-9a-z]*") {
            let mut successor = Successor::default();
            successor.follow(&key);
            prop_assert!(!successor.is(&other) && !successor.is("") && !successor.is(&key));
        }
    }
}
