//! `machines.html` and `machines.md`: a comparison of machines.

use serde::Serialize;

use super::curves::CurveBoard;
use super::screen::{Fact, Screen, ScreenMode, Tone};
use super::template::render;
use crate::actor::Durability;
use crate::fleet::{
    LatencyEvidence, MachineComparison, MergedCapacity, MergedLatency, MergedMachine, MergedMode, RecommendationCount,
    SyncProbe, TargetAnswer,
};
use crate::measure::Percentile;
use crate::report::{Outcome, PercentileInfo, Rendered, ValidUntil};
use crate::units;

const SHOWN: [Percentile; 3] = [Percentile::P50, Percentile::P99, Percentile::P99_9];

/// The pages of a comparison of machines. All text is escaped, and the content security policy of the HTML page forbids
/// network requests.
pub fn fleet(comparison: &MachineComparison) -> Rendered {
    let page = FleetPage::new(comparison);
    Rendered { html: render("machines.html.j2", &page), markdown: render("machines.md.j2", &page) }
}

#[derive(Serialize)]
struct FleetPage<'a> {
    screen: Screen,
    comparison: &'a MachineComparison,
    reports_count: usize,
    tables: Vec<ModeTable<'a>>,
    disks: Vec<DiskRow<'a>>,
    /// Whether any report probed its disk; runs do not.
    was_probed: bool,
    curves: Option<CurveBoard<'a>>,
}

impl<'a> FleetPage<'a> {
    fn new(comparison: &'a MachineComparison) -> Self {
        Self {
            screen: screen(comparison),
            comparison,
            reports_count: reports_count(comparison),
            tables: comparison.durabilities.iter().map(|&mode| ModeTable::new(comparison, mode)).collect(),
            disks: comparison.machines.iter().map(DiskRow::new).collect(),
            was_probed: comparison.machines.iter().any(|machine| machine.sync_probe.is_some()),
            curves: CurveBoard::new(comparison),
        }
    }
}

fn reports_count(comparison: &MachineComparison) -> usize {
    comparison.machines.iter().map(|machine| machine.reports.len()).sum()
}

/// Of plans how many machines sustain the target in each mode, of runs the highest rate.
fn screen(comparison: &MachineComparison) -> Screen {
    let machines = comparison.machines.len() as u64;
    let mode = |&durability: &Durability| {
        let measured = || comparison.machines.iter().filter_map(|machine| machine.mode(durability));
        let (figure, note) = if comparison.question.target.is_some() {
            let holds = |mode: &&MergedMode| mode.capacity.as_ref().is_some_and(|it| it.answer == TargetAnswer::Holds);
            let holding = units::count(measured().filter(holds).count() as u64);
            (format!("{holding} of {}", units::count(machines)), "sustain the target")
        } else {
            let rates = measured().map(MergedMode::rate_per_second).reduce(f64::max);
            (rates.map_or_else(units::absent, units::rate), "highest rate")
        };
        ScreenMode::figure(durability, figure, Some(note.to_owned()))
    };
    let doubt = Some(comparison.outcome).filter(|&outcome| outcome != Outcome::Pass);
    let target = comparison.question.target.as_ref();
    let target = target.map(|target| Fact::new("Target", units::rate(target.target_per_second)));
    let reports = Fact::new("Reports", units::count(reports_count(comparison) as u64));
    Screen {
        outcome: doubt,
        tone: doubt.map_or(Tone::Neutral, |outcome| Tone::of(outcome, None)),
        word: "Merged".to_owned(),
        title: units::counted(machines, "machine"),
        size: None,
        facts: target.into_iter().chain([reports]).collect(),
        sure: None,
        modes: comparison.durabilities.iter().map(mode).collect(),
        scope: None,
    }
}

#[derive(Serialize)]
struct ModeTable<'a> {
    durability: Durability,
    /// Where the bars are as long as what the target requires, percent of the longest.
    required_percent: Option<f64>,
    rows: Vec<RateRow<'a>>,
}

impl<'a> ModeTable<'a> {
    fn new(comparison: &'a MachineComparison, durability: Durability) -> Self {
        let measured: Vec<_> =
            comparison.machines.iter().filter_map(|machine| Some((machine, machine.mode(durability)?))).collect();
        let required = comparison.question.target.as_ref().map(|target| target.required_per_second);
        let rates = measured.iter().map(|(_, mode)| mode.rate_per_second());
        let longest = rates.chain(required).fold(f64::MIN_POSITIVE, f64::max);
        let command = comparison.headline_command.as_deref();
        Self {
            durability,
            required_percent: required.map(|required| 100.0 * required / longest),
            rows: measured.into_iter().map(|(machine, mode)| RateRow::new(machine, mode, command, longest)).collect(),
        }
    }
}

#[derive(Serialize)]
struct RateRow<'a> {
    machine: &'a MergedMachine,
    mode: &'a MergedMode,
    rate_per_second: f64,
    bar_percent: f64,
    /// `medium (2 of 3 reports), none (1 of 3 reports)`.
    recommended: Option<String>,
    /// Whether it sustains the target: class of the page and word.
    answer: Option<[&'static str; 2]>,
    /// The rate its latencies were measured at, if there are any.
    load: String,
    /// Whether they come from its only report, without a histogram.
    is_own: bool,
    days_until_full: String,
    percentiles: [Cell<'a>; 3],
}

impl<'a> RateRow<'a> {
    fn new(machine: &'a MergedMachine, mode: &'a MergedMode, command: Option<&str>, longest: f64) -> Self {
        let latency = command.and_then(|command| mode.command(command));
        let capacity = mode.capacity.as_ref();
        Self {
            machine,
            mode,
            rate_per_second: mode.rate_per_second(),
            bar_percent: 100.0 * mode.rate_per_second() / longest,
            recommended: capacity.map(|capacity| recommended(capacity, machine.reports.len())),
            answer: capacity.map(|capacity| match capacity.answer {
                TargetAnswer::Holds => ["yes", "✓ sustained"],
                TargetAnswer::Misses => ["no", "✗ not sustained"],
                TargetAnswer::Undecided => ["soft", "? inconclusive"],
            }),
            load: match mode.offered_per_second {
                Some(rate) => units::rate(rate),
                None if mode.commands.is_empty() => units::absent(),
                None => "closed loop".to_owned(),
            },
            is_own: latency.is_some_and(|latency| latency.evidence == LatencyEvidence::Report),
            days_until_full: capacity
                .and_then(|capacity| capacity.days_until_disk_full)
                .map_or_else(units::absent, |range| between(range, units::days)),
            percentiles: SHOWN.map(|name| Cell::new(name, latency)),
        }
    }
}

fn recommended(capacity: &MergedCapacity, reports: usize) -> String {
    let profile = |profile: &Option<String>| profile.clone().unwrap_or_else(|| "none".to_owned());
    match capacity.recommendations.as_slice() {
        [one] => profile(&one.profile),
        several => {
            let text = |count: &RecommendationCount| {
                format!("{} ({} of {reports} reports)", profile(&count.profile), count.reports_count)
            };
            several.iter().map(text).collect::<Vec<_>>().join(", ")
        }
    }
}

#[derive(Serialize)]
struct Cell<'a> {
    found: Option<&'a PercentileInfo>,
    /// Lowest and highest report, where two carry no interval.
    between_ns: Option<[u64; 2]>,
}

impl<'a> Cell<'a> {
    fn new(name: Percentile, latency: Option<&'a MergedLatency>) -> Self {
        let found = latency.and_then(|latency| latency.response.percentile(name));
        let has_spread = found.is_some_and(|found| found.interval_ns.is_none());
        let spread = latency.and_then(|latency| latency.spread.iter().find(|spread| spread.percentile == name));
        let spread = spread.filter(|spread| has_spread && spread.reports_count > 1);
        Self { found, between_ns: spread.map(|spread| [spread.lowest_ns, spread.highest_ns]) }
    }
}

/// A machine's disk and how fast it fills: ranges over reports and durability modes.
#[derive(Serialize)]
struct DiskRow<'a> {
    machine: &'a MergedMachine,
    sync_p50: String,
    sync_p99: String,
    database: String,
    growth_per_million: String,
    growth_per_day: String,
    days_until_full: String,
    /// How long the plans are valid.
    valid: String,
}

impl<'a> DiskRow<'a> {
    fn new(machine: &'a MergedMachine) -> Self {
        let capacities = || machine.modes.iter().filter_map(|mode| mode.capacity.as_ref());
        let sync = |range: fn(&SyncProbe) -> Option<[u64; 2]>| {
            ends(machine.sync_probe.iter().filter_map(range).flatten().map(|value| value as f64), units::duration)
        };
        let databases = machine.modes.iter().flat_map(|mode| mode.database_bytes).map(|bytes| bytes as f64);
        Self {
            machine,
            sync_p50: sync(|probe| probe.p50_range_ns),
            sync_p99: sync(|probe| probe.p99_range_ns),
            database: ends(databases, units::bytes),
            growth_per_million: ends(
                capacities().flat_map(|one| one.database_bytes_per_million_commands),
                units::bytes,
            ),
            growth_per_day: ends(capacities().flat_map(|one| one.database_bytes_per_day_at_target), units::bytes),
            valid: machine.valid_until.as_ref().map_or_else(units::absent, ValidUntil::text),
            days_until_full: ends(capacities().filter_map(|one| one.days_until_disk_full).flatten(), units::days),
        }
    }
}

fn ends(values: impl Iterator<Item = f64> + Clone, format: fn(f64) -> String) -> String {
    let ends = values.clone().reduce(f64::min).zip(values.reduce(f64::max));
    ends.map_or_else(units::absent, |(low, high)| between([low, high], format))
}

/// A range with one unit where both ends have the same, or one figure if both ends have the same text.
fn between([low, high]: [f64; 2], format: fn(f64) -> String) -> String {
    let (low, high) = (format(low), format(high));
    if low == high { low } else { units::range(&low, &high) }
}
