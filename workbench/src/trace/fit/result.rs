//! The result of a fit, and its workload file.

use std::fmt::Write;

use serde::Serialize;

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

fn comment(text: &mut String, comment: &str) {
    let mut column = WIDTH + 1;
    // Runs of blanks keep the columns of a table.
    for word in comment.split_inclusive(' ') {
        if column + word.trim_end().len() > WIDTH {
            let is_first = column > WIDTH;
            text.truncate(text.trim_end_matches(' ').len());
            text.push_str(if is_first { "# " } else { "\n#   " });
            column = 2;
        }
        text.push_str(word);
        column += word.len();
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
}
