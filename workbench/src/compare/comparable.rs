//! Whether reports may be compared: complete reports of the same load, each named once.

use super::error::CompareError;
use super::side::BuildReports;
use crate::report::{
    Field, ModeResult, Report, ReportAtPath, check_distinct, check_equal, check_whole, difference, field,
    question_fields,
};
use crate::units;

/// Checks that all reports measured the same load with the same settings, and completely.
pub(super) fn check_comparable(base: &BuildReports, candidates: &[BuildReports]) -> Result<(), CompareError> {
    let all: Vec<ReportAtPath<'_>> = std::iter::once(base).chain(candidates).flat_map(BuildReports::placed).collect();
    for (place, &report) in all.iter().enumerate() {
        check_distinct(&all[..place], report)?;
        check_whole(report)?;
    }
    let is_one = |side: &BuildReports| side.reports.len() == 1;
    if let Some(candidate) = candidates.iter().find(|candidate| is_one(base) != is_one(candidate)) {
        return Err(CompareError::OneAgainstMany {
            base: base.path.clone(),
            base_count: base.reports.len(),
            candidate: candidate.path.clone(),
            candidate_count: candidate.reports.len(),
        });
    }
    Ok(check_equal(&all, settings)?)
}

/// Load and settings of a report, field by field. Databases grow from round to round, so the number of rounds counts.
fn settings(report: &Report) -> Vec<Field> {
    let mut fields = question_fields(report);
    fields.extend(setting_fields(report));
    fields
}

/// Settings that are no part of the question.
pub(crate) fn setting_fields(report: &Report) -> [Field; 3] {
    [
        field("settings.rounds_count", &report.settings.rounds_count),
        field("modes[].writers_count", &ModeResult::writers(&report.modes)),
        field("settings.machine_spec", &report.settings.machine_spec),
    ]
}

/// The first difference between the hosts of the base and of any report, as text.
pub(super) fn other_host(base: &BuildReports, candidate: &BuildReports) -> Option<String> {
    let (_, first) = base.reports.first()?;
    let mut all = base.reports.iter().chain(&candidate.reports);
    all.find_map(|(path, report)| {
        let (field, first, second) = difference(&host_fields(first), &host_fields(report))?;
        Some(format!("{field} is {first} in the base and {second} in {}", path.display()))
    })
}

/// The machine that a report was measured on.
pub(crate) fn host_fields(report: &Report) -> Vec<Field> {
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
