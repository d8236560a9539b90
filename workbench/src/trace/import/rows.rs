//! Splits the records of a block into fields.

use std::borrow::Cow;

use csv::ByteRecord;

use super::blocks::lines;

/// Reads the records of a block. Empty lines are skipped.
pub(super) struct Rows<'a> {
    block: &'a [u8],
    reader: csv::Reader<&'a [u8]>,
    row: ByteRecord,
}

impl<'a> Rows<'a> {
    pub(super) fn new(block: &'a [u8], delimiter: u8) -> Self {
        let mut csv = csv::ReaderBuilder::new();
        let reader = csv.delimiter(delimiter).has_headers(false).flexible(true).from_reader(block);
        Self { block, reader, row: ByteRecord::new() }
    }

    /// The next record; `None` at the end. Bytes in memory cannot fail to be read.
    pub(super) fn next_row(&mut self) -> Option<&ByteRecord> {
        self.reader.read_byte_record(&mut self.row).is_ok_and(|is_read| is_read).then_some(&self.row)
    }

    /// Lines of the block before the current record.
    pub(super) fn lines_before(&self) -> u64 {
        let before = self.row.position().map_or(0, csv::Position::byte);
        let start = usize::try_from(before).expect("a position in memory");
        // The position is that of the empty lines before it, or of the line feed after a carriage return.
        let empty = self.block[start..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        lines(&self.block[..start + empty])
    }

    /// Whether the current record ends with the block.
    pub(super) fn is_at_end(&self) -> bool {
        self.reader.position().byte() == self.block.len() as u64
    }
}

/// Bytes of a whole record: its fields' texts and the separators between them.
pub(super) fn record_bytes(row: &ByteRecord) -> usize {
    row.as_slice().len() + row.len().saturating_sub(1)
}

/// The texts of these columns with a separator between them.
pub(super) fn joined<'r>(row: &'r ByteRecord, columns: &[usize], separator: u8) -> Cow<'r, [u8]> {
    match columns {
        [column] => Cow::Borrowed(&row[*column]),
        columns => Cow::Owned(columns.iter().map(|&column| &row[column]).collect::<Vec<_>>().join(&separator)),
    }
}

/// A name as text. Bytes that are not UTF-8 are read as Latin-1, which keeps different names different.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes)
        .map_or_else(|_| Cow::Owned(bytes.iter().map(|&byte| char::from(byte)).collect()), Cow::Borrowed)
}
