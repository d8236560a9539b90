//! Splits the records of a block into fields.

use std::borrow::Cow;

use csv::ByteRecord;

use super::blocks::{Dialect, lines};

/// Reads the records of a block. Empty lines, comments and rows of separators alone are skipped.
pub(super) struct Rows<'a> {
    block: &'a [u8],
    comment: Option<u8>,
    reader: csv::Reader<&'a [u8]>,
    row: ByteRecord,
    /// Rows of separators and blanks alone so far.
    pub(super) blanks: u64,
}

impl<'a> Rows<'a> {
    pub(super) fn new(block: &'a [u8], dialect: Dialect) -> Self {
        let mut csv = csv::ReaderBuilder::new();
        csv.delimiter(dialect.delimiter).comment(dialect.comment).escape(dialect.escape);
        let reader = csv.has_headers(false).flexible(true).from_reader(block);
        Self { block, comment: dialect.comment, reader, row: ByteRecord::new(), blanks: 0 }
    }

    /// The next record; `None` at the end. Bytes in memory cannot fail to be read.
    pub(super) fn next_row(&mut self) -> Option<&ByteRecord> {
        while self.reader.read_byte_record(&mut self.row).is_ok_and(|is_read| is_read) {
            if !is_blank(&self.row) {
                return Some(&self.row);
            }
            self.blanks += 1;
        }
        None
    }

    /// Lines of the block before the current record.
    pub(super) fn lines_before(&self) -> u64 {
        let before = self.row.position().map_or(0, csv::Position::byte);
        let mut start = usize::try_from(before).expect("a position in memory");
        // The position is that of empty lines and comments before it, or of the line feed after a carriage return.
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        while let Some(&byte) = self.block.get(start) {
            if is_end(&byte) {
                start += 1;
            } else if Some(byte) == self.comment {
                start += self.block[start..].iter().take_while(|byte| !is_end(byte)).count();
            } else {
                break;
            }
        }
        lines(&self.block[..start])
    }

    /// Bytes of the block up to the end of the current record and its line.
    pub(super) fn end(&self) -> usize {
        let end = usize::try_from(self.reader.position().byte()).expect("a position in memory");
        let splits_a_line_end = self.block[..end].ends_with(b"\r") && self.block.get(end) == Some(&b'\n');
        end + usize::from(splits_a_line_end)
    }

    /// Whether the current record ends with the block.
    pub(super) fn is_at_end(&self) -> bool {
        self.reader.position().byte() == self.block.len() as u64
    }
}

/// Whether a record has only blanks, or separators that are not its own.
fn is_blank(row: &ByteRecord) -> bool {
    row.as_slice().iter().all(|byte| matches!(byte, b' ' | b'\t' | b',' | b';' | b'|'))
}

/// A field; empty if the record has fewer.
pub(super) fn field(row: &ByteRecord, column: usize) -> &[u8] {
    row.get(column).unwrap_or_default()
}

/// Bytes of a whole record: its fields' texts and the separators between them.
pub(super) fn record_bytes(row: &ByteRecord) -> usize {
    row.as_slice().len() + row.len().saturating_sub(1)
}

/// The texts of these columns with a separator between them.
pub(super) fn joined<'r>(row: &'r ByteRecord, columns: &[usize], separator: u8) -> Cow<'r, [u8]> {
    match columns {
        [column] => Cow::Borrowed(field(row, *column)),
        columns => Cow::Owned(columns.iter().map(|&column| field(row, column)).collect::<Vec<_>>().join(&separator)),
    }
}

/// A name as text. Bytes that are not UTF-8 are read as Latin-1, which keeps different names different.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes)
        .map_or_else(|_| Cow::Owned(bytes.iter().map(|&byte| char::from(byte)).collect()), Cow::Borrowed)
}
