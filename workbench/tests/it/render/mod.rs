//! Pages: HTML, Markdown, charts, terms.

pub(crate) mod comparison;
pub(crate) mod history;
mod html;
pub(crate) mod machines;
mod markdown;
mod terms;
mod words;
