//! Text of input files in messages, and paths. Control characters of a file never reach a terminal.

use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

const EXCERPT_CHARS: usize = 80;

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

/// The same for a text of several lines, which stay apart.
pub(crate) fn escape_lines(text: &str) -> String {
    text.split('\n').map(escape).collect::<Vec<_>>().join("\n")
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
        assert_eq!(escape_lines("a\r\nb\x07"), "a\\r\nb\\u{7}");
    }
}
