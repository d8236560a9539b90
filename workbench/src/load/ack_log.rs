//! A log of acknowledged operations that survives a kill of the process that writes it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::RunError;

/// A position in a worker's stream of commands: all operations before it were acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Commands completed since the preload.
    pub commands: u64,
    /// Operations completed of the next command.
    pub operations: u64,
}

/// One file per worker that holds its position. It is rewritten after every operation and before the next, so that at most
/// one operation of a worker is missing.
///
/// When the process is killed, a write of 16 bytes into one page is complete or absent, and the page cache survives. It
/// costs a system call per operation, so nothing is measured meanwhile.
#[derive(Debug)]
pub(crate) struct AckLog {
    directory: PathBuf,
    files: Vec<File>,
}

impl AckLog {
    pub(crate) fn open(directory: &Path, workers: u64) -> Result<Self, RunError> {
        let failed = |source| RunError::Directory(directory.to_owned(), source);
        fs::create_dir_all(directory).map_err(failed)?;
        let open = |worker| {
            let path = directory.join(format!("worker-{worker}"));
            File::options().read(true).write(true).create(true).truncate(false).open(path)
        };
        let files = (0..workers).map(open).collect::<io::Result<_>>().map_err(failed)?;
        Ok(Self { directory: directory.to_owned(), files })
    }

    /// The positions of all workers; `None` unless all were written.
    pub(crate) fn positions(&self) -> Result<Option<Vec<Position>>, RunError> {
        let positions: io::Result<_> = self.files.iter().map(position).collect();
        positions.map_err(|source| RunError::Directory(self.directory.clone(), source))
    }

    pub(crate) fn set_all(&self, positions: &[Position]) -> Result<(), RunError> {
        let set = (0..).zip(positions).try_for_each(|(worker, &position)| self.set(worker, position));
        set.map_err(|source| RunError::Directory(self.directory.clone(), source))
    }

    pub(crate) fn set(&self, worker: u64, position: Position) -> io::Result<()> {
        let mut bytes = [0; 16];
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
