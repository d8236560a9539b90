//! One part of a recording: a trace file that can be read at any time, up to its last complete line.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::files::{directory_of, sync_directory};
use crate::trace::format::{Provenance, write_head};

use super::options::Compression;

/// zstd level: the least CPU time.
const ZSTD_LEVEL: i32 = 1;

/// A part that is being written.
pub(super) struct Part {
    path: PathBuf,
    output: Output,
    /// Bytes up to which the file is known to be readable.
    safe_bytes: u64,
}

enum Output {
    Plain(Counted),
    Zstd(zstd::Encoder<'static, Counted>),
}

/// A file and the bytes written to it.
struct Counted {
    file: File,
    bytes: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Part {
    /// Creates a part at a free path and writes its head.
    pub(super) fn create(path: &Path, compression: Compression, provenance: &Provenance) -> io::Result<Self> {
        let file = Counted { file: OpenOptions::new().write(true).create_new(true).open(path)?, bytes: 0 };
        let part = Self::with_head(path, file, compression, provenance);
        if part.is_err() {
            // A file without a head is unusable.
            let _ = std::fs::remove_file(path);
        }
        part
    }

    fn with_head(path: &Path, file: Counted, compression: Compression, provenance: &Provenance) -> io::Result<Self> {
        let output = match compression {
            Compression::Plain => Output::Plain(file),
            Compression::Zstd => {
                let mut encoder = zstd::Encoder::new(file, ZSTD_LEVEL)?;
                encoder.include_checksum(true)?;
                Output::Zstd(encoder)
            }
        };
        let mut part = Self { path: path.to_owned(), output, safe_bytes: 0 };
        let mut head = Vec::new();
        write_head(&mut head, provenance)?;
        part.write(&head)?;
        part.flush()?;
        Ok(part)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes written to the file.
    pub(super) fn bytes(&self) -> u64 {
        match &self.output {
            Output::Plain(file) => file.bytes,
            Output::Zstd(encoder) => encoder.get_ref().bytes,
        }
    }

    /// Writes complete lines. They survive the death of the process after the next [`flush`](Self::flush).
    pub(super) fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        match &mut self.output {
            Output::Plain(file) => file.write_all(lines),
            Output::Zstd(encoder) => encoder.write_all(lines),
        }
    }

    /// Writes all lines to the file, so that it can be read up to here.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if let Output::Zstd(encoder) = &mut self.output {
            encoder.flush()?;
        }
        self.safe_bytes = self.bytes();
        Ok(())
    }

    /// Completes the part, with `sync` durably. Returns its bytes.
    pub(super) fn finish(self, sync: bool) -> io::Result<u64> {
        let file = match self.output {
            Output::Plain(file) => file,
            Output::Zstd(encoder) => encoder.finish()?,
        };
        if sync {
            file.file.sync_all()?;
            sync_directory(directory_of(&self.path))?;
        }
        Ok(file.bytes)
    }

    /// Closes the part after an error, truncated to its readable bytes.
    pub(super) fn abandon(self) {
        let file = match &self.output {
            Output::Plain(file) => &file.file,
            Output::Zstd(encoder) => &encoder.get_ref().file,
        };
        // If this fails as well, an incomplete line remains, which readers skip.
        let _ = file.set_len(self.safe_bytes);
    }
}
