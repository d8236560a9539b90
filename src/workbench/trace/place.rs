//! Putting files where they belong: whole, on the disk, or not at all.

use std::fs::File;
use std::io;
use std::path::Path;

/// The directory of a file, which is the present one for a mere name.
pub(super) fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The name of a file that is new there must be on the disk too.
pub(super) fn sync_directory_of(path: &Path) -> io::Result<()> {
    File::open(directory_of(path))?.sync_all()
}

/// A temporary file beside `path`, with the permissions of any new file, since it may become that one. It is gone when it
/// is dropped.
#[cfg(feature = "workbench")]
pub(in crate::workbench) fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    tempfile::Builder::new().prefix(".trace-").permissions(permissions).tempfile_in(directory_of(path))
}

/// Syncs a file from [`beside`] and moves it to its place, replacing what stood there.
#[cfg(feature = "workbench")]
pub(in crate::workbench) fn put_in_place(file: tempfile::NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_directory_of(path)
}
