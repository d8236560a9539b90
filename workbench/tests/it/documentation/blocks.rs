//! The code blocks of a Markdown document.

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Line of its fence, from 1.
    pub(crate) line: usize,
    /// The first word behind the fence; empty if there is none.
    pub(crate) language: String,
    pub(crate) code: String,
    pub(crate) is_closed: bool,
}

/// The blocks of a document in their order.
pub(crate) fn of(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let open = blocks.last_mut().filter(|block| !block.is_closed);
        match (open, line.trim_start().strip_prefix("```")) {
            (Some(block), Some(_)) => block.is_closed = true,
            (Some(block), None) => {
                block.code.push_str(line);
                block.code.push('\n');
            }
            (None, Some(info)) => {
                let language = info.split([',', ' ']).next().unwrap_or_default().to_owned();
                blocks.push(Block { line: number, language, code: String::new(), is_closed: false });
            }
            (None, None) => {}
        }
    }
    blocks
}

#[test]
fn blocks_have_line_and_language() {
    let block = |line, language: &str, code: &str, is_closed| Block {
        line,
        language: language.to_owned(),
        code: code.to_owned(),
        is_closed,
    };
    let found = of("text\n```sh\na\nb\n```\n```rust,no_run\n```\n```\nc\n");
    assert_eq!(found, [block(2, "sh", "a\nb\n", true), block(6, "rust", "", true), block(8, "", "c\n", false)]);
}
