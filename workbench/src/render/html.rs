//! `report.html`: the report as one file that needs no network, to show and to keep.

use serde::Serialize;

use crate::render::chart::Charts;
use crate::render::template::{Markup, render};
use crate::render::view::View;
use crate::report::Report;

const TEMPLATE: &str = include_str!("report.html.j2");
const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");
const PLOT_STYLE: &str = include_str!("../../../assets/uplot/uPlot.min.css");
const PLOT_SCRIPT: &str = include_str!("../../../assets/uplot/uPlot.iife.min.js");
const PLOT_LICENSE: &str = include_str!("../../../assets/uplot/LICENSE");

#[derive(Serialize)]
struct Page<'a> {
    report: &'a Report,
    view: View<'a>,
    machine_spec: String,
    charts: &'a Charts<'a>,
    chart_json: String,
    style: &'static str,
    script: &'static str,
    plot_style: &'static str,
    plot_script: &'static str,
    plot_license: &'static str,
}

/// The report as one HTML page with interactive charts, its scripts and styles inline.
///
/// Whatever the report holds is escaped; a policy in the page forbids it to load anything from anywhere.
pub fn html(report: &Report) -> String {
    let charts = Charts::new(report);
    let page = Page {
        report,
        view: View::new(report),
        machine_spec: format!("{:#}", report.settings.machine_spec),
        charts: &charts,
        chart_json: charts.to_script_json(),
        style: STYLE,
        script: SCRIPT,
        plot_style: PLOT_STYLE,
        plot_script: PLOT_SCRIPT,
        plot_license: PLOT_LICENSE,
    };
    render(Markup::Html, TEMPLATE, page)
}
