//! `history.csv`: a row per report and figure.

use super::result::{History, Metric, Point, Series};

const HEADER: [&str; 16] = [
    "started_at",
    "report",
    "version",
    "commit",
    "outcome",
    "durability",
    "figure",
    "command",
    "percentile",
    "machine",
    "unit",
    "value",
    "low",
    "high",
    "segment",
    "change",
];

pub(super) fn csv(history: &History) -> Vec<u8> {
    let mut table = csv::Writer::from_writer(Vec::new());
    // Rows of equal length in memory: writing them cannot fail.
    let _ = table.write_record(HEADER);
    for series in &history.series {
        for (place, point) in series.points.iter().enumerate() {
            let _ = table.write_record(row(history, series, place, point));
        }
    }
    table.into_inner().unwrap_or_default()
}

fn row(history: &History, series: &Series, place: usize, point: &Point) -> [String; HEADER.len()] {
    let report = &history.reports[point.report];
    let segment = series.segments.iter().position(|part| (part.first..=part.last).contains(&place));
    let change = series.changes.iter().find(|change| change.first_after == point.report);
    let (figure, unit) = match series.metric {
        Metric::Rate => ("rate", "per_second"),
        Metric::Latency => ("latency", "ns"),
    };
    let end = |which: usize| point.range.map(|ends| ends[which].to_string()).unwrap_or_default();
    [
        report.started_at.clone(),
        report.path.clone(),
        report.version.clone(),
        report.commit.clone().unwrap_or_default(),
        serde_json::to_value(report.outcome).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default(),
        series.durability.to_string(),
        figure.to_owned(),
        series.command.clone().unwrap_or_default(),
        series.percentile.map(|percentile| percentile.to_string()).unwrap_or_default(),
        series.machine.clone().unwrap_or_default(),
        unit.to_owned(),
        point.value.to_string(),
        end(0),
        end(1),
        segment.map(|segment| (segment + 1).to_string()).unwrap_or_default(),
        change.map_or("", |change| if change.is_worse { "worse" } else { "better" }).to_owned(),
    ]
}
