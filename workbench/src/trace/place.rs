//! Putting files where they belong: whole, on the disk, or not at all.

use std::io;
use std::path::Path;

use ave_actors_rocksdb::files::{directory_of, sync_directory};

/// A temporary file beside `path`, with the permissions of any new file, since it may become that one. It is gone when it
/// is dropped.
pub(crate) fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    tempfile::Builder::new().prefix(".trace-").permissions(permissions).tempfile_in(directory_of(path))
}

/// Syncs a file from [`beside`] and moves it to its place, replacing what stood there.
pub(crate) fn put_in_place(file: tempfile::NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_directory(directory_of(path))
}
