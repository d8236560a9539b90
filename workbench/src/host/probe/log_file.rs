//! Durable writes to a file like a write-ahead log.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::error::ProbeError;
use super::random::random_bytes;

/// Smallest durable write of a write-ahead log, bytes.
pub(super) const BLOCK_BYTES: u64 = 4096;
/// Largest group of writes that is synced at once, bytes.
const LARGEST_BYTES: u64 = 256 << 10;
/// Size of the file, bytes. It is overwritten in a cycle and keeps its size, as the logs do that the backend recycles:
/// extending a file costs an update of the file system's journal with each sync.
const FILE_BYTES: u64 = 4 << 20;

pub(super) struct LogFile {
    file: File,
    content: Vec<u8>,
    place: u64,
}

impl LogFile {
    pub(super) fn create(directory: &Path) -> io::Result<Self> {
        let content = random_bytes(usize::try_from(LARGEST_BYTES).unwrap_or(usize::MAX));
        let mut file = tempfile::tempfile_in(directory)?;
        for _ in 0..FILE_BYTES / LARGEST_BYTES {
            file.write_all(&content)?;
        }
        file.sync_all()?;
        Ok(Self { file, content, place: 0 })
    }

    /// Writes `bytes`, 4 KiB to 256 KiB, and calls `fdatasync`, repeatedly for `time` and at least once. Returns the time
    /// of each write with its sync, nanoseconds, in order.
    pub(super) fn sync(&mut self, bytes: u64, time: Duration) -> io::Result<Vec<u64>> {
        let content = &self.content[..usize::try_from(bytes.clamp(BLOCK_BYTES, LARGEST_BYTES)).unwrap_or(0)];
        let bytes = content.len() as u64;
        let mut latencies = Vec::new();
        let began = Instant::now();
        while latencies.is_empty() || began.elapsed() < time {
            if self.place + bytes > FILE_BYTES {
                self.place = 0;
            }
            let start = Instant::now();
            self.file.write_all_at(content, self.place)?;
            self.file.sync_data()?;
            latencies.push(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
            self.place += bytes;
        }
        Ok(latencies)
    }
}

/// Writes 4 KiB and calls `fdatasync`, repeatedly for `time` and at least once, in a temporary file under `directory`.
/// Returns the time of each write with its sync, nanoseconds, in order.
pub(in crate::host) fn probe_sync(directory: &Path, time: Duration) -> Result<Vec<u64>, ProbeError> {
    let latencies = LogFile::create(directory).and_then(|mut file| file.sync(BLOCK_BYTES, time));
    latencies.map_err(ProbeError::under(directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let latencies = probe_sync(directory.path(), Duration::from_millis(20)).unwrap();
        assert!(!latencies.is_empty() && latencies.iter().all(|&nanoseconds| nanoseconds > 0));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_error_names_the_directory() {
        let error = probe_sync(Path::new("/no/such/place"), Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains("/no/such/place"));
    }

    #[test]
    fn groups_of_every_size_are_written_in_a_cycle() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = LogFile::create(directory.path()).unwrap();
        file.place = FILE_BYTES - BLOCK_BYTES;
        for bytes in [BLOCK_BYTES, LARGEST_BYTES] {
            assert_eq!(file.sync(bytes, Duration::ZERO).unwrap().len(), 1);
        }
        assert_eq!((file.place, file.file.metadata().unwrap().len()), (LARGEST_BYTES, FILE_BYTES));
    }
}
