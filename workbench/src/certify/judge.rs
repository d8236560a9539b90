//! What the slices say: held, missed, or not told.

use crate::actor::Durability;
use crate::certify::drift::Drift;
use crate::certify::journal::EarlyEnd;
use crate::certify::outcome::{CertifiedMode, CertifyOutcome};
use crate::certify::room::FullDisk;
use crate::certify::slices::JudgedSlice;
use crate::certify::spec::CertifySpec;
use crate::measure::DRIFT;

/// Growth of the bytes that wait to be compacted, as a share of those that were written meanwhile, that is a debt: less
/// comes and goes.
const DEBT_SHARE: f64 = 0.1;
/// Share of the time in which writers are held back that is worth a doubt if it grows.
const STALL_SHARE: f64 = 0.01;

/// What is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judgement {
    /// Every slice met the objective, and nothing says that it would not have gone on.
    Pass,
    /// The evidence does not carry an answer.
    Inconclusive,
    /// A slice missed the objective and nothing else explains it, or data differ.
    Fail,
}

/// Something found in a mode that weighs on the judgement.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// The database does not hold what was acknowledged: the first difference.
    DataDiffer(String),
    /// Slices missed the objective while nothing disturbed them.
    Missed(u64),
    /// It was interrupted before its time.
    Interrupted {
        /// Slices that are whole.
        slices: u64,
        /// Slices asked for.
        of: u64,
    },
    /// Slices missed the objective while something took time away from the system under test.
    MissedDisturbed(u64),
    /// Too few samples stand behind the percentile in so many slices.
    TooFewSamples(u64),
    /// The load was given up: commands were too late.
    GaveUp,
    /// It ended early because the disk would have filled.
    FullDisk(FullDisk),
    /// What it stored could not be compared: the database was lost after the last slice.
    NotVerified,
    /// A latency rises and reaches the limit in as much time again.
    LatencyRises {
        /// Name of the figure: the objective's percentile, or `p50`.
        figure: &'static str,
        /// Nanoseconds.
        drift: Drift,
    },
    /// Bytes that wait to be compacted become more and more.
    DebtGrows(Drift),
    /// Writers are held back for longer and longer, milliseconds in a slice.
    StallsGrow(Drift),
    /// The median response time rose, and stays within the limit in as much time again.
    MedianRose(Drift),
    /// Too few slices on one database were undisturbed to tell a trend of latencies: so many.
    NoTrend(u64),
}

impl Finding {
    /// What it makes of the judgement.
    pub const fn weight(&self) -> Judgement {
        match self {
            Self::DataDiffer(_) | Self::Missed(_) => Judgement::Fail,
            Self::MedianRose(_) | Self::NoTrend(_) => Judgement::Pass,
            _ => Judgement::Inconclusive,
        }
    }
}

/// Judges a certification: what was found in which mode, heaviest first. One that was interrupted is inconclusive
/// whatever its slices say, unless data differ: it is not over.
pub fn judge(spec: &CertifySpec, outcome: &CertifyOutcome) -> (Judgement, Vec<(Durability, Finding)>) {
    let mut findings: Vec<_> = Vec::new();
    for mode in &outcome.modes {
        findings.extend(mode_findings(spec, mode).into_iter().map(|finding| (mode.durability, finding)));
    }
    for &durability in &spec.durabilities {
        if !outcome.modes.iter().any(|mode| mode.durability == durability) {
            findings.push((durability, Finding::Interrupted { slices: 0, of: spec.slices() }));
        }
    }
    findings.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.weight()));
    let heaviest = findings.iter().map(|(_, finding)| finding.weight()).max().unwrap_or(Judgement::Pass);
    let differ = findings.iter().any(|(_, finding)| matches!(finding, Finding::DataDiffer(_)));
    let judgement = if outcome.interrupted && !differ { Judgement::Inconclusive } else { heaviest };
    (judgement, findings)
}

fn mode_findings(spec: &CertifySpec, mode: &CertifiedMode) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(first) = mode.verified.as_ref().and_then(|verified| verified.differences.first()) {
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
    match mode.early_end {
        Some(EarlyEnd::GaveUp) => findings.push(Finding::GaveUp),
        Some(EarlyEnd::FullDisk(full)) => findings.push(Finding::FullDisk(full)),
        None if !mode.is_over => {
            findings.push(Finding::Interrupted { slices: mode.slices.len() as u64, of: mode.slices_asked });
        }
        None => {}
    }
    if mode.is_over && mode.verified.is_none() {
        findings.push(Finding::NotVerified);
    }
    findings.extend(trends(spec, mode));
    findings
}

/// What rises from slice to slice on the last database: another one begins anew.
fn trends(spec: &CertifySpec, mode: &CertifiedMode) -> Vec<Finding> {
    let slices = mode.on_last_database();
    let mut findings = latencies(spec, slices);
    findings.extend(debt(mode, slices));
    findings.extend(stalls(spec, slices));
    findings
}

fn latencies(spec: &CertifySpec, slices: &[JudgedSlice]) -> Vec<Finding> {
    // What others took from the system is no trend of it.
    let quiet: Vec<_> = slices.iter().filter(|slice| !slice.is_disturbed()).collect();
    if quiet.len() < FEWEST_FOR_A_TREND {
        return vec![Finding::NoTrend(quiet.len() as u64)];
    }
    let limit = spec.objective.limit_ns as f64;
    let percentiles: Vec<f64> =
        quiet.iter().filter_map(|slice| slice.percentile_ns).map(|value| value as f64).collect();
    let medians: Vec<f64> = quiet.iter().map(|slice| slice.median_ns as f64).collect();
    if let Some(drift) = Drift::upwards(&percentiles).filter(|drift| drift.at_twice > limit) {
        return vec![Finding::LatencyRises { figure: spec.objective.percentile.name(), drift }];
    }
    match Drift::upwards(&medians) {
        Some(drift) if drift.at_twice > limit => vec![Finding::LatencyRises { figure: "p50", drift }],
        Some(drift) if drift.change > DRIFT[1] => vec![Finding::MedianRose(drift)],
        _ => Vec::new(),
    }
}

/// Slices below which no trend is told from chance.
const FEWEST_FOR_A_TREND: usize = 8;

fn debt(mode: &CertifiedMode, slices: &[JudgedSlice]) -> Option<Finding> {
    let pending: Vec<f64> =
        slices.iter().filter_map(|slice| slice.pending_compaction_bytes).map(|bytes| bytes as f64).collect();
    let drift = Drift::upwards(&pending)?;
    (drift.to - drift.from > DEBT_SHARE * mode.payload_bytes as f64).then_some(Finding::DebtGrows(drift))
}

fn stalls(spec: &CertifySpec, slices: &[JudgedSlice]) -> Option<Finding> {
    let stalls: Vec<f64> = slices.iter().filter_map(|slice| slice.stall_ms).collect();
    let drift = Drift::upwards(&stalls)?;
    let slice_ms = 1e3 * f64::from(spec.slice_seconds());
    (drift.to > STALL_SHARE * slice_ms).then_some(Finding::StallsGrow(drift))
}
