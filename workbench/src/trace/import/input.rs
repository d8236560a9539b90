//! An event log: a file or any reader, plain or compressed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::trace::records::ZSTD_MAGIC;

/// An event log to be imported.
pub struct LogInput {
    /// Path of the file, or name of the reader.
    pub(super) name: PathBuf,
    /// The file called `name` if absent.
    reader: Option<Box<dyn Read + Send>>,
    pub(super) opens_again: bool,
}

/// First bytes of a gzip member (RFC 1952).
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

impl LogInput {
    /// The log in the file at `path`; plain, zstd or gzip, detected from its first bytes.
    pub fn file(path: &Path) -> Self {
        Self { name: path.to_owned(), reader: None, opens_again: true }
    }

    /// The log that a reader delivers, for example standard input. Errors use `name`.
    ///
    /// It can be read only once, so a log is refused if its first rows do not distinguish days from months; a file would
    /// be searched to its end.
    pub fn reader(name: &str, reader: impl Read + Send + 'static) -> Self {
        Self { name: PathBuf::from(name), reader: Some(Box::new(reader)), opens_again: false }
    }

    /// Opens it at its beginning, decompressed; a reader only once.
    pub(super) fn open(&mut self) -> io::Result<(Box<dyn Read + Send>, LogProgress)> {
        let (raw, size): (Box<dyn Read + Send>, _) = if let Some(reader) = self.reader.take() {
            (reader, None)
        } else {
            let file = File::open(&self.name)?;
            let size = file.metadata()?.len();
            // A pipe or a device has no size.
            (Box::new(file), (size > 0).then_some(size))
        };
        let taken = Arc::new(AtomicU64::new(0));
        let mut buffered = BufReader::with_capacity(1 << 18, Counted { inner: raw, taken: Arc::clone(&taken) });
        let first = buffered.fill_buf()?;
        let decompressed: Box<dyn Read + Send> = if first.starts_with(&ZSTD_MAGIC) {
            Box::new(zstd::Decoder::with_buffer(buffered)?)
        } else if first.starts_with(GZIP_MAGIC) {
            Box::new(flate2::bufread::MultiGzDecoder::new(buffered))
        } else {
            Box::new(buffered)
        };
        Ok((decompressed, LogProgress { taken, size }))
    }
}

pub(super) struct LogProgress {
    /// Bytes read from the file so far, before decompression.
    pub(super) taken: Arc<AtomicU64>,
    pub(super) size: Option<u64>,
}

struct Counted {
    inner: Box<dyn Read + Send>,
    taken: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
