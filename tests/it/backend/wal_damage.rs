//! Write-ahead logs that are truncated, corrupted, zeroed, extended or missing. The database either opens with all
//! writes up to some point in time, which include every write before the damage, or the open fails with the reason. It
//! never opens with a gap.
//!
//! `AVE_DAMAGE=all` tests every bit and byte of the last 4 KiB and more of the rest, which takes minutes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    ops::Range,
    path::{Path, PathBuf},
};

use ave_actors_rocksdb::{RocksDbManager, RocksDbStore};
use ave_actors_store::{
    Error,
    database::{Collection, DbManager},
};
use tempfile::TempDir;

use super::{copy, files, key, scratch, try_open, wait_until};

/// The first two get small writes. The third gets bulk writes, whose flushes start new logs, while the unflushed data
/// of the others keeps the older logs.
const FAMILIES: [&str; 3] = ["one", "two", "bulk"];
const BULK: usize = 2;
const BULK_BYTES: usize = 112_000;
/// Bulk writes that fill a memtable of the machine [`SMALL`](super::SMALL).
const BULK_WRITES_PER_LOG: usize = 72;

fn exhaustive() -> bool {
    std::env::var_os("AVE_DAMAGE").is_some()
}

/// The value of write `n`: its number, and bytes unique to it.
fn value(n: usize, len: usize) -> Vec<u8> {
    let mut bytes = (n as u64).to_le_bytes().to_vec();
    let unique = (n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
    bytes.extend_from_slice(&unique.repeat(len / unique.len()));
    bytes.truncate(len.max(8));
    bytes
}

/// The content of the database: family and key, and the number of the write that wrote the entry.
type Contents = BTreeMap<(usize, String), usize>;

/// Writes to a database. Every write uses one sequence number, so the n-th write has number n in the log.
struct Writer {
    collections: [RocksDbStore; 3],
    manager: RocksDbManager,
    dir: TempDir,
    contents: Contents,
    history: History,
}

/// The number of writes after which the content had a fingerprint.
#[derive(Default)]
struct History {
    writes_by_fingerprint: HashMap<u64, usize>,
    fingerprint: u64,
    writes: usize,
}

/// The exclusive or of the fingerprints of all entries identifies the content of a database.
fn fingerprint(entry: (&(usize, String), &usize)) -> u64 {
    let mut hasher = DefaultHasher::new();
    entry.hash(&mut hasher);
    hasher.finish()
}

impl History {
    fn write(&mut self, changed: u64) {
        self.writes += 1;
        self.fingerprint ^= changed;
        self.writes_by_fingerprint.insert(self.fingerprint, self.writes);
    }

    /// The number of writes after which the content was `contents`.
    fn writes_until(&self, contents: &Contents) -> Option<usize> {
        let fingerprint = contents.iter().map(fingerprint).fold(0, |all, one| all ^ one);
        if fingerprint == 0 { Some(0) } else { self.writes_by_fingerprint.get(&fingerprint).copied() }
    }
}

impl Writer {
    fn new(durability: bool) -> Self {
        let dir = scratch();
        let manager = try_open(&dir.path().join("db"), durability).unwrap();
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

    /// Writes events, deletes some, and overwrites snapshots, alternating between two families.
    fn write_small(&mut self, writes: usize) {
        for _ in 0..writes {
            let n = self.history.writes;
            let family = n % 2;
            let deleted = n.checked_sub(4).filter(|m| n % 7 == 6 && self.contents.contains_key(&(family, key(*m))));
            match deleted {
                Some(m) => self.delete(family, key(m)),
                None if n.is_multiple_of(11) => self.put(family, "snapshot".to_owned(), 20 + n % 300),
                None => self.put(family, key(n), 20 + n % 130),
            }
        }
    }

    fn write_bulk(&mut self, writes: usize) {
        for _ in 0..writes {
            self.put(BULK, key(self.history.writes), BULK_BYTES);
        }
    }

    /// Fills two logs, and waits for the flush of each: a late flush would write the memtables of both.
    fn fill_two_logs(&mut self, tables_before: u64) {
        let newest = |path: &Path| files(path).filter(|name| name.contains(".log")).max();
        for flush in 1..=2 {
            let before = newest(self.manager.path());
            for _ in 0..BULK_WRITES_PER_LOG / 4 {
                self.write_bulk(4);
                self.write_small(2);
            }
            assert_ne!(newest(self.manager.path()), before, "the bulk writes fill a memtable");
            let tables = || self.manager.stats().unwrap().levels.iter().map(|level| level.files).sum::<u64>();
            wait_until("the bulk memtable is flushed", || tables() >= tables_before + flush);
        }
    }

    /// The files that a kill would leave now, with the newest `logs` logs. No write is in progress, so a copy suffices.
    fn killed(self, logs: usize) -> Image {
        let path = self.dir.path().join("image");
        copy(self.manager.path(), &path);
        Image { logs: newest_logs(&path, logs), path, history: self.history, _dir: self.dir }
    }
}

/// The directory of a killed process.
struct Image {
    path: PathBuf,
    /// The logs with unflushed data, oldest first.
    logs: Vec<Log>,
    history: History,
    _dir: TempDir,
}

/// A write-ahead log with at least one write.
struct Log {
    name: String,
    records: Vec<Record>,
    /// Length of the file in bytes. A recycled file has remains of an older log after the last record.
    len: usize,
}

/// One write in a log.
struct Record {
    bytes: Range<usize>,
    /// Total number of writes, this one included.
    writes: usize,
}

impl Log {
    fn end(&self) -> usize {
        self.records.last().unwrap().bytes.end
    }

    /// Total number of writes before this log.
    fn writes_before(&self) -> usize {
        self.records[0].writes - 1
    }

    /// Total number of writes up to the last one that ends at or before `at`.
    fn writes_until(&self, at: usize) -> usize {
        let whole = self.records.iter().take_while(|record| record.bytes.end <= at);
        whole.last().map_or(self.writes_before(), |record| record.writes)
    }

    /// Whether the byte at `at` is padding at the end of a block.
    fn is_filler(&self, at: usize) -> bool {
        at < self.end() && !self.records.iter().any(|record| record.bytes.contains(&at))
    }

    /// `default` positions over the whole log, or more if exhaustive. Deterministic.
    fn sample(&self, default: usize) -> impl Iterator<Item = usize> {
        let count = if exhaustive() { 25 * default } else { default };
        let step = self.end() / count;
        (0..count).map(move |n| n * step + n * 2_654_435_761 % step)
    }

    /// The last `default` positions, or more if exhaustive.
    fn tail(&self, default: usize) -> Range<usize> {
        self.end().saturating_sub(if exhaustive() { 4096 } else { default })..self.end()
    }
}

/// The newest logs. Older files, whose data was flushed, may wait to be recycled.
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
    assert!(logs.windows(2).all(follow), "each log starts where the previous one ends");
    logs
}

/// Block size of a log. A record that does not fit into the rest of a block continues in the next one.
const BLOCK: usize = 32 * 1024;
/// Checksum, length, type and number of the log.
const HEADER: usize = 4 + 2 + 1 + 4;
const FULL: u8 = 5;
const FIRST: u8 = 6;
const LAST: u8 = 8;

/// The records of log `number`, up to its end or to the remains of an older log.
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
            // A write starts with its sequence number.
            let sequence = log[at + HEADER..at + HEADER + 8].try_into().unwrap();
            writes = usize::try_from(u64::from_le_bytes(sequence)).unwrap();
        }
        at += HEADER + len;
        if kind == FULL || kind == LAST {
            records.push(Record { bytes: start..at, writes });
        }
    }
}

/// The result of an open.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// Opened with the content after this many writes.
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

    /// Opens a copy with a damaged log. `what` describes the damage in failures.
    fn with(&self, log: &Log, what: &str, damage: impl FnOnce(&mut Vec<u8>)) -> Outcome {
        self.damaged(&format!("{} {what}", log.name), |copy| rewrite(&copy.join(&log.name), damage))
    }

    fn without(&self, log: &Log) -> Outcome {
        self.damaged(&format!("{} removed", log.name), |copy| fs::remove_file(copy.join(&log.name)).unwrap())
    }

    /// The files in a directory of their own.
    fn copied(&self) -> TempDir {
        let dir = tempfile::tempdir_in(self.path.parent().unwrap()).unwrap();
        for name in files(&self.path) {
            // RocksDB reads, replaces or removes existing files, but never modifies them.
            fs::hard_link(self.path.join(&name), dir.path().join(&name)).unwrap();
        }
        dir
    }

    fn damaged(&self, what: &str, damage: impl FnOnce(&Path)) -> Outcome {
        let dir = self.copied();
        damage(dir.path());
        let outcome = self.open(dir.path(), what);
        if outcome == Refused {
            self.assert_opens_when_restored(dir.path(), what);
        }
        outcome
    }

    fn open(&self, path: &Path, what: &str) -> Outcome {
        match try_open(path, false) {
            Ok(manager) => Opened(self.writes_in(&manager, what)),
            Err(Error::CreateStore { reason }) => {
                assert!(reason.contains("broken") && reason.contains(path.to_str().unwrap()), "{what}: {reason}");
                Refused
            }
            Err(other) => panic!("{what}: not a CreateStore error: {other:?}"),
        }
    }

    /// The number of writes that the database contains.
    fn writes_in(&self, manager: &RocksDbManager, what: &str) -> usize {
        let contents = contents(manager);
        self.history.writes_until(&contents).unwrap_or_else(|| {
            let found: BTreeSet<usize> = contents.into_values().collect();
            panic!("{what}: the database has a gap, it contains the writes {found:?}")
        })
    }

    /// A refused open changes no data: with its original logs, the database opens with all writes.
    fn assert_opens_when_restored(&self, path: &Path, what: &str) {
        for log in &self.logs {
            let _ = fs::remove_file(path.join(&log.name));
            fs::hard_link(self.path.join(&log.name), path.join(&log.name)).unwrap();
        }
        assert_eq!(self.open(path, what), Opened(self.writes()), "{what}, then restored");
    }
}

/// Changes a file. Creates a new one, because the old one is a hard link to the image.
fn rewrite(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

fn contents(manager: &RocksDbManager) -> Contents {
    let mut contents = Contents::new();
    for (family, name) in FAMILIES.into_iter().enumerate() {
        for item in manager.create_collection(name, "actor").unwrap().iter(false).unwrap() {
            let (key, bytes) = item.unwrap();
            let n = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
            assert!(bytes == value(n, bytes.len()), "{name} {key} is not the value of write {n}");
            contents.insert((family, key), n);
        }
    }
    contents
}

/// One log of a few blocks, in a new file.
fn one_log(durability: bool) -> Image {
    let mut writer = Writer::new(durability);
    writer.write_small(250);
    // Longer than two blocks.
    writer.put(0, "large".to_owned(), 70_000);
    writer.write_small(150);
    writer.killed(1)
}

/// The newest log is in a recycled file, with records of an older log after its end.
fn a_recycled_log() -> Image {
    let mut writer = Writer::new(false);
    // The order in which flushes end determines which file is recycled, and its length.
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
    panic!("no log is in a longer recycled file");
}

/// Three logs, the older two closed. The bulk writes are flushed, the others are not.
fn several_logs(durability: bool, recycled: bool) -> Image {
    let mut writer = Writer::new(durability);
    let mut flushes = 0;
    if recycled {
        // To the other families, so that no family has enough tables for a compaction, which would change the files.
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

/// Like [`several_logs`], killed before the flushes ended: the manifest does not contain their tables.
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
fn undamaged_logs_are_replayed_completely() {
    let images = [one_log(true), one_log(false), a_recycled_log(), several_logs(true, true), several_unflushed_logs()];
    for image in images {
        assert_eq!(image.damaged("undamaged", |_| ()), Opened(image.writes()));
    }
}

/// Opens a copy with a damaged log. Returns the number of writes in it, the skipped bytes, and the bytes of the kept logs.
fn opened_with(image: &Image, log: &Log, damage: impl FnOnce(&mut Vec<u8>)) -> (usize, u64, Vec<Vec<u8>>) {
    let dir = image.copied();
    rewrite(&dir.path().join(&log.name), damage);
    let manager = try_open(dir.path(), false).unwrap();
    let read = |logs: &Path| files(logs).map(|name| fs::read(logs.join(name)).unwrap()).collect();
    let kept = manager.lost_logs().map(read).unwrap_or_default();
    assert!(!dir.path().join("unread-logs").exists());
    (image.writes_in(&manager, &log.name), manager.unreadable_log_bytes(), kept)
}

/// RocksDB takes a record with another log number for the remains of an older log, and reports nothing.
#[test]
fn writes_after_a_damaged_log_number_are_counted_and_their_log_is_kept() {
    let image = one_log(true);
    let log = image.newest();
    let damaged = &log.records[log.records.len() / 2];
    for at in 7..HEADER {
        let mut written = Vec::new();
        let (writes, skipped, kept) = opened_with(&image, log, |bytes| {
            bytes[damaged.bytes.start + at] ^= 1;
            written.clone_from(bytes);
        });
        assert_eq!(writes, damaged.writes - 1);
        let later = log.records.iter().filter(|record| record.writes > damaged.writes);
        let later: usize = later.map(|record| record.bytes.len() - HEADER).sum();
        // The long write has a header per block, the first of which `later` leaves out.
        assert!((later as u64).abs_diff(skipped) <= 3 * HEADER as u64, "{skipped} of {later} bytes");
        assert_eq!(kept, [written]);
    }
}

#[test]
fn a_damaged_older_log_keeps_all_logs_with_lost_writes() {
    let image = several_unflushed_logs();
    let oldest = &image.logs[0];
    let middle = oldest.records[oldest.records.len() / 2].bytes.start;
    let (_, skipped, kept) = opened_with(&image, oldest, |bytes| bytes[middle + HEADER + 12] ^= 1);
    assert_eq!(kept.len(), image.logs.len());
    assert!(skipped > oldest.len as u64 / 3, "{skipped} bytes");
}

/// The last write was in progress when the power failed.
#[test]
fn an_incomplete_last_write_is_no_loss() {
    let image = one_log(false);
    let log = image.newest();
    for cut in [log.len, log.end() - 1, log.records[log.records.len() - 1].bytes.start + 3] {
        let (writes, _, kept) = opened_with(&image, log, |bytes| bytes.truncate(cut));
        assert_eq!((writes, kept), (log.writes_until(cut), Vec::<Vec<u8>>::new()), "cut at {cut}");
    }
}

/// Truncates the newest log at every byte of its tail and at many positions before it.
fn truncate_anywhere(image: &Image) {
    let log = image.newest();
    let boundaries = log.records.iter().rev().take(15).flat_map(|record| record.bytes.end - 1..=record.bytes.end + 1);
    let cuts = log.tail(80).chain(boundaries).chain(log.sample(40)).chain([0, log.end(), log.len]);
    for cut in cuts.filter(|cut| *cut <= log.len) {
        let outcome = image.with(log, &format!("cut at {cut}"), |bytes| bytes.truncate(cut));
        assert_eq!(outcome, Opened(log.writes_until(cut)), "{} cut at {cut}", log.name);
    }
}

#[test]
fn a_truncated_log_keeps_every_complete_write() {
    truncate_anywhere(&one_log(true));
}

#[test]
fn a_truncated_recycled_log_keeps_every_complete_write() {
    truncate_anywhere(&a_recycled_log());
}

/// Flips every bit of the newest log's tail, many before it, and some of the remains of an older log.
fn flip_anywhere(image: &Image) {
    let log = image.newest();
    let everywhere = log.sample(80).enumerate().map(|(n, at)| (at, n % 8));
    let tail = log.tail(12).flat_map(|at| (0..8).map(move |bit| (at, bit)));
    let remains = (log.end()..log.len).take(12).flat_map(|at| [(at, at % 8), (at, (at + 3) % 8)]);
    for (at, bit) in everywhere.chain(tail).chain(remains) {
        let outcome = image.with(log, &format!("flipped at {at}, bit {bit}"), |bytes| bytes[at] ^= 1 << bit);
        let expected = log.writes_until(at);
        // RocksDB may or may not check padding.
        let expected = if log.is_filler(at) { [expected, image.writes()] } else { [expected; 2] };
        assert!(expected.map(Opened).contains(&outcome), "{} flipped at {at}, bit {bit}: {outcome:?}", log.name);
    }
}

#[test]
fn a_flipped_bit_loses_its_write_and_later_ones() {
    flip_anywhere(&one_log(false));
}

#[test]
fn a_flipped_bit_in_a_recycled_log_loses_its_write_and_later_ones() {
    flip_anywhere(&a_recycled_log());
}

#[test]
fn zeros_lose_the_write_they_start_in_and_later_ones() {
    for image in [one_log(false), a_recycled_log()] {
        let log = image.newest();
        for start in log.sample(20) {
            for len in [16, 4096, log.len] {
                let zeros = start..log.len.min(start + len);
                // The others are tested below.
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

/// A power cut can leave them: a page that was not written yet.
#[test]
fn zeros_between_two_writes_lose_later_ones() {
    for image in [one_log(false), a_recycled_log()] {
        let log = image.newest();
        for record in log.records.iter().step_by(11) {
            let start = record.bytes.end;
            for end in [start.next_multiple_of(BLOCK), start + 4096, start + 2 * BLOCK] {
                let zeros = start..end.min(log.len);
                let outcome = image.with(log, &format!("zeros in {zeros:?}"), |bytes| bytes[zeros.clone()].fill(0));
                assert_eq!(outcome, Opened(log.writes_until(start)), "zeros in {zeros:?}");
            }
        }
    }
}

#[test]
fn data_after_the_end_of_a_log_is_not_replayed() {
    for image in [one_log(false), several_logs(false, true)] {
        for log in &image.logs {
            let end = log.end();
            for garbage in [vec![0; 5000], vec![0xFF; 5000], value(1, 50_000), value(2, 3)] {
                let outcome = image.with(log, "garbage appended", |bytes| bytes.extend_from_slice(&garbage));
                assert_eq!(outcome, Opened(image.writes()), "{:?}… after {}", &garbage[..3], log.name);
            }
            let last = log.records.last().unwrap().bytes.clone();
            for part in [last, end - 100..end, 0..end, end - end % BLOCK..end] {
                let outcome =
                    image.with(log, "a part of itself appended", |bytes| bytes.extend_from_within(part.clone()));
                assert!(
                    [Opened(image.writes()), Refused].contains(&outcome),
                    "{part:?} of {} repeated: {outcome:?}",
                    log.name
                );
            }
        }
    }
}

#[test]
fn a_missing_newest_log_loses_its_writes() {
    for image in [one_log(true), a_recycled_log(), several_logs(true, false), several_logs(false, true)] {
        let log = image.newest();
        assert_eq!(image.without(log), Opened(log.writes_before()));
    }
}

#[test]
fn a_missing_or_truncated_older_log_is_refused() {
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
fn a_damaged_older_log_is_refused_if_newer_writes_were_flushed() {
    let image = several_logs(false, true);
    for log in image.older() {
        for at in log.sample(8) {
            let outcome = image.with(log, &format!("flipped at {at}"), |bytes| bytes[at] ^= 1);
            assert_eq!(outcome, Refused, "{} flipped at {at}", log.name);
        }
    }
}

#[test]
fn a_damaged_older_log_loses_later_writes_of_all_logs_if_none_were_flushed() {
    let image = several_unflushed_logs();
    for log in &image.logs {
        // Between two writes, before the log was synced.
        for at in log.records.iter().step_by(7).map(|record| record.bytes.end) {
            let cut = image.with(log, &format!("cut at {at}"), |bytes| bytes.truncate(at));
            assert_eq!(cut, Opened(log.writes_until(at)), "{} cut at {at}", log.name);
        }
        for at in log.sample(9) {
            let flipped = image.with(log, &format!("flipped at {at}"), |bytes| bytes[at] ^= 1);
            assert_eq!(flipped, Opened(log.writes_until(at)), "{} flipped at {at}", log.name);
            let cut = image.with(log, &format!("cut at {at}"), |bytes| bytes.truncate(at));
            assert_eq!(cut, Opened(log.writes_until(at)), "{} cut at {at}", log.name);
        }
    }
}

/// The log has valid writes after the damage, which the first open skips.
#[test]
fn skipped_writes_do_not_reappear_after_new_writes() {
    for image in [one_log(false), a_recycled_log(), several_unflushed_logs()] {
        let log = &image.logs[0];
        let at = log.end() / 2;
        let [damaged, killed_again] = ["damaged", "killed_again"].map(|name| image.path.with_file_name(name));
        copy(&image.path, &damaged);
        let mut bytes = fs::read(damaged.join(&log.name)).unwrap();
        bytes[at] ^= 1;
        fs::write(damaged.join(&log.name), bytes).unwrap();

        let manager = try_open(&damaged, true).unwrap();
        assert_eq!(image.writes_in(&manager, "damaged"), log.writes_until(at));
        let mut later = manager.create_collection("later", "actor").unwrap();
        let events = (0..50).map(|n| (key(n), value(n, 100)));
        for (key, value) in events.clone() {
            Collection::put(&mut later, &key, &value).unwrap();
        }
        copy(&damaged, &killed_again);

        let manager = try_open(&killed_again, true).unwrap();
        assert_eq!(image.writes_in(&manager, "killed again"), log.writes_until(at));
        let later = manager.create_collection("later", "actor").unwrap();
        assert!(later.iter(false).unwrap().map(Result::unwrap).eq(events));
    }
}
