//! Merges reports into a comparison of machines.

use std::collections::BTreeSet;

use super::capacity::{capacity, ends};
use super::comparable::{check_comparable, check_measured_alike};
use super::error::MergeError;
use super::failure::HostFailure;
use super::groups::{device_kind, groups};
use super::latency::{INTERVAL_METHOD, MERGING_METHOD, MergedHistogram, common_offered, merge_latencies, missing_logs};
use super::order::better_first;
use super::report_with_log::ReportWithLog;
use super::result::{JoinedReport, MachineComparison, MergedMachine, MergedMode, SCHEMA_VERSION, SyncProbe};
use super::sentence::{Answered, sentence};
use super::shards::{ADDING_METHOD, added_range, complete, has_shards, shard_warnings};
use super::warnings::{build_warning, machine_warnings};
use crate::actor::Durability;
use crate::measure::Percentile;
use crate::report::{
    ComparisonContext, HostInfo, LatencyInfo, ModeResult, Outcome, Question, Report, Target, ValidUntil, Warning,
    data_loss,
};
use crate::units;

/// A comparison and its distributions.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The comparison of machines.
    pub comparison: MachineComparison,
    /// The merged histograms, in the order of the machines.
    pub histograms: Vec<MergedHistogram>,
}

/// Merges reports of one kind of machine, and compares the machines. Runs of all shards of one trace become one machine.
/// `failures` are the hosts that have no report; the comparison names them.
///
/// # Errors
///
/// [`MergeError::Nothing`], [`MergeError::Incomparable`], or an error about shards if any report is of one.
pub fn merge(
    mut reports: Vec<ReportWithLog>,
    failures: Vec<HostFailure>,
    context: &ComparisonContext,
) -> Result<Merged, MergeError> {
    check_comparable(&reports)?;
    let shards = if has_shards(&reports) { Some(complete(&mut reports)?) } else { None };
    let first = reports.first().ok_or(MergeError::Nothing)?.report.clone();
    let loss = data_loss(reports.iter().map(|one| (one.path.as_path(), &one.report)));
    let outcomes: Vec<Outcome> = reports.iter().map(|one| one.report.verdict.outcome).collect();
    let question = Question::from(&first);
    let mut warnings: Vec<Warning> = build_warning(&reports).into_iter().collect();
    let durabilities: Vec<Durability> = first.modes.iter().map(|mode| mode.durability).collect();
    let headline_command = headline_command(&reports);
    let mut joined = Vec::new();
    if let Some(sharded) = &shards {
        warnings.extend(shard_warnings(&reports, sharded, &durabilities));
    }
    // All hosts of a sharded trace together are the machine it ran on.
    let groups = if shards.is_some() { vec![reports] } else { groups(reports) };
    for group in groups {
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
        outcome: if loss.is_some() { Outcome::Fail } else { outcome(&outcomes, shards.is_some()) },
        sentence: sentence(&Answered {
            loss: loss.as_deref(),
            outcomes: &outcomes,
            machines: &machines,
            durabilities: &durabilities,
            target: question.target.as_ref(),
            command: headline_command.as_deref(),
            shards: shards.as_ref(),
            failures: &failures,
        }),
        question,
        headline_command,
        durabilities,
        machines,
        merging_method: if shards.is_some() {
            format!("{MERGING_METHOD} {ADDING_METHOD}")
        } else {
            MERGING_METHOD.to_owned()
        },
        shards,
        failures,
        warnings,
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

/// That of all reports, none of which lost data. Of several machines one that passes is enough, and every shard is needed.
fn outcome(reports: &[Outcome], are_shards: bool) -> Outcome {
    let has = |outcome| reports.contains(&outcome);
    if has(Outcome::Inconclusive) {
        Outcome::Inconclusive
    } else if has(Outcome::Fail) && (are_shards || !has(Outcome::Pass)) {
        Outcome::Fail
    } else {
        Outcome::Pass
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
    let are_shards = has_shards(reports);
    let plans = reports.iter().filter_map(|one| one.report.plan.as_ref());
    let usable_ram_bytes = reports.iter().map(|one| one.report.host.usable_ram_bytes).min().unwrap_or_default();
    let machine = MergedMachine {
        id: String::new(),
        name: if are_shards { hosts_name(reports) } else { name(host, usable_ram_bytes) },
        cpu_model: if are_shards { cpu_models(reports).join(", ") } else { host.cpu_model.clone() },
        usable_cores_count: host.usable_cores_count,
        usable_ram_bytes,
        file_system: host.file_system.clone(),
        device_kind: device_kind(&host.device),
        virtualisation: host.virtualisation.clone(),
        reports: reports.iter().map(joined_report).collect(),
        modes,
        valid_until: ValidUntil::earliest(plans.filter_map(|plan| plan.valid_until.as_ref())).cloned(),
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

/// `16 shards on AMD EPYC 7763 · 2 cores · 8 GiB · ext4 on nvme`, or their number on each kind of machine.
fn hosts_name(reports: &[ReportWithLog]) -> String {
    let without_log = reports.iter().map(|one| ReportWithLog::without_log(&one.path, one.report.clone()));
    let kinds = groups(without_log.collect());
    let name_of = |group: &[ReportWithLog]| {
        let ram = group.iter().map(|one| one.report.host.usable_ram_bytes).min().unwrap_or_default();
        name(&group[0].report.host, ram)
    };
    match kinds.as_slice() {
        [one] => format!("{} on {}", units::counted(one.len() as u64, "shard"), name_of(one)),
        several => {
            let each = several.iter().map(|group| format!("{} on {}", group.len(), name_of(group)));
            format!("{} ({})", units::counted(reports.len() as u64, "shard"), each.collect::<Vec<_>>().join(", "))
        }
    }
}

fn cpu_models(reports: &[ReportWithLog]) -> Vec<String> {
    Vec::from_iter(reports.iter().map(|one| one.report.host.cpu_model.clone()).collect::<BTreeSet<_>>())
}

fn joined_report(one: &ReportWithLog) -> JoinedReport {
    JoinedReport {
        path: one.path.display().to_string(),
        started_at: one.report.started_at.clone(),
        version: one.report.reproduce.version.clone(),
        commit: one.report.reproduce.commit.clone(),
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
    let (commands_count, operations_count) =
        (modes.iter().map(|mode| mode.commands_count).sum(), modes.iter().map(|mode| mode.operations_count).sum());
    if has_shards(reports) {
        return MergedMode {
            durability,
            commands_count,
            operations_count,
            offered_per_second: modes.iter().map(|mode| mode.offered_per_second).sum(),
            achieved_per_second: modes.iter().map(|mode| mode.achieved_per_second).sum(),
            achieved_range_per_second: added_range(&modes),
            capacity: None,
            commands: Vec::new(),
            database_bytes: [databases.sum(); 2],
        };
    }
    MergedMode {
        durability,
        commands_count,
        operations_count,
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
