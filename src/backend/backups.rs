//! A directory of backups.
//!
//! Each backup is a directory with all files of a closed database, and a list of them with their checksums. Files that
//! the previous backup has as well are hard links to it. So each backup can be opened for reading, copied, and deleted
//! on its own. RocksDB's own backup engine cannot limit its rate or verify checksums through the binding, and its
//! backups cannot be opened.
//!
//! A backup is written to a directory ending in `.tmp`, which is renamed once all files are synced and verified. An old
//! backup is renamed to such a name before it is deleted. So a directory with a number for a name is always complete.

use std::{
    collections::HashMap,
    fs::{self, File, TryLockError},
    io,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use ave_actors_store::Error;
use tracing::{debug, warn};

use super::{
    backup_list::{self, FileList, ListedFile, ROOT_FILE},
    directory::{self, BACKUP_LIST},
    error,
    file_copy::{self, CopyError},
    progress::{Meter, Progress},
};
use crate::files::sync_directory;

/// Extension of a directory that is no complete backup.
const UNFINISHED: &str = "tmp";

/// A directory of backups of one database: which ones to keep, and how fast to write.
///
/// ```
/// use ave_actors_rocksdb::{RocksDbManager, backend::{Backups, unobserved}};
/// use ave_actors_store::database::{DbManager, State};
///
/// let dir = tempfile::tempdir().unwrap();
/// let manager = RocksDbManager::new(&dir.path().join("db"), true, None)?;
/// State::put(&mut manager.create_state("snapshots", "actor-1")?, b"state")?;
///
/// let backups = Backups::new(dir.path().join("backups")).keep(7).bytes_per_second(50_000_000);
/// let backup = manager.backup(&backups, unobserved)?;
/// assert_eq!(backups.list()?, [backup.clone()]);
/// assert_eq!(backups.verify(Some(backup.id), unobserved)?, []);
///
/// let restored = dir.path().join("restored");
/// backups.restore(None, &restored, unobserved)?;
/// let copy = RocksDbManager::new(&restored, true, None)?;
/// assert_eq!(State::get(&copy.create_state("snapshots", "actor-1")?)?, b"state");
/// # Ok::<(), ave_actors_store::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Backups {
    path: PathBuf,
    keep: Option<usize>,
    bytes_per_second: Option<u64>,
}

/// A complete backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Its number. Later backups have higher ones.
    pub id: u64,
    /// Its directory, which [`RocksDbManager::open_read_only`](super::RocksDbManager::open_read_only) opens.
    pub path: PathBuf,
    /// When it was written, to the second.
    pub created: SystemTime,
    /// Size of its files, in bytes.
    pub bytes: u64,
    /// Size of the files that no earlier backup had, in bytes.
    pub copied_bytes: u64,
    /// Number of its files.
    pub files: usize,
}

/// A damaged or missing file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file. The directory if RocksDB does not name one.
    pub file: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl Backup {
    pub(super) fn new(id: u64, path: PathBuf, list: &FileList) -> Self {
        Self {
            id,
            path,
            created: backup_list::time(list.created),
            bytes: list.bytes(),
            copied_bytes: list.copied_bytes,
            files: list.files.len(),
        }
    }
}

impl Backups {
    /// The backups in the directory `path`, which the first backup creates. Keeps all backups, without a rate limit.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), keep: None, bytes_per_second: None }
    }

    /// Each new backup deletes older ones, except for the latest `count`, the new one included. At least 1.
    #[must_use]
    pub fn keep(self, count: usize) -> Self {
        Self { keep: Some(count.max(1)), ..self }
    }

    /// Limits the bytes per second that a backup copies and afterwards reads back, and those that verifications and
    /// restorations read. At least 1.
    #[must_use]
    pub fn bytes_per_second(self, limit: u64) -> Self {
        Self { bytes_per_second: Some(limit.max(1)), ..self }
    }

    /// The directory of the backups.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All complete backups, oldest first. One whose list of files is damaged is missing; [`Backups::verify`] reports it.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if the directory is no directory of backups, or cannot be read.
    pub fn list(&self) -> Result<Vec<Backup>, Error> {
        self.database()?;
        let backups = self.ids()?.into_iter().filter_map(|id| {
            let path = self.backup_path(id);
            match FileList::read(&path) {
                Ok(list) => Some(Backup::new(id, path, &list)),
                Err(cause) => {
                    warn!(path = %path.display(), %cause, "ignoring a damaged backup");
                    None
                }
            }
        });
        Ok(backups.collect())
    }

    /// Whether `path` is a directory of backups.
    pub fn is_directory_of_backups(path: &Path) -> bool {
        matches!(backup_list::read_root(path), Ok(Some(_)))
    }

    /// Reads every file of the backup `id`, or of all backups, and compares size and checksum. Returns what is damaged.
    /// A file that several backups share is read once.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if there is no such backup, if a backup is being written, if a file cannot be read for another
    /// reason than damage, or if the observer has ended the verification.
    pub fn verify(
        &self,
        id: Option<u64>,
        mut observer: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Vec<Damage>, Error> {
        self.database()?;
        let _lock = self.lock_shared()?;
        let ids = self.ids()?;
        let ids = match id {
            Some(id) if ids.contains(&id) => vec![id],
            Some(id) => return Err(self.no_such_backup(id)),
            None => ids,
        };
        let mut damage = Vec::new();
        let mut files = Vec::new();
        for id in ids {
            let path = self.backup_path(id);
            match FileList::read(&path) {
                Ok(list) => files.extend(list.files.into_iter().map(|file| (path.join(&file.name), file))),
                Err(cause) => damage.push(Damage { file: path.join(BACKUP_LIST), reason: cause.to_string() }),
            }
        }
        let total = distinct(&files).map(|(_, file)| file.bytes).sum();
        let mut meter = Meter::new(&mut observer, total, self.bytes_per_second);
        let mut read = HashMap::new();
        for (path, file) in &files {
            if let Some(reason) = check(path, file, &mut read, &mut meter)? {
                damage.push(Damage { file: path.clone(), reason });
            }
        }
        Ok(damage)
    }

    /// Prepares the directory for a backup of `database`, its identity. Fails if it belongs to another database or
    /// program, or while another backup is being written.
    pub(super) fn begin(&self, database: &str) -> Result<NewBackup<'_>, Error> {
        let root = &self.path;
        directory::create(root).map_err(|cause| error::file("create the directory", root, &cause))?;
        match self.identity()? {
            Some(owner) if owner == database => {}
            Some(_) => return Err(self.refused("it has backups of another database. Choose another directory")),
            None => {
                if let Some(name) = self.names()?.into_iter().find(|name| !is_ignored(name)) {
                    let reason =
                        format!("it is no directory of backups: found '{name}'. Choose a new or empty directory");
                    return Err(self.refused(&reason));
                }
                let file = root.join(ROOT_FILE);
                backup_list::write_root(root, database).map_err(|cause| error::file("write", &file, &cause))?;
            }
        }
        let lock = self.lock_exclusive()?;
        self.remove_unfinished()?;
        let previous = self.list()?.pop();
        let previous = previous.map(|backup| FileList::read(&backup.path).map(|list| (backup.path, list)));
        let previous = previous.transpose().map_err(|cause| error::file("read a list of files in", root, &cause))?;
        let id = self.ids()?.last().map_or(1, |last| last + 1);
        Ok(NewBackup { backups: self, _lock: lock, id, previous })
    }

    /// The identity of the database.
    fn database(&self) -> Result<String, Error> {
        self.identity()?.ok_or_else(|| {
            let path = self.path.display();
            error::backup(format!("{path} is no directory of backups: it has no file '{ROOT_FILE}'. Check the path"))
        })
    }

    fn identity(&self) -> Result<Option<String>, Error> {
        backup_list::read_root(&self.path).map_err(|cause| error::file("read", &self.path.join(ROOT_FILE), &cause))
    }

    fn refused(&self, reason: &str) -> Error {
        error::backup(format!("cannot write backups to {}: {reason}", self.path.display()))
    }

    pub(super) fn no_such_backup(&self, id: u64) -> Error {
        error::backup(format!("{} has no backup {id}", self.path.display()))
    }

    fn lock_exclusive(&self) -> Result<File, Error> {
        self.lock(File::try_lock, "another backup is being written to it or restored from it")
    }

    /// Backups are not deleted while the lock is held.
    pub(super) fn lock_shared(&self) -> Result<File, Error> {
        self.lock(File::try_lock_shared, "a backup is being written to it")
    }

    fn lock(&self, lock: impl FnOnce(&File) -> Result<(), TryLockError>, held: &str) -> Result<File, Error> {
        let path = self.path.join(ROOT_FILE);
        let file = File::open(&path).map_err(|cause| error::file("open", &path, &cause))?;
        match lock(&file) {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                Err(error::backup(format!("{} is in use: {held}. Try again later", self.path.display())))
            }
            Err(TryLockError::Error(cause)) => Err(error::file("lock", &path, &cause)),
        }
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        directory::list(&self.path).map_err(|cause| error::file("list the directory", &self.path, &cause))
    }

    /// Numbers of the complete backups, ascending.
    pub(super) fn ids(&self) -> Result<Vec<u64>, Error> {
        let mut ids: Vec<u64> = self.names()?.iter().filter_map(|name| name.parse().ok()).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    pub(super) fn backup_path(&self, id: u64) -> PathBuf {
        self.path.join(format!("{id:06}"))
    }

    pub(super) fn rate(&self) -> Option<u64> {
        self.bytes_per_second
    }

    /// Removes what killed processes have left.
    fn remove_unfinished(&self) -> Result<(), Error> {
        for name in self.names()?.iter().filter(|name| is_unfinished(name)) {
            let path = self.path.join(name);
            debug!(path = %path.display(), "removing an incomplete backup");
            fs::remove_dir_all(&path).map_err(|cause| error::file("remove", &path, &cause))?;
        }
        Ok(())
    }

    /// Deletes all but the latest backups.
    fn prune(&self) -> Result<(), Error> {
        let Some(keep) = self.keep else { return Ok(()) };
        let mut backups = self.list()?;
        backups.truncate(backups.len().saturating_sub(keep));
        for Backup { id, path, .. } in backups {
            let doomed = path.with_extension(UNFINISHED);
            debug!(path = %path.display(), "deleting an old backup");
            fs::rename(&path, &doomed)
                .and_then(|()| sync_directory(&self.path))
                .and_then(|()| fs::remove_dir_all(&doomed))
                .map_err(|cause| error::file(&format!("delete the old backup {id} in"), &self.path, &cause))?;
        }
        Ok(())
    }
}

/// A backup that is being written. The directory is locked.
pub(super) struct NewBackup<'a> {
    backups: &'a Backups,
    _lock: File,
    id: u64,
    previous: Option<(PathBuf, FileList)>,
}

impl NewBackup<'_> {
    /// Writes the files of `source`, a database that nothing changes meanwhile, verifies them, and deletes old backups.
    /// After an error, all earlier backups are unchanged.
    pub(super) fn write(
        self,
        source: &Path,
        observer: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Backup, Error> {
        let path = self.backups.backup_path(self.id);
        let unfinished = path.with_extension(UNFINISHED);
        let list = self.fill(source, &unfinished, observer).inspect_err(|_| {
            // The next backup removes what remains.
            drop(fs::remove_dir_all(&unfinished));
        })?;
        fs::rename(&unfinished, &path)
            .and_then(|()| sync_directory(&self.backups.path))
            .map_err(|cause| error::file("complete the backup", &path, &cause))?;
        self.backups.prune()?;
        Ok(Backup::new(self.id, path, &list))
    }

    fn fill(
        &self,
        source: &Path,
        target: &Path,
        observer: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<FileList, Error> {
        let failed = |action: &str, path: &Path| {
            let (action, path) = (action.to_owned(), path.to_path_buf());
            move |cause: io::Error| error::file(&action, &path, &cause)
        };
        fs::create_dir(target).map_err(failed("create the directory", target))?;
        let files = source_files(source).map_err(failed("list the files of", source))?;
        let (mut linked, mut copied) = (Vec::new(), Vec::new());
        for file in files {
            match self.link(&file, target) {
                Some(file) => linked.push(file),
                None => copied.push(file),
            }
        }
        let copied_bytes = copied.iter().map(|file| file.bytes).sum();
        let mut meter = Meter::new(observer, 2 * copied_bytes, self.backups.bytes_per_second);
        for file in &mut copied {
            let (from, to) = (source.join(&file.name), target.join(&file.name));
            file.checksum = file_copy::copy(&from, &to, file.bytes, &mut meter)
                .map_err(|cause| copy_error(cause, &from, &to, INTERRUPTED))?;
        }
        sync_directory(target).map_err(failed("sync", target))?;
        let mut read = HashMap::new();
        for file in &copied {
            let path = target.join(&file.name);
            if let Some(reason) = check(&path, file, &mut read, &mut meter)? {
                let path = path.display();
                let reason = format!("cannot verify the backup: {path}: {reason}. Check the disk");
                return Err(error::backup(reason));
            }
        }
        let files = linked.into_iter().chain(copied).collect();
        let list = FileList { created: backup_list::now(), copied_bytes, files };
        list.write(target).map_err(failed("write the list of files to", target))?;
        Ok(list)
    }

    /// Links a file that the previous backup has. `None` if it does not, or the file system has no hard links.
    fn link(&self, file: &ListedFile, target: &Path) -> Option<ListedFile> {
        let (directory, list) = self.previous.as_ref()?;
        let known = list.find(&file.name)?;
        let path = directory.join(&file.name);
        let is_same = is_immutable(&file.name)
            && (known.bytes, known.modified_ns) == (file.bytes, file.modified_ns)
            && fs::metadata(&path).is_ok_and(|metadata| metadata.len() == file.bytes);
        (is_same && fs::hard_link(&path, target.join(&file.name)).is_ok()).then(|| known.clone())
    }
}

const INTERRUPTED: &str = "the backup was interrupted. Earlier backups are unchanged";

pub(super) fn copy_error(cause: CopyError, from: &Path, to: &Path, interrupted: &str) -> Error {
    match cause {
        CopyError::Interrupted => error::backup(interrupted),
        CopyError::Read(cause) => error::file("read", from, &cause),
        CopyError::Write(cause) => error::file("write", to, &cause),
    }
}

/// Whether RocksDB never changes the content of such a file.
fn is_immutable(name: &str) -> bool {
    matches!(Path::new(name).extension().and_then(|extension| extension.to_str()), Some("sst" | "blob"))
}

/// Whether a directory with this name alone may become one of backups.
fn is_ignored(name: &str) -> bool {
    // The last is left by a process that was killed at the very beginning.
    matches!(name, "lost+found" | "BACKUPS.tmp")
}

fn is_unfinished(name: &str) -> bool {
    name.strip_suffix(UNFINISHED).and_then(|name| name.strip_suffix('.')).is_some_and(|id| id.parse::<u64>().is_ok())
}

/// The files of a closed database, without checksums.
fn source_files(source: &Path) -> io::Result<Vec<ListedFile>> {
    let mut files = Vec::new();
    for name in directory::list(source)? {
        let metadata = fs::metadata(source.join(&name))?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let modified_ns = u64::try_from(modified.as_nanos()).unwrap_or(u64::MAX);
        files.push(ListedFile { name, bytes: metadata.len(), modified_ns, checksum: 0 });
    }
    Ok(files)
}

/// Identifies a file under all its names.
type Inode = (u64, u64);

#[cfg(unix)]
fn inode(path: &Path) -> Option<Inode> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn inode(_: &Path) -> Option<Inode> {
    None
}

/// The files without those that are hard links to an earlier one.
fn distinct(files: &[(PathBuf, ListedFile)]) -> impl Iterator<Item = &(PathBuf, ListedFile)> {
    let mut seen = std::collections::HashSet::new();
    files.iter().filter(move |(path, _)| inode(path).is_none_or(|inode| seen.insert(inode)))
}

/// Returns what is wrong with a file. `read`: the checksums of the files that were read already.
fn check(
    path: &Path,
    file: &ListedFile,
    read: &mut HashMap<Inode, u32>,
    meter: &mut Meter<'_>,
) -> Result<Option<String>, Error> {
    let bytes = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Some("the file is missing".to_owned())),
        Err(cause) => return Err(error::file("access", path, &cause)),
    };
    if bytes != file.bytes {
        return Ok(Some(format!("its size is {bytes} bytes instead of {}", file.bytes)));
    }
    let inode = inode(path);
    let known = inode.and_then(|inode| read.get(&inode).copied());
    let checksum = match known {
        Some(checksum) => checksum,
        None => match file_copy::checksum(path, meter) {
            Ok(checksum) => checksum,
            Err(CopyError::Read(cause)) if error::is_disk_failure(&cause) => return Ok(Some(cause.to_string())),
            Err(cause) => return Err(copy_error(cause, path, path, "the verification was interrupted")),
        },
    };
    if let Some(inode) = inode {
        read.insert(inode, checksum);
    }
    Ok((checksum != file.checksum).then(|| format!("its checksum is {checksum:08x} instead of {:08x}", file.checksum)))
}
