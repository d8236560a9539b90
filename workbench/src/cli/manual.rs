//! Manual pages: from the parser, with sections on exit codes, environment and files.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

pub(super) struct Page {
    pub(super) file: String,
    pub(super) text: String,
}

const VERSION: &str = concat!("ave-workbench ", env!("CARGO_PKG_VERSION"));

const EXIT_CODES: [(&str, &str); 5] = [
    ("0", "Pass: the objective was met, or none was given."),
    ("1", "Fail: the objective was missed, no machine qualified, data were lost, or a regression was found."),
    ("2", "Invalid arguments."),
    ("3", "Inconclusive: the measurements do not support a verdict, or the command was interrupted."),
    ("4", "Input, output or database error."),
];

const ENVIRONMENT: [(&str, &str); 5] = [
    ("NO_COLOR", "Disables colour if set and not empty."),
    ("CLICOLOR_FORCE", "Enables colour if set and not 0, even if the output is not a terminal."),
    ("TERM", "The value dumb disables colour and progress bars; progress is printed as lines."),
    ("BROWSER", "Browsers for --open, separated by colons; the first that starts is used."),
    ("TMPDIR", "Directory for a long trace if the data directory does not exist yet."),
];

const FILES: [(&str, &str); 3] = [
    ("reports/NAME-TIME/", "A report: report.html, report.md, report.json, histograms and percentiles."),
    ("reports/.plan-*.journal", "Measurements of an interrupted plan; the same command resumes it."),
    (".ave-workbench-*", "Databases in the data directory. The next start removes those of a killed process."),
];

/// A page for the program and for each visible command.
pub(super) fn pages(command: Command) -> Vec<Page> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    collect(&command, &mut pages);
    pages
}

fn collect(command: &Command, pages: &mut Vec<Page>) {
    pages.push(page(command));
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        collect(sub, pages);
    }
}

fn page(command: &Command) -> Page {
    // A date would make builds differ.
    let manual = Man::new(command.clone()).source(VERSION).manual("User Commands").date(" ");
    let mut text = Vec::new();
    let rendered = manual.render_title(&mut text).and_then(|()| sections(&manual, command, &mut text));
    rendered.expect("a vector takes every byte");
    Page { file: manual.get_filename(), text: in_ascii(&String::from_utf8_lossy(&text)) }
}

/// Escapes other characters than ASCII: groff reads Latin-1 by default.
fn in_ascii(text: &str) -> String {
    let escaped = |c: char| if c.is_ascii() { c.to_string() } else { format!("\\[u{:04X}]", u32::from(c)) };
    text.chars().map(escaped).collect()
}

fn sections(manual: &Man, command: &Command, text: &mut Vec<u8>) -> std::io::Result<()> {
    manual.render_name_section(text)?;
    manual.render_synopsis_section(text)?;
    manual.render_description_section(text)?;
    manual.render_options_section(text)?;
    if command.has_subcommands() {
        manual.render_subcommands_section(text)?;
    }
    let mut roff = Roff::new();
    examples(&mut roff, command);
    listed(&mut roff, "EXIT STATUS", &EXIT_CODES);
    listed(&mut roff, "ENVIRONMENT", &ENVIRONMENT);
    listed(&mut roff, "FILES", &FILES);
    see_also(&mut roff, command);
    roff.to_writer(text)
}

/// The examples that help shows below the options.
fn examples(roff: &mut Roff, command: &Command) {
    let Some(help) = command.get_after_help() else { return };
    roff.control("SH", ["EXAMPLES"]);
    roff.control("nf", []);
    for line in help.to_string().lines().skip(1) {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
}

fn see_also(roff: &mut Roff, command: &Command) {
    if command.get_display_name() != Some("ave-workbench") {
        roff.control("SH", ["SEE ALSO"]);
        roff.text([bold("ave-workbench"), roman("(1)")]);
    }
}

fn listed(roff: &mut Roff, heading: &str, entries: &[(&str, &str)]) {
    roff.control("SH", [heading]);
    for (name, meaning) in entries {
        roff.control("TP", []);
        roff.text([bold(*name)]);
        roff.text([roman(*meaning)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::program::Args;
    use clap::CommandFactory;

    #[test]
    fn every_page_has_all_sections_and_is_ascii() {
        let pages = pages(Args::command());
        assert_eq!(pages[0].file, "ave-workbench.1");
        assert!(pages.iter().any(|page| page.file == "ave-workbench-trace-import.1"));
        assert!(!pages.iter().any(|page| page.file.contains("rig") || page.file.contains("crash-victim")));
        for Page { file, text } in pages {
            for section in ["NAME", "SYNOPSIS", "OPTIONS", "EXAMPLES", "EXIT STATUS", "ENVIRONMENT", "FILES"] {
                let heading = if section.contains(' ') { format!("\"{section}\"") } else { section.to_owned() };
                assert!(text.lines().any(|line| line == format!(".SH {heading}")), "{file} has no {section}");
            }
            assert!(text.is_ascii(), "{file}");
        }
    }
}
