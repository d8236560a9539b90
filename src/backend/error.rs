//! Builds every error that this backend returns through the traits of `ave-actors-store`.
//!
//! An error names the place (column family, key or path) and the cause, and ends with a remedy if one is known. This
//! module does not log: the caller decides what to do with the error.

use std::{
    fmt::Display,
    io,
    path::{Path, PathBuf},
};

use ave_actors_store::{Error, StoreOperation};
use rocksdb::ErrorKind;

use super::tuning::{MIN_OPEN_FILES, Tuning};

const MIB: u64 = 1024 * 1024;

/// What remedies say about the database they concern.
#[derive(Debug)]
pub(super) struct ErrorContext {
    path: PathBuf,
    /// Soft limit on open files of this process. `None`: unlimited or unknown.
    open_file_limit: Option<u64>,
    /// Files that the database keeps open at most.
    max_open_files: u32,
    /// Free bytes with which RocksDB always resumes after a full disk.
    resume_bytes: u64,
}

impl ErrorContext {
    pub(super) fn new(path: &Path, tuning: &Tuning) -> Self {
        Self {
            path: path.to_path_buf(),
            open_file_limit: tuning.open_file_limit(),
            max_open_files: tuning.max_open_files,
            // RocksDB writes all memtables to files and starts a new log.
            resume_bytes: tuning.memtable_limit_bytes + 2 * tuning.write_buffer_bytes,
        }
    }

    /// The directory of the database.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn set_path(&mut self, path: PathBuf) {
        self.path = path;
    }

    /// The remedy after a failed open.
    fn open_remedy(&self, cause: Cause) -> Option<String> {
        let remedy = self.read_remedy(cause);
        match cause {
            Cause::Corrupt | Cause::FileMissing | Cause::LogIncomplete | Cause::OtherOptions => {
                remedy.map(|remedy| format!("Its data is unchanged. {remedy}"))
            }
            _ => remedy,
        }
    }

    /// The remedy after a failed read.
    fn read_remedy(&self, cause: Cause) -> Option<String> {
        match cause {
            Cause::OtherOptions => {
                Some("Another program wrote it with options that this backend does not support".to_owned())
            }
            _ => self.remedy(cause),
        }
    }

    /// The remedy after a failed write. From most write errors RocksDB does not resume by itself.
    fn write_remedy(&self, cause: Cause) -> Option<String> {
        match cause {
            Cause::DiskFull => Some(format!(
                "Free space on the file system of {}, or inodes if those ran out. Writes resume automatically within \
                 seconds; {} MiB are always enough",
                self.path.display(),
                self.resume_bytes.div_ceil(MIB),
            )),
            Cause::Corrupt | Cause::FileMissing => self.remedy(cause),
            _ => {
                let reopen = "Close the database and open it again: until then it rejects writes. No acknowledged \
                              write is lost";
                let remedy = self.remedy(cause).map(|remedy| format!("{remedy}. ")).unwrap_or_default();
                Some(format!("{remedy}{reopen}"))
            }
        }
    }

    /// The remedy for a cause, whatever the operation was.
    fn remedy(&self, cause: Cause) -> Option<String> {
        let path = self.path.display();
        match cause {
            Cause::DiskFull => Some(format!("Free space on the file system of {path}")),
            Cause::LogNotCreated => Some(format!("Free space, or inodes, on the file system of {path}")),
            Cause::Quota => Some(format!("Raise the quota for {path}, or use less of it")),
            Cause::OpenFiles => Some(format!(
                "Close files, or raise the open-file limit of this process (`ulimit -n`, {}). The database keeps up to \
                 {} files open",
                self.open_file_limit.map_or_else(|| "unlimited".to_owned(), |limit| format!("now {limit}")),
                self.max_open_files,
            )),
            Cause::NotPermitted => {
                Some(format!("Check the owner and the permissions of {path}, its parent directories and its files"))
            }
            Cause::ReadOnly => Some(format!("Mount the file system of {path} writable")),
            Cause::DiskFailing => Some(format!("Check the disk under {path} and the kernel log")),
            Cause::Corrupt | Cause::FileMissing => Some(RESTORE.to_owned()),
            Cause::LogIncomplete => {
                Some("Put the missing or damaged log file back, or restore the database from a backup".to_owned())
            }
            Cause::Locked => Some("Close the other instance first".to_owned()),
            Cause::NotLockable => Some(format!(
                "The file system of {path} does not lock files. Use a local disk, or start the lock service of the \
                 network file system"
            )),
            Cause::OpenedReadOnly => Some("Open it with RocksDbManager::new to change it".to_owned()),
            Cause::OtherOptions | Cause::Other => None,
        }
    }
}

const RESTORE: &str = "Restore the database from a backup";
const OPENED_READ_ONLY: &str = "it is open read-only. Open it with RocksDbManager::new to change it";

/// The causes that need different remedies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    DiskFull,
    /// Space or inodes ran out when RocksDB started a new log. RocksDB does not resume from that.
    LogNotCreated,
    /// RocksDB does not treat this as a full disk, and does not resume from it.
    Quota,
    OpenFiles,
    NotPermitted,
    ReadOnly,
    DiskFailing,
    FileMissing,
    Locked,
    /// The file system failed to lock the lock file. Whether another process has the database open is unknown.
    NotLockable,
    Corrupt,
    /// A write-ahead log is missing, shorter than when it was synced, or damaged although newer data was flushed.
    LogIncomplete,
    OtherOptions,
    /// This process has opened the database read-only.
    OpenedReadOnly,
    Other,
}

/// The operating system's error texts, which RocksDB's messages contain. They are in English unless the application
/// calls `setlocale`.
const SYSTEM_ERRORS: [(&str, Cause); 10] = [
    ("No space left on device", Cause::DiskFull),
    ("Disk quota exceeded", Cause::Quota),
    // Also "… in system".
    ("Too many open files", Cause::OpenFiles),
    ("Permission denied", Cause::NotPermitted),
    ("Operation not permitted", Cause::NotPermitted),
    ("Read-only file system", Cause::ReadOnly),
    ("Input/output error", Cause::DiskFailing),
    ("Stale file handle", Cause::DiskFailing),
    ("No such file or directory", Cause::FileMissing),
    ("lock hold by current process", Cause::Locked),
];

/// RocksDB's messages for [`Cause::LogIncomplete`].
const INCOMPLETE_LOG: [&str; 3] = ["Missing WAL", "Size mismatch: WAL", "beyond the point of corruption"];

impl From<&rocksdb::Error> for Cause {
    fn from(error: &rocksdb::Error) -> Self {
        Self::classify(&error.kind(), error.as_ref())
    }
}

impl From<&io::Error> for Cause {
    fn from(error: &io::Error) -> Self {
        Self::from_system_error(&error.to_string()).unwrap_or(Self::Other)
    }
}

impl Cause {
    fn classify(kind: &ErrorKind, text: &str) -> Self {
        // Texts come before the kind: RocksDB can report a file that it has no descriptor for as a corruption.
        match Self::from_system_error(text) {
            Some(Self::DiskFull) if concerns_new_log(text) => Self::LogNotCreated,
            Some(cause) => cause,
            None if text.contains("While lock file") => {
                if text.contains("Resource temporarily unavailable") {
                    Self::Locked
                } else {
                    Self::NotLockable
                }
            }
            None if text.contains("in read only mode") => Self::OpenedReadOnly,
            None if INCOMPLETE_LOG.iter().any(|message| text.contains(message)) => Self::LogIncomplete,
            None => match kind {
                ErrorKind::Corruption => Self::Corrupt,
                ErrorKind::InvalidArgument | ErrorKind::NotSupported => Self::OtherOptions,
                _ => Self::Other,
            },
        }
    }

    fn from_system_error(text: &str) -> Option<Self> {
        SYSTEM_ERRORS.into_iter().find(|(name, _)| text.contains(name)).map(|(_, cause)| cause)
    }
}

/// Whether RocksDB failed to create a log ("While open a file for appending: /db/000012.log: …"), as opposed to writing
/// to one ("While appending to file: /db/000012.log: …").
fn concerns_new_log(text: &str) -> bool {
    let parts: Vec<&str> = text.split(": ").collect();
    parts.windows(2).any(|pair| {
        Path::new(pair[1]).extension().is_some_and(|extension| extension == "log")
            && ["open a file", "reopen file", "renaming"].iter().any(|action| pair[0].contains(action))
    })
}

/// `WHAT: CAUSE. REMEDY`
fn message(what: &str, cause: impl Display, remedy: Option<String>) -> String {
    match remedy {
        Some(remedy) => format!("{what}: {}. {remedy}", cause.to_string().trim_end_matches('.')),
        None => format!("{what}: {cause}"),
    }
}

/// The database, its directory or a column family cannot be opened or created.
pub(super) fn create(reason: impl Into<String>) -> Error {
    Error::CreateStore { reason: reason.into() }
}

fn store(operation: StoreOperation, reason: String) -> Error {
    Error::Store { operation, reason }
}

/// A system call on `path`, the directory of the database or a file in it, failed. `action` is its verb and object.
pub(super) fn directory(context: &ErrorContext, action: &str, path: &Path, error: &io::Error) -> Error {
    let remedy = match Cause::from(error) {
        // The database may never have existed: there is nothing to restore.
        Cause::FileMissing => None,
        cause => context.remedy(cause),
    };
    create(message(&format!("cannot {action} {}", path.display()), error, remedy))
}

/// The directory contains files of another program, such as `name`.
pub(super) fn not_a_database(path: &Path, found: &str, name: &str) -> Error {
    create(format!("{} is not a RocksDB database: found {found} '{name}'. Choose another directory", path.display()))
}

/// The directory contains database files, such as `name`, but no `CURRENT`.
pub(super) fn current_file_missing(path: &Path, name: &str) -> Error {
    create(format!(
        "the database at {} is broken: its CURRENT file is missing, but it has '{name}'. Its data is \
         unchanged. {RESTORE}",
        path.display()
    ))
}

/// The directory contains a backup.
pub(super) fn is_a_backup(path: &Path) -> Error {
    create(format!(
        "{} is a backup, and opening changes a database. Restore it to another directory, or open it read-only. In a \
         copy, delete the file 'BACKUP' first",
        path.display()
    ))
}

/// There is nothing to open read-only.
pub(super) fn no_database(path: &Path) -> Error {
    create(format!("there is no database in {}. Check the path", path.display()))
}

/// The restoration of a backup has not been completed.
pub(super) fn incomplete_restoration(path: &Path) -> Error {
    create(format!(
        "the database at {} is incomplete: the restoration of a backup was interrupted. Restore it again",
        path.display()
    ))
}

/// A database that is open read-only has no column family `name`, and cannot create it.
pub(super) fn no_column_family(path: &Path, name: &str) -> Error {
    create(format!("the database at {} has no column family '{name}', and {OPENED_READ_ONLY}", path.display()))
}

/// A column family is not dropped for `reason`.
pub(super) fn not_droppable(path: &Path, name: &str, reason: &str) -> Error {
    backup(format!("cannot drop column family '{name}' in {}: {reason}", path.display()))
}

/// An operation that changes a database that is open read-only. `action` is its verb and object.
pub(super) fn opened_read_only(path: &Path, action: &str) -> Error {
    backup(format!("cannot {action} the database at {}: {OPENED_READ_ONLY}", path.display()))
}

/// The open-file limit of this process is below [`MIN_OPEN_FILES`].
pub(super) fn too_few_open_files(path: &Path, limit: u64) -> Error {
    create(format!(
        "cannot open the database at {}: this process can open {limit} files, and a database needs at least \
         {MIN_OPEN_FILES}. Raise the limit (`ulimit -n`)",
        path.display()
    ))
}

/// The database cannot be opened.
pub(super) fn open(context: &ErrorContext, error: &rocksdb::Error) -> Error {
    let path = context.path.display();
    let cause = Cause::from(error);
    let what = match cause {
        Cause::Locked => format!(
            "the database at {path} is in use: another process or another manager of this process holds its lock file \
             {path}/LOCK"
        ),
        Cause::Corrupt | Cause::FileMissing => format!("the database at {path} is broken"),
        Cause::LogIncomplete => {
            format!("the database at {path} is broken: its write-ahead logs lack writes that newer data depends on")
        }
        _ => format!("cannot open the database at {path}"),
    };
    create(message(&what, error, context.open_remedy(cause)))
}

/// The column families of an existing database cannot be listed.
pub(super) fn list_column_families(context: &ErrorContext, error: &rocksdb::Error) -> Error {
    match Cause::from(error) {
        cause @ (Cause::Corrupt | Cause::FileMissing) => {
            let path = context.path.display();
            let what = format!("the database at {path} is broken: its column families cannot be listed");
            create(message(&what, error, context.open_remedy(cause)))
        }
        _ => open(context, error),
    }
}

/// RocksDB cannot store a column family of this name.
pub(super) fn column_family_name(path: &Path, name: &str) -> Error {
    create(format!(
        "cannot create column family '{name}' in {}: its name is empty or contains a NUL character. Choose another name",
        path.display()
    ))
}

/// A column family cannot be created.
pub(super) fn create_column_family<E: Display>(context: &ErrorContext, name: &str, error: &E) -> Error
where
    for<'a> Cause: From<&'a E>,
{
    let remedy = if error.to_string().contains("already exists") {
        Some("An earlier attempt created it partially. Close the database and open it again".to_owned())
    } else {
        context.remedy(Cause::from(error))
    };
    let what = format!("cannot create column family '{name}' in {}", context.path.display());
    create(message(&what, error, remedy))
}

/// A read of one entry failed. For absent entries see [`not_found`].
pub(super) fn get(context: &ErrorContext, column_family: &str, key: String, error: &rocksdb::Error) -> Error {
    let what = format!("column family '{column_family}'");
    Error::Get { key, reason: message(&what, error, context.read_remedy(Cause::from(error))) }
}

/// A stored key does not decode: this backend did not write it.
pub(super) fn undecodable(column_family: &str, key: String, cause: impl Display) -> Error {
    Error::Get { key, reason: format!("column family '{column_family}': {cause}") }
}

/// A write failed, and RocksDB rejects further writes for now.
pub(super) fn write(context: &ErrorContext, column_family: &str, what: &str, error: &rocksdb::Error) -> Error {
    in_column_family(column_family, what, error, context.write_remedy(Cause::from(error)))
}

/// An operation on a column family failed, and RocksDB still accepts writes.
pub(super) fn operation(context: &ErrorContext, column_family: &str, what: &str, error: &rocksdb::Error) -> Error {
    in_column_family(column_family, what, error, context.read_remedy(Cause::from(error)))
}

fn in_column_family(column_family: &str, what: &str, error: &rocksdb::Error, remedy: Option<String>) -> Error {
    let what = format!("column family '{column_family}', {what}");
    store(StoreOperation::RocksdbOperation, message(&what, error, remedy))
}

/// An operation on the whole database failed. `action` is its verb and object.
pub(super) fn database(
    context: &ErrorContext,
    operation: StoreOperation,
    action: &str,
    error: &rocksdb::Error,
) -> Error {
    let cause = Cause::from(error);
    let remedy =
        if operation == StoreOperation::FlushWal { context.write_remedy(cause) } else { context.read_remedy(cause) };
    store(operation, message(&format!("cannot {action} the database at {}", context.path.display()), error, remedy))
}

/// No checkpoint can be written to `path`.
pub(super) fn checkpoint_target(path: &Path, reason: &str) -> Error {
    let reason = format!("cannot write a checkpoint to {}: {reason}", path.display());
    store(StoreOperation::RocksdbOperation, reason)
}

/// A bulk load writes an entry that is not larger than the one before.
pub(super) fn not_ascending(column_family: &str, key: &str) -> Error {
    let reason =
        format!("column family '{column_family}', bulk load of '{key}': its key does not follow those before it");
    store(StoreOperation::RocksdbOperation, format!("{reason}. Sort the entries by `BulkLoad::sort_key`"))
}

/// A bulk load was committed, but not all of its files were added.
pub(super) fn committed_load(cause: &Error) -> Error {
    store(
        StoreOperation::RocksdbOperation,
        format!("{cause}. The bulk load is not complete: close the database and open it again, which adds the rest"),
    )
}

/// The database contains a part of a bulk load, and is opened read-only.
pub(super) fn incomplete_load(path: &Path) -> Error {
    create(format!(
        "the database at {} is incomplete: a bulk load was interrupted. Open it for writing, which completes the load",
        path.display()
    ))
}

/// A backup, a verification or a restoration failed for `reason`.
pub(super) fn backup(reason: impl Into<String>) -> Error {
    store(StoreOperation::RocksdbOperation, reason.into())
}

/// A system call on `path`, a file or directory of a backup, failed. `action` is its verb and object.
pub(super) fn file(action: &str, path: &Path, error: &io::Error) -> Error {
    let path = path.display();
    let remedy = match Cause::from(error) {
        Cause::DiskFull => Some(format!("Free space on the file system of {path}")),
        Cause::Quota => Some(format!("Raise the quota for {path}")),
        Cause::OpenFiles => Some("Close files, or raise the open-file limit of this process (`ulimit -n`)".to_owned()),
        Cause::NotPermitted => {
            Some(format!("Check the owner and the permissions of {path} and its parent directories"))
        }
        Cause::ReadOnly => Some(format!("Mount the file system of {path} writable")),
        Cause::DiskFailing => Some(format!("Check the disk under {path} and the kernel log")),
        _ => None,
    };
    backup(message(&format!("cannot {action} {path}"), error, remedy))
}

/// Whether a file cannot be read because the disk fails.
pub(super) fn is_disk_failure(error: &io::Error) -> bool {
    Cause::from(error) == Cause::DiskFailing
}

pub(super) fn not_found(key: impl Into<String>) -> Error {
    Error::EntryNotFound { key: key.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ave_actors_store::config::ResolvedSpec;

    fn context(open_file_limit: Option<u64>) -> ErrorContext {
        let tuning = Tuning::new(&ResolvedSpec { ram_mb: 512, cpu_cores: 2 }, open_file_limit);
        ErrorContext::new(Path::new("/data/db"), &tuning)
    }

    /// Messages of RocksDB 11.8.
    #[test]
    fn system_error_texts_determine_the_cause() {
        let cases = [
            (
                "No space left on device: While appending to file: /db/000004.log: No space left on device",
                Cause::DiskFull,
            ),
            (
                "No space left on device: While open a file for appending: /db/000013.sst: No space left on device",
                Cause::DiskFull,
            ),
            (
                "No space left on device: While open a file for appending: /db/000012.log: No space left on device",
                Cause::LogNotCreated,
            ),
            (
                "No space left on device: While renaming a file to /db/000012.log: /db/000004.log: No space left on device",
                Cause::LogNotCreated,
            ),
            ("While fdatasync: /db/000004.log: Disk quota exceeded", Cause::Quota),
            ("while reopen file for write: /db/002016.log: Too many open files", Cause::OpenFiles),
            ("While open a file for random read: /db/000008.sst: Too many open files in system", Cause::OpenFiles),
            ("while open a file for lock: /db/LOCK: Permission denied", Cause::NotPermitted),
            ("While mkdir if missing: /db: Read-only file system", Cause::ReadOnly),
            ("While pread offset 0 len 4096: /db/000008.sst: Input/output error", Cause::DiskFailing),
            ("No such file or directory: while stat a file for size: /db/000008.sst", Cause::FileMissing),
            ("While lock file: /db/LOCK: Resource temporarily unavailable", Cause::Locked),
            ("While lock file: /db/LOCK: No locks available", Cause::NotLockable),
            ("While lock file: /db/LOCK: Function not implemented", Cause::NotLockable),
            (
                "lock hold by current process, acquire time 1 acquiring thread 2: /db/LOCK: No locks available",
                Cause::Locked,
            ),
            ("Writer has previous error.", Cause::Other),
        ];
        for (text, cause) in cases {
            assert_eq!(Cause::classify(&ErrorKind::IOError, text), cause, "{text}");
        }
    }

    #[test]
    fn the_error_kind_determines_the_cause_of_other_texts() {
        let damaged = "block checksum mismatch: stored = 1, computed = 2";
        assert_eq!(Cause::classify(&ErrorKind::Corruption, damaged), Cause::Corrupt);
        let comparator = "a: does not match existing comparator b";
        assert_eq!(Cause::classify(&ErrorKind::InvalidArgument, comparator), Cause::OtherOptions);
        let no_descriptor = "IO error: While open a file for random read: /db/000008.sst: Too many open files";
        assert_eq!(Cause::classify(&ErrorKind::Corruption, no_descriptor), Cause::OpenFiles, "nothing is corrupt");
    }

    #[test]
    fn a_directory_named_like_a_log_does_not_make_a_new_log() {
        let text =
            "No space left on device: While appending to file: /open a file/x.log/000013.sst: No space left on device";
        assert_eq!(Cause::classify(&ErrorKind::IOError, text), Cause::DiskFull);
    }

    #[test]
    fn only_a_full_disk_needs_no_reopen() {
        let context = context(Some(1024));
        let full = context.write_remedy(Cause::DiskFull).unwrap();
        assert!(full.contains("/data/db") && full.contains("automatically") && full.contains("41 MiB"), "{full}");
        for cause in [Cause::LogNotCreated, Cause::Quota, Cause::OpenFiles, Cause::ReadOnly, Cause::Other] {
            let remedy = context.write_remedy(cause).unwrap();
            assert!(remedy.contains("open it again") && remedy.contains("No acknowledged write is lost"), "{remedy}");
        }
    }

    #[test]
    fn the_open_file_remedy_names_both_limits() {
        let remedy = context(Some(1024)).read_remedy(Cause::OpenFiles).unwrap();
        assert!(remedy.contains("`ulimit -n`, now 1024") && remedy.contains("up to 256"), "{remedy}");
        let remedy = context(None).read_remedy(Cause::OpenFiles).unwrap();
        assert!(remedy.contains("unlimited"), "{remedy}");
    }

    #[test]
    fn other_causes_have_no_remedy() {
        assert_eq!(context(None).read_remedy(Cause::Other), None);
        assert_eq!(context(None).open_remedy(Cause::Other), None);
        assert_eq!(message("read", "it failed", None), "read: it failed");
    }
}
