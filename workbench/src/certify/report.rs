//! From the outcome of a certification to its certificate and its report.

use super::certificate::{CERTIFICATE_SCHEMA_VERSION, Certificate, CertifiedModeInfo};
use super::drift::Drift;
use super::inputs::CertifyInputs;
use super::judge::{Finding, judge};
use super::outcome::{CertifiedMode, CertifyOutcome};
use super::slices::JudgedSlice;
use super::space_forecast::SpaceForecast;
use super::spec::CertifySpec;
use super::state::Interruption;
use crate::actor::Durability;
use crate::load::{HarnessCost, Load, ModeOutcome};
use crate::report::{
    Assessment, CertificateInfo, CertifiedSlice, CertifiedSlices, Context, MeasuredMode, Outcome, Reason, ReasonKind,
    Report, ReportKind, Settings, SloInfo, Verdict, host_info, report, slo_info, verification,
};
use crate::units;
use crate::workload::{Arrivals, path_text};

/// The certificate of a certification that ended at `ended_at`, RFC 3339 in UTC.
pub fn certificate(
    context: &Context<'_>,
    spec: &CertifySpec,
    inputs: &CertifyInputs,
    outcome: &CertifyOutcome,
    ended_at: String,
) -> Certificate {
    let certificate = Certificate {
        schema_version: CERTIFICATE_SCHEMA_VERSION,
        verdict: verdict(context, spec, outcome),
        inputs: inputs.clone(),
        inputs_sha256: String::new(),
        started_at: context.started_at.clone(),
        ended_at,
        host: host_info(context.host, context.disk),
        data_directory: path_text(context.data_directory),
        modes: outcome.modes.iter().map(mode_info).collect(),
        interruptions: outcome.interruptions.clone(),
        warnings: Assessment::of_host(context.host.logical_cores, context.host_warnings).warnings,
        reproduce: context.reproduce(),
        checksum_sha256: String::new(),
    };
    certificate.with_checksums()
}

/// The report beside a certificate, with segments as rounds. `modes` are those of the outcome with all measurements.
pub(super) fn certify_report(
    context: &Context<'_>,
    spec: &CertifySpec,
    certificate: &Certificate,
    modes: &[ModeOutcome],
    arrivals: Arrivals,
    harness: HarnessCost,
) -> Report {
    let shown = modes.iter().map(|mode| {
        let shown = MeasuredMode {
            durability: mode.durability,
            rounds: &mode.rounds,
            verified: mode.verified.as_ref(),
            size: mode.size,
            offered: Some(spec.rate_per_second),
            harness,
            writers: spec.writers.of(mode.durability),
            source: context.source,
        };
        shown.result()
    });
    let slices = spec.slices_per_segment().min(spec.slices());
    let segment_seconds = slices * u64::from(spec.slice_seconds());
    let load = Load::Open { per_second: spec.rate_per_second, arrivals };
    let settings = Settings {
        rounds_count: modes.iter().map(|mode| u32::try_from(mode.rounds.len()).unwrap_or(u32::MAX)).max().unwrap_or(0),
        warmup_seconds: spec.warmup.most().as_secs_f64(),
        measure_seconds: Some(segment_seconds as f64),
        ..context.settings(load.into(), load.to_string())
    };
    let assessment = Assessment::of_host(context.host.logical_cores, context.host_warnings);
    let modes = shown.collect();
    let report = report(context, ReportKind::Run, certificate.verdict.clone(), settings, modes, assessment);
    let slo = slo_info(context.source, &spec.objective);
    let certificate = slo.clone().map(|slo| certificate_info(slo, spec, certificate));
    Report { objective: slo, certificate, ..report }
}

fn certificate_info(slo: SloInfo, spec: &CertifySpec, certificate: &Certificate) -> CertificateInfo {
    let slice = |slice: &JudgedSlice| CertifiedSlice {
        at_seconds: slice.at_seconds,
        percentile_ns: slice.percentile_ns,
        is_missed: slice.is_missed(),
        is_disturbed: slice.is_disturbed(),
    };
    let mode = |mode: &CertifiedModeInfo| CertifiedSlices {
        durability: mode.durability,
        planned_count: mode.slices_planned_count,
        slices: mode.slices.iter().map(slice).collect(),
    };
    CertificateInfo {
        rate_per_second: spec.rate_per_second,
        slo,
        slice_seconds: spec.slice_seconds(),
        checksum_sha256: certificate.checksum_sha256.clone(),
        modes: certificate.modes.iter().map(mode).collect(),
    }
}

fn verdict(context: &Context<'_>, spec: &CertifySpec, outcome: &CertifyOutcome) -> Verdict {
    let (judged, findings) = judge(spec, outcome);
    let what = format!("{} at {}", context.source.name(), units::commands_per_second(spec.rate_per_second));
    let modes = outcome.modes.iter().map(|mode| mode_sentence(spec, mode)).collect::<Vec<_>>().join("; ");
    let doubt = findings.iter().find(|(_, finding)| finding.demands() == Outcome::Inconclusive);
    let sentence = match (judged, doubt) {
        (Outcome::Pass, _) => format!("{what}: sustained; {modes}."),
        (Outcome::Fail, _) => format!("{what}: not sustained; {modes}."),
        (Outcome::Inconclusive, _) if outcome.interrupted => format!("{what}: not finished; {modes}."),
        (Outcome::Inconclusive, Some((durability, finding))) if all_met(outcome) => {
            format!("{what}: sustained, but {}. {modes}.", reason(spec, *durability, finding))
        }
        (Outcome::Inconclusive, _) => format!("{what}: inconclusive; {modes}."),
    };
    let found = findings
        .iter()
        .map(|(durability, finding)| Reason::new(reason_kind(finding), reason(spec, *durability, finding)));
    let resumed = outcome.interruptions.iter().filter(|interruption| interruption.resumed_at.is_some());
    let resumed = resumed.map(|interruption| Reason::new(ReasonKind::Resumption, resumption(interruption)));
    let reasons = found.chain(resumed).collect();
    Verdict { outcome: judged, sentence, certainty: None, reasons }
}

const fn reason_kind(finding: &Finding) -> ReasonKind {
    match finding {
        Finding::DataDiffer(_) => ReasonKind::DataLoss,
        Finding::Missed(_) => ReasonKind::Objective,
        Finding::MissedDisturbed(_) => ReasonKind::Disturbance,
        Finding::MedianRose(_) | Finding::NoTrend(_) => ReasonKind::Coverage,
        _ => ReasonKind::Doubt,
    }
}

fn all_met(outcome: &CertifyOutcome) -> bool {
    outcome.modes.iter().flat_map(|mode| &mode.slices).all(|slice| slice.met == Some(true) && !slice.fell_behind)
}

/// `durability on, 30 min: the worst of 180 slices of 10 s has p99 4.3 ms, the limit is 10 ms`.
fn mode_sentence(spec: &CertifySpec, mode: &CertifiedMode) -> String {
    let slices = mode.slices.len() as u64;
    let slice_seconds = f64::from(spec.slice_seconds());
    let measured = units::seconds(slices as f64 * slice_seconds);
    let (name, limit) = (spec.objective.percentile, units::duration(spec.objective.limit_ns as f64));
    let worst = match mode.worst() {
        None => "no slice is whole".to_owned(),
        Some(worst) => format!(
            "the worst of {} slices of {} has {name} {}, the limit is {limit}",
            units::count(slices),
            units::seconds(slice_seconds),
            worst.percentile_ns.map_or_else(|| "unknown".to_owned(), |value| units::duration(value as f64))
        ),
    };
    format!("durability {}, {measured}: {worst}", mode.durability)
}

fn reason(spec: &CertifySpec, durability: Durability, finding: &Finding) -> String {
    let name = spec.objective.percentile;
    let limit = units::duration(spec.objective.limit_ns as f64);
    let text = match finding {
        Finding::DataDiffer(first) => format!("the database differs from what was acknowledged: {first}"),
        Finding::Missed(slices) => format!("{} missed {name} {limit} undisturbed", slices_text(*slices)),
        Finding::MissedDisturbed(slices) => format!(
            "{} missed {name} {limit} while disturbed; certify again when the machine is idle",
            slices_text(*slices)
        ),
        Finding::Interrupted { slices, of } => {
            format!("it was interrupted after {} of {} slices", units::count(*slices), units::count(*of))
        }
        Finding::TooFewSamples(slices) => {
            format!("{} have too few samples for {name}; choose a longer --slice", slices_text(*slices))
        }
        Finding::GaveUp => "the load was aborted: the rate could not be served".to_owned(),
        Finding::FullDisk(SpaceForecast { database_bytes, free_bytes, expected_bytes }) => format!(
            "it ended early to keep the disk from filling: the database has {}, the rest of the time is expected to use {}, \
             and {} are free",
            units::bytes(*database_bytes as f64),
            units::bytes(*expected_bytes as f64),
            units::bytes(*free_bytes as f64)
        ),
        Finding::NotVerified => "the database was lost after the last slice and could not be verified".to_owned(),
        Finding::LatencyRises { percentile, drift } => format!(
            "{percentile} rises {} and would reach {} in as much time again, above the limit of {limit}",
            from_to(drift, units::duration),
            units::duration(drift.at_twice)
        ),
        Finding::DebtGrows(drift) => format!("bytes pending compaction grew {}", from_to(drift, units::bytes)),
        Finding::StallsGrow(drift) => format!(
            "write stalls grew {} per slice",
            from_to(drift, |milliseconds| units::duration(1e6 * milliseconds))
        ),
        Finding::MedianRose(drift) => format!(
            "the median response time rose {}, within the limit in as much time again",
            from_to(drift, units::duration)
        ),
        Finding::NoTrend(slices) => format!(
            "{} undisturbed on the last database are too few for a trend of latencies, which needs eight",
            slices_text(*slices)
        ),
    };
    format!("durability {durability}: {text}")
}

fn slices_text(slices: u64) -> String {
    units::counted(slices, "slice")
}

/// `from 1 ms to 2 ms`: medians of the first and the last third.
fn from_to(drift: &Drift, format: impl Fn(f64) -> String) -> String {
    format!("from {} to {}", format(drift.from), format(drift.to))
}

fn resumption(interruption: &Interruption) -> String {
    let database = if interruption.database_is_new { "a new database" } else { "the same database" };
    format!(
        "durability {}: it was interrupted after {} and resumed with {database}",
        interruption.durability,
        slices_text(interruption.after_slices_count)
    )
}

fn mode_info(mode: &CertifiedMode) -> CertifiedModeInfo {
    let count = |is: &dyn Fn(&JudgedSlice) -> bool| mode.slices.iter().filter(|slice| is(slice)).count() as u64;
    let finished = mode.state.finished.as_ref();
    CertifiedModeInfo {
        durability: mode.durability,
        slices_planned_count: mode.slices_planned,
        slices_count: mode.slices.len() as u64,
        slices_missed_count: count(&JudgedSlice::is_missed),
        slices_missed_disturbed_count: count(&|slice| slice.is_missed() && slice.is_disturbed()),
        worst_slice: mode.worst().cloned(),
        median_slice_ns: mode.median_percentile_ns(),
        pauses_count: mode.pauses_seconds.len() as u64,
        pauses_seconds: mode.pauses_seconds.iter().sum(),
        longest_pause_seconds: mode.pauses_seconds.iter().copied().fold(0.0, f64::max),
        databases_count: mode.state.databases,
        database_bytes: finished
            .filter(|finished| finished.verified.is_some())
            .map(|finished| finished.size.database_bytes),
        verification: verification(mode.verified()),
        slices: mode.slices.clone(),
    }
}
