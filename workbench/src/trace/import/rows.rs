//! Splits the records of a block into fields.

use std::borrow::Cow;

use memchr::{memchr_iter, memchr3};

use super::blocks::closing_quote;

/// Iterates over the records of a block.
pub(super) struct Rows<'a> {
    block: &'a [u8],
    delimiter: u8,
    /// Start of the record.
    start: usize,
    /// Start of the next one.
    at: usize,
    fields: Vec<Field>,
}

#[derive(Debug, Clone, Copy)]
struct Field {
    start: usize,
    end: usize,
    form: FieldForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldForm {
    /// The text as it is.
    Plain,
    /// The text between two quotes, with quotes doubled in it.
    Doubled,
    /// A quoted text and more text behind its closing quote.
    Ragged,
}

impl<'a> Rows<'a> {
    pub(super) fn new(block: &'a [u8], delimiter: u8) -> Self {
        Self { block, delimiter, start: 0, at: 0, fields: Vec::new() }
    }

    /// Moves to the next record; false if there is none. Empty lines are skipped.
    pub(super) fn advance(&mut self) -> bool {
        while matches!(self.block.get(self.at), Some(b'\n' | b'\r')) {
            self.at += 1;
        }
        self.start = self.at;
        self.fields.clear();
        if self.at == self.block.len() {
            return false;
        }
        while self.read_field() {}
        true
    }

    /// Number of fields of the record.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Start of the record in the block.
    pub(super) const fn start(&self) -> usize {
        self.start
    }

    /// Start of the next record in the block, or the line end before it.
    pub(super) const fn end(&self) -> usize {
        self.at
    }

    /// The text of a field, without quotes.
    pub(super) fn field(&self, index: usize) -> Cow<'a, [u8]> {
        let field = self.fields[index];
        let raw = &self.block[field.start..field.end];
        match field.form {
            FieldForm::Plain => Cow::Borrowed(raw),
            FieldForm::Doubled => Cow::Owned(undoubled(raw)),
            FieldForm::Ragged => Cow::Owned(without_quotes(raw)),
        }
    }

    /// Bytes of a field's text.
    pub(super) fn field_bytes(&self, index: usize) -> usize {
        let field = self.fields[index];
        let raw = &self.block[field.start..field.end];
        match field.form {
            FieldForm::Plain => raw.len(),
            FieldForm::Doubled => raw.len() - memchr_iter(b'"', raw).count() / 2,
            FieldForm::Ragged => without_quotes(raw).len(),
        }
    }

    /// Bytes of the whole record: its fields' texts and the separators between them.
    pub(super) fn record_bytes(&self) -> usize {
        (0..self.len()).map(|index| self.field_bytes(index)).sum::<usize>() + self.len().saturating_sub(1)
    }

    /// Returns whether another field follows.
    fn read_field(&mut self) -> bool {
        let start = self.at;
        if self.block.get(start) == Some(&b'"') {
            return self.read_quoted(start);
        }
        let end = self.field_end(start);
        self.push(start, end, FieldForm::Plain);
        self.step_over(end)
    }

    fn read_quoted(&mut self, quote: usize) -> bool {
        let start = quote + 1;
        // Only a sample can end inside quotes: blocks contain whole records.
        let close = closing_quote(self.block, start).unwrap_or(self.block.len());
        let end = self.field_end((close + 1).min(self.block.len()));
        if end > close + 1 {
            self.push(quote, end, FieldForm::Ragged);
        } else {
            let doubled = memchr::memchr(b'"', &self.block[start..close]).is_some();
            self.push(start, close, if doubled { FieldForm::Doubled } else { FieldForm::Plain });
        }
        self.step_over(end)
    }

    fn field_end(&self, from: usize) -> usize {
        memchr3(self.delimiter, b'\n', b'\r', &self.block[from..]).map_or(self.block.len(), |at| from + at)
    }

    fn push(&mut self, start: usize, end: usize, form: FieldForm) {
        self.fields.push(Field { start, end, form });
    }

    fn step_over(&mut self, end: usize) -> bool {
        self.at = (end + 1).min(self.block.len());
        self.block.get(end) == Some(&self.delimiter)
    }
}

fn undoubled(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        out.push(byte);
        if byte == b'"' {
            bytes.next();
        }
    }
    out
}

fn without_quotes(raw: &[u8]) -> Vec<u8> {
    let close = closing_quote(raw, 1).unwrap_or(raw.len());
    let mut out = undoubled(&raw[1..close]);
    out.extend_from_slice(raw.get(close + 1..).unwrap_or_default());
    out
}

/// A name as text. Bytes that are not UTF-8 are read as Latin-1, which keeps different names different.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes)
        .map_or_else(|_| Cow::Owned(bytes.iter().map(|&byte| char::from(byte)).collect()), Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(block: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let mut rows = Rows::new(block, b',');
        let mut found = Vec::new();
        while rows.advance() {
            let fields: Vec<_> = (0..rows.len()).map(|index| rows.field(index).into_owned()).collect();
            assert_eq!(rows.record_bytes(), fields.join(&b','.clone()).len());
            found.push(fields);
        }
        found
    }

    proptest! {
        /// Quotes, line ends and separators in any order, as well-formed as chance has it.
        #[test]
        fn fields_are_those_a_csv_reader_finds(text in "[a,\"\n\r\u{e4}]{0,40}") {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let expected: Vec<Vec<Vec<u8>>> =
                reader.byte_records().map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect()).collect();
            prop_assert_eq!(rows(text.as_bytes()), expected);
        }
    }

    #[test]
    fn a_name_that_is_not_utf_8_is_latin_1() {
        assert_eq!(text("Müller".as_bytes()), "Müller");
        assert_eq!(text(b"M\xfcller"), "Müller");
    }
}
