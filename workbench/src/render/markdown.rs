//! `report.md`: the report as GitHub-flavoured Markdown, to paste into an issue or a wiki.

use serde::Serialize;

use crate::render::template::{Markup, render};
use crate::render::view::View;
use crate::report::Report;

const TEMPLATE: &str = include_str!("report.md.j2");

#[derive(Serialize)]
struct Page<'a> {
    report: &'a Report,
    view: View<'a>,
}

/// The report as Markdown: the verdict, why, the recommendation, the evidence, how to reproduce it.
pub fn markdown(report: &Report) -> String {
    render(Markup::Markdown, TEMPLATE, Page { report, view: View::new(report) })
}
