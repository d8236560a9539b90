//! The report of `run`.

use super::certainty;
use super::engine::RunOutcome;
use super::spec::RunSpec;
use crate::load::{Crashed, Load, ModeOutcome, Objective, Source};
use crate::measure::{Percentile, Slice};
use crate::report::{
    Assessment, Context, CrashVerification, MeasuredMode, ModeResult, Outcome, RampInfo, RampMode, RampPoint, Reason,
    ReasonKind, Report, ReportKind, Settings, SloInfo, Verdict, Verification, report, slo_info,
};
use crate::units;

/// Points of the curve of a ramp at most: the fewer, the more samples stand behind each.
const RAMP_POINTS: usize = 30;

/// The report of a run. With an objective, its outcome is whether every mode met it.
pub fn run_report(
    context: &Context<'_>,
    spec: &RunSpec,
    outcome: &RunOutcome,
    objective: Option<&Objective>,
) -> Report {
    let mut assessment = Assessment::of_host(context.host.logical_cores, context.host_warnings);
    if outcome.interrupted {
        assessment.interrupted();
    }
    let offered = context.source.offered_per_second(spec.load);
    let mut modes = Vec::new();
    for mode in &outcome.modes {
        assessment.mode(&mode.durability.to_string(), &mode.rounds, offered, mode.verified.as_ref());
        let shown = MeasuredMode {
            durability: mode.durability,
            rounds: &mode.rounds,
            verified: mode.verified.as_ref(),
            size: mode.size,
            offered,
            harness: outcome.harness,
            writers: spec.writers.at_most(context.source.most_writers()).of(mode.durability),
            source: context.source,
        };
        let mut shown = shown.result();
        let name = mode.durability.to_string();
        if let Some(crashed) = &mode.crashed {
            assessment.kills(&name, crashed);
            shown.verification.crash = Some(crash_verification(crashed));
        }
        if let Some(crashed) = &mode.power_cut {
            assessment.power_cuts(&name, crashed);
            shown.verification.power_cut = Some(crash_verification(crashed));
        }
        modes.push(shown);
    }
    let issued = |mode: &ModeOutcome| mode.rounds.iter().map(|round| round.measurement.issued).sum::<u64>();
    let most_issued = outcome.modes.iter().map(issued).max().unwrap_or(0);
    let mut verdict = run_verdict(context.source, most_issued, &modes, &assessment);
    if let Some(objective) = objective {
        judge_objective(context.source, objective, &modes, &mut verdict, &mut assessment);
    }
    verdict.outcome = assessment.outcome(verdict.outcome, objective.is_some());
    verdict.certainty = Some(certainty::of_run(&modes, &assessment, verdict.outcome));
    let settings = Settings {
        rounds_count: spec.rounds,
        warmup_seconds: spec.warmup.most().as_secs_f64(),
        measure_seconds: spec.measure.map(|measure| measure.as_secs_f64()),
        start_at: spec.start_at.map(|at| at.to_string()),
        ..context.settings(spec.load.into(), spec.load.to_string())
    };
    let slo = objective.and_then(|objective| slo_info(context.source, objective));
    let ramp = ramp(context.source, spec, outcome, objective);
    verdict.reasons.extend(ramp.iter().zip(&slo).flat_map(|(ramp, slo)| crossings(ramp, slo)));
    Report { objective: slo, ramp, ..report(context, ReportKind::Run, verdict, settings, modes, assessment) }
}

/// Latency against rate, if the rate rose or fell.
fn ramp(source: &Source, spec: &RunSpec, outcome: &RunOutcome, objective: Option<&Objective>) -> Option<RampInfo> {
    let Load::Ramp { from_per_second, to_per_second, .. } = spec.load else { return None };
    let seconds = spec.measure?.as_secs_f64();
    let request = match objective {
        Some(objective) => objective.check(source).ok()?,
        None => source.most_frequent_request(),
    };
    let percentile = objective.map_or(Percentile::P99, |objective| objective.percentile);
    let mode = |mode: &ModeOutcome| {
        let mut slices: Vec<Slice> = Vec::new();
        for latency in mode.rounds.iter().filter_map(|round| round.measurement.request(request)) {
            slices.resize(slices.len().max(latency.slices.len()), Slice::default());
            slices.iter_mut().zip(&latency.slices).for_each(|(sum, slice)| sum.add(slice));
        }
        let per_point = slices.len().div_ceil(RAMP_POINTS).max(1);
        let point = |(place, part): (usize, &[Slice])| {
            let all = part.iter().fold(Slice::default(), |mut sum, slice| {
                sum.add(slice);
                sum
            });
            let middle = ((place * per_point) as f64 + part.len() as f64 / 2.0) / seconds;
            RampPoint {
                offered_per_second: from_per_second + middle.min(1.0) * (to_per_second - from_per_second),
                p50_ns: all.percentile(Percentile::P50),
                percentile_ns: all.percentile(percentile),
            }
        };
        let mut points: Vec<_> = slices.chunks(per_point).enumerate().map(point).collect();
        points.sort_by(|a, b| a.offered_per_second.total_cmp(&b.offered_per_second));
        RampMode::new(mode.durability, points, objective.map(|objective| objective.limit_ns))
    };
    Some(RampInfo { command: source.request_name(request).to_owned(), modes: outcome.modes.iter().map(mode).collect() })
}

/// `durability on: persist p99 crosses 10 ms at 3,100 commands/s`.
fn crossings(ramp: &RampInfo, slo: &SloInfo) -> Vec<Reason> {
    let limit = units::duration(slo.limit_ns as f64);
    let one = |mode: &RampMode| {
        let rate = units::commands_per_second(mode.crosses_at_per_second?);
        let (durability, command, name) = (mode.durability, &ramp.command, slo.percentile);
        let text = format!("durability {durability}: {command} {name} crosses {limit} at {rate}");
        Some(Reason::new(ReasonKind::Objective, text))
    };
    ramp.modes.iter().filter_map(one).collect()
}

/// The name of the source, and how often a trace was repeated.
fn replayed(source: &Source, issued: u64) -> String {
    let name = source.name();
    let Source::Trace { trace, .. } = source else { return name.to_owned() };
    let commands = trace.command_count();
    if issued <= commands || source.is_finite() {
        return name.to_owned();
    }
    let passes = units::count(issued.div_ceil(commands));
    format!("{name}, its {} repeated in {passes} passes, each with new actors", units::counted(commands, "command"))
}

fn run_verdict(source: &Source, most_issued: u64, modes: &[ModeResult], assessment: &Assessment) -> Verdict {
    let summaries: Vec<_> = modes.iter().map(summary).collect();
    let count = |check: fn(&Verification) -> &Option<CrashVerification>| -> u64 {
        let checks = modes.iter().filter_map(|mode| check(&mode.verification).as_ref());
        checks.map(|crash| u64::from(crash.kills_count)).sum()
    };
    let kills = count(|verification| &verification.crash);
    let cuts = count(|verification| &verification.power_cut);
    let checked = if !assessment.losses.is_empty() {
        "what was acknowledged was not all found again".to_owned()
    } else if !modes.iter().all(|mode| mode.verification.performed) {
        "what was stored was not verified".to_owned()
    } else if kills > 0 {
        let times = units::counted(kills, "kill");
        format!("all that was acknowledged was found again, also after {times}")
    } else {
        "all that was acknowledged was found again".to_owned()
    };
    let checked = match cuts {
        0 => checked,
        _ if !assessment.losses.is_empty() => checked,
        cuts => format!("{checked}; power cut: tried, {}, nothing lost that was synced", units::counted(cuts, "cut")),
    };
    // First a rate that was not sustained: latencies under it are those of a queue.
    let overload: String = assessment.overloads.iter().flat_map(|overload| [overload.as_str(), ". "]).collect();
    Verdict {
        outcome: Outcome::Pass,
        sentence: format!("{overload}{}: {}; {checked}.", replayed(source, most_issued), summaries.join("; ")),
        certainty: None,
        reasons: assessment.reasons(),
    }
}

/// `durability off 45,300 commands/s, persist p99 41 µs`.
fn summary(mode: &ModeResult) -> String {
    let rate = units::commands_per_second(mode.achieved_per_second);
    let latency = mode.headline_command().and_then(|command| {
        let shown = command.response_or_service();
        let found = shown.percentile(Percentile::P99).or_else(|| shown.percentile(Percentile::P50))?;
        let value = units::duration(found.value_ns as f64);
        Some(format!(", {} {} {value}", command.name, found.percentile))
    });
    format!("durability {} {rate}{}", mode.durability, latency.unwrap_or_default())
}

fn judge_objective(
    source: &Source,
    objective: &Objective,
    modes: &[ModeResult],
    verdict: &mut Verdict,
    assessment: &mut Assessment,
) {
    let Ok(request) = objective.check(source) else { return };
    let command = source.request_name(request);
    let limit = units::duration(objective.limit_ns as f64);
    let mut met_or_missed = Vec::new();
    let name = objective.percentile;
    for mode in modes {
        let latency = mode.commands.iter().find(|shown| shown.name == command);
        let found = latency.and_then(|latency| latency.response.as_ref()?.percentile(name).map(|found| found.value_ns));
        let Some(value) = found else {
            let durability = mode.durability;
            assessment.doubts.push(format!(
                "durability {durability}: too few samples of `{command}` stand behind {name}; measure longer"
            ));
            continue;
        };
        let is_met = value <= objective.limit_ns;
        if !is_met {
            verdict.outcome = Outcome::Fail;
        }
        let (durability, value) = (mode.durability, units::duration(value as f64));
        let word = if is_met { "meets" } else { "misses" };
        let reason = format!("durability {durability}: {command} {name} {value} {word} the limit of {limit}");
        met_or_missed.push(Reason::new(ReasonKind::Objective, reason));
    }
    verdict.reasons = assessment.reasons();
    verdict.reasons.extend(met_or_missed);
}

fn crash_verification(crashed: &Crashed) -> CrashVerification {
    CrashVerification {
        kills_count: crashed.kills,
        commands_acknowledged_count: crashed.commands,
        commands_taken_back_count: crashed.commands_taken_back,
        events_count: crashed.verified.events,
        states_count: crashed.verified.states,
        lost_count: crashed.verified.lost,
        writes_under_way_count: crashed.writes_in_flight,
        writes_under_way_found_count: crashed.writes_in_flight_found,
        failure: crashed.failure.clone(),
        differences: crashed.verified.differences.clone(),
    }
}
