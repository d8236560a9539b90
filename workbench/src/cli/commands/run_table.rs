//! The result table of `run`.

use crate::cli::error::CliError;
use crate::cli::output::{Output, figure_table, nanoseconds, table_width};
use crate::measure::Percentile;
use crate::report::{ModeResult, Report};
use crate::units;
use crate::workload::escape;

/// The report has the others.
const MOST_ACTOR_TYPES: usize = 12;

/// The percentiles that fit into a terminal of `width` columns.
const fn shown(width: u16) -> &'static [Percentile] {
    match width {
        0..=60 => &[Percentile::P50, Percentile::P99],
        61..=78 => &[Percentile::P50, Percentile::P99, Percentile::Max],
        _ => &[Percentile::P50, Percentile::P90, Percentile::P99, Percentile::P99_9, Percentile::Max],
    }
}

pub(super) fn print(report: &Report, output: Output) -> Result<(), CliError> {
    output.line(&table(report))?;
    of_actor_types(report).map_or(Ok(()), |table| output.line(&format!("\n{table}")))?;
    for (durability, sentence) in report.crossings() {
        output.line(&format!("\nDurability {durability}: {sentence}."))?;
    }
    Ok(())
}

/// A row per durability mode and command; the first row of a mode names it.
fn table(report: &Report) -> String {
    let percentiles = shown(table_width());
    let mut header = vec!["durability", "command", "commands/s"];
    header.extend(percentiles.iter().map(|percentile| percentile.name()));
    figure_table(&header, 2, report.modes.iter().flat_map(|mode| rows(mode, percentiles)).collect())
}

/// The busiest actor types of each mode; `None` where there is one type.
fn of_actor_types(report: &Report) -> Option<String> {
    let types = |mode: &'_ ModeResult| {
        let names = std::iter::once(mode.durability.to_string()).chain(std::iter::repeat(String::new()));
        let rows = names.zip(&mode.actor_types).take(MOST_ACTOR_TYPES).map(|(durability, one)| {
            let rate = mode.achieved_per_second * one.commands_count as f64 / mode.commands_count.max(1) as f64;
            let written = units::bytes(one.written_bytes as f64);
            let [p50, p99] = [one.response.p50_ns, one.response.p99_ns].map(nanoseconds);
            vec![durability, escape(&one.name), units::number(rate), written, p50, p99]
        });
        rows.collect::<Vec<_>>()
    };
    let rows: Vec<_> = report.modes.iter().flat_map(types).collect();
    let header = ["durability", "actor type", "commands/s", "written", "p50", "p99"];
    (!rows.is_empty()).then(|| figure_table(&header, 2, rows))
}

fn rows(mode: &ModeResult, percentiles: &[Percentile]) -> Vec<Vec<String>> {
    let names = std::iter::once(mode.durability.to_string()).chain(std::iter::repeat(String::new()));
    let commands = names.zip(&mode.commands).map(|(durability, command)| {
        let share = command.service.count as f64 / mode.commands_count.max(1) as f64;
        let rate = units::number(mode.achieved_per_second * share);
        let mut row = vec![durability, command.name.clone(), rate];
        let latency = command.response.as_ref().unwrap_or(&command.service);
        let values = percentiles.iter().map(|&percentile| latency.percentile(percentile).map(|found| found.value_ns));
        row.extend(values.map(nanoseconds));
        row
    });
    commands.collect()
}
