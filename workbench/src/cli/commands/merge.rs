//! `report merge`.

use std::path::Path;

use crate::cli::args::report::MergeArgs;
use crate::cli::error::CliError;
use crate::cli::output::{Output, figure_table, nanoseconds};
use crate::cli::{input_file, resolve};
use crate::fleet::{HostFailure, MachineComparison, MergedMachine, MergedMode, ReportWithLog, TargetAnswer, merge};
use crate::measure::Percentile;
use crate::report::{ComparisonContext, Outcome};
use crate::{render, units};

const SHOWN: [Percentile; 3] = [Percentile::P50, Percentile::P99, Percentile::P99_9];

pub(super) fn run(args: &MergeArgs, output: Output) -> Result<Outcome, CliError> {
    input_file::read_once(args.reports.iter().chain(&args.failures))?;
    let reports = args.reports.iter().map(|path| ReportWithLog::read(path)).collect::<Result<Vec<_>, _>>()?;
    let failures = args.failures.iter().map(|path| HostFailure::read(path)).collect::<Result<Vec<_>, _>>()?;
    let context = ComparisonContext { compared_at: resolve::now(), command: resolve::command_line() };
    let merged = merge(reports, failures, &context)?;
    let directory =
        merged.write(&render::fleet(&merged.comparison), resolve::comparison_destination(args.output.as_deref()))?;
    output.result(&merged.comparison, || print(&merged.comparison, &directory, output))?;
    Ok(merged.comparison.outcome)
}

fn print(comparison: &MachineComparison, directory: &Path, output: Output) -> Result<(), CliError> {
    let target = comparison.question.target.is_some();
    let mut header = vec![
        "machine",
        "durability",
        if target { "target" } else { "load" },
        "reports",
        if target { "least\ncommands/s" } else { "commands/s" },
    ];
    header.extend(SHOWN.map(Percentile::name));
    let rows = comparison.machines.iter().flat_map(|machine| machine_rows(comparison, machine)).collect();
    output.line(&figure_table(&header, 3, rows))?;
    if let Some(command) = &comparison.headline_command {
        output.line(&format!("Percentiles are response times of {command}."))?;
    }
    output.line("")?;
    output.warnings(&comparison.warnings)?;
    output.sentence(&comparison.sentence)?;
    let failed = |HostFailure { host, kind, what, hint }: &HostFailure| format!("{host} ({kind}): {what}. {hint}");
    output.list(comparison.failures.iter().map(failed))?;
    for machine in &comparison.machines {
        output.list(machine.notes.iter().map(|note| format!("{}: {note}", machine.name)))?;
    }
    output.line(&format!("Comparison: {}", directory.join("machines.html").display()))
}

/// A row per durability mode; the first one names the machine.
fn machine_rows(comparison: &MachineComparison, machine: &MergedMachine) -> Vec<Vec<String>> {
    let names = std::iter::once(machine.name.clone()).chain(std::iter::repeat(String::new()));
    names.zip(&machine.modes).map(|(name, mode)| row(comparison, name, machine.reports.len(), mode)).collect()
}

fn row(comparison: &MachineComparison, name: String, reports: usize, mode: &MergedMode) -> Vec<String> {
    let third = mode.capacity.as_ref().map_or_else(
        || mode.offered_per_second.map_or_else(|| "closed loop".to_owned(), units::rate),
        |capacity| answer(capacity.answer).to_owned(),
    );
    let none_sustained = mode.capacity.as_ref().is_some_and(|capacity| capacity.sustained_per_second.is_none());
    let rate = if none_sustained { "none".to_owned() } else { units::number(mode.rate_per_second()) };
    let mut row = vec![name, mode.durability.to_string(), third, reports.to_string(), rate];
    let latency = comparison.headline_command.as_deref().and_then(|command| mode.command(command));
    row.extend(SHOWN.map(|percentile| {
        nanoseconds(latency.and_then(|latency| latency.response.percentile(percentile)).map(|found| found.value_ns))
    }));
    row
}

const fn answer(answer: TargetAnswer) -> &'static str {
    match answer {
        TargetAnswer::Holds => "sustained",
        TargetAnswer::Misses => "not sustained",
        TargetAnswer::Undecided => "inconclusive",
    }
}
