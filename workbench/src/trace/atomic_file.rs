//! Files that appear under their name complete and synced, or not at all.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use ave_actors_rocksdb::files::{directory_of, sync_directory};
use ave_actors_rocksdb::trace::format::Compressor;
use tempfile::NamedTempFile;

const BUFFER_BYTES: usize = 256 << 10;

/// Replaces the file at `path` with one of this content.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = temporary_file(path)?;
    file.write_all(content)?;
    persist(file, path)
}

/// A file that is written under a temporary name beside its path, compressed if the path ends in `.zst`. Without
/// [`commit`](Self::commit) nothing of it is left.
pub(crate) struct AtomicFile {
    path: PathBuf,
    output: Compressor<BufWriter<NamedTempFile>>,
}

impl AtomicFile {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = BufWriter::with_capacity(BUFFER_BYTES, temporary_file(path)?);
        let is_compressed = path.extension().is_some_and(|extension| extension == "zst");
        Ok(Self { path: path.to_owned(), output: Compressor::new(file, is_compressed)? })
    }

    /// Syncs the file and moves it to its path, replacing a file of that name.
    pub(crate) fn commit(self) -> io::Result<()> {
        persist(self.output.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?, &self.path)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// In the same directory, with the permissions of any new file.
fn temporary_file(path: &Path) -> io::Result<NamedTempFile> {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    tempfile::Builder::new().prefix(".trace-").permissions(permissions).tempfile_in(directory_of(path))
}

fn persist(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_directory(directory_of(path))
}
