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
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{in_use::OpenPath, log_format::for_each_entry, manifest::oldest_needed_log, options::EngineOptions};
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

/// Like [`KeptLogs::lost_bytes`], for a database that was opened read-only: it still has its logs.
pub(super) fn lost_bytes_in(database: &Path, recovered: u64) -> io::Result<u64> {
    logs_in(database)?.iter().map(|log| lost_bytes(log, recovered)).sum()
}

/// The latest directory of lost writes that is left.
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
    for log in all_logs_in(directory)? {
        if bytes_of(&log)? > 0 {
            logs.push(log);
        }
    }
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
///
/// In a database that another process has open, a log that grew after it was read looks like a gap. So what is found is
/// searched again under RocksDB's lock.
pub(super) fn cut_after_gap(open_path: &OpenPath) -> io::Result<()> {
    if after_gap(open_path.path())?.is_empty() {
        return Ok(());
    }
    open_path.run_locked(|database| {
        for (log, length) in after_gap(database)? {
            replace_by_start(&log, length)?;
        }
        sync_directory(database)
    })
}

/// The logs with writes after a gap, each with the length of the part before it.
fn after_gap(database: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut cuts = Vec::new();
    if logs_in(database)?.is_empty() {
        // Cleanly stopped.
        return Ok(cuts);
    }
    let Some(oldest) = oldest_needed_log(database)? else { return Ok(cuts) };
    let (mut next, mut has_gap) = (None, false);
    for log in all_logs_in(database)? {
        if log_number(&log).is_none_or(|number| number < oldest) {
            continue;
        }
        let cut = if has_gap { Some(0) } else { find_gap(&log, &mut next)? };
        cuts.extend(cut.map(|length| (log, length)));
        // RocksDB begins no log while the previous one is empty.
        has_gap = cut.is_some() || next.is_none();
    }
    Ok(cuts)
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
