//! Writing a trace so that a half-written one is never mistaken for a whole one.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use tempfile::NamedTempFile;

use crate::trace::command::{TraceActor, TraceCommand};
use crate::trace::error::TraceError;
use crate::trace::place::{beside, put_in_place};
use ave_actors_rocksdb::trace::format::{Line, write_head};
use ave_actors_rocksdb::trace::{CommandKind, Op, Provenance};

/// zstd level: traces of light actors are a tenth smaller than at level 3, and compressed nearly twice as fast.
const ZSTD_LEVEL: i32 = 1;

/// Lines are handed to the compressor in pieces of this size.
const PIECE_BYTES: usize = 256 << 10;

/// Pieces that may wait for the compressor.
const PIECES: usize = 4;

/// Writes a trace beside its final place and moves it there when it is complete and on disk.
///
/// Lines are put together on the caller's thread and compressed and written on one of its own. The compressed trace is
/// one zstd frame, because some readers stop at the end of the first.
pub struct TraceWriter {
    path: PathBuf,
    /// Lines that were not handed over yet.
    lines: Vec<u8>,
    command_id: u64,
    /// Absent when it failed or was waited for.
    worker: Option<Worker>,
}

impl TraceWriter {
    /// Begins a trace that will stand at `path`, compressed if that ends in `.zst`.
    ///
    /// # Errors
    ///
    /// [`TraceError::File`] if the directory cannot be written to.
    pub fn create(path: &Path, provenance: &Provenance) -> Result<Self, TraceError> {
        let failed = |source| TraceError::File { action: "create", path: path.to_owned(), source };
        let file = BufWriter::with_capacity(PIECE_BYTES, beside(path).map_err(failed)?);
        let mut output = if path.extension().is_some_and(|extension| extension == "zst") {
            let mut encoder = zstd::Encoder::new(file, ZSTD_LEVEL).map_err(failed)?;
            encoder.include_checksum(true).map_err(failed)?;
            Output::Zstd(encoder)
        } else {
            Output::Plain(file)
        };
        write_head(&mut output, provenance).map_err(failed)?;
        let worker = Worker::start(output).map_err(failed)?;
        Ok(Self { path: path.to_owned(), lines: empty_piece(), command_id: 0, worker: Some(worker) })
    }

    /// Appends a command: one line for each of its operations.
    ///
    /// # Errors
    ///
    /// [`TraceError::File`] if the disk is full or fails; it may have failed for lines before these.
    pub fn command(&mut self, actor: &TraceActor, command: &TraceCommand, ops: &[Op]) -> Result<(), TraceError> {
        self.lines(&actor.type_name, &actor.name, command.at_ns, command.kind, ops)
    }

    /// The same for a command whose parts are in different places.
    pub(super) fn lines(
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
        let ended = || io::Error::other("writing it failed before");
        let handed = self.worker.as_ref().ok_or_else(ended).map(|worker| worker.take(&mut self.lines));
        match handed {
            Ok(true) => Ok(()),
            Ok(false) => {
                let reason = self.worker.take().and_then(|worker| worker.wait().err()).unwrap_or_else(ended);
                Err(self.failed(reason))
            }
            Err(reason) => Err(self.failed(reason)),
        }
    }

    fn failed(&self, source: io::Error) -> TraceError {
        TraceError::File { action: "write", path: self.path.clone(), source }
    }

    /// Completes the trace: syncs it and moves it to its place, replacing what stood there.
    ///
    /// # Errors
    ///
    /// [`TraceError::File`] if the disk is full or fails; nothing then stands at the path that did not before.
    pub fn finish(mut self) -> Result<(), TraceError> {
        self.hand_over()?;
        if let Some(worker) = self.worker.take() {
            worker.wait().and_then(|file| put_in_place(file, &self.path)).map_err(|source| self.failed(source))?;
        }
        Ok(())
    }
}

/// A trace that was not finished leaves nothing: the temporary file is gone when this returns.
impl Drop for TraceWriter {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            drop(worker.wait());
        }
    }
}

/// The thread that compresses and writes.
struct Worker {
    full: SyncSender<Vec<u8>>,
    /// Pieces that were written come back to be filled again.
    empty: Receiver<Vec<u8>>,
    thread: JoinHandle<io::Result<NamedTempFile>>,
}

impl Worker {
    fn start(mut output: Output) -> io::Result<Self> {
        let (full, pieces) = sync_channel::<Vec<u8>>(PIECES);
        let (written, empty) = sync_channel(PIECES + 2);
        let thread = thread::Builder::new().name("trace-writer".to_owned()).spawn(move || {
            for mut piece in pieces {
                output.write_all(&piece)?;
                piece.clear();
                // Whoever filled it may have enough of them.
                let _ = written.try_send(piece);
            }
            output.finish()
        })?;
        Ok(Self { full, empty, thread })
    }

    /// Takes the lines and leaves an empty piece; false if the thread has ended.
    fn take(&self, lines: &mut Vec<u8>) -> bool {
        let next = self.empty.try_recv().unwrap_or_else(|_| empty_piece());
        self.full.send(std::mem::replace(lines, next)).is_ok()
    }

    /// Lets the thread end with what it has, and returns the file.
    fn wait(self) -> io::Result<NamedTempFile> {
        drop(self.full);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that writes it panicked")))
    }
}

fn empty_piece() -> Vec<u8> {
    Vec::with_capacity(PIECE_BYTES + (64 << 10))
}

enum Output {
    Plain(BufWriter<NamedTempFile>),
    Zstd(zstd::Encoder<'static, BufWriter<NamedTempFile>>),
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Zstd(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Zstd(out) => out.flush(),
        }
    }
}

impl Output {
    fn finish(self) -> io::Result<NamedTempFile> {
        let buffered = match self {
            Self::Plain(out) => out,
            Self::Zstd(out) => out.finish()?,
        };
        buffered.into_inner().map_err(io::IntoInnerError::into_error)
    }
}
