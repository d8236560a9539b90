//! The commands of a trace between reading and replaying: in memory, or in a file if there are many.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::command::TraceCommand;
use super::error::TraceError;
use super::packed::{CHUNK_BYTES, ChunkWriter};
use ave_actors_rocksdb::trace::Op;

/// Packed bytes a trace keeps in memory, some ten million operations; a longer one goes to a file.
pub(super) const MEMORY_BYTES: usize = 64 << 20;

#[derive(Debug)]
pub(super) enum Content {
    Memory(Vec<Vec<u8>>),
    /// A temporary file without a name, which disappears with the process.
    File {
        file: File,
        /// Start of each chunk, and end of the last one.
        bounds: Vec<u64>,
    },
}

impl Default for Content {
    fn default() -> Self {
        Self::Memory(Vec::new())
    }
}

impl Content {
    pub(super) fn chunk_count(&self) -> usize {
        match self {
            Self::Memory(chunks) => chunks.len(),
            Self::File { bounds, .. } => bounds.len() - 1,
        }
    }

    /// A chunk, read into `buffer` if it is in the file.
    pub(super) fn chunk<'c>(&'c self, chunk: usize, buffer: &'c mut Vec<u8>) -> io::Result<&'c [u8]> {
        match self {
            Self::Memory(chunks) => Ok(&chunks[chunk]),
            Self::File { file, bounds } => {
                let length = usize::try_from(bounds[chunk + 1] - bounds[chunk]).expect("a chunk fits in memory");
                buffer.resize(length, 0);
                file.read_exact_at(buffer, bounds[chunk])?;
                Ok(buffer)
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct ContentWriter {
    chunk: ChunkWriter,
    content: Content,
    memory_bytes: usize,
    used_bytes: usize,
    directory: PathBuf,
}

impl ContentWriter {
    /// Chunks of more than `memory_bytes` in all go to a file in `directory`.
    pub(super) fn new(directory: &Path, memory_bytes: usize) -> Self {
        Self {
            chunk: ChunkWriter::default(),
            content: Content::default(),
            memory_bytes,
            used_bytes: 0,
            directory: directory.to_owned(),
        }
    }

    pub(super) fn push(&mut self, command: TraceCommand, ops: &[Op]) -> Result<(), TraceError> {
        self.chunk.push(command, ops);
        if self.chunk.bytes.len() >= CHUNK_BYTES { self.close_chunk() } else { Ok(()) }
    }

    pub(super) fn finish(mut self) -> Result<Content, TraceError> {
        if !self.chunk.bytes.is_empty() {
            self.close_chunk()?;
        }
        Ok(self.content)
    }

    fn close_chunk(&mut self) -> Result<(), TraceError> {
        let chunk = std::mem::take(&mut self.chunk.bytes);
        let put = match &mut self.content {
            Content::Memory(chunks) => {
                self.used_bytes += chunk.len();
                chunks.push(chunk);
                if self.used_bytes > self.memory_bytes { self.spill() } else { Ok(()) }
            }
            Content::File { file, bounds } => append(file, bounds, &chunk),
        };
        put.map_err(TraceError::file("write", &self.directory))
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut file = tempfile::tempfile_in(&self.directory)?;
        let mut bounds = vec![0];
        if let Content::Memory(chunks) = &self.content {
            for chunk in chunks {
                append(&mut file, &mut bounds, chunk)?;
            }
        }
        self.content = Content::File { file, bounds };
        Ok(())
    }
}

fn append(file: &mut File, bounds: &mut Vec<u64>, chunk: &[u8]) -> io::Result<()> {
    file.write_all(chunk)?;
    bounds.push(bounds.last().copied().unwrap_or(0) + chunk.len() as u64);
    Ok(())
}
