//! The result table of `run`.

use crate::cli::output::{figure_table, nanoseconds, table_width};
use crate::measure::Percentile;
use crate::report::{ModeResult, Report};
use crate::units;

/// The percentiles that fit into a terminal of `width` columns.
const fn shown(width: u16) -> &'static [Percentile] {
    match width {
        0..=60 => &[Percentile::P50, Percentile::P99],
        61..=78 => &[Percentile::P50, Percentile::P99, Percentile::Max],
        _ => &[Percentile::P50, Percentile::P90, Percentile::P99, Percentile::P99_9, Percentile::Max],
    }
}

/// A row per durability mode and command; the first row of a mode names it.
pub(super) fn table(report: &Report) -> String {
    let percentiles = shown(table_width());
    let mut header = vec!["durability", "command", "commands/s"];
    header.extend(percentiles.iter().map(|percentile| percentile.name()));
    figure_table(&header, 2, report.modes.iter().flat_map(|mode| rows(mode, percentiles)).collect())
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
