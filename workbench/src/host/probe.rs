//! Speed of the disk under a directory: small durable writes, and sequential ones.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[derive(Debug, thiserror::Error)]
#[error("cannot probe the disk under {}: {source}", path.display())]
pub(crate) struct ProbeError {
    pub(crate) path: PathBuf,
    pub(crate) source: std::io::Error,
}

/// Smallest durable write of a write-ahead log.
const BLOCK_BYTES: usize = 4096;
/// Blocks of the file, which is overwritten in a cycle: its size stays, as that of a recycled log.
const FILE_BLOCKS: u64 = 1024;

/// Writes 4 KiB and calls `fdatasync`, repeatedly for `time`, in a temporary file under `directory`. Returns the time of
/// each write and its sync, nanoseconds, in order.
pub(crate) fn probe_sync(directory: &Path, time: Duration) -> Result<Vec<u64>, ProbeError> {
    let failed = |source| ProbeError { path: directory.to_owned(), source };
    let mut file = tempfile::tempfile_in(directory).map_err(failed)?;
    // Filled first: extending a file is slower than overwriting it.
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

const BULK_BYTES: usize = 64 << 20;
const CHUNK_BYTES: usize = 1 << 20;

/// Writes 64 MiB sequentially to a temporary file under `directory` and syncs once. Returns bytes per second.
pub(crate) fn probe_bandwidth(directory: &Path) -> Result<f64, ProbeError> {
    let failed = |source| ProbeError { path: directory.to_owned(), source };
    let mut file = tempfile::tempfile_in(directory).map_err(failed)?;
    // Incompressible, for file systems that compress.
    let chunk: Vec<u8> = random_words().take(CHUNK_BYTES / 8).flat_map(u64::to_le_bytes).collect();
    let began = Instant::now();
    for _ in 0..BULK_BYTES / CHUNK_BYTES {
        file.write_all(&chunk).map_err(failed)?;
    }
    file.sync_data().map_err(failed)?;
    Ok(BULK_BYTES as f64 / began.elapsed().as_secs_f64())
}

/// The same pseudo-random words each time (xorshift64).
pub(super) fn random_words() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(0x9e37_79b9_7f4a_7c15_u64), |&word| {
        let word = word ^ (word << 13);
        let word = word ^ (word >> 7);
        Some(word ^ (word << 17))
    })
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
    fn a_probe_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let latencies = probe_sync(directory.path(), Duration::from_millis(50)).unwrap();
        assert!(!latencies.is_empty() && latencies.iter().all(|&nanoseconds| nanoseconds > 0));
        assert!(probe_bandwidth(directory.path()).unwrap() > 0.0);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_error_names_the_directory() {
        let error = probe_sync(Path::new("/no/such/place"), Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains("/no/such/place"));
    }
}
