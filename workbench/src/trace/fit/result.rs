//! The result of a fit, and its workload file.

use std::fmt::Write;

use serde::Serialize;
use textwrap::{WordSeparator, WordSplitter, WrapAlgorithm};

use super::likeness::Aspect;
use crate::workload::Workload;

const WIDTH: usize = 110;

/// A workload that resembles a trace.
#[derive(Debug, Clone, Serialize)]
pub struct Fit {
    /// Generated with seed 1 for the comparison.
    pub workload: Workload,
    /// Mean rate of the trace, commands per second; a workload has no rate. `None` if all commands came at once.
    pub commands_per_second: Option<f64>,
    /// How well the workload resembles the trace.
    pub aspects: Vec<Aspect>,
    /// What the trace does not show, and what the workload does not resemble.
    pub notes: Vec<String>,
    /// Commands of the generated trace that was compared.
    pub compared_commands_count: u64,
    /// Name and source of the trace, as a phrase.
    pub origin: String,
}

impl Fit {
    /// The workload as a file, with its origin and the comparison as comments in front.
    #[expect(clippy::missing_panics_doc, reason = "every workload can be written as TOML")]
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        comment(&mut text, &format!("Fitted by ave-actors-rocksdb {} to {}.", env!("CARGO_PKG_VERSION"), self.origin));
        if let Some(rate) = self.commands_per_second {
            let replay =
                format!("Replay it with `ave-workbench run FILE --rate {rate:.0}`, the mean rate of the trace.");
            comment(&mut text, if rate >= 1.0 { &replay } else { "Its rate is below one command per second." });
        }
        text.push_str("#\n");
        comment(&mut text, "Comparison with the trace: the largest difference, and the figures of trace and workload.");
        for aspect in &self.aspects {
            comment(&mut text, &line(aspect));
        }
        if !self.notes.is_empty() {
            text.push_str("#\n");
        }
        for note in &self.notes {
            comment(&mut text, &format!("- {note}"));
        }
        text.push('\n');
        text + &toml::to_string(&self.workload).expect("a workload is plain data")
    }
}

fn line(aspect: &Aspect) -> String {
    let mut line = format!("{:28}{:8.2} {:18}", aspect.name, aspect.difference, aspect.unit);
    let _ = match aspect.tolerance {
        Some(_) if aspect.is_met() => write!(line, "ok     "),
        Some(tolerance) => write!(line, "OFF by more than {tolerance}  "),
        None => write!(line, "       "),
    };
    line + &aspect.detail
}

/// Appends a comment. Runs of blanks keep the columns of a table, and a word that is longer than a line stays whole.
fn comment(text: &mut String, comment: &str) {
    let options = textwrap::Options::new(WIDTH)
        .initial_indent("# ")
        .subsequent_indent("#   ")
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    text.push_str(textwrap::fill(comment, options).trim_end());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_a_comment_is_one_however_long_its_words_are() {
        let mut text = String::new();
        comment(&mut text, &format!("Fitted to {} from {} and so on.", "x".repeat(200), "y".repeat(150)));
        comment(&mut text, "next   one");
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.iter().all(|line| line.starts_with("# ")), "{text}");
        assert!(lines.iter().all(|line| line.matches('#').count() == 1), "{text}");
        assert_eq!(lines.last(), Some(&"# next   one"));
    }
}
