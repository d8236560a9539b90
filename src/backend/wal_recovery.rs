//! Finds acknowledged writes that recovery did not apply, and keeps the write-ahead logs that contain them.
//!
//! Recovery applies everything before the first damaged record and nothing after it. After a power loss that is
//! expected: the write in progress is incomplete. In any other case it is data loss, and RocksDB reports it in its own
//! log file only, or not at all: it takes a record with a damaged log number for the remains of an older log. It also
//! deletes the logs. So before an opening the logs are hard-linked, and afterwards the numbers of the writes in them are
//! compared with the last one that was recovered. Damage that RocksDB would misread is cut off before the opening.

use crate::files::sync_directory;
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// RocksDB's own log. Each open starts a new file of this name.
const LOG: &str = "LOG";
/// The directory of the links, in the directory of the database.
const KEPT: &str = "unread-logs";

/// Hard links to the logs of a database. An opening that was interrupted leaves them to the next one.
pub(super) struct KeptLogs {
    directory: PathBuf,
    logs: Vec<PathBuf>,
}

impl KeptLogs {
    /// Links all logs that contain something. Costs nothing after a clean stop, which leaves empty logs.
    pub(super) fn link(database: &Path) -> io::Result<Self> {
        let directory = database.join(KEPT);
        for log in logs_in(database)? {
            fs::create_dir_all(&directory)?;
            let link = directory.join(log.file_name().unwrap_or_default());
            if link.exists() {
                // Of an opening that failed. The log may have been restored since.
                fs::remove_file(&link)?;
            }
            fs::hard_link(&log, link)?;
        }
        let logs = if directory.is_dir() { logs_in(&directory)? } else { Vec::new() };
        Ok(Self { directory, logs })
    }

    /// Bytes of the complete writes in the logs whose sequence numbers are above `recovered`, the last that RocksDB has
    /// applied.
    pub(super) fn lost_bytes(&self, recovered: u64) -> io::Result<u64> {
        self.logs.iter().map(|log| lost_bytes(log, recovered)).sum()
    }

    /// Moves the logs to a directory of their own, and returns it.
    pub(super) fn keep(self) -> io::Result<PathBuf> {
        let first = self.logs.first().and_then(|log| log.file_stem()).unwrap_or_default().to_string_lossy();
        let directory = self.directory.with_file_name(format!("lost-logs-{first}"));
        fs::rename(&self.directory, &directory)?;
        Ok(directory)
    }

    /// Removes the links whose logs the database still has, and restores logs that were cut: it was not opened.
    pub(super) fn undo(self) -> io::Result<()> {
        let database = self.directory.parent().unwrap_or(&self.directory);
        for link in &self.logs {
            let log = database.join(link.file_name().unwrap_or_default());
            if log.exists() {
                fs::rename(link, log)?;
                // A rename to another name of the same file has no effect.
                remove_if_exists(link)?;
            }
        }
        if self.logs.is_empty() { Ok(()) } else { fs::remove_dir(self.directory) }
    }

    /// Removes the links.
    pub(super) fn remove(self) -> io::Result<()> {
        if self.logs.is_empty() { Ok(()) } else { fs::remove_dir_all(self.directory) }
    }
}

fn remove_if_exists(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Replaces logs that RocksDB would misread by copies that end before the [damage](misread_damage). Recovery applies
/// nothing after the first damage in any case.
pub(super) fn cut_misread_logs(database: &Path) -> io::Result<()> {
    for log in logs_in(database)? {
        if let Some(len) = misread_damage(&log)? {
            let copy = log.with_extension("log-cut");
            let mut file = File::create(&copy)?;
            io::copy(&mut File::open(&log)?.take(len), &mut file)?;
            file.sync_all()?;
            fs::rename(copy, log)?;
            sync_directory(database)?;
        }
    }
    Ok(())
}

/// The logs in a directory that contain something, oldest first.
fn logs_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut logs = Vec::new();
    for log in all_logs_in(directory)? {
        if fs::metadata(&log)?.len() > 0 {
            logs.push(log);
        }
    }
    Ok(logs)
}

/// All logs in a directory, oldest first.
fn all_logs_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    let mut logs: Vec<PathBuf> = paths.into_iter().filter(|path| log_number(path).is_some()).collect();
    logs.sort_unstable_by_key(|path| log_number(path));
    Ok(logs)
}

/// The number in `000013.log`.
fn log_number(path: &Path) -> Option<u64> {
    path.extension().filter(|extension| *extension == "log")?;
    path.file_stem()?.to_str()?.parse().ok()
}

/// Bytes that the last successful open of `database` reported as skipped. Also 0 if RocksDB's log cannot be read: the
/// database does not depend on it.
pub(super) fn reported_bytes(database: &Path) -> u64 {
    let log = fs::read(database.join(LOG)).unwrap_or_default();
    String::from_utf8_lossy(&log).lines().filter_map(parse_skipped).sum()
}

/// Parses `…/000013.log: dropping 28010 bytes; Corruption: checksum mismatch`. A recycled log file has the line
/// `… dropping 0 bytes; possibly recycled` for the data after its end.
fn parse_skipped(line: &str) -> Option<u64> {
    let (_, rest) = line.rsplit_once(".log: dropping ")?;
    rest.split_once(" bytes")?.0.parse().ok()
}

/// Size of a block of a log. A record lies within one block; each block begins with a record.
const BLOCK: usize = 32 * 1024;
/// Checksum, length (two bytes) and type (RocksDB's `db/log_format.h`). Databases with durability have recyclable logs,
/// whose records also contain the lower half of the log's number.
const HEADER: usize = 7;
const RECYCLABLE_HEADER: usize = HEADER + 4;
/// A write in one record, and the first, further and last records of a longer one.
const FULL: u8 = 1;
const FIRST: u8 = 2;
const MIDDLE: u8 = 3;
const LAST: u8 = 4;
/// Difference of the types above in a recyclable log.
const RECYCLABLE: u8 = 4;
/// From this type on, odd ones are recyclable.
const FIRST_PAIRED_TYPE: u8 = 10;

fn is_recyclable(kind: u8) -> bool {
    (FULL + RECYCLABLE..=LAST + RECYCLABLE).contains(&kind) || (kind >= FIRST_PAIRED_TYPE && kind % 2 == 1)
}

/// Whether each log records where the previous one ended: there are logs, and none is recyclable. RocksDB requires a log
/// for that, and takes the end of recyclable ones for damage. False if they cannot be read.
pub(super) fn can_verify(database: &Path) -> bool {
    let is_verifiable = |log: &PathBuf| -> io::Result<bool> {
        let mut header = Vec::with_capacity(HEADER);
        File::open(log)?.take(HEADER as u64).read_to_end(&mut header)?;
        Ok(!header.get(HEADER - 1).is_some_and(|&kind| is_recyclable(kind)))
    };
    let logs = all_logs_in(database).unwrap_or_default();
    !logs.is_empty() && logs.iter().all(|log| is_verifiable(log).unwrap_or(false))
}

/// Where the damage of a log begins, if RocksDB's `log_reader.cc` would misread it:
///
/// * It silently skips zeros up to the next block, in which writes may follow: a page that was not written yet.
/// * It never returns from a recyclable record in a log that does not begin with one: a flipped bit, or garbage.
fn misread_damage(log: &Path) -> io::Result<Option<u64>> {
    let (mut file, mut block) = (File::open(log)?, Vec::with_capacity(BLOCK));
    let (mut start, mut damage, mut zeros) = (0, None, None);
    loop {
        block.clear();
        (&mut file).take(BLOCK as u64).read_to_end(&mut block)?;
        if block.is_empty() {
            return Ok(None);
        }
        let mut at = 0;
        while let Some(header) = block.get(at..at + HEADER) {
            let (length, kind) = (usize::from(u16::from_le_bytes([header[4], header[5]])), header[6]);
            let position = start + at as u64;
            if is_recyclable(kind) {
                return Ok((position > 0).then(|| damage.unwrap_or(position)));
            }
            if kind == 0 && length == 0 {
                zeros = zeros.or(Some(*damage.get_or_insert(position)));
                break;
            }
            let record = block.get(at..at + HEADER + length).filter(|record| is_intact(record));
            match (record, zeros) {
                (Some(_), Some(zeros)) => return Ok(Some(zeros)),
                (Some(record), None) => at += record.len(),
                (None, _) => {
                    damage = damage.or(Some(position));
                    break;
                }
            }
        }
        start += block.len() as u64;
    }
}

fn is_intact(record: &[u8]) -> bool {
    record[..4] == masked(crc32c::crc32c(&record[HEADER - 1..])).to_le_bytes()
}

/// A record with a matching checksum and, if it is recyclable, log number.
struct Record<'a> {
    /// As in a log that is not recyclable.
    kind: u8,
    payload: &'a [u8],
}

fn lost_bytes(log: &Path, recovered: u64) -> io::Result<u64> {
    let number = log_number(log).unwrap_or(0).to_le_bytes();
    let (mut file, mut block) = (File::open(log)?, Vec::with_capacity(BLOCK));
    let (mut lost, mut write) = (0, None);
    loop {
        block.clear();
        (&mut file).take(BLOCK as u64).read_to_end(&mut block)?;
        if block.is_empty() {
            return Ok(lost);
        }
        for record in records(&block, &number[..4]) {
            let bytes = record.payload.len() as u64;
            write = match (record.kind, write) {
                (FULL | FIRST, _) => first_sequence_number(record.payload).map(|first| (first, bytes)),
                (MIDDLE | LAST, Some((first, before))) => Some((first, before + bytes)),
                _ => None,
            };
            if let (FULL | LAST, Some((first, bytes))) = (record.kind, write)
                && first > recovered
            {
                lost += bytes;
            }
        }
    }
}

/// The number of the first entry of a write. `None` for a write without entries.
fn first_sequence_number(payload: &[u8]) -> Option<u64> {
    let (number, rest) = payload.split_first_chunk()?;
    let (count, _) = rest.split_first_chunk()?;
    (u32::from_le_bytes(*count) > 0).then(|| u64::from_le_bytes(*number))
}

/// The intact records of a block, also those after a damaged one whose length is intact.
fn records<'a>(mut block: &'a [u8], number: &'a [u8]) -> impl Iterator<Item = Record<'a>> {
    std::iter::from_fn(move || {
        loop {
            let header = block.get(..HEADER)?;
            let (length, kind) = (usize::from(u16::from_le_bytes([header[4], header[5]])), header[6]);
            let is_recyclable = is_recyclable(kind);
            let start = if is_recyclable { RECYCLABLE_HEADER } else { HEADER };
            let (record, rest) = block.split_at_checked(start + length)?;
            block = rest;
            if is_intact(record) && (!is_recyclable || record[HEADER..start] == *number) {
                let kind = if is_recyclable { kind - RECYCLABLE } else { kind };
                return Some(Record { kind, payload: &record[start..] });
            }
        }
    })
}

/// The stored form of a checksum (RocksDB's `util/crc32c.h`).
fn masked(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(0xA282_EAD8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reported_bytes_are_summed_over_all_logs() {
        let dir = tempfile::tempdir().unwrap();
        let lines = "2026/11/22-10:00:00.1 1 /db.log: dropping/000016.log: dropping 0 bytes; possibly recycled\n\
                     2026/11/22-10:00:00.2 1 /db/000013.log: dropping 28010 bytes; Corruption: checksum mismatch\n\
                     2026/11/22-10:00:00.3 1 /db/000014.log: dropping 32 bytes; Corruption: error in middle of record\n\
                     2026/11/22-10:00:00.4 1 another message\n";
        fs::write(dir.path().join(LOG), lines).unwrap();
        assert_eq!(reported_bytes(dir.path()), 28042);
    }

    #[test]
    fn a_missing_log_file_counts_as_zero() {
        assert_eq!(reported_bytes(tempfile::tempdir().unwrap().path()), 0);
    }
}
