//! Where an event log comes from: a file or any reader, plain or compressed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// An event log to be imported.
pub struct LogInput {
    /// How errors and the trace's provenance call it.
    name: PathBuf,
    source: Source,
}

enum Source {
    File,
    Reader(Option<Box<dyn Read + Send>>),
}

/// First bytes of a zstd frame (RFC 8878).
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// First bytes of a gzip member (RFC 1952).
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

impl LogInput {
    /// The log in the file at `path`; plain, zstd or gzip, told by its first bytes.
    pub fn file(path: &Path) -> Self {
        Self { name: path.to_owned(), source: Source::File }
    }

    /// The log a reader delivers, for example standard input. `name` is what errors call it.
    ///
    /// It can be read once only, so a log in which nothing near its beginning tells days from months is refused; a file
    /// would be searched to its end.
    pub fn reader(name: &str, reader: impl Read + Send + 'static) -> Self {
        Self { name: PathBuf::from(name), source: Source::Reader(Some(Box::new(reader))) }
    }

    /// How errors call it.
    pub(super) fn name(&self) -> &Path {
        &self.name
    }

    /// Whether it can be opened a second time.
    pub(super) const fn opens_again(&self) -> bool {
        matches!(self.source, Source::File)
    }

    /// Opens it at its beginning.
    pub(super) fn open(&mut self) -> io::Result<OpenLog> {
        let (raw, size): (Box<dyn Read + Send>, _) = match &mut self.source {
            Source::File => {
                let file = File::open(&self.name)?;
                let size = file.metadata()?.len();
                // A pipe or a device has no size.
                (Box::new(file), (size > 0).then_some(size))
            }
            Source::Reader(reader) => {
                let gone = || io::Error::other("it can be read only once");
                (reader.take().ok_or_else(gone)?, None)
            }
        };
        let taken = Arc::new(AtomicU64::new(0));
        let counted = Counted { inner: raw, taken: Arc::clone(&taken) };
        Ok(OpenLog { reader: decompressed(counted)?, taken, size })
    }
}

/// A log that is being read.
pub(super) struct OpenLog {
    pub(super) reader: Box<dyn Read + Send>,
    /// Bytes taken from the file so far, compressed if it is.
    pub(super) taken: Arc<AtomicU64>,
    /// Bytes of the file.
    pub(super) size: Option<u64>,
}

fn decompressed(raw: Counted) -> io::Result<Box<dyn Read + Send>> {
    let mut buffered = BufReader::with_capacity(1 << 18, raw);
    let first = buffered.fill_buf()?;
    Ok(if first.starts_with(ZSTD_MAGIC) {
        Box::new(zstd::Decoder::with_buffer(buffered)?)
    } else if first.starts_with(GZIP_MAGIC) {
        Box::new(flate2::bufread::MultiGzDecoder::new(buffered))
    } else {
        Box::new(buffered)
    })
}

/// Counts what passes, so that progress can be told.
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
