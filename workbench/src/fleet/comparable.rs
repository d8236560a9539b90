//! Whether reports may be joined: they were asked the same question, and each is given once.

use crate::fleet::error::MergeError;
use crate::fleet::given::GivenReport;
use crate::report::{Field, Report, ReportAtPath, ReportKind, check_distinct, check_equal, field, question_fields};
use crate::units;

/// Checks that all reports were asked what the first one was, and that none is there twice.
///
/// # Errors
///
/// [`MergeError::Incomparable`], naming the two files, and the field in which they differ.
pub(super) fn check_comparable(given: &[GivenReport]) -> Result<(), MergeError> {
    let all = placed(given);
    for (place, &report) in all.iter().enumerate() {
        check_distinct(&all[..place], report)?;
    }
    Ok(check_equal(&all, question_fields)?)
}

/// Checks that the reports of one machine were measured alike.
///
/// # Errors
///
/// [`MergeError::Incomparable`].
pub(super) fn check_measured_alike(given: &[GivenReport]) -> Result<(), MergeError> {
    Ok(check_equal(&placed(given), measured_with)?)
}

fn placed(given: &[GivenReport]) -> Vec<ReportAtPath<'_>> {
    given.iter().map(|given| (given.path.as_path(), &given.report)).collect()
}

/// What repeated reports of one machine must have in common beside the question. The tuning of a plan is its own choice,
/// that of a run its user's.
fn measured_with(report: &Report) -> Vec<Field> {
    let mut fields = vec![field("settings.workers_count", &report.settings.workers_count)];
    if report.kind == ReportKind::Run {
        fields.push(field("settings.machine_spec", &tuned_for(report)));
    }
    fields
}

/// The machine the backend was tuned for. RAM that was given as a figure reads as a share of the host's: that of one kind
/// of machine differs by a few megabytes from host to host.
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
