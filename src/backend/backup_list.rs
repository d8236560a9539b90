//! The text files of a directory of backups: which database it belongs to, and what each backup consists of.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::directory::BACKUP_LIST;
use crate::files::{directory_of, sync_directory};

/// In the directory of all backups.
pub(super) const ROOT_FILE: &str = "BACKUPS";
/// In the database.
const LAST_FILE: &str = "last-backup";
const ROOT_TITLE: &str = "ave-actors-rocksdb backups 1";
const LIST_TITLE: &str = "ave-actors-rocksdb backup 1";

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedFile {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// Modification time of the copied file, in nanoseconds since 1970. Identifies a file together with name and size:
    /// a restored database can reuse a name for other data.
    pub(super) modified_ns: u64,
    /// CRC-32C.
    pub(super) checksum: u32,
}

/// What a backup consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileList {
    /// Seconds since 1970.
    pub(super) created: u64,
    /// Bytes that were not in an earlier backup.
    pub(super) copied_bytes: u64,
    pub(super) files: Vec<ListedFile>,
}

impl FileList {
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    pub(super) fn find(&self, name: &str) -> Option<&ListedFile> {
        self.files.iter().find(|file| file.name == name)
    }

    fn format(&self) -> String {
        let mut text = format!("{LIST_TITLE}\ncreated {}\ncopied {}\n", self.created, self.copied_bytes);
        for ListedFile { name, bytes, modified_ns, checksum } in &self.files {
            // Writing to a string does not fail.
            let _ = writeln!(text, "file {checksum:08x} {bytes} {modified_ns} {name}");
        }
        let _ = writeln!(text, "checksum {:08x}", crc32c::crc32c(text.as_bytes()));
        text
    }

    /// `None` for anything but a complete, undamaged list.
    fn parse(text: &str) -> Option<Self> {
        let (body, checksum) = text.rsplit_once("checksum ")?;
        if parse_checksum(checksum.trim_end())? != crc32c::crc32c(body.as_bytes()) {
            return None;
        }
        let mut lines = body.lines();
        if lines.next()? != LIST_TITLE {
            return None;
        }
        let created = lines.next()?.strip_prefix("created ")?.parse().ok()?;
        let copied_bytes = lines.next()?.strip_prefix("copied ")?.parse().ok()?;
        let files = lines.map(parse_file).collect::<Option<_>>()?;
        Some(Self { created, copied_bytes, files })
    }

    pub(super) fn read(backup: &Path) -> io::Result<Self> {
        Self::parse(&fs::read_to_string(backup.join(BACKUP_LIST))?)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the list of its files is damaged"))
    }

    pub(super) fn write(&self, backup: &Path) -> io::Result<()> {
        write_whole(&backup.join(BACKUP_LIST), &self.format())
    }
}

fn parse_file(line: &str) -> Option<ListedFile> {
    let mut parts = line.strip_prefix("file ")?.splitn(4, ' ');
    let checksum = parse_checksum(parts.next()?)?;
    let (bytes, modified_ns) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    // A name that leaves the directory is none that this module has written.
    let name = parts.next().filter(|name| !name.is_empty() && !name.contains('/') && *name != "..")?;
    Some(ListedFile { name: name.to_owned(), bytes, modified_ns, checksum })
}

fn parse_checksum(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 16).ok()
}

/// The identity of the database that a directory of backups belongs to. `None` if the directory is no such directory.
pub(super) fn read_root(root: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(root.join(ROOT_FILE)) {
        Ok(text) => Ok(parse_root(&text)),
        Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => Ok(None),
        Err(cause) => Err(cause),
    }
}

fn parse_root(text: &str) -> Option<String> {
    let mut lines = text.lines();
    if lines.next()? != ROOT_TITLE {
        return None;
    }
    lines.next()?.strip_prefix("database ").map(str::to_owned)
}

pub(super) fn write_root(root: &Path, database: &str) -> io::Result<()> {
    write_whole(&root.join(ROOT_FILE), &format!("{ROOT_TITLE}\ndatabase {database}\n"))
}

/// When and where a database was last backed up, from
/// [`RocksDbManager::last_backup`](super::RocksDbManager::last_backup).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastBackup {
    /// When it was written.
    pub created: SystemTime,
    /// Where it was written.
    pub path: std::path::PathBuf,
}

/// `None` if there is none, or the file is not readable: a database does not depend on it.
pub(super) fn read_last(database: &Path) -> Option<LastBackup> {
    let text = fs::read_to_string(database.join(LAST_FILE)).ok()?;
    let (created, path) = text.trim_end_matches('\n').split_once(' ')?;
    Some(LastBackup { created: time(created.parse().ok()?), path: path.into() })
}

pub(super) fn write_last(database: &Path, created: SystemTime, backup: &Path) -> io::Result<()> {
    let created = created.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    write_whole(&database.join(LAST_FILE), &format!("{created} {}\n", backup.display()))
}

/// Writes a file so that after a power loss it has its old content or the new one.
pub(super) fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_extension("tmp");
    let mut file = File::create(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    sync_directory(directory_of(path))
}

pub(super) fn time(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> FileList {
        let file = |name: &str| ListedFile { name: name.to_owned(), bytes: 7, modified_ns: 12, checksum: 0xAB };
        FileList { created: 1, copied_bytes: 14, files: vec![file("000012.sst"), file("CURRENT")] }
    }

    #[test]
    fn a_list_reads_back() {
        assert_eq!(FileList::parse(&list().format()), Some(list()));
    }

    #[test]
    fn a_truncated_or_changed_list_is_refused() {
        let text = list().format();
        for end in 0..text.len() - 1 {
            assert_eq!(FileList::parse(&text[..end]), None, "{end} bytes");
        }
        assert_eq!(FileList::parse(&text.replace("000012", "000013")), None);
    }

    #[test]
    fn a_list_names_no_file_outside_its_directory() {
        for name in ["../CURRENT", "/etc/passwd", "..", ""] {
            assert_eq!(parse_file(&format!("file 000000ab 7 12 {name}")), None, "{name}");
        }
    }

    #[test]
    fn only_the_file_of_a_directory_of_backups_is_one() {
        assert_eq!(parse_root(&format!("{ROOT_TITLE}\ndatabase 6f4c\n")), Some("6f4c".to_owned()));
        assert_eq!(parse_root("notes\ndatabase 6f4c\n"), None);
        assert_eq!(parse_root(""), None);
    }
}
