//! One distribution of many reports: histograms are added sample by sample, and percentiles are read from the sum.

use std::time::Duration;

use crate::actor::Durability;
use crate::fleet::comparable::tuned_for;
use crate::fleet::given::GivenReport;
use crate::fleet::{LatencyEvidence, MergedLatency, PercentileSpread};
use crate::measure::{LatencyHistogram, Percentile};
use crate::report::{LatencyInfo, LoggedLatencies, ModeResult, NamedLatency, latency_info};
use crate::units;

/// How the latencies of several reports become one distribution.
pub(super) const MERGING_METHOD: &str = "Response times. The histograms of all reports of a machine (latency.hlog) are \
    added sample by sample, and percentiles are read from the sum; none is averaged. A report with no histograms is shown \
    with its own percentiles if it is the only one of its machine, and left out otherwise.";

/// How the intervals come about.
pub(super) const INTERVAL_METHOD: &str = "95 %. One report: its own interval, from a moving block bootstrap over its \
    seconds. Three reports or more: Student's t over the logarithms of the reports' own percentiles, around the merged \
    value. Two reports carry no interval: the lower and the higher stand in its place as what they are.";

/// Reports from which on their spread gives an interval.
const FEWEST_REPORTS: usize = 3;
/// Rates closer than this are the same.
const SAME_RATE: f64 = 0.005;

/// All samples of one command in one durability mode on one machine.
#[derive(Debug, Clone)]
pub struct MergedHistogram {
    /// The machine's `id`.
    pub machine: String,
    /// Whether writes waited for the disk.
    pub durability: Durability,
    /// The command.
    pub command: String,
    /// Measured time of all reports.
    pub length: Duration,
    /// Response times.
    pub latencies: LatencyHistogram,
}

/// What the reports of one machine say of latencies in one durability mode.
#[derive(Debug, Default)]
pub(super) struct ModeLatencies {
    pub(super) commands: Vec<MergedLatency>,
    /// The sums behind `commands`, where there are histograms.
    pub(super) histograms: Vec<MergedHistogram>,
    /// What is left out, and why.
    pub(super) notes: Vec<String>,
}

/// Merges the latencies of a mode over all reports of a machine.
pub(super) fn merge_latencies(reports: &[GivenReport], durability: Durability) -> ModeLatencies {
    if let Some(obstacle) = obstacle(reports, durability) {
        let note = format!("Durability {durability}: latencies are not merged, {obstacle}.");
        return ModeLatencies { notes: vec![note], ..ModeLatencies::default() };
    }
    let with: Vec<_> = reports.iter().filter(|one| one.histograms.is_some()).collect();
    let mut merged = ModeLatencies::default();
    if let [alone] = reports
        && with.is_empty()
    {
        merged.commands = mode_of(alone, durability).map_or_else(Vec::new, own_percentiles);
        return merged;
    }
    for command in command_names(&with, durability) {
        let logged: Vec<_> = with.iter().filter_map(|one| one.logged(durability, &command)).collect();
        let latencies: LatencyHistogram = logged.iter().map(|logged| &logged.latencies).collect();
        if latencies.count() == 0 {
            continue;
        }
        let length = logged.iter().map(|logged| logged.length).sum();
        let of_one = with.first().filter(|_| with.len() == 1).and_then(|one| own_latency(one, durability, &command));
        merged.commands.push(merged_latency(&command, &logged, &latencies, of_one));
        merged.histograms.push(MergedHistogram { machine: String::new(), durability, command, length, latencies });
    }
    merged
}

/// The rate the latencies of a mode were taken at, if all reports were offered the same.
pub(super) fn common_offered(reports: &[GivenReport], durability: Durability) -> Option<f64> {
    let offered: Vec<Option<f64>> = offered(reports, durability);
    let first = offered.first().copied().flatten()?;
    offered.iter().all(|rate| rate.is_some_and(|rate| is_same_rate(rate, first))).then_some(first)
}

fn offered(reports: &[GivenReport], durability: Durability) -> Vec<Option<f64>> {
    reports.iter().filter_map(|one| mode_of(one, durability)).map(|mode| mode.offered_per_second).collect()
}

fn is_same_rate(one: f64, other: f64) -> bool {
    (one - other).abs() <= SAME_RATE * one.max(other)
}

pub(super) fn mode_of(one: &GivenReport, durability: Durability) -> Option<&ModeResult> {
    one.report.modes.iter().find(|mode| mode.durability == durability)
}

/// Why the latencies of these reports are not of one thing.
fn obstacle(reports: &[GivenReport], durability: Durability) -> Option<String> {
    let rates = offered(reports, durability);
    if rates.iter().any(Option::is_some) && common_offered(reports, durability).is_none() {
        let mut told: Vec<String> =
            rates.iter().map(|rate| rate.map_or_else(|| "a closed loop".to_owned(), units::rate)).collect();
        told.sort();
        told.dedup();
        return Some(format!("its reports took them at different rates ({})", told.join(", ")));
    }
    let mut tunings: Vec<String> = reports.iter().map(|one| tuned_for(&one.report)).collect();
    tunings.sort();
    tunings.dedup();
    (tunings.len() > 1).then(|| format!("its reports took them under different tunings ({})", tunings.join(", ")))
}

/// Which reports have no histograms, and what becomes of their latencies.
pub(super) fn missing_logs(reports: &[GivenReport]) -> Option<String> {
    let without = reports.iter().filter(|one| one.histograms.is_none());
    let paths: Vec<String> = without.map(|one| one.path.display().to_string()).collect();
    let then = if reports.len() == 1 { "the percentiles are its own" } else { "they are left out" };
    match paths.as_slice() {
        [] => None,
        [path] => Some(format!("{path} has no latency.hlog: its latencies cannot be merged, {then}.")),
        _ => Some(format!("{} have no latency.hlog: their latencies cannot be merged, {then}.", paths.join(", "))),
    }
}

/// Commands in the order of the reports.
fn command_names(reports: &[&GivenReport], durability: Durability) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for latency in reports.iter().filter_map(|one| mode_of(one, durability)).flat_map(|mode| &mode.commands) {
        if !names.contains(&latency.name) {
            names.push(latency.name.clone());
        }
    }
    names
}

fn own_percentiles(mode: &ModeResult) -> Vec<MergedLatency> {
    let own = |latency: &NamedLatency| MergedLatency {
        name: latency.name.clone(),
        evidence: LatencyEvidence::Report,
        reports_count: 1,
        response: latency.response_or_service().clone(),
        spread: Vec::new(),
    };
    mode.commands.iter().map(own).collect()
}

fn own_latency<'r>(one: &'r GivenReport, durability: Durability, command: &str) -> Option<&'r LatencyInfo> {
    mode_of(one, durability)?
        .commands
        .iter()
        .find(|latency| latency.name == command)
        .map(NamedLatency::response_or_service)
}

/// The merged distribution of a command; `of_one` is what the report says itself where there is but one.
fn merged_latency(
    command: &str,
    logged: &[&LoggedLatencies],
    latencies: &LatencyHistogram,
    of_one: Option<&LatencyInfo>,
) -> MergedLatency {
    let mut response = latency_info(latencies, &[], 0);
    let mut spread = Vec::new();
    for shown in &mut response.percentiles {
        let percentile = shown.percentile;
        if let Some(own) = of_one {
            shown.interval_ns = own.percentile(percentile).and_then(|own| own.interval_ns);
            continue;
        }
        let of_reports = percentile_of_each(logged, percentile);
        let all_tell = of_reports.len() == logged.len() && !percentile.is_extreme();
        shown.interval_ns = all_tell.then(|| interval(shown.value_ns, &of_reports)).flatten();
        spread.extend(spread_of(percentile, &of_reports));
    }
    let (name, reports_count) = (command.to_owned(), count(logged.len()));
    MergedLatency { name, evidence: LatencyEvidence::Histograms, reports_count, response, spread }
}

/// The percentile of each report whose samples support it.
fn percentile_of_each(logged: &[&LoggedLatencies], percentile: Percentile) -> Vec<u64> {
    let of_one = |logged: &&LoggedLatencies| {
        let histogram: LatencyHistogram = std::iter::once(&logged.latencies).collect();
        histogram.percentile(percentile)
    };
    logged.iter().filter_map(of_one).collect()
}

fn spread_of(percentile: Percentile, of_reports: &[u64]) -> Option<PercentileSpread> {
    let (lowest_ns, highest_ns) = (*of_reports.iter().min()?, *of_reports.iter().max()?);
    Some(PercentileSpread { percentile, reports_count: count(of_reports.len()), lowest_ns, highest_ns })
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// 97.5 % quantiles of Student's t, for 1 degree of freedom and up.
const STUDENT_T: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// The 95 % interval around `merged` that the spread of the reports gives. Latencies spread by factors, hence the
/// logarithms, which also keep the interval above zero.
fn interval(merged: u64, of_reports: &[u64]) -> Option<[u64; 2]> {
    if of_reports.len() < FEWEST_REPORTS {
        return None;
    }
    let logarithms: Vec<f64> = of_reports.iter().map(|&value| (value.max(1) as f64).ln()).collect();
    let number = logarithms.len() as f64;
    let mean = logarithms.iter().sum::<f64>() / number;
    let variance = logarithms.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (number - 1.0);
    let quantile = STUDENT_T[(of_reports.len() - 2).min(STUDENT_T.len() - 1)];
    let factor = (quantile * (variance / number).sqrt()).exp();
    let merged_ns = merged as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive; casts saturate")]
    let ends = [(merged_ns / factor).round() as u64, (merged_ns * factor).round() as u64];
    Some(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_students_t() {
        // Logarithms 0, 1 and 2: mean 1, standard deviation 1; t of two degrees of freedom is 4.303.
        let values = [1_000.0, 1_000.0 * 1_f64.exp(), 1_000.0 * 2_f64.exp()];
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive numbers")]
        let values = values.map(|value| value.round() as u64);
        let [low, high] = interval(1_000_000, &values).unwrap();
        let factor = (4.303 / 3_f64.sqrt()).exp();
        assert!((low as f64 * factor / 1e6 - 1.0).abs() < 0.01, "{low}");
        assert!((high as f64 / factor / 1e6 - 1.0).abs() < 0.01, "{high}");
    }

    #[test]
    fn equal_reports_leave_no_doubt_and_two_give_no_interval() {
        assert_eq!(interval(500, &[500, 500, 500]), Some([500, 500]));
        assert_eq!(interval(500, &[500, 500]), None);
    }

    #[test]
    fn more_reports_make_it_narrower() {
        let width = |reports: usize| {
            let values: Vec<u64> = (0..reports).map(|n| if n % 2 == 0 { 900 } else { 1_100 }).collect();
            let [low, high] = interval(1_000, &values).unwrap();
            high - low
        };
        assert!(width(4) > width(8) && width(8) > width(64));
    }
}
