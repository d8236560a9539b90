//! How much of the write-ahead logs an opening could not read, and left out.
//!
//! Recovery takes everything up to the first damage and nothing after it. That is right after a loss of power, when the
//! write that was under way is torn; after anything else it is a loss. RocksDB says which in its own log and nowhere
//! else, so this reads it there.

use std::{fs, path::Path};

/// RocksDB's own log of the present opening. It begins a new one with each.
const LOG: &str = "LOG";

/// Bytes that the opening which just succeeded left out. 0 also if RocksDB's log cannot be read: it is for people, and
/// the database does not depend on it.
pub(super) fn left_out_bytes(database: &Path) -> u64 {
    let log = fs::read(database.join(LOG)).unwrap_or_default();
    String::from_utf8_lossy(&log).lines().filter_map(dropped).sum()
}

/// `…/000013.log: dropping 28010 bytes; Corruption: checksum mismatch`, or `0 bytes; possibly recycled` behind the end
/// of a log file that is used again.
fn dropped(line: &str) -> Option<u64> {
    let (_, rest) = line.rsplit_once(".log: dropping ")?;
    rest.split_once(" bytes")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_dropped_is_counted_over_all_logs() {
        let dir = tempfile::tempdir().unwrap();
        let lines = "2026/11/22-10:00:00.1 1 /db.log: dropping/000016.log: dropping 0 bytes; possibly recycled\n\
                     2026/11/22-10:00:00.2 1 /db/000013.log: dropping 28010 bytes; Corruption: checksum mismatch\n\
                     2026/11/22-10:00:00.3 1 /db/000014.log: dropping 32 bytes; Corruption: error in middle of record\n\
                     2026/11/22-10:00:00.4 1 nothing of the kind\n";
        fs::write(dir.path().join(LOG), lines).unwrap();
        assert_eq!(left_out_bytes(dir.path()), 28042);
    }

    #[test]
    fn a_database_without_a_log_of_its_own_left_out_nothing_that_is_known() {
        assert_eq!(left_out_bytes(tempfile::tempdir().unwrap().path()), 0);
    }
}
