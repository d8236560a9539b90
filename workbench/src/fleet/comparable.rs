//! Whether reports may be merged: they measured the same load to its end, and each is named once.

use super::error::MergeError;
use super::report_with_log::ReportWithLog;
use super::shards::has_shards;
use crate::report::{
    Field, ModeResult, Report, ReportAtPath, ReportKind, check_distinct, check_equal, check_whole, field,
    question_fields, shard_fields,
};
use crate::units;

/// Checks that all reports measured the same load, or shards of one trace under the same load, and that none is named twice.
pub(super) fn check_comparable(reports: &[ReportWithLog]) -> Result<(), MergeError> {
    let all = placed(reports);
    for (place, &report) in all.iter().enumerate() {
        check_distinct(&all[..place], report)?;
        check_whole(report)?;
    }
    let with_shard = |is_shard: bool| all.iter().find(|(_, report)| report.source.shard.is_some() == is_shard);
    if let (Some((shard, _)), Some((other, _))) = (with_shard(true), with_shard(false)) {
        return Err(MergeError::ShardWithWhole { shard: (*shard).to_owned(), whole: (*other).to_owned() });
    }
    Ok(check_equal(&all, if has_shards(reports) { shard_fields } else { question_fields })?)
}

/// Checks that the reports of one machine were measured with the same settings. A shard of few actors has a writer for each of
/// them, perhaps fewer than the others.
pub(super) fn check_measured_alike(reports: &[ReportWithLog]) -> Result<(), MergeError> {
    let all = placed(reports);
    check_equal(&all, tuning)?;
    let is_limited = |report: &Report| {
        let most = report.modes.iter().map(|mode| mode.writers_count).max().unwrap_or_default();
        report.source.shard.is_some() && u64::from(most) >= report.source.actors_count
    };
    let unlimited: Vec<_> = all.into_iter().filter(|(_, report)| !is_limited(report)).collect();
    Ok(check_equal(&unlimited, writers)?)
}

fn placed(reports: &[ReportWithLog]) -> Vec<ReportAtPath<'_>> {
    reports.iter().map(|one| (one.path.as_path(), &one.report)).collect()
}

fn writers(report: &Report) -> Vec<Field> {
    vec![field("modes[].writers_count", &ModeResult::writers(&report.modes))]
}

/// A plan chooses its tuning, a run does not.
fn tuning(report: &Report) -> Vec<Field> {
    let is_run = report.kind == ReportKind::Run;
    is_run.then(|| field("settings.machine_spec", &tuned_for(report))).into_iter().collect()
}

/// The machine the backend was tuned for. A figure for RAM becomes a share of the host's: RAM of one kind of machine differs by
/// a few megabytes from host to host.
pub(super) fn tuned_for(report: &Report) -> String {
    let spec = &report.settings.machine_spec;
    let custom = |field: &str| spec.pointer(&format!("/custom/{field}")).and_then(serde_json::Value::as_u64);
    if let Some((cores, ram_mb)) = custom("cpu_cores").zip(custom("ram_mb")) {
        let share = (ram_mb << 20) as f64 / report.host.usable_ram_bytes.max(1) as f64;
        let cores = units::counted(cores, "core");
        return format!("custom ({cores}, about {} % of the RAM)", (share * 20.0).round() * 5.0);
    }
    spec.get("profile").and_then(serde_json::Value::as_str).map_or_else(|| spec.to_string(), str::to_owned)
}
