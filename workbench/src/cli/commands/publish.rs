//! Publishes the report of `run` and `plan`: files on disk; a table, the verdict and the path on the terminal.

use std::path::Path;

use super::{plan_table, run_table};
use crate::cli::args::source::PlaceArgs;
use crate::cli::browser;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::render;
use crate::report::{Attachment, CertaintyLevel, Outcome, ReasonKind, Report, ReportDirectory};

/// Writes a report and prints its result.
pub(super) fn publish(
    report: &Report,
    attachments: Vec<Attachment>,
    place: &PlaceArgs,
    output: Output,
) -> Result<Outcome, CliError> {
    let directory =
        ReportDirectory::new(&place.reports_dir).attach(attachments).write(report, &render::report(report))?;
    let page = directory.join("report.html");
    output.result(report, || print(report, &page, output))?;
    if place.open
        && let Err(error) = browser::open(&page)
    {
        output.progress(&format!("cannot open the page {} in a browser: {error}", page.display()));
    }
    Ok(report.verdict.outcome)
}

/// Whether the table above the verdict shows the figures of such a reason.
const fn is_in_table(kind: ReasonKind) -> bool {
    matches!(kind, ReasonKind::Recommendation | ReasonKind::Coverage | ReasonKind::Forecast)
}

/// The table comes first, so that the verdict is next to the prompt.
fn print(report: &Report, page: &Path, output: Output) -> Result<(), CliError> {
    let verdict = &report.verdict;
    if let Some(plan) = &report.plan {
        plan_table::print(plan, report.durability_price.as_ref(), output)?;
    } else {
        run_table::print(report, output)?;
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
