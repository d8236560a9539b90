//! What may spoil a comparison.

use crate::fleet::given::GivenReport;
use crate::fleet::groups::Group;
use crate::fleet::merge::sync_probe;
use crate::report::{ModeResult, Outcome, Report, Warning};
use crate::units;

/// Disks whose medians of a sync differ by more than this factor are perhaps not of one kind.
const ALIKE_SYNCS: u64 = 2;

/// Reports of different builds may differ for that reason alone.
pub(super) fn build_warning(given: &[GivenReport]) -> Option<Warning> {
    let mut versions: Vec<String> = given.iter().map(|one| build(&one.report)).collect();
    versions.sort();
    versions.dedup();
    (versions.len() > 1).then(|| Warning {
        what: format!("The reports are of {} builds: {}.", versions.len(), versions.join("; ")),
        hint: "What differs between machines may be the build. Measure all of them with one.".to_owned(),
    })
}

fn build(report: &Report) -> String {
    let components = report.reproduce.components.iter().map(|(name, version)| format!("{name} {version}"));
    std::iter::once(report.reproduce.version.clone()).chain(components).collect::<Vec<_>>().join(", ")
}

/// What makes the reports of one machine doubtful.
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
            hint: "If these are disks of different kinds, join their reports apart.".to_owned(),
        });
    }
    warnings
}

/// What a report itself doubts, or found to be lost.
fn report_warning(one: &GivenReport) -> Option<Warning> {
    let path = one.path.display();
    let lost = |mode: &ModeResult| {
        let check = &mode.verification;
        !check.differences.is_empty() || check.crash.as_ref().is_some_and(|crash| !crash.differences.is_empty())
    };
    if one.report.modes.iter().any(lost) {
        let what = format!("{path}: what was acknowledged was not all found again.");
        return Some(Warning {
            what,
            hint: "Read its report before anything else; do not buy that machine.".to_owned(),
        });
    }
    (one.report.verdict.outcome == Outcome::Inconclusive).then(|| {
        let reason = one.report.verdict.reasons.first().map_or_else(String::new, |reason| format!(": {}", reason.text));
        Warning {
            what: format!("{path} is inconclusive{reason}."),
            hint: "Measure that machine again before you decide anything on it.".to_owned(),
        }
    })
}
