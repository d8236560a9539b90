//! `compare`.

use std::path::Path;

use crate::cli::args::compare::CompareArgs;
use crate::cli::error::CliError;
use crate::cli::output::{Output, figure_table};
use crate::cli::{input_file, resolve, style};
use crate::compare::{BuildReports, Candidate, Comparison, Row, compare};
use crate::report::{ComparisonContext, Outcome};
use crate::{render, units};

/// Why a difference is not that of the columns beside it.
const DIFFERENCES: &str = "Differences are those of means; base and candidate are medians.";

pub(crate) fn run(args: &CompareArgs, output: Output) -> Result<Outcome, CliError> {
    input_file::read_once(std::iter::once(&args.base).chain(&args.candidates))?;
    let base = BuildReports::read(&args.base)?;
    let candidates = args.candidates.iter().map(|path| BuildReports::read(path)).collect::<Result<Vec<_>, _>>()?;
    let context = ComparisonContext { compared_at: resolve::now(), command: resolve::command_line() };
    let comparison = compare(&base, &candidates, args.rule.settings(), &context)?;
    let directory =
        comparison.write(&render::comparison(&comparison), resolve::comparison_destination(args.output.as_deref()))?;
    output.result(&comparison, || print(&comparison, &directory, output))?;
    Ok(comparison.outcome.verdict())
}

fn print(comparison: &Comparison, directory: &Path, output: Output) -> Result<(), CliError> {
    let interval = format!("{} interval", units::percent(comparison.confidence_percent));
    let header = ["durability", "figure", "answer", "base", "candidate", "difference", &interval, "p"];
    for candidate in &comparison.candidates {
        let [base, side] = [&comparison.base, &candidate.side].map(|side| format!("{}, {}", side.path, side.build()));
        output.line(&format!("{side}, compared with {base}"))?;
        output.line(&figure_table(&header, 3, candidate.rows.iter().map(cells).collect()))?;
        output.list(notes(candidate))?;
        output.line(DIFFERENCES)?;
    }
    let (_, look) = style::outcome(comparison.outcome.verdict());
    output.line("")?;
    output.answer(&comparison.outcome.words().to_uppercase(), look, &comparison.sentence)?;
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

/// Why deciding rows have no answer.
fn notes(candidate: &Candidate) -> Vec<String> {
    let note = |row: &Row| {
        let needed =
            row.samples_needed_count.map_or_else(String::new, |count| format!(" (about {count} samples are enough)"));
        format!("{} (durability {}): {}{needed}", row.what(), row.durability, row.note)
    };
    candidate.undecided().map(note).collect()
}
