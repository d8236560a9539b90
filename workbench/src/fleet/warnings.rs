//! Doubts about a comparison.

use std::collections::BTreeSet;

use super::report_with_log::ReportWithLog;
use super::result::MergedMachine;
use crate::report::{Outcome, Report, Warning};
use crate::units;

/// Factor between medians of a sync above which disks may be of different kinds.
const ALIKE_SYNCS: u64 = 2;

pub(super) fn build_warning(reports: &[ReportWithLog]) -> Option<Warning> {
    let builds = Vec::from_iter(reports.iter().map(|one| build(&one.report)).collect::<BTreeSet<_>>());
    (builds.len() > 1).then(|| Warning {
        what: format!("The reports are of {} builds: {}.", builds.len(), builds.join("; ")),
        hint: "Machines may differ because of the build. Measure all of them with one build.".to_owned(),
    })
}

fn build(report: &Report) -> String {
    let components = report.reproduce.components.iter().map(|(name, version)| format!("{name} {version}"));
    std::iter::once(report.reproduce.build()).chain(components).collect::<Vec<_>>().join(", ")
}

pub(super) fn machine_warnings(machine: &MergedMachine, reports: &[ReportWithLog]) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = reports.iter().filter_map(report_warning).collect();
    let medians = machine.sync_probe.as_ref().and_then(|probe| probe.p50_range_ns);
    if let Some([low, high]) = medians.filter(|[low, high]| *high > ALIKE_SYNCS * *low) {
        let devices: BTreeSet<&str> = reports.iter().map(|one| one.report.host.device.as_str()).collect();
        warnings.push(Warning {
            what: format!(
                "{}: the median of a sync is {} in one report and {} in another ({}).",
                machine.name,
                units::duration(low as f64),
                units::duration(high as f64),
                Vec::from_iter(devices).join(", ")
            ),
            hint: "If the disks are of different kinds, merge their reports separately.".to_owned(),
        });
    }
    warnings
}

fn report_warning(one: &ReportWithLog) -> Option<Warning> {
    let (path, verdict) = (one.path.display(), &one.report.verdict);
    let (what, hint) = if one.report.has_lost_data() {
        (format!("{path}: acknowledged data were lost."), "Read its report first; do not buy that machine.")
    } else if verdict.outcome == Outcome::Inconclusive {
        let reason = verdict.reasons.first().map_or_else(String::new, |reason| format!(": {}", reason.text));
        (format!("{path} is inconclusive{reason}."), "Measure that machine again before a decision.")
    } else {
        return None;
    };
    Some(Warning { what, hint: hint.to_owned() })
}
