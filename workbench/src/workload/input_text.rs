//! Text of input files in messages. Control characters of a file never reach a terminal.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_short_and_free_of_control_characters() {
        assert_eq!(excerpt("é \"\x1b[31m\""), "é \"\\u{1b}[31m\"");
        assert_eq!(excerpt("a\nb"), "a\\nb");
        assert_eq!(excerpt(&"ä".repeat(81)), "ä".repeat(80) + "…");
        assert_eq!(escape_lines("a\r\nb\x07"), "a\\r\nb\\u{7}");
    }
}
