//! Doubts about a comparison.

use super::groups::Group;
use super::report_with_log::ReportWithLog;
use super::sync_probe::sync_probe;
use crate::report::{ModeResult, Outcome, Report, Warning};
use crate::units;

/// Factor between medians of a sync above which disks may be of different kinds.
const ALIKE_SYNCS: u64 = 2;

/// Warns of reports of different builds.
pub(super) fn build_warning(reports: &[ReportWithLog]) -> Option<Warning> {
    let mut versions: Vec<String> = reports.iter().map(|one| build(&one.report)).collect();
    versions.sort();
    versions.dedup();
    (versions.len() > 1).then(|| Warning {
        what: format!("The reports are of {} builds: {}.", versions.len(), versions.join("; ")),
        hint: "Machines may differ because of the build. Measure all of them with one build.".to_owned(),
    })
}

fn build(report: &Report) -> String {
    let components = report.reproduce.components.iter().map(|(name, version)| format!("{name} {version}"));
    std::iter::once(report.reproduce.version.clone()).chain(components).collect::<Vec<_>>().join(", ")
}

/// Doubts about the reports of one machine.
pub(super) fn group_warnings(group: &Group) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = group.reports.iter().filter_map(report_warning).collect();
    let medians = sync_probe(&group.reports).and_then(|probe| probe.p50_range_ns);
    if let Some([low, high]) = medians.filter(|[low, high]| *high > ALIKE_SYNCS * *low) {
        let mut devices: Vec<&str> = group.reports.iter().map(|one| one.report.host.device.as_str()).collect();
        devices.sort_unstable();
        devices.dedup();
        warnings.push(Warning {
            what: format!(
                "{}: the median of a sync is {} in one report and {} in another ({}).",
                group.hardware.name(group.usable_ram_bytes),
                units::duration(low as f64),
                units::duration(high as f64),
                devices.join(", ")
            ),
            hint: "If the disks are of different kinds, merge their reports separately.".to_owned(),
        });
    }
    warnings
}

/// Data loss or an inconclusive verdict.
fn report_warning(one: &ReportWithLog) -> Option<Warning> {
    let path = one.path.display();
    let lost = |mode: &ModeResult| {
        let check = &mode.verification;
        !check.differences.is_empty() || check.crash.as_ref().is_some_and(|crash| !crash.differences.is_empty())
    };
    if one.report.modes.iter().any(lost) {
        let what = format!("{path}: acknowledged data were lost.");
        return Some(Warning { what, hint: "Read its report first; do not buy that machine.".to_owned() });
    }
    (one.report.verdict.outcome == Outcome::Inconclusive).then(|| {
        let reason = one.report.verdict.reasons.first().map_or_else(String::new, |reason| format!(": {}", reason.text));
        Warning {
            what: format!("{path} is inconclusive{reason}."),
            hint: "Measure that machine again before a decision.".to_owned(),
        }
    })
}
