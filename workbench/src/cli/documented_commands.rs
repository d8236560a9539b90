//! Checks that the parser accepts every `ave-workbench` command in the documentation and in help.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory, Parser};

use crate::cli::args::Args;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The documentation: `*.md` at the top, in `docs` and in `reports`, and the YAML in `deploy`.
fn documents() -> Vec<PathBuf> {
    let files = ["", "docs", "reports", "deploy"].map(|directory| fs::read_dir(root().join(directory)).unwrap());
    let mut found: Vec<PathBuf> = files.into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "md" || extension == "yaml"));
    found.sort();
    found
}

/// The commands in code blocks or YAML.
fn commands(text: &str, is_code: bool) -> Vec<Vec<String>> {
    let mut in_block = is_code;
    let joined = text.replace("\\\n", " ");
    let mut found = Vec::new();
    for line in joined.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if in_block && let Some(words) = command(line) {
            found.push(words);
        }
    }
    found
}

/// The command in a line, without other commands before and after it.
fn command(line: &str) -> Option<Vec<String>> {
    let words = words(line);
    let start = words.iter().position(|word| word == "ave-workbench")?;
    let runs_it = start == 0 || ["&&", "$", ";"].contains(&words[start - 1].as_str());
    let ends = |word: &String| ["|", ">", "&&", ";", "...", "…"].contains(&word.as_str()) || word.starts_with('#');
    runs_it.then(|| words[start..].iter().take_while(|word| !ends(word)).cloned().collect())
}

/// Splits a line as a shell does, and removes quotes.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[test]
fn every_command_in_the_documentation_parses() {
    let mut parsed = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let is_code = path.extension().is_some_and(|extension| extension == "yaml");
        for words in commands(&text, is_code) {
            let ended = Args::try_parse_from(&words);
            if let Err(error) = ended {
                panic!("{}: {}\n{error}", path.strip_prefix(root()).unwrap().display(), words.join(" "));
            }
            parsed += 1;
        }
    }
    assert!(parsed > 20, "only {parsed} commands were found");
}

/// A command and its visible subcommands.
fn visible(command: &Command) -> Vec<&Command> {
    let subs = command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help");
    std::iter::once(command).chain(subs.flat_map(visible)).collect()
}

/// The command in an example, which may be behind a pipe.
fn example(line: &str) -> Option<Vec<String>> {
    command(line.rsplit_once("| ave-workbench").map_or(line, |(before, _)| &line[before.len() + 2..]))
}

#[test]
fn help_of_every_command_has_valid_examples_of_it() {
    let mut program = Args::command();
    program.build();
    let commands = visible(&program);
    assert!(commands.len() > 12, "only {} commands were found", commands.len());
    for command in commands {
        let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let shown = help.strip_prefix("Examples:\n").unwrap_or_else(|| panic!("{name} shows no examples"));
        let joined = shown.replace("\\\n", " ");
        let lines = joined.lines().filter(|line| !line.trim_start().starts_with('#'));
        let examples: Vec<_> = lines.map(|line| example(line).unwrap_or_else(|| panic!("{name}: {line}"))).collect();
        assert!(examples.iter().any(|words| words.join(" ").starts_with(name)), "{name} shows no example of itself");
        for words in examples {
            if let Err(error) = Args::try_parse_from(&words) {
                panic!("{name}: {}\n{error}", words.join(" "));
            }
        }
    }
}

#[test]
fn help_fits_eighty_columns() {
    let mut program = Args::command().term_width(80);
    program.build();
    for command in visible(&program) {
        let mut command = command.clone().term_width(80);
        for text in [command.render_help(), command.render_long_help()] {
            let long: Vec<_> =
                text.to_string().lines().filter(|line| line.chars().count() > 80).map(str::to_owned).collect();
            assert!(long.is_empty(), "{}: {long:#?}", command.get_name());
        }
        // clap does not wrap examples, so that they can be pasted.
        let shown = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(shown.lines().all(|line| line.chars().count() <= 80), "{}: {shown}", command.get_name());
    }
}

#[test]
fn fleet_manual_and_kubernetes_job_run_the_same_plan() {
    let plan = |file: &str, is_code| {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let found = commands(&text, is_code).into_iter().find(|words| words[1] == "plan").unwrap();
        found.into_iter().take_while(|word| word != "--data-dir").collect::<Vec<_>>()
    };
    assert_eq!(plan("docs/fleet.md", false), plan("deploy/plan-job.yaml", true));
}

#[test]
fn commands_are_found_between_other_words() {
    let found = |line: &str| command(line).map(|words| words.join(" "));
    assert_eq!(found("  ave-workbench run 'a b'   # as fast as it goes").unwrap(), "ave-workbench run a b");
    assert_eq!(found("cd x && ave-workbench host | jq .").unwrap(), "ave-workbench host");
    assert_eq!(found("cargo run --bin ave-workbench -- host"), None);
    assert_eq!(commands("ave-workbench no\n```sh\nave-workbench run \\\n  x\n```\n", false).len(), 1);
}
