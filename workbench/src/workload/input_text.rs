//! Text of input files in messages, and paths. Control characters of a file never reach a terminal.

use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

const EXCERPT_CHARS: usize = 80;

/// What is wrong with an input file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// From 1.
    pub(crate) line: usize,
    /// The field, what was found, and what was expected: one sentence.
    pub(crate) text: String,
}

/// The first 80 characters of a text, escaped, for an error message.
pub(crate) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT_CHARS) {
        Some((end, _)) => escape(&text[..end]) + "…",
        None => escape(text),
    }
}

/// The text with control characters and line breaks escaped.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '"' | '\'' | '\\') { escaped.push(c) } else { escaped.extend(c.escape_debug()) }
    }
    escaped
}

/// The line of a byte of a text, from 1. Behind the last line it is that line.
pub(crate) fn line_at(text: &str, byte: usize) -> usize {
    let before = text.get(..byte).unwrap_or(text);
    1 + before.matches('\n').count().min(text.lines().count().saturating_sub(1))
}

/// The text of an input file, without a byte order mark.
///
/// # Errors
///
/// The line that is not UTF-8.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<String, Problem> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + String::from_utf8_lossy(valid).matches('\n').count();
        Problem { line, text: "the file is not UTF-8 text, expected one that was saved as UTF-8".to_owned() }
    })?;
    match text.strip_prefix('\u{feff}') {
        Some(rest) => Ok(rest.to_owned()),
        None => Ok(text),
    }
}

/// A path as text: control characters escaped, and bytes that are not UTF-8 as `\xff`.
pub(crate) fn path_text(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        text.push_str(&escape(chunk.valid()));
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Whether a path delivers its content only once: a pipe, a socket or a device.
pub(crate) fn is_stream(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// `; did you mean `ledger`?`, the most similar of the known names; empty if none is similar.
pub(crate) fn did_you_mean(name: &str, known: &[&str]) -> String {
    /// Below it, names have little in common: that of the parser for subcommands.
    const SIMILAR: f64 = 0.7;
    let ranked = known.iter().map(|&known| (strsim::jaro(name, known), known));
    let similar = ranked.filter(|(similarity, _)| *similarity > SIMILAR).max_by(|a, b| a.0.total_cmp(&b.0));
    similar.map_or_else(String::new, |(_, known)| format!("; did you mean `{known}`?"))
}

/// `, expected `audit`, `ledger`; did you mean `ledger`?`, in answer to another name.
pub(crate) fn expected_names(name: &str, known: &[&str]) -> String {
    format!(", expected `{}`{}", known.join("`, `"), did_you_mean(name, known))
}

/// Serialises a path whatever its bytes: as text, or as a list of bytes if it is not UTF-8.
pub(crate) mod any_path {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{OsStrExt, OsString, OsStringExt, Path, PathBuf};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(PathBuf),
        Bytes(Vec<u8>),
    }

    pub(crate) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        match path.to_str() {
            Some(text) => serializer.serialize_str(text),
            None => path.as_os_str().as_bytes().serialize(serializer),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::Text(path) => path,
            Written::Bytes(bytes) => OsString::from_vec(bytes).into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_not_utf_8_is_shown_escaped_and_read_back_as_it_was() {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Message(#[serde(with = "any_path")] PathBuf);

        for (bytes, shown) in [
            (&b"data/\xff\xfe.csv"[..], "data/\\xff\\xfe.csv"),
            (b"a\x1b[31m\n", "a\\u{1b}[31m\\n"),
            ("a\"b ü".as_bytes(), "a\"b ü"),
        ] {
            let path = PathBuf::from(OsString::from_vec(bytes.to_vec()));
            assert_eq!(path_text(&path), shown);
            let json = serde_json::to_string(&Message(path.clone())).unwrap();
            let Message(read) = serde_json::from_str(&json).unwrap();
            assert_eq!(read, path, "{json}");
        }
    }

    #[test]
    fn excerpts_are_short_and_free_of_control_characters() {
        assert_eq!(excerpt("é \"\x1b[31m\""), "é \"\\u{1b}[31m\"");
        assert_eq!(excerpt("a\nb"), "a\\nb");
        assert_eq!(excerpt(&"ä".repeat(81)), "ä".repeat(80) + "…");
    }
}
