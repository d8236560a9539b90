//! What `run` and `plan` print at their end, and how both begin and finish.

use std::path::{Path, PathBuf};

use crate::workbench::cli::Ending;
use crate::workbench::cli::error::CliError;
use crate::workbench::cli::output::{self, Output, figure_table};
use crate::workbench::report::{Attachment, LatencyInfo, ModeResult, Outcome, Report, ReportDirectory, format};

/// Writes a report and prints its result.
pub(super) fn conclude(
    report: &Report,
    attachments: Vec<Attachment>,
    reports: &Path,
    output: Output,
) -> Result<Ending, CliError> {
    let attach = |directory: ReportDirectory, (name, bytes): Attachment| directory.attach(&name, bytes);
    let directory = attachments.into_iter().fold(ReportDirectory::new(reports), attach).write(report)?;
    let shown = if output.is_json() { output::json(report) } else { print(report, &directory, output) };
    // The report is written: whoever closed the pipe early still gets the verdict.
    shown.or_else(|error| if error.is_broken_pipe() { Ok(()) } else { Err(error) })?;
    Ok(match report.verdict.outcome {
        Outcome::Pass => Ending::Pass,
        Outcome::Fail => Ending::Fail,
        Outcome::Inconclusive => Ending::Inconclusive,
    })
}

fn print(report: &Report, directory: &Path, output: Output) -> Result<(), CliError> {
    output.line(&latencies(report))?;
    if let Some(plan) = &report.plan {
        output.line(&figure_table(&["capacity", "durability off", "durability on"], 1, capacity_rows(plan)))?;
    }
    for mode in &report.modes {
        if let Some(crash) = &mode.verification.crash {
            output.line(&format!("durability {}: {}", mode.durability, crash.summary()))?;
        }
    }
    if let Some(mode) = report.modes.first() {
        let cost = format::duration(mode.harness_ns_per_operation);
        output.line(&format!("The workbench itself takes {cost} of each storage operation (measured in this run)."))?;
    }
    let word = match report.verdict.outcome {
        Outcome::Pass => "PASS",
        Outcome::Fail => "FAIL",
        Outcome::Inconclusive => "INCONCLUSIVE",
    };
    output.line(&format!("\n{word}: {}", report.verdict.sentence))?;
    for reason in &report.verdict.reasons {
        output.line(&format!("  - {reason}"))?;
    }
    for warning in &report.warnings {
        output.line(&format!("warning: {}\n  hint: {}", warning.what, warning.hint))?;
    }
    let files: PathBuf = directory.join("report.html");
    output.line(&format!("\nReport: {}", files.display()))
}

const SHOWN: [&str; 5] = ["p50", "p90", "p99", "p99.9", "max"];

fn latencies(report: &Report) -> String {
    let mut header = vec!["durability", "command", "per second"];
    header.extend(SHOWN);
    let rows = report.modes.iter().flat_map(mode_rows).collect();
    figure_table(&header, 2, rows)
}

fn mode_rows(mode: &ModeResult) -> Vec<Vec<String>> {
    let commands = mode.commands.iter().map(|command| {
        let share = command.service.count as f64 / mode.commands_count.max(1) as f64;
        let rate = mode.achieved_per_second * share;
        (command.name.clone(), Some(rate), command.response.as_ref().unwrap_or(&command.service))
    });
    commands
        .map(|(name, rate, latency)| {
            let mut row = vec![mode.durability.to_string(), name, rate.map_or_else(String::new, format::number)];
            row.extend(SHOWN.iter().map(|percentile| shown(latency, percentile)));
            row
        })
        .collect()
}

fn shown(latency: &LatencyInfo, name: &str) -> String {
    latency.percentile(name).map_or_else(|| "–".to_owned(), |found| format::duration(found.value_ns as f64))
}

fn capacity_rows(plan: &crate::workbench::report::PlanResult) -> Vec<Vec<String>> {
    use crate::workbench::report::{Capacity, DurabilityMode};
    let row = |label: &str, value: &dyn Fn(&Capacity) -> String| {
        let cell = |mode: DurabilityMode| {
            plan.capacities.iter().find(|capacity| capacity.durability == mode).map_or_else(|| "–".to_owned(), value)
        };
        vec![label.to_owned(), cell(DurabilityMode::Off), cell(DurabilityMode::On)]
    };
    vec![
        row("machine", &|capacity| capacity.machine.clone().unwrap_or_default()),
        row("ceiling, commands/s", &|capacity| {
            capacity.saturation_per_second.map_or_else(|| "killed".to_owned(), format::number)
        }),
        row("meets the objective, commands/s", &|capacity| {
            capacity.sustained_per_second.map_or_else(|| "none".to_owned(), format::number)
        }),
        row("database growth per day at the target", &|capacity| {
            format::bytes(capacity.database_bytes_per_day_at_target)
        }),
    ]
}
