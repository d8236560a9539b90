//! Directory syncs, for names that survive a power cut.

use std::fs::File;
use std::io;
use std::path::Path;

/// The directory of a file; `.` for a bare name.
pub fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Syncs a directory, so that names created, renamed or removed in it survive a power cut.
///
/// # Errors
///
/// The directory cannot be opened or synced.
#[cfg(unix)]
pub fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Without effect: on this system, directories cannot be opened as files.
#[cfg(not(unix))]
pub fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}
