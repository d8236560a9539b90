//! Copies and reads files with a checksum, at the rate of a [`Meter`].

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use super::progress::{Interrupted, Meter};

/// Bytes per step.
const CHUNK: usize = 256 * 1024;
/// A copy is synced after this many bytes, so that the kernel never has more to write at once: a sync of the database
/// beside it would wait.
const SYNC_EVERY: u64 = 8 * 1024 * 1024;

/// Why a file was not copied or read completely.
#[derive(Debug)]
pub(super) enum CopyError {
    Interrupted,
    Read(io::Error),
    Write(io::Error),
}

impl From<Interrupted> for CopyError {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

/// Copies the first `length` bytes of a file to a new file, syncs it, and returns the CRC-32C.
pub(super) fn copy(from: &Path, to: &Path, length: u64, meter: &mut Meter<'_>) -> Result<u32, CopyError> {
    let mut target = File::create_new(to).map_err(CopyError::Write)?;
    let mut unsynced = 0;
    let checksum = read(from, length, meter, |chunk| {
        target.write_all(chunk).map_err(CopyError::Write)?;
        unsynced += chunk.len() as u64;
        if unsynced >= SYNC_EVERY {
            unsynced = 0;
            target.sync_data().map_err(CopyError::Write)?;
        }
        Ok(())
    })?;
    target.sync_all().map_err(CopyError::Write)?;
    Ok(checksum)
}

/// The CRC-32C of a file, read from the disk as far as the system allows to say so.
pub(super) fn checksum(path: &Path, meter: &mut Meter<'_>) -> Result<u32, CopyError> {
    forget(path).map_err(CopyError::Read)?;
    let sum = read(path, u64::MAX, meter, |_| Ok(()))?;
    forget(path).map_err(CopyError::Read)?;
    Ok(sum)
}

fn read(
    path: &Path,
    length: u64,
    meter: &mut Meter<'_>,
    mut each: impl FnMut(&[u8]) -> Result<(), CopyError>,
) -> Result<u32, CopyError> {
    let mut source = File::open(path).map_err(CopyError::Read)?.take(length);
    let (mut chunk, mut checksum) = (vec![0; CHUNK], 0);
    loop {
        let count = match source.read(&mut chunk) {
            Ok(0) => return Ok(checksum),
            Ok(count) => count,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Err(CopyError::Read(cause)),
        };
        checksum = crc32c::crc32c_append(checksum, &chunk[..count]);
        each(&chunk[..count])?;
        meter.advance(count as u64)?;
    }
}

/// Drops the synced pages of a file from the page cache: the next read comes from the disk, and the cache keeps what the
/// database reads.
#[cfg(target_os = "linux")]
fn forget(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    // Advice: a file system may ignore it.
    let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn forget(_: &Path) -> io::Result<()> {
    Ok(())
}
