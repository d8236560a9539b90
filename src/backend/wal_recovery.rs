//! Finds acknowledged writes that recovery did not apply, and keeps the write-ahead logs that contain them.
//!
//! Recovery applies everything before the first damaged record and nothing after it. After a power loss that is
//! expected: the write in progress is incomplete. In any other case it is data loss, and RocksDB reports it in its own
//! log file only, or not at all: it takes a record with a damaged log number for the remains of an older log. It also
//! deletes the logs. So before an opening the logs are hard-linked, and afterwards the numbers of the writes in them are
//! compared with the last one that was recovered. Gaps that recovery does not notice are found before.

use std::{
    fs::{self, File},
    io::{self, Read},
    ops::{ControlFlow, Range},
    path::{Path, PathBuf},
};

use super::{log_format::for_each_entry, manifest::oldest_needed_log};
use crate::files::sync_directory;

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

    /// Restores the logs that the database still has, and removes their links: it was not opened.
    pub(super) fn undo(self) -> io::Result<()> {
        let database = self.directory.parent().unwrap_or(&self.directory);
        for link in &self.logs {
            let log = database.join(link.file_name().unwrap_or_default());
            if log.exists() {
                fs::rename(link, log)?;
                // The rename had no effect if both are one file.
                if link.exists() {
                    fs::remove_file(link)?;
                }
            }
        }
        if self.logs.is_empty() { Ok(()) } else { fs::remove_dir(self.directory) }
    }

    /// Removes the links.
    pub(super) fn remove(self) -> io::Result<()> {
        if self.logs.is_empty() { Ok(()) } else { fs::remove_dir_all(self.directory) }
    }
}

/// The logs in a directory that contain something, oldest first.
fn logs_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut logs = all_logs_in(directory)?;
    let lengths = logs.iter().map(|log| Ok(fs::metadata(log)?.len())).collect::<io::Result<Vec<_>>>()?;
    let mut lengths = lengths.into_iter();
    logs.retain(|_| lengths.next() > Some(0));
    Ok(logs)
}

/// All logs in a directory, oldest first.
fn all_logs_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut logs = fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    logs.retain(|path| log_number(path).is_some());
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

fn lost_bytes(log: &Path, recovered: u64) -> io::Result<u64> {
    let mut lost = 0;
    for_each_entry(log, log_number(log).unwrap_or(0), |_, write| {
        if sequence_numbers(write).is_some_and(|numbers| !numbers.is_empty() && numbers.start > recovered) {
            lost += write.len() as u64;
        }
        ControlFlow::Continue(())
    })?;
    Ok(lost)
}

/// The numbers of the entries of a write. RocksDB begins the first log after a damaged one with a write of no entries.
fn sequence_numbers(write: &[u8]) -> Option<Range<u64>> {
    let (number, rest) = write.split_first_chunk()?;
    let (count, _) = rest.split_first_chunk()?;
    let (first, count) = (u64::from_le_bytes(*number), u32::from_le_bytes(*count));
    Some(first..first + u64::from(count))
}

/// Removes the writes after a gap from the logs.
///
/// A power cut without durability can take the end of a log and leave the next log, or take a page in the middle of a log.
/// Recovery notices neither if a write ends there: it takes that for the end of the log, or zeros for padding. But the
/// sequence numbers have a gap. The logs are replaced by copies, so that links to them stay whole.
pub(super) fn cut_after_gap(database: &Path) -> io::Result<()> {
    if logs_in(database)?.is_empty() {
        // Cleanly stopped.
        return Ok(());
    }
    let Some(oldest) = oldest_needed_log(database)? else { return Ok(()) };
    let logs = all_logs_in(database)?.into_iter().filter(|log| log_number(log).is_some_and(|number| number >= oldest));
    let (mut next, mut has_gap, mut is_cut) = (None, false, false);
    for log in logs {
        let cut = if has_gap { Some(0) } else { find_gap(&log, &mut next)? };
        if let Some(length) = cut {
            replace_by_start(&log, length)?;
            is_cut = true;
        }
        // RocksDB begins no log while the previous one is empty.
        has_gap = cut.is_some() || next.is_none();
    }
    if is_cut { sync_directory(database) } else { Ok(()) }
}

/// Position of the first write after a gap. `next` is the sequence number after the last write of the previous log, and
/// is advanced; `None` before the first log.
fn find_gap(log: &Path, next: &mut Option<u64>) -> io::Result<Option<u64>> {
    let mut gap = None;
    for_each_entry(log, log_number(log).unwrap_or(0), |position, write| {
        let Some(numbers) = sequence_numbers(write) else { return ControlFlow::Continue(()) };
        if next.map_or(position > 0, |next| numbers.start > next) {
            gap = Some(position);
            return ControlFlow::Break(());
        }
        *next = (*next).max(Some(numbers.end));
        ControlFlow::Continue(())
    })?;
    Ok(gap)
}

fn replace_by_start(log: &Path, length: u64) -> io::Result<()> {
    let copy = log.with_extension("log-start");
    let mut file = File::create(&copy)?;
    io::copy(&mut File::open(log)?.take(length), &mut file)?;
    file.sync_all()?;
    fs::rename(copy, log)
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
