//! Event logs: files or any reader, plain or compressed, in UTF-8 or UTF-16.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use encoding_rs_io::DecodeReaderBytesBuilder;

use super::blocks::fill;
use crate::trace::records::{GZIP_MAGIC, ZSTD_MAGIC};

/// One event log, or several that are imported as one.
pub struct LogInput {
    sources: Vec<Source>,
}

struct Source {
    /// Path of the file, or name of the reader.
    name: PathBuf,
    /// Whether `name` is a path, whatever the source is replaced by.
    is_path: bool,
    kind: SourceKind,
}

enum SourceKind {
    File,
    /// Absent once it is opened.
    Reader(Option<Box<dyn Read + Send>>),
    /// Opened already: decompressed and in UTF-8. Absent once it is opened again.
    Opened(Option<Box<dyn Read + Send>>),
    /// A nameless file with what the log has, decompressed.
    Copy(Arc<File>),
    /// A nameless file of the rows that the log was decoded to.
    Decoded(Arc<File>),
}

/// Bytes that show compression and encoding.
const FIRST_BYTES: usize = 4096;

impl LogInput {
    /// The log in the file at `path`; plain, zstd or gzip, detected from its first bytes.
    pub fn file(path: &Path) -> Self {
        Self::files([path.to_owned()])
    }

    /// Logs with equal header rows, whose events are merged by time. Events of equal time keep the order of the files.
    pub fn files(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let source = |name| Source { name, is_path: true, kind: SourceKind::File };
        Self { sources: paths.into_iter().map(source).collect() }
    }

    /// The log that a reader delivers, for example standard input. Errors use `name`.
    ///
    /// If its first rows do not distinguish days from months, it is copied to a temporary file in the directory of the
    /// output, to be read twice. The same holds for a file that is a pipe.
    pub fn reader(name: &str, reader: impl Read + Send + 'static) -> Self {
        let kind = SourceKind::Reader(Some(Box::new(reader)));
        Self { sources: vec![Source { name: PathBuf::from(name), is_path: false, kind }] }
    }

    pub(super) fn count(&self) -> usize {
        self.sources.len()
    }

    /// Path of a file, or name of a reader.
    pub(super) fn name(&self, source: usize) -> &Path {
        self.sources.get(source).map_or(Path::new("no log"), |source| &source.name)
    }

    /// The sources as arguments of a command line.
    pub(super) fn arguments(&self) -> Vec<String> {
        let argument =
            |source: &Source| if source.is_path { source.name.display().to_string() } else { "-".to_owned() };
        self.sources.iter().map(argument).collect()
    }

    /// Whether a source can be opened more than once: a pipe and a reader cannot.
    pub(super) fn opens_again(&self, source: usize) -> bool {
        let source = &self.sources[source];
        match &source.kind {
            SourceKind::File => fs::metadata(&source.name).is_ok_and(|found| found.is_file()),
            SourceKind::Copy(_) | SourceKind::Decoded(_) => true,
            SourceKind::Reader(_) | SourceKind::Opened(_) => false,
        }
    }

    /// The path of a source that is a file and no copy of one.
    pub(super) fn regular_file(&self, source: usize) -> Option<&Path> {
        let source = &self.sources[source];
        (matches!(source.kind, SourceKind::File) && source.name.is_file()).then_some(&source.name)
    }

    /// The first bytes of a source, decompressed and in UTF-8. A log that is cut off is reported when it is read.
    pub(super) fn first_bytes(&mut self, source: usize, bytes: usize, progress: &LogProgress) -> io::Result<Vec<u8>> {
        let mut first = Vec::new();
        if self.opens_again(source) {
            // Its bytes are counted when it is read.
            let mut log = self.open(source, &LogProgress { taken: Arc::default(), size: None })?;
            let _ = fill(&mut log, &mut first, bytes);
        } else {
            let mut log = self.open(source, progress)?;
            fill(&mut log, &mut first, bytes)?;
            self.sources[source].kind = SourceKind::Opened(Some(Box::new(Cursor::new(first.clone()).chain(log))));
        }
        Ok(first)
    }

    pub(super) fn replace_by_copy(&mut self, source: usize, copy: Arc<File>) {
        self.sources[source].kind = SourceKind::Copy(copy);
    }

    /// Reads the rows that a source was decoded to from now on.
    pub(super) fn replace_by_rows(&mut self, source: usize, rows: File) {
        self.sources[source].kind = SourceKind::Decoded(Arc::new(rows));
    }

    /// The place in the original log of a line of decoded rows, which is their last field; `None` if it was not decoded.
    pub(super) fn place_of(&self, source: usize, line: u64) -> Option<String> {
        let SourceKind::Decoded(file) = &self.sources.get(source)?.kind else { return None };
        let mut lines = BufReader::new(FromStart::new(Arc::clone(file))).split(b'\n');
        let line = lines.nth(usize::try_from(line).ok()?.checked_sub(1)?)?.ok()?;
        let mut csv = csv::ReaderBuilder::new().has_headers(false).from_reader(&line[..]);
        let row = csv.byte_records().next()?.ok()?;
        row.iter().next_back().map(|place| String::from_utf8_lossy(place).into_owned())
    }

    /// The file of a source that is not compressed.
    pub(super) fn plain_file(&self, source: usize) -> io::Result<Option<File>> {
        let file = match &self.sources[source].kind {
            SourceKind::File => File::open(&self.sources[source].name)?,
            SourceKind::Copy(file) | SourceKind::Decoded(file) => file.try_clone()?,
            SourceKind::Reader(_) | SourceKind::Opened(_) => return Ok(None),
        };
        let mut first = [0; 4];
        let read = file.read_at(&mut first, 0)?;
        Ok((!first[..read].starts_with(&ZSTD_MAGIC) && !first[..read].starts_with(&GZIP_MAGIC)).then_some(file))
    }

    pub(super) fn progress(&self) -> LogProgress {
        let sizes = self.sources.iter().map(|source| match &source.kind {
            SourceKind::File => fs::metadata(&source.name).ok().map(|found| found.len()),
            SourceKind::Copy(file) | SourceKind::Decoded(file) => file.metadata().ok().map(|found| found.len()),
            SourceKind::Reader(_) | SourceKind::Opened(_) => None,
        });
        // A pipe or a device has no size.
        let size = sizes.collect::<Option<Vec<_>>>().filter(|sizes| !sizes.contains(&0));
        LogProgress { taken: Arc::default(), size: size.map(|sizes| sizes.iter().sum()) }
    }

    /// Opens a source at its beginning, decompressed and in UTF-8.
    pub(super) fn open(&mut self, source: usize, progress: &LogProgress) -> io::Result<Box<dyn Read + Send>> {
        let Source { name, kind, .. } = &mut self.sources[source];
        let raw: Box<dyn Read + Send> = match kind {
            SourceKind::File => Box::new(File::open(name)?),
            SourceKind::Reader(reader) => reader.take().ok_or(io::ErrorKind::UnexpectedEof)?,
            // Its bytes are counted already.
            SourceKind::Opened(reader) => return reader.take().ok_or_else(|| io::ErrorKind::UnexpectedEof.into()),
            SourceKind::Copy(file) | SourceKind::Decoded(file) => {
                let inner = Box::new(FromStart::new(Arc::clone(file)));
                return Ok(Box::new(Counted { inner, taken: Arc::clone(&progress.taken) }));
            }
        };
        let counted = Counted { inner: raw, taken: Arc::clone(&progress.taken) };
        let (first, raw) = peek(Box::new(counted))?;
        let plain: Box<dyn Read + Send> = if first.starts_with(&ZSTD_MAGIC) {
            Box::new(zstd::Decoder::new(raw)?)
        } else if first.starts_with(&GZIP_MAGIC) {
            Box::new(flate2::read::MultiGzDecoder::new(raw))
        } else {
            raw
        };
        let (first, plain) = peek(plain)?;
        Ok(match declared_encoding(&first).or_else(|| wide_encoding(&first)) {
            Some(encoding) => Box::new(DecodeReaderBytesBuilder::new().encoding(Some(encoding)).build(plain)),
            None => plain,
        })
    }
}

/// The first bytes of a reader, and a reader of the same bytes.
fn peek(mut reader: Box<dyn Read + Send>) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut first = Vec::new();
    fill(&mut reader, &mut first, FIRST_BYTES)?;
    Ok((first.clone(), Box::new(Cursor::new(first).chain(reader))))
}

/// The encoding that an XML declaration names, unless its letters are those of UTF-8.
fn declared_encoding(first: &[u8]) -> Option<&'static Encoding> {
    let declaration = first.strip_prefix(b"<?xml")?;
    let declaration = &declaration[..memchr::memmem::find(declaration, b"?>")?];
    let (_, label) = std::str::from_utf8(declaration).ok()?.split_once("encoding")?;
    let label = label.trim_start().strip_prefix('=')?.trim_start();
    let quote = label.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let encoding = Encoding::for_label(label[1..].split(quote).next()?.as_bytes())?;
    // UTF-16 would not begin with these bytes.
    Some(encoding).filter(|encoding| encoding.is_ascii_compatible() && *encoding != UTF_8)
}

/// UTF-16, by its byte order mark, or by the zero bytes of most of its letters.
fn wide_encoding(first: &[u8]) -> Option<&'static Encoding> {
    if first.starts_with(b"\xff\xfe") {
        return Some(UTF_16LE);
    }
    if first.starts_with(b"\xfe\xff") {
        return Some(UTF_16BE);
    }
    let pairs = first.as_chunks::<2>().0;
    let zeros = |place: usize| pairs.iter().filter(|pair| pair[place] == 0).count();
    let is_most = |zeros: usize, others: usize| zeros * 2 > pairs.len() && others * 20 <= pairs.len();
    match [zeros(0), zeros(1)] {
        [even, odd] if is_most(odd, even) => Some(UTF_16LE),
        [even, odd] if is_most(even, odd) => Some(UTF_16BE),
        _ => None,
    }
}

pub(super) struct LogProgress {
    /// Bytes read from the files so far, before decompression.
    pub(super) taken: Arc<AtomicU64>,
    pub(super) size: Option<u64>,
}

/// One of several readers of a file.
pub(super) struct FromStart {
    file: Arc<File>,
    at: u64,
}

impl FromStart {
    pub(super) const fn new(file: Arc<File>) -> Self {
        Self { file, at: 0 }
    }
}

impl Read for FromStart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
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
