//! The report of a plan.

use super::assemble::{Context, Shown, report, spec_json};
use super::assess::Assessment;
use super::{
    Capacity, Evidence, ModeResult, Outcome, PlanResult, ProbeResult, ProfileEvidence, Recommendation, Report,
    ReportKind, Settings, SloInfo, Verdict, format,
};
use ave_actors_store::config::MachineSpec;

use crate::workbench::sizing::{ModePlan, PlanOutcome, PlanSpec, Probe, ProfileVerdict, Rejection, Support};

/// Durability off may seem slower than on by this much before it is a contradiction.
const PLAUSIBLE_SHARE: f64 = 0.8;
/// Share of the cores from which on CPU is what binds.
const CPU_BOUND_SHARE: f64 = 0.85;

/// The report of a plan.
pub fn plan_report(context: &Context<'_>, spec: &PlanSpec, outcome: &PlanOutcome) -> Report {
    let mut assessment = Assessment::of_host(context.host.logical_cores, context.host_warnings);
    if outcome.interrupted {
        assessment.interrupted();
    }
    let mut modes = Vec::new();
    for mode in &outcome.modes {
        let offered = mode.lowest_held().map(|held| held.rate_per_second);
        assessment.mode(&mode.durability.to_string(), mode.rounds(), offered, mode.verified.as_ref());
        doubt_sparse_probes(mode, &mut assessment);
        modes.push(mode_result(context, outcome, mode));
    }
    doubt_contradiction(outcome, &mut assessment);
    let recommendations: Vec<_> = outcome.modes.iter().map(|mode| recommendation(spec, outcome, mode)).collect();
    let verdict = verdict(context, spec, &recommendations, outcome, &assessment);
    let settings = settings(context, spec, outcome);
    let plan = PlanResult {
        target_per_second: spec.target_per_second,
        headroom_percent: spec.headroom_percent,
        slo: SloInfo {
            command: outcome.command.name().to_owned(),
            percentile: spec.objective.percentile.name.to_owned(),
            limit_ns: spec.objective.limit_ns,
        },
        capacities: outcome.modes.iter().map(|mode| capacity(context, spec, outcome, mode)).collect(),
        profiles: profiles(outcome),
        recommendations,
    };
    Report { plan: Some(plan), ..report(context, ReportKind::Plan, verdict, settings, modes, assessment) }
}

/// Writes that wait for the disk are not faster than the same writes that do not: if they seem so, something else was.
fn doubt_contradiction(outcome: &PlanOutcome, assessment: &mut Assessment) {
    let sustained = |on: bool| outcome.modes.iter().find(|mode| mode.durability.is_on() == on)?.sustained_per_second();
    if let (Some(off), Some(on)) = (sustained(false), sustained(true))
        && off < PLAUSIBLE_SHARE * on
    {
        assessment.doubts.push(format!(
            "with durability off {} commands/s held, with it on {}: the machine was disturbed during the first search; \
             plan again when it is idle",
            format::number(off),
            format::number(on)
        ));
    }
}

/// A search that ended on a rate with too few samples did not end on evidence.
fn doubt_sparse_probes(mode: &ModePlan, assessment: &mut Assessment) {
    let sparse = mode.probes.iter().any(|probe| probe.rejection == Some(Rejection::TooFewSamples));
    if sparse && mode.held.is_empty() {
        assessment.doubts.push(format!(
            "durability {}: too few commands to tell the percentile at the rates tried; use --effort thorough or a \
             lower percentile",
            mode.durability
        ));
    }
}

fn mode_result(context: &Context<'_>, outcome: &PlanOutcome, mode: &ModePlan) -> ModeResult {
    let shown = Shown {
        durability: mode.durability,
        rounds: mode.rounds(),
        verified: mode.verified.as_ref(),
        size: mode.size,
        offered: mode.lowest_held().map(|held| held.rate_per_second),
        harness_ns_per_operation: outcome.harness_ns_per_operation,
        seed: context.source.seed(),
    };
    shown.result()
}

fn settings(context: &Context<'_>, spec: &PlanSpec, outcome: &PlanOutcome) -> Settings {
    Settings {
        load: "closed loop for the ceiling, then open loop at the rates of the search".to_owned(),
        workers_count: u32::try_from(context.workers).unwrap_or(u32::MAX),
        rounds_count: spec.effort.confirmations,
        warmup_seconds: spec.effort.warmup.as_secs_f64(),
        measure_seconds: Some(spec.effort.probe.as_secs_f64()),
        seed: context.source.seed(),
        machine_spec: spec_json(&MachineSpec::Profile(outcome.tuned_for)),
        data_directory: context.data_directory.display().to_string(),
    }
}

fn recommendation(spec: &PlanSpec, outcome: &PlanOutcome, mode: &ModePlan) -> Recommendation {
    let profile = outcome.recommended(mode);
    let sentence = match (profile, mode.sustained_per_second()) {
        (Some(profile), Some(sustained)) => format!(
            "With durability {}, take {profile}: {} commands/s, the target of {} with {} headroom, held within its \
             memory; up to {} commands/s met the objective on this host.",
            mode.durability,
            format::number(outcome.required_per_second),
            format::number(spec.target_per_second),
            format::percent(spec.headroom_percent),
            format::number(sustained),
        ),
        _ => format!("With durability {}, none of these: {}", mode.durability, why_none(outcome, mode)),
    };
    Recommendation {
        durability: mode.durability.into(),
        profile: profile.map(|profile| profile.to_string()),
        machine_spec: profile.map(|profile| spec_json(&MachineSpec::Profile(profile))),
        sentence,
    }
}

fn why_none(outcome: &PlanOutcome, mode: &ModePlan) -> String {
    let required = format::number(outcome.required_per_second);
    if outcome.holds(mode) {
        return format!("{required} commands/s held on this host, but no profile was measured within its memory.");
    }
    let ceiling = mode.saturation.measurement.commands_per_second();
    let reached = mode.sustained_per_second().map_or_else(
        || "no rate met the objective on repeated evidence".to_owned(),
        |sustained| format!("{} commands/s met the objective at most", format::number(sustained)),
    );
    let cores = mode.saturation.usage.cpu_seconds / mode.saturation.usage.wall_seconds.max(f64::MIN_POSITIVE);
    let help = if cores >= CPU_BOUND_SHARE * outcome.cores as f64 {
        "The CPU is what binds: more cores would help, but no profile with more was measured here."
    } else if mode.durability.is_on() {
        "The CPU is not busy, writers wait for the disk: faster syncs would help, not more cores."
    } else {
        "Neither more cores nor more memory is shown to help by what was measured."
    };
    format!("{required} commands/s are needed, {reached} (ceiling {}). {help}", format::number(ceiling))
}

fn verdict(
    context: &Context<'_>,
    spec: &PlanSpec,
    recommendations: &[Recommendation],
    outcome: &PlanOutcome,
    assessment: &Assessment,
) -> Verdict {
    let all = recommendations.iter().all(|recommendation| recommendation.profile.is_some());
    let mut reasons = assessment.reasons();
    reasons.extend(recommendations.iter().map(|recommendation| recommendation.sentence.clone()));
    reasons.extend(outcome.modes.iter().filter_map(memory));
    reasons.extend(growth(spec, outcome));
    Verdict {
        outcome: assessment.outcome(if all { Outcome::Pass } else { Outcome::Fail }, true),
        sentence: format!("For {}: {}.", context.source.name(), advice(recommendations)),
        reasons,
    }
}

/// `take nano with durability off, none of the profiles is shown to do with durability on`.
fn advice(recommendations: &[Recommendation]) -> String {
    let machine = |recommendation: &Recommendation| {
        recommendation
            .profile
            .as_ref()
            .map_or_else(|| "none of the profiles is shown to do".to_owned(), |profile| format!("take {profile}"))
    };
    if let [first, second] = recommendations
        && first.profile == second.profile
    {
        return format!("{} with durability {} or {}", machine(first), first.durability, second.durability);
    }
    let parts: Vec<_> =
        recommendations.iter().map(|one| format!("{} with durability {}", machine(one), one.durability)).collect();
    parts.join(", ")
}

/// What the rate that decides needed of memory.
fn memory(mode: &ModePlan) -> Option<String> {
    let held = mode.lowest_held()?;
    Some(format!(
        "With durability {}, at {} commands/s the process and the whole database took {} of memory.",
        mode.durability,
        format::number(held.rate_per_second),
        format::bytes(held.footprint.total_bytes() as f64)
    ))
}

/// What the evidence does not cover: tomorrow's database.
fn growth(spec: &PlanSpec, outcome: &PlanOutcome) -> Option<String> {
    let database_bytes =
        outcome.modes.iter().filter_map(ModePlan::lowest_held).map(|held| held.footprint.database_bytes);
    let largest = database_bytes.max()?;
    Some(format!(
        "This covers a database of {}. At the target it grows by {} per day; how fast one is read that has outgrown the \
         machine's memory was not measured.",
        format::bytes(largest as f64),
        format::bytes(growth_per_day(spec, outcome))
    ))
}

fn growth_per_day(spec: &PlanSpec, outcome: &PlanOutcome) -> f64 {
    outcome.database_bytes_per_command() * spec.target_per_second * 86_400.0
}

fn capacity(context: &Context<'_>, spec: &PlanSpec, outcome: &PlanOutcome, mode: &ModePlan) -> Capacity {
    let per_day = growth_per_day(spec, outcome);
    Capacity {
        durability: mode.durability.into(),
        saturation_per_second: mode.saturation.measurement.commands_per_second(),
        sustained_per_second: mode.sustained_per_second(),
        probes: mode.probes.iter().map(probe_result).collect(),
        database_bytes_per_million_commands: outcome.database_bytes_per_command() * 1e6,
        database_bytes_per_day_at_target: per_day,
        days_until_disk_full: (per_day > 0.0).then(|| context.host.disk.free_bytes as f64 / per_day),
    }
}

fn probe_result(probe: &Probe) -> ProbeResult {
    let note = match probe.rejection {
        None => "meets the objective",
        Some(Rejection::FellBehind) => "fell behind: fewer completed than offered",
        Some(Rejection::TooSlow) => "above the limit",
        Some(Rejection::TooFewSamples) => "too few samples to tell",
    };
    ProbeResult {
        offered_per_second: probe.offered_per_second,
        achieved_per_second: probe.achieved_per_second,
        p50_ns: probe.median_ns,
        slo_percentile_ns: probe.percentile_ns,
        met: probe.rejection.is_none(),
        note: note.to_owned(),
    }
}

fn profiles(outcome: &PlanOutcome) -> Vec<ProfileEvidence> {
    let supported = |verdict: &ProfileVerdict, on: bool| {
        let mode = outcome.modes.iter().find(|mode| mode.durability.is_on() == on)?;
        outcome.supported_per_second(verdict, mode)
    };
    outcome
        .profiles
        .iter()
        .map(|verdict| ProfileEvidence {
            profile: verdict.profile.to_string(),
            cpu_cores_count: u32::try_from(verdict.profile.cpu_cores()).unwrap_or(u32::MAX),
            ram_bytes: verdict.profile.ram_mb() << 20,
            evidence: match verdict.support {
                Support::Measured => Evidence::Measured,
                Support::Implied => Evidence::Implied,
                Support::NotMeasured => Evidence::NotMeasured,
            },
            durability_off_per_second: supported(verdict, false),
            durability_on_per_second: supported(verdict, true),
            reason: profile_reason(outcome, verdict),
        })
        .collect()
}

/// Why a profile is or is not supported, and why it shows less than this host did.
fn profile_reason(outcome: &PlanOutcome, verdict: &ProfileVerdict) -> String {
    let outgrown = outcome.modes.iter().any(|mode| {
        let supported = outcome.supported_per_second(verdict, mode);
        supported.is_some() && supported < mode.sustained_per_second()
    });
    let more = if outgrown { "; higher rates filled more memory than it has" } else { "" };
    format!("{}{more}", verdict.reason)
}
