//! A mistake in a workload file is answered by one sentence with the line and the field, in the words of the file.

use std::ops::Range;

use ave_workbench::workload::{Workload, shipped};
use toml::de::{DeTable, DeValue};

/// A value of a file.
struct Value {
    /// The key, or that of the list it is in.
    key: String,
    /// Its bytes; of a `[table]`, nothing that can be replaced.
    bytes: Range<usize>,
    is_flag: bool,
}

/// All values of a file that can be replaced, those of lists and inline tables included.
fn values(text: &str) -> Vec<Value> {
    fn collect(text: &str, key: &str, value: &toml::Spanned<DeValue<'_>>, all: &mut Vec<Value>) {
        let source = &text[value.span()];
        let is_flag = matches!(value.get_ref(), DeValue::Boolean(_));
        let is_inline = match value.get_ref() {
            DeValue::Table(_) => source.starts_with('{'),
            DeValue::Array(_) => source.starts_with('[') && !source.starts_with("[["),
            _ => true,
        };
        if is_inline {
            all.push(Value { key: key.to_owned(), bytes: value.span(), is_flag });
        }
        match value.get_ref() {
            DeValue::Table(table) => table.iter().for_each(|(key, value)| collect(text, key.get_ref(), value, all)),
            DeValue::Array(entries) => entries.iter().for_each(|value| collect(text, key, value, all)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    for (key, value) in DeTable::parse(text).unwrap().get_ref() {
        collect(text, key.get_ref(), value, &mut all);
    }
    all
}

fn replaced(text: &str, bytes: &Range<usize>, by: &str) -> String {
    format!("{}{by}{}", &text[..bytes.start], &text[bytes.end..])
}

fn line_of(text: &str, byte: usize) -> usize {
    1 + text[..byte].matches('\n').count()
}

/// The line of a message, whose form is checked.
fn line_in(message: &str, text: &str) -> usize {
    const OF_PARSERS: [&str; 12] = [
        "invalid type",
        "invalid value",
        "unknown variant",
        "missing field",
        "duplicate",
        "TOML parse",
        "u32",
        "u64",
        "i64",
        "f64",
        "usize",
        "map",
    ];
    let of_parser = OF_PARSERS.iter().find(|words| message.contains(**words));
    assert!(of_parser.is_none(), "{of_parser:?} in {message}");
    assert!(!message.contains(char::is_control) && !message.contains(". ") && !message.ends_with('.'), "{message}");
    assert!(message.contains("expected") || message.contains("did you mean"), "{message}");
    assert!(message.contains('`') && message.chars().count() < 400, "{message}");
    let line = message.strip_prefix("workload:").and_then(|rest| rest.split(':').next()).unwrap();
    let line = line.parse().unwrap_or_else(|_| panic!("no line in {message}"));
    assert!((1..=text.lines().count()).contains(&line), "{message}");
    line
}

/// Of one population, of several, with transactions, and with every key.
fn texts() -> Vec<&'static str> {
    const ALL_KEYS: &str = r#"
name = "all"
description = "Every key."
seed = 7
arrivals = { bursts = { factor = 5.0, share = 0.1, seconds = 2.0 } }

[[population]]
name = "cart"
weight = 3
event_bytes = { constant = 10 }
state_bytes = { empirical = { quantiles = [1, 2, 3] } }
state_growth_per_event = 0.5
state_bytes_per_actor = { order = 2.5 }
compressibility = 0.4
actors = { count = 7, types = 2, skew = "uniform", name_bytes = 20 }
persistence = { mode = "full", snapshot_every = 3, compact_on_snapshot = true, encrypted = false }
commands = { persist = 3, recover = 1, recover_after_stop = 0.5, events = 1, events_per_query = 5 }
preload = { events_per_actor = 2, events_by_popularity = 9 }

[[population]]
name = "order"
event_bytes = { constant = 10 }
state_bytes = { constant = 20 }
actors = { count = 3, skew = { zipf = 0.9 } }
persistence = { mode = "light" }
commands = { persist = 1, events = 2, events_per_query_quantiles = [1, 5, 9] }

[[population]]
name = "job"
event_bytes = { constant = 10 }
state_bytes = { constant = 20 }
actors = { count = 3 }
persistence = { mode = "light" }
commands = { visit = ["recover", "persist", "snapshot"] }
"#;
    let mut texts: Vec<_> = shipped().iter().map(|workload| workload.text).collect();
    texts.push(ALL_KEYS);
    for text in &texts {
        Workload::parse(text).unwrap();
    }
    texts
}

#[test]
fn a_wrong_value_is_named_with_its_line_its_key_and_what_was_expected() {
    const WRONG: [&str; 16] = [
        "-5",
        "0",
        "1.5",
        "1e308",
        "18446744073709551616",
        "nan",
        "-inf",
        "true",
        "\"\"",
        "\"x\"",
        "\"\\u001b[31m \\n\"",
        "[]",
        "[7, 2]",
        "{}",
        "{ x = 1 }",
        "2026-13-45",
    ];
    let mut refused = 0;
    for text in texts() {
        for Value { key, bytes, is_flag } in values(text) {
            for wrong in WRONG {
                let changed = replaced(text, &bytes, wrong);
                let Err(error) = Workload::parse(&changed) else {
                    assert!(wrong != "nan" && (is_flag || wrong != "true"), "{wrong} is accepted for {key}");
                    continue;
                };
                let message = error.to_string();
                let line = line_in(&message, &changed);
                refused += 1;
                // What is wrong by itself is found where it is; other values contradict others.
                if ["nan", "1e308", "18446744073709551616", "-5"].contains(&wrong) {
                    assert_eq!(line, line_of(&changed, bytes.start), "{wrong} for {key}: {message}");
                    assert!(message.contains(&key), "{wrong} for {key}: {message}");
                }
            }
        }
    }
    assert!(refused > 5_000, "{refused}");
}

#[test]
fn a_missing_key_and_one_that_is_given_twice_are_named() {
    for text in texts() {
        for line in text.lines().filter(|line| line.contains(" = ") && !line.starts_with([' ', '#', '['])) {
            let key = line.split(' ').next().unwrap();
            let is_whole = text.contains(&format!("\n{line}\n")) && !line.ends_with("\"\"\"") && !line.ends_with('[');
            if !is_whole {
                continue;
            }
            if let Err(error) = Workload::parse(&text.replacen(&format!("\n{line}\n"), "\n", 1)) {
                let message = error.to_string();
                line_in(&message, text);
                assert!(message.contains(key) || message.contains("population"), "without {line}: {message}");
            }
            let twice = text.replacen(&format!("\n{line}\n"), &format!("\n{line}\n{line}\n"), 1);
            let message = Workload::parse(&twice).unwrap_err().to_string();
            let at = line_of(&twice, twice.find(&format!("\n{line}\n")).unwrap() + 1) + 1;
            assert_eq!(message, format!("workload:{at}: `{key}` is given twice, expected once"));
        }
    }
}

#[test]
fn a_mistyped_key_is_named_with_the_similar_one() {
    for text in texts() {
        for key in ["seed", "event_bytes", "actors", "count", "persistence", "mode", "commands", "steps", "weight"] {
            for (at, _) in text.match_indices(key) {
                let is_key = text[at + key.len()..].starts_with(" = ")
                    && (at == 0 || text[..at].ends_with(['\n', '{', ' ', ',']));
                if is_key {
                    let changed = replaced(text, &(at..at + key.len()), &format!("{key}s_"));
                    let message = Workload::parse(&changed).unwrap_err().to_string();
                    assert_eq!(line_in(&message, &changed), line_of(text, at), "{message}");
                    assert!(message.contains(&format!("did you mean `{key}`?")), "{message}");
                }
            }
        }
    }
}

const CART: &str = r#"name = "cart"
description = "d"
event_bytes = { constant = 10 }
state_bytes = { constant = 20 }
actors = { count = 7 }
persistence = { mode = "light" }
commands = { persist = 1 }
"#;

const TRANSACTION: &str =
    "[[transaction]]\nname = \"buy\"\nsteps = [{ population = \"cart\", commands = [\"persist\"] }]";

#[test]
fn mistakes_are_answered_in_the_words_of_the_file() {
    let transaction = CART.replace("commands = { persist = 1 }", TRANSACTION);
    for (base, from, to, expected) in [
        (CART, "count = 7", "count = -5", "5: `actors.count` is `-5`, expected a whole number from 1 to 100,000,000"),
        (CART, "actors = { count = 7 }\n", "", "1: `actors` is missing, expected a table such as `{ count = 1000 }`"),
        (CART, "{ count = 7 }", "[7, 2]", "5: `actors` is `[7, 2]`, expected a table such as `{ count = 1000 }`"),
        (
            CART,
            "{ constant = 10 }",
            "4",
            "3: `event_bytes` is `4`, expected a distribution of sizes such as `{ constant = 4 }`",
        ),
        (
            CART,
            "{ constant = 10 }",
            "{ constant = 10, uniform = { min = 1, max = 2 } }",
            "3: `event_bytes` has `constant` and `uniform`, expected one of `constant`, `uniform`, `lognormal`, `empirical`",
        ),
        (
            CART,
            "count = 7",
            "count = 7, skew = { zipf = 7 }",
            "5: `actors.skew.zipf` is `7`, expected a number above 0, at most 5",
        ),
        (CART, "{ count = 7 }", "{ count = 7, mode = 1 }", "5: unknown field `actors.mode`, expected in `persistence`"),
        (
            CART,
            "{ count = 7 }",
            "{ count = 7, seed = 1 }",
            "5: unknown field `actors.seed`, expected above this table, before its header",
        ),
        (
            CART,
            "{ count = 7 }",
            "",
            "5: `actors` has no value, expected a number, `true`, `false`, or a text in quotes",
        ),
        (CART, "\"cart\"", "cart", "1: `name` is `cart`, expected a number, `true`, `false`, or a text in quotes"),
        (
            CART,
            "persist = 1",
            "persist = 1, events_per_query = 0",
            "7: `commands.events_per_query` is `0`, expected a whole number of events from 1 to 4,294,967,295",
        ),
        (
            CART,
            "persist = 1",
            "persist = 1, events_per_query = 9",
            "7: `commands.events_per_query` is `9`, expected only with `events` among the commands",
        ),
        (
            CART,
            "\"light\"",
            "\"light\", snapshot_every = 10",
            "6: `persistence.snapshot_every` is `10`, expected none under `mode = \"light\"`, which writes the state with every event",
        ),
        (
            CART,
            "persist = 1",
            "persist = 1, recover = 1, recover_after_stop = 1",
            "7: `commands.recover_after_stop` is `1`, expected none under `mode = \"light\"`, where a stop writes nothing",
        ),
        (
            &transaction,
            "commands =",
            "pause = \"5ms\", commands =",
            "9: `transaction.steps.pause` is `\"5ms\"`, expected no pause: each command begins when the one before it ends; \
             commands after a pause are a transaction of their own",
        ),
        (
            &transaction,
            "\"persist\"",
            "\"persist\", \"sleep 5ms\"",
            "9: an entry of `transaction.steps.commands` is `\"sleep 5ms\"`, expected no pause: each command begins when",
        ),
        (
            &transaction,
            "\"persist\"",
            "\"persits\"",
            "9: an entry of `transaction.steps.commands` is `\"persits\"`, expected one of `\"persist\"`, `\"snapshot\"`, \
             `\"recover\"`, `\"events\"`, `\"last_event\"`, `\"purge\"`; did you mean `persist`?",
        ),
        (
            &transaction,
            "population = \"cart\"",
            "population = \"card\"",
            "9: the transaction `buy` has a step for `card`, which is no population, expected `cart`; did you mean `cart`?",
        ),
        (
            &transaction,
            "[[transaction]]",
            "[transaction]",
            "7: `transaction` is a table, expected `[[transaction]]` tables",
        ),
    ] {
        let changed = base.replacen(from, to, 1);
        assert_ne!(changed, *base, "{from}");
        let message = Workload::parse(&changed).unwrap_err().to_string();
        line_in(&message, &changed);
        assert!(message.starts_with(&format!("workload:{expected}")), "{message}\nexpected {expected}");
    }
}

#[test]
fn a_file_that_is_not_utf_8_is_refused_with_the_line_and_a_byte_order_mark_is_not_part_of_it() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("mine.toml");
    std::fs::write(&path, format!("\u{feff}{}", CART.replace('\n', "\r\n"))).unwrap();
    assert_eq!(Workload::read(&path).unwrap(), Workload::parse(CART).unwrap());
    std::fs::write(&path, b"name = \"a\"\ndescription = \"\xff\"\n").unwrap();
    let message = Workload::read(&path).unwrap_err().to_string();
    assert!(
        message.ends_with("mine.toml:2: the file is not UTF-8 text, expected one that was saved as UTF-8"),
        "{message}"
    );
}
