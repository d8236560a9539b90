//! What the file system owes: a new name that survives a power cut.

use std::fs::File;
use std::io;
use std::path::Path;

/// The directory of a file; `.` for a mere name.
pub fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Syncs a directory, so that names created, renamed or removed in it survive a power cut.
///
/// # Errors
///
/// Why the directory cannot be opened or synced.
#[cfg(unix)]
pub fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Directories cannot be opened as files here: the rename is as durable as the file system makes it.
#[cfg(not(unix))]
pub fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}
