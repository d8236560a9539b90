//! Pages: HTML, Markdown, charts, terms.

pub(crate) mod comparison;
mod html;
pub(crate) mod machines;
mod markdown;
mod terms;
mod words;
