//! Whether a database is in use, for changes to its files before RocksDB opens and locks it.

use std::{
    collections::BTreeSet,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::{
    fs::{FlockOperation, fcntl_lock},
    io::Errno,
};

/// The databases that this process has open, or is about to open.
static OPEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The entry of a database in [`OPEN`].
pub(super) struct OpenPath(PathBuf);

impl OpenPath {
    /// Call before an opening. `path` is canonical. `None` if this process has the database open.
    pub(super) fn claim(path: &Path) -> Option<Self> {
        open_paths().insert(path.to_path_buf()).then(|| Self(path.to_path_buf()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Runs `change` unless another process has the database open.
    ///
    /// Takes the lock that RocksDB takes. A process loses it when it closes *any* descriptor of the file, so this never
    /// happens while this process has the database open.
    pub(super) fn run_locked(&self, change: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
        let lock = File::options().write(true).create(true).truncate(false).open(self.0.join("LOCK"))?;
        match fcntl_lock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => change(&self.0),
            Err(Errno::AGAIN | Errno::ACCESS) => Ok(()),
            Err(cause) => Err(cause.into()),
        }
    }
}

impl Drop for OpenPath {
    fn drop(&mut self) {
        open_paths().remove(&self.0);
    }
}

fn open_paths() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}
