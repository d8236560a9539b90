//! The report of a plan.

use crate::host::UnsyncedAge;
use crate::load::Measurement;
use crate::measure::{LatencyHistogram, Percentile};
use crate::plan::advice;
use crate::plan::engine::{ModePlan, PlanOutcome, PlanSpec};
use crate::plan::evidence::{MachineVerdict, Support};
use crate::plan::judge::Rejection;
use crate::plan::search::{Findings, Probe};
use crate::plan::what_if::WhatIf;
use crate::report::{
    Assessment, Band, Capacity, ContainerLimits, Context, DurabilityPrice, Evidence, ExpectedLatency, ForecastInfo,
    LoadKind, MachineLatency, MachineMode, ModeResult, Outcome, PlanResult, ProbeResult, ProfileEvidence, Reason,
    ReasonKind, Recommendation, Report, ReportKind, ScalingCurveInfo, ScalingInfo, ScalingPointInfo, Settings, Shown,
    SloInfo, Verdict, WhatIfInfo, latency_info, report, spec_json,
};
use crate::units;

/// Durability off may seem slower than on by this much before it is a contradiction.
const PLAUSIBLE_SHARE: f64 = 0.8;

/// What a plan's report says beside what the plan found.
#[derive(Debug, Clone)]
pub struct PlanFacts {
    /// How machines were emulated.
    pub emulation: String,
    /// How old an acknowledged write can get before it is on the disk, without durability.
    pub unsynced: UnsyncedAge,
    /// What will be at the target.
    pub forecast: Option<ForecastInfo>,
}

/// The same plan under other figures.
#[derive(Debug)]
pub struct WhatIfPlan<'a> {
    /// What is changed.
    pub what_if: &'a WhatIf,
    /// What was measured under the changes; `None` where they change nothing that is measured.
    pub measured: Option<(&'a Context<'a>, &'a PlanSpec, &'a PlanFacts, &'a PlanOutcome)>,
}

/// The report of a plan, and of the same under other figures.
pub fn plan_report(
    context: &Context<'_>,
    spec: &PlanSpec,
    facts: &PlanFacts,
    outcome: &PlanOutcome,
    what_if: Option<&WhatIfPlan<'_>>,
) -> Report {
    let mut assessment = Assessment::of_host(context.host.logical_cores, context.host_warnings);
    if outcome.interrupted {
        assessment.interrupted();
    }
    let mut modes = Vec::new();
    for mode in &outcome.modes {
        if let Some(findings) = mode.principal() {
            assess(mode, findings, &mut assessment);
            modes.push(mode_result(context, outcome, mode, findings));
        }
    }
    doubt_contradiction(outcome, &mut assessment);
    let mut plan = plan_result(context, spec, facts, outcome);
    plan.what_if = what_if.map(|other| {
        let changes = other.what_if.to_string();
        match other.measured {
            Some((context, spec, facts, outcome)) => {
                WhatIfInfo::measured(changes, &plan, &plan_result(context, spec, facts, outcome))
            }
            None => WhatIfInfo::at_target(changes, &plan, other.what_if.target(spec.target_per_second)),
        }
    });
    let verdict = verdict(context, &plan, outcome, &assessment);
    let settings = settings(context, spec);
    Report { plan: Some(plan), ..report(context, ReportKind::Plan, verdict, settings, modes, assessment) }
}

fn plan_result(context: &Context<'_>, spec: &PlanSpec, facts: &PlanFacts, outcome: &PlanOutcome) -> PlanResult {
    PlanResult {
        target_per_second: spec.target_per_second,
        headroom_percent: spec.headroom_percent,
        required_per_second: outcome.required_per_second,
        emulation: facts.emulation.clone(),
        slo: SloInfo {
            command: outcome.command.name().to_owned(),
            percentile: spec.objective.percentile,
            limit_ns: spec.objective.limit_ns,
        },
        capacities: outcome.modes.iter().filter_map(|mode| capacity(context, spec, facts, outcome, mode)).collect(),
        profiles: profiles(spec, outcome),
        durability_price: price(spec, facts, outcome),
        scaling: outcome.modes.iter().filter_map(scaling).collect(),
        forecast: facts.forecast.clone(),
        what_if: None,
        recommendations: outcome.modes.iter().map(|mode| recommendation(context, spec, outcome, mode)).collect(),
    }
}

fn assess(mode: &ModePlan, findings: &Findings, assessment: &mut Assessment) {
    let offered = findings.held.first().map(|held| held.rate_per_second);
    let verified = findings.finished.as_ref().and_then(|finished| finished.verified.as_ref());
    assessment.mode(&mode.durability.to_string(), findings.rounds(), offered, verified);
    // A search that ended on a rate with too few samples did not end on evidence.
    let sparse = findings.probes.iter().any(|probe| probe.rejection == Some(Rejection::TooFewSamples));
    if sparse && findings.held.is_empty() {
        assessment.doubts.push(format!(
            "durability {}: too few commands to tell the percentile at the rates tried; use --thorough or a lower \
             percentile",
            mode.durability
        ));
    }
}

/// Writes that wait for the disk are not faster than the same writes that do not: if they seem so, something else was.
fn doubt_contradiction(outcome: &PlanOutcome, assessment: &mut Assessment) {
    let rate_of = |on: bool| {
        let mode = outcome.modes.iter().find(|mode| mode.durability.is_on() == on)?;
        mode.sustained_per_second()
    };
    let (Some(off), Some(on)) = (rate_of(false), rate_of(true)) else { return };
    if off < PLAUSIBLE_SHARE * on {
        assessment.doubts.push(format!(
            "durability off met the objective up to {} commands/s, less than the {} with durability on: the machine was \
             disturbed, measure again",
            units::number(off),
            units::number(on)
        ));
    }
}

fn mode_result(context: &Context<'_>, outcome: &PlanOutcome, mode: &ModePlan, findings: &Findings) -> ModeResult {
    let finished = findings.finished.as_ref();
    let shown = Shown {
        durability: mode.durability,
        rounds: findings.rounds(),
        verified: finished.and_then(|finished| finished.verified.as_ref()),
        size: finished.map_or_else(Default::default, |finished| finished.size),
        offered: findings.held.first().map(|held| held.rate_per_second),
        harness_ns_per_operation: outcome.harness_ns_per_operation,
        seed: context.source.seed(),
    };
    shown.result()
}

fn settings(context: &Context<'_>, spec: &PlanSpec) -> Settings {
    Settings {
        load_kind: LoadKind::Search,
        load: "closed loop for the ceiling, then open loop at the rates of the search".to_owned(),
        workers_count: u32::try_from(context.workers).unwrap_or(u32::MAX),
        rounds_count: spec.effort.confirmations,
        warmup_seconds: spec.effort.warmup.as_secs_f64(),
        measure_seconds: Some(spec.effort.probe.as_secs_f64()),
        seed: context.source.seed(),
        machine_spec: spec_json(context.machine_spec),
        data_directory: context.data_directory.display().to_string(),
    }
}

fn recommendation(context: &Context<'_>, spec: &PlanSpec, outcome: &PlanOutcome, mode: &ModePlan) -> Recommendation {
    let durability = mode.durability;
    let Some(verdict) = mode.recommended() else {
        return Recommendation {
            durability: durability.into(),
            profile: None,
            machine_spec: None,
            container: None,
            expected: None,
            database_bytes: None,
            sentence: format!("With durability {durability}, none of these: {}", advice::why_none(outcome, mode)),
        };
    };
    let machine = &verdict.machine;
    Recommendation {
        durability: durability.into(),
        profile: Some(machine.name.clone()),
        machine_spec: Some(spec_json(&machine.spec())),
        container: Some(ContainerLimits {
            cpu_cores_count: u32::try_from(machine.cores).unwrap_or(u32::MAX),
            memory_mib: machine.usable_ram_bytes() >> 20,
        }),
        expected: expected(context, spec, outcome, mode),
        database_bytes: mode.principal().and_then(|found| Some(found.held.first()?.footprint.database_bytes)),
        sentence: advice::take(spec, outcome, mode, verdict),
    }
}

fn expected(context: &Context<'_>, spec: &PlanSpec, outcome: &PlanOutcome, mode: &ModePlan) -> Option<ExpectedLatency> {
    let latency = mode.at_target.as_ref()?.measurement.command(outcome.command)?;
    Some(ExpectedLatency {
        command: outcome.command.name().to_owned(),
        per_second: spec.target_per_second,
        response: latency_info(&latency.response, &latency.slices, context.source.seed()),
    })
}

fn verdict(context: &Context<'_>, plan: &PlanResult, outcome: &PlanOutcome, assessment: &Assessment) -> Verdict {
    let recommendations = &plan.recommendations;
    let all = recommendations.iter().all(|recommendation| recommendation.profile.is_some());
    let mut reasons = assessment.reasons();
    reasons.extend(recommendations.iter().map(|recommendation| {
        let kind = if recommendation.profile.is_some() { ReasonKind::Recommendation } else { ReasonKind::NoMachine };
        Reason::new(kind, recommendation.sentence.clone())
    }));
    let coverage = outcome.modes.iter().filter_map(advice::memory).chain(advice::growth(outcome));
    reasons.extend(coverage.map(|text| Reason::new(ReasonKind::Coverage, text)));
    reasons.extend(plan.forecast.as_ref().map(|known| Reason::new(ReasonKind::Forecast, advice::outlook(known))));
    let ended = assessment.outcome(if all { Outcome::Pass } else { Outcome::Fail }, true);
    Verdict {
        outcome: ended,
        sentence: advice::sentence(context.source, plan),
        certainty: Some(super::certainty::of_plan(outcome, plan, assessment, ended)),
        reasons,
    }
}

/// Growth of the database per command, bytes: from the search that issued the most commands, since what a command stores
/// does not depend on durability and a larger sample carries less of what a database holds when it is new.
fn bytes_per_command(outcome: &PlanOutcome) -> f64 {
    let finished = outcome.modes.iter().flat_map(|mode| &mode.searched).filter_map(|found| found.finished.as_ref());
    finished.max_by_key(|finished| finished.commands).map_or(0.0, |finished| {
        let grown = finished.size.database_bytes.saturating_sub(finished.database_bytes_before);
        grown as f64 / finished.commands.max(1) as f64
    })
}

fn growth_per_day(spec: &PlanSpec, outcome: &PlanOutcome) -> f64 {
    bytes_per_command(outcome) * spec.target_per_second * units::DAY_SECONDS
}

fn capacity(
    context: &Context<'_>,
    spec: &PlanSpec,
    facts: &PlanFacts,
    outcome: &PlanOutcome,
    mode: &ModePlan,
) -> Option<Capacity> {
    let findings = mode.principal()?;
    let forecast = facts.forecast.as_ref().map(|forecast| forecast.growth_per_day_bytes.expected);
    let per_day = forecast.unwrap_or_else(|| growth_per_day(spec, outcome));
    Some(Capacity {
        durability: mode.durability.into(),
        machine: Some(findings.machine.name.clone()),
        saturation_per_second: findings.ceiling_per_second(),
        sustained_per_second: findings.sustained_per_second(),
        probes: findings.probes.iter().map(probe_result).collect(),
        database_bytes_per_million_commands: 1e6 * per_day / (spec.target_per_second * units::DAY_SECONDS),
        database_bytes_per_day_at_target: per_day,
        days_until_disk_full: (per_day > 0.0).then(|| context.host.disk.free_bytes as f64 / per_day),
    })
}

fn probe_result(probe: &Probe) -> ProbeResult {
    ProbeResult {
        offered_per_second: probe.offered_per_second,
        achieved_per_second: probe.achieved_per_second,
        p50_ns: probe.median_ns,
        slo_percentile_ns: probe.percentile_ns,
        worst_slice_ns: probe.worst_ns,
        met: probe.rejection.is_none(),
        note: probe.rejection.map_or("meets the objective", Rejection::reason).to_owned(),
    }
}

impl From<Support> for Evidence {
    fn from(support: Support) -> Self {
        match support {
            Support::Measured => Self::Measured,
            Support::Emulated => Self::Emulated,
            Support::CoresEmulated => Self::CoresEmulated,
            Support::Implied => Self::Implied,
            Support::Extrapolated => Self::Extrapolated,
            Support::NotMeasured => Self::NotMeasured,
        }
    }
}

fn profiles(spec: &PlanSpec, outcome: &PlanOutcome) -> Vec<ProfileEvidence> {
    let Some(first) = outcome.modes.first() else { return Vec::new() };
    first.verdicts.iter().map(|verdict| profile(spec, outcome, verdict)).collect()
}

fn profile(spec: &PlanSpec, outcome: &PlanOutcome, first: &MachineVerdict) -> ProfileEvidence {
    let machine = &first.machine;
    let verdicts: Vec<_> = outcome
        .modes
        .iter()
        .filter_map(|mode| Some((mode, mode.verdicts.iter().find(|verdict| verdict.machine == *machine)?)))
        .collect();
    let rate = |on: bool| {
        let of_mode = verdicts.iter().find(|(mode, _)| mode.durability.is_on() == on);
        of_mode.and_then(|(_, verdict)| verdict.sustained_per_second)
    };
    let strongest = verdicts.iter().map(|(_, verdict)| verdict.support).min_by_key(|&support| support as u8);
    ProfileEvidence {
        profile: machine.name.clone(),
        cpu_cores_count: u32::try_from(machine.cores).unwrap_or(u32::MAX),
        ram_bytes: machine.ram_mb << 20,
        evidence: strongest.unwrap_or(Support::NotMeasured).into(),
        durability_off_per_second: rate(false),
        durability_on_per_second: rate(true),
        reason: reasons(&verdicts),
        modes: verdicts.iter().map(|(mode, verdict)| machine_mode(spec, outcome, mode, verdict)).collect(),
    }
}

/// Both modes' reasons, once if they are the same.
fn reasons(verdicts: &[(&ModePlan, &MachineVerdict)]) -> String {
    match verdicts {
        [(_, first), rest @ ..] if rest.iter().all(|(_, other)| other.reason == first.reason) => first.reason.clone(),
        _ => {
            let told =
                |(mode, verdict): &(&ModePlan, &MachineVerdict)| format!("{}: {}", mode.durability, verdict.reason);
            verdicts.iter().map(told).collect::<Vec<_>>().join("; ")
        }
    }
}

fn machine_mode(spec: &PlanSpec, outcome: &PlanOutcome, mode: &ModePlan, verdict: &MachineVerdict) -> MachineMode {
    let findings = mode.searched.iter().find(|findings| findings.machine == verdict.machine);
    MachineMode {
        durability: mode.durability.into(),
        evidence: verdict.support.into(),
        sustained_per_second: verdict.sustained_per_second,
        range_per_second: verdict.range_per_second,
        holds: verdict.holds,
        binding_resource: verdict.binding.as_ref().map(|binding| binding.resource.name().to_owned()),
        binding_evidence: verdict.binding.as_ref().map(|binding| binding.evidence.clone()),
        memory_peak_bytes: verdict.memory_peak_bytes,
        process_peak_bytes: findings.map(|findings| findings.rss_peak_bytes).filter(|&bytes| bytes > 0),
        latency: findings.and_then(|findings| machine_latency(spec, outcome, mode, findings)),
        reason: verdict.reason.clone(),
    }
}

/// The objective's percentile: at the target where that was measured, else at the lowest rate that held.
fn machine_latency(
    spec: &PlanSpec,
    outcome: &PlanOutcome,
    mode: &ModePlan,
    findings: &Findings,
) -> Option<MachineLatency> {
    let is_recommended = mode.recommended().is_some_and(|verdict| verdict.machine == findings.machine);
    let percentile = spec.objective.percentile;
    if is_recommended && mode.at_target.is_some() {
        let value_ns = response(outcome, mode)?.percentile(percentile)?;
        return Some(MachineLatency { value_ns, per_second: spec.target_per_second });
    }
    let held = findings.held.first()?;
    let all = Measurement::over_rounds(held.drives.iter().map(|drive| &drive.measurement));
    let value_ns = all.command(outcome.command)?.response.percentile(percentile)?;
    Some(MachineLatency { value_ns, per_second: held.rate_per_second })
}

fn price(spec: &PlanSpec, facts: &PlanFacts, outcome: &PlanOutcome) -> Option<DurabilityPrice> {
    let of = |on: bool| outcome.modes.iter().find(|mode| mode.durability.is_on() == on);
    let (off, on) = of(false).zip(of(true))?;
    // The same machine in both modes, where one was searched in both: else the ratio would be that of two machines. The
    // one to take before any other.
    let both = || {
        off.searched.iter().filter_map(|one| {
            let other = on.searched.iter().find(|other| other.machine == one.machine)?;
            Some((&one.machine, one.sustained_with_room().zip(other.sustained_with_room())?))
        })
    };
    let to_take = on.recommended().map(|verdict| &verdict.machine);
    let same =
        both().find(|(machine, _)| Some(*machine) == to_take).or_else(|| both().next_back()).map(|(_, rates)| rates);
    let rates = same.or_else(|| off.sustained_per_second().zip(on.sustained_per_second()));
    let added = |percentile| {
        let at = |mode: &ModePlan| response(outcome, mode)?.percentile(percentile);
        Some(at(on)? as f64 - at(off)? as f64)
    };
    Some(DurabilityPrice {
        throughput_ratio: rates.map(|(off, on)| on / off),
        added_p50_ns: added(Percentile::P50),
        added_p99_ns: added(Percentile::P99),
        at_risk_seconds: facts.unsynced.seconds,
        at_risk_commands: facts.unsynced.seconds * spec.target_per_second,
        at_risk_source: facts.unsynced.source.clone(),
    })
}

fn response<'m>(outcome: &PlanOutcome, mode: &'m ModePlan) -> Option<&'m LatencyHistogram> {
    Some(&mode.at_target.as_ref()?.measurement.command(outcome.command)?.response)
}

fn curve_point((cores_count, per_second): (u32, Band)) -> ScalingCurveInfo {
    ScalingCurveInfo { cores_count, per_second: per_second.into() }
}

fn scaling(mode: &ModePlan) -> Option<ScalingInfo> {
    let law = mode.scaling.as_ref()?;
    let known = law.as_ref().ok();
    let point = |point: &crate::plan::scaling::ScalingPoint| ScalingPointInfo {
        cores_count: point.cores,
        per_second: point.per_second,
    };
    Some(ScalingInfo {
        durability: mode.durability.into(),
        points: mode.scaling_points.iter().map(point).collect(),
        contention: known.map(|law| law.sigma),
        coherency: known.map(|law| law.kappa),
        single_core_per_second: known.map(|law| law.lambda),
        error_percent: known.map(|law| 100.0 * law.relative_error),
        curve: known.map_or_else(Vec::new, |law| law.curve().into_iter().map(curve_point).collect()),
        note: law.as_ref().map_or_else(ToString::to_string, |_| String::new()),
    })
}
