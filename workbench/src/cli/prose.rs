//! Sentences that fit the width of a terminal.

/// Breaks `text` between words so that no line is longer than `width` characters, unless a single word is. Lines after the
/// first begin with `indent` spaces. Without a width nothing is broken: who pipes text somewhere wants its sentences whole.
pub(super) fn wrapped(text: &str, width: Option<usize>, indent: usize) -> String {
    let Some(width) = width else { return text.to_owned() };
    let (mut wrapped, mut taken) = (String::with_capacity(text.len()), 0);
    for (at, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if at > 0 && taken + 1 + length > width {
            wrapped.push('\n');
            wrapped.push_str(&" ".repeat(indent));
            taken = indent;
        } else if at > 0 {
            wrapped.push(' ');
            taken += 1;
        }
        wrapped.push_str(word);
        taken += length;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_after_the_first_are_indented() {
        assert_eq!(wrapped("  - one two three", Some(9), 4), "  - one\n    two\n    three");
        assert_eq!(wrapped("one two", None, 4), "one two");
    }

    proptest! {
        #[test]
        fn words_stay_in_order_and_lines_within_the_width(
            words in prop::collection::vec("[a-zµ–]{1,12}", 1..30),
            width in 16..80_usize,
            indent in 0..4_usize,
        ) {
            let text = words.join(" ");
            let lines = wrapped(&text, Some(width), indent);
            prop_assert!(lines.lines().all(|line| line.chars().count() <= width), "{lines}");
            prop_assert_eq!(lines.split_whitespace().collect::<Vec<_>>(), words);
        }
    }
}
