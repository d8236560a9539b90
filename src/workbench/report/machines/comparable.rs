//! Whether reports may be joined: they were asked the same question, and each is given once.

use super::{GivenReport, MergeError};
use crate::workbench::report::{Report, ReportKind, format};

/// A field of `report.json` and what it holds.
pub(in crate::workbench::report) type Field = (String, String);

/// Checks that all reports were asked what the first one was, and that none is there twice.
///
/// # Errors
///
/// [`MergeError::Twice`] or [`MergeError::Unequal`], naming the two files and the field.
pub(super) fn check_comparable(given: &[GivenReport]) -> Result<(), MergeError> {
    for (place, second) in given.iter().enumerate() {
        if let Some(first) = given[..place].iter().find(|first| is_same(&first.report, &second.report)) {
            let (first, second, started_at) =
                (first.path.clone(), second.path.clone(), second.report.started_at.clone());
            return Err(MergeError::Twice { first, second, started_at });
        }
    }
    check_equal(given, question)
}

/// Checks that the reports of one machine were measured alike.
///
/// # Errors
///
/// [`MergeError::Unequal`].
pub(super) fn check_measured_alike(given: &[GivenReport]) -> Result<(), MergeError> {
    check_equal(given, measured_with)
}

/// Whether two are one report.
pub(in crate::workbench::report) fn is_same(first: &Report, second: &Report) -> bool {
    first.started_at == second.started_at
        && first.host == second.host
        && first.reproduce.command == second.reproduce.command
}

fn check_equal(given: &[GivenReport], fields: impl Fn(&Report) -> Vec<Field>) -> Result<(), MergeError> {
    let Some((first, others)) = given.split_first() else { return Ok(()) };
    let expected = fields(&first.report);
    for second in others {
        if let Some((field, first_value, second_value)) = difference(&expected, &fields(&second.report)) {
            let (first, second) = (first.path.clone(), second.path.clone());
            return Err(MergeError::Unequal { first, second, field, first_value, second_value });
        }
    }
    Ok(())
}

/// The first field in which two lists differ, with both values.
pub(in crate::workbench::report) fn difference(first: &[Field], second: &[Field]) -> Option<(String, String, String)> {
    let value = |fields: &[Field], name: &str| {
        fields.iter().find(|field| field.0 == name).map_or_else(|| "absent".to_owned(), |field| field.1.clone())
    };
    let mut names = first.iter().chain(second).map(|field| &field.0);
    names.find_map(|name| {
        let (first, second) = (value(first, name), value(second, name));
        (first != second).then(|| (name.clone(), first, second))
    })
}

/// What a report was asked, field by field. Where the source came from may differ from host to host.
pub(in crate::workbench::report) fn question(report: &Report) -> Vec<Field> {
    let Report { source, settings, .. } = report;
    let durabilities: Vec<_> = report.modes.iter().map(|mode| mode.durability.to_string()).collect();
    let mut fields = vec![
        field("kind", &json(&report.kind)),
        field("name", &report.name),
        field("source.kind", &json(&source.kind)),
        field("settings.seed", &settings.seed),
        field("source.actors_count", &source.actors_count),
        field("source.actor_types_count", &source.actor_types_count),
        field("source.persistence", &source.persistence),
    ];
    fields.extend(source.facts.iter().map(|(label, fact)| field(&format!("source.facts.{label}"), fact)));
    fields.extend([
        field("settings.load", &settings.load),
        field("settings.warmup_seconds", &settings.warmup_seconds),
        field("settings.measure_seconds", &json(&settings.measure_seconds)),
        field("the durability modes (modes[].durability)", &durabilities.join(" and ")),
    ]);
    if let Some(plan) = &report.plan {
        fields.extend([
            field("plan.target_per_second", &plan.target_per_second),
            field("plan.headroom_percent", &plan.headroom_percent),
            field("plan.slo.command", &plan.slo.command),
            field("plan.slo.percentile", &plan.slo.percentile),
            field("plan.slo.limit_ns", &plan.slo.limit_ns),
        ]);
    }
    fields
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
        let cores = format::counted(cores, "core");
        return format!("custom ({cores}, about {} % of the RAM)", (share * 20.0).round() * 5.0);
    }
    spec.get("profile").and_then(serde_json::Value::as_str).map_or_else(|| spec.to_string(), str::to_owned)
}

pub(in crate::workbench::report) fn field(name: &str, value: &impl ToString) -> Field {
    (name.to_owned(), value.to_string())
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
