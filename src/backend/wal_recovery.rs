//! Finds acknowledged writes that recovery did not apply, and keeps the write-ahead logs that contain them.
//!
//! Recovery applies everything before the first damaged record and nothing after it. After a power loss that is
//! expected: the write in progress is incomplete. In any other case it is data loss, and RocksDB reports it in its own
//! log file only, or not at all: it takes a record with a damaged log number for the remains of an older log. It also
//! deletes the logs. So before an opening the logs are hard-linked, and afterwards the numbers of the writes in them are
//! compared with the last one that was recovered.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::options::EngineOptions;
use crate::files::{directory_of, sync_directory};

/// RocksDB's own log. Each open starts a new file of this name.
const LOG: &str = "LOG";
/// The directory of the links, in the directory of the database.
const KEPT: &str = "unread-logs";
/// The first part of the name of a directory that contains lost writes. The number of its first log follows.
const LOST: &str = "lost-logs-";

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
        if !logs.is_empty() {
            sync_directory(&directory)?;
            sync_directory(database)?;
        }
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
        let directory = self.directory.with_file_name(format!("{LOST}{first}"));
        fs::rename(&self.directory, &directory)?;
        sync_directory(directory_of(&directory))?;
        Ok(directory)
    }

    /// Removes the links whose logs the database still has: it was not opened.
    pub(super) fn undo(self) -> io::Result<()> {
        let database = self.directory.parent().unwrap_or(&self.directory);
        let has_log = |link: &&PathBuf| link.file_name().is_some_and(|name| database.join(name).exists());
        self.logs.iter().filter(has_log).try_for_each(fs::remove_file)?;
        if self.logs.is_empty() { Ok(()) } else { fs::remove_dir(self.directory) }
    }

    /// Removes the links.
    pub(super) fn remove(self) -> io::Result<()> {
        if self.logs.is_empty() { Ok(()) } else { fs::remove_dir_all(self.directory) }
    }
}

/// Like [`KeptLogs::lost_bytes`], for a database that was opened read-only: it still has its logs.
pub(super) fn lost_bytes_in(database: &Path, recovered: u64) -> io::Result<u64> {
    logs_in(database)?.iter().map(|log| lost_bytes(log, recovered)).sum()
}

/// The latest directory of lost writes that nobody has removed.
pub(super) fn lost_logs(database: &Path) -> io::Result<Option<PathBuf>> {
    let paths = fs::read_dir(database)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    let number = |path: &PathBuf| path.file_name()?.to_str()?.strip_prefix(LOST)?.parse::<u64>().ok();
    Ok(paths.into_iter().filter(|path| number(path).is_some()).max_by_key(number))
}

/// Size of the logs on disk, in bytes, recycled ones included.
pub(super) fn bytes_on_disk(database: &Path) -> io::Result<u64> {
    logs_in(database)?.iter().map(|log| bytes_of(log)).sum()
}

/// 0 for a log that was deleted just now.
fn bytes_of(log: &Path) -> io::Result<u64> {
    match fs::metadata(log) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(0),
        metadata => Ok(metadata?.len()),
    }
}

/// The logs in a directory that contain something, oldest first.
fn logs_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut logs = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if log_number(&path).is_some() && bytes_of(&path)? > 0 {
            logs.push(path);
        }
    }
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

/// Counts the bytes that an opening with these options skips, without the file `LOG`.
pub(super) fn count_skipped_bytes(options: &mut EngineOptions, skipped: &Arc<AtomicU64>) {
    let skipped = Arc::clone(skipped);
    options.listen(move |line| {
        skipped.fetch_add(parse_skipped(line).unwrap_or(0), Ordering::Relaxed);
    });
}

/// Parses `…/000013.log: dropping 28010 bytes; Corruption: checksum mismatch`. A recycled log file has the line
/// `… dropping 0 bytes; possibly recycled` for the data after its end.
fn parse_skipped(line: &str) -> Option<u64> {
    let (_, rest) = line.rsplit_once(".log: dropping ")?;
    rest.split_once(" bytes")?.0.parse().ok()
}

/// Size of a block of a log. A record lies within one block; each block begins with a record.
const BLOCK: usize = 32 * 1024;
/// Checksum, length (two bytes), type, and the lower half of the log's number (RocksDB's `db/log_format.h`).
const HEADER: usize = 11;
/// A write in one record, and the first, further and last records of a longer one. Logs here are always recyclable.
const FULL: u8 = 5;
const FIRST: u8 = 6;
const MIDDLE: u8 = 7;
const LAST: u8 = 8;

/// A record with a matching checksum and log number.
struct Record<'a> {
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
            let (header, rest) = block.split_first_chunk::<HEADER>()?;
            let length = usize::from(u16::from_le_bytes([header[4], header[5]]));
            let payload = rest.get(..length)?;
            let (checksum, checked) = block[..HEADER + length].split_at(4);
            block = &rest[length..];
            let is_intact = checksum == masked(crc32c::crc32c(&checked[2..])).to_le_bytes();
            if is_intact && header[7..] == *number {
                return Some(Record { kind: header[6], payload });
            }
        }
    })
}

/// The stored form of a checksum (RocksDB's `util/crc32c.h`).
pub(super) fn masked(checksum: u32) -> u32 {
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
