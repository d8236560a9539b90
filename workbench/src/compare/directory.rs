//! Where a comparison lives on disk: one directory that is there whole or not at all.

use std::path::{Path, PathBuf};

use crate::compare::Comparison;
use crate::compare::error::CompareError;
use crate::report::{Destination, Rendered, ReportError, write_files};

const JSON_FILE: &str = "comparison.json";
const MARKDOWN_FILE: &str = "comparison.md";
const HTML_FILE: &str = "comparison.html";

/// Writes `comparison.json`, `comparison.md` and `comparison.html`; returns the directory that holds them. Below a
/// directory its name is `<name>-comparison-<moment>`.
///
/// # Errors
///
/// [`CompareError::Report`]. After it nothing new stands under the final name.
pub fn write(
    comparison: &Comparison,
    rendered: &Rendered,
    destination: Destination<'_>,
) -> Result<PathBuf, CompareError> {
    let name = format!("{}-comparison", comparison.name);
    Ok(destination.whole_directory(&name, &comparison.compared_at, |staging| fill(comparison, rendered, staging))?)
}

fn fill(comparison: &Comparison, rendered: &Rendered, staging: &Path) -> Result<(), ReportError> {
    let json = serde_json::to_string_pretty(comparison)
        .map_err(|source| ReportError::Serialise { path: staging.join(JSON_FILE), source })?;
    let files = [
        (HTML_FILE, rendered.html.as_bytes()),
        (MARKDOWN_FILE, rendered.markdown.as_bytes()),
        (JSON_FILE, json.as_bytes()),
    ];
    write_files(staging, files.into_iter())
}
