//! A log of acknowledged operations that survives a kill of the process that writes it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::RunError;

/// A position in a worker's stream of commands: all operations before it were acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Commands completed since the database was new, the preload included.
    pub commands: u64,
    /// Operations completed of the next command.
    pub operations: u64,
}

const BYTES: usize = 16;

/// One file per worker that holds its position. It is rewritten after every operation and before the next, so that at most
/// one operation of a worker is missing.
///
/// When the process is killed, a write of 16 bytes into one page is complete or absent, and the page cache survives. It
/// costs a system call per operation, so nothing is measured meanwhile.
#[derive(Debug)]
pub(crate) struct AckLog {
    files: Vec<File>,
}

impl AckLog {
    /// Opens the log in `directory`, or creates it.
    ///
    /// # Errors
    ///
    /// [`RunError::Directory`] if the files cannot be used.
    pub(crate) fn open(directory: &Path, workers: u64) -> Result<Self, RunError> {
        let failed = |source| RunError::Directory { path: directory.to_owned(), source };
        fs::create_dir_all(directory).map_err(failed)?;
        let open = |worker| {
            let path = directory.join(format!("worker-{worker}"));
            File::options().read(true).write(true).create(true).truncate(false).open(path)
        };
        Ok(Self { files: (0..workers).map(open).collect::<io::Result<_>>().map_err(failed)? })
    }

    /// The positions of all workers; `None` unless all were written.
    pub(crate) fn positions(&self) -> io::Result<Option<Vec<Position>>> {
        self.files.iter().map(position).collect()
    }

    /// Sets the position of a worker.
    pub(crate) fn set(&self, worker: u64, position: Position) -> io::Result<()> {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(&position.commands.to_le_bytes());
        bytes[8..].copy_from_slice(&position.operations.to_le_bytes());
        let file = usize::try_from(worker).ok().and_then(|worker| self.files.get(worker));
        file.expect("the log has a file for every worker").write_all_at(&bytes, 0)
    }
}

fn position(file: &File) -> io::Result<Option<Position>> {
    if file.metadata()?.len() == 0 {
        return Ok(None);
    }
    let mut halves = [[0; 8]; 2];
    for (half, offset) in halves.iter_mut().zip([0, 8]) {
        file.read_exact_at(half, offset)?;
    }
    let [commands, operations] = halves.map(u64::from_le_bytes);
    Ok(Some(Position { commands, operations }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_read_back_after_the_log_is_opened_again() {
        let directory = tempfile::tempdir().unwrap();
        let log = AckLog::open(directory.path(), 2).unwrap();
        assert_eq!(log.positions().unwrap(), None);
        log.set(0, Position { commands: 7, operations: 2 }).unwrap();
        assert_eq!(log.positions().unwrap(), None, "one worker has no position");
        log.set(1, Position { commands: u64::MAX, operations: 0 }).unwrap();
        log.set(0, Position { commands: 8, operations: 0 }).unwrap();
        let found = AckLog::open(directory.path(), 2).unwrap().positions().unwrap().unwrap();
        assert_eq!(found, [(8, 0), (u64::MAX, 0)].map(|(commands, operations)| Position { commands, operations }));
    }
}
