//! What goes to the terminal: results to standard output, everything else to standard error.

use std::error::Error;
use std::io::{IsTerminal, Write};

use anstyle::Style;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use crate::cli::error::CliError;
use crate::cli::prose::wrapped;
use crate::cli::style;
use crate::cli::style::styled;
use crate::load::Observer;
use crate::report::{Outcome, Warning};

/// Width of tables that no terminal bounds, columns.
const PIPED_WIDTH: u16 = 120;
/// Lines of prose are not longer than this, however wide the terminal is.
const PROSE_WIDTH: usize = 120;
/// A terminal that says to be narrower does not know.
const NARROWEST: u16 = 20;
/// A line below the header and no frame: eight columns of figures fit into 80 characters without one.
const RULED: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// How much to print, and in which form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    quiet: bool,
    json: bool,
}

impl Output {
    pub(crate) const fn new(quiet: bool, json: bool) -> Self {
        Self { quiet, json }
    }

    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// Whether results are printed for a person.
    pub(crate) const fn is_for_people(self) -> bool {
        !self.quiet && !self.json
    }

    /// Whether to say how far it is.
    pub(crate) const fn tells_progress(self) -> bool {
        !self.quiet
    }

    /// Whether progress bars make sense: on a terminal that can move its cursor.
    pub(crate) fn shows_bars(self) -> bool {
        !self.quiet && std::io::stderr().is_terminal() && !style::is_dumb()
    }

    /// Prints part of a result, unless a person asked for quiet or a program asked for JSON.
    pub(crate) fn line(self, text: &str) -> Result<(), CliError> {
        if !self.is_for_people() {
            return Ok(());
        }
        let mut stdout = anstream::stdout().lock();
        writeln!(stdout, "{text}")?;
        Ok(stdout.flush()?)
    }

    /// A sentence, in lines that fit.
    pub(crate) fn sentence(self, sentence: &str) -> Result<(), CliError> {
        self.line(&wrapped(sentence, prose_width(), 2))
    }

    /// Sentences somebody broke into lines, in lines that fit, indented.
    pub(crate) fn paragraph(self, text: &str) -> Result<(), CliError> {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let width = prose_width().unwrap_or(PROSE_WIDTH);
        self.line(&wrapped(&format!("    {words}"), Some(width), 4))
    }

    /// The answer: `PASS: ` and a sentence, in lines that fit.
    pub(crate) fn verdict(self, outcome: Outcome, sentence: &str) -> Result<(), CliError> {
        let (word, look) = style::outcome(outcome);
        self.answer(word, look, sentence)
    }

    /// An answer in one word, and a sentence, in lines that fit.
    pub(crate) fn answer(self, word: &str, look: Style, sentence: &str) -> Result<(), CliError> {
        let text = wrapped(&format!("{word}: {sentence}"), prose_width(), 2);
        self.line(&text.replacen(word, &styled(look, word), 1))
    }

    /// Sentences as a list.
    pub(crate) fn list<T: AsRef<str>>(self, sentences: impl IntoIterator<Item = T>) -> Result<(), CliError> {
        let line = |sentence: T| self.line(&wrapped(&format!("  - {}", sentence.as_ref()), prose_width(), 4));
        sentences.into_iter().try_for_each(line)
    }

    /// What may have spoiled a result, and what to do about it.
    pub(crate) fn warnings(self, warnings: &[Warning]) -> Result<(), CliError> {
        warnings.iter().try_for_each(|warning| {
            let what = wrapped(&format!("warning: {}", warning.what), prose_width(), 2);
            let hint = wrapped(&format!("  hint: {}", warning.hint), prose_width(), 4);
            self.line(&format!("{}\n{hint}", what.replacen("warning:", &styled(style::WARNING, "warning:"), 1)))
        })
    }

    /// Says how far it is, where there are no bars.
    pub(crate) fn progress(self, text: &str) {
        if !self.quiet {
            // Whoever closed standard error does not want to know.
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }
}

impl Observer for Output {
    fn note(&self, text: &str) {
        Self::progress(*self, text);
    }
}

/// Prints a result for a program.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value).map_err(std::io::Error::from)?;
    raw(&format!("{text}\n"))
}

/// What became of showing a result that is written: whoever closed the pipe early still gets the verdict.
pub(crate) fn shown(shown: Result<(), CliError>) -> Result<(), CliError> {
    shown.or_else(|error| if error.is_broken_pipe() { Ok(()) } else { Err(error) })
}

/// Prints what was asked for, whatever the verbosity.
pub(crate) fn raw(text: &str) -> Result<(), CliError> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

/// Says why it failed, even in quiet mode, with every cause the message itself does not tell.
pub(crate) fn error(error: &CliError) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = error.to_string();
        if !text.contains(&reason) {
            text = format!("{text}: {reason}");
        }
        cause = error.source();
    }
    // Whoever closed standard error does not want to know.
    let _ = writeln!(anstream::stderr(), "{} {text}", styled(style::ERROR, "error:"));
}

/// A table whose first `labels` columns are words and whose others are figures, aligned to the right.
pub(crate) fn figure_table(header: &[&str], labels: usize, rows: Vec<Vec<String>>) -> String {
    let mut table = table(header, rows);
    for column in table.column_iter_mut().skip(labels) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}

/// Label and value pairs, one a line, values aligned.
pub(crate) fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    let line = |(label, value): &(&str, String)| wrapped(&format!("{label:width$}  {value}"), prose_width(), width + 2);
    facts.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A table of words.
pub(crate) fn text_table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    table(header, rows).trim_fmt()
}

fn table(header: &[&str], rows: Vec<Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(RULED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(table_width());
    table.set_header(header.iter().copied());
    table.add_rows(rows);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((u16::from(at > 0), 0));
    }
    table
}

/// Columns of the terminal that shows standard output, if one does and tells.
fn terminal_width() -> Option<u16> {
    // A terminal that nobody sized says 0.
    Table::new().width().filter(|&width| width >= NARROWEST)
}

/// Columns that a table may take.
pub(crate) fn table_width() -> u16 {
    terminal_width().unwrap_or(PIPED_WIDTH)
}

/// Characters a line of prose may take; `None` where no terminal shows it.
fn prose_width() -> Option<usize> {
    terminal_width().map(|width| usize::from(width).min(PROSE_WIDTH))
}
