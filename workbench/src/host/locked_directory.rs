//! A directory that belongs to one process for as long as that lives.
//!
//! The owner holds a lock on it. The kernel releases the lock with the process, however that ends, so a directory whose
//! lock is free was left behind.
//!
//! Between the creation of a directory and its lock, another process may take it for left behind and remove it. Its creator
//! sees that in the [`Claim`] and creates another one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::io::Errno;

const BETWEEN_REMOVALS: Duration = Duration::from_millis(50);

/// What carries the lock.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LockOn {
    /// The directory itself, for file systems in which no file can be created, such as control groups.
    Directory,
    /// A file of this name in it. NFS locks nothing but files that are open for writing.
    File(&'static str),
}

#[derive(Debug)]
pub(crate) enum Claim {
    /// This process holds the lock.
    Held(LockedDirectory),
    /// Another process holds it.
    Busy,
    /// The directory or its lock file does not exist, or was removed or replaced before it was locked.
    Gone,
    /// The file system has no locks: no process can find out there whether the directory is in use.
    NoLocks(LockedDirectory),
}

/// A directory and its lock, which is released when this is dropped. The directory stays until [`remove`](Self::remove).
#[derive(Debug)]
pub(crate) struct LockedDirectory {
    path: PathBuf,
    lock_on: LockOn,
    _lock: File,
}

impl LockedDirectory {
    /// Locks a directory that this process has created, or takes over; creates the lock file if it is missing.
    pub(crate) fn claim(path: &Path, lock_on: LockOn) -> io::Result<Claim> {
        Self::lock(path, lock_on, true)
    }

    /// Locks a directory of another process if that no longer holds the lock. Creates nothing and follows no link.
    pub(crate) fn claim_stale(path: &Path, lock_on: LockOn) -> io::Result<Claim> {
        Self::lock(path, lock_on, false)
    }

    fn lock(path: &Path, lock_on: LockOn, create: bool) -> io::Result<Claim> {
        let no_link = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(no_link);
        let place = match lock_on {
            LockOn::Directory => path.to_owned(),
            LockOn::File(name) => {
                options.write(true).create(create).mode(0o600);
                path.join(name)
            }
        };
        let failed = |action: &str, error: io::Error| {
            io::Error::new(error.kind(), format!("{action} {}: {error}", place.display()))
        };
        let lock = match options.open(&place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Claim::Gone),
            opened => opened.map_err(|error| failed("open", error))?,
        };
        let locked = lock.try_lock();
        let is_in_place = is_at(&lock, &place).map_err(|error| failed("look at", error))?;
        let directory = Self { path: path.to_owned(), lock_on, _lock: lock };
        match locked {
            Err(TryLockError::WouldBlock) => Ok(Claim::Busy),
            _ if !is_in_place => Ok(Claim::Gone),
            Ok(()) => Ok(Claim::Held(directory)),
            Err(TryLockError::Error(error)) if has_no_locks(&error) => Ok(Claim::NoLocks(directory)),
            Err(TryLockError::Error(error)) => Err(failed("lock", error)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes everything in the directory, the lock file last, then the directory: what an interrupted removal leaves is
    /// still recognised as left behind. Links are not followed.
    ///
    /// Failures are retried for `patience`, since a child of the former owner may still write. What other processes remove
    /// meanwhile is no error.
    pub(crate) fn remove(&self, patience: Duration) -> io::Result<()> {
        let until = Instant::now() + patience;
        loop {
            match self.remove_now() {
                Err(_) if Instant::now() < until => std::thread::sleep(BETWEEN_REMOVALS),
                removed => return removed,
            }
        }
    }

    fn remove_now(&self) -> io::Result<()> {
        let lock_file = match self.lock_on {
            LockOn::Directory => None,
            LockOn::File(name) => Some(name),
        };
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if lock_file.is_some_and(|name| entry.file_name() == name) {
                continue;
            }
            let (path, is_directory) = (entry.path(), entry.file_type()?.is_dir());
            unless_gone(if is_directory { fs::remove_dir_all(path) } else { fs::remove_file(path) })?;
        }
        if let Some(name) = lock_file {
            unless_gone(fs::remove_file(self.path.join(name)))?;
        }
        unless_gone(fs::remove_dir(&self.path))
    }
}

/// Whether a lock failed because the file system has none, or none at the moment: some network and shared folders.
pub(crate) fn has_no_locks(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::NOTSUP | Errno::NOSYS | Errno::NOLCK | Errno::INVAL))
}

/// Whether an open file is the one at a path, and not one that was removed or replaced.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn unless_gone(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use tempfile::tempdir;

    const ON: [LockOn; 2] = [LockOn::Directory, LockOn::File("lock")];

    #[test]
    fn a_lock_has_one_holder_and_is_free_after_it() {
        for lock_on in ON {
            let directory = tempdir().unwrap();
            let held = LockedDirectory::claim(directory.path(), lock_on).unwrap();
            assert!(matches!(held, Claim::Held(_)));
            assert!(matches!(LockedDirectory::claim_stale(directory.path(), lock_on).unwrap(), Claim::Busy));
            assert!(matches!(LockedDirectory::claim(directory.path(), lock_on).unwrap(), Claim::Busy));
            drop(held);
            assert!(matches!(LockedDirectory::claim_stale(directory.path(), lock_on).unwrap(), Claim::Held(_)));
        }
    }

    #[test]
    fn only_a_claim_of_its_own_creates_the_lock_file() {
        let directory = tempdir().unwrap();
        let stale = LockedDirectory::claim_stale(directory.path(), ON[1]).unwrap();
        assert!(matches!(stale, Claim::Gone) && !directory.path().join("lock").exists());
        for lock_on in ON {
            let absent = LockedDirectory::claim(&directory.path().join("absent"), lock_on).unwrap();
            assert!(matches!(absent, Claim::Gone));
        }
    }

    #[test]
    fn a_file_system_without_locks_is_told_from_one_that_fails() {
        for errno in [Errno::NOTSUP, Errno::NOLCK] {
            assert!(has_no_locks(&errno.into()));
        }
        for errno in [Errno::IO, Errno::ACCESS] {
            assert!(!has_no_locks(&errno.into()));
        }
    }

    #[test]
    fn a_link_is_no_lock_file() {
        let directory = tempdir().unwrap();
        fs::write(directory.path().join("target"), "").unwrap();
        symlink(directory.path().join("target"), directory.path().join("lock")).unwrap();
        LockedDirectory::claim_stale(directory.path(), ON[1]).unwrap_err();
    }

    #[test]
    fn a_file_that_was_replaced_after_it_was_opened_is_not_at_its_path() {
        let directory = tempdir().unwrap();
        let path = directory.path().join("lock");
        let file = File::create(&path).unwrap();
        assert!(is_at(&file, &path).unwrap());
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path).unwrap());
        File::create(&path).unwrap();
        assert!(!is_at(&file, &path).unwrap());
    }

    #[test]
    fn removal_takes_the_contents_and_does_not_follow_links() {
        let (data, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
        fs::write(elsewhere.path().join("kept"), "x").unwrap();
        let path = data.path().join("d");
        fs::create_dir_all(path.join("db/wal")).unwrap();
        symlink(elsewhere.path(), path.join("link")).unwrap();
        let Claim::Held(directory) = LockedDirectory::claim(&path, ON[1]).unwrap() else { panic!("not held") };
        directory.remove(Duration::ZERO).unwrap();
        assert!(!directory.path().exists() && elsewhere.path().join("kept").is_file());
    }
}
