//! Whether reports may be compared: the same question, asked in the same way, each report given once and whole.

use std::path::Path;

use crate::compare::error::CompareError;
use crate::compare::given::GivenSide;
use crate::report::{
    Field, Report, ReportAtPath, ReportKind, check_distinct, check_equal, difference, field, question_fields,
};
use crate::units;

/// Checks that all reports were asked the same, in the same way, and that each has what a comparison needs.
///
/// # Errors
///
/// [`CompareError::Incomparable`], [`CompareError::Interrupted`], [`CompareError::NoRounds`] or
/// [`CompareError::OneAgainstMany`], naming files and field.
pub(super) fn check_comparable(base: &GivenSide, candidates: &[GivenSide]) -> Result<(), CompareError> {
    let reports = std::iter::once(base).chain(candidates).flat_map(|side| &side.reports);
    let all: Vec<ReportAtPath<'_>> = reports.map(|(path, report)| (path.as_path(), report)).collect();
    for (place, &(path, report)) in all.iter().enumerate() {
        check_distinct(&all[..place], (path, report))?;
        check_whole(path, report)?;
    }
    for candidate in candidates {
        if (base.reports.len() == 1) != (candidate.reports.len() == 1) {
            return Err(CompareError::OneAgainstMany {
                base: base.path.clone(),
                base_count: base.reports.len(),
                candidate: candidate.path.clone(),
                candidate_count: candidate.reports.len(),
            });
        }
    }
    Ok(check_equal(&all, asked)?)
}

/// Every round is there, with the figures of its commands.
fn check_whole(path: &Path, report: &Report) -> Result<(), CompareError> {
    for mode in &report.modes {
        let expected = report.settings.rounds_count;
        if report.kind == ReportKind::Run && mode.rounds.len() < expected as usize && !mode.rounds.is_empty() {
            let (found, durability) = (mode.rounds.len(), mode.durability);
            return Err(CompareError::Interrupted { path: path.to_owned(), durability, found, expected });
        }
    }
    let has_figures = |mode: &crate::report::ModeResult| mode.rounds.iter().any(|round| !round.commands.is_empty());
    if report.modes.is_empty() || !report.modes.iter().all(has_figures) {
        let version = report.reproduce.version.clone();
        return Err(CompareError::NoRounds { path: path.to_owned(), version });
    }
    Ok(())
}

/// What a report was asked and how, field by field. Databases grow from round to round: equal rounds, equal databases.
fn asked(report: &Report) -> Vec<Field> {
    let mut fields = question_fields(report);
    fields.extend([
        field("settings.rounds_count", &report.settings.rounds_count),
        field("settings.workers_count", &report.settings.workers_count),
        field("settings.machine_spec", &report.settings.machine_spec),
    ]);
    fields
}

/// The first respect in which a report was measured on another host than the base, in words.
pub(super) fn other_host(base: &GivenSide, candidate: &GivenSide) -> Option<String> {
    let (_, first) = base.reports.first()?;
    let all = base.reports.iter().chain(&candidate.reports);
    let mut differences = all.filter_map(|(path, report)| {
        let (field, first, second) = difference(&host(first), &host(report))?;
        Some(format!("{field} is {first} in the base and {second} in {}", path.display()))
    });
    differences.next()
}

fn host(report: &Report) -> Vec<Field> {
    let host = &report.host;
    vec![
        field("host.cpu_model", &host.cpu_model),
        field("host.usable_cores_count", &host.usable_cores_count),
        field("host.ram_bytes", &units::bytes(host.ram_bytes as f64)),
        field("host.usable_ram_bytes", &units::bytes(host.usable_ram_bytes as f64)),
        field("host.file_system", &host.file_system),
        field("host.device", &host.device),
        field("host.kernel", &host.kernel),
        field("host.virtualisation", &host.virtualisation),
    ]
}
