//! Removal of files from the page cache, as after a reboot.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Writes every file below `directory` to the disk and removes it from the page cache. False if the system does not, such as
/// on a file system in memory.
pub(crate) fn forget(directory: &Path) -> io::Result<bool> {
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

#[cfg(target_os = "linux")]
fn forget_file(file: &File, bytes: u64) -> bool {
    // Three attempts: the kernel keeps a page that is in use.
    (0..3).any(|_| {
        let advised = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed).is_ok();
        advised && [0, bytes / 2, bytes - 1].into_iter().all(|at| !is_cached(file, at))
    })
}

#[cfg(not(target_os = "linux"))]
fn forget_file(_file: &File, _bytes: u64) -> bool {
    false
}

/// A read that must not wait for the disk fails if the page is not cached.
#[cfg(target_os = "linux")]
fn is_cached(file: &File, at: u64) -> bool {
    let mut byte = [0];
    let read = rustix::io::preadv2(file, &mut [io::IoSliceMut::new(&mut byte)], at, rustix::io::ReadWriteFlags::NOWAIT);
    read != Err(rustix::io::Errno::AGAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_read_back_unchanged_after_they_left_the_page_cache() {
        let directory = tempfile::tempdir().unwrap();
        let [top, below] = ["a", "deeper/b"].map(|name| directory.path().join(name));
        fs::create_dir(directory.path().join("deeper")).unwrap();
        let content = vec![7; 100_000];
        for path in [&top, &below] {
            fs::write(path, &content).unwrap();
        }
        fs::write(directory.path().join("empty"), "").unwrap();
        // Not every file system can.
        let _forgotten: bool = forget(directory.path()).unwrap();
        for path in [&top, &below] {
            assert!(fs::read(path).unwrap() == content, "{}", path.display());
        }
    }
}
