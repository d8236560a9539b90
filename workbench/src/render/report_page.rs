//! `report.html` and `report.md`.

use serde::Serialize;

use super::chart::Charts;
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
    machine_spec: String,
    charts: &'a Charts<'a>,
    chart_json: String,
    script: &'static str,
    plot_style: &'static str,
    plot_script: &'static str,
    plot_license: &'static str,
}

/// The report as one HTML page with interactive charts, its scripts and styles inline.
///
/// All text of the report is escaped, and the content security policy of the page forbids network requests.
pub fn html(report: &Report) -> String {
    let charts = Charts::new(report);
    let page = HtmlPage {
        report,
        view: View::new(report),
        machine_spec: format!("{:#}", report.settings.machine_spec),
        charts: &charts,
        chart_json: charts.to_script_json(),
        script: include_str!("report.js"),
        plot_style: include_str!("../../../assets/uplot/uPlot.min.css"),
        plot_script: include_str!("../../../assets/uplot/uPlot.iife.min.js"),
        plot_license: include_str!("../../../assets/uplot/LICENSE"),
    };
    render("report.html.j2", page)
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
