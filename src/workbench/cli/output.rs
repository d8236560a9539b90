//! What goes to the terminal: results to standard output, everything else to standard error.

use std::error::Error;
use std::io::{IsTerminal, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::CliError;

/// How much to print, and in which form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    quiet: bool,
    json: bool,
}

impl Output {
    pub(super) const fn new(quiet: bool, json: bool) -> Self {
        Self { quiet, json }
    }

    pub(super) const fn is_json(self) -> bool {
        self.json
    }

    /// Whether results are printed for a person.
    pub(super) const fn is_for_people(self) -> bool {
        !self.quiet && !self.json
    }

    /// Whether progress bars make sense.
    pub(super) fn shows_bars(self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    /// Prints part of a result, unless a person asked for quiet or a program asked for JSON.
    pub(super) fn line(self, text: &str) -> Result<(), CliError> {
        if self.is_for_people() { raw(&format!("{text}\n")) } else { Ok(()) }
    }

    /// Says how far it is, where there are no bars.
    pub(super) fn progress(self, text: &str) {
        if !self.quiet {
            // Whoever closed standard error does not want to know.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }
}

/// Prints a result for a program.
pub(super) fn json(value: &impl serde::Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value).map_err(std::io::Error::from)?;
    raw(&format!("{text}\n"))
}

/// Prints what was asked for, whatever the verbosity.
pub(super) fn raw(text: &str) -> Result<(), CliError> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

/// Says why it failed, even in quiet mode, with every cause the message itself does not tell.
pub(super) fn error(error: &CliError) {
    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = error.to_string();
        if !text.contains(&reason) {
            text = format!("{text}: {reason}");
        }
        cause = error.source();
    }
    // Whoever closed standard error does not want to know.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A table whose first `labels` columns are words and whose others are figures, aligned to the right.
pub(super) fn figure_table(header: &[&str], labels: usize, rows: Vec<Vec<String>>) -> String {
    let mut table = text_table(header, rows);
    for column in table.column_iter_mut().skip(labels) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// Label and value pairs, one a line, values aligned.
pub(super) fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    facts.iter().map(|(label, value)| format!("{label:width$}  {value}")).collect::<Vec<_>>().join("\n")
}

/// A table of words.
pub(super) fn text_table(header: &[&str], rows: Vec<Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::stdout().is_terminal() {
        table.set_width(120);
    }
    table.set_header(header.iter().copied());
    table.add_rows(rows);
    table
}
