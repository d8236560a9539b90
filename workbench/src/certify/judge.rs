//! Judges a certification by its slices: findings in each mode, and the verdict.

use std::cmp::Reverse;

use super::drift::Drift;
use super::outcome::{CertifiedMode, CertifyOutcome};
use super::slices::JudgedSlice;
use super::space_forecast::SpaceForecast;
use super::spec::CertifySpec;
use super::state::EarlyEnd;
use crate::actor::Durability;
use crate::measure::{DRIFT, Percentile};
use crate::report::Outcome;

/// Growth of bytes pending compaction, as a share of those written meanwhile, that counts as debt: less is fluctuation.
const DEBT_SHARE: f64 = 0.1;
/// Share of the time with stalled writers that makes its growth a finding.
const STALL_SHARE: f64 = 0.01;
/// Least slices of a significant trend.
const FEWEST_FOR_A_TREND: usize = 8;

/// A finding in a mode, with its consequence for the verdict.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// The database differs from what was acknowledged: the first difference.
    DataDiffer(String),
    /// So many undisturbed slices missed the objective.
    Missed(u64),
    /// It was interrupted.
    Interrupted {
        /// Whole slices.
        slices: u64,
        /// Slices of the whole duration.
        of: u64,
    },
    /// So many disturbed slices missed the objective.
    MissedDisturbed(u64),
    /// So many slices have too few samples for the percentile.
    TooFewSamples(u64),
    /// The load was aborted: commands were too late.
    GaveUp,
    /// It ended early: the rest would have filled the disk.
    FullDisk(SpaceForecast),
    /// The database was lost after the last slice and could not be compared.
    NotVerified,
    /// A latency rises and reaches the limit in as much time again.
    LatencyRises {
        /// The objective's percentile, or the median.
        percentile: Percentile,
        /// Nanoseconds.
        drift: Drift,
    },
    /// Bytes pending compaction grow.
    DebtGrows(Drift),
    /// Writer stalls grow, milliseconds per slice.
    StallsGrow(Drift),
    /// The median response time rose, and stays within the limit in as much time again.
    MedianRose(Drift),
    /// So many undisturbed slices on the last database are too few for a trend of latencies.
    NoTrend(u64),
}

impl Finding {
    /// The verdict it demands.
    pub(super) const fn demands(&self) -> Outcome {
        match self {
            Self::DataDiffer(_) | Self::Missed(_) => Outcome::Fail,
            Self::MedianRose(_) | Self::NoTrend(_) => Outcome::Pass,
            _ => Outcome::Inconclusive,
        }
    }

    const fn severity(&self) -> u8 {
        match self.demands() {
            Outcome::Pass => 0,
            Outcome::Inconclusive => 1,
            Outcome::Fail => 2,
        }
    }
}

/// The verdict and the findings, most severe first. An interrupted certification is inconclusive unless data differ.
pub fn judge(spec: &CertifySpec, outcome: &CertifyOutcome) -> (Outcome, Vec<(Durability, Finding)>) {
    let mut findings: Vec<_> = Vec::new();
    for mode in &outcome.modes {
        findings.extend(mode_findings(spec, mode).into_iter().map(|finding| (mode.durability, finding)));
    }
    for &durability in &spec.durabilities {
        if !outcome.modes.iter().any(|mode| mode.durability == durability) {
            findings.push((durability, Finding::Interrupted { slices: 0, of: spec.slices() }));
        }
    }
    findings.sort_by_key(|(_, finding)| Reverse(finding.severity()));
    let differ = findings.iter().any(|(_, finding)| matches!(finding, Finding::DataDiffer(_)));
    let verdict = match findings.first() {
        _ if outcome.interrupted && !differ => Outcome::Inconclusive,
        Some((_, finding)) => finding.demands(),
        None => Outcome::Pass,
    };
    (verdict, findings)
}

fn mode_findings(spec: &CertifySpec, mode: &CertifiedMode) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(first) = mode.verified().and_then(|verified| verified.differences.first()) {
        findings.push(Finding::DataDiffer(first.clone()));
    }
    let count = |is: &dyn Fn(&JudgedSlice) -> bool| mode.slices.iter().filter(|slice| is(slice)).count() as u64;
    let missed = count(&|slice| slice.is_missed() && !slice.is_disturbed());
    let disturbed = count(&|slice| slice.is_missed() && slice.is_disturbed());
    let too_few = count(&|slice| slice.met.is_none() && !slice.fell_behind);
    for (slices, finding) in [
        (missed, Finding::Missed(missed)),
        (disturbed, Finding::MissedDisturbed(disturbed)),
        (too_few, Finding::TooFewSamples(too_few)),
    ] {
        if slices > 0 {
            findings.push(finding);
        }
    }
    match mode.state.early_end {
        Some(EarlyEnd::GaveUp) => findings.push(Finding::GaveUp),
        Some(EarlyEnd::FullDisk(full)) => findings.push(Finding::FullDisk(full)),
        None if mode.state.finished.is_none() => {
            findings.push(Finding::Interrupted { slices: mode.slices.len() as u64, of: mode.slices_planned });
        }
        None => {}
    }
    if mode.state.finished.as_ref().is_some_and(|finished| finished.verified.is_none()) {
        findings.push(Finding::NotVerified);
    }
    findings.extend(trends(spec, mode));
    findings
}

fn trends(spec: &CertifySpec, mode: &CertifiedMode) -> Vec<Finding> {
    let slices = mode.on_last_database();
    let rise =
        |figure: fn(&JudgedSlice) -> Option<f64>| Drift::upwards(&slices.iter().filter_map(figure).collect::<Vec<_>>());
    let debt = rise(|slice| slice.pending_compaction_bytes.map(|bytes| bytes as f64));
    let debt = debt.filter(|drift| drift.to - drift.from > DEBT_SHARE * mode.payload_bytes as f64);
    let slice_ms = 1e3 * f64::from(spec.slice_seconds());
    let stalls = rise(|slice| slice.stall_ms).filter(|drift| drift.to > STALL_SHARE * slice_ms);
    let rises = debt.map(Finding::DebtGrows).into_iter().chain(stalls.map(Finding::StallsGrow));
    latencies(spec, slices).into_iter().chain(rises).collect()
}

fn latencies(spec: &CertifySpec, slices: &[JudgedSlice]) -> Option<Finding> {
    let quiet: Vec<_> = slices.iter().filter(|slice| !slice.is_disturbed()).collect();
    if quiet.len() < FEWEST_FOR_A_TREND {
        return Some(Finding::NoTrend(quiet.len() as u64));
    }
    let limit = spec.objective.limit_ns as f64;
    let percentiles: Vec<f64> =
        quiet.iter().filter_map(|slice| slice.percentile_ns).map(|value| value as f64).collect();
    let medians: Vec<f64> = quiet.iter().map(|slice| slice.p50_ns as f64).collect();
    if let Some(drift) = Drift::upwards(&percentiles).filter(|drift| drift.at_twice > limit) {
        return Some(Finding::LatencyRises { percentile: spec.objective.percentile, drift });
    }
    match Drift::upwards(&medians)? {
        drift if drift.at_twice > limit => Some(Finding::LatencyRises { percentile: Percentile::P50, drift }),
        drift if drift.change > DRIFT[1] => Some(Finding::MedianRose(drift)),
        _ => None,
    }
}
