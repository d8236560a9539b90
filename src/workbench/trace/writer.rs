//! Writing a trace so that a half-written one is never mistaken for a whole one.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::format::{Provenance, TraceActor, write_head};
use super::line::Line;
use super::{TraceCommand, TraceError};
use crate::workbench::actor::Op;

/// zstd level: the default, about a fifth of the plain size at disk speed.
const ZSTD_LEVEL: i32 = 3;

/// Lines are handed to the compressor or the file in pieces of this size.
const FLUSH_BYTES: usize = 64 << 10;

/// Writes a trace beside its final place and moves it there when it is complete and on disk.
pub struct TraceWriter {
    path: PathBuf,
    output: Output,
    /// Lines that were not handed to `output` yet.
    lines: Vec<u8>,
    command_id: u64,
}

enum Output {
    Plain(BufWriter<NamedTempFile>),
    Zstd(zstd::Encoder<'static, BufWriter<NamedTempFile>>),
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Zstd(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Zstd(out) => out.flush(),
        }
    }
}

impl Output {
    fn finish(self) -> std::io::Result<NamedTempFile> {
        let buffered = match self {
            Self::Plain(out) => out,
            Self::Zstd(out) => out.finish()?,
        };
        buffered.into_inner().map_err(std::io::IntoInnerError::into_error)
    }
}

impl TraceWriter {
    /// Begins a trace that will stand at `path`, compressed if that ends in `.zst`.
    ///
    /// # Errors
    ///
    /// [`TraceError::File`] if the directory cannot be written to.
    pub fn create(path: &Path, provenance: &Provenance) -> Result<Self, TraceError> {
        let failed = |source| TraceError::File { action: "create", path: path.to_owned(), source };
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = BufWriter::new(temporary_file(directory).map_err(failed)?);
        let mut output = if path.extension().is_some_and(|extension| extension == "zst") {
            let mut encoder = zstd::Encoder::new(file, ZSTD_LEVEL).map_err(failed)?;
            encoder.include_checksum(true).map_err(failed)?;
            Output::Zstd(encoder)
        } else {
            Output::Plain(file)
        };
        write_head(&mut output, provenance).map_err(failed)?;
        Ok(Self { path: path.to_owned(), output, lines: Vec::with_capacity(2 * FLUSH_BYTES), command_id: 0 })
    }

    /// Appends a command: one line for each of its operations.
    ///
    /// # Errors
    ///
    /// [`TraceError::File`] if the disk is full or fails.
    pub fn command(&mut self, actor: &TraceActor, command: &TraceCommand, ops: &[Op]) -> Result<(), TraceError> {
        for &op in ops {
            let line = Line {
                at_ns: command.at_ns,
                type_name: &actor.type_name,
                actor: &actor.name,
                command_id: self.command_id,
                command: command.kind,
                op,
            };
            line.append(&mut self.lines);
        }
        self.command_id += 1;
        if self.lines.len() >= FLUSH_BYTES { self.hand_over() } else { Ok(()) }
    }

    fn hand_over(&mut self) -> Result<(), TraceError> {
        let written = self.output.write_all(&self.lines);
        self.lines.clear();
        written.map_err(|source| TraceError::File { action: "write", path: self.path.clone(), source })
    }

    /// Completes the trace: syncs it and moves it to its place, replacing what stood there.
    ///
    /// # Errors
    ///
    /// [`TraceError::File`] if the disk is full or fails; nothing then stands at the path that did not before.
    pub fn finish(mut self) -> Result<(), TraceError> {
        self.hand_over()?;
        let Self { path, output, .. } = self;
        let failed = |source| TraceError::File { action: "write", path: path.clone(), source };
        let file = output.finish().map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        sync_directory(&path).map_err(failed)
    }
}

/// A temporary file with the permissions of any new file, since it becomes one.
fn temporary_file(directory: &Path) -> std::io::Result<NamedTempFile> {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    tempfile::Builder::new().prefix(".trace-").permissions(permissions).tempfile_in(directory)
}

/// The rename itself must be on disk too.
fn sync_directory(path: &Path) -> std::io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}
