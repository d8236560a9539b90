//! A write-ahead log that is cut, flipped, zeroed, doubled or gone: the database opens with what was written up to some
//! moment, which includes everything that lies before the damage, or it refuses and says why. Never with a hole.
//!
//! Two damages look to RocksDB like the regular end of a log, and are left out:
//!
//! * Zeros that begin exactly between two writes and are followed by a block that begins with a new write, or by a newer
//!   log (`kZeroType` in RocksDB's `log_reader.cc`).
//! * An older log that ends exactly between two writes, or is gone, before it has been synced. That takes a loss of power
//!   without durability, and a file system that keeps a newer file and loses an older one.
//!
//! `AVE_DAMAGE=all` tries every bit and byte of the last 4 KiB and more of the rest: minutes instead of seconds.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    ops::Range,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use ave_actors_rocksdb::{RocksDbManager, RocksDbStore};
use ave_actors_store::{
    Error,
    database::{Collection, DbManager},
};
use tempfile::TempDir;

use super::{SMALL, copy, files, scratch};

/// Small writes go to the first two. The third is written in bulk: it fills its memtable, is flushed, and so makes log
/// follow log, while what the others hold keeps the older logs alive.
const FAMILIES: [&str; 3] = ["one", "two", "bulk"];
const BULK: usize = 2;
const BULK_BYTES: usize = 112_000;
/// So many bulk writes fill a memtable of the machine [`SMALL`].
const BULK_WRITES_PER_LOG: usize = 72;

fn exhaustive() -> bool {
    std::env::var_os("AVE_DAMAGE").is_some()
}

/// What write `n` puts: its number, and bytes that no other write has.
fn value(n: usize, len: usize) -> Vec<u8> {
    let mut bytes = (n as u64).to_le_bytes().to_vec();
    let own = (n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
    bytes.extend_from_slice(&own.repeat(len / own.len()));
    bytes.truncate(len.max(8));
    bytes
}

/// What is in the database: family and key, and which write put it there.
type Contents = BTreeMap<(usize, String), usize>;

/// A database that is being written to. Every write takes one sequence number, so the n-th write is number n in the log.
struct Writer {
    collections: [RocksDbStore; 3],
    manager: RocksDbManager,
    dir: TempDir,
    contents: Contents,
    history: History,
}

/// After how many writes the contents were what they were, by their fingerprint.
#[derive(Default)]
struct History {
    moments: HashMap<u64, usize>,
    fingerprint: u64,
    writes: usize,
}

/// Combined by exclusive or, it says what is in a database, and changes with each entry that comes or goes.
fn fingerprint(entry: (&(usize, String), &usize)) -> u64 {
    let mut hasher = DefaultHasher::new();
    entry.hash(&mut hasher);
    hasher.finish()
}

impl History {
    fn write(&mut self, changed: u64) {
        self.writes += 1;
        self.fingerprint ^= changed;
        self.moments.insert(self.fingerprint, self.writes);
    }

    /// After how many writes the contents were these.
    fn moment(&self, contents: &Contents) -> Option<usize> {
        let fingerprint = contents.iter().map(fingerprint).fold(0, |all, one| all ^ one);
        if fingerprint == 0 { Some(0) } else { self.moments.get(&fingerprint).copied() }
    }
}

impl Writer {
    fn new(durability: bool) -> Self {
        let dir = scratch();
        let manager = open(&dir.path().join("db"), durability).unwrap();
        let collections = FAMILIES.map(|family| manager.create_collection(family, "actor").unwrap());
        Self { collections, manager, dir, contents: Contents::new(), history: History::default() }
    }

    fn put(&mut self, family: usize, key: String, len: usize) {
        let n = self.history.writes;
        Collection::put(&mut self.collections[family], &key, &value(n, len)).unwrap();
        let key = (family, key);
        let replaced = self.contents.get(&key).map_or(0, |old| fingerprint((&key, old)));
        self.history.write(replaced ^ fingerprint((&key, &n)));
        self.contents.insert(key, n);
    }

    fn delete(&mut self, family: usize, key: String) {
        Collection::del(&mut self.collections[family], &key).unwrap();
        let key = (family, key);
        let deleted = self.contents.remove(&key).unwrap();
        self.history.write(fingerprint((&key, &deleted)));
    }

    /// Events, now and then one that is deleted again and a snapshot that is overwritten, alternating between families.
    fn write_small(&mut self, writes: usize) {
        for _ in 0..writes {
            let n = self.history.writes;
            let family = n % 2;
            let event = |n: usize| format!("{n:020}");
            let deleted = n.checked_sub(4).filter(|m| n % 7 == 6 && self.contents.contains_key(&(family, event(*m))));
            match deleted {
                Some(m) => self.delete(family, event(m)),
                None if n.is_multiple_of(11) => self.put(family, "snapshot".to_owned(), 20 + n % 300),
                None => self.put(family, event(n), 20 + n % 130),
            }
        }
    }

    fn write_bulk(&mut self, writes: usize) {
        for _ in 0..writes {
            self.put(BULK, format!("{:020}", self.history.writes), BULK_BYTES);
        }
    }

    /// Two logs, one flush for each: a flush that came late would take the memtables of both.
    fn fill_two_logs(&mut self, tables_before: u64) {
        let newest = |path: &Path| files(path).filter(|name| name.contains(".log")).max();
        for flush in 1..=2 {
            let before = newest(self.manager.path());
            for _ in 0..BULK_WRITES_PER_LOG / 4 {
                self.write_bulk(4);
                self.write_small(2);
            }
            assert_ne!(newest(self.manager.path()), before, "so many bulk writes fill a memtable");
            let tables = || self.manager.stats().unwrap().levels.iter().map(|level| level.files).sum::<u64>();
            while tables() < tables_before + flush {
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    /// What is on the disk if the process dies now, with so many logs that hold what was not flushed. Nothing is being
    /// written, so a copy is as good as a kill.
    fn killed(self, logs: usize) -> Image {
        let path = self.dir.path().join("image");
        copy(self.manager.path(), &path);
        Image { logs: newest_logs(&path, logs), path, history: self.history, _dir: self.dir }
    }
}

fn open(path: &Path, durability: bool) -> Result<RocksDbManager, Error> {
    RocksDbManager::new(&path.to_path_buf(), durability, Some(SMALL))
}

/// A directory as a killed process left it.
struct Image {
    path: PathBuf,
    /// Those that hold what was not flushed, in the order they were written.
    logs: Vec<Log>,
    history: History,
    _dir: TempDir,
}

/// A write-ahead log with at least one write.
struct Log {
    name: String,
    records: Vec<Record>,
    /// Of the file: behind the last record there may be what an older log left there.
    len: usize,
}

/// One write in a log.
struct Record {
    bytes: Range<usize>,
    /// How many writes there have been with this one.
    writes: usize,
}

impl Log {
    fn end(&self) -> usize {
        self.records.last().unwrap().bytes.end
    }

    /// How many writes there have been before this log.
    fn writes_before(&self) -> usize {
        self.records[0].writes - 1
    }

    /// How many writes there have been with the last one that ends at or before `at`.
    fn writes_until(&self, at: usize) -> usize {
        let whole = self.records.iter().take_while(|record| record.bytes.end <= at);
        whole.last().map_or(self.writes_before(), |record| record.writes)
    }

    /// Whether there is nothing at `at` but what fills up a block.
    fn is_filler(&self, at: usize) -> bool {
        at < self.end() && !self.records.iter().any(|record| record.bytes.contains(&at))
    }

    /// So many positions all over the log, the same ones each time.
    fn sample(&self, default: usize) -> impl Iterator<Item = usize> {
        let count = if exhaustive() { 25 * default } else { default };
        let step = self.end() / count;
        (0..count).map(move |n| n * step + n * 2_654_435_761 % step)
    }

    /// Positions where the log is looked at closely: its last `default` bytes, or more.
    fn tail(&self, default: usize) -> Range<usize> {
        self.end().saturating_sub(if exhaustive() { 4096 } else { default })..self.end()
    }
}

/// The newest logs. Older ones may be there, waiting to be written over; what they hold was flushed.
fn newest_logs(dir: &Path, count: usize) -> Vec<Log> {
    let numbers = files(dir).filter_map(|name| name.strip_suffix(".log")?.parse().ok());
    let logs = numbers.collect::<BTreeSet<u32>>().into_iter().map(|number| {
        let name = format!("{number:06}.log");
        let bytes = fs::read(dir.join(&name)).unwrap();
        Log { records: records(&bytes, number), len: bytes.len(), name }
    });
    let mut logs: Vec<Log> = logs.filter(|log| !log.records.is_empty()).collect();
    logs.drain(..logs.len() - count);
    let follow = |pair: &[Log]| pair[0].writes_until(usize::MAX) == pair[1].writes_before();
    assert!(logs.windows(2).all(follow), "each log begins where the one before it ends");
    logs
}

/// The blocks that a log is made of. A record that does not fit into the rest of a block goes on in the next one.
const BLOCK: usize = 32 * 1024;
/// Checksum, length, type and number of the log.
const HEADER: usize = 4 + 2 + 1 + 4;
const FULL: u8 = 5;
const FIRST: u8 = 6;
const LAST: u8 = 8;

/// The records that log `number` holds, up to where it ends or to what an older log has left.
fn records(log: &[u8], number: u32) -> Vec<Record> {
    let mut records = Vec::new();
    let (mut at, mut start, mut writes) = (0, 0, 0);
    loop {
        if BLOCK - at % BLOCK < HEADER {
            at = at.next_multiple_of(BLOCK);
        }
        let Some(header) = log.get(at..at + HEADER) else { return records };
        let len = usize::from(u16::from_le_bytes([header[4], header[5]]));
        let kind = header[6];
        if !(FULL..=LAST).contains(&kind) || header[7..] != number.to_le_bytes() {
            return records;
        }
        if kind == FULL || kind == FIRST {
            start = at;
            // A write begins with its sequence number.
            let sequence = log[at + HEADER..at + HEADER + 8].try_into().unwrap();
            writes = usize::try_from(u64::from_le_bytes(sequence)).unwrap();
        }
        at += HEADER + len;
        if kind == FULL || kind == LAST {
            records.push(Record { bytes: start..at, writes });
        }
    }
}

/// How an opening ended.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// With what was there after so many writes.
    Opened(usize),
    Refused,
}
use Outcome::{Opened, Refused};

impl Image {
    fn newest(&self) -> &Log {
        self.logs.last().unwrap()
    }

    fn older(&self) -> &[Log] {
        &self.logs[..self.logs.len() - 1]
    }

    fn writes(&self) -> usize {
        self.history.writes
    }

    /// Opens a copy in which a log is damaged. `what` says how, for when it goes wrong.
    fn with(&self, log: &Log, what: &str, damage: impl FnOnce(&mut Vec<u8>)) -> Outcome {
        self.damaged(&format!("{} {what}", log.name), |copy| {
            let path = copy.join(&log.name);
            let mut bytes = fs::read(&path).unwrap();
            damage(&mut bytes);
            // A new file: the old one is the image's own.
            fs::remove_file(&path).unwrap();
            fs::write(&path, bytes).unwrap();
        })
    }

    fn without(&self, log: &Log) -> Outcome {
        self.damaged(&format!("{} removed", log.name), |copy| fs::remove_file(copy.join(&log.name)).unwrap())
    }

    fn damaged(&self, what: &str, damage: impl FnOnce(&Path)) -> Outcome {
        let dir = tempfile::tempdir_in(self.path.parent().unwrap()).unwrap();
        for name in files(&self.path) {
            // Files that are there already are read, replaced or removed by RocksDB, never changed.
            fs::hard_link(self.path.join(&name), dir.path().join(&name)).unwrap();
        }
        damage(dir.path());
        let outcome = self.opening(dir.path(), what);
        if outcome == Refused {
            self.opens_when_mended(dir.path(), what);
        }
        outcome
    }

    fn opening(&self, path: &Path, what: &str) -> Outcome {
        match open(path, false) {
            Ok(manager) => Opened(self.moment(&manager, what)),
            Err(Error::CreateStore { reason }) => {
                assert!(reason.contains("broken") && reason.contains(path.to_str().unwrap()), "{what}: {reason}");
                Refused
            }
            Err(other) => panic!("{what}: not a CreateStore error: {other:?}"),
        }
    }

    /// After how many writes the contents were what they are.
    fn moment(&self, manager: &RocksDbManager, what: &str) -> usize {
        let contents = contents(manager);
        self.history.moment(&contents).unwrap_or_else(|| {
            let found: BTreeSet<usize> = contents.into_values().collect();
            panic!("{what}: never were these the contents, there is a hole: {found:?}")
        })
    }

    /// A refusal has changed nothing: with the logs that were there, everything is.
    fn opens_when_mended(&self, path: &Path, what: &str) {
        for log in &self.logs {
            let _ = fs::remove_file(path.join(&log.name));
            fs::hard_link(self.path.join(&log.name), path.join(&log.name)).unwrap();
        }
        assert_eq!(self.opening(path, what), Opened(self.writes()), "{what}, then mended");
    }
}

fn contents(manager: &RocksDbManager) -> Contents {
    let mut contents = Contents::new();
    for (family, name) in FAMILIES.into_iter().enumerate() {
        for item in manager.create_collection(name, "actor").unwrap().iter(false).unwrap() {
            let (key, bytes) = item.unwrap();
            let n = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
            assert!(bytes == value(n, bytes.len()), "{name} {key} is not what write {n} put there");
            contents.insert((family, key), n);
        }
    }
    contents
}

/// One log, of a few blocks, in a file that has never been another one.
fn one_log(durability: bool) -> Image {
    let mut writer = Writer::new(durability);
    writer.write_small(250);
    // Longer than two blocks.
    writer.put(0, "large".to_owned(), 70_000);
    writer.write_small(150);
    writer.killed(1)
}

/// The newest log lies in a file that was an older log before, and whose records go on behind its end.
fn a_recycled_log() -> Image {
    let mut writer = Writer::new(false);
    // Which file is used again, and how long it is, depends on which flush ends first.
    for _ in 0..10 {
        for _ in 0..3 {
            writer.write_small(400);
            writer.manager.stop().unwrap();
        }
        writer.write_small(150);
        let newest = &newest_logs(writer.manager.path(), 1)[0];
        if newest.len > newest.end() + 1000 {
            return writer.killed(1);
        }
    }
    panic!("no log that is longer than what was written to it last");
}

/// Three logs, of which bulk writes have been flushed and others not; the older two are closed.
fn several_logs(durability: bool, recycled: bool) -> Image {
    let mut writer = Writer::new(durability);
    let mut flushes = 0;
    if recycled {
        // To other families: a fourth table of one would start a compaction, and files would come and go.
        for family in 0..2 {
            for n in 0..BULK_WRITES_PER_LOG / 2 {
                writer.put(family, format!("large-{n}"), BULK_BYTES);
            }
            writer.manager.stop().unwrap();
            flushes += 1;
        }
    }
    writer.fill_two_logs(flushes);
    writer.write_small(30);
    writer.killed(3)
}

/// Like [`several_logs`], killed before the flushes were over: the tables are there, but the manifest does not know.
fn several_unflushed_logs() -> Image {
    let mut writer = Writer::new(false);
    let early = writer.dir.path().join("early");
    copy(writer.manager.path(), &early);
    writer.fill_two_logs(0);
    writer.write_small(30);
    let image = writer.killed(3);
    let manifest = fs::read_to_string(early.join("CURRENT")).unwrap();
    fs::copy(early.join(manifest.trim_end()), image.path.join(manifest.trim_end())).unwrap();
    image
}

#[test]
fn an_undamaged_log_is_replayed_whole() {
    let images = [one_log(true), one_log(false), a_recycled_log(), several_logs(true, true), several_unflushed_logs()];
    for image in images {
        assert_eq!(image.damaged("undamaged", |_| ()), Opened(image.writes()));
    }
}

/// Cuts the newest log at every byte of its tail and at many before it.
fn cut_anywhere(image: &Image) {
    let log = image.newest();
    let boundaries = log.records.iter().rev().take(15).flat_map(|record| record.bytes.end - 1..=record.bytes.end + 1);
    let cuts = log.tail(80).chain(boundaries).chain(log.sample(40)).chain([0, log.end(), log.len]);
    for cut in cuts.filter(|cut| *cut <= log.len) {
        let outcome = image.with(log, &format!("cut at {cut}"), |bytes| bytes.truncate(cut));
        assert_eq!(outcome, Opened(log.writes_until(cut)), "{} cut at {cut}", log.name);
    }
}

#[test]
fn a_log_that_was_cut_anywhere_holds_every_write_that_is_left_whole() {
    cut_anywhere(&one_log(true));
}

#[test]
fn a_recycled_log_that_was_cut_anywhere_holds_every_write_that_is_left_whole() {
    cut_anywhere(&a_recycled_log());
}

/// Flips every bit of the newest log's tail and many before it, and of what an older log left behind its end.
fn flip_anywhere(image: &Image) {
    let log = image.newest();
    let everywhere = log.sample(80).enumerate().map(|(n, at)| (at, n % 8));
    let tail = log.tail(12).flat_map(|at| (0..8).map(move |bit| (at, bit)));
    let behind = (log.end()..log.len).take(12).flat_map(|at| [(at, at % 8), (at, (at + 3) % 8)]);
    for (at, bit) in everywhere.chain(tail).chain(behind) {
        let outcome = image.with(log, &format!("flipped at {at}, bit {bit}"), |bytes| bytes[at] ^= 1 << bit);
        let expected = log.writes_until(at);
        // What fills up a block may be looked at or not.
        let expected = if log.is_filler(at) { [expected, image.writes()] } else { [expected; 2] };
        assert!(expected.map(Opened).contains(&outcome), "{} flipped at {at}, bit {bit}: {outcome:?}", log.name);
    }
}

#[test]
fn a_flipped_bit_costs_the_write_it_is_in_and_those_after_it() {
    flip_anywhere(&one_log(false));
}

#[test]
fn a_flipped_bit_in_a_recycled_log_costs_the_write_it_is_in_and_those_after_it() {
    flip_anywhere(&a_recycled_log());
}

#[test]
fn zeros_cost_the_write_they_begin_in_and_those_after_it() {
    for image in [one_log(false), a_recycled_log()] {
        let log = image.newest();
        for start in log.sample(20) {
            for len in [16, 4096, log.len] {
                let zeros = start..log.len.min(start + len);
                // See the top of this file.
                let in_a_write =
                    log.records.iter().any(|record| (record.bytes.start + HEADER..record.bytes.end).contains(&start));
                if in_a_write || zeros.end == log.len {
                    let outcome = image.with(log, &format!("zeros in {zeros:?}"), |bytes| bytes[zeros.clone()].fill(0));
                    assert_eq!(outcome, Opened(log.writes_until(start)), "{} zeros in {zeros:?}", log.name);
                }
            }
        }
    }
}

#[test]
fn what_lies_behind_the_end_of_a_log_is_no_write() {
    for image in [one_log(false), several_logs(false, true)] {
        for log in &image.logs {
            let end = log.end();
            for garbage in [vec![0; 5000], vec![0xFF; 5000], value(1, 50_000), value(2, 3)] {
                let outcome = image.with(log, "garbage behind it", |bytes| bytes.extend_from_slice(&garbage));
                assert_eq!(outcome, Opened(image.writes()), "{:?}… behind {}", &garbage[..3], log.name);
            }
            let last = log.records.last().unwrap().bytes.clone();
            for part in [last, end - 100..end, 0..end, end - end % BLOCK..end] {
                let outcome =
                    image.with(log, "a part of itself behind it", |bytes| bytes.extend_from_within(part.clone()));
                assert!(
                    [Opened(image.writes()), Refused].contains(&outcome),
                    "{part:?} of {} doubled: {outcome:?}",
                    log.name
                );
            }
        }
    }
}

#[test]
fn a_newest_log_that_is_gone_costs_what_was_in_it() {
    for image in [one_log(true), a_recycled_log(), several_logs(true, false), several_logs(false, true)] {
        let log = image.newest();
        assert_eq!(image.without(log), Opened(log.writes_before()));
    }
}

/// What would leave a hole is refused, and mended by putting back what is missing.
#[test]
fn an_older_log_that_is_gone_or_shorter_is_refused() {
    for (durability, recycled) in [(true, true), (true, false), (false, true), (false, false)] {
        let image = several_logs(durability, recycled);
        for log in image.older() {
            assert_eq!(image.without(log), Refused, "{} removed", log.name);
            let middle = log.records[log.records.len() / 2].bytes.clone();
            let last = log.records.last().unwrap().bytes.start;
            for cut in [0, middle.start, middle.start + 5, middle.end - 1, last, log.end() - 1] {
                let outcome = image.with(log, "cut", |bytes| bytes.truncate(cut));
                assert_eq!(outcome, Refused, "{} cut at {cut}", log.name);
            }
        }
    }
}

#[test]
fn a_damaged_older_log_is_refused_if_newer_writes_have_been_flushed() {
    let image = several_logs(false, true);
    for log in image.older() {
        for at in log.sample(8) {
            let outcome = image.with(log, &format!("flipped at {at}"), |bytes| bytes[at] ^= 1);
            assert_eq!(outcome, Refused, "{} flipped at {at}", log.name);
        }
    }
}

#[test]
fn a_damaged_older_log_costs_what_follows_in_newer_ones_too_if_nothing_has_been_flushed() {
    let image = several_unflushed_logs();
    for log in &image.logs {
        // Not between two writes, see the top of this file.
        for at in log.sample(9).skip(1) {
            let flipped = image.with(log, &format!("flipped at {at}"), |bytes| bytes[at] ^= 1);
            assert_eq!(flipped, Opened(log.writes_until(at)), "{} flipped at {at}", log.name);
            let cut = image.with(log, &format!("cut at {at}"), |bytes| bytes.truncate(at));
            assert_eq!(cut, Opened(log.writes_until(at)), "{} cut at {at}", log.name);
        }
    }
}

/// Valid writes lie behind the damage. They were lost once, and do not come back.
#[test]
fn new_writes_follow_what_was_left_and_nothing_comes_back() {
    for image in [one_log(false), a_recycled_log(), several_unflushed_logs()] {
        let log = &image.logs[0];
        let at = log.end() / 2;
        let [damaged, killed_again] = ["damaged", "killed_again"].map(|name| image.path.with_file_name(name));
        copy(&image.path, &damaged);
        let mut bytes = fs::read(damaged.join(&log.name)).unwrap();
        bytes[at] ^= 1;
        fs::write(damaged.join(&log.name), bytes).unwrap();

        let manager = open(&damaged, true).unwrap();
        assert_eq!(image.moment(&manager, "damaged"), log.writes_until(at));
        let mut later = manager.create_collection("later", "actor").unwrap();
        let events = (0..50).map(|n| (format!("{n:020}"), value(n, 100)));
        for (key, value) in events.clone() {
            Collection::put(&mut later, &key, &value).unwrap();
        }
        copy(&damaged, &killed_again);

        let manager = open(&killed_again, true).unwrap();
        assert_eq!(image.moment(&manager, "killed again"), log.writes_until(at));
        let later = manager.create_collection("later", "actor").unwrap();
        assert!(later.iter(false).unwrap().map(Result::unwrap).eq(events));
    }
}
