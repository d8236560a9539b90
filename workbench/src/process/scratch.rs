//! Where the databases of a run lie, and what becomes of those of a run that was killed.
//!
//! Each workbench works in a directory of its own in the data directory and removes it in the end. In it lies a file that
//! its owner holds a lock on. The kernel lets go of the lock with the process, however that dies, so that the next start
//! can tell a directory that was left behind from one in use, and removes it.
//!
//! A directory is there for a moment before its lock is held, and somebody who starts just then may take it for left
//! behind. Whoever made it finds that out, because the lock is taken or the directory gone, and makes another one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::cli::error::CliError;
use crate::cli::output::Output;

/// What the names of these directories begin with.
const PREFIX: &str = ".ave-workbench-";
/// The file that is locked.
const LOCK: &str = "owner.lock";
/// Directories that are made until one is not taken from under this process.
const ATTEMPTS: usize = 64;
/// How often the removal of what was left behind is tried: a process of the dead owner, about to die as well, may still
/// write.
const REMOVALS: usize = 20;
/// Interval between them.
const BETWEEN_REMOVALS: Duration = Duration::from_millis(50);

/// A directory for databases that is removed when it is dropped.
///
/// A child that outlives this process for some milliseconds may write into it after that, or keep it from being removed
/// whole: the next start tries again, as long as the lock file is there, which goes last.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Makes one in `data_directory`, which is made as well, after it has removed what killed workbenches left there.
    pub(crate) fn create(data_directory: &Path, output: Output) -> Result<Self, CliError> {
        let failed = |source| CliError::DataDirectory { path: data_directory.to_owned(), source };
        fs::create_dir_all(data_directory).map_err(failed)?;
        Self::remove_left_behind(data_directory, output)?;
        Self::create_in(data_directory).map_err(failed)
    }

    /// Removes what killed workbenches left in `data_directory`, and says so.
    pub(crate) fn remove_left_behind(data_directory: &Path, output: Output) -> Result<(), CliError> {
        let failed = |source| CliError::DataDirectory { path: data_directory.to_owned(), source };
        let stale = remove_stale(data_directory).map_err(failed)?;
        tell(output, data_directory, &stale);
        Ok(())
    }

    fn create_in(data_directory: &Path) -> io::Result<Self> {
        for _ in 0..ATTEMPTS {
            let path = tempfile::Builder::new().prefix(PREFIX).tempdir_in(data_directory)?.keep();
            match own(&path) {
                Ok(Some(lock)) => return Ok(Self { path, _lock: lock }),
                Ok(None) => {}
                Err(error) => {
                    // What went wrong is told; what cannot be removed now is removed by the next start.
                    let _ = remove(&path);
                    return Err(error);
                }
            }
        }
        Err(io::Error::other("others keep removing directories that were just made"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // There is nobody to tell. The next start tries again.
        let _ = remove(&self.path);
    }
}

/// Locks a directory that was just made; `None` if somebody took it for left behind.
fn own(directory: &Path) -> io::Result<Option<File>> {
    let path = directory.join(LOCK);
    let lock = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(None),
        // A file system without locks. Nobody else can lock it there, so nobody takes it for left behind.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
        Err(TryLockError::Error(error)) => return Err(error),
        Ok(()) => {}
    }
    Ok(is_at(&lock, &path)?.then_some(lock))
}

/// Whether an open file is the one at a path, and not one that was removed.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// What was done about directories that killed workbenches left.
#[derive(Debug, Default)]
struct Stale {
    removed: usize,
    /// Those that are still there, and why.
    left: Vec<(PathBuf, io::Error)>,
}

/// Removes what killed workbenches left, and only that: directories with the name of ours that are empty or hold a lock
/// file which nobody has locked.
fn remove_stale(data_directory: &Path) -> io::Result<Stale> {
    let mut stale = Stale::default();
    for entry in fs::read_dir(data_directory)? {
        let entry = entry?;
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        // Links are not followed: this is the type of the entry itself.
        if !ours || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        match remove_if_stale(&entry.path()) {
            Ok(true) => stale.removed += 1,
            Ok(false) => {}
            Err(error) => stale.left.push((entry.path(), error)),
        }
    }
    Ok(stale)
}

/// Whether this call removed it. What cannot be looked at is somebody else's.
fn remove_if_stale(directory: &Path) -> io::Result<bool> {
    // One whose owner was killed before it made the lock file. Any other is left alone by this.
    if fs::remove_dir(directory).is_ok() {
        return Ok(true);
    }
    let path = directory.join(LOCK);
    let no_link = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let Ok(lock) = OpenOptions::new().read(true).custom_flags(no_link).open(&path) else { return Ok(false) };
    if lock.try_lock().is_err() || !is_at(&lock, &path)? {
        return Ok(false);
    }
    // The lock is held until all is gone, so that of two starts one does it.
    let mut removed = remove(directory);
    for _ in 0..REMOVALS {
        if removed.is_ok() {
            break;
        }
        std::thread::sleep(BETWEEN_REMOVALS);
        removed = remove(directory);
    }
    removed.map(|()| true)
}

/// The lock file goes last: without it, what is left of a removal that was interrupted would be nobody's.
fn remove(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name() == LOCK {
            continue;
        }
        let removed =
            if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
        gone(removed)?;
    }
    gone(fs::remove_file(directory.join(LOCK)))?;
    gone(fs::remove_dir(directory))
}

/// Whoever removed it, it is gone.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.raw_os_error() == Some(Errno::NOENT.raw_os_error()) => Ok(()),
        removed => removed,
    }
}

fn tell(output: Output, data_directory: &Path, stale: &Stale) {
    let place = data_directory.display();
    let removed = match stale.removed {
        0 => None,
        1 => Some("1 database directory that a killed workbench".to_owned()),
        count => Some(format!("{count} database directories that killed workbenches")),
    };
    if let Some(removed) = removed {
        output.progress(&format!("removed {removed} left in {place}"));
    }
    for (path, error) in &stale.left {
        output.progress(&format!("cannot remove {}, which a killed workbench left: {error}", path.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::os::unix::fs::symlink;
    use std::sync::Mutex;
    use tempfile::tempdir;

    /// A directory with a database and, perhaps, a lock file.
    fn left_behind(data: &Path, name: &str, lock: bool) -> PathBuf {
        let directory = data.join(name);
        fs::create_dir_all(directory.join("db/wal")).unwrap();
        fs::write(directory.join("db/wal/000001.log"), "x").unwrap();
        fs::write(directory.join("CURRENT"), "x").unwrap();
        if lock {
            fs::write(directory.join(LOCK), "").unwrap();
        }
        directory
    }

    #[test]
    fn a_scratch_directory_goes_with_all_that_is_in_it() {
        let data = tempdir().unwrap();
        let scratch = Scratch::create_in(data.path()).unwrap();
        fs::create_dir_all(scratch.path().join("a/b")).unwrap();
        fs::write(scratch.path().join("a/b/c"), "x").unwrap();
        assert!(scratch.path().starts_with(data.path()) && scratch.path().join(LOCK).is_file());
        drop(scratch);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_the_living_use_stays_and_what_the_dead_left_goes() {
        let data = tempdir().unwrap();
        let living = Scratch::create_in(data.path()).unwrap();
        fs::write(living.path().join("db"), "x").unwrap();
        let dead = left_behind(data.path(), ".ave-workbench-dead", true);
        let hardly_born = data.path().join(".ave-workbench-empty");
        fs::create_dir(&hardly_born).unwrap();
        assert_eq!(remove_stale(data.path()).unwrap().removed, 2);
        assert!(!dead.exists() && !hardly_born.exists());
        assert!(living.path().join("db").is_file() && living.path().join(LOCK).is_file());
        assert_eq!(remove_stale(data.path()).unwrap().removed, 0);
    }

    #[test]
    fn what_is_not_such_a_directory_stays() {
        let data = tempdir().unwrap();
        let elsewhere = tempdir().unwrap();
        let target = left_behind(elsewhere.path(), "target", true);
        symlink(&target, data.path().join(".ave-workbench-link")).unwrap();
        fs::write(data.path().join(".ave-workbench-file"), "x").unwrap();
        left_behind(data.path(), ".ave-workbench-older", false);
        left_behind(data.path(), "ave-workbench-visible", true);
        let linked = left_behind(data.path(), ".ave-workbench-linked-lock", false);
        symlink(target.join(LOCK), linked.join(LOCK)).unwrap();

        let stale = remove_stale(data.path()).unwrap();
        assert!(stale.removed == 0 && stale.left.is_empty(), "{stale:?}");
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 5);
        assert!(target.join("db/wal/000001.log").is_file() && linked.join("CURRENT").is_file());
    }

    #[test]
    fn a_removal_that_was_interrupted_is_finished_by_the_next_start() {
        let data = tempdir().unwrap();
        let dead = left_behind(data.path(), ".ave-workbench-dead", true);
        fs::remove_dir_all(dead.join("db")).unwrap();
        fs::remove_file(dead.join("CURRENT")).unwrap();
        assert_eq!(remove_stale(data.path()).unwrap().removed, 1);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
    }

    #[test]
    fn links_in_what_was_left_are_removed_and_not_followed() {
        let data = tempdir().unwrap();
        let elsewhere = tempdir().unwrap();
        fs::write(elsewhere.path().join("kept"), "x").unwrap();
        let dead = left_behind(data.path(), ".ave-workbench-dead", true);
        symlink(elsewhere.path(), dead.join("link")).unwrap();
        assert_eq!(remove_stale(data.path()).unwrap().removed, 1);
        assert!(elsewhere.path().join("kept").is_file() && !dead.exists());
    }

    /// Between a directory and its lock there is a moment in which others may remove it.
    #[test]
    fn starts_at_once_never_take_what_another_holds() {
        let data = tempdir().unwrap();
        let held = Mutex::new(HashSet::new());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for round in 0..100 {
                        remove_stale(data.path()).unwrap();
                        let scratch = Scratch::create_in(data.path()).unwrap();
                        assert!(held.lock().unwrap().insert(scratch.path().to_owned()), "held by two");
                        let file = scratch.path().join(format!("{round}"));
                        fs::write(&file, "x").unwrap();
                        std::thread::yield_now();
                        assert!(file.is_file(), "taken away while it was held");
                        held.lock().unwrap().remove(scratch.path());
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
    }
}
