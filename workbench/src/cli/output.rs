//! Standard output for results, standard error for everything else.

use std::error::Error;
use std::io::{IsTerminal, Write};

use anstyle::Style;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use serde::Serialize;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use crate::cli::error::CliError;
use crate::cli::style::{self, styled};
use crate::load::Observer;
use crate::report::{Outcome, Warning};
use crate::units;

/// Width of tables where there is no terminal, columns.
const PIPED_WIDTH: u16 = 120;
/// Longest line of prose, however wide the terminal is.
const PROSE_WIDTH: usize = 120;
/// Terminals of unknown size report 0 columns or few.
const NARROWEST: u16 = 20;
/// A line below the header and no frame, so that eight columns of figures fit into 80 characters.
const RULED: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) quiet: bool,
    pub(crate) json: bool,
}

impl Output {
    /// Prints a result, as JSON or by `text`. A broken pipe is no error: the exit code still reports the verdict if the reader
    /// of standard output stops early.
    pub(crate) fn result(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let printed = if self.json { json(value) } else { text() };
        printed.or_else(|error| if error.is_broken_pipe() { Ok(()) } else { Err(error) })
    }

    /// Whether to show progress bars: on a terminal that can move its cursor.
    pub(crate) fn shows_bars(self) -> bool {
        !self.quiet && std::io::stderr().is_terminal() && !style::is_dumb()
    }

    /// Prints part of a result as text: not with `--quiet` or `--json`.
    pub(crate) fn line(self, text: &str) -> Result<(), CliError> {
        if self.quiet || self.json {
            return Ok(());
        }
        let mut stdout = anstream::stdout().lock();
        writeln!(stdout, "{text}")?;
        Ok(stdout.flush()?)
    }

    pub(crate) fn sentence(self, sentence: &str) -> Result<(), CliError> {
        self.line(&wrapped(sentence, prose_width(), 2))
    }

    /// Prints sentences that contain line breaks, wrapped anew and indented.
    pub(crate) fn paragraph(self, text: &str) -> Result<(), CliError> {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let width = prose_width().unwrap_or(PROSE_WIDTH);
        self.line(&wrapped(&format!("    {words}"), Some(width), 4))
    }

    /// Prints an outcome and a sentence: `PASS: …`.
    pub(crate) fn verdict(self, outcome: Outcome, sentence: &str) -> Result<(), CliError> {
        let (word, look) = style::outcome(outcome);
        self.answer(word, look, sentence)
    }

    /// Prints a word in a style, and a sentence: `REGRESSION: …`.
    pub(crate) fn answer(self, word: &str, look: Style, sentence: &str) -> Result<(), CliError> {
        let text = wrapped(&format!("{word}: {sentence}"), prose_width(), 2);
        self.line(&text.replacen(word, &styled(look, word), 1))
    }

    pub(crate) fn list<T: AsRef<str>>(self, sentences: impl IntoIterator<Item = T>) -> Result<(), CliError> {
        let line = |sentence: T| self.line(&wrapped(&format!("  - {}", sentence.as_ref()), prose_width(), 4));
        sentences.into_iter().try_for_each(line)
    }

    pub(crate) fn warnings(self, warnings: &[Warning]) -> Result<(), CliError> {
        warnings.iter().try_for_each(|warning| {
            let what = wrapped(&format!("warning: {}", warning.what), prose_width(), 2);
            let hint = wrapped(&format!("  hint: {}", warning.hint), prose_width(), 4);
            self.line(&format!("{}\n{hint}", what.replacen("warning:", &styled(style::WARNING, "warning:"), 1)))
        })
    }

    /// Prints a line of progress to standard error.
    pub(crate) fn progress(self, text: &str) {
        if !self.quiet {
            // If standard error is closed, there is no place to report it.
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }
}

impl Observer for Output {
    fn note(&self, text: &str) {
        Self::progress(*self, text);
    }
}

fn json(value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value).map_err(std::io::Error::from)?;
    raw(&format!("{text}\n"))
}

/// Prints text regardless of verbosity.
pub(crate) fn raw(text: &str) -> Result<(), CliError> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

/// Prints an error regardless of verbosity, followed by causes that its message does not contain.
pub(crate) fn error(error: &CliError) {
    let mut text = error.to_string();
    for cause in std::iter::successors(error.source(), |&cause| cause.source()) {
        let reason = cause.to_string();
        // The message names line and column already.
        let is_json = cause.is::<serde_json::Error>();
        let reason = reason.split(" at line ").next().filter(|_| is_json).unwrap_or(&reason).to_owned();
        if !text.contains(&reason) {
            text = format!("{text}: {reason}");
        }
    }
    // If standard error is closed, there is no place to report it.
    let _ = writeln!(anstream::stderr(), "{} {text}", styled(style::ERROR, "error:"));
}

/// A table; all columns after the first `labels` are aligned to the right.
pub(crate) fn figure_table(header: &[&str], labels: usize, rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(RULED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(table_width());
    table.set_header(header.iter().copied());
    table.add_rows(rows);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((u16::from(at > 0), 0));
        if at >= labels {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// A latency in a table; a dash if there are too few samples for it.
pub(crate) fn nanoseconds(value: Option<u64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| units::duration(value as f64))
}

/// Label and value pairs, one per line, values aligned.
pub(crate) fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    let line = |(label, value): &(&str, String)| wrapped(&format!("{label:width$}  {value}"), prose_width(), width + 2);
    facts.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Columns of the terminal on standard output, if it is one and reports its size.
fn terminal_width() -> Option<u16> {
    Table::new().width().filter(|&width| width >= NARROWEST)
}

/// Columns available to a table.
pub(crate) fn table_width() -> u16 {
    terminal_width().unwrap_or(PIPED_WIDTH)
}

/// Longest line of prose on the terminal; `None` if there is none, and lines are not wrapped.
fn prose_width() -> Option<usize> {
    terminal_width().map(|width| usize::from(width).min(PROSE_WIDTH))
}

/// Wraps between words; lines after the first are indented. A word that is longer than the width stays whole.
fn wrapped(text: &str, width: Option<usize>, indent: usize) -> String {
    let Some(width) = width else { return text.to_owned() };
    let indent = " ".repeat(indent);
    let options = Options::new(width)
        .subsequent_indent(&indent)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::fill(text, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_after_the_first_are_indented_and_long_words_stay_whole() {
        assert_eq!(wrapped("  - one two three", Some(9), 4), "  - one\n    two\n    three");
        assert_eq!(
            wrapped("label  reports/a-directory/report.html", Some(12), 2),
            "label\n  reports/a-directory/report.html"
        );
        assert_eq!(wrapped("one two", None, 4), "one two");
    }
}
