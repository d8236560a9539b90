//! Files as they are found after the machine was started: not in the page cache.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Writes every file below `directory` to the disk and has the kernel forget what it holds of it. True if it did: a
/// file system in memory, say, cannot.
///
/// # Errors
///
/// If a file cannot be read or written.
pub(super) fn forget(directory: &Path) -> io::Result<bool> {
    let mut forgotten = true;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            forgotten &= forget(&entry.path())?;
        } else if metadata.is_file() && metadata.len() > 0 {
            let file = File::open(entry.path())?;
            file.sync_all()?;
            forgotten &= forget_file(&file, metadata.len());
        }
    }
    Ok(forgotten)
}

/// The kernel keeps a page that somebody is just looking at.
#[cfg(target_os = "linux")]
const TRIES: u32 = 3;

#[cfg(target_os = "linux")]
fn forget_file(file: &File, bytes: u64) -> bool {
    (0..TRIES).any(|_| {
        let asked = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed).is_ok();
        asked && [0, bytes / 2, bytes - 1].into_iter().all(|at| !is_cached(file, at))
    })
}

#[cfg(not(target_os = "linux"))]
fn forget_file(_file: &File, _bytes: u64) -> bool {
    false
}

/// A read that must not wait for the disk fails where it would have to.
#[cfg(target_os = "linux")]
fn is_cached(file: &File, at: u64) -> bool {
    let mut byte = [0];
    let read = rustix::io::preadv2(file, &mut [io::IoSliceMut::new(&mut byte)], at, rustix::io::ReadWriteFlags::NOWAIT);
    read != Err(rustix::io::Errno::AGAIN)
}
