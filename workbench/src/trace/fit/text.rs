//! The workload file of a fit, with its origin and the comparison as comments.

use std::fmt::Write;

use super::likeness::Aspect;
use super::result::Fit;

/// Columns of a comment.
const WIDTH: usize = 110;

impl Fit {
    /// The workload as a file, with its origin and the comparison as comments in front.
    ///
    /// # Panics
    ///
    /// Never: every workload can be written as TOML.
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

/// A comment, broken between words.
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
