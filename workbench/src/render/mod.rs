//! Pages: pure functions from results to HTML and Markdown. They format figures and decide nothing.

mod chart;
mod comparison_page;
mod curves;
mod fleet_page;
mod forest;
mod html;
mod markdown;
mod template;
mod view;

use crate::compare::Comparison;
use crate::fleet::MachineComparison;
use crate::report::{Rendered, Report};

pub use comparison_page::{html as comparison_html, markdown as comparison_markdown};
pub use fleet_page::{html as fleet_html, markdown as fleet_markdown};
pub use html::html;
pub use markdown::markdown;

/// The pages of a run, a plan or a certification.
pub fn report(report: &Report) -> Rendered {
    Rendered { html: html(report), markdown: markdown(report) }
}

/// The pages of a comparison of builds.
pub fn comparison(comparison: &Comparison) -> Rendered {
    Rendered { html: comparison_html(comparison), markdown: comparison_markdown(comparison) }
}

/// The pages of a comparison of machines.
pub fn fleet(comparison: &MachineComparison) -> Rendered {
    Rendered { html: fleet_html(comparison), markdown: fleet_markdown(comparison) }
}
