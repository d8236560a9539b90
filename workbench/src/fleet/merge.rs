//! Merges reports into a comparison of machines.

use super::capacity::{capacity, ends};
use super::comparable::{check_comparable, check_measured_alike};
use super::error::MergeError;
use super::groups::{device_kind, groups};
use super::latency::{INTERVAL_METHOD, MERGING_METHOD, MergedHistogram, common_offered, merge_latencies, missing_logs};
use super::order::better_first;
use super::report_with_log::ReportWithLog;
use super::result::{JoinedReport, MachineComparison, MergedMachine, MergedMode, SCHEMA_VERSION, SyncProbe};
use super::sentence::sentence;
use super::warnings::{build_warning, machine_warnings};
use crate::actor::Durability;
use crate::measure::Percentile;
use crate::report::{ComparisonContext, HostInfo, LatencyInfo, ModeResult, Question, Report, Target, Warning};
use crate::units;

/// A comparison and its distributions.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The comparison of machines.
    pub comparison: MachineComparison,
    /// The merged histograms, in the order of the machines.
    pub histograms: Vec<MergedHistogram>,
}

/// Merges reports of one kind of machine, and compares the machines.
///
/// # Errors
///
/// [`MergeError::Nothing`] or [`MergeError::Incomparable`].
pub fn merge(reports: Vec<ReportWithLog>, context: &ComparisonContext) -> Result<Merged, MergeError> {
    check_comparable(&reports)?;
    let first = reports.first().ok_or(MergeError::Nothing)?.report.clone();
    let question = Question::from(&first);
    let mut warnings: Vec<Warning> = build_warning(&reports).into_iter().collect();
    let durabilities: Vec<Durability> = first.modes.iter().map(|mode| mode.durability).collect();
    let headline_command = headline_command(&reports);
    let mut joined = Vec::new();
    for group in groups(reports) {
        check_measured_alike(&group)?;
        let (machine, histograms) = machine(&group, &durabilities);
        warnings.extend(machine_warnings(&machine, &group));
        joined.push((machine, histograms));
    }
    joined.sort_by(|(a, _), (b, _)| better_first(a, b, headline_command.as_deref()));
    let (machines, histograms) = numbered(joined);
    let comparison = MachineComparison {
        schema_version: SCHEMA_VERSION,
        kind: first.kind,
        name: first.name.clone(),
        merged_at: context.compared_at.clone(),
        sentence: sentence(&machines, &durabilities, question.target.as_ref(), headline_command.as_deref()),
        question,
        headline_command,
        durabilities,
        machines,
        warnings,
        merging_method: MERGING_METHOD.to_owned(),
        interval_method: INTERVAL_METHOD.to_owned(),
        reproduce: context.reproduce(&first),
    };
    Ok(Merged { comparison, histograms })
}

impl From<&Report> for Question {
    fn from(report: &Report) -> Self {
        Self {
            source: report.source.clone(),
            seed: report.settings.seed,
            load: report.settings.load.clone(),
            warmup_seconds: report.settings.warmup_seconds,
            measure_seconds: report.settings.measure_seconds,
            target: report.plan.as_ref().map(|plan| Target {
                target_per_second: plan.target_per_second,
                headroom_percent: plan.headroom_percent,
                required_per_second: plan.required_per_second,
                slo: plan.slo.clone(),
            }),
        }
    }
}

/// The objective's command, else the most frequent one of all reports.
fn headline_command(reports: &[ReportWithLog]) -> Option<String> {
    if let Some(plan) = reports.first().and_then(|one| one.report.plan.as_ref()) {
        return Some(plan.slo.command.clone());
    }
    let mut counts: Vec<(&str, u64)> = Vec::new();
    for latency in reports.iter().flat_map(|one| &one.report.modes).flat_map(|mode| &mode.commands) {
        match counts.iter_mut().find(|(name, _)| *name == latency.name) {
            Some((_, count)) => *count += latency.service.count,
            None => counts.push((&latency.name, latency.service.count)),
        }
    }
    counts.into_iter().rev().max_by_key(|&(_, count)| count).map(|(name, _)| name.to_owned())
}

fn numbered(joined: Vec<(MergedMachine, Vec<MergedHistogram>)>) -> (Vec<MergedMachine>, Vec<MergedHistogram>) {
    let (mut machines, mut histograms) = (Vec::new(), Vec::new());
    for (place, (mut machine, of_machine)) in (1..).zip(joined) {
        machine.id = format!("machine-{place}");
        let named = |histogram| MergedHistogram { machine: machine.id.clone(), ..histogram };
        histograms.extend(of_machine.into_iter().map(named));
        machines.push(machine);
    }
    (machines, histograms)
}

/// One kind of machine, without its number.
fn machine(reports: &[ReportWithLog], durabilities: &[Durability]) -> (MergedMachine, Vec<MergedHistogram>) {
    let (mut modes, mut histograms) = (Vec::new(), Vec::new());
    let mut notes: Vec<String> = missing_logs(reports).into_iter().collect();
    for &durability in durabilities {
        let latencies = merge_latencies(reports, durability);
        notes.extend(latencies.notes);
        histograms.extend(latencies.histograms);
        modes.push(MergedMode { commands: latencies.commands, ..mode(reports, durability) });
    }
    let host = &reports[0].report.host;
    let usable_ram_bytes = reports.iter().map(|one| one.report.host.usable_ram_bytes).min().unwrap_or_default();
    let machine = MergedMachine {
        id: String::new(),
        name: name(host, usable_ram_bytes),
        cpu_model: host.cpu_model.clone(),
        usable_cores_count: host.usable_cores_count,
        usable_ram_bytes,
        file_system: host.file_system.clone(),
        device_kind: device_kind(&host.device),
        virtualisation: host.virtualisation.clone(),
        reports: reports.iter().map(joined_report).collect(),
        modes,
        sync_probe: sync_probe(reports),
        notes,
    };
    (machine, histograms)
}

/// `AMD EPYC 7763 · 2 cores · 8 GiB · ext4 on nvme`.
fn name(host: &HostInfo, usable_ram_bytes: u64) -> String {
    let cores = units::counted(u64::from(host.usable_cores_count), "core");
    let kind = device_kind(&host.device);
    let disk = if host.file_system == kind { kind } else { format!("{} on {kind}", host.file_system) };
    let mut parts = vec![host.cpu_model.clone(), cores, units::bytes(usable_ram_bytes as f64), disk];
    if host.virtualisation != "none detected" {
        parts.push(host.virtualisation.clone());
    }
    parts.join(" · ")
}

fn joined_report(one: &ReportWithLog) -> JoinedReport {
    JoinedReport {
        path: one.path.display().to_string(),
        started_at: one.report.started_at.clone(),
        version: one.report.reproduce.version.clone(),
        outcome: one.report.verdict.outcome,
        sentence: one.report.verdict.sentence.clone(),
        has_histograms: one.histograms.is_some(),
    }
}

/// Ranges over the reports; `None` if none probed the disk.
fn sync_probe(reports: &[ReportWithLog]) -> Option<SyncProbe> {
    let probes: Vec<&LatencyInfo> = reports.iter().filter_map(|one| one.report.host.sync_probe.as_ref()).collect();
    let range = |percentile| {
        let values = probes.iter().filter_map(|probe| probe.percentile(percentile)).map(|found| found.value_ns);
        Some([values.clone().min()?, values.max()?])
    };
    let reports_count = u32::try_from(probes.len()).unwrap_or(u32::MAX);
    (reports_count > 0).then(|| SyncProbe {
        reports_count,
        p50_range_ns: range(Percentile::P50),
        p99_range_ns: range(Percentile::P99),
    })
}

/// A mode of all reports, without latencies.
fn mode(reports: &[ReportWithLog], durability: Durability) -> MergedMode {
    let modes: Vec<&ModeResult> = reports.iter().filter_map(|one| one.mode(durability)).collect();
    let databases = modes.iter().map(|mode| mode.resources.database_bytes);
    MergedMode {
        durability,
        commands_count: modes.iter().map(|mode| mode.commands_count).sum(),
        offered_per_second: common_offered(reports, durability),
        achieved_per_second: pooled_rate(&modes),
        achieved_range_per_second: ends(modes.iter().flat_map(|mode| mode.achieved_range_per_second)),
        capacity: capacity(reports, durability),
        commands: Vec::new(),
        database_bytes: [databases.clone().min().unwrap_or_default(), databases.max().unwrap_or_default()],
    }
}

/// Commands of all reports per second of measured time.
fn pooled_rate(modes: &[&ModeResult]) -> f64 {
    let measured = || modes.iter().filter(|mode| mode.achieved_per_second > 0.0);
    let commands: f64 = measured().map(|mode| mode.commands_count as f64).sum();
    let seconds: f64 = measured().map(|mode| mode.commands_count as f64 / mode.achieved_per_second).sum();
    if seconds > 0.0 { commands / seconds } else { 0.0 }
}
