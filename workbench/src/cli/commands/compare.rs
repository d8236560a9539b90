//! `compare`.

use std::path::Path;

use crate::cli::args::CompareArgs;
use crate::cli::error::CliError;
use crate::cli::output::{Output, figure_table};
use crate::cli::{Ending, output, resolve, style};
use crate::compare::{
    Candidate, CompareContext, CompareSettings, Comparison, ComparisonOutcome, GivenSide, Row, compare, write,
};
use crate::{render, units};

pub(crate) fn run(args: &CompareArgs, output: Output) -> Result<Ending, CliError> {
    let settings = CompareSettings {
        threshold_percent: percent("--threshold", &args.threshold)?,
        rule_out_percent: args.rule_out.as_deref().map(|text| percent("--rule-out", text)).transpose()?,
        confidence_percent: percent("--confidence", &args.confidence)?,
        across_hosts: args.across_hosts,
    };
    let base = GivenSide::read(&args.base)?;
    let candidates = args.candidates.iter().map(|path| GivenSide::read(path)).collect::<Result<Vec<_>, _>>()?;
    let context = CompareContext { compared_at: resolve::now(), command: resolve::command_line() };
    let comparison = compare(&base, &candidates, settings, &context)?;
    let directory = write(&comparison, &render::comparison(&comparison), resolve::place(args.output.as_deref()))?;
    let shown = if output.is_json() { output::json(&comparison) } else { print(&comparison, &directory, output) };
    output::shown(shown)?;
    Ok(match comparison.outcome {
        ComparisonOutcome::NoDifference | ComparisonOutcome::Improvement | ComparisonOutcome::NoRegression => {
            Ending::Pass
        }
        ComparisonOutcome::Regression => Ending::Fail,
        ComparisonOutcome::Undecided => Ending::Inconclusive,
    })
}

/// `5%` or `5`.
fn percent(option: &str, text: &str) -> Result<f64, CliError> {
    let number = text.trim().trim_end_matches('%').trim_end();
    number.parse().map_err(|_| CliError::Usage(format!("{option} `{text}`: expected percent such as `5%`")))
}

fn print(comparison: &Comparison, directory: &Path, output: Output) -> Result<(), CliError> {
    let interval = format!("{} interval", units::percent(comparison.confidence_percent));
    let header = ["durability", "figure", "answer", "base", "candidate", "difference", &interval, "p"];
    for candidate in &comparison.candidates {
        if comparison.candidates.len() > 1 {
            output.line(&candidate.side.path)?;
        }
        output.line(&figure_table(&header, 3, candidate.rows.iter().map(cells).collect()))?;
        output.list(notes(candidate))?;
    }
    let word = comparison.outcome.words().to_uppercase();
    output.line("")?;
    output.answer(&word, style::comparison(comparison.outcome), &comparison.sentence)?;
    output.warnings(&comparison.warnings)?;
    output.line(&format!("\nComparison: {}", directory.join("comparison.html").display()))
}

fn cells(row: &Row) -> Vec<String> {
    let [base, candidate] = row.figures();
    vec![
        row.durability.to_string(),
        row.what(),
        row.answer.words().to_owned(),
        base,
        candidate,
        units::percent_difference(row.slower_percent),
        units::percent_interval(row.interval_percent),
        row.probability(),
    ]
}

/// Why rows that decide are open.
fn notes(candidate: &Candidate) -> Vec<String> {
    let told = |row: &Row| {
        let needed =
            row.samples_needed_count.map_or_else(String::new, |count| format!(" (about {count} samples would do)"));
        format!("{} (durability {}): {}{needed}", row.what(), row.durability, row.note)
    };
    candidate.undecided().map(told).collect()
}
