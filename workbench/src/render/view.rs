//! A report arranged for tables: pairs of durability modes, one row per machine and per round.

use serde::Serialize;

use super::hosts::HostsView;
use super::machine_chart::MachineChart;
use super::profile_groups::{ProfileGroup, StandingGroup};
use super::screen::Screen;
use crate::actor::Durability;
use crate::host::DiskSwing;
use crate::load::EngineFigure;
use crate::measure::{PERCENTILES, Percentile};
use crate::report::{
    Basis, Capacity, CertificateInfo, CertifiedSlice, CertifiedSlices, CrashVerification, DurableRates, Evidence,
    FigureName, HorizonInfo, HorizonMode, LatencyInfo, MachineMode, ModeResult, NamedLatency, PercentileInfo,
    PlanResult, ProbeResult, ProfileEvidence, RateTrials, ReasonKind, Recommendation, Rejection, Report, SlicesSummary,
    WhatIfFigure, WhatIfInfo, WhatIfMode, WriterPoint, WriterSweep,
};
use crate::units;

/// Rows of the table behind the chart of a certification, per mode.
const SLOWEST_SLICES: usize = 10;

#[derive(Debug, Serialize)]
pub(super) struct View<'a> {
    screen: Screen,
    durabilities: Vec<Durability>,
    headline_command: Option<&'a str>,
    /// `20 fact/s (416 commands/s)`, of a plan.
    target: Option<String>,
    /// Without the sentences of the recommendations.
    reasons: Vec<&'a str>,
    /// Whether the same machine is recommended in both modes.
    same_machine: bool,
    /// Slices of time in which the engine delayed or stopped writers.
    stalled_slices_count: usize,
    summaries: Vec<ModeSummary<'a>>,
    was_cut: bool,
    was_killed: bool,
    /// Response time, or service time where no schedule was followed.
    commands: Vec<LatencyPair<'a>>,
    /// Service time per command; empty where it equals the response time.
    services: Vec<LatencyPair<'a>>,
    /// Service time per storage operation.
    operations: Vec<LatencyPair<'a>>,
    /// The modes with figures by actor type.
    typed_modes: Vec<&'a ModeResult>,
    capacities: Vec<CapacityRow<'a>>,
    profiles: Vec<ProfileRow<'a>>,
    machine_chart: Option<MachineChart>,
    /// Candidates for the demand, per durability mode.
    standings: Vec<Vec<StandingGroup<'a>>>,
    machines: Vec<MachineCard<'a>>,
    /// One row per round and mode.
    rounds: Vec<RoundRow>,
    engine: Vec<EngineRow>,
    /// Which machine is enough for how long.
    horizon: Vec<String>,
    writers: Vec<SweepView<'a>>,
    /// Figures under the changes of a what-if.
    changed: Vec<ChangedFigure>,
    /// The disk in words.
    disk: DiskText,
    slowest_slices: Vec<SlowSlice<'a>>,
    /// Where a ramp crosses its objective.
    crossings: Vec<(Durability, String)>,
    /// What other hosts will sustain.
    hosts: Option<HostsView<'a>>,
}

impl<'a> View<'a> {
    pub(super) fn new(report: &'a Report) -> Self {
        let modes = &report.modes;
        let plan = report.plan.as_ref();
        Self {
            screen: Screen::new(report),
            durabilities: modes.iter().map(|mode| mode.durability).collect(),
            headline_command: report.headline_command(),
            target: plan.map(target),
            reasons: reasons(report),
            same_machine: plan.is_some_and(|plan| match plan.recommendations.as_slice() {
                [off, on] => off.profile.is_some() && off.profile == on.profile,
                _ => false,
            }),
            stalled_slices_count: modes.iter().flat_map(|mode| &mode.series).filter(|slice| slice.is_stalled()).count(),
            summaries: modes.iter().map(mode_summary).collect(),
            was_cut: modes
                .iter()
                .any(|mode| mode.verification.power_cut.as_ref().is_some_and(|cut| cut.kills_count > 0)),
            was_killed: modes.iter().any(|mode| mode.verification.crash.is_some()),
            commands: pairs(modes, |mode| &mode.commands, NamedLatency::response_or_service),
            services: if modes.iter().any(differs_from_response) {
                pairs(modes, |mode| &mode.commands, |latency| &latency.service)
            } else {
                Vec::new()
            },
            typed_modes: modes.iter().filter(|mode| !mode.actor_types.is_empty()).collect(),
            operations: pairs(modes, |mode| &mode.operations, NamedLatency::response_or_service),
            capacities: plan.iter().flat_map(|plan| &plan.capacities).map(capacity_row).collect(),
            profiles: plan.iter().flat_map(|plan| profile_rows(plan)).collect(),
            machine_chart: plan.and_then(MachineChart::new),
            standings: plan
                .and_then(|plan| plan.demand.as_ref())
                .map(|demand| demand.modes.iter().map(StandingGroup::of_mode).collect())
                .unwrap_or_default(),
            machines: plan
                .iter()
                .flat_map(|plan| plan.recommendations.iter().map(|one| machine_card(plan, one)))
                .collect(),
            rounds: modes.iter().flat_map(round_rows).collect(),
            engine: engine_rows(modes),
            horizon: plan.and_then(|plan| plan.horizon.as_ref()).map(horizon_lines).unwrap_or_default(),
            writers: plan.iter().flat_map(|plan| plan.writers.iter().map(sweep_view)).collect(),
            changed: plan.and_then(|plan| plan.what_if.as_ref()).map(changed_figures).unwrap_or_default(),
            disk: DiskText::new(report),
            crossings: report.crossings(),
            hosts: plan.and_then(HostsView::new),
            slowest_slices: report.certificate.as_ref().map(slowest_slices).unwrap_or_default(),
        }
    }
}

fn target(plan: &PlanResult) -> String {
    let commands = plan.target_per_second;
    plan.transaction().map_or_else(
        || units::rate(commands),
        |request| format!("{} ({})", request.rate(commands), units::commands_per_second(commands)),
    )
}

fn reasons(report: &Report) -> Vec<&str> {
    let is_own_part = |kind| matches!(kind, ReasonKind::Recommendation | ReasonKind::NoMachine);
    let shown = report.verdict.reasons.iter().filter(|reason| !is_own_part(reason.kind));
    shown.map(|reason| reason.text.as_str()).collect()
}

fn differs_from_response(mode: &ModeResult) -> bool {
    mode.commands.iter().any(|command| command.response.as_ref().is_some_and(|response| *response != command.service))
}

#[derive(Debug, Serialize)]
struct ModeSummary<'a> {
    mode: &'a ModeResult,
    kills: Option<String>,
    power_cut: Option<String>,
}

#[derive(Debug, Serialize)]
struct LatencyPair<'a> {
    name: &'a str,
    off: Option<&'a LatencyInfo>,
    on: Option<&'a LatencyInfo>,
    percentiles: [PercentilePair<'a>; PERCENTILES.len()],
}

#[derive(Debug, Serialize)]
struct PercentilePair<'a> {
    name: Percentile,
    off: Option<&'a PercentileInfo>,
    on: Option<&'a PercentileInfo>,
    added_ns: Option<f64>,
}

fn mode_summary(mode: &ModeResult) -> ModeSummary<'_> {
    let (crash, power_cut) = (mode.verification.crash.as_ref(), mode.verification.power_cut.as_ref());
    let not_tried = crash.map(|_| "power cut: not tried".to_owned());
    let power_cut = power_cut.map(CrashVerification::power_cut_summary).or(not_tried);
    ModeSummary { mode, kills: crash.map(CrashVerification::summary), power_cut }
}

/// Brings the modes together by name, in the order of first appearance.
fn pairs<'a>(
    modes: &'a [ModeResult],
    latencies: impl Fn(&'a ModeResult) -> &'a Vec<NamedLatency>,
    pick: impl Fn(&'a NamedLatency) -> &'a LatencyInfo,
) -> Vec<LatencyPair<'a>> {
    let mut names: Vec<&str> = Vec::new();
    for latency in modes.iter().flat_map(&latencies) {
        if !names.contains(&latency.name.as_str()) {
            names.push(&latency.name);
        }
    }
    let of = |durability, name: &str| {
        let mode = modes.iter().find(|mode| mode.durability == durability)?;
        latencies(mode).iter().find(|latency| latency.name == name).map(&pick)
    };
    let pair = |name| {
        let [off, on] = Durability::BOTH.map(|durability| of(durability, name));
        let percentiles = PERCENTILES.map(|name| {
            let [off, on] = [off, on].map(|info| info?.percentile(name));
            let added_ns = off.zip(on).map(|(off, on)| on.value_ns as f64 - off.value_ns as f64);
            PercentilePair { name, off, on, added_ns }
        });
        LatencyPair { name, off, on, percentiles }
    };
    names.into_iter().map(pair).collect()
}

#[derive(Debug, Serialize)]
struct CapacityRow<'a> {
    capacity: &'a Capacity,
    /// `held 5 of 5`, of the sustained rate.
    trials: Option<String>,
    /// Every rate on which later loads decided.
    decided: Vec<String>,
    probes: Vec<ProbeRow<'a>>,
}

#[derive(Debug, Serialize)]
struct ProbeRow<'a> {
    #[serde(flatten)]
    probe: &'a ProbeResult,
    note: &'static str,
}

fn capacity_row(capacity: &Capacity) -> CapacityRow<'_> {
    let trials = RateTrials::highest_sustained(&capacity.decided).map(|one| one.trials.to_string());
    let one =
        |decided: &RateTrials| format!("{} {}", units::commands_per_second(decided.rate_per_second), decided.trials);
    let at_target = capacity.at_target.map(|trials| format!("the target {trials}"));
    let decided = capacity.decided.iter().map(one).chain(at_target).collect();
    CapacityRow { capacity, trials, decided, probes: capacity.probes.iter().map(probe_row).collect() }
}

fn probe_row(probe: &ProbeResult) -> ProbeRow<'_> {
    ProbeRow { probe, note: probe.rejection.map_or("meets the objective", Rejection::name) }
}

#[derive(Debug, Serialize)]
struct SweepView<'a> {
    sweep: &'a WriterSweep,
    sentence: String,
    rows: Vec<WriterRow<'a>>,
}

#[derive(Debug, Serialize)]
struct WriterRow<'a> {
    point: &'a WriterPoint,
    /// Of the highest ceiling of the mode, for a bar.
    share_percent: f64,
}

fn sweep_view(sweep: &WriterSweep) -> SweepView<'_> {
    let highest = sweep.points.iter().map(|point| point.per_second).fold(f64::MIN_POSITIVE, f64::max);
    let sentence = format!(
        "On {} with durability {}: {}, and this plan used {}; {}.",
        sweep.machine,
        sweep.durability,
        sweep.finding(),
        sweep.planned_count,
        sweep.advice(),
    );
    let share_percent = |point: &WriterPoint| (100.0 * point.per_second / highest).round();
    let rows = sweep.points.iter().map(|point| WriterRow { point, share_percent: share_percent(point) }).collect();
    SweepView { sweep, sentence, rows }
}

/// `Durability off: nano until 2027-03-01, then small until 2027-11-29.`, how far the model was off, and how much
/// memory is of use.
fn horizon_lines(horizon: &HorizonInfo) -> Vec<String> {
    let line = |mode: &HorizonMode| {
        let error = mode.error.map_or_else(String::new, |error| {
            let off = units::percent_difference(error.rate_percent);
            format!(" The rate of the model was {off} off at a size that it was not fitted on.")
        });
        format!("Durability {}: {}.{error}", mode.durability, mode.machines_over_time())
    };
    let knee = horizon.knee_bytes.map(|bytes| {
        format!("More than {} of memory for blocks saves no disk reads at the horizon.", units::bytes(bytes))
    });
    let [now, then] = [horizon.written_now_bytes_per_command, horizon.written_then_bytes_per_command];
    let grows = (then > 1.1 * now).then(|| {
        let [now, then] = [now, then].map(units::bytes);
        format!("States grow with the events of their actors: a command writes {now} on average now and {then} at the horizon.")
    });
    horizon.modes.iter().map(line).chain(grows).chain(knee).collect()
}

/// `CPU (off), sync latency (on)` where the modes differ, once where they do not.
fn binding(evidence: &ProfileEvidence) -> Option<String> {
    let name = |mode: &MachineMode| Some((mode.durability, mode.binds()?.resource.name()?));
    let named: Vec<(Durability, &str)> = evidence.modes.iter().filter_map(name).collect();
    let (_, first) = named.first()?;
    if named.len() == evidence.modes.len() && named.iter().all(|(_, other)| other == first) {
        return Some((*first).to_owned());
    }
    let parts: Vec<_> = named.iter().map(|(durability, resource)| format!("{resource} ({durability})")).collect();
    Some(parts.join(", "))
}

#[derive(Debug, Serialize)]
struct ProfileRow<'a> {
    /// The machine; the first of several of which the same is known.
    evidence: &'a ProfileEvidence,
    name: String,
    cores: String,
    ram: String,
    evidence_name: &'static str,
    process_peak_bytes: Option<u64>,
    growth_per_day_bytes: Option<f64>,
    binding: Option<String>,
    recommended_for: Vec<Durability>,
}

fn profile_rows(plan: &PlanResult) -> Vec<ProfileRow<'_>> {
    ProfileGroup::of_plan(plan).iter().map(|group| profile_row(plan, group)).collect()
}

fn profile_row<'a>(plan: &PlanResult, group: &ProfileGroup<'a>) -> ProfileRow<'a> {
    let evidence = group.first();
    let recommended = plan.recommendations.iter().filter(|one| one.profile.as_deref() == Some(&evidence.profile));
    ProfileRow {
        evidence,
        name: group.name(),
        cores: group.cores(),
        ram: group.ram(),
        evidence_name: evidence.evidence.name(),
        process_peak_bytes: evidence.modes.iter().filter_map(|mode| mode.process_peak_bytes).max(),
        growth_per_day_bytes: (evidence.evidence != Evidence::NotMeasured).then_some(plan.growth.per_day_bytes),
        binding: binding(evidence),
        recommended_for: recommended.map(|recommendation| recommendation.durability).collect(),
    }
}

#[derive(Debug, Serialize)]
struct MachineCard<'a> {
    recommendation: &'a Recommendation,
    profile: Option<&'a ProfileEvidence>,
    /// `2`, `0.5`.
    cores: Option<String>,
    /// As Kubernetes writes it: `2`, `500m`.
    container_cpu: Option<String>,
}

fn machine_card<'a>(plan: &'a PlanResult, recommendation: &'a Recommendation) -> MachineCard<'a> {
    let profile = recommendation.profile.as_deref().and_then(|name| plan.profile(name));
    let container_cpu = recommendation.container.map(|container| match container.cpu_millicores_count {
        Some(millicores) => format!("{millicores}m"),
        None => container.cpu_cores_count.to_string(),
    });
    let cores = profile.map(|known| units::number(known.millicores() as f64 / 1e3));
    MachineCard { recommendation, profile, cores, container_cpu }
}

/// A figure of the engine in the last round of each mode, before and after it.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct EngineRow {
    name: String,
    /// One for each mode; `None` where that has no such figure.
    figures: Vec<Option<[u64; 2]>>,
}

fn engine_rows(modes: &[ModeResult]) -> Vec<EngineRow> {
    let engine = |mode: &ModeResult| mode.rounds.last().map_or_else(Vec::new, |round| round.engine.clone());
    let engines: Vec<Vec<EngineFigure>> = modes.iter().map(engine).collect();
    let row = |EngineFigure { name, .. }: &EngineFigure| {
        let of_mode = |engine: &Vec<EngineFigure>| {
            engine.iter().find(|figure| figure.name == *name).map(|figure| [figure.before, figure.after])
        };
        EngineRow { figures: engines.iter().map(of_mode).collect(), name: name.to_string() }
    };
    engines.first().into_iter().flatten().map(row).collect()
}

#[derive(Debug, PartialEq, Serialize)]
struct RoundRow {
    durability: Durability,
    round: u32,
    warmup_seconds: Option<f64>,
    /// `settled`, `not settled`, or `fixed` after a warm-up of fixed length.
    warmup_end: Option<&'static str>,
    /// Measured time.
    seconds: Option<f64>,
    slices: SlicesSummary,
}

fn round_rows(mode: &ModeResult) -> impl Iterator<Item = RoundRow> + '_ {
    mode.series.chunk_by(|a, b| a.round == b.round).map(|slices| {
        let round = slices[0].round;
        let info = mode.rounds.iter().find(|info| info.round == round);
        RoundRow {
            durability: mode.durability,
            round,
            warmup_seconds: info.map(|info| info.warmup_seconds),
            warmup_end: info.map(|info| match info.steady {
                Some(true) => "settled",
                Some(false) => "not settled",
                None => "fixed",
            }),
            seconds: slices.last().map(|slice| slice.at_seconds),
            slices: SlicesSummary::of(slices),
        }
    })
}

/// The disk of a report in words; each is absent where it was not measured.
#[derive(Debug, Serialize)]
struct DiskText {
    /// When it was probed.
    probed: Option<String>,
    read_path: Option<&'static str>,
    /// Between the loads of a plan.
    swing: Option<String>,
    durable_rates: Option<String>,
    /// When it is full, or what one to attach must have.
    full: Option<String>,
}

impl DiskText {
    fn new(report: &Report) -> Self {
        let profile = report.host.disk_profile.as_ref();
        let full = report.plan.as_ref().map(PlanResult::disk_full_text);
        let plan = report.plan.as_ref().and_then(|plan| plan.disk.as_ref());
        Self {
            full,
            probed: profile.map(|profile| profile.swing.summary()),
            read_path: profile.map(|profile| profile.read_path.name()),
            swing: plan.and_then(|disk| disk.swing.as_ref()).map(DiskSwing::summary),
            durable_rates: plan.and_then(|disk| disk.durable_rates.as_ref()).map(DurableRates::summary),
        }
    }
}

/// A slice of a certification.
#[derive(Debug, Serialize)]
struct SlowSlice<'a> {
    durability: Durability,
    slice: &'a CertifiedSlice,
}

/// Of each mode, the slowest first.
fn slowest_slices(certificate: &CertificateInfo) -> Vec<SlowSlice<'_>> {
    certificate.modes.iter().flat_map(slowest_of_mode).collect()
}

fn slowest_of_mode(mode: &CertifiedSlices) -> Vec<SlowSlice<'_>> {
    let mut slices: Vec<_> = mode.slices.iter().collect();
    slices.sort_by_key(|slice| (!slice.is_missed, std::cmp::Reverse(slice.percentile_ns)));
    slices.truncate(SLOWEST_SLICES);
    slices.into_iter().map(|slice| SlowSlice { durability: mode.durability, slice }).collect()
}

/// A figure of a plan before and after the changes of a what-if, as text.
#[derive(Debug, Serialize)]
struct ChangedFigure {
    durability: Durability,
    label: &'static str,
    before: String,
    after: String,
    basis: Basis,
}

fn changed_figures(what_if: &WhatIfInfo) -> Vec<ChangedFigure> {
    let row = |durability, figure: &WhatIfFigure| {
        let text = |value: Option<f64>| value.map_or_else(units::absent, |it| figure_text(figure.name, it));
        let (before, after) = (text(figure.before), text(figure.after));
        ChangedFigure { durability, label: figure_label(figure.name), before, after, basis: figure.basis }
    };
    let rows = |mode: &WhatIfMode| mode.figures.iter().map(|figure| row(mode.durability, figure)).collect::<Vec<_>>();
    what_if.modes.iter().flat_map(rows).collect()
}

const fn figure_label(name: FigureName) -> &'static str {
    match name {
        FigureName::SaturationPerSecond => "saturation",
        FigureName::SustainedPerSecond => "sustained",
        FigureName::P50AtTargetNs => "p50 at target",
        FigureName::P99AtTargetNs => "p99 at target",
        FigureName::MemoryPeakBytes => "memory peak",
        FigureName::DatabaseGrowthPerDayBytes => "database growth per day",
        FigureName::DaysUntilDiskFull => "days until the disk is full",
        FigureName::MemoryOfTheProcessBytes => "memory of the process",
        FigureName::RestartSeconds => "restart",
    }
}

fn figure_text(name: FigureName, value: f64) -> String {
    match name {
        FigureName::SaturationPerSecond | FigureName::SustainedPerSecond => units::rate(value),
        FigureName::P50AtTargetNs | FigureName::P99AtTargetNs => units::duration(value),
        FigureName::MemoryPeakBytes | FigureName::DatabaseGrowthPerDayBytes | FigureName::MemoryOfTheProcessBytes => {
            units::bytes(value)
        }
        FigureName::DaysUntilDiskFull => units::days(value),
        FigureName::RestartSeconds => units::seconds(value),
    }
}
