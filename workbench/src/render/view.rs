//! What the renderers say that the report holds only implicitly: pairs of durability modes, the price of
//! durability, which profiles hold the target, one summary per round.
//!
//! Pure. Knows nothing of the text it ends up in: no formatting, no markup.

use serde::Serialize;

use crate::plan::{Resource, required_rate, suffices};

use crate::actor::Durability;
use crate::load::EngineFigure;
use crate::measure::{PERCENTILES, Percentile};
use crate::plan::outgrown_after_days;
use crate::report::{
    Basis, Capacity, CrashVerification, Evidence, FigureName, ForecastInfo, LatencyInfo, MachineLatency, ModeResult,
    NamedLatency, PercentileInfo, PlanResult, ProfileEvidence, ReasonKind, Report, SlicesSummary, WhatIfFigure,
    WhatIfInfo, WhatIfMode, WritesInfo,
};
use crate::units;

/// Percentiles of a summary row.
const SUMMARY_PERCENTILES: [Percentile; 4] = [Percentile::P50, Percentile::P99, Percentile::P99_9, Percentile::Max];

/// Everything derived from one report.
#[derive(Debug, Serialize)]
pub(super) struct View<'a> {
    /// Durability modes that were measured, `off` before `on`.
    pub(super) durabilities: Vec<Durability>,
    /// The command the summary rows speak of.
    pub(super) headline_command: Option<&'a str>,
    /// Why the verdict is what it is, without what the recommendations say themselves.
    pub(super) reasons: Vec<&'a str>,
    /// What a plan's answer says nothing of.
    pub(super) not_covered: Vec<String>,
    /// Whether the same machine is recommended in both modes.
    pub(super) same_machine: bool,
    /// Slices of time in which the engine held writers back.
    pub(super) stalled_slices_count: usize,
    /// One wide row per mode.
    pub(super) summaries: Vec<ModeSummary<'a>>,
    /// Whether processes that write were killed in any mode.
    pub(super) was_killed: bool,
    /// What durability costs; absent unless both modes were measured.
    pub(super) price: Option<Price<'a>>,
    /// What users wait, per command.
    pub(super) commands: Vec<LatencyPair<'a>>,
    /// What the backend took, per command; empty where it is the same thing.
    pub(super) services: Vec<LatencyPair<'a>>,
    /// What the backend took, per storage operation.
    pub(super) operations: Vec<LatencyPair<'a>>,
    /// Capacity per mode with the headroom taken off.
    pub(super) capacities: Vec<CapacityRow<'a>>,
    /// Profiles and whether they hold the target.
    pub(super) profiles: Vec<ProfileRow<'a>>,
    /// The recommendations with the profile they name.
    pub(super) machines: Vec<Machine<'a>>,
    /// What a plan's forecast says of writing, per mode.
    pub(super) writes: Vec<Writes>,
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
            not_covered: plan.map(|plan| not_covered(report, plan)).unwrap_or_default(),
            same_machine: plan.is_some_and(|plan| match plan.recommendations.as_slice() {
                [off, on] => off.profile.is_some() && off.profile == on.profile,
                _ => false,
            }),
            stalled_slices_count: modes.iter().flat_map(|mode| &mode.series).filter(|slice| slice.is_stalled()).count(),
            summaries: modes.iter().map(|mode| ModeSummary::new(mode, headline_command)).collect(),
            was_killed: modes.iter().any(|mode| mode.verification.crash.is_some()),
            price: Price::new(report, headline_command),
            commands: pairs(modes, |mode| &mode.commands, NamedLatency::response_or_service),
            services: if modes.iter().any(differs_from_response) {
                pairs(modes, |mode| &mode.commands, |latency| &latency.service)
            } else {
                Vec::new()
            },
            operations: pairs(modes, |mode| &mode.operations, NamedLatency::response_or_service),
            capacities: plan.map(capacity_rows).unwrap_or_default(),
            profiles: plan
                .map(|plan| plan.profiles.iter().map(|known| profile_row(plan, known)).collect())
                .unwrap_or_default(),
            machines: plan.map(machines).unwrap_or_default(),
            writes: plan.and_then(|plan| plan.forecast.as_ref()).map(writes).unwrap_or_default(),
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

/// What no measurement of a plan speaks of, where it recommends a machine.
fn not_covered(report: &Report, plan: &PlanResult) -> Vec<String> {
    if plan.recommendations.iter().all(|recommendation| recommendation.profile.is_none()) {
        return Vec::new();
    }
    let days = plan.recommendations.iter().filter_map(|advice| outgrown_after_days(plan, advice)).reduce(f64::min);
    let outgrown = days.map(|days| {
        format!(
            "a database that has outgrown the machine's memory, which at the target is after about {}: how fast it is read \
             then was not measured; give the workload the preload it will have",
            units::about_days(days)
        )
    });
    let rounds = report.modes.iter().map(|mode| mode.series.len()).max().unwrap_or(0);
    let longer = (rounds > 0).then(|| {
        format!(
            "longer loads than the {} that were measured: certify the rate before you buy",
            units::seconds(rounds as f64)
        )
    });
    let others = "another disk or processor than this host's, and what your application itself takes".to_owned();
    outgrown.into_iter().chain(longer).chain([others]).collect()
}

/// What is sent to the disk; the mode is not known of reports of older builds.
#[derive(Debug, Serialize)]
pub(super) struct Writes {
    durability: Option<Durability>,
    per_day_bytes: f64,
    write_amplification_ratio: Option<f64>,
    disk_worn_years: Option<f64>,
}

fn writes(forecast: &ForecastInfo) -> Vec<Writes> {
    if forecast.writes.is_empty() {
        return vec![Writes {
            durability: None,
            per_day_bytes: forecast.written_per_day_bytes,
            write_amplification_ratio: forecast.write_amplification_ratio,
            disk_worn_years: forecast.disk_worn_years,
        }];
    }
    let of_mode = |writes: &WritesInfo| Writes {
        durability: Some(writes.durability),
        per_day_bytes: writes.per_day_bytes,
        write_amplification_ratio: Some(writes.write_amplification_ratio),
        disk_worn_years: writes.disk_worn_years,
    };
    forecast.writes.iter().map(of_mode).collect()
}

fn differs_from_response(mode: &ModeResult) -> bool {
    mode.commands.iter().any(|command| command.response.as_ref().is_some_and(|response| *response != command.service))
}

/// The wide row: one mode, its throughput, the headline command's latency; the rest stands in the mode itself.
#[derive(Debug, Serialize)]
pub(super) struct ModeSummary<'a> {
    pub(super) mode: &'a ModeResult,
    pub(super) latency: Option<&'a LatencyInfo>,
    pub(super) percentiles: [PercentileCell; 4],
    /// How often it was killed, and what came of it; absent if it was not.
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

/// What durability costs.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Price<'a> {
    /// Absent where both modes were offered the same rate and neither was asked for its ceiling.
    pub(super) throughput: Option<ThroughputPrice>,
    /// Absent where the samples of a mode do not support a median.
    pub(super) latency: Option<LatencyPrice<'a>>,
}

/// What stands behind a throughput ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PriceBasis {
    /// Highest rates that meet the objective.
    Objective,
    /// Closed-loop ceilings.
    Saturation,
}

/// Throughput that is left with durability on.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct ThroughputPrice {
    pub(super) basis: PriceBasis,
    /// The machine of both rates, where a plan searched one in both modes.
    pub(super) machine: Option<String>,
    pub(super) off_per_second: f64,
    pub(super) on_per_second: f64,
    pub(super) kept_percent: f64,
}

/// Latency that durability adds to one command.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct LatencyPrice<'a> {
    pub(super) command: &'a str,
    pub(super) off_p50_ns: u64,
    pub(super) on_p50_ns: u64,
    pub(super) added_p50_ns: f64,
    pub(super) off_p99_ns: Option<u64>,
    pub(super) on_p99_ns: Option<u64>,
    pub(super) added_p99_ns: Option<f64>,
    /// Rates the two modes ran at, where a schedule offered them different ones.
    pub(super) unequal_rates_per_second: Option<[f64; 2]>,
}

impl<'a> Price<'a> {
    fn new(report: &'a Report, command: Option<&'a str>) -> Option<Self> {
        let off = report.mode(Durability::Off);
        let on = report.mode(Durability::On);
        let throughput = match &report.plan {
            Some(plan) => planned_throughput(plan),
            None => off.zip(on).and_then(|(off, on)| closed_loop_throughput(off, on)),
        };
        let at_target = report.plan.as_ref().and_then(LatencyPrice::at_target);
        let measured = || off.zip(on).zip(command).and_then(|((off, on), command)| LatencyPrice::new(off, on, command));
        let latency = at_target.or_else(measured);
        (throughput.is_some() || latency.is_some()).then_some(Self { throughput, latency })
    }
}

fn planned_throughput(plan: &PlanResult) -> Option<ThroughputPrice> {
    let both = |known: &ProfileEvidence| {
        let measured = |durability| known.modes.iter().find(|mode| mode.durability == durability && is_own(mode));
        let (off, on) = measured(Durability::Off).zip(measured(Durability::On))?;
        let rates = off.sustained_per_second.zip(on.sustained_per_second)?;
        Some((known.profile.clone(), rates))
    };
    // The machine to take before any other: a ratio of two machines would be none.
    let advice = plan.recommendations.iter().find(|advice| advice.durability == Durability::On);
    let to_take = advice.and_then(|advice| advice.profile.as_deref());
    let taken = plan.profiles.iter().find(|known| Some(known.profile.as_str()) == to_take);
    let same = taken.and_then(both).or_else(|| plan.profiles.iter().rev().find_map(both));
    if let Some((machine, (off, on))) = same {
        let price = ThroughputPrice::new(PriceBasis::Objective, off, on)?;
        return Some(ThroughputPrice { machine: Some(machine), ..price });
    }
    let capacities = &plan.capacities;
    let of = |durability| capacities.iter().find(|capacity| capacity.durability == durability);
    let (off, on) = of(Durability::Off).zip(of(Durability::On))?;
    match (off.sustained_per_second, on.sustained_per_second) {
        (Some(off), Some(on)) => ThroughputPrice::new(PriceBasis::Objective, off, on),
        _ => ThroughputPrice::new(PriceBasis::Saturation, off.saturation_per_second?, on.saturation_per_second?),
    }
}

/// Whether a machine was searched itself.
const fn is_own(mode: &crate::report::MachineMode) -> bool {
    matches!(mode.evidence, Evidence::Measured | Evidence::Emulated | Evidence::CoresEmulated)
}

fn closed_loop_throughput(off: &ModeResult, on: &ModeResult) -> Option<ThroughputPrice> {
    let scheduled = off.offered_per_second.or(on.offered_per_second).is_some();
    if scheduled {
        return None;
    }
    ThroughputPrice::new(PriceBasis::Saturation, off.achieved_per_second, on.achieved_per_second)
}

impl ThroughputPrice {
    fn new(basis: PriceBasis, off_per_second: f64, on_per_second: f64) -> Option<Self> {
        let kept_percent = 100.0 * on_per_second / off_per_second;
        kept_percent.is_finite().then_some(Self { basis, machine: None, off_per_second, on_per_second, kept_percent })
    }
}

impl<'a> LatencyPrice<'a> {
    /// What users wait in both modes at the target of a plan.
    fn at_target(plan: &'a PlanResult) -> Option<Self> {
        let of = |durability| {
            let advice = plan.recommendations.iter().find(|advice| advice.durability == durability)?;
            advice.expected.as_ref()
        };
        let (off, on) = of(Durability::Off).zip(of(Durability::On))?;
        Self::between(&off.command, [&off.response, &on.response], None)
    }

    fn new(off: &ModeResult, on: &ModeResult, command: &'a str) -> Option<Self> {
        let (off_latency, on_latency) = off.latency(command).zip(on.latency(command))?;
        Self::between(command, [off_latency, on_latency], unequal_rates(off, on))
    }

    fn between(command: &'a str, [off, on]: [&LatencyInfo; 2], unequal: Option<[f64; 2]>) -> Option<Self> {
        let (off_p50_ns, on_p50_ns) = value(off, Percentile::P50).zip(value(on, Percentile::P50))?;
        let (off_p99_ns, on_p99_ns) = (value(off, Percentile::P99), value(on, Percentile::P99));
        Some(Self {
            command,
            off_p50_ns,
            on_p50_ns,
            added_p50_ns: difference(off_p50_ns, on_p50_ns),
            off_p99_ns,
            on_p99_ns,
            added_p99_ns: off_p99_ns.zip(on_p99_ns).map(|(off, on)| difference(off, on)),
            unequal_rates_per_second: unequal,
        })
    }
}

fn unequal_rates(off: &ModeResult, on: &ModeResult) -> Option<[f64; 2]> {
    let (off, on) = off.offered_per_second.zip(on.offered_per_second)?;
    ((off - on).abs() > 0.005 * off.max(on)).then_some([off, on])
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

/// Capacity in one mode, as the target sees it.
#[derive(Debug, Serialize)]
pub(super) struct CapacityRow<'a> {
    pub(super) capacity: &'a Capacity,
    /// What is left of the sustained rate when the headroom stays free.
    pub(super) usable_per_second: Option<f64>,
    pub(super) holds_target: Option<bool>,
}

fn capacity_rows(plan: &PlanResult) -> Vec<CapacityRow<'_>> {
    plan.capacities
        .iter()
        .map(|capacity| CapacityRow {
            capacity,
            usable_per_second: capacity.sustained_per_second.map(|rate| usable(plan, rate)),
            holds_target: capacity.sustained_per_second.map(|rate| holds(plan, rate)),
        })
        .collect()
}

fn usable(plan: &PlanResult, rate: f64) -> f64 {
    rate * (100.0 - plan.headroom_percent) / 100.0
}

fn holds(plan: &PlanResult, rate: f64) -> bool {
    suffices(rate, required_rate(plan.target_per_second, plan.headroom_percent))
}

/// Whether a profile holds the target. One that does at least as well as another may do better: it is never ruled out.
fn profile_holds(plan: &PlanResult, evidence: &ProfileEvidence, durability: Durability) -> Option<bool> {
    if let Some(mode) = evidence.modes.iter().find(|mode| mode.durability == durability) {
        return mode.holds;
    }
    let rate = match durability {
        Durability::Off => evidence.durability_off_per_second,
        Durability::On => evidence.durability_on_per_second,
    };
    rate.map(|rate| holds(plan, rate)).filter(|&holds| holds || evidence.evidence == Evidence::Measured)
}

/// `CPU (off), sync latency (on)` where the modes differ, once where they do not.
fn binding(evidence: &ProfileEvidence) -> Option<String> {
    let named: Vec<(Durability, &str)> = evidence
        .modes
        .iter()
        .filter_map(|mode| Some((mode.durability, mode.binding_resource.as_deref()?)))
        .filter(|&(_, resource)| resource != Resource::Unknown.name())
        .collect();
    let (_, first) = named.first()?;
    if named.len() == evidence.modes.len() && named.iter().all(|(_, other)| other == first) {
        return Some((*first).to_owned());
    }
    let parts: Vec<_> = named.iter().map(|(durability, resource)| format!("{resource} ({durability})")).collect();
    Some(parts.join(", "))
}

/// One profile and whether it holds the target.
#[derive(Debug, Serialize)]
pub(super) struct ProfileRow<'a> {
    pub(super) evidence: &'a ProfileEvidence,
    pub(super) evidence_name: &'static str,
    /// One for each durability mode that was planned, `off` before `on`.
    pub(super) modes: Vec<ProfileMode>,
    /// Largest resident set of the process in any mode, where it was searched.
    pub(super) process_peak_bytes: Option<u64>,
    /// Growth of the database at the target, where anything is known of the machine.
    pub(super) growth_per_day_bytes: Option<f64>,
    /// What keeps it from going faster, where it was searched.
    pub(super) binding: Option<String>,
    /// Modes this profile is recommended for.
    pub(super) recommended_for: Vec<Durability>,
}

/// A profile in one durability mode.
#[derive(Debug, Serialize)]
pub(super) struct ProfileMode {
    pub(super) durability: Durability,
    pub(super) rate_per_second: Option<f64>,
    /// Where an extrapolated rate lies.
    pub(super) range_per_second: Option<[f64; 2]>,
    pub(super) holds_target: Option<bool>,
    /// The objective's percentile, and the rate it was measured at.
    pub(super) latency: Option<MachineLatency>,
}

fn profile_mode(plan: &PlanResult, evidence: &ProfileEvidence, durability: Durability) -> ProfileMode {
    let known = evidence.modes.iter().find(|mode| mode.durability == durability);
    let rate_per_second = match durability {
        Durability::Off => evidence.durability_off_per_second,
        Durability::On => evidence.durability_on_per_second,
    };
    ProfileMode {
        durability,
        rate_per_second,
        range_per_second: known.and_then(|mode| mode.range_per_second),
        holds_target: profile_holds(plan, evidence, durability),
        latency: known.and_then(|mode| mode.latency),
    }
}

fn profile_row<'a>(plan: &PlanResult, evidence: &'a ProfileEvidence) -> ProfileRow<'a> {
    let growth = plan.forecast.as_ref().map(|forecast| forecast.growth_per_day_bytes.expected);
    let growth = growth.or_else(|| plan.capacities.first().map(|capacity| capacity.database_bytes_per_day_at_target));
    let modes = plan.recommendations.iter().map(|recommendation| recommendation.durability);
    ProfileRow {
        evidence,
        evidence_name: evidence.evidence.name(),
        modes: modes.map(|durability| profile_mode(plan, evidence, durability)).collect(),
        process_peak_bytes: evidence.modes.iter().filter_map(|mode| mode.process_peak_bytes).max(),
        growth_per_day_bytes: growth.filter(|_| evidence.evidence != Evidence::NotMeasured),
        binding: binding(evidence),
        recommended_for: plan
            .recommendations
            .iter()
            .filter(|recommendation| recommendation.profile.as_deref() == Some(&evidence.profile))
            .map(|recommendation| recommendation.durability)
            .collect(),
    }
}

/// A recommendation, its profile's size and its specification as text to paste.
#[derive(Debug, Serialize)]
pub(super) struct Machine<'a> {
    pub(super) recommendation: &'a crate::report::Recommendation,
    pub(super) profile: Option<&'a ProfileEvidence>,
    pub(super) spec_json: Option<String>,
}

fn machines(plan: &PlanResult) -> Vec<Machine<'_>> {
    plan.recommendations
        .iter()
        .map(|recommendation| Machine {
            recommendation,
            profile: plan.profiles.iter().find(|evidence| recommendation.profile.as_deref() == Some(&evidence.profile)),
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
