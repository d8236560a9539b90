//! The result of `certify` on the terminal.

use std::path::Path;

use serde_json::json;

use crate::certify::{Certificate, CertifiedModeInfo, JudgedSlice};
use crate::cli::error::CliError;
use crate::cli::output::{Output, figure_table, nanoseconds};
use crate::units;
use crate::workload::path_text;

pub(super) fn print(certificate: &Certificate, output: Output) -> Result<(), CliError> {
    let percentile = certificate.inputs.percentile.name();
    let header = ["durability", "slice", "began after", "commands/s", "p50", percentile, "max"];
    let rows: Vec<_> = certificate.modes.iter().flat_map(mode_rows).collect();
    if !rows.is_empty() {
        output.line(&figure_table(&header, 2, rows))?;
    }
    for mode in &certificate.modes {
        output.line(&pauses(mode))?;
    }
    output.line("")?;
    output.warnings(&certificate.warnings)?;
    verdict(certificate, output)?;
    output.list(certificate.verdict.reasons.iter().map(|reason| &reason.text))
}

pub(super) fn print_check(
    certificate: &Certificate,
    path: &Path,
    source: Option<&Path>,
    problem: Option<&str>,
    output: Output,
) -> Result<(), CliError> {
    let checked = json!({
        "certificate": path_text(path),
        "valid": problem.is_none(),
        "problem": problem,
        "outcome": certificate.verdict.outcome,
        "inputs_sha256": certificate.inputs_sha256,
    });
    output.result(&checked, || {
        if let Some(problem) = problem {
            return output.line(&format!("{}: {problem}", path.display()));
        }
        let about = source.map_or_else(String::new, |source| format!(", and it is about {}", path_text(source)));
        output.line(&format!("{}: the checksum is right{about}", path.display()))?;
        verdict(certificate, output)
    })
}

fn verdict(certificate: &Certificate, output: Output) -> Result<(), CliError> {
    output.verdict(certificate.verdict.outcome, &certificate.verdict.sentence)
}

fn mode_rows(mode: &CertifiedModeInfo) -> Vec<Vec<String>> {
    let shown = [("worst", mode.worst_slice.as_ref()), ("median", median(&mode.slices))];
    let rows = shown.into_iter().filter_map(|(name, slice)| Some((name, slice?)));
    rows.map(|(name, slice)| {
        vec![
            mode.durability.to_string(),
            name.to_owned(),
            units::seconds(slice.at_seconds as f64),
            units::number(slice.commands_per_second),
            units::duration(slice.p50_ns as f64),
            nanoseconds(slice.percentile_ns),
            units::duration(slice.max_ns as f64),
        ]
    })
    .collect()
}

/// The slice in the middle, from the best to the worst.
fn median(slices: &[JudgedSlice]) -> Option<&JudgedSlice> {
    let mut known: Vec<_> = slices.iter().filter(|slice| slice.percentile_ns.is_some()).collect();
    known.sort_by_key(|slice| slice.percentile_ns);
    known.get(known.len() / 2).copied()
}

fn pauses(mode: &CertifiedModeInfo) -> String {
    if mode.pauses_count == 0 {
        return format!("durability {}: no pauses", mode.durability);
    }
    format!(
        "durability {}: {} without load, the longest {}, together {}",
        mode.durability,
        units::counted(mode.pauses_count, "pause"),
        units::seconds(mode.longest_pause_seconds),
        units::seconds(mode.pauses_seconds)
    )
}
