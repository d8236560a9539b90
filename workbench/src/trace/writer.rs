//! Writes a trace file.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::atomic_file::AtomicFile;
use super::error::TraceError;
use ave_actors_rocksdb::trace::format::{Line, write_head};
use ave_actors_rocksdb::trace::{CommandKind, Op, Provenance};

/// Size of the pieces that are handed to the compressor.
const PIECE_BYTES: usize = 256 << 10;
/// Pieces that may wait for the compressor.
const PIECES: usize = 4;

/// Writes a trace under a temporary name and moves it to its path when it is complete and on disk.
///
/// Lines are formatted on the caller's thread, and compressed and written on another. A compressed trace is one zstd
/// frame, because some readers stop at the end of the first.
pub struct TraceWriter {
    path: PathBuf,
    /// Lines that were not handed over yet.
    lines: Vec<u8>,
    command_id: u64,
    /// Absent after a failure.
    worker: Option<Worker>,
}

impl TraceWriter {
    /// Creates a trace at `path`, compressed if that ends in `.zst`.
    ///
    /// # Errors
    ///
    /// [`TraceError::File`] if the directory cannot be written to.
    pub fn create(path: &Path, provenance: &Provenance) -> Result<Self, TraceError> {
        let failed = TraceError::file("create", path);
        let mut file = AtomicFile::create(path).map_err(failed)?;
        write_head(&mut file, provenance).map_err(failed)?;
        let worker = Worker::start(file).map_err(failed)?;
        Ok(Self { path: path.to_owned(), lines: empty_piece(), command_id: 0, worker: Some(worker) })
    }

    /// Appends a command of an actor: one line for each of its operations.
    ///
    /// # Errors
    ///
    /// [`TraceError::File`] if the disk is full or fails; it may have failed for earlier lines.
    pub fn command(
        &mut self,
        type_name: &str,
        actor: &str,
        at_ns: u64,
        command: CommandKind,
        ops: &[Op],
    ) -> Result<(), TraceError> {
        for &op in ops {
            Line { at_ns, type_name, actor, command_id: self.command_id, command, op }.append(&mut self.lines);
        }
        self.command_id += 1;
        if self.lines.len() >= PIECE_BYTES { self.hand_over() } else { Ok(()) }
    }

    fn hand_over(&mut self) -> Result<(), TraceError> {
        let failed = || io::Error::other("an earlier write failed");
        let piece = std::mem::replace(&mut self.lines, empty_piece());
        let worker = self.worker.take().ok_or_else(failed).and_then(|worker| match worker.pieces.send(piece) {
            Ok(()) => Ok(worker),
            Err(_) => Err(worker.wait().err().unwrap_or_else(failed)),
        });
        self.worker = Some(worker.map_err(TraceError::file("write", &self.path))?);
        Ok(())
    }

    /// Completes the trace: syncs it and moves it to its path, replacing a file of that name.
    ///
    /// # Errors
    ///
    /// [`TraceError::File`] if the disk is full or fails; the path is unchanged then.
    pub fn finish(mut self) -> Result<(), TraceError> {
        self.hand_over()?;
        let written = self.worker.take().map_or(Ok(()), |worker| worker.wait().and_then(AtomicFile::commit));
        written.map_err(TraceError::file("write", &self.path))
    }
}

/// Removes the temporary file of an unfinished trace before it returns.
impl Drop for TraceWriter {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            drop(worker.wait());
        }
    }
}

struct Worker {
    pieces: SyncSender<Vec<u8>>,
    thread: JoinHandle<io::Result<AtomicFile>>,
}

impl Worker {
    fn start(mut file: AtomicFile) -> io::Result<Self> {
        let (pieces, received) = sync_channel::<Vec<u8>>(PIECES);
        let write_all = move || received.iter().try_for_each(|piece| file.write_all(&piece)).map(|()| file);
        let thread = thread::Builder::new().name("trace-writer".to_owned()).spawn(write_all)?;
        Ok(Self { pieces, thread })
    }

    fn wait(self) -> io::Result<AtomicFile> {
        drop(self.pieces);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that writes it panicked")))
    }
}

fn empty_piece() -> Vec<u8> {
    Vec::with_capacity(PIECE_BYTES + (64 << 10))
}
