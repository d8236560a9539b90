//! Checks the help of every command: its examples, and its width.

use clap::{Command, CommandFactory, Parser};

use crate::cli::args::program::Args;

/// A command and its visible subcommands.
fn visible(command: &Command) -> Vec<&Command> {
    let subs = command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help");
    std::iter::once(command).chain(subs.flat_map(visible)).collect()
}

/// The words of the workbench's command in a line of shell.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    let command = words.into_iter().skip_while(|word| word != "ave-workbench");
    let command: Vec<_> = command.take_while(|word| word != "|" && word != ">").collect();
    (!command.is_empty()).then_some(command)
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
        let shown = help.strip_prefix("Examples:\n").unwrap_or_else(|| panic!("{name} has no examples"));
        let joined = shown.replace("\\\n", " ");
        let lines = joined.lines().filter(|line| !line.trim_start().starts_with('#'));
        let examples: Vec<_> = lines.map(|line| words(line).unwrap_or_else(|| panic!("{name}: {line}"))).collect();
        assert!(examples.iter().any(|words| words.join(" ").starts_with(name)), "{name} has no example of itself");
        for words in examples {
            if let Err(error) = Args::try_parse_from(&words) {
                panic!("{name}: {}\n{error}", words.join(" "));
            }
        }
    }
}

#[test]
fn arguments_are_consistent_and_help_fits_eighty_columns() {
    Args::command().debug_assert();
    let mut program = Args::command().term_width(80);
    program.build();
    for command in visible(&program) {
        let mut command = command.clone().term_width(80);
        for text in [command.render_help(), command.render_long_help()] {
            let long: Vec<_> =
                text.to_string().lines().filter(|line| line.chars().count() > 80).map(str::to_owned).collect();
            assert!(long.is_empty(), "{}: {long:#?}", command.get_name());
        }
    }
}
