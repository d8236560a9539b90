//! A report arranged for tables: pairs of durability modes, one row per machine and per round.
//!
//! Knows nothing of markup.

use serde::Serialize;

use crate::actor::Durability;
use crate::load::EngineFigure;
use crate::measure::{PERCENTILES, Percentile};
use crate::report::{
    Basis, Capacity, CrashVerification, Evidence, FigureName, LatencyInfo, MachineMode, ModeResult, NamedLatency,
    PercentileInfo, PlanResult, ProbeResult, ProfileEvidence, ReasonKind, Rejection, Report, SlicesSummary,
    WhatIfFigure, WhatIfInfo, WhatIfMode,
};
use crate::units;

/// Percentiles of a summary row.
const SUMMARY_PERCENTILES: [Percentile; 4] = [Percentile::P50, Percentile::P99, Percentile::P99_9, Percentile::Max];

/// Everything derived from one report.
#[derive(Debug, Serialize)]
pub(super) struct View<'a> {
    /// Durability modes that were measured, `off` before `on`.
    pub(super) durabilities: Vec<Durability>,
    /// The command of the summary rows.
    pub(super) headline_command: Option<&'a str>,
    /// Reasons of the verdict without the sentences of the recommendations.
    pub(super) reasons: Vec<&'a str>,
    /// Whether the same machine is recommended in both modes.
    pub(super) same_machine: bool,
    /// Slices of time in which the engine delayed or stopped writers.
    pub(super) stalled_slices_count: usize,
    /// One wide row per mode.
    pub(super) summaries: Vec<ModeSummary<'a>>,
    /// Whether processes that write were killed in any mode.
    pub(super) was_killed: bool,
    /// Response time per command, or service time where no schedule was followed.
    pub(super) commands: Vec<LatencyPair<'a>>,
    /// Service time per command; empty where it equals the response time.
    pub(super) services: Vec<LatencyPair<'a>>,
    /// Service time per storage operation.
    pub(super) operations: Vec<LatencyPair<'a>>,
    /// Capacity per mode with the headroom taken off.
    pub(super) capacities: Vec<CapacityRow<'a>>,
    /// Profiles and whether they sustain the target.
    pub(super) profiles: Vec<ProfileRow<'a>>,
    /// The recommendations with the profile they name.
    pub(super) machines: Vec<MachineCard<'a>>,
    /// The time series in one row per round and mode.
    pub(super) rounds: Vec<RoundRow>,
    pub(super) engine: Vec<EngineRow>,
    /// Figures under the changes of a what-if.
    pub(super) changed: Vec<ChangedFigure>,
}

impl<'a> View<'a> {
    pub(super) fn new(report: &'a Report) -> Self {
        let modes = &report.modes;
        let headline_command = report.headline_command();
        let plan = report.plan.as_ref();
        Self {
            durabilities: modes.iter().map(|mode| mode.durability).collect(),
            headline_command,
            reasons: reasons(report),
            same_machine: plan.is_some_and(|plan| match plan.recommendations.as_slice() {
                [off, on] => off.profile.is_some() && off.profile == on.profile,
                _ => false,
            }),
            stalled_slices_count: modes.iter().flat_map(|mode| &mode.series).filter(|slice| slice.is_stalled()).count(),
            summaries: modes.iter().map(|mode| ModeSummary::new(mode, headline_command)).collect(),
            was_killed: modes.iter().any(|mode| mode.verification.crash.is_some()),
            commands: pairs(modes, |mode| &mode.commands, NamedLatency::response_or_service),
            services: if modes.iter().any(differs_from_response) {
                pairs(modes, |mode| &mode.commands, |latency| &latency.service)
            } else {
                Vec::new()
            },
            operations: pairs(modes, |mode| &mode.operations, NamedLatency::response_or_service),
            capacities: plan.map(|plan| plan.capacities.iter().map(capacity_row).collect()).unwrap_or_default(),
            profiles: plan
                .map(|plan| plan.profiles.iter().map(|known| profile_row(plan, known)).collect())
                .unwrap_or_default(),
            machines: plan.map(machines).unwrap_or_default(),
            rounds: modes.iter().flat_map(round_rows).collect(),
            engine: engine_rows(modes),
            changed: plan.and_then(|plan| plan.what_if.as_ref()).map(changed_figures).unwrap_or_default(),
        }
    }
}

fn reasons(report: &Report) -> Vec<&str> {
    let is_own_part = |kind| matches!(kind, ReasonKind::Recommendation | ReasonKind::NoMachine);
    report
        .verdict
        .reasons
        .iter()
        .filter(|reason| !is_own_part(reason.kind))
        .map(|reason| reason.text.as_str())
        .collect()
}

fn differs_from_response(mode: &ModeResult) -> bool {
    mode.commands.iter().any(|command| command.response.as_ref().is_some_and(|response| *response != command.service))
}

/// One mode with the latency of the headline command.
#[derive(Debug, Serialize)]
pub(super) struct ModeSummary<'a> {
    pub(super) mode: &'a ModeResult,
    pub(super) latency: Option<&'a LatencyInfo>,
    pub(super) percentiles: [PercentileCell; 4],
    /// Number of kills and what was found after them; absent without kills.
    pub(super) kills: Option<String>,
}

impl<'a> ModeSummary<'a> {
    fn new(mode: &'a ModeResult, command: Option<&str>) -> Self {
        let latency = command.and_then(|command| mode.latency(command));
        let percentiles = SUMMARY_PERCENTILES
            .map(|name| PercentileCell { name, value_ns: latency.and_then(|info| value(info, name)) });
        let kills = mode.verification.crash.as_ref().map(CrashVerification::summary);
        Self { mode, latency, percentiles, kills }
    }
}

/// One percentile of one distribution.
#[derive(Debug, Serialize)]
pub(super) struct PercentileCell {
    pub(super) name: Percentile,
    pub(super) value_ns: Option<u64>,
}

fn value(latency: &LatencyInfo, percentile: Percentile) -> Option<u64> {
    latency.percentile(percentile).map(|found| found.value_ns)
}

fn difference(off_ns: u64, on_ns: u64) -> f64 {
    on_ns as f64 - off_ns as f64
}

/// One command or operation in both modes.
#[derive(Debug, Serialize)]
pub(super) struct LatencyPair<'a> {
    pub(super) name: &'a str,
    pub(super) off: Option<&'a LatencyInfo>,
    pub(super) on: Option<&'a LatencyInfo>,
    pub(super) percentiles: [PercentilePair<'a>; PERCENTILES.len()],
}

/// One percentile in both modes.
#[derive(Debug, Serialize)]
pub(super) struct PercentilePair<'a> {
    pub(super) name: Percentile,
    pub(super) off: Option<&'a PercentileInfo>,
    pub(super) on: Option<&'a PercentileInfo>,
    pub(super) added_ns: Option<f64>,
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
    names.into_iter().map(|name| LatencyPair::new(name, of(Durability::Off, name), of(Durability::On, name))).collect()
}

impl<'a> LatencyPair<'a> {
    fn new(name: &'a str, off: Option<&'a LatencyInfo>, on: Option<&'a LatencyInfo>) -> Self {
        let percentiles = PERCENTILES.map(|name| {
            let off = off.and_then(|info| info.percentile(name));
            let on = on.and_then(|info| info.percentile(name));
            let added_ns = off.zip(on).map(|(off, on)| difference(off.value_ns, on.value_ns));
            PercentilePair { name, off, on, added_ns }
        });
        Self { name, off, on, percentiles }
    }
}

/// Rates that were tried in one mode.
#[derive(Debug, Serialize)]
pub(super) struct CapacityRow<'a> {
    pub(super) capacity: &'a Capacity,
    pub(super) probes: Vec<ProbeRow<'a>>,
}

/// One rate that was tried.
#[derive(Debug, Serialize)]
pub(super) struct ProbeRow<'a> {
    #[serde(flatten)]
    pub(super) probe: &'a ProbeResult,
    pub(super) met: bool,
    pub(super) note: &'static str,
}

fn capacity_row(capacity: &Capacity) -> CapacityRow<'_> {
    CapacityRow { capacity, probes: capacity.probes.iter().map(probe_row).collect() }
}

fn probe_row(probe: &ProbeResult) -> ProbeRow<'_> {
    let note = probe.rejection.map_or("meets the objective", Rejection::name);
    ProbeRow { probe, met: probe.rejection.is_none(), note }
}

/// `CPU (off), sync latency (on)` where the modes differ, once where they do not.
fn binding(evidence: &ProfileEvidence) -> Option<String> {
    let name = |mode: &MachineMode| Some((mode.durability, mode.binding.as_ref()?.resource.name()?));
    let named: Vec<(Durability, &str)> = evidence.modes.iter().filter_map(name).collect();
    let (_, first) = named.first()?;
    if named.len() == evidence.modes.len() && named.iter().all(|(_, other)| other == first) {
        return Some((*first).to_owned());
    }
    let parts: Vec<_> = named.iter().map(|(durability, resource)| format!("{resource} ({durability})")).collect();
    Some(parts.join(", "))
}

/// One machine, as the table shows it.
#[derive(Debug, Serialize)]
pub(super) struct ProfileRow<'a> {
    pub(super) evidence: &'a ProfileEvidence,
    pub(super) evidence_name: &'static str,
    /// Largest resident set of the process in any mode, where it was searched.
    pub(super) process_peak_bytes: Option<u64>,
    /// Growth of the database at the target, unless nothing is known of the machine.
    pub(super) growth_per_day_bytes: Option<f64>,
    /// What limits it, where it was searched.
    pub(super) binding: Option<String>,
    /// Modes it is recommended for.
    pub(super) recommended_for: Vec<Durability>,
}

fn profile_row<'a>(plan: &PlanResult, evidence: &'a ProfileEvidence) -> ProfileRow<'a> {
    let recommended = plan.recommendations.iter().filter(|one| one.profile.as_deref() == Some(&evidence.profile));
    ProfileRow {
        evidence,
        evidence_name: evidence.evidence.name(),
        process_peak_bytes: evidence.modes.iter().filter_map(|mode| mode.process_peak_bytes).max(),
        growth_per_day_bytes: (evidence.evidence != Evidence::NotMeasured).then_some(plan.growth.per_day_bytes),
        binding: binding(evidence),
        recommended_for: recommended.map(|recommendation| recommendation.durability).collect(),
    }
}

/// A recommendation, its profile's size and its specification as text to paste.
#[derive(Debug, Serialize)]
pub(super) struct MachineCard<'a> {
    pub(super) recommendation: &'a crate::report::Recommendation,
    pub(super) profile: Option<&'a ProfileEvidence>,
    pub(super) spec_json: Option<String>,
}

fn machines(plan: &PlanResult) -> Vec<MachineCard<'_>> {
    plan.recommendations
        .iter()
        .map(|recommendation| MachineCard {
            recommendation,
            profile: recommendation.profile.as_deref().and_then(|name| plan.profile(name)),
            spec_json: recommendation.machine_spec.as_ref().map(|spec| format!("{spec:#}")),
        })
        .collect()
}

/// A figure of the engine in the last round of each mode, before and after it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct EngineRow {
    pub(super) name: String,
    /// One for each mode; `None` where that has no such figure.
    pub(super) figures: Vec<Option<[u64; 2]>>,
}

fn engine_rows(modes: &[ModeResult]) -> Vec<EngineRow> {
    let last = |mode: &ModeResult| mode.rounds.last().map_or_else(Vec::new, |round| round.engine.clone());
    let engines: Vec<Vec<EngineFigure>> = modes.iter().map(last).collect();
    let names: Vec<String> = engines.first().into_iter().flatten().map(|figure| figure.name.to_string()).collect();
    let row = |name: String| {
        let of_mode = |engine: &Vec<EngineFigure>| {
            engine.iter().find(|figure| figure.name == name).map(|figure| [figure.before, figure.after])
        };
        EngineRow { figures: engines.iter().map(of_mode).collect(), name }
    };
    names.into_iter().map(row).collect()
}

/// One round of one mode.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct RoundRow {
    pub(super) durability: Durability,
    pub(super) round: u32,
    pub(super) warmup_seconds: Option<f64>,
    /// `settled`, `not settled`, or `fixed` after a warm-up of fixed length.
    pub(super) warmup_end: Option<&'static str>,
    pub(super) slices: SlicesSummary,
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
            slices: SlicesSummary::of(slices),
        }
    })
}

/// A figure of a plan before and after the changes of a what-if, as text.
#[derive(Debug, Serialize)]
pub(super) struct ChangedFigure {
    pub(super) durability: Durability,
    pub(super) label: &'static str,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) basis: Basis,
}

fn changed_figures(what_if: &WhatIfInfo) -> Vec<ChangedFigure> {
    let row = |durability, figure: &WhatIfFigure| {
        let text = |value: Option<f64>| {
            value.map_or_else(|| units::ABSENT.to_owned(), |value| figure_text(figure.name, value))
        };
        let (before, after) = (text(figure.before), text(figure.after));
        ChangedFigure { durability, label: figure_label(figure.name), before, after, basis: figure.basis }
    };
    let of_mode =
        |mode: &WhatIfMode| mode.figures.iter().map(|figure| row(mode.durability, figure)).collect::<Vec<_>>();
    what_if.modes.iter().flat_map(of_mode).collect()
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
