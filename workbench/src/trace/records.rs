//! The whole records of a trace file, plain, zstd or gzip.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::error::TraceError;

/// First bytes of a zstd frame (RFC 8878).
pub(super) const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// First bytes of a gzip member (RFC 1952).
pub(super) const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// How an input is cut off that ends without a line end.
const NO_END: &str = "the last line has no end";
const READ_BYTES: usize = 1 << 18;
/// Pieces of that size that are read ahead.
const AHEAD: usize = 4;

/// Hands out the records that end in a line end, and notes how the input ended otherwise.
pub(super) struct Records {
    /// Read and decompressed by another thread, which ends with this receiver.
    input: Receiver<io::Result<Vec<u8>>>,
    /// What was read and not handed out begins at `start`.
    buffer: Vec<u8>,
    start: usize,
    pub(super) lines: u64,
    /// How the input is cut off.
    pub(super) cut: Option<String>,
    is_at_end: bool,
}

impl Records {
    pub(super) fn open(path: &Path) -> Result<Self, TraceError> {
        let failed = TraceError::file("read", path);
        let file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        let mut input = BufReader::with_capacity(READ_BYTES, file);
        let first = input.fill_buf().map_err(failed)?;
        let input: Box<dyn Read + Send> = if first.starts_with(&ZSTD_MAGIC) {
            Box::new(zstd::Decoder::with_buffer(input).map_err(failed)?)
        } else if first.starts_with(&GZIP_MAGIC) {
            Box::new(flate2::bufread::MultiGzDecoder::new(input))
        } else {
            Box::new(input)
        };
        let (sender, receiver) = sync_channel(AHEAD);
        std::thread::spawn(move || read_ahead(input, &sender));
        Ok(Self { input: receiver, buffer: Vec::new(), start: 0, lines: 0, cut: None, is_at_end: false })
    }

    /// The next whole line without its end, and its number, from 1.
    pub(super) fn next_line(&mut self) -> Option<(u64, &[u8])> {
        self.next_where(|_| true)
    }

    /// The next whole record without its end, and the number of its first line: a quoted name may contain line breaks.
    pub(super) fn next_record(&mut self) -> Option<(u64, &[u8])> {
        // No quote, or an even number of them.
        self.next_where(|record| memchr::memchr_iter(b'"', record).count().is_multiple_of(2))
    }

    fn next_where(&mut self, is_whole: impl Fn(&[u8]) -> bool) -> Option<(u64, &[u8])> {
        let (mut searched, mut lines) = (0, 0);
        loop {
            let Some(end) = memchr::memchr(b'\n', &self.buffer[self.start + searched..]) else {
                searched = self.buffer.len() - self.start;
                if self.is_at_end || !self.fill() {
                    self.note_rest(lines);
                    return None;
                }
                continue;
            };
            lines += 1;
            let record = self.start..self.start + searched + end;
            if is_whole(&self.buffer[record.clone()]) {
                let first = self.lines + 1;
                self.lines += lines;
                self.start = record.end + 1;
                let bytes = &self.buffer[record];
                return Some((first, bytes.strip_suffix(b"\r").unwrap_or(bytes)));
            }
            searched += end + 1;
        }
    }

    /// The last line if it has no end, and its number, after the records; `None` also if the input is cut off inside a
    /// compressed stream or a quoted name.
    pub(super) fn line_without_end(&self) -> Option<(u64, &[u8])> {
        let is_line = self.cut.as_deref() == Some(NO_END);
        is_line.then(|| (self.lines + 1, &self.buffer[self.start..]))
    }

    /// Reads on; false at the end of the input.
    fn fill(&mut self) -> bool {
        self.buffer.drain(..self.start);
        self.start = 0;
        match self.input.recv() {
            Ok(Ok(piece)) => self.buffer.extend_from_slice(&piece),
            Ok(Err(error)) => {
                self.is_at_end = true;
                self.cut = Some(error.to_string());
            }
            Err(_) => self.is_at_end = true,
        }
        !self.is_at_end
    }

    fn note_rest(&mut self, lines: u64) {
        if self.start < self.buffer.len() && self.cut.is_none() {
            let reason = if lines > 0 { "the last record has no end" } else { NO_END };
            self.cut = Some(reason.to_owned());
        }
    }
}

fn read_ahead(mut input: impl Read, pieces: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut piece = Vec::with_capacity(READ_BYTES);
        let read = input.by_ref().take(READ_BYTES as u64).read_to_end(&mut piece);
        // What was read before an error counts.
        let is_over = read.is_err() || piece.is_empty();
        let sent = pieces.send(Ok(piece)).and_then(|()| read.map_or_else(|error| pieces.send(Err(error)), |_| Ok(())));
        if is_over || sent.is_err() {
            return;
        }
    }
}
