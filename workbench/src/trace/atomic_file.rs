//! Files that appear under their name complete and synced, or not at all.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use ave_actors_rocksdb::files::{directory_of, sync_directory};
use tempfile::NamedTempFile;

/// Traces of light actors are a tenth smaller than at level 3, and compressed nearly twice as fast.
const ZSTD_LEVEL: i32 = 1;
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
    output: Output,
}

enum Output {
    Plain(BufWriter<NamedTempFile>),
    Zstd(zstd::Encoder<'static, BufWriter<NamedTempFile>>),
}

impl AtomicFile {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = BufWriter::with_capacity(BUFFER_BYTES, temporary_file(path)?);
        let output = if path.extension().is_some_and(|extension| extension == "zst") {
            let mut encoder = zstd::Encoder::new(file, ZSTD_LEVEL)?;
            encoder.include_checksum(true)?;
            Output::Zstd(encoder)
        } else {
            Output::Plain(file)
        };
        Ok(Self { path: path.to_owned(), output })
    }

    /// Syncs the file and moves it to its path, replacing a file of that name.
    pub(crate) fn commit(self) -> io::Result<()> {
        let buffered = match self.output {
            Output::Plain(out) => out,
            Output::Zstd(out) => out.finish()?,
        };
        persist(buffered.into_inner().map_err(io::IntoInnerError::into_error)?, &self.path)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.output {
            Output::Plain(out) => out.write(bytes),
            Output::Zstd(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.output {
            Output::Plain(out) => out.flush(),
            Output::Zstd(out) => out.flush(),
        }
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
