//! Inspects a directory before RocksDB opens it: a database, an empty directory for a new one, or foreign files.
//!
//! Changes nothing, except that it creates a missing directory.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ave_actors_store::Error;

use super::error::{self, ErrorContext};
use crate::files::{directory_of, sync_directory};

/// The file that makes a directory a database.
pub(super) const CURRENT: &str = "CURRENT";
/// Its name while a backup is restored to the directory.
pub(super) const RESTORING: &str = "CURRENT.restoring";
/// The file that makes a directory a backup.
pub(super) const BACKUP_LIST: &str = "BACKUP";
/// First part of the names of checkpoints that an operation removes when it ends.
const TRANSIENT: &str = "transient-checkpoint-";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contents {
    /// No files, or only those of an incomplete creation: a database can be created.
    Empty,
    /// A database whose creation was completed.
    Database,
}

/// Creates the directory of the database if it is missing, makes the path of `context` canonical, and returns what the
/// directory contains.
///
/// RocksDB opens files by path until it closes, so a relative path must not depend on the working directory. Within a
/// process it identifies a database in use by its path alone, so each database must have one path.
pub(super) fn prepare(context: &mut ErrorContext) -> Result<Contents, Error> {
    let path = context.path();
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => {
            return Err(error::create(format!("{} is a file, not a directory. Choose another path", path.display())));
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            create(path).map_err(|cause| error::directory(context, "create the directory", path, &cause))?;
        }
        Err(cause) => return Err(error::directory(context, "access", path, &cause)),
    }
    let contents = canonicalize(context).and_then(|()| inspect(context))?;
    let path = context.path();
    if path.join(BACKUP_LIST).exists() {
        return Err(error::is_a_backup(path));
    }
    Ok(contents)
}

/// Like [`prepare`], for a database that is only read. Fails if there is none.
pub(super) fn find(context: &mut ErrorContext) -> Result<(), Error> {
    canonicalize(context)?;
    match inspect(context)? {
        Contents::Database => Ok(()),
        Contents::Empty => Err(error::no_database(context.path())),
    }
}

fn canonicalize(context: &mut ErrorContext) -> Result<(), Error> {
    let path = context.path();
    let canonical = fs::canonicalize(path).map_err(|cause| error::directory(context, "access", path, &cause))?;
    context.set_path(canonical);
    Ok(())
}

/// Whether another process has the database in `path` open for writing. Managers of this process do not count. Always
/// `false` on systems other than Unix.
///
/// ```
/// use ave_actors_rocksdb::backend::is_in_use;
///
/// let dir = tempfile::tempdir().unwrap();
/// assert!(!is_in_use(dir.path()).unwrap());
/// ```
///
/// # Errors
///
/// The lock file cannot be read.
#[cfg(unix)]
pub fn is_in_use(database: &Path) -> io::Result<bool> {
    use rustix::process::{Flock, FlockType, fcntl_getlk};
    let lock = match fs::File::open(database.join("LOCK")) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(false),
        lock => lock?,
    };
    Ok(fcntl_getlk(&lock, &Flock::from(FlockType::WriteLock))?.is_some())
}

/// Unknown on this system.
///
/// # Errors
///
/// None.
#[cfg(not(unix))]
pub fn is_in_use(_: &Path) -> io::Result<bool> {
    Ok(false)
}

/// The version in the newest options file.
pub(super) fn rocksdb_version(database: &Path) -> Option<String> {
    let newest = list(database).ok()?.into_iter().rfind(|name| name.starts_with("OPTIONS-"))?;
    let text = fs::read_to_string(database.join(newest)).ok()?;
    text.lines().find_map(|line| line.trim().strip_prefix("rocksdb_version=")).map(str::to_owned)
}

/// A path in a database for a checkpoint that is removed after use. `n` is unique in this process.
pub(super) fn transient_checkpoint(database: &Path, n: u64) -> PathBuf {
    database.join(format!("{TRANSIENT}{n}"))
}

/// Removes the transient checkpoints of killed processes: they keep the space of files that are no longer used.
pub(super) fn remove_transient_checkpoints(database: &Path) -> io::Result<()> {
    let names = list(database)?;
    names.iter().filter(|name| name.starts_with(TRANSIENT)).try_for_each(|name| fs::remove_dir_all(database.join(name)))
}

/// Creates a directory and its missing parents, each so that it survives a power loss. Removes a directory whose parent
/// cannot be synced: a later open would not sync it again.
pub(super) fn create(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = directory_of(path);
    if parent != path {
        create(parent)?;
    }
    match fs::create_dir(path) {
        Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists || !path.is_dir() => Err(cause),
        // Another process may have created it just now, or the path ends in `..`.
        _ => sync_directory(parent).inspect_err(|_| drop(fs::remove_dir(path))),
    }
}

fn inspect(context: &ErrorContext) -> Result<Contents, Error> {
    let path = context.path();
    let names = list(path).map_err(|cause| error::directory(context, "list the directory", path, &cause))?;
    if let Some(name) = names.iter().find(|name| has_extension(name, "ldb")) {
        return Err(error::not_a_database(path, "the LevelDB table", name));
    }
    if names.iter().any(|name| name == CURRENT) {
        let current = path.join(CURRENT);
        fs::read(&current).map_err(|cause| error::directory(context, "read", &current, &cause))?;
        return Ok(Contents::Database);
    }
    if names.iter().any(|name| name == RESTORING) {
        return Err(error::incomplete_restoration(path));
    }
    match names.iter().find(|name| !is_leftover(name)) {
        None => Ok(Contents::Empty),
        Some(name) if is_database_file(name) => Err(error::current_file_missing(path, name)),
        Some(name) => Err(error::not_a_database(path, "no CURRENT file, but", name)),
    }
}

/// Fails if `path` exists or its parent directory does not.
pub(super) fn check_checkpoint_target(path: &Path) -> Result<(), Error> {
    if path.symlink_metadata().is_ok() {
        return Err(error::checkpoint_target(path, "the path already exists. Choose a path that does not exist"));
    }
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() || parent.is_dir() => Ok(()),
        _ => Err(error::checkpoint_target(path, "its parent directory does not exist. Create it first")),
    }
}

/// Size of the SST files.
pub(super) fn table_bytes(database: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for name in list(database)?.iter().filter(|name| has_extension(name, "sst")) {
        bytes += match fs::metadata(database.join(name)) {
            // Another process has the database open, and deleted the file just now.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => 0,
            metadata => metadata?.len(),
        };
    }
    Ok(bytes)
}

/// File names, sorted, so that the same directory always produces the same error message.
pub(super) fn list(path: &Path) -> io::Result<Vec<String>> {
    let name = |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names = fs::read_dir(path)?.map(name).collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names)
}

/// Whether a creation leaves this file when the process dies before it writes `CURRENT`, or a new ext file system
/// contains it.
fn is_leftover(name: &str) -> bool {
    matches!(name, "LOCK" | "LOG" | "IDENTITY" | "MANIFEST-000001" | "lost+found")
        || name.starts_with("LOG.old.")
        || name.starts_with("OPTIONS-")
        || has_extension(name, "dbtmp")
}

/// Whether only a completely created database contains this file.
fn is_database_file(name: &str) -> bool {
    name.starts_with("MANIFEST-")
        || ["sst", "log", "blob"]
            .iter()
            .any(|extension| has_extension(name, extension) && name.starts_with(|first: char| first.is_ascii_digit()))
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}

#[cfg(test)]
mod tests {
    use super::{super::tuning::Tuning, *};
    use ave_actors_store::config::ResolvedSpec;

    fn prepare_with_files(names: &[&str]) -> Result<Contents, String> {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        let tuning = Tuning::new(&ResolvedSpec { ram_mb: 512, cpu_cores: 2 }, None);
        prepare(&mut ErrorContext::new(dir.path(), &tuning)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_directory_without_files_is_empty() {
        assert_eq!(prepare_with_files(&[]), Ok(Contents::Empty));
    }

    #[test]
    fn files_of_an_incomplete_creation_count_as_empty() {
        let leftovers = ["LOCK", "LOG", "LOG.old.17", "IDENTITY", "MANIFEST-000001", "000001.dbtmp", "OPTIONS-000005"];
        assert_eq!(prepare_with_files(&leftovers), Ok(Contents::Empty));
    }

    #[test]
    fn a_current_file_makes_a_database_whatever_other_files_exist() {
        assert_eq!(prepare_with_files(&["CURRENT", "notes.txt", "000009.sst"]), Ok(Contents::Database));
    }

    #[test]
    fn database_files_without_current_are_broken_not_empty() {
        for name in ["000009.sst", "000004.log", "MANIFEST-000005"] {
            let message = prepare_with_files(&["LOCK", name]).unwrap_err();
            assert!(message.contains("broken") && message.contains(name), "{message}");
        }
    }

    #[test]
    fn foreign_files_are_refused_by_name() {
        for name in ["notes.txt", "000005.ldb", "server.log"] {
            let message = prepare_with_files(&[name]).unwrap_err();
            assert!(message.contains("not a RocksDB database") && message.contains(name), "{message}");
        }
        let message = prepare_with_files(&["CURRENT", "000005.ldb"]).unwrap_err();
        assert!(message.contains("LevelDB"), "{message}");
    }
}
