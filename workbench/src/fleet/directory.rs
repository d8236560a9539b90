//! Where a comparison lives on disk: one directory that is there whole or not at all.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::fleet::Machine;
use crate::fleet::merge::Merged;
use crate::report::{Destination, Rendered, ReportError, histogram_log, write_files};

const JSON_FILE: &str = "machines.json";
const MARKDOWN_FILE: &str = "machines.md";
const HTML_FILE: &str = "machines.html";
const LOG_FILE: &str = "merged.hlog";

/// Writes `machines.json`, `machines.md`, `machines.html` and, if there are histograms, `merged.hlog`; returns the
/// directory that holds them. Below a directory its name is `<name>-machines-<moment>`.
///
/// # Errors
///
/// [`ReportError::RootNotWritable`], [`ReportError::Taken`], [`ReportError::Serialise`], [`ReportError::Write`] or
/// [`ReportError::NoFreeName`]. After any of them nothing new stands under the final name.
pub fn write(merged: &Merged, rendered: &Rendered, destination: Destination<'_>) -> Result<PathBuf, ReportError> {
    let name = format!("{}-machines", merged.comparison.name);
    destination.whole_directory(&name, &merged.comparison.merged_at, |staging| fill(merged, rendered, staging))
}

fn fill(merged: &Merged, rendered: &Rendered, staging: &Path) -> Result<(), ReportError> {
    let json = serde_json::to_string_pretty(&merged.comparison)
        .map_err(|source| ReportError::Serialise { path: staging.join(JSON_FILE), source })?;
    let log = merged_log(merged);
    let files = [
        (HTML_FILE, Some(rendered.html.as_bytes())),
        (MARKDOWN_FILE, Some(rendered.markdown.as_bytes())),
        (JSON_FILE, Some(json.as_bytes())),
        (LOG_FILE, Some(log.as_slice()).filter(|_| !merged.histograms.is_empty())),
    ];
    write_files(staging, files.into_iter().filter_map(|(name, bytes)| Some((name, bytes?))))
}

/// One interval per machine, command and durability mode, as long as was measured; the tags say which:
/// `machine-1.persist.durability-on`.
fn merged_log(merged: &Merged) -> Vec<u8> {
    let comparison = &merged.comparison;
    let named = |machine: &Machine| format!("{}: {}", machine.id, machine.name);
    let what = format!("ave-workbench {}: response times in nanoseconds", comparison.reproduce.version);
    let head = format!("{what} of {}, all reports of a machine together", comparison.name);
    let comments: Vec<String> = std::iter::once(head).chain(comparison.machines.iter().map(named)).collect();
    let joined: jiff::Timestamp = comparison.merged_at.parse().unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let lines = merged.histograms.iter().map(|one| {
        let tag = format!("{}.{}.durability-{}", one.machine, one.command, one.durability);
        (Duration::ZERO, one.length, tag, one.latencies.clone())
    });
    histogram_log::write(&comments, SystemTime::from(joined), lines)
}
