//! How `run` and `plan` end: a report on the disk; a table, a sentence and the report's path on the terminal.

use std::path::Path;

use crate::cli::commands::{plan_table, run_table};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::{Ending, browser, output};
use crate::render;
use crate::report::{Attachment, CertaintyLevel, Outcome, ReasonKind, Report, ReportDirectory};

/// Where a report goes and who gets to see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Audience<'a> {
    /// Directory for the reports.
    pub(super) reports: &'a Path,
    /// Whether to open the page in a browser.
    pub(super) open: bool,
    pub(super) output: Output,
}

/// Writes a report and prints its result.
pub(super) fn conclude(
    report: &Report,
    attachments: Vec<Attachment>,
    audience: Audience<'_>,
) -> Result<Ending, CliError> {
    let Audience { reports, open, output } = audience;
    let attach = |directory: ReportDirectory, (name, bytes): Attachment| directory.attach(&name, bytes);
    let directory =
        attachments.into_iter().fold(ReportDirectory::new(reports), attach).write(report, &render::report(report))?;
    let page = directory.join("report.html");
    let shown = if output.is_json() { output::json(report) } else { print(report, &page, output) };
    output::shown(shown)?;
    if open {
        browser::try_open(&page, output);
    }
    Ok(match report.verdict.outcome {
        Outcome::Pass => Ending::Pass,
        Outcome::Fail => Ending::Fail,
        Outcome::Inconclusive => Ending::Inconclusive,
    })
}

/// Whether the table above the verdict shows the figures of such a reason.
const fn is_in_table(kind: ReasonKind) -> bool {
    matches!(kind, ReasonKind::Recommendation | ReasonKind::Coverage | ReasonKind::Forecast)
}

/// The table first, so that the verdict is what is still seen when the prompt is back.
fn print(report: &Report, page: &Path, output: Output) -> Result<(), CliError> {
    let verdict = &report.verdict;
    match &report.plan {
        Some(plan) => plan_table::print(plan, report.durability_price.as_ref(), output)?,
        None => output.line(&run_table::table(report))?,
    }
    output.line("")?;
    output.warnings(&report.warnings)?;
    output.verdict(verdict.outcome, &verdict.sentence)?;
    if let Some(certainty) = &verdict.certainty {
        output.line(&format!("How sure: {}.", certainty.level.name()))?;
        if certainty.level != CertaintyLevel::High {
            output.list(&certainty.because)?;
        }
    }
    output.list(verdict.reasons.iter().filter(|reason| !is_in_table(reason.kind)).map(|reason| &reason.text))?;
    output.line(&format!("Report: {}", page.display()))
}
