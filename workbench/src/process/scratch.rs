//! The directory for the databases of a run, and the removal of those of runs that were killed.
//!
//! Each process works in a directory of its own in the data directory, locks it, and removes it in the end. A directory
//! whose lock is free was left by a process that was killed: the next start removes it.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::error::ProcessError;
use crate::host::{Claim, LockOn, LockedDirectory};
use crate::load::{CrashTask, Observer};
use crate::trace::without_temporary_name;

const PREFIX: &str = ".ave-workbench-";
const LOCK: LockOn = LockOn::File("owner.lock");
/// Directories created until one is not removed by another process before it is locked.
const ATTEMPTS: usize = 64;
/// Longest time the removal of a stale directory is retried: a child of its former owner may still write for a moment.
const REMOVAL_TIMEOUT: Duration = Duration::from_secs(1);

/// A directory for databases that is removed when it is dropped.
///
/// A child that outlives this process for some milliseconds may keep it from being removed whole. The lock file goes last,
/// so the next start recognises the rest and removes it.
#[derive(Debug)]
pub(crate) struct Scratch(LockedDirectory);

impl Scratch {
    /// Creates one in `data_directory`, which is created as well, after removing stale ones.
    pub(crate) fn create(data_directory: &Path, observer: &dyn Observer) -> Result<Self, ProcessError> {
        let failed = |source| ProcessError::DataDirectory(data_directory.to_owned(), source);
        fs::create_dir_all(data_directory).map_err(failed)?;
        Self::remove_stale(data_directory, observer)?;
        let (scratch, is_locked) = Self::create_in(data_directory).map_err(failed)?;
        if !is_locked {
            observer.note(&format!(
                "the file system of {} has no locks: if this process is killed, remove its directory by hand: {}",
                data_directory.display(),
                scratch.path().display()
            ));
        }
        Ok(scratch)
    }

    /// Removes what killed processes left in `data_directory`, and notes it.
    pub(crate) fn remove_stale(data_directory: &Path, observer: &dyn Observer) -> Result<(), ProcessError> {
        let failed = |source| ProcessError::DataDirectory(data_directory.to_owned(), source);
        let (removed, failures) = remove_stale(data_directory).map_err(failed)?;
        let what = match removed {
            1 => "1 database directory that a killed workbench".to_owned(),
            count => format!("{count} database directories that killed workbenches"),
        };
        if removed > 0 {
            observer.note(&format!("removed {what} left in {}", data_directory.display()));
        }
        for failure in &failures {
            observer.note(failure);
        }
        Ok(())
    }

    /// The directory, and whether it is locked.
    fn create_in(data_directory: &Path) -> io::Result<(Self, bool)> {
        for _ in 0..ATTEMPTS {
            let path = tempfile::Builder::new()
                .prefix(PREFIX)
                .tempdir_in(data_directory)
                .map_err(without_temporary_name)?
                .keep();
            let claim = LockedDirectory::claim(&path, LOCK).inspect_err(|_| drop(fs::remove_dir_all(&path)))?;
            match claim {
                Claim::Held(directory) => return Ok((Self(directory), true)),
                Claim::NoLocks(directory) => return Ok((Self(directory), false)),
                // Another process has taken it for stale before it was locked.
                Claim::Busy | Claim::Gone => {}
            }
        }
        Err(io::Error::other("other processes keep removing directories that were just created"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // On failure the next start tries again.
        let _ = self.0.remove(Duration::ZERO);
    }
}

/// Removes directories with our prefix that are empty or hold a lock file that is not locked. Returns how many were removed,
/// and of the others why.
fn remove_stale(data_directory: &Path) -> io::Result<(usize, Vec<String>)> {
    let (mut removed, mut failures) = (0, Vec::new());
    for entry in fs::read_dir(data_directory)? {
        let entry = entry?;
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        // Links are not followed: this is the type of the entry itself.
        if !ours || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        match remove_if_stale(&entry.path()) {
            Ok(is_removed) => removed += usize::from(is_removed),
            Err(error) => {
                let path = entry.path();
                failures.push(format!("cannot remove {}, which a killed workbench left: {error}", path.display()));
            }
        }
    }
    Ok((removed, failures))
}

/// Whether this call removed it. A directory that cannot be read belongs to another user.
fn remove_if_stale(directory: &Path) -> io::Result<bool> {
    // An empty one is of a process that was killed before it created the lock file.
    if fs::remove_dir(directory).is_ok() {
        return Ok(true);
    }
    let Ok(Claim::Held(stale)) = LockedDirectory::claim_stale(directory, LOCK) else { return Ok(false) };
    #[cfg(target_os = "linux")]
    unmount_dead_below(directory);
    stale.remove(REMOVAL_TIMEOUT).map(|()| true)
}

/// Unmounts the file systems that a killed workbench served for power cuts.
#[cfg(target_os = "linux")]
fn unmount_dead_below(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        crate::power_cut::unmount_dead(&entry.path().join(CrashTask::DATABASE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;
    use std::sync::Mutex;
    use tempfile::tempdir;

    const LOCK_FILE: &str = "owner.lock";

    /// A directory with a database and, perhaps, a lock file.
    fn left_behind(data: &Path, name: &str, lock: bool) -> PathBuf {
        let directory = data.join(name);
        fs::create_dir_all(directory.join("db/wal")).unwrap();
        fs::write(directory.join("db/wal/000001.log"), "x").unwrap();
        fs::write(directory.join("CURRENT"), "x").unwrap();
        if lock {
            fs::write(directory.join(LOCK_FILE), "").unwrap();
        }
        directory
    }

    #[test]
    fn a_scratch_directory_is_removed_with_its_contents() {
        let data = tempdir().unwrap();
        let (scratch, _) = Scratch::create_in(data.path()).unwrap();
        fs::create_dir_all(scratch.path().join("a/b")).unwrap();
        fs::write(scratch.path().join("a/b/c"), "x").unwrap();
        assert!(scratch.path().starts_with(data.path()) && scratch.path().join(LOCK_FILE).is_file());
        drop(scratch);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_directories_that_no_process_locks_are_removed() {
        let data = tempdir().unwrap();
        let (used, _) = Scratch::create_in(data.path()).unwrap();
        fs::write(used.path().join("db"), "x").unwrap();
        let dead = left_behind(data.path(), ".ave-workbench-dead", true);
        let half_removed = left_behind(data.path(), ".ave-workbench-half", true);
        fs::remove_dir_all(half_removed.join("db")).unwrap();
        fs::remove_file(half_removed.join("CURRENT")).unwrap();
        let empty = data.path().join(".ave-workbench-empty");
        fs::create_dir(&empty).unwrap();
        assert_eq!(remove_stale(data.path()).unwrap(), (3, Vec::new()));
        assert!(!dead.exists() && !half_removed.exists() && !empty.exists());
        assert!(used.path().join("db").is_file() && used.path().join(LOCK_FILE).is_file());
        assert_eq!(remove_stale(data.path()).unwrap(), (0, Vec::new()));
    }

    #[test]
    fn links_files_and_directories_without_a_lock_file_stay() {
        let data = tempdir().unwrap();
        let elsewhere = tempdir().unwrap();
        let target = left_behind(elsewhere.path(), "target", true);
        symlink(&target, data.path().join(".ave-workbench-link")).unwrap();
        fs::write(data.path().join(".ave-workbench-file"), "x").unwrap();
        left_behind(data.path(), ".ave-workbench-older", false);
        left_behind(data.path(), "ave-workbench-visible", true);
        let linked = left_behind(data.path(), ".ave-workbench-linked-lock", false);
        symlink(target.join(LOCK_FILE), linked.join(LOCK_FILE)).unwrap();
        assert_eq!(remove_stale(data.path()).unwrap(), (0, Vec::new()));
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 5);
        assert!(target.join("db/wal/000001.log").is_file() && linked.join("CURRENT").is_file());
    }

    /// Between its creation and its lock, another process may remove a directory.
    #[test]
    fn concurrent_starts_never_remove_a_locked_directory() {
        let data = tempdir().unwrap();
        let held = Mutex::new(HashSet::new());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for round in 0..100 {
                        remove_stale(data.path()).unwrap();
                        let (scratch, _) = Scratch::create_in(data.path()).unwrap();
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
