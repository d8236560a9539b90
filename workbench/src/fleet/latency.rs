//! Merges the latencies of reports: percentiles are read from the sum of their histograms.

use std::collections::BTreeSet;
use std::time::Duration;

use super::comparable::tuned_for;
use super::report_with_log::ReportWithLog;
use super::result::{LatencyEvidence, MergedLatency, PercentileSpread};
use super::shards::has_shards;
use crate::actor::Durability;
use crate::measure::{LatencyHistogram, Mean, Percentile};
use crate::report::{LatencyInfo, LoggedLatencies, ModeResult, NamedLatency, latency_info};
use crate::units;

pub(super) const MERGING_METHOD: &str = "Response times. The histograms of all reports of a machine (latency.hlog) are \
    added, and percentiles are read from the sum; none is averaged. A report without histograms is shown with its own \
    percentiles if it is the only one of its machine, and left out otherwise.";

pub(super) const INTERVAL_METHOD: &str = "95 %. One report: its own interval, from a moving block bootstrap over its \
    seconds. Three reports or more: Student's t over the logarithms of the reports' own percentiles, around the merged \
    value. Two reports, and shards of one trace, have no interval; the lowest and the highest are shown instead.";

/// Reports at least for an interval.
const FEWEST_REPORTS: usize = 3;
/// Relative difference within which rates are the same.
const SAME_RATE: f64 = 0.005;

/// All samples of a command in a durability mode on a machine.
#[derive(Debug, Clone)]
pub struct MergedHistogram {
    /// `id` of the machine.
    pub machine: String,
    /// Durability `off` or `on`.
    pub durability: Durability,
    /// Name of the command.
    pub command: String,
    /// Measured time of all its reports.
    pub length: Duration,
    /// Response times, nanoseconds.
    pub latencies: LatencyHistogram,
}

#[derive(Debug, Default)]
pub(super) struct ModeLatencies {
    pub(super) commands: Vec<MergedLatency>,
    /// The sums behind `commands`.
    pub(super) histograms: Vec<MergedHistogram>,
    pub(super) notes: Vec<String>,
}

pub(super) fn merge_latencies(reports: &[ReportWithLog], durability: Durability) -> ModeLatencies {
    let are_shards = has_shards(reports);
    if let Some(obstacle) = obstacle(reports, durability).filter(|_| !are_shards) {
        let note = format!("Durability {durability}: latencies are not merged, {obstacle}.");
        return ModeLatencies { notes: vec![note], ..ModeLatencies::default() };
    }
    let with: Vec<_> = reports.iter().filter(|one| one.histograms.is_some()).collect();
    let mut merged = ModeLatencies::default();
    if let [alone] = reports
        && with.is_empty()
    {
        merged.commands = alone.mode(durability).map_or_else(Vec::new, own_percentiles);
        return merged;
    }
    for command in command_names(&with, durability) {
        let logged: Vec<_> = with.iter().filter_map(|one| one.logged(durability, &command)).collect();
        let latencies: LatencyHistogram = logged.iter().map(|logged| &logged.latencies).collect();
        if latencies.count() == 0 {
            continue;
        }
        let length = logged.iter().map(|logged| logged.length).sum();
        let alone = with.first().filter(|_| with.len() == 1);
        let of_one = alone.and_then(|one| one.mode(durability)?.latency(&command));
        merged.commands.push(merged_latency(&command, &logged, &latencies, of_one, are_shards));
        merged.histograms.push(MergedHistogram { machine: String::new(), durability, command, length, latencies });
    }
    merged
}

/// The offered rate of a mode, if it is the same in all reports.
pub(super) fn common_offered(reports: &[ReportWithLog], durability: Durability) -> Option<f64> {
    let offered = offered(reports, durability);
    let first = offered.first().copied().flatten()?;
    let is_same = |rate: f64| (rate - first).abs() <= SAME_RATE * rate.max(first);
    offered.iter().all(|rate| rate.is_some_and(is_same)).then_some(first)
}

fn offered(reports: &[ReportWithLog], durability: Durability) -> Vec<Option<f64>> {
    reports.iter().filter_map(|one| one.mode(durability)).map(|mode| mode.offered_per_second).collect()
}

/// Why the latencies of these reports cannot be merged.
fn obstacle(reports: &[ReportWithLog], durability: Durability) -> Option<String> {
    let rates = offered(reports, durability);
    if rates.iter().any(Option::is_some) && common_offered(reports, durability).is_none() {
        let rates = rates.iter().map(|rate| rate.map_or_else(|| "a closed loop".to_owned(), units::rate));
        return Some(format!("they were measured at different rates ({})", distinct(rates).join(", ")));
    }
    let tunings = distinct(reports.iter().map(|one| tuned_for(&one.report)));
    (tunings.len() > 1).then(|| format!("they were measured with different tunings ({})", tunings.join(", ")))
}

fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    texts.collect::<BTreeSet<_>>().into_iter().collect()
}

pub(super) fn missing_logs(reports: &[ReportWithLog]) -> Option<String> {
    let without = reports.iter().filter(|one| one.histograms.is_none());
    let paths: Vec<String> = without.map(|one| one.path.display().to_string()).collect();
    let then = if reports.len() == 1 { "the percentiles are its own" } else { "they are left out" };
    match paths.as_slice() {
        [] => None,
        [path] => Some(format!("{path} has no latency.hlog: its latencies cannot be merged, {then}.")),
        _ => Some(format!("{} have no latency.hlog: their latencies cannot be merged, {then}.", paths.join(", "))),
    }
}

fn command_names(reports: &[&ReportWithLog], durability: Durability) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for latency in reports.iter().filter_map(|one| one.mode(durability)).flat_map(|mode| &mode.commands) {
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

/// The merged distribution of a command; `of_one` is that of the report if there is only one. Shards are no repetitions: their
/// spread gives no interval.
fn merged_latency(
    command: &str,
    logged: &[&LoggedLatencies],
    latencies: &LatencyHistogram,
    of_one: Option<&LatencyInfo>,
    are_shards: bool,
) -> MergedLatency {
    let histograms: Vec<LatencyHistogram> = logged.iter().map(|one| [&one.latencies].into_iter().collect()).collect();
    let mut response = latency_info(latencies, &[], 0);
    let mut spread = Vec::new();
    for shown in &mut response.percentiles {
        let percentile = shown.percentile;
        if let Some(own) = of_one {
            shown.interval_ns = own.percentile(percentile).and_then(|own| own.interval_ns);
            continue;
        }
        // Of the reports with enough samples.
        let of_reports: Vec<u64> = histograms.iter().filter_map(|one| one.percentile(percentile)).collect();
        let all_support = of_reports.len() == logged.len() && !percentile.is_extreme() && !are_shards;
        shown.interval_ns = all_support.then(|| interval(shown.value_ns, &of_reports)).flatten();
        spread.extend(spread_of(percentile, &of_reports));
    }
    let (name, reports_count) = (command.to_owned(), count(logged.len()));
    MergedLatency { name, evidence: LatencyEvidence::Histograms, reports_count, response, spread }
}

fn spread_of(percentile: Percentile, of_reports: &[u64]) -> Option<PercentileSpread> {
    let (lowest_ns, highest_ns) = (*of_reports.iter().min()?, *of_reports.iter().max()?);
    Some(PercentileSpread { percentile, reports_count: count(of_reports.len()), lowest_ns, highest_ns })
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// The 95 % interval around `merged` by the spread of the reports. Logarithms, because latencies spread by factors.
fn interval(merged: u64, of_reports: &[u64]) -> Option<[u64; 2]> {
    if of_reports.len() < FEWEST_REPORTS {
        return None;
    }
    let logarithms: Vec<f64> = of_reports.iter().map(|&value| (value.max(1) as f64).ln()).collect();
    let factor = Mean::of(&logarithms)?.margin(0.95).exp();
    let merged_ns = merged as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive; casts saturate")]
    let ends = [(merged_ns / factor).round() as u64, (merged_ns * factor).round() as u64];
    Some(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_students_t() {
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
    fn equal_reports_have_an_empty_interval_and_two_have_none() {
        assert_eq!(interval(500, &[500, 500, 500]), Some([500, 500]));
        assert_eq!(interval(500, &[500, 500]), None);
    }
}
