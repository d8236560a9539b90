//! Syncs of result files. A file system that offers none, such as some network and shared folders, is no reason to lose them.

use std::fs::File;
use std::io;
use std::path::Path;

use ave_actors_rocksdb::files;
use rustix::io::Errno;

/// Syncs content and size of a file where the file system can do that.
pub(crate) fn sync_file(file: &File) -> io::Result<()> {
    unless_refused(file.sync_all())
}

/// Syncs a directory where the file system can do that, so that names created, renamed or removed in it survive a power cut.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    unless_refused(files::sync_directory(path))
}

/// An error of the disk stays an error.
fn unless_refused(synced: io::Result<()>) -> io::Result<()> {
    const REFUSALS: [Errno; 3] = [Errno::INVAL, Errno::NOTSUP, Errno::NOSYS];
    synced.or_else(|error| {
        let is_refused = Errno::from_io_error(&error).is_some_and(|errno| REFUSALS.contains(&errno));
        if is_refused { Ok(()) } else { Err(error) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_sync_is_no_error_and_a_failed_one_is() {
        for errno in [Errno::INVAL, Errno::NOTSUP] {
            unless_refused(Err(errno.into())).unwrap();
        }
        for errno in [Errno::IO, Errno::NOSPC, Errno::DQUOT] {
            unless_refused(Err(errno.into())).unwrap_err();
        }
    }
}
