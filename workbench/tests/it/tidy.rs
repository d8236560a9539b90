//! The house rules of the source tree: which part may know which other part, print, look into the system, or touch the
//! engine. Comments, documentation and, where a rule is about code, string literals do not count.

// Helpers are part of the tests: a failure in one is a failure of the test that called it.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// A source file, told apart into code and string literals.
struct Source {
    /// From `src/`, for example `backend/mod.rs`.
    path: String,
    text: String,
    /// The text with comments and string literals blanked out, line for line.
    code: String,
    /// String literals and the lines they begin on.
    strings: Vec<(usize, String)>,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let (code, strings) = tell_apart(text);
        Self { path: path.to_owned(), text: text.to_owned(), code, strings }
    }

    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.path == *place || self.path.starts_with(&format!("{place}/")))
    }

    /// Where a piece of code stands as a word of its own, as `path:line`.
    fn uses(&self, word: &str) -> Vec<String> {
        let part_of_a_word = |c: char| c.is_alphanumeric() || c == '_';
        let stands_alone = |at: usize| {
            let before = self.code[..at].chars().next_back().is_some_and(part_of_a_word);
            let after = self.code[at + word.len()..].chars().next().is_some_and(part_of_a_word);
            !(before && word.starts_with(part_of_a_word) || after && word.ends_with(part_of_a_word))
        };
        let places = self.code.match_indices(word).map(|(at, _)| at).filter(|&at| stands_alone(at));
        places.map(|at| self.place(at)).collect()
    }

    fn place(&self, at: usize) -> String {
        format!("src/{}:{}", self.path, self.code[..at].matches('\n').count() + 1)
    }

    /// The floors of the workbench this file names, with places, whether from the crate's root or by way of `super`.
    fn floors_named(&self) -> Vec<(String, String)> {
        let mut named = Vec::new();
        for (at, start) in self.code.match_indices("workbench::") {
            self.heads(at + start.len(), at, &mut named);
        }
        // `super` leads out of the floor if it is said as often as the module is deep.
        let depth = self.path.trim_end_matches("/mod.rs").matches('/').count();
        for (at, _) in self.code.match_indices("super::").filter(|&(at, _)| !self.code[..at].ends_with("super::")) {
            let chain = &self.code[at..];
            let behind = chain.trim_start_matches("super::");
            let length = chain.len() - behind.len();
            let in_tests = usize::from(self.code[..at].contains("mod tests {"));
            if length == (depth + in_tests) * "super::".len() {
                self.heads(at + length, at, &mut named);
            }
        }
        named
    }

    /// The first segments of the path, or of each path in braces, that begins at `start`.
    fn heads(&self, start: usize, at: usize, named: &mut Vec<(String, String)>) {
        let rest = &self.code[start..];
        let paths = if rest.starts_with('{') { paths_in_braces(rest) } else { vec![rest] };
        for path in paths {
            let head = path.trim_start().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            named.push((head.to_owned(), self.place(at)));
        }
    }
}

/// `a::{b, c}` and `d` of `{a::{b, c}, d}`.
fn paths_in_braces(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut paths) = (0, 1, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            ',' if depth == 1 => {
                paths.push(&text[start..at]);
                start = at + 1;
            }
            '}' => {
                depth -= 1;
                if depth == 0 {
                    paths.push(&text[start..at]);
                    break;
                }
            }
            _ => {}
        }
    }
    paths.retain(|path| !path.trim().is_empty());
    paths
}

/// Code with everything else blanked out, and the string literals with their lines.
fn tell_apart(text: &str) -> (String, Vec<(usize, String)>) {
    let (mut code, mut strings) = (String::new(), Vec::new());
    let mut rest = text;
    while !rest.is_empty() {
        let (kind, length) = next_token(rest, code.chars().next_back());
        let (token, after) = rest.split_at(length);
        match kind {
            Token::Code => code.push_str(token),
            Token::Comment => blank(token, &mut code),
            Token::Text => {
                strings.push((code.matches('\n').count() + 1, token.to_owned()));
                blank(token, &mut code);
            }
        }
        rest = after;
    }
    (code, strings)
}

enum Token {
    Code,
    Comment,
    Text,
}

fn blank(token: &str, code: &mut String) {
    code.extend(token.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
}

/// What stands first in `rest`, and how many bytes it has.
fn next_token(rest: &str, before: Option<char>) -> (Token, usize) {
    if rest.starts_with("//") {
        return (Token::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Token::Comment, block_comment(rest));
    }
    let starts_a_word = !before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if let Some(length) = raw_string(rest).filter(|_| starts_a_word) {
        return (Token::Text, length);
    }
    if rest.starts_with('"') {
        return (Token::Text, quoted(rest, '"'));
    }
    if let Some(length) = character(rest) {
        return (Token::Text, length);
    }
    (Token::Code, rest.chars().next().map_or(0, char::len_utf8))
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of `r"…"`, `r#"…"#`, ….
fn raw_string(rest: &str) -> Option<usize> {
    let behind = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = behind.len() - behind.trim_start_matches('#').len();
    let body = behind[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = rest.len() - body.len();
    Some(body.find(&end).map_or(rest.len(), |at| start + at + end.len()))
}

/// The length of a literal that ends in `end`, escapes passed over.
fn quoted(rest: &str, end: char) -> usize {
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        if c == '\\' {
            characters.next();
        } else if c == end {
            return at + c.len_utf8();
        }
    }
    rest.len()
}

/// The length of `'c'` or `'\n'`; `None` for a lifetime.
fn character(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'')?;
    let first = body.chars().next()?;
    (first == '\\' || body[first.len_utf8()..].starts_with('\'')).then(|| quoted(rest, '\''))
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 50, "the source tree is at {}", root.display());
    files
        .iter()
        .map(|path| {
            let relative = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            Source::new(&relative, &fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Asserts that none of the words stands outside of the places they belong to.
fn only_in(places: &[&str], words: &[&str]) {
    let found: Vec<String> = sources()
        .iter()
        .filter(|source| !source.is_in(places))
        .flat_map(|source| words.iter().flat_map(|word| source.uses(word)).collect::<Vec<_>>())
        .collect();
    assert!(found.is_empty(), "{words:?} belong in {places:?} alone, and stand at {found:#?}");
}

#[test]
fn the_engine_is_touched_by_the_backend_alone() {
    only_in(&["backend", "lib.rs"], &["rocksdb::", "use rocksdb", "extern crate rocksdb"]);
    // Beside its parts of the same name, the door of the crate only passes the engine on.
    let sources = sources();
    let door = sources.iter().find(|source| source.path == "lib.rs").unwrap();
    assert!(door.uses("rocksdb::").is_empty());
}

#[test]
fn only_the_command_line_prints_and_exits() {
    let words = ["println!", "print!", "eprintln!", "eprint!", "dbg!", "process::exit", "clap"];
    only_in(&["workbench/cli", "bin"], &words);
    // Somebody has to read what systemd says.
    only_in(&["workbench/cli", "bin", "workbench/host/cgroup/systemd.rs"], &["stdout", "stderr"]);
}

#[test]
fn only_those_who_must_look_into_the_system() {
    let allowed = ["machine.rs", "workbench/host", "workbench/measure"];
    for source in sources().iter().filter(|source| !source.is_in(&allowed)) {
        for (line, text) in &source.strings {
            let looks = ["/proc/", "/sys/", "\"/proc\"", "\"/sys\""].iter().any(|path| text.contains(path));
            assert!(!looks, "src/{}:{line} looks into the system: {text}", source.path);
        }
    }
}

#[test]
fn the_backend_and_the_machine_know_nothing_of_the_workbench() {
    only_in(&["workbench", "bin", "lib.rs"], &["workbench"]);
}

/// Floors of the workbench, from the ground up; those of one row know nothing of each other.
const FLOORS: [&[&str]; 7] =
    [&["host", "actor", "measure"], &["workload"], &["trace"], &["runner"], &["sizing"], &["report"], &["cli"]];

fn height(floor: &str) -> Option<usize> {
    FLOORS.iter().position(|row| row.contains(&floor))
}

/// What a file of the workbench imports that its floor must not.
fn climbs(source: &Source) -> Vec<String> {
    let floor = source.path.split('/').nth(1).unwrap().trim_end_matches(".rs");
    let own = height(floor).unwrap_or_else(|| panic!("src/{}: `{floor}` has no place in the order", source.path));
    let named = source.floors_named().into_iter();
    named
        .filter(|(other, _)| other != floor && height(other).is_none_or(|other| other >= own))
        .map(|(other, place)| format!("{place}: {floor} knows {other}"))
        .collect()
}

#[test]
fn a_floor_imports_only_floors_below_it() {
    let sources = sources();
    let files = sources.iter().filter(|source| source.is_in(&["workbench"]) && source.path != "workbench/mod.rs");
    let climbs: Vec<String> = files.flat_map(climbs).collect();
    assert!(climbs.is_empty(), "{climbs:#?}");
}

#[test]
fn every_floor_has_its_place_in_the_order() {
    let sources = sources();
    let root = sources.iter().find(|source| source.path == "workbench/mod.rs").unwrap();
    let declared = root.code.lines().filter_map(|line| line.trim().strip_prefix("pub mod ")?.strip_suffix(';'));
    let mut declared: Vec<&str> = declared.collect();
    let mut known: Vec<&str> = FLOORS.concat();
    declared.sort_unstable();
    known.sort_unstable();
    assert_eq!(declared, known);
}

#[test]
fn every_module_says_what_it_is_for() {
    for source in sources().iter().filter(|source| source.path.ends_with("mod.rs")) {
        assert!(source.text.starts_with("//! "), "src/{} does not begin with `//!`", source.path);
    }
}

#[test]
fn no_file_is_a_drawer_for_odds_and_ends() {
    for source in sources() {
        let name = source.path.rsplit('/').next().unwrap();
        let drawers = ["utils.rs", "util.rs", "misc.rs", "helpers.rs", "helper.rs", "common.rs"];
        assert!(!drawers.contains(&name), "src/{} says nothing of what is in it", source.path);
    }
}

#[test]
fn code_is_told_from_comments_and_text() {
    let text = r##"
use rocksdb::DB; // rocksdb::Options
/* rocksdb:: /* nested */ rocksdb:: */ let c = '"'; let l: &'a str = "rocksdb:: \" /proc/stat";
let raw = r#"rocksdb::" "#; let my_rocksdb = my_rocksdb::x();
"##;
    let source = Source::new("x.rs", text);
    assert_eq!(source.uses("rocksdb::"), ["src/x.rs:2"]);
    let strings: Vec<_> = source.strings.iter().map(|(line, text)| (*line, text.as_str())).collect();
    assert_eq!(strings, [(3, "'\"'"), (3, "\"rocksdb:: \\\" /proc/stat\""), (4, "r#\"rocksdb::\" \"#")]);
}

#[test]
fn an_import_from_above_is_seen_however_it_is_written() {
    for line in [
        "use crate::workbench::report::Report;",
        "use crate::workbench::{actor::{Op, OpKind}, report};",
        "use super::super::report::Report;",
        "fn f() -> crate::workbench::report::Report { todo!() }",
    ] {
        let climbs = climbs(&Source::new("workbench/runner/drive.rs", line));
        assert_eq!(climbs, ["src/workbench/runner/drive.rs:1: runner knows report"], "{line}");
    }
    for line in ["use crate::workbench::{actor::Op, runner::Load};", "use super::report;", "// workbench::report"] {
        assert!(climbs(&Source::new("workbench/runner/drive.rs", line)).is_empty(), "{line}");
    }
    assert!(!climbs(&Source::new("workbench/host/mod.rs", "use super::actor::Op;")).is_empty());
}
