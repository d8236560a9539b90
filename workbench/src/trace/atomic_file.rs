//! Files that appear under their name complete and synced, or not at all. A pipe or a device is written through.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ave_actors_rocksdb::files::directory_of;
use ave_actors_rocksdb::trace::format::Compressor;
use rustix::io::Errno;
use tempfile::NamedTempFile;

use crate::host::{sync_directory, sync_file};
use crate::workload::is_stream;

const BUFFER_BYTES: usize = 256 << 10;
/// Name of standard output on a command line.
const STANDARD_OUTPUT: &str = "-";
/// Links in a row, as Linux allows.
const MOST_LINKS: usize = 40;

/// Replaces the file at `path` with one of this content, or writes it to the pipe or device there.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut output = Output::create(path)?;
    output.write_all(content)?;
    output.commit()
}

/// A directory for temporary files as large as the output at `path`: that of the file, or the system's for a pipe or a device.
pub(crate) fn scratch_directory(path: &Path) -> PathBuf {
    if is_written_through(path) {
        return std::env::temp_dir();
    }
    let path = behind_links(path).unwrap_or_else(|_| path.to_owned());
    directory_of(&path).to_owned()
}

/// A file that is written under a temporary name beside its path, compressed if the path ends in `.zst`. Without
/// [`commit`](Self::commit) nothing of it is left. A pipe or a device is written through.
pub(crate) struct AtomicFile(Compressor<BufWriter<Output>>);

impl AtomicFile {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = BufWriter::with_capacity(BUFFER_BYTES, Output::create(path)?);
        let is_compressed = path.extension().is_some_and(|extension| extension == "zst");
        Ok(Self(Compressor::new(file, is_compressed)?))
    }

    /// Syncs the file and moves it to its path, replacing a file of that name.
    pub(crate) fn commit(self) -> io::Result<()> {
        self.0.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?.commit()
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The error of the system without the name of the temporary file, which means nothing to users.
pub(crate) fn without_temporary_name(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((reason, _)) => io::Error::new(error.kind(), reason),
        None => error,
    }
}

enum Output {
    /// A file that gets its path when it is complete.
    New { file: NamedTempFile, path: PathBuf },
    /// A pipe or a device.
    Through(File),
}

impl Output {
    fn create(path: &Path) -> io::Result<Self> {
        if is_standard_output(path) {
            // With its position: opened again, a file would be written from its beginning.
            return Ok(Self::Through(io::stdout().as_fd().try_clone_to_owned()?.into()));
        }
        if is_written_through(path) {
            return OpenOptions::new().write(true).open(path).map(Self::Through);
        }
        let path = behind_links(path)?;
        // The permissions of any new file.
        let permissions = fs::Permissions::from_mode(0o666);
        let mut builder = tempfile::Builder::new();
        let file = builder.prefix(".trace-").permissions(permissions).tempfile_in(directory_of(&path));
        let file = file.map_err(without_temporary_name)?;
        Ok(Self::New { file, path })
    }

    fn commit(mut self) -> io::Result<()> {
        self.flush()?;
        let Self::New { file, path } = self else { return Ok(()) };
        sync_file(file.as_file())?;
        file.persist(&path).map_err(|error| error.error)?;
        sync_directory(directory_of(&path))
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::New { file, .. } => file.write(bytes),
            Self::Through(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::New { file, .. } => file.flush(),
            Self::Through(file) => file.flush(),
        }
    }
}

/// Whether a path leads to standard output, as `-` and `/dev/stdout` do.
pub(crate) fn is_standard_output(path: &Path) -> bool {
    if path.as_os_str() == STANDARD_OUTPUT {
        return true;
    }
    let stdout = || io::stdout().as_fd().try_clone_to_owned().map(File::from)?.metadata();
    let same = |found: Metadata| stdout().is_ok_and(|stdout| identity(&stdout) == identity(&found));
    fs::metadata(path).is_ok_and(same)
}

fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

/// Whether there is something that a file must not replace, behind links as well: a pipe, a device, or standard output.
fn is_written_through(path: &Path) -> bool {
    is_stream(path) || is_standard_output(path)
}

/// Whether two paths lead to one file, by links or by other spellings.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    let found = [one, other].map(|path| fs::metadata(path).ok().filter(Metadata::is_file));
    matches!(found, [Some(one), Some(other)] if identity(&one) == identity(&other))
}

/// Where a path leads through links: a file, or a name that no file has yet.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(target) = fs::read_link(&path) else { return Ok(path) };
        path = directory_of(&path).join(target);
    }
    Err(Errno::LOOP.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_stays_and_its_target_is_replaced_or_created() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("old"), "old").unwrap();
        fs::create_dir(path("below")).unwrap();
        for (target, link) in [("old", "to-old"), ("below/new", "to-new"), ("to-new", "to-link")] {
            symlink(target, path(link)).unwrap();
        }
        for (link, target) in [("to-old", "old"), ("to-new", "below/new"), ("to-link", "below/new")] {
            replace_file(&path(link), link.as_bytes()).unwrap();
            assert!(fs::symlink_metadata(path(link)).unwrap().is_symlink(), "{link}");
            assert_eq!(fs::read_to_string(path(target)).unwrap(), link);
        }
        symlink("loop", path("loop")).unwrap();
        replace_file(&path("loop"), b"").unwrap_err();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 6, "no temporary file is left");
    }

    #[test]
    fn a_device_is_written_through() {
        replace_file(Path::new("/dev/null"), b"lost").unwrap();
        assert!(is_written_through(Path::new("/dev/null")));
        assert_eq!(scratch_directory(Path::new("/dev/null")), std::env::temp_dir());
        assert_eq!(scratch_directory(Path::new("there/new")), Path::new("there"));
    }
}
