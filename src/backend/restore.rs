//! Restores a backup.
//!
//! The file `CURRENT` makes a directory a database. Its content is written first, under the name [`RESTORING`], and
//! gets its name last, when all other files are verified and synced. So a directory with [`RESTORING`] is an incomplete
//! restoration, and no other state of one exists. A rename of the whole directory would not do: it may be a mount point.

use std::{
    fs, io,
    ops::ControlFlow,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use ave_actors_store::Error;
use tracing::debug;

use super::{
    backup_list::{FileList, ListedFile},
    backups::{Backup, Backups, copy_error},
    directory::{self, CURRENT, RESTORING},
    error, file_copy,
    progress::{Meter, Progress},
};
use crate::files::sync_directory;

impl Backups {
    /// Copies the backup `id`, or the latest, to the directory `to`, which must not exist or be empty, and compares
    /// sizes and checksums. Returns the restored backup.
    ///
    /// A restoration that was killed leaves a directory that no manager opens. Call this again, and it begins anew.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]
    ///
    /// * if there is no such backup, or it is damaged,
    /// * if a backup is being written,
    /// * if `to` contains anything, even files of another program,
    /// * if `to` cannot be written, or the observer has ended the restoration. What was written is removed.
    pub fn restore(
        &self,
        id: Option<u64>,
        to: &Path,
        mut observer: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Backup, Error> {
        let backups = self.list()?;
        let _lock = self.lock_shared()?;
        let backup = match id {
            // Its list may be damaged: reading it fails with the reason.
            Some(id) if self.ids()?.contains(&id) => id,
            Some(id) => return Err(self.no_such_backup(id)),
            None => match backups.last() {
                Some(latest) => latest.id,
                None => return Err(error::backup(format!("{} has no backup", self.path().display()))),
            },
        };
        let path = self.backup_path(backup);
        let list = FileList::read(&path)
            .map_err(|cause| error::backup(format!("the backup {} is damaged: {cause}", path.display())))?;
        debug!(from = %path.display(), to = %to.display(), "restoring a backup");
        prepare(to)?;
        let mut meter = Meter::new(&mut observer, list.bytes(), self.rate());
        copy_all(&path, to, &list, &mut meter).inspect_err(|_| drop(clear(to)))?;
        Ok(Backup::new(backup, path, &list))
    }
}

/// Creates the directory, or removes an incomplete restoration from it.
fn prepare(to: &Path) -> Result<(), Error> {
    directory::create(to).map_err(|cause| error::file("create the directory", to, &cause))?;
    let names = directory::list(to).map_err(|cause| error::file("list the directory", to, &cause))?;
    let is_unfinished = names.iter().any(|name| name == RESTORING) && !names.iter().any(|name| name == CURRENT);
    match names.iter().find(|name| *name != "lost+found") {
        None => Ok(()),
        Some(_) if is_unfinished => clear(to).map_err(|cause| error::file("empty the directory", to, &cause)),
        Some(name) => Err(error::backup(format!(
            "cannot restore to {}: it is not empty, it has '{name}'. Choose a new directory, or move its content away",
            to.display()
        ))),
    }
}

/// Removes the files of an incomplete restoration, the one that marks it last.
fn clear(to: &Path) -> io::Result<()> {
    for name in directory::list(to)?.iter().filter(|name| *name != "lost+found" && *name != RESTORING) {
        fs::remove_file(to.join(name))?;
    }
    match fs::remove_file(to.join(RESTORING)) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => sync_directory(to),
    }
}

fn copy_all(from: &Path, to: &Path, list: &FileList, meter: &mut Meter<'_>) -> Result<(), Error> {
    let damaged = |what: &str| error::backup(format!("the backup {} is damaged: {what}. Use another", from.display()));
    let failed = |cause: io::Error| error::file("write", to, &cause);
    let current = list.find(CURRENT).ok_or_else(|| damaged("it has no file CURRENT"))?;
    let others = list.files.iter().filter(|file| file.name != CURRENT);
    for (file, name) in [(current, RESTORING)].into_iter().chain(others.map(|file| (file, file.name.as_str()))) {
        let (source, target) = (from.join(&file.name), to.join(name));
        let checksum = file_copy::copy(&source, &target, u64::MAX, meter).map_err(|cause| {
            copy_error(cause, &source, &target, "the restoration was interrupted. What it wrote is removed")
        })?;
        if checksum != file.checksum || fs::metadata(&target).map_err(failed)?.len() != file.bytes {
            return Err(damaged(&format!("{} has another checksum or size", file.name)));
        }
        set_modified(&target, file).map_err(failed)?;
        // The mark is on the disk before the first file.
        if file.name == CURRENT {
            sync_directory(to).map_err(failed)?;
        }
    }
    sync_directory(to).map_err(failed)?;
    fs::rename(to.join(RESTORING), to.join(CURRENT)).and_then(|()| sync_directory(to)).map_err(failed)
}

/// The next backup of the restored database recognizes the file by its time.
fn set_modified(path: &Path, file: &ListedFile) -> io::Result<()> {
    fs::File::options().write(true).open(path)?.set_modified(UNIX_EPOCH + Duration::from_nanos(file.modified_ns))
}
