//! Files beside a report for other tools: histograms in the formats of the HdrHistogram family, and the time series as CSV.

use std::fmt::Write;
use std::time::Duration;

use crate::actor::Durability;
use crate::load::{Drive, Measurement};
use crate::measure::LatencyHistogram;
use crate::report::{Report, SeriesPoint, histogram_log};

/// A file and its name.
pub(crate) type Attachment = (String, Vec<u8>);

/// Divides nanoseconds into the milliseconds that tools of the family show.
const NANOSECONDS_PER_MILLISECOND: f64 = 1e6;
/// Steps per halving of the distance to 100 %, as the family's own tools take.
const TICKS_PER_HALF: u32 = 5;

pub(crate) type ModeRounds<'a> = (Durability, &'a [Drive]);

/// All files of a run: `latency.hlog`, a percentile distribution of each command and transaction (`persist-durability-on.hgrm`), and
/// `series.csv`.
pub(crate) fn attachments(report: &Report, modes: &[ModeRounds<'_>]) -> Vec<Attachment> {
    let mut files = vec![("latency.hlog".to_owned(), histogram_log(report, modes))];
    for (durability, rounds) in modes {
        let all = Measurement::over_rounds(rounds.iter().map(|round| &round.measurement));
        for (name, latency) in all.by_name() {
            let file = format!("{name}-durability-{durability}.hgrm");
            files.push((file, percentile_distribution(&latency.response).into_bytes()));
        }
    }
    files.push(("series.csv".to_owned(), series_csv(report)));
    files
}

/// Response times in nanoseconds per slice of time (usually 1 s), as an HdrHistogram interval log of version 1.3. The tag
/// of a line names command, durability and round: `persist.durability-on.round-2`. Rounds follow each other with only their
/// warm-ups between them.
fn histogram_log(report: &Report, modes: &[ModeRounds<'_>]) -> Vec<u8> {
    let started: jiff::Timestamp = report.started_at.parse().unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let comment =
        format!("ave-workbench {}: response times in nanoseconds of {}", report.reproduce.version, report.name);
    let mut lines = Vec::new();
    let mut began = Duration::ZERO;
    let most_rounds = modes.iter().map(|(_, rounds)| rounds.len()).max().unwrap_or(0);
    for round in 0..most_rounds {
        for &(durability, rounds) in modes {
            let Some(drive) = rounds.get(round) else { continue };
            began += drive.warmup;
            for (name, latency) in drive.measurement.by_name() {
                let tag = histogram_log::round_tag(name, durability, round + 1);
                let slices = &latency.slices;
                let length = Duration::from_nanos(drive.measurement.slice_ns());
                lines.extend(
                    (0..).zip(slices).map(|(number, slice)| (began + length * number, length, tag.clone(), slice)),
                );
            }
            began += Duration::from_nanos(drive.measurement.elapsed_ns);
        }
    }
    lines.sort_by_key(|line| line.0);
    let lines = lines.into_iter().map(|(at, length, tag, slice)| (at, length, tag, std::iter::once(slice).collect()));
    histogram_log::write(&[comment], started.into(), lines)
}

/// A percentile distribution as `HistogramLogProcessor` and the plotter at hdrhistogram.org have it: values in milliseconds.
fn percentile_distribution(latencies: &LatencyHistogram) -> String {
    let histogram = latencies.as_hdr();
    let mut text = String::from("       Value     Percentile TotalCount 1/(1-Percentile)\n\n");
    let mut count = 0;
    for step in histogram.iter_quantiles(TICKS_PER_HALF) {
        count += step.count_since_last_iteration();
        let value = step.value_iterated_to() as f64 / NANOSECONDS_PER_MILLISECOND;
        let share = step.quantile_iterated_to();
        let _ = write!(text, "{value:12.6} {share:2.12} {count:10}");
        let _ = if share < 1.0 { writeln!(text, " {:14.2}", 1.0 / (1.0 - share)) } else { writeln!(text) };
    }
    let milliseconds = |nanoseconds: f64| nanoseconds / NANOSECONDS_PER_MILLISECOND;
    let _ = writeln!(
        text,
        "#[Mean    = {:12.6}, StdDeviation   = {:12.6}]\n#[Max     = {:12.6}, Total count    = {:12}]\n\
         #[Buckets = {:12}, SubBuckets     = {:12}]",
        milliseconds(histogram.mean()),
        milliseconds(histogram.stdev()),
        milliseconds(histogram.max() as f64),
        histogram.len(),
        histogram.buckets(),
        2048,
    );
    text
}

/// The time series of all modes; unknown figures are empty.
fn series_csv(report: &Report) -> Vec<u8> {
    let mut csv = String::from(
        "durability,round,at_seconds,commands_per_second,p50_ns,p99_ns,max_ns,cpu_cores,rss_bytes,written_bytes,stall_ms,\
         wal_syncs_count,pending_compaction_bytes,completed_per_second\n",
    );
    let whole = |figure: Option<u64>| figure.map_or_else(String::new, |figure| figure.to_string());
    let part = |figure: Option<f64>| figure.map_or_else(String::new, |figure| format!("{figure:.3}"));
    for mode in &report.modes {
        for point in &mode.series {
            let SeriesPoint { round, at_seconds, commands_per_second, p50_ns, p99_ns, max_ns, .. } = point;
            let _ = writeln!(
                csv,
                "{},{round},{at_seconds:.3},{commands_per_second:.3},{p50_ns},{p99_ns},{max_ns},{},{},{},{},{},{},{}",
                mode.durability,
                part(point.cpu_cores),
                whole(point.rss_bytes),
                whole(point.written_bytes),
                part(point.stall_ms),
                whole(point.wal_syncs_count),
                whole(point.pending_compaction_bytes),
                part(point.completed_per_second),
            );
        }
    }
    csv.into_bytes()
}
