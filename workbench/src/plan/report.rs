//! The report of a plan.

use crate::host::{HOST, Machine, WritebackDelay};
use crate::load::{HarnessCost, Measurement, Source};
use crate::measure::fewest_trials;
use crate::plan::certainty;
use crate::plan::demand::{add_demand, catalogue_info, cost, day_of, end_with_demand};
use crate::plan::demand_growth::DemandGrowth;
use crate::plan::outcome::{MachineFindings, ModeFindings, ModelledGrowth, Outlook, PlanOutcome};
use crate::plan::price::price;
use crate::plan::scaling::Scaling;
use crate::plan::sentences;
use crate::plan::spec::PlanSpec;
use crate::plan::what_if::WhatIf;
use crate::report::{
    Assessment, Capacity, ContainerLimits, Context, Disk, Evidence, ExpectedLatency, ForecastInfo, GrowthInfo,
    LoadKind, MachineLatency, MachineMode, MeasuredMode, ModeResult, Outcome, PlanResult, ProfileEvidence, Reason,
    ReasonKind, Recommendation, Rejection, Report, ReportKind, RequestCommands, Resource, ScalingInfo, Settings,
    SloInfo, Verdict, WhatIfInfo, latency_info, report, spec_json,
};
use crate::units;

/// Share of the rate with durability on below which a miss with durability off is implausible.
const PLAUSIBLE_SHARE: f64 = 0.8;

/// A plan that was measured, and what its report says about the deployment.
#[derive(Debug, Clone)]
pub struct ReportInput<'a> {
    /// What was replayed.
    pub source: &'a Source,
    /// The settings.
    pub spec: &'a PlanSpec,
    /// The findings.
    pub outcome: &'a PlanOutcome,
    /// How machines were emulated, in words.
    pub emulation: &'a str,
    /// Age that acknowledged writes can reach without durability before they are on the disk.
    pub unsynced: &'a WritebackDelay,
    /// The disk for the database.
    pub disk: Disk,
    /// Database, disk, memory and restarts at the target.
    pub forecast: Option<ForecastInfo>,
    /// How long the answer is valid.
    pub outlook: Option<Outlook>,
    /// Growth by the workload alone, which counts where there is no forecast; `None` for a trace.
    pub growth: Option<ModelledGrowth>,
}

/// The report of a plan, beside the same with changed inputs.
pub fn plan_report(
    context: &Context<'_>,
    input: &ReportInput<'_>,
    what_if: Option<(&WhatIf, &ReportInput<'_>)>,
) -> Report {
    let outcome = input.outcome;
    let mut assessment = Assessment::of_host(context.host.logical_cores, context.host_warnings);
    if outcome.interrupted {
        assessment.interrupted();
    }
    let mut modes = Vec::new();
    for mode in &outcome.modes {
        if let Some(findings) = mode.principal() {
            assess(mode, findings, &mut assessment);
            modes.push(input.mode_result(mode, findings));
        }
    }
    doubt_contradiction(outcome, &mut assessment);
    for mode in &outcome.modes {
        assessment.doubts.extend(sentences::doubts(mode, outcome.required_per_second));
    }
    let mut plan = input.plan_result(&modes);
    plan.what_if =
        what_if.map(|(what_if, changed)| WhatIfInfo::measured(what_if.to_string(), &plan, &changed.plan_result(&[])));
    let all = plan.recommendations.iter().all(|recommendation| recommendation.profile.is_some());
    // Other load can be why a rate failed, and luck why one held.
    let found = if all {
        Outcome::Pass
    } else if plan.recommendations.iter().any(|one| plan.is_open(one)) {
        Outcome::Inconclusive
    } else {
        Outcome::Fail
    };
    let ended = assessment.outcome(found, false);
    let is_decided = ended != Outcome::Inconclusive || assessment.outcome(Outcome::Pass, false) == Outcome::Pass;
    // What a command stores does not depend on what disturbed the rates.
    let ended = if ended == Outcome::Inconclusive && !outcome.interrupted && is_short_of_disk(&plan) {
        Outcome::Fail
    } else {
        ended
    };
    let verdict = Verdict {
        outcome: ended,
        sentence: String::new(),
        certainty: Some(certainty::of_plan(outcome, input.spec.effort.error, &plan, &assessment, ended)),
        reasons: reasons(&plan, outcome, &assessment),
    };
    let settings = settings(context, input.spec);
    let mut report = report(context, ReportKind::Plan, verdict, settings, modes, assessment);
    report.durability_price = price(outcome, &plan, input.unsynced, report.durability_price.take());
    let at_risk = report.durability_price.as_ref().and_then(|price| price.at_risk.as_ref());
    let rate = sentences::rate_words(input.transaction().as_ref(), plan.target_per_second);
    let goal = sentences::goal(&report, &rate, &plan);
    let at_risk = at_risk.cloned();
    report.plan = Some(plan);
    add_demand(&mut report, &input.spec.demand);
    let first_day = day_of(&report);
    if let Some(plan) = &mut report.plan {
        end_with_demand(plan, first_day);
        report.verdict.sentence = sentences::answer(is_decided, &goal, plan, at_risk.as_ref());
    }
    report
}

/// Whether the disk of every machine that can be bought is full before the horizon.
fn is_short_of_disk(plan: &PlanResult) -> bool {
    let mut modes =
        plan.profiles.iter().filter(|known| known.profile != HOST).flat_map(|known| &known.modes).peekable();
    modes.peek().is_some()
        && modes.all(|mode| {
            let is_certain = mode.holds == Some(false);
            is_certain && mode.lacking.as_ref().is_some_and(|lacking| lacking.resource == Resource::DiskSpace)
        })
}

fn assess(mode: &ModeFindings, findings: &MachineFindings, assessment: &mut Assessment) {
    let is_open = !findings.sustained.is_empty();
    let verified = findings.finished.as_ref().and_then(|finished| finished.verified.as_ref());
    assessment.loads(&mode.durability.to_string(), findings.rounds(), is_open, verified);
    // A search that ended on a rate with too few samples did not end on evidence.
    let sparse = findings.probes.iter().any(|probe| probe.rejection == Some(Rejection::TooFewSamples));
    if sparse && findings.sustained.is_empty() {
        assessment.doubts.push(format!(
            "durability {}: too few commands for the percentile at the rates tried; use --thorough or a lower percentile",
            mode.durability
        ));
    }
}

/// Writes that wait for the disk are not faster than those that do not: if they seem so on one machine, something disturbed the
/// host. A rate is known to the next one that missed.
fn doubt_contradiction(outcome: &PlanOutcome, assessment: &mut Assessment) {
    let of_mode = |on: bool| outcome.modes.iter().find(|mode| mode.durability.is_on() == on)?.principal();
    let (Some(off), Some(on)) = (of_mode(false), of_mode(true)) else { return };
    let (Some(missed), Some(sustained)) = (off.missed_per_second(), on.sustained_per_second()) else { return };
    if off.machine == on.machine && missed < PLAUSIBLE_SHARE * sustained {
        assessment.doubts.push(format!(
            "durability off missed the objective at {}, less than the {} that durability on sustains: the machine was \
             disturbed, measure again",
            units::commands_per_second(missed),
            units::number(sustained)
        ));
    }
}

fn reasons(plan: &PlanResult, outcome: &PlanOutcome, assessment: &Assessment) -> Vec<Reason> {
    let mut reasons = assessment.reasons();
    reasons.extend(plan.recommendations.iter().map(|recommendation| {
        let kind = if recommendation.profile.is_some() { ReasonKind::Recommendation } else { ReasonKind::NoMachine };
        Reason::new(kind, recommendation.sentence.clone())
    }));
    let coverage = outcome.modes.iter().filter_map(sentences::memory).chain(sentences::database_size(outcome));
    reasons.extend(coverage.map(|text| Reason::new(ReasonKind::Coverage, text)));
    reasons.extend(plan.forecast.as_ref().map(|known| Reason::new(ReasonKind::Forecast, sentences::forecast(known))));
    reasons
}

fn settings(context: &Context<'_>, spec: &PlanSpec) -> Settings {
    let load = "closed loop for the ceiling, then open loop at the rates of the search".to_owned();
    Settings {
        rounds_count: fewest_trials(spec.effort.error),
        warmup_seconds: spec.effort.warmup.as_secs_f64(),
        measure_seconds: Some(spec.effort.probe.as_secs_f64()),
        ..context.settings(LoadKind::Search, load)
    }
}

impl ReportInput<'_> {
    /// The transaction that the objective is on.
    fn transaction(&self) -> Option<RequestCommands> {
        RequestCommands::of(self.source, self.outcome.request).filter(|request| request.is_transaction)
    }

    fn mode_result(&self, mode: &ModeFindings, findings: &MachineFindings) -> ModeResult {
        let finished = findings.finished.as_ref();
        let shown = MeasuredMode {
            durability: mode.durability,
            rounds: findings.rounds(),
            verified: finished.and_then(|finished| finished.verified.as_ref()),
            size: finished.map_or_else(Default::default, |finished| finished.size),
            offered: findings.sustained.first().map(|sustained| sustained.offered_per_second),
            harness: HarnessCost {
                ns_per_operation: self.outcome.harness_ns_per_operation,
                memory_bytes: findings.harness_memory_bytes,
            },
            writers: findings.workers,
            source: self.source,
        };
        shown.result()
    }

    fn plan_result(&self, modes: &[ModeResult]) -> PlanResult {
        let Self { spec, outcome, .. } = *self;
        let growth = self.growth();
        let machines = outcome.modes.first().into_iter().flat_map(|mode| &mode.verdicts);
        let recommendations: Vec<_> = outcome.modes.iter().map(|mode| self.recommendation(mode)).collect();
        PlanResult {
            target_per_second: spec.target_per_second,
            headroom_percent: spec.headroom_percent,
            required_per_second: outcome.required_per_second,
            emulation: self.emulation.to_owned(),
            slo: SloInfo {
                command: self.source.request_name(outcome.request).to_owned(),
                percentile: spec.objective.percentile,
                limit_ns: spec.objective.limit_ns,
            },
            capacities: outcome.modes.iter().filter_map(|mode| self.capacity(mode)).collect(),
            growth,
            profiles: machines.map(|verdict| self.profile(&verdict.machine)).collect(),
            writers: outcome.modes.iter().filter_map(|mode| mode.writers.clone()).collect(),
            scaling: outcome.modes.iter().filter_map(scaling).collect(),
            forecast: self.forecast.clone(),
            horizon: self.outlook.as_ref().map(|outlook| outlook.horizon.clone()),
            valid_until: self.outlook.as_ref().map(|outlook| outlook.valid_until.clone()),
            disk: None,
            what_if: None,
            catalogue: spec.catalogue.as_ref().map(catalogue_info),
            demand: None,
            ranked_from: None,
            predictions: Vec::new(),
            requests: self.requests(),
            not_covered: sentences::not_covered(&recommendations, self.outlook.as_ref(), modes),
            recommendations,
        }
    }

    fn requests(&self) -> Vec<RequestCommands> {
        self.source.requests().into_iter().filter_map(|request| RequestCommands::of(self.source, request)).collect()
    }

    /// Where there is no forecast: as modelled from the workload, or, of a trace, which has no growth of its own, from the
    /// search that issued the most commands: what a command stores does not depend on durability, and a larger sample contains
    /// less of what a new database holds.
    fn growth(&self) -> GrowthInfo {
        let commands_per_day = self.spec.target_per_second * units::DAY_SECONDS;
        let (per_day_bytes, days_until_disk_full) = if let Some(forecast) = &self.forecast {
            (forecast.growth_per_day_bytes.expected, forecast.days_until_disk_full)
        } else if let Some(modelled) = self.growth {
            (modelled.per_day_bytes, modelled.days_until_disk_full)
        } else {
            let searched = self.outcome.modes.iter().flat_map(|mode| &mode.searched);
            let longest = searched.filter_map(|found| found.finished.as_ref()).max_by_key(|finished| finished.commands);
            let per_command = longest.map_or(0.0, |finished| {
                let grown = finished.size.database_bytes.saturating_sub(finished.database_bytes_before);
                grown as f64 / finished.commands.max(1) as f64
            });
            let per_day = per_command * commands_per_day;
            let growth = DemandGrowth::of_percent_per_month(self.spec.demand.growth_percent_per_month);
            let full = self.disk.limit().filter(|_| per_day > 0.0);
            (per_day, full.map(|bytes| growth.days_of(bytes as f64 / per_day)))
        };
        GrowthInfo {
            per_million_commands_bytes: 1e6 * per_day_bytes / commands_per_day,
            per_day_bytes,
            disk_bytes: self.disk.bytes,
            disk_origin: self.disk.origin,
            days_until_disk_full,
        }
    }

    fn capacity(&self, mode: &ModeFindings) -> Option<Capacity> {
        let findings = mode.principal()?;
        let sustained_per_second = findings.sustained_within_memory();
        let verdict = mode.verdicts.iter().find(|verdict| verdict.machine == findings.machine);
        let free_share = 1.0 - self.spec.headroom_percent / 100.0;
        let at_target = mode.at_target.as_ref().filter(|_| mode.found.as_ref() == Some(&findings.machine));
        let probes = at_target.iter().flat_map(|at_target| &at_target.probes).chain(&findings.probes);
        let mut probes: Vec<_> = probes.copied().collect();
        probes.sort_by(|a, b| a.offered_per_second.total_cmp(&b.offered_per_second));
        Some(Capacity {
            durability: mode.durability,
            machine: findings.machine.name.clone(),
            saturation_per_second: findings.ceiling_per_second(),
            sustained_per_second,
            usable_per_second: sustained_per_second.map(|rate| rate * free_share),
            trial_error_percent: 100.0 * self.spec.effort.error,
            decided: findings.decided.clone(),
            at_target: at_target.map(|at_target| at_target.trials),
            holds: verdict.is_some_and(|verdict| verdict.known.holds == Some(true)),
            probes,
        })
    }

    fn recommendation(&self, mode: &ModeFindings) -> Recommendation {
        let verdict = mode.recommended();
        let machine = verdict.map(|verdict| &verdict.machine);
        let sustained = verdict.and_then(|_| mode.principal()?.sustained.first());
        let database_bytes = sustained.map(|sustained| sustained.footprint.database_bytes);
        let transaction = self.transaction();
        let transaction = transaction.as_ref();
        let catalogue = self.spec.catalogue.as_ref().map(catalogue_info);
        let catalogue = catalogue.as_ref();
        Recommendation {
            durability: mode.durability,
            profile: machine.map(|machine| machine.name.clone()),
            cost: machine.and_then(|machine| cost(catalogue, &machine.name, self.spec.target_per_second)),
            machine_spec: machine.map(|machine| spec_json(&machine.spec())),
            container: machine.map(ContainerLimits::of),
            expected: verdict.and_then(|_| self.expected(mode)),
            database_bytes,
            sentence: verdict.map_or_else(
                || sentences::none_qualified(transaction, catalogue, self.outcome, mode),
                |verdict| sentences::recommended(transaction, self.spec, self.outcome, mode, verdict),
            ),
        }
    }

    fn expected(&self, mode: &ModeFindings) -> Option<ExpectedLatency> {
        let latency = mode.at_target.as_ref()?.drive.measurement.request(self.outcome.request)?;
        let (recommended, found) = (&mode.recommended()?.machine, mode.found.as_ref()?);
        if !recommended.is_at_least(found) {
            return None;
        }
        Some(ExpectedLatency {
            command: self.source.request_name(self.outcome.request).to_owned(),
            per_second: self.spec.target_per_second,
            response: latency_info(&latency.response, &latency.slices, self.source.seed()),
            measured_on: (!recommended.is_same_size(found)).then(|| found.name.clone()),
        })
    }

    fn profile(&self, machine: &Machine) -> ProfileEvidence {
        let modes: Vec<_> = self.outcome.modes.iter().filter_map(|mode| self.machine_mode(mode, machine)).collect();
        let (evidence, reason) = joined(&modes);
        ProfileEvidence {
            profile: machine.name.clone(),
            cpu_cores_count: u32::try_from(machine.cores).unwrap_or(u32::MAX),
            cpu_millicores_count: machine.part_of_a_core(),
            ram_bytes: machine.ram_mb << 20,
            evidence,
            reason,
            modes,
        }
    }

    fn machine_mode(&self, mode: &ModeFindings, machine: &Machine) -> Option<MachineMode> {
        let verdict = mode.verdicts.iter().find(|verdict| verdict.machine == *machine)?;
        let latency = mode.searched_machine(machine).and_then(|findings| self.machine_latency(mode, findings));
        Some(MachineMode { latency, ..verdict.known.clone() })
    }

    /// The objective's percentile: at the target if that was measured, else at the lowest sustained rate.
    fn machine_latency(&self, mode: &ModeFindings, findings: &MachineFindings) -> Option<MachineLatency> {
        let is_found = mode.found.as_ref() == Some(&findings.machine);
        let (request, percentile) = (self.outcome.request, self.spec.objective.percentile);
        if let Some(at_target) = mode.at_target.as_ref().filter(|_| is_found) {
            let value_ns = at_target.drive.measurement.response_ns(request, percentile)?;
            return Some(MachineLatency { value_ns, per_second: self.spec.target_per_second });
        }
        let lowest = findings.sustained.first()?;
        let all = Measurement::over_rounds(lowest.drives.iter().map(|drive| &drive.measurement));
        let value_ns = all.response_ns(request, percentile)?;
        Some(MachineLatency { value_ns, per_second: lowest.offered_per_second })
    }
}

/// The strongest evidence of the modes, and their reasons with what the disk lacks, once if they are the same.
pub(super) fn joined(modes: &[MachineMode]) -> (Evidence, String) {
    let evidence = modes.iter().map(|mode| mode.evidence).min().unwrap_or(Evidence::NotMeasured);
    let reason = |mode: &MachineMode| match &mode.lacking {
        Some(lacking) => format!("{}; {}", lacking.evidence, mode.reason),
        None => mode.reason.clone(),
    };
    let reasons: Vec<_> = modes.iter().map(reason).collect();
    let reason = match &reasons[..] {
        [first, rest @ ..] if rest.iter().all(|other| other == first) => first.clone(),
        _ => {
            let of_modes = modes.iter().zip(&reasons).map(|(mode, reason)| format!("{}: {reason}", mode.durability));
            of_modes.collect::<Vec<_>>().join("; ")
        }
    };
    (evidence, reason)
}

fn scaling(mode: &ModeFindings) -> Option<ScalingInfo> {
    let law = mode.scaling.as_ref()?;
    let known = law.as_ref().ok();
    Some(ScalingInfo {
        durability: mode.durability,
        points: mode.scaling_points.clone(),
        contention: known.map(|law| law.loss.sigma),
        coherency: known.map(|law| law.loss.kappa),
        single_core_per_second: known.map(|law| law.lambda),
        error_percent: known.map(|law| 100.0 * law.relative_error),
        curve: known.map_or_else(Vec::new, Scaling::curve),
        note: law.as_ref().map_or_else(ToString::to_string, |_| String::new()),
    })
}
