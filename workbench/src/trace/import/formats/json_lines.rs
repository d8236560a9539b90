//! JSON lines: an object per line, an event each. The keys are the columns; `a.b` is the key `b` of the object at `a`.
//!
//! The log is read twice, since any line may have a key that none had before. The size of an event is the length of its
//! line.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, Read};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::job::ImportJob;
use super::super::observer::ImportStage;
use super::super::options::SkippedRows;
use super::rows::RowWriter;
use super::sources::{self, Decoded};
use crate::trace::error::TraceError;
use crate::workload::escape;

const SIZE: &str = "(the line)";
const MAX_LINE_BYTES: u64 = 64 << 20;
/// More keys are data, for example names of actors.
const MAX_COLUMNS: usize = 4096;
const LINES_PER_STEP: u64 = 1 << 12;

pub(super) fn decode(job: &mut ImportJob<'_>) -> Result<Decoded, TraceError> {
    sources::keep_all(job)?;
    let payload = job.options.payload_column.clone();
    let (mut columns, mut skipped) = (Columns::default(), SkippedRows::default());
    let progress = job.input.progress();
    for source in 0..job.input.count() {
        let log = sources::open(job, source, &progress)?;
        each_line(job, source, log, |number, line| {
            if number.is_multiple_of(LINES_PER_STEP) {
                job.proceed(ImportStage::Decode, &progress)?;
            }
            if let Err(reason) = flatten(line, payload.as_deref(), &mut |path, _| columns.add(path)) {
                return skip(job, &mut skipped, bad(job, source, number, reason));
            }
            columns.check().map_err(|reason| bad(job, source, number, reason))
        })?;
    }
    job.skipped = skipped;
    let progress = job.input.progress();
    let mut rows = Vec::new();
    for source in 0..job.input.count() {
        let log = sources::open(job, source, &progress)?;
        let writer = RowWriter::new(job, &progress, &columns.names, SIZE)?;
        rows.push(write_rows(job, source, log, &columns, writer)?);
    }
    let mut options = job.options.clone();
    if payload.is_none() {
        options.size_column.get_or_insert_with(|| SIZE.to_owned());
    }
    Ok(Decoded { rows, options, notes: Vec::new() })
}

fn write_rows(
    job: &ImportJob<'_>,
    source: usize,
    log: impl BufRead,
    columns: &Columns,
    mut rows: RowWriter<'_, '_>,
) -> Result<File, TraceError> {
    let mut fields = vec![Vec::new(); columns.names.len()];
    each_line(job, source, log, |number, line| {
        fields.iter_mut().for_each(Vec::clear);
        let mut keep = |path: &str, value: &[u8]| {
            if let Some(&column) = columns.numbers.get(path) {
                fields[column].clear();
                fields[column].extend_from_slice(value);
            }
        };
        if flatten(line, job.options.payload_column.as_deref(), &mut keep).is_err() {
            // It was counted when the columns were found.
            return Ok(());
        }
        fields.iter().try_for_each(|field| rows.field(field))?;
        rows.row(line.len(), &format!("line {number}"))
    })?;
    rows.finish()
}

/// Paths of keys in the order in which they occur.
#[derive(Default)]
struct Columns {
    names: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Columns {
    fn add(&mut self, path: &str) {
        if !self.numbers.contains_key(path) && self.names.len() <= MAX_COLUMNS {
            self.numbers.insert(path.to_owned(), self.names.len());
            self.names.push(path.to_owned());
        }
    }

    fn check(&self) -> Result<(), String> {
        let fits = self.names.len() <= MAX_COLUMNS;
        if fits { Ok(()) } else { Err(format!("more than {MAX_COLUMNS} different keys up to here")) }
    }
}

/// Counts a line that is no object; fails if bad rows are not left out, or are too many.
fn skip(job: &ImportJob<'_>, skipped: &mut SkippedRows, error: TraceError) -> Result<(), TraceError> {
    let Some(limit) = job.options.skip_bad_rows else { return Err(error) };
    skipped.no_object += 1;
    skipped.check(limit, error)
}

fn bad(job: &ImportJob<'_>, source: usize, line: u64, reason: String) -> TraceError {
    job.at(source, format!("line {line}"), None, reason)
}

/// Visits each line that is not blank, without its end, and its number, from 1.
fn each_line(
    job: &ImportJob<'_>,
    source: usize,
    mut log: impl BufRead,
    mut visit: impl FnMut(u64, &[u8]) -> Result<(), TraceError>,
) -> Result<(), TraceError> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let mut limited = log.by_ref().take(MAX_LINE_BYTES);
        if limited.read_until(b'\n', &mut line).map_err(|error| job.unreadable(source, error))? == 0 {
            break;
        }
        if line.len() as u64 == MAX_LINE_BYTES {
            return Err(bad(job, source, number, format!("longer than {MAX_LINE_BYTES} bytes")));
        }
        let text = line.trim_ascii();
        if !text.is_empty() {
            visit(number, text)?;
        }
    }
    Ok(())
}

/// Visits each value of an object with its path. `whole` is the path of a value that is visited as it is.
fn flatten(object: &[u8], whole: Option<&str>, visit: &mut dyn FnMut(&str, &[u8])) -> Result<(), String> {
    let text = std::str::from_utf8(object).map_err(|_| "not UTF-8".to_owned())?;
    let entries: Entries<'_> = serde_json::from_str(text).map_err(|error| expected_object(&error))?;
    flatten_entries(&entries, &mut String::new(), whole, visit).map_err(|error| expected_object(&error))
}

fn expected_object(error: &serde_json::Error) -> String {
    // Its line is always 1.
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    format!("{}, expected a JSON object; column {}", escape(message), error.column())
}

fn flatten_entries(
    entries: &Entries<'_>,
    path: &mut String,
    whole: Option<&str>,
    visit: &mut dyn FnMut(&str, &[u8]),
) -> serde_json::Result<()> {
    for (key, value) in &entries.0 {
        let parent = path.len();
        if parent > 0 {
            path.push('.');
        }
        path.push_str(key);
        let text = value.get();
        match text.as_bytes().first() {
            Some(b'{') if whole != Some(path) => {
                flatten_entries(&serde_json::from_str(text)?, path, whole, visit)?;
            }
            Some(b'"') => visit(path, serde_json::from_str::<Text<'_>>(text)?.0.as_bytes()),
            Some(b'n') => visit(path, b""),
            _ => visit(path, text.as_bytes()),
        }
        path.truncate(parent);
    }
    Ok(())
}

/// Borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Keys and values of an object in their order.
struct Entries<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((Text(key), value)) = map.next_entry()? {
                    entries.push((key, value));
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(line: &str, whole: Option<&str>) -> Result<Vec<(String, String)>, String> {
        let mut found = Vec::new();
        flatten(line.as_bytes(), whole, &mut |path, value| {
            found.push((path.to_owned(), String::from_utf8(value.to_vec()).unwrap()));
        })?;
        Ok(found)
    }

    #[test]
    fn nested_keys_are_paths_and_values_are_their_texts() {
        let line =
            r#"{"id": 1700000000.123456789, "data": {"by": "a\"\u00e9", "to": {"x": [1, {"y": 2}]}}, "no": null}"#;
        let pairs = |expected: &[(&str, &str)]| {
            Ok(expected.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect())
        };
        let id = ("id", "1700000000.123456789");
        let nested = [id, ("data.by", "a\"é"), ("data.to.x", "[1, {\"y\": 2}]"), ("no", "")];
        assert_eq!(flat(line, None), pairs(&nested));
        let whole = r#"{"by": "a\"\u00e9", "to": {"x": [1, {"y": 2}]}}"#;
        assert_eq!(flat(line, Some("data")), pairs(&[id, ("data", whole), ("no", "")]));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for line in ["[1]", "{\"a\": 1", "{\"a\": 1} {\"b\": 2}", "{'a': 1}", "\u{1b}[31m"] {
            let reason = flat(line, None).unwrap_err();
            assert!(reason.contains("expected a JSON object") && !reason.contains('\u{1b}'), "{reason}");
        }
    }
}
