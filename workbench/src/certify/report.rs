//! From what a certification showed to its certificate and its report.

use crate::actor::Durability;
use crate::certify::certificate::{
    CERTIFICATE_SCHEMA_VERSION, Certificate, CertifiedModeInfo, InterruptionInfo, SliceInfo,
};
use crate::certify::drift::Drift;
use crate::certify::inputs::CertifyInputs;
use crate::certify::journal::{Interruption, InterruptionKind};
use crate::certify::judge;
use crate::certify::judge::{Finding, Judgement};
use crate::certify::outcome::{CertifiedMode, CertifyOutcome};
use crate::certify::room::FullDisk;
use crate::certify::slices::JudgedSlice;
use crate::certify::spec::CertifySpec;
use crate::load::{Load, ModeOutcome};
use crate::measure::Disturbance;
use crate::report::{
    Assessment, Context, LoadKind, MeasuredMode, Outcome, Reason, ReasonKind, Report, ReportKind, Reproduce, Settings,
    Verdict, components, host_info, report, spec_json, verification,
};
use crate::units;

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
        host: host_info(context.host, context.sync_probe),
        data_directory: context.data_directory.display().to_string(),
        modes: outcome.modes.iter().map(mode_info).collect(),
        interruptions: outcome.interruptions.iter().map(interruption_info).collect(),
        warnings: Assessment::of_host(context.host.logical_cores, context.host_warnings).warnings,
        reproduce: Reproduce {
            command: context.command.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            components: components(),
        },
        body_sha256: String::new(),
    };
    certificate.sealed()
}

/// The report beside a certificate: its segments as rounds, slice by slice. `modes` are those of the outcome with all that
/// was measured.
pub fn certify_report(
    context: &Context<'_>,
    spec: &CertifySpec,
    certificate: &Certificate,
    modes: &[ModeOutcome],
    arrivals: crate::workload::Arrivals,
    harness_ns_per_operation: f64,
) -> Report {
    let shown = modes.iter().map(|mode| {
        let shown = MeasuredMode {
            durability: mode.durability,
            rounds: &mode.rounds,
            verified: mode.verified.as_ref(),
            size: mode.size,
            offered: Some(spec.rate_per_second),
            harness_ns_per_operation,
            seed: context.source.seed(),
        };
        shown.result()
    });
    let segment_seconds = spec.slices_per_segment() * u64::from(spec.slice_seconds());
    let settings = Settings {
        load_kind: LoadKind::Open,
        load: Load::Open { per_second: spec.rate_per_second, arrivals }.to_string(),
        workers_count: u32::try_from(context.workers).unwrap_or(u32::MAX),
        rounds_count: modes.iter().map(|mode| u32::try_from(mode.rounds.len()).unwrap_or(u32::MAX)).max().unwrap_or(0),
        warmup_seconds: spec.warmup.most().as_secs_f64(),
        measure_seconds: Some(segment_seconds as f64),
        seed: context.source.seed(),
        machine_spec: spec_json(context.machine_spec),
        data_directory: context.data_directory.display().to_string(),
    };
    let assessment = Assessment::of_host(context.host.logical_cores, context.host_warnings);
    report(context, ReportKind::Run, certificate.verdict.clone(), settings, shown.collect(), assessment)
}

fn verdict(context: &Context<'_>, spec: &CertifySpec, outcome: &CertifyOutcome) -> Verdict {
    let (judgement, findings) = judge(spec, outcome);
    let told: Vec<_> = outcome.modes.iter().map(|mode| mode_sentence(spec, mode)).collect();
    let what = format!("{} at {} commands/s", context.source.name(), units::number(spec.rate_per_second));
    let but = findings.iter().find(|(_, finding)| finding.weight() == Judgement::Inconclusive);
    let answer = match judgement {
        Judgement::Pass => "held".to_owned(),
        Judgement::Fail => "not held".to_owned(),
        Judgement::Inconclusive if outcome.interrupted => "not over".to_owned(),
        Judgement::Inconclusive if all_met(outcome) && but.is_some() => "it held, but".to_owned(),
        Judgement::Inconclusive => "not told".to_owned(),
    };
    let mut reasons: Vec<Reason> = findings
        .iter()
        .map(|(durability, finding)| Reason::new(reason_kind(finding), reason(spec, *durability, finding)))
        .collect();
    let resumed = outcome.interruptions.iter().filter(|seen| seen.resumed_at.is_some());
    reasons.extend(resumed.map(|seen| Reason::new(ReasonKind::Resumption, resumption(seen))));
    let sentence = match (answer.as_str(), but) {
        ("it held, but", Some((durability, finding))) => {
            format!("{what}: it held, but {}. {}.", reason(spec, *durability, finding), told.join("; "))
        }
        _ => format!("{what}: {answer}; {}.", told.join("; ")),
    };
    Verdict {
        outcome: match judgement {
            Judgement::Pass => Outcome::Pass,
            Judgement::Fail => Outcome::Fail,
            Judgement::Inconclusive => Outcome::Inconclusive,
        },
        sentence,
        certainty: None,
        reasons,
    }
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

/// `durability on, 30 min: the worst of 180 slices of 10 s has persist p99 4.3 ms, the limit is 10 ms`.
fn mode_sentence(spec: &CertifySpec, mode: &CertifiedMode) -> String {
    let slices = mode.slices.len() as u64;
    let slice_seconds = f64::from(spec.slice_seconds());
    let driven = units::seconds(slices as f64 * slice_seconds);
    let (name, limit) = (spec.objective.percentile, units::duration(spec.objective.limit_ns as f64));
    let worst = match mode.worst() {
        None => "no slice is whole".to_owned(),
        Some(worst) => format!(
            "the worst of {} slices of {} has {name} {}, the limit is {limit}",
            units::count(slices),
            units::seconds(slice_seconds),
            value(worst.percentile_ns)
        ),
    };
    format!("durability {}, {driven}: {worst}", mode.durability)
}

fn value(nanoseconds: Option<u64>) -> String {
    nanoseconds.map_or_else(|| "unknown".to_owned(), |value| units::duration(value as f64))
}

fn reason(spec: &CertifySpec, durability: Durability, finding: &Finding) -> String {
    let name = spec.objective.percentile;
    let limit = units::duration(spec.objective.limit_ns as f64);
    let text = match finding {
        Finding::DataDiffer(first) => format!("the database does not hold what was acknowledged: {first}"),
        Finding::Missed(slices) => {
            format!("{} missed {name} {limit} while nothing disturbed the machine", slices_text(*slices))
        }
        Finding::MissedDisturbed(slices) => format!(
            "{} missed {name} {limit} while something else took time away from the system; certify again when the \
             machine is idle",
            slices_text(*slices)
        ),
        Finding::Interrupted { slices, of } => {
            format!("it was interrupted after {} of {} slices", units::count(*slices), units::count(*of))
        }
        Finding::TooFewSamples(slices) => {
            format!("in {} too few samples stand behind {name}; take longer slices", slices_text(*slices))
        }
        Finding::GaveUp => "the load was given up: commands were too late to be served".to_owned(),
        Finding::FullDisk(FullDisk { database_bytes, free_bytes, expected_bytes }) => format!(
            "it ended early because the disk would have filled: the database has {}, the rest of the time is expected to \
             take {}, and {} are free",
            units::bytes(*database_bytes as f64),
            units::bytes(*expected_bytes as f64),
            units::bytes(*free_bytes as f64)
        ),
        Finding::NotVerified => "the database was lost after the last slice, so it was not verified".to_owned(),
        Finding::LatencyRises { figure, drift } => format!(
            "{figure} rises from slice to slice, {}, and would reach {} in as much time again, beyond the limit of {limit}",
            from_to(drift, units::duration),
            units::duration(drift.at_twice)
        ),
        Finding::DebtGrows(drift) => format!(
            "the engine owes more and more: bytes waiting to be compacted grew {}",
            from_to(drift, units::bytes)
        ),
        Finding::StallsGrow(drift) => format!(
            "the engine holds writers back for longer and longer: {} in each slice",
            from_to(drift, |milliseconds| units::duration(1e6 * milliseconds))
        ),
        Finding::MedianRose(drift) => format!(
            "the median response time rose {}, within the limit in as much time again",
            from_to(drift, units::duration)
        ),
        Finding::NoTrend(slices) => {
            format!(
                "{} on the last database that nothing disturbed tell no trend of latencies; eight would",
                slices_text(*slices)
            )
        }
    };
    format!("durability {durability}: {text}")
}

fn slices_text(slices: u64) -> String {
    units::counted(slices, "slice")
}

/// `from 1 ms to 2 ms`: the medians of the first and the last third.
fn from_to(drift: &Drift, format: impl Fn(f64) -> String) -> String {
    format!("from {} to {}", format(drift.from), format(drift.to))
}

fn resumption(interruption: &Interruption) -> String {
    let database = if interruption.database_is_new { "a new database" } else { "the same database" };
    format!(
        "durability {}: it was interrupted after {} and went on with {database}",
        interruption.durability,
        slices_text(interruption.after_slices)
    )
}

fn mode_info(mode: &CertifiedMode) -> CertifiedModeInfo {
    let count = |is: &dyn Fn(&JudgedSlice) -> bool| mode.slices.iter().filter(|slice| is(slice)).count() as u64;
    CertifiedModeInfo {
        durability: mode.durability.into(),
        slices_asked_count: mode.slices_asked,
        slices_count: mode.slices.len() as u64,
        slices_missed_count: count(&JudgedSlice::is_missed),
        slices_missed_disturbed_count: count(&|slice| slice.is_missed() && slice.is_disturbed()),
        worst_slice: mode.worst().map(slice_info),
        median_slice_ns: mode.median_percentile_ns(),
        pauses_count: mode.pauses_seconds.len() as u64,
        pauses_seconds: mode.pauses_seconds.iter().sum(),
        longest_pause_seconds: mode.pauses_seconds.iter().copied().fold(0.0, f64::max),
        databases_count: mode.databases,
        database_bytes: mode.verified.as_ref().map(|_| mode.size.database_bytes),
        verification: verification(mode.verified.as_ref()),
        slices: mode.slices.iter().map(slice_info).collect(),
    }
}

fn slice_info(slice: &JudgedSlice) -> SliceInfo {
    let late = slice.late_generator.then(|| "the generator itself began commands late".to_owned());
    SliceInfo {
        at_seconds: slice.at_seconds,
        began_at: slice.began_at.to_string(),
        database_number: slice.database,
        count: slice.count,
        percentile_ns: slice.percentile_ns,
        p50_ns: slice.median_ns,
        max_ns: slice.max_ns,
        commands_per_second: slice.commands_per_second,
        met: slice.met,
        fell_behind: slice.fell_behind,
        disturbed_by: slice.disturbances.iter().map(|&seen| disturbance(seen)).chain(late).collect(),
        stall_ms: slice.stall_ms,
        pending_compaction_bytes: slice.pending_compaction_bytes,
    }
}

fn disturbance(disturbance: Disturbance) -> String {
    match disturbance {
        Disturbance::Steal(percent) => format!("the hypervisor took {} of the CPU time", units::percent(percent)),
        Disturbance::ForeignCores(cores) => format!("other processes kept {cores:.1} cores busy"),
        Disturbance::Swap(bytes) => format!("the machine swapped {}", units::bytes(bytes as f64)),
    }
}

fn interruption_info(interruption: &Interruption) -> InterruptionInfo {
    InterruptionInfo {
        durability: interruption.durability.into(),
        after_slices_count: interruption.after_slices,
        kind: match interruption.kind {
            InterruptionKind::Stopped => "stopped",
            InterruptionKind::Ended => "ended",
        }
        .to_owned(),
        stopped_at: interruption.stopped_at.map(|moment| moment.to_string()),
        resumed_at: interruption.resumed_at.map(|moment| moment.to_string()),
        database_is_new: interruption.database_is_new,
    }
}
