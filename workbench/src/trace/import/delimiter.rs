//! Detects the field separator of a log.

use csv::ByteRecord;

use super::blocks::Dialect;
use super::rows::Rows;

/// Separators in order of preference.
const DELIMITERS: &[u8] = b",;\t|";
const SAMPLE_RECORDS: usize = 100;

/// The separator that gives nine of ten of the first records as many fields as the first one, and the most; if none does,
/// the one that occurs most in the first record. The last record of `head` may be cut off.
pub(super) fn guess_delimiter(head: &[u8], comment: Option<u8>, escape: Option<u8>) -> u8 {
    let score = |delimiter: u8| {
        let mut rows = Rows::new(head, Dialect { delimiter, comment, escape });
        let mut counts = Vec::new();
        while counts.len() < SAMPLE_RECORDS
            && let Some(fields) = rows.next_row().map(ByteRecord::len)
        {
            if counts.is_empty() || !rows.is_at_end() {
                counts.push(fields);
            }
        }
        let fields = counts.first().copied().unwrap_or(0);
        let equal = counts.iter().filter(|&&count| count == fields).count();
        (fields > 1 && equal * 10 >= counts.len() * 9, fields)
    };
    // The last of equal maxima wins.
    DELIMITERS.iter().rev().copied().max_by_key(|&delimiter| score(delimiter)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_gives_the_rows_the_same_number_of_fields() {
        for (head, delimiter) in [
            ("a,b\n1,2\n", b','),
            ("a;b\n1,5;2,5\n", b';'),
            ("a, quoted;b;c\n1;2;3\n", b';'),
            ("a\tb,c,d\n1\t2\n3\t4\n", b'\t'),
            ("a|b\n1|2\n", b'|'),
            ("\"a;b;c\",d\n\"1;2\n\",3\n", b','),
            ("one\n1\n", b','),
            ("a;b;c\n1;2;3\n4;5;", b';'),
            ("a;b,c\n1\n", b','),
            ("a;b\n1,5;2,5\n;;;,,,\n", b';'),
        ] {
            let found = guess_delimiter(head.as_bytes(), None, None);
            assert_eq!(char::from(found), char::from(delimiter), "{head}");
        }
    }
}
