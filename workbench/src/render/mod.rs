//! Pages: pure functions from results to HTML and Markdown. They format figures and decide nothing.
//!
//! `page.html.j2` is the frame of every HTML page, `parts.html.j2` has the macros they share.

mod chart;
mod comparison_page;
mod cost_chart;
mod curves;
mod fleet_page;
mod forest;
mod history_page;
mod hosts;
mod labels;
mod machine_chart;
mod profile_groups;
mod report_page;
mod screen;
mod template;
mod terms;
mod timeline;
mod view;

pub use comparison_page::comparison;
pub use fleet_page::fleet;
pub use history_page::history;
pub use report_page::{html, markdown, report};
