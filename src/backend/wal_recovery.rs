//! Counts the bytes of the write-ahead logs that recovery skipped.
//!
//! Recovery applies everything before the first damaged record and nothing after it. After a power loss that is
//! expected: the write in progress is incomplete. In any other case it is data loss. RocksDB reports the skipped bytes
//! in its own log file only, so this module parses that file.

use std::{fs, path::Path};

/// RocksDB's own log. Each open starts a new file of this name.
const LOG: &str = "LOG";

/// Bytes that the last successful open of `database` skipped. Also 0 if RocksDB's log cannot be read: the database does
/// not depend on it.
pub(super) fn skipped_bytes(database: &Path) -> u64 {
    let log = fs::read(database.join(LOG)).unwrap_or_default();
    String::from_utf8_lossy(&log).lines().filter_map(parse_skipped).sum()
}

/// Parses `…/000013.log: dropping 28010 bytes; Corruption: checksum mismatch`. A recycled log file has the line
/// `… dropping 0 bytes; possibly recycled` for the data after its end.
fn parse_skipped(line: &str) -> Option<u64> {
    let (_, rest) = line.rsplit_once(".log: dropping ")?;
    rest.split_once(" bytes")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_bytes_are_summed_over_all_logs() {
        let dir = tempfile::tempdir().unwrap();
        let lines = "2026/11/22-10:00:00.1 1 /db.log: dropping/000016.log: dropping 0 bytes; possibly recycled\n\
                     2026/11/22-10:00:00.2 1 /db/000013.log: dropping 28010 bytes; Corruption: checksum mismatch\n\
                     2026/11/22-10:00:00.3 1 /db/000014.log: dropping 32 bytes; Corruption: error in middle of record\n\
                     2026/11/22-10:00:00.4 1 another message\n";
        fs::write(dir.path().join(LOG), lines).unwrap();
        assert_eq!(skipped_bytes(dir.path()), 28042);
    }

    #[test]
    fn a_missing_log_file_counts_as_zero() {
        assert_eq!(skipped_bytes(tempfile::tempdir().unwrap().path()), 0);
    }
}
