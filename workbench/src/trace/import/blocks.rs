//! Cuts a log into blocks of whole records, so that each block can be read alone.
//!
//! A line break inside quotes does not end a record. As in CSV, only a quote at the beginning of a field opens one.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memchr2, memrchr2};

/// A longer record is an unclosed quote.
pub(super) const MAX_RECORD_BYTES: usize = 64 << 20;
/// Blocks of a batch for each thread: enough that no thread waits long for the last one.
const BLOCKS_PER_THREAD: usize = 4;

/// How a log separates and quotes its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    /// Lines that begin with it are comments.
    pub(super) comment: Option<u8>,
    /// Inside quotes, the character behind it is text. Two quotes stand for one as well.
    pub(super) escape: Option<u8>,
}

pub(super) struct Blocks {
    reader: Box<dyn Read + Send>,
    dialect: Dialect,
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
    pub(super) fn new(reader: Box<dyn Read + Send>, head: Vec<u8>, dialect: Dialect, block_bytes: usize) -> Self {
        Self { reader, dialect, block_bytes, carry: head, is_over: false }
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
            let (end, open_quote) = last_record_end(&block[..window], self.dialect);
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
fn last_record_end(bytes: &[u8], dialect: Dialect) -> (usize, Option<usize>) {
    let mut end = 0;
    let mut outside = 0;
    loop {
        let quote = opening_quote(bytes, outside, dialect.delimiter);
        let stretch = &bytes[outside..quote.unwrap_or(bytes.len())];
        if let Some(at) = memrchr2(b'\n', b'\r', stretch) {
            end = outside + at + 1;
        }
        let Some(quote) = quote else { return (end, None) };
        // A quote in a comment is text. The line begins behind the last closing quote, or the quote is in a record.
        let is_comment = end >= outside && dialect.comment.is_some_and(|comment| bytes[end] == comment);
        let after = if is_comment {
            memchr2(b'\n', b'\r', &bytes[quote..]).map(|at| quote + at)
        } else {
            closing_quote(bytes, quote + 1, dialect.escape).map(|close| close + 1)
        };
        let Some(after) = after else { return (end, (!is_comment).then_some(quote)) };
        outside = after;
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
fn closing_quote(bytes: &[u8], from: usize, escape: Option<u8>) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = bytes.get(at..)?;
        at += escape.map_or_else(|| memchr(b'"', rest), |escape| memchr2(b'"', escape, rest))?;
        if bytes[at] == b'"' && bytes.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &'static str, block_bytes: usize) -> Result<Vec<String>, CutError> {
        let dialect = Dialect { delimiter: b',', comment: Some(b'#'), escape: Some(b'\\') };
        let mut blocks = Blocks::new(Box::new(text.as_bytes()), Vec::new(), dialect, block_bytes);
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
        assert_eq!(cut("#,\"\na,b\nc,d\n", 8).unwrap(), ["#,\"\na,b\n", "c,d\n"], "a quote in a comment is text");
        let escaped = "a,\"\\\"\n\"\nb,c\n";
        assert_eq!(cut(escaped, 4).unwrap(), ["a,\"\\\"\n\"\n", "b,c\n"], "an escaped quote closes nothing");
    }
}
