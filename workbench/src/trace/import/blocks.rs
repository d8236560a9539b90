//! Cuts a log into blocks of whole records, so that each block can be read alone.
//!
//! A line break inside quotes does not end a record. As in CSV, only a quote at the beginning of a field opens one.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memrchr2};

/// A longer record is an unclosed quote.
const MAX_RECORD_BYTES: usize = 64 << 20;
/// Blocks of a batch for each thread: enough that no thread waits long for the last one.
const BLOCKS_PER_THREAD: usize = 4;

pub(super) struct Blocks {
    reader: Box<dyn Read + Send>,
    delimiter: u8,
    block_bytes: usize,
    /// Read, but not handed out: the beginning of a record whose end was not seen yet.
    carry: Vec<u8>,
    is_over: bool,
}

/// Blocks in the order of the log, and the error that ended the log behind them.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) blocks: Vec<Vec<u8>>,
    pub(super) failure: Option<CutError>,
}

#[derive(Debug)]
pub(super) enum CutError {
    Read(io::Error),
    /// A quote is never closed; number of lines before it, from the end of the last block.
    OpenQuote(u64),
}

impl Blocks {
    /// `head` is what was read from `reader` before.
    pub(super) fn new(reader: Box<dyn Read + Send>, head: Vec<u8>, delimiter: u8, block_bytes: usize) -> Self {
        Self { reader, delimiter, block_bytes, carry: head, is_over: false }
    }

    /// The next blocks, for all threads; `None` at the end.
    pub(super) fn next_batch(&mut self) -> Option<Batch> {
        let mut batch = Batch::default();
        while !self.is_over && batch.blocks.len() < BLOCKS_PER_THREAD * rayon::current_num_threads() {
            match self.next_block() {
                Ok(Some(block)) => batch.blocks.push(block),
                ended => {
                    batch.failure = ended.err();
                    self.is_over = true;
                }
            }
        }
        (!batch.blocks.is_empty() || batch.failure.is_some()).then_some(batch)
    }

    /// The next block of whole records. The last record of the log may lack a line end.
    fn next_block(&mut self) -> Result<Option<Vec<u8>>, CutError> {
        let mut block = std::mem::take(&mut self.carry);
        let mut wanted = self.block_bytes.max(1);
        loop {
            let ended = fill(&mut self.reader, &mut block, wanted).map_err(CutError::Read)?;
            let window = wanted.min(block.len());
            let (end, open_quote) = last_record_end(&block[..window], self.delimiter);
            if let Some(quote) = open_quote
                && (ended || window - end > MAX_RECORD_BYTES)
            {
                return Err(CutError::OpenQuote(lines(&block[..quote])));
            }
            if ended {
                return Ok((!block.is_empty()).then_some(block));
            }
            if end > 0 {
                let splits_a_line_end = block[end - 1] == b'\r' && block.get(end) == Some(&b'\n');
                self.carry = block.split_off(end + usize::from(splits_a_line_end));
                return Ok(Some(block));
            }
            wanted = window * 2;
        }
    }
}

/// Reads until `buffer` has `wanted` bytes; returns whether the input ended before.
pub(super) fn fill(reader: &mut dyn Read, buffer: &mut Vec<u8>, wanted: usize) -> io::Result<bool> {
    let missing = wanted.saturating_sub(buffer.len());
    buffer.reserve(missing);
    let read = reader.take(missing as u64).read_to_end(buffer)?;
    Ok(read < missing)
}

/// Line ends in `bytes`: line feeds, or carriage returns in a file without line feeds.
pub(super) fn lines(bytes: &[u8]) -> u64 {
    let feeds = memchr_iter(b'\n', bytes).count();
    (if feeds == 0 { memchr_iter(b'\r', bytes).count() } else { feeds }) as u64
}

/// The end of the last whole record, 0 if there is none, and a quote that opens a field and is not closed. `bytes` begins
/// with a record.
fn last_record_end(bytes: &[u8], delimiter: u8) -> (usize, Option<usize>) {
    let mut end = 0;
    let mut outside = 0;
    loop {
        let quote = opening_quote(bytes, outside, delimiter);
        let stretch = &bytes[outside..quote.unwrap_or(bytes.len())];
        if let Some(at) = memrchr2(b'\n', b'\r', stretch) {
            end = outside + at + 1;
        }
        let Some(quote) = quote else { return (end, None) };
        let Some(close) = closing_quote(bytes, quote + 1) else { return (end, Some(quote)) };
        outside = close + 1;
    }
}

/// The next quote that begins a field; any other outside of quotes is text.
fn opening_quote(bytes: &[u8], from: usize, delimiter: u8) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr(b'"', &bytes[at..])?;
        let before = at.checked_sub(1).map(|before| bytes[before]);
        if before.is_none_or(|byte| byte == delimiter || byte == b'\n' || byte == b'\r') {
            return Some(at);
        }
        at += 1;
    }
}

/// The quote that closes a field whose text begins at `from`; two together stand for one in the text.
fn closing_quote(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr(b'"', &bytes[at..])?;
        if bytes.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &'static str, block_bytes: usize) -> Result<Vec<String>, CutError> {
        let mut blocks = Blocks::new(Box::new(text.as_bytes()), Vec::new(), b',', block_bytes);
        let mut found = Vec::new();
        while let Some(block) = blocks.next_block()? {
            found.push(String::from_utf8(block).unwrap());
        }
        Ok(found)
    }

    #[test]
    fn a_block_ends_where_a_record_ends() {
        assert_eq!(cut("a,b\nc,d\ne,f", 5).unwrap(), ["a,b\n", "c,d\n", "e,f"]);
        assert_eq!(cut("a,\"b\nc\"\nd,e\n", 5).unwrap(), ["a,\"b\nc\"\n", "d,e\n"]);
        assert_eq!(cut("a,5\"\nb,6\"\n", 6).unwrap(), ["a,5\"\n", "b,6\"\n"], "a quote inside a field is text");
    }
}
