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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_is_read_again_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let [top, below] = ["a", "deeper/b"].map(|name| directory.path().join(name));
        fs::create_dir(directory.path().join("deeper")).unwrap();
        let content = vec![7; 100_000];
        for path in [&top, &below] {
            fs::write(path, &content).unwrap();
        }
        fs::write(directory.path().join("empty"), "").unwrap();
        // Whether the file system forgets is its own affair.
        let _forgotten: bool = forget(directory.path()).unwrap();
        for path in [&top, &below] {
            assert!(fs::read(path).unwrap() == content, "{}", path.display());
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_was_just_read_is_in_the_page_cache() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        fs::write(&path, [7; 10_000]).unwrap();
        fs::read(&path).unwrap();
        assert!(is_cached(&File::open(&path).unwrap(), 0));
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        assert!(forget(Path::new("/nonexistent/database")).is_err());
    }
}
