//! From what RocksDB says to what `ave-actors-store` promises its callers: the only place where one becomes the other.
//!
//! Every error names its place (column family, key or path) and its cause and, where there is something to be done
//! about it, what. Nothing is logged here: whoever gets the error decides what to do with it.

use std::{
    fmt::Display,
    io,
    path::{Path, PathBuf},
};

use ave_actors_store::{Error, StoreOperation};
use rocksdb::ErrorKind;

use super::tuning::{FEWEST_OPEN_FILES, Tuning};

const MIB: u64 = 1024 * 1024;

/// The database that errors are about, as far as somebody who has to do something about them wants to know.
#[derive(Debug)]
pub(super) struct Site {
    path: PathBuf,
    /// How many files this process may hold open, and how many of them the database takes.
    open_file_limit: Option<u64>,
    max_open_files: u32,
    /// Free space with which RocksDB resumes after a full disk, whatever there is to be written.
    resuming_bytes: u64,
}

impl Site {
    pub(super) fn new(path: &Path, tuning: &Tuning) -> Self {
        Self {
            path: path.to_path_buf(),
            open_file_limit: tuning.open_file_limit(),
            max_open_files: tuning.max_open_files,
            // Every memtable becomes a file, and there is a new log.
            resuming_bytes: tuning.memtable_limit_bytes + 2 * tuning.write_buffer_bytes,
        }
    }

    /// What helps against `cause` when the database is being opened.
    fn to_open(&self, cause: Cause) -> Option<String> {
        let path = self.path.display();
        match cause {
            Cause::DiskFull => Some(format!("free space on the file system of {path} and open again")),
            Cause::Corrupt | Cause::FileMissing => Some("it is left as it is; restore it from a checkpoint".to_owned()),
            Cause::LogIncomplete => Some(
                "it is left as it is; put the missing or damaged log file back, or restore it from a checkpoint"
                    .to_owned(),
            ),
            Cause::OtherOptions => Some(
                "it was written with options that this backend does not have, so by another program; it is left as it \
                 is"
                .to_owned(),
            ),
            _ => self.against(cause),
        }
    }

    /// What helps against `cause` when something was to be read.
    fn to_read(&self, cause: Cause) -> Option<String> {
        match cause {
            Cause::OtherOptions => Some("it was written with options that this backend does not have".to_owned()),
            _ => self.against(cause),
        }
    }

    /// What helps against `cause` when something was to be written, which RocksDB takes harder than a failed read.
    fn to_write(&self, cause: Cause) -> Option<String> {
        match cause {
            Cause::DiskFull => Some(format!(
                "free space on the file system of {}, or inodes if these ran out: writes go on by themselves within \
                 seconds, {} MiB are always enough",
                self.path.display(),
                self.resuming_bytes.div_ceil(MIB),
            )),
            Cause::Corrupt | Cause::FileMissing => self.against(cause),
            _ => {
                let reopen = "close the database and open it again: until then it takes no writes, and nothing that \
                              was acknowledged is lost";
                let hint = self.against(cause).map(|hint| format!("{hint}, then ")).unwrap_or_default();
                Some(format!("{hint}{reopen}"))
            }
        }
    }

    fn against(&self, cause: Cause) -> Option<String> {
        match cause {
            Cause::OpenFiles => Some(format!(
                "close files or raise the limit on open files of this process (`ulimit -n`, {}), of which the \
                 database keeps up to {}",
                self.open_file_limit.map_or_else(|| "unlimited".to_owned(), |limit| format!("now {limit}")),
                self.max_open_files,
            )),
            _ => cause.remedy(&self.path),
        }
    }
}

/// What is behind an error, as far as different things help against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    DiskFull,
    /// Space or inodes ran out just where RocksDB wanted to begin a new log, from which it does not resume.
    LogNotCreated,
    /// To RocksDB this is no full disk, and it does not resume from it.
    Quota,
    OpenFiles,
    NotPermitted,
    ReadOnly,
    DiskFailing,
    FileMissing,
    Locked,
    Corrupt,
    /// A write-ahead log is gone, shorter than when it was synced, or damaged although newer data was flushed.
    LogIncomplete,
    OtherOptions,
    Other,
}

/// What the C library calls the errors of the operating system. RocksDB puts that into its messages, in English unless
/// the application has asked for another language.
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

/// What RocksDB says of [`Cause::LogIncomplete`].
const INCOMPLETE_LOG: [&str; 3] = ["Missing WAL", "Size mismatch: WAL", "beyond the point of corruption"];

impl Cause {
    fn of(error: &rocksdb::Error) -> Self {
        Self::told(&error.kind(), error.as_ref())
    }

    fn told(kind: &ErrorKind, text: &str) -> Self {
        // Before the kind: a file that cannot be opened for want of descriptors may be reported as a corruption.
        match Self::of_the_system(text) {
            Some(Self::DiskFull) if is_about_a_new_log(text) => Self::LogNotCreated,
            Some(cause) => cause,
            None if text.contains("While lock file") => Self::Locked,
            None if INCOMPLETE_LOG.iter().any(|said| text.contains(said)) => Self::LogIncomplete,
            None => match kind {
                ErrorKind::Corruption => Self::Corrupt,
                ErrorKind::InvalidArgument | ErrorKind::NotSupported => Self::OtherOptions,
                _ => Self::Other,
            },
        }
    }

    /// What helps against it, for a database or a directory at `path`.
    fn remedy(self, path: &Path) -> Option<String> {
        let path = path.display();
        match self {
            Self::DiskFull => Some(format!("free space on the file system of {path}")),
            Self::LogNotCreated => Some(format!("free space, or inodes, on the file system of {path}")),
            Self::Quota => Some(format!("raise the quota under which {path} is written, or use less of it")),
            Self::OpenFiles => {
                Some("close files or raise the limit on open files of this process (`ulimit -n`)".to_owned())
            }
            Self::NotPermitted => Some(format!(
                "check the owner and the permissions of {path}, of the directories above and of the files in it"
            )),
            Self::ReadOnly => Some(format!("mount the file system of {path} writable")),
            Self::DiskFailing => Some(format!("check the disk under {path} and the kernel's log")),
            Self::Corrupt | Self::FileMissing => Some("restore the database from a checkpoint".to_owned()),
            Self::LogIncomplete => {
                Some("put the missing or damaged log file back, or restore the database from a checkpoint".to_owned())
            }
            Self::Locked => Some("close the other one first".to_owned()),
            Self::OtherOptions | Self::Other => None,
        }
    }

    fn of_the_system(text: &str) -> Option<Self> {
        SYSTEM_ERRORS.into_iter().find(|(name, _)| text.contains(name)).map(|(_, cause)| cause)
    }
}

/// It is the log that could not be created: "While open a file for appending: /db/000012.log: …", as opposed to "While
/// appending to file: /db/000012.log: …".
fn is_about_a_new_log(text: &str) -> bool {
    let parts: Vec<&str> = text.split(": ").collect();
    parts.windows(2).any(|pair| {
        Path::new(pair[1]).extension().is_some_and(|extension| extension == "log")
            && ["open a file", "reopen file", "renaming"].iter().any(|what| pair[0].contains(what))
    })
}

/// The text of an error: what failed, RocksDB's words, and the hint.
fn explained(what: &str, cause: impl Display, hint: Option<String>) -> String {
    match hint {
        Some(hint) => format!("{what}: {cause}; {hint}"),
        None => format!("{what}: {cause}"),
    }
}

/// The database, its directory or a column family could not be had.
pub(super) fn create(reason: impl Into<String>) -> Error {
    Error::CreateStore { reason: reason.into() }
}

/// The directory of a database, or a file in it, could not be looked at or created.
pub(super) fn directory(what: &str, path: &Path, error: &io::Error) -> Error {
    let cause = Cause::of_the_system(&error.to_string()).filter(|&cause| cause != Cause::FileMissing);
    create(explained(&format!("cannot {what} {}", path.display()), error, cause.and_then(|cause| cause.remedy(path))))
}

/// This process may hold too few files open for any database.
pub(super) fn too_few_open_files(path: &Path, limit: u64) -> Error {
    create(format!(
        "cannot open the database at {}: this process may hold {limit} files open, and a database needs \
         {FEWEST_OPEN_FILES} at least; raise the limit (`ulimit -n`)",
        path.display()
    ))
}

/// The database could not be opened.
pub(super) fn open(site: &Site, error: &rocksdb::Error) -> Error {
    let path = site.path.display();
    let cause = Cause::of(error);
    let what = match cause {
        Cause::Locked => format!(
            "the database at {path} is in use: another process or another manager of this process holds its lock file \
             {path}/LOCK"
        ),
        Cause::Corrupt | Cause::FileMissing => format!("the database at {path} is broken"),
        Cause::LogIncomplete => format!(
            "the database at {path} is broken: its write-ahead logs lack writes that later ones were built on, and to \
             open it would leave a hole"
        ),
        _ => format!("cannot open the database at {path}"),
    };
    create(explained(&what, error, site.to_open(cause)))
}

/// The column families of a database could not be listed, though it claims to be one.
pub(super) fn list_column_families(site: &Site, error: &rocksdb::Error) -> Error {
    match Cause::of(error) {
        Cause::Corrupt | Cause::FileMissing => {
            let what = format!("the database at {} is broken, its column families cannot be read", site.path.display());
            create(explained(&what, error, site.to_open(Cause::Corrupt)))
        }
        _ => open(site, error),
    }
}

/// A column family could not be created.
pub(super) fn create_column_family(site: &Site, name: &str, error: &rocksdb::Error) -> Error {
    let text: &str = error.as_ref();
    let hint = if text.contains("already exists") {
        Some("an earlier attempt left it half created; close the database and open it again".to_owned())
    } else {
        site.against(Cause::of(error))
    };
    create(explained(&format!("cannot create column family '{name}'"), error, hint))
}

/// There is no room for one more column family.
pub(super) fn no_room_for_column_family(site: &Site, name: &str, error: &io::Error) -> Error {
    let hint = Cause::of_the_system(&error.to_string()).and_then(|cause| site.against(cause));
    let what = format!("cannot create column family '{name}' in {}", site.path.display());
    create(explained(&what, error, hint))
}

/// A read of one entry failed. Not for absent entries.
pub(super) fn get(site: &Site, column_family: &str, key: String, error: &rocksdb::Error) -> Error {
    let what = format!("column family '{column_family}'");
    Error::Get { key, reason: explained(&what, error, site.to_read(Cause::of(error))) }
}

/// The stored form of a key is none that this backend writes.
pub(super) fn undecodable(column_family: &str, key: String, cause: impl Display) -> Error {
    Error::Get { key, reason: format!("column family '{column_family}': {cause}") }
}

/// A write failed, and RocksDB takes no others for now.
pub(super) fn write(site: &Site, column_family: &str, what: &str, error: &rocksdb::Error) -> Error {
    in_family(column_family, what, error, site.to_write(Cause::of(error)))
}

/// An operation on a column family failed.
pub(super) fn operation(site: &Site, column_family: &str, what: &str, error: &rocksdb::Error) -> Error {
    in_family(column_family, what, error, site.to_read(Cause::of(error)))
}

fn in_family(column_family: &str, what: &str, error: &rocksdb::Error, hint: Option<String>) -> Error {
    let what = format!("column family '{column_family}', {what}");
    Error::Store { operation: StoreOperation::RocksdbOperation, reason: explained(&what, error, hint) }
}

/// An operation on the database as a whole failed.
pub(super) fn database(site: &Site, operation: StoreOperation, what: &str, error: &rocksdb::Error) -> Error {
    let cause = Cause::of(error);
    let hint = if operation == StoreOperation::FlushWal { site.to_write(cause) } else { site.to_read(cause) };
    Error::Store {
        operation,
        reason: explained(&format!("{what} the database at {}", site.path.display()), error, hint),
    }
}

/// No checkpoint can be written to `path`.
pub(super) fn checkpoint_target(path: &Path, reason: &str) -> Error {
    let reason = format!("cannot write a checkpoint to {}: {reason}", path.display());
    Error::Store { operation: StoreOperation::RocksdbOperation, reason }
}

/// There is no such entry.
pub(super) fn not_found(key: impl Into<String>) -> Error {
    Error::EntryNotFound { key: key.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ave_actors_store::config::ResolvedSpec;

    fn site(open_file_limit: Option<u64>) -> Site {
        let tuning = Tuning::new(&ResolvedSpec { ram_mb: 512, cpu_cores: 2 }, open_file_limit);
        Site::new(Path::new("/data/db"), &tuning)
    }

    /// Messages as RocksDB 11.8 writes them.
    #[test]
    fn causes_are_told_by_what_rocksdb_says() {
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
            (
                "lock hold by current process, acquire time 1 acquiring thread 2: /db/LOCK: No locks available",
                Cause::Locked,
            ),
            ("Writer has previous error.", Cause::Other),
        ];
        for (text, cause) in cases {
            assert_eq!(Cause::told(&ErrorKind::IOError, text), cause, "{text}");
        }
    }

    #[test]
    fn without_an_error_of_the_system_the_kind_tells() {
        let damaged = "block checksum mismatch: stored = 1, computed = 2";
        assert_eq!(Cause::told(&ErrorKind::Corruption, damaged), Cause::Corrupt);
        let comparator = "a: does not match existing comparator b";
        assert_eq!(Cause::told(&ErrorKind::InvalidArgument, comparator), Cause::OtherOptions);
        let no_descriptor = "IO error: While open a file for random read: /db/000008.sst: Too many open files";
        assert_eq!(Cause::told(&ErrorKind::Corruption, no_descriptor), Cause::OpenFiles, "nothing is corrupt");
    }

    #[test]
    fn a_path_that_speaks_of_opening_logs_is_not_misunderstood() {
        let text =
            "No space left on device: While appending to file: /open a file/x.log/000013.sst: No space left on device";
        assert_eq!(Cause::told(&ErrorKind::IOError, text), Cause::DiskFull);
    }

    #[test]
    fn only_after_a_full_disk_writes_go_on_by_themselves() {
        let site = site(Some(1024));
        let full = site.to_write(Cause::DiskFull).unwrap();
        assert!(full.contains("/data/db") && full.contains("by themselves") && full.contains("41 MiB"), "{full}");
        for cause in [Cause::LogNotCreated, Cause::Quota, Cause::OpenFiles, Cause::ReadOnly, Cause::Other] {
            let hint = site.to_write(cause).unwrap();
            assert!(hint.contains("open it again") && hint.contains("nothing that was acknowledged is lost"), "{hint}");
        }
    }

    #[test]
    fn the_limit_on_open_files_is_named() {
        let hint = site(Some(1024)).to_read(Cause::OpenFiles).unwrap();
        assert!(hint.contains("`ulimit -n`, now 1024") && hint.contains("up to 256"), "{hint}");
        let hint = site(None).to_read(Cause::OpenFiles).unwrap();
        assert!(hint.contains("unlimited"), "{hint}");
    }

    #[test]
    fn what_nobody_can_help_with_comes_without_a_hint() {
        assert_eq!(site(None).to_read(Cause::Other), None);
        assert_eq!(site(None).to_open(Cause::Other), None);
        assert_eq!(explained("reading", "it failed", None), "reading: it failed");
    }
}
