//! `report.html` and `report.md`.

use serde::Serialize;

use super::chart::Charts;
use super::cost_chart::CostCharts;
use super::template::render;
use super::view::View;
use crate::report::{Rendered, Report};

/// The pages of a run, a plan or a certification.
pub fn report(report: &Report) -> Rendered {
    Rendered { html: html(report), markdown: markdown(report) }
}

#[derive(Serialize)]
struct HtmlPage<'a> {
    report: &'a Report,
    view: View<'a>,
    charts: &'a Charts<'a>,
    chart_json: String,
    cost_charts: Option<CostCharts<'a>>,
}

/// The report as one HTML page with interactive charts, its scripts and styles inline.
///
/// All text of the report is escaped, and the content security policy of the page forbids network requests.
pub fn html(report: &Report) -> String {
    let charts = Charts::new(report);
    let (view, chart_json) = (View::new(report), charts.to_script_json());
    let cost_charts = cost_charts(report);
    render("report.html.j2", HtmlPage { report, view, charts: &charts, chart_json, cost_charts })
}

fn cost_charts(report: &Report) -> Option<CostCharts<'_>> {
    let plan = report.plan.as_ref()?;
    let currency = plan.catalogue.as_ref().and_then(|catalogue| catalogue.currency.as_deref());
    CostCharts::new(plan.demand.as_ref()?, currency)
}

#[derive(Serialize)]
struct MarkdownPage<'a> {
    report: &'a Report,
    view: View<'a>,
}

/// The report as one page of GitHub-flavoured Markdown, to paste into an issue.
pub fn markdown(report: &Report) -> String {
    render("report.md.j2", MarkdownPage { report, view: View::new(report) })
}
