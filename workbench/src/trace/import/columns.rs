//! Detects the field separator of a log, and its columns.

use std::path::Path;

use csv::ByteRecord;

use super::options::ImportOptions;
use super::rows::{Rows, text};
use crate::trace::error::TraceError;
use crate::workload::excerpt;

/// Separators in order of preference.
const DELIMITERS: &[u8] = b",;\t|";
const SAMPLE_RECORDS: usize = 100;

/// Usual names of the column of the case, in order of preference. The first is that of the XES standard.
const ACTOR_NAMES: &str = "case:concept:name, case_id, caseid, case id, case, actor_id, actor, subject_id, \
    subject, entity_id, entity, aggregate_id, stream_id, stream, account_id, order_id, user_id, session_id, \
    trace_id, device_id, key";
/// Usual names of the column of the time, in order of preference. The first is that of the XES standard.
const TIME_NAMES: &str = "time:timestamp, timestamp, time_stamp, event_time, eventtime, time, datetime, \
    date_time, occurred_at, created_at, complete timestamp, complete_timestamp, start_time, start timestamp, \
    ts, date";

/// The separator that gives all of the first records the same number of fields, and the most; if none does, the one that
/// occurs most in the first record. The last record of `head` may be cut off.
pub(super) fn guess_delimiter(head: &[u8]) -> u8 {
    let score = |delimiter: u8| {
        let mut rows = Rows::new(head, delimiter);
        let mut counts = Vec::new();
        while counts.len() < SAMPLE_RECORDS
            && let Some(fields) = rows.next_row().map(ByteRecord::len)
        {
            if counts.is_empty() || !rows.is_at_end() {
                counts.push(fields);
            }
        }
        let fields = counts.first().copied().unwrap_or(0);
        (fields > 1 && counts.iter().all(|&count| count == fields), fields)
    };
    // The last of equal maxima wins.
    DELIMITERS.iter().rev().copied().max_by_key(|&delimiter| score(delimiter)).unwrap_or(b',')
}

#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub(super) headers: Vec<String>,
    /// Joined, their texts name the actor.
    pub(super) actor: Vec<usize>,
    /// One column, or date and time of day.
    pub(super) time: Vec<usize>,
    /// The whole row if absent.
    pub(super) payload: Option<usize>,
    guessed: [bool; 2],
}

impl Columns {
    pub(super) fn find(log: &Path, header: &ByteRecord, options: &ImportOptions) -> Result<Self, TraceError> {
        let headers: Vec<String> = header.iter().map(|name| text(name).into_owned()).collect();
        let search = Search { log, headers: &headers };
        let (actor, time) = (options.actor_column.as_deref(), options.time_column.as_deref());
        let guessed = [actor.is_none(), time.is_none()];
        let actor = match actor {
            Some(names) => search.joined(names, "--actor-column")?,
            None => vec![search.guess(ACTOR_NAMES, "the actor", "--actor-column")?],
        };
        let time = time.map_or_else(|| search.guess_time(), |name| search.joined(name, "--time-column"))?;
        let payload =
            options.payload_column.as_deref().map(|name| search.named(name, "--payload-column")).transpose()?;
        Ok(Self { headers, actor, time, payload, guessed })
    }

    /// Names of the columns of the actor or of the time.
    pub(super) fn names(&self, columns: &[usize]) -> String {
        columns.iter().map(|&column| self.headers[column].as_str()).collect::<Vec<_>>().join(",")
    }

    /// The columns as lines of the import's summary.
    pub(super) fn described(&self) -> Vec<String> {
        let column = |what: &str, columns: &[usize], guessed: bool| {
            let names: Vec<_> = columns.iter().map(|&column| format!("`{}`", excerpt(&self.headers[column]))).collect();
            format!("{what}: {}{}", names.join(" and "), if guessed { " (guessed)" } else { "" })
        };
        vec![
            column("actor", &self.actor, self.guessed[0]),
            column("time", &self.time, self.guessed[1]),
            self.payload
                .map_or_else(|| "payload: the whole row".to_owned(), |payload| column("payload", &[payload], false)),
        ]
    }
}

struct Search<'a> {
    log: &'a Path,
    headers: &'a [String],
}

impl Search<'_> {
    fn position(&self, name: &str) -> Option<usize> {
        self.headers.iter().position(|header| header == name)
    }

    fn named(&self, name: &str, option: &str) -> Result<usize, TraceError> {
        self.position(name).ok_or_else(|| self.missing(format!("`{name}`"), format!("select another with {option}")))
    }

    /// One column, or several with commas between them; a column whose own name has the comma comes first.
    fn joined(&self, names: &str, option: &str) -> Result<Vec<usize>, TraceError> {
        if let Some(column) = self.position(names) {
            return Ok(vec![column]);
        }
        let names = names.split(',').map(|name| if self.position(name).is_some() { name } else { name.trim() });
        names.map(|name| self.named(name, option)).collect()
    }

    fn like(&self, name: &str) -> Option<usize> {
        self.headers.iter().position(|header| header.trim().eq_ignore_ascii_case(name))
    }

    fn guess_time(&self) -> Result<Vec<usize>, TraceError> {
        let column = self.guess(TIME_NAMES, "the time", "--time-column")?;
        // A `time` beside a `date` is a time of day.
        match self.like("date").zip(self.like("time")) {
            Some((date, time)) if column == time => Ok(vec![date, time]),
            _ => Ok(vec![column]),
        }
    }

    fn guess(&self, names: &str, what: &str, option: &str) -> Result<usize, TraceError> {
        names.split(", ").find_map(|name| self.like(name)).ok_or_else(|| {
            let examples: Vec<_> = names.split(", ").take(4).collect();
            let wanted = format!("looks like {what} (`{}` or the like)", examples.join("`, `"));
            self.missing(wanted, format!("select it with {option}"))
        })
    }

    fn missing(&self, wanted: String, advice: String) -> TraceError {
        TraceError::MissingColumn { path: self.log.to_owned(), wanted, advice, columns: self.headers.to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_gives_all_rows_the_same_number_of_fields() {
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
        ] {
            assert_eq!(char::from(guess_delimiter(head.as_bytes())), char::from(delimiter), "{head}");
        }
    }
}
