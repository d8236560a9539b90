//! How fast the disk under a directory makes a small write durable.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The disk could not be probed.
#[derive(Debug, thiserror::Error)]
#[error("cannot probe the disk under {}: {source}", path.display())]
pub struct ProbeError {
    /// The directory.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// What a write-ahead log does per durable write, at its smallest.
const BLOCK_BYTES: usize = 4096;
/// The file is written in a circle: its size stays, as in a log that is recycled.
const FILE_BLOCKS: u64 = 1024;

/// Writes 4 KiB and calls `fdatasync`, again and again for `time`, in a temporary file under `directory`; tells what
/// each write and sync together took, in nanoseconds and in order.
///
/// # Errors
///
/// [`ProbeError`] if the directory cannot be written to.
pub fn probe_sync(directory: &Path, time: Duration) -> Result<Vec<u64>, ProbeError> {
    let failed = |source| ProbeError { path: directory.to_owned(), source };
    let mut file = tempfile::tempfile_in(directory).map_err(failed)?;
    // Filled first: growing a file is another, slower thing than writing into it.
    file.write_all(&vec![0x5a; BLOCK_BYTES * usize::try_from(FILE_BLOCKS).unwrap_or(1)]).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    let mut latencies = Vec::new();
    let began = Instant::now();
    let mut block = 0;
    while began.elapsed() < time {
        let start = Instant::now();
        write_block(&mut file, block % FILE_BLOCKS).map_err(failed)?;
        latencies.push(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
        block += 1;
    }
    Ok(latencies)
}

/// Bytes written to find out how fast the disk takes them in a row.
const BULK_BYTES: usize = 64 << 20;
const CHUNK_BYTES: usize = 1 << 20;

/// Writes 64 MiB in a row to a temporary file under `directory` and syncs it once; tells bytes per second.
///
/// # Errors
///
/// [`ProbeError`] if the directory cannot be written to.
pub fn probe_bandwidth(directory: &Path) -> Result<f64, ProbeError> {
    let failed = |source| ProbeError { path: directory.to_owned(), source };
    let mut file = tempfile::tempfile_in(directory).map_err(failed)?;
    // Not compressible, for file systems that would.
    let mut word = 0x9e37_79b9_7f4a_7c15_u64;
    let chunk: Vec<u8> = std::iter::repeat_with(|| {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        word.to_le_bytes()
    })
    .take(CHUNK_BYTES / 8)
    .flatten()
    .collect();
    let began = Instant::now();
    for _ in 0..BULK_BYTES / CHUNK_BYTES {
        file.write_all(&chunk).map_err(failed)?;
    }
    file.sync_data().map_err(failed)?;
    Ok(BULK_BYTES as f64 / began.elapsed().as_secs_f64())
}

fn write_block(file: &mut File, block: u64) -> std::io::Result<()> {
    file.seek(SeekFrom::Start(block * BLOCK_BYTES as u64))?;
    file.write_all(&[0xa5; BLOCK_BYTES])?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_leaves_nothing_behind_and_counts_what_it_did() {
        let directory = tempfile::tempdir().unwrap();
        let latencies = probe_sync(directory.path(), Duration::from_millis(50)).unwrap();
        assert!(!latencies.is_empty() && latencies.iter().all(|&nanoseconds| nanoseconds > 0));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_disk_that_is_written_in_a_row_has_a_bandwidth() {
        let directory = tempfile::tempdir().unwrap();
        assert!(probe_bandwidth(directory.path()).unwrap() > 0.0);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let error = probe_sync(Path::new("/no/such/place"), Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains("/no/such/place"));
    }
}
