//! One part of a recording: a trace file that can be read at any time, up to its last complete line.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::files::{directory_of, sync_directory};
use crate::trace::format::{Compressor, Provenance, write_head};

pub(super) struct Part {
    pub(super) path: PathBuf,
    output: Compressor<Counted>,
    /// Bytes up to which the file is known to be readable.
    safe_bytes: u64,
}

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
    pub(super) fn create(path: &Path, is_compressed: bool, provenance: &Provenance) -> io::Result<Self> {
        let file = Counted { file: OpenOptions::new().write(true).create_new(true).open(path)?, bytes: 0 };
        let with_head = || {
            let mut part = Self { path: path.to_owned(), output: Compressor::new(file, is_compressed)?, safe_bytes: 0 };
            let mut head = Vec::new();
            write_head(&mut head, provenance)?;
            part.write(&head)?;
            part.flush()?;
            Ok(part)
        };
        with_head().inspect_err(|_| {
            // A file without a head is unusable.
            let _ = std::fs::remove_file(path);
        })
    }

    pub(super) fn bytes(&self) -> u64 {
        self.output.get_ref().bytes
    }

    /// Writes complete lines. They survive the death of the process after the next [`flush`](Self::flush).
    pub(super) fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        self.output.write_all(lines)
    }

    /// Writes all lines to the file, so that it can be read up to here.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.output.flush()?;
        self.safe_bytes = self.bytes();
        Ok(())
    }

    /// Completes the part, with `sync` durably. Returns its bytes.
    pub(super) fn finish(self, sync: bool) -> io::Result<u64> {
        let Counted { file, bytes } = self.output.finish()?;
        if sync {
            file.sync_all()?;
            sync_directory(directory_of(&self.path))?;
        }
        Ok(bytes)
    }

    /// Closes the part after an error, truncated to its readable bytes.
    pub(super) fn abandon(self) {
        // If this fails as well, an incomplete line remains, which readers skip.
        let _ = self.output.get_ref().file.set_len(self.safe_bytes);
    }
}
