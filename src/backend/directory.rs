//! What a directory holds, before RocksDB touches it: a database, room for a new one, or something that is none of our
//! business. Only looks; the single thing it ever creates is the missing directory itself.

use std::{fs, io, path::Path};

use ave_actors_store::Error;

use super::error;

/// What a directory is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contents {
    /// It is empty, or as good as: a database can be created.
    Nothing,
    /// It holds a database that was created completely.
    Database,
}

/// Creates the directory if it is missing and says what it holds.
pub(super) fn prepare(path: &Path) -> Result<Contents, Error> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => examine(path),
        Ok(_) => Err(error::create(format!("{} is a file, not a directory", path.display()))),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(path).map_err(|cause| failed("create the directory", path, &cause))?;
            Ok(Contents::Nothing)
        }
        Err(cause) => Err(failed("look at", path, &cause)),
    }
}

fn examine(path: &Path) -> Result<Contents, Error> {
    let names = list(path).map_err(|cause| failed("list the directory", path, &cause))?;
    let foreign = |what: &str, name: &str| {
        Err(error::create(format!("{} is not a RocksDB database: found {what} '{name}'", path.display())))
    };
    if let Some(name) = names.iter().find(|name| has_extension(name, "ldb")) {
        return foreign("the LevelDB table", name);
    }
    if names.iter().any(|name| name == "CURRENT") {
        let current = path.join("CURRENT");
        fs::read(&current).map_err(|cause| failed("read", &current, &cause))?;
        return Ok(Contents::Database);
    }
    match names.iter().find(|name| !is_leftover(name)) {
        None => Ok(Contents::Nothing),
        Some(name) if is_database_file(name) => Err(error::create(format!(
            "the database at {} is broken: it has lost its CURRENT file, but still holds '{name}'. It is left as it \
             is; restore it from a checkpoint",
            path.display()
        ))),
        Some(name) => foreign("no CURRENT file, but", name),
    }
}

/// Whether a checkpoint can be written to `path`: it must not exist, and the directory it will lie in must.
pub(super) fn examine_target(path: &Path) -> Result<(), Error> {
    if path.symlink_metadata().is_ok() {
        return Err(error::checkpoint_target(path, "it exists already; give a path that does not exist yet"));
    }
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() || parent.is_dir() => Ok(()),
        _ => Err(error::checkpoint_target(path, "the directory it would lie in does not exist")),
    }
}

fn failed(what: &str, path: &Path, cause: &io::Error) -> Error {
    error::directory(what, path, cause)
}

/// Names in a stable order, so that the same directory always gives the same message.
fn list(path: &Path) -> io::Result<Vec<String>> {
    let name = |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names = fs::read_dir(path)?.map(name).collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names)
}

/// Files that a creation leaves behind when the process dies before it has written `CURRENT`, and the directory that
/// every fresh ext file system has.
fn is_leftover(name: &str) -> bool {
    matches!(name, "LOCK" | "IDENTITY" | "MANIFEST-000001" | "lost+found")
        || name == "LOG"
        || name.starts_with("LOG.old.")
        || name.starts_with("OPTIONS-")
        || has_extension(name, "dbtmp")
}

/// Files that only a database that was once complete has.
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
    use super::*;

    fn examine_files(names: &[&str]) -> Result<Contents, String> {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        prepare(dir.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_directory_has_room() {
        assert_eq!(examine_files(&[]), Ok(Contents::Nothing));
    }

    #[test]
    fn a_creation_that_crashed_left_nothing_worth_keeping() {
        let leftovers = ["LOCK", "LOG", "LOG.old.17", "IDENTITY", "MANIFEST-000001", "000001.dbtmp", "OPTIONS-000005"];
        assert_eq!(examine_files(&leftovers), Ok(Contents::Nothing));
    }

    #[test]
    fn current_makes_it_a_database_whatever_lies_beside_it() {
        assert_eq!(examine_files(&["CURRENT", "notes.txt", "000009.sst"]), Ok(Contents::Database));
    }

    #[test]
    fn a_database_without_current_is_broken_not_new() {
        for name in ["000009.sst", "000004.log", "MANIFEST-000005"] {
            let message = examine_files(&["LOCK", name]).unwrap_err();
            assert!(message.contains("broken") && message.contains(name), "{message}");
        }
    }

    #[test]
    fn anything_else_is_foreign() {
        for name in ["notes.txt", "000005.ldb", "server.log"] {
            let message = examine_files(&[name]).unwrap_err();
            assert!(message.contains("not a RocksDB database") && message.contains(name), "{message}");
        }
        let message = examine_files(&["CURRENT", "000005.ldb"]).unwrap_err();
        assert!(message.contains("LevelDB"), "{message}");
    }
}
