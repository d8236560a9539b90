//! `history`.

use std::path::Path;

use crate::cli::args::history::HistoryArgs;
use crate::cli::error::CliError;
use crate::cli::output::{Output, figure_table};
use crate::cli::{input_file, resolve, style};
use crate::history::{Change, History, LeftOut, Reports, Series, history};
use crate::report::{ComparisonContext, Outcome};
use crate::{render, units};

pub(crate) fn run(args: &HistoryArgs, output: Output) -> Result<Outcome, CliError> {
    input_file::read_once(args.reports.iter().chain(&args.baseline))?;
    let reports = Reports::read(&args.reports, args.baseline.as_deref())?;
    let context = ComparisonContext { compared_at: resolve::now(), command: resolve::command_line() };
    let history = history(&reports, args.rule.settings(), &context)?;
    let directory =
        history.write(&render::history(&history), resolve::comparison_destination(args.output.as_deref()))?;
    output.result(&history, || print(&history, &directory, output))?;
    Ok(history.outcome.verdict())
}

fn print(history: &History, directory: &Path, output: Output) -> Result<(), CliError> {
    let interval = format!("{} interval", units::percent(history.confidence_percent));
    let changes = history.changes();
    if !changes.is_empty() {
        let header = ["since", "durability", "figure", "change", "before", "after", "difference", &interval];
        let rows = changes.iter().map(|(series, change)| change_cells(history, series, change)).collect();
        output.line(&figure_table(&header, 4, rows))?;
        output.list(causes(history, &changes))?;
        output.line("")?;
    }
    let header = ["durability", "figure", "newest against the reference", "reports", "newest", "slower by", &interval];
    output.line(&figure_table(&header, 3, history.series.iter().map(cells).collect()))?;
    output.list(history.series.iter().filter(|series| !series.note.is_empty()).map(note))?;
    let (_, look) = style::outcome(history.outcome.verdict());
    output.line("")?;
    output.answer(&history.outcome.words().to_uppercase(), look, &history.sentence)?;
    output.warnings(&history.warnings)?;
    output.list(history.left_out.iter().map(|LeftOut { path, reason, .. }| format!("{path} is left out: {reason}")))?;
    output.line(&format!("\nHistory: {}", directory.join("history.html").display()))
}

/// What changed as well, once for all figures that changed with it.
fn causes(history: &History, changes: &[(&Series, &Change)]) -> Vec<String> {
    let mut all = Vec::new();
    for (_, change) in changes {
        for cause in change.causes().map(|cause| format!("{}: {cause}", history.since(change))) {
            if !all.contains(&cause) {
                all.push(cause);
            }
        }
    }
    all
}

fn change_cells(history: &History, series: &Series, change: &Change) -> Vec<String> {
    vec![
        history.since(change),
        series.durability.to_string(),
        series.what(),
        change.word().to_owned(),
        series.figure(change.before),
        series.figure(change.after),
        units::percent_difference(change.change_percent),
        units::percent_interval(change.interval_percent),
    ]
}

fn cells(series: &Series) -> Vec<String> {
    vec![
        series.durability.to_string(),
        series.what(),
        series.answer.words().to_owned(),
        units::count(series.points.len() as u64),
        series.newest.map_or_else(units::absent, |mean| series.figure(mean)),
        series.slower_percent.map_or_else(units::absent, units::percent_difference),
        series.interval_percent.map_or_else(units::absent, units::percent_interval),
    ]
}

fn note(series: &Series) -> String {
    format!("{} (durability {}): {}", series.what(), series.durability, series.note)
}
