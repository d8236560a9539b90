//! Recognises a log by its first bytes, and files that are no logs.

use std::path::Path;

use ave_actors_rocksdb::trace::format::MAGIC;

use super::ocel::{Form, SQLITE_MAGIC};
use crate::trace::records::{GZIP_MAGIC, ZSTD_MAGIC};

/// What [`kind_of`] looks at.
pub(super) const HEAD_BYTES: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Or anything else: what CSV does not fit is reported when it is read.
    Csv,
    Xes,
    Ocel(Form),
    JsonLines,
    Parquet,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Xes => "XES",
            Self::Ocel(Form::Json) => "OCEL 2.0 in JSON",
            Self::Ocel(Form::Xml) => "OCEL 2.0 in XML",
            Self::Ocel(Form::Sqlite) => "OCEL 2.0 in SQLite",
            Self::JsonLines => "JSON lines",
            Self::Parquet => "Parquet",
        }
    }
}

/// A file that is no log: what it is, and what to do about it. `{}` stands for the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Other {
    pub(super) what: &'static str,
    advice: &'static str,
}

const SPREADSHEET: Other = Other {
    what: "a spreadsheet",
    advice: "save it as CSV, for example with `libreoffice --headless --convert-to csv {}`",
};

/// First bytes, what they mean, and what to do.
const OTHERS: [(&[u8], Other); 17] = [
    (b"\xfd7zXZ\0", Other { what: "compressed with xz", advice: "`xz -dc {} | ave-workbench trace import -`" }),
    (&GZIP_MAGIC, Other { what: "compressed twice", advice: "decompress it once" }),
    (&ZSTD_MAGIC, Other { what: "compressed twice", advice: "decompress it once" }),
    (b"\x5d\0\0", Other { what: "compressed with lzma", advice: "`xz -dc {} | ave-workbench trace import -`" }),
    (b"BZh", Other { what: "compressed with bzip2", advice: "`bzip2 -dc {} | ave-workbench trace import -`" }),
    (b"\x04\x22\x4d\x18", Other { what: "compressed with lz4", advice: "`lz4 -dc {} | ave-workbench trace import -`" }),
    (b"\x1f\x9d", Other { what: "compressed with compress", advice: "`zcat {} | ave-workbench trace import -`" }),
    (b"7z\xbc\xaf\x27\x1c", Other { what: "a 7z archive", advice: "`7z x -so {} | ave-workbench trace import -`" }),
    (b"Rar!", Other { what: "a RAR archive", advice: "`unrar p -inul {} | ave-workbench trace import -`" }),
    (b"PK\x03\x04", Other { what: "a zip archive", advice: "`unzip -p {} | ave-workbench trace import -`" }),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", SPREADSHEET),
    (b"PARE", Other { what: "encrypted Parquet", advice: "decrypt it" }),
    (b"Obj\x01", Other { what: "an Avro file", advice: "convert it to Parquet or JSON lines" }),
    (b"ORC", Other { what: "an ORC file", advice: "convert it to Parquet or JSON lines" }),
    (b"ARROW1", Other { what: "an Arrow file", advice: "convert it to Parquet or JSON lines" }),
    (b"%PDF-", Other { what: "a PDF document", advice: "save the log as CSV" }),
    (MAGIC.as_bytes(), Other { what: "a trace already", advice: "`ave-workbench run {}` replays it" }),
];

/// Those of [`OTHERS`] that are text.
const TEXT: [&[u8]; 2] = [b"%PDF-", MAGIC.as_bytes()];

const TAR: Other = Other { what: "a tar archive", advice: "`tar -xOf {} | ave-workbench trace import -`" };
const HTML: Other =
    Other { what: "a page of HTML", advice: "download the log itself; this may be the page that describes it" };
const BINARY: Other = Other { what: "no text", advice: "export the log as CSV, JSON lines, XES, OCEL 2.0 or Parquet" };
const OTHER_XML: Other =
    Other { what: "XML, but neither XES nor OCEL", advice: "expected an element <log> with traces or events" };
const OCEL_1: Other = Other { what: "OCEL 1.0", advice: "convert it to OCEL 2.0, for example with pm4py" };
const JSON_ARRAY: Other =
    Other { what: "a JSON array", advice: "`jq -c '.[]' {} | ave-workbench trace import -` gives JSON lines" };
const JSON_DOCUMENT: Other = Other {
    what: "one JSON document",
    advice: "expected an object per line, or OCEL 2.0; `jq -c '.entries[]' {} | ave-workbench trace import -` gives the \
             lines of a list called `entries`",
};

impl Other {
    /// What to do, with the file's name where a shell takes it as it is.
    pub(super) fn advice(self, path: &Path) -> String {
        let plain = |name: &&str| {
            !name.starts_with('-') && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte))
        };
        self.advice.replace("{}", path.to_str().filter(plain).unwrap_or("FILE"))
    }
}

/// What a log is that begins with `head`.
pub(super) fn kind_of(head: &[u8]) -> Result<Kind, Other> {
    if head.starts_with(b"PAR1") {
        return Ok(Kind::Parquet);
    }
    if head.starts_with(SQLITE_MAGIC) {
        return Ok(Kind::Ocel(Form::Sqlite));
    }
    if head.starts_with(b"PK\x03\x04") && is_spreadsheet(head) {
        return Err(SPREADSHEET);
    }
    // A CSV file may begin with a column called `ORC` or `BZh`.
    let is_text = head.iter().all(|&byte| byte >= b' ' || matches!(byte, b'\t' | b'\n' | b'\r'));
    let fits = |magic: &[u8]| head.starts_with(magic) && (!is_text || TEXT.contains(&magic));
    if let Some((_, other)) = OTHERS.iter().find(|(magic, _)| fits(magic)) {
        return Err(*other);
    }
    if head.get(257..262) == Some(b"ustar") {
        return Err(TAR);
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    match text.first() {
        Some(b'<') => xml(text),
        Some(b'{') => json(text),
        Some(b'[') if text[1..].trim_ascii_start().starts_with(b"{") => Err(JSON_ARRAY),
        _ if is_binary(head) => Err(BINARY),
        _ => Ok(Kind::Csv),
    }
}

/// Whether control characters are more than a slip: those that separate fields or colour text do not count.
fn is_binary(head: &[u8]) -> bool {
    const FEWEST: usize = 8;
    const MOST_PERCENT: usize = 3;
    let is_control = |byte: u8| matches!(byte, 0 | 2..=8 | 14..=26 | 127);
    let count = head.iter().filter(|&&byte| is_control(byte)).count();
    count >= FEWEST && 100 * count > MOST_PERCENT * head.len()
}

/// The names of the first entries of a zip archive.
fn is_spreadsheet(head: &[u8]) -> bool {
    [&b"[Content_Types].xml"[..], b"xl/workbook", b"vnd.oasis.opendocument.spreadsheet"]
        .iter()
        .any(|name| has(head, name))
}

fn has(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

fn xml(text: &[u8]) -> Result<Kind, Other> {
    let start = text[..text.len().min(20)].to_ascii_lowercase();
    if start.starts_with(b"<!doctype html") || start.starts_with(b"<html") || has(text, b"<html") {
        return Err(HTML);
    }
    if [&b"<?xml"[..], b"<!--", b"<!doctype", b"<log"].iter().all(|begin| !start.starts_with(begin)) {
        return Ok(Kind::Csv);
    }
    // XES has none of these elements.
    if [&b"<object-types"[..], b"<event-types", b"<objects", b"<events"].iter().any(|element| has(text, element)) {
        return Ok(Kind::Ocel(Form::Xml));
    }
    if has(text, b"<log") || has(text, b":log") { Ok(Kind::Xes) } else { Err(OTHER_XML) }
}

/// An object begins. OCEL is one object with lists of objects and events; JSON lines have one for each event.
fn json(text: &[u8]) -> Result<Kind, Other> {
    let list = |name: &str| {
        memchr::memmem::find_iter(text, &format!("\"{name}\"")).any(|at| {
            let behind = text[at + name.len() + 2..].trim_ascii_start();
            behind.strip_prefix(b":").is_some_and(|value| value.trim_ascii_start().starts_with(b"["))
        })
    };
    let first_key = text[1..].trim_ascii_start();
    if first_key.starts_with(b"\"ocel:") {
        return Err(OCEL_1);
    }
    let begins = |name: &str| first_key.strip_prefix(b"\"").is_some_and(|key| key.starts_with(name.as_bytes()));
    let begins_as_ocel =
        ["objectTypes", "eventTypes", "objects", "events"].iter().any(|name| begins(name) && list(name));
    if begins_as_ocel || list("objectTypes") && list("eventTypes") {
        return Ok(Kind::Ocel(Form::Json));
    }
    // A single line that is a list of events, as CloudTrail writes it.
    let is_list = || {
        let end = memchr::memchr(b'"', &first_key[1..])?;
        let list = first_key[end + 2..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"[")?;
        list.trim_ascii_start().starts_with(b"{").then_some(())
    };
    if first_key.starts_with(b"\"") && !text.trim_ascii_end().contains(&b'\n') && is_list().is_some() {
        return Err(JSON_DOCUMENT);
    }
    // The first line of a document that is written in several is no whole object.
    let first_line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let is_whole = first_line.len() == text.len() || first_line.trim_ascii_end().ends_with(b"}");
    if is_whole { Ok(Kind::JsonLines) } else { Err(JSON_DOCUMENT) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_recognised_by_its_first_bytes() {
        for (head, kind) in [
            ("case_id,timestamp\n", Kind::Csv),
            ("ORC,BZh\n1,2\n", Kind::Csv),
            ("ORC", Kind::Csv),
            ("<34>Oct 11 22:14:15 su: failed\n", Kind::Csv),
            ("[10:00] a,b\n", Kind::Csv),
            ("", Kind::Csv),
            ("PAR1\x15\x04", Kind::Parquet),
            ("<?xml version='1.0'?>\n<log xes.version='2.0'>", Kind::Xes),
            ("\u{feff}<!-- by hand --><xes:log>", Kind::Xes),
            ("<log>", Kind::Xes),
            ("<?xml version='1.0'?>\n<log>\n<object-types>", Kind::Ocel(Form::Xml)),
            ("<log><events>", Kind::Ocel(Form::Xml)),
            ("SQLite format 3\0\x10\0", Kind::Ocel(Form::Sqlite)),
            ("a\u{1}b\u{1}c\u{1}d\u{1}e\u{1}f\u{1}g\u{1}h\u{1}i\u{1}j\n", Kind::Csv),
            ("\u{1b}[31ma,b\u{1b}[0m\n", Kind::Csv),
            ("{\"id\": 1}\n{\"id\": 2}\r\n", Kind::JsonLines),
            ("{\"id\": 1, \"data\": {\"a\"", Kind::JsonLines),
            ("{\"events\": 3}\n{\"events\": 4}\n", Kind::JsonLines),
            ("{\"items\": [{\"id\": 1}], \"at\": 1}\n{\"items\": [{\"id\": 2}], \"at\": 2}\n", Kind::JsonLines),
            ("{\n  \"objectTypes\": [\n", Kind::Ocel(Form::Json)),
            ("{\"events\":[{\"id\":\"e1\"", Kind::Ocel(Form::Json)),
            ("{\"about\": \"x\",\n\"objectTypes\": [], \"eventTypes\": []", Kind::Ocel(Form::Json)),
        ] {
            assert_eq!(kind_of(head.as_bytes()), Ok(kind), "{head}");
        }
    }

    #[test]
    fn other_files_are_refused_with_what_they_are() {
        let tar = [b"log.csv".to_vec(), vec![0; 250], b"ustar\x0000".to_vec()].concat();
        for (head, what, advice) in [
            (&b"\xfd7zXZ\0\0\x04"[..], "xz", "`xz -dc log.csv.xz | ave-workbench trace import -`"),
            (b"BZh91AY&SY\x01", "bzip2", "bzip2 -dc log.csv.xz |"),
            (b"\x5d\0\0\x80\0\xff\xff", "lzma", "xz -dc"),
            (b"\x1f\x8b\x08\0", "twice", "once"),
            (b"\x08\x03\x12\x02\x0a\x05\x0f\x10\x00 protobuf", "no text", "CSV"),
            (b"PK\x03\x04\x14\0\0\0log.csv", "zip archive", "unzip -p"),
            (b"PK\x03\x04\x14\0\0\0[Content_Types].xml", "spreadsheet", "CSV"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "spreadsheet", "CSV"),
            (b"ORC\x0a\x0b\x00", "ORC", "Parquet"),
            (b"# ave-trace 1 {}\n", "trace", "ave-workbench run"),
            (&tar, "tar", "tar -xOf"),
            (b"<!DOCTYPE html><html>", "HTML", "download"),
            (b"<?xml version='1.0'?><WorkflowLog>", "XML", "<log>"),
            (b"{\"ocel:global-event\": {}", "OCEL 1.0", "2.0"),
            (b"[\n {\"id\": 1},", "array", "jq -c '.[]' log.csv.xz"),
            (b"{\n  \"title\": \"x\",\n", "one JSON document", "jq"),
            (b"{\"Records\": [{\"eventTime\": \"2024-01-05T10:00:00Z\"}, {\"event", "one JSON document", "jq"),
        ] {
            let other = kind_of(head).unwrap_err();
            let found = other.advice(Path::new("log.csv.xz"));
            assert!(other.what.contains(what) && found.contains(advice), "{other:?}: {found}");
        }
        let advice = kind_of(b"\xfd7zXZ\0").unwrap_err().advice(Path::new("my log; rm.xz"));
        assert!(advice.contains("xz -dc FILE |"), "{advice}");
    }
}
