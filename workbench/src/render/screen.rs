//! The first screen of a page: the answer as a few figures and shapes, without sentences.

use serde::Serialize;

use crate::actor::Durability;
use crate::host::HOST;
use crate::report::{
    CertaintyLevel, CertificateInfo, CertifiedSlices, DiskOrigin, End, LoadKind, MachineMode, ModeResult, Outcome,
    PercentileInfo, PlanResult, ProfileEvidence, Recommendation, Report, Resource, SloInfo, ValidUntil, Verification,
    suffices,
};
use crate::units;

const STORE_ONLY: &str = "Store only: add your application's CPU and memory.";
/// Radius and centre of the half circle of a gauge, in units of its drawing.
const RADIUS: f64 = 50.0;
const CENTRE: [f64; 2] = [60.0, 58.0];
/// The axis of a latency ends at this multiple of the longer of limit and latency, and at this multiple of the limit at most.
const BEYOND: f64 = 1.15;
const MOST_LIMITS: f64 = 3.0;
/// A rate that was tried speaks for the required one if it differs by no more than this factor.
const NEAR: f64 = 1.25;

#[derive(Debug, Serialize)]
pub(super) struct Screen {
    /// Absent where a page answers with figures alone.
    pub(super) outcome: Option<Outcome>,
    pub(super) tone: Tone,
    pub(super) word: String,
    pub(super) title: String,
    /// Cores and RAM, where there is one machine.
    pub(super) size: Option<String>,
    pub(super) facts: Vec<Fact>,
    pub(super) sure: Option<Sure>,
    pub(super) modes: Vec<ScreenMode>,
    /// What the answer leaves out.
    pub(super) scope: Option<&'static str>,
}

/// The colours of a page. Green is for answers without a reason against them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tone {
    Pass,
    Moderate,
    Fail,
    Inconclusive,
    Neutral,
}

impl Tone {
    pub(super) const fn of(outcome: Outcome, certainty: Option<CertaintyLevel>) -> Self {
        match (outcome, certainty) {
            (Outcome::Pass, None | Some(CertaintyLevel::High)) => Self::Pass,
            (Outcome::Pass, Some(CertaintyLevel::Moderate | CertaintyLevel::Low)) => Self::Moderate,
            (Outcome::Fail, _) => Self::Fail,
            (Outcome::Inconclusive, _) => Self::Inconclusive,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Fact {
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) note: Option<String>,
}

impl Fact {
    pub(super) const fn new(label: &'static str, value: String) -> Self {
        Self { label, value, note: None }
    }
}

/// How sure an answer is, as a meter of three.
#[derive(Debug, Serialize)]
pub(super) struct Sure {
    level: CertaintyLevel,
    lit_count: u8,
}

impl Sure {
    const fn new(level: CertaintyLevel) -> Self {
        let lit_count = match level {
            CertaintyLevel::Low => 1,
            CertaintyLevel::Moderate => 2,
            CertaintyLevel::High => 3,
        };
        Self { level, lit_count }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct ScreenMode {
    durability: Durability,
    /// The machine, where the modes have different ones, or the rate of a run.
    figure: Option<String>,
    /// Cores and RAM of that machine, or what the figure is.
    size: Option<String>,
    /// Per month, where the modes have different machines.
    cost: Option<String>,
    gauge: Option<Gauge>,
    objective: Option<LatencyBar>,
}

impl ScreenMode {
    /// One figure and what it is.
    pub(super) const fn figure(durability: Durability, figure: String, size: Option<String>) -> Self {
        Self { durability, figure: Some(figure), size, cost: None, gauge: None, objective: None }
    }
}

/// The share of a machine's capacity that the target leaves free.
#[derive(Debug, PartialEq, Serialize)]
struct Gauge {
    used_percent: f64,
    /// Ends of the mark at the headroom that must stay free.
    mark: [[f64; 2]; 2],
    text: String,
    is_enough: bool,
    label: String,
}

/// Percent that come from dividing and multiplying.
const ROUNDING: f64 = 1e-6;

impl Gauge {
    /// `then_per_second` is what it sustains with the database of the horizon, if that is known.
    fn new(plan: &PlanResult, now_per_second: f64, then_per_second: Option<f64>) -> Option<Self> {
        let lower = then_per_second.filter(|&then| then < now_per_second);
        let (sustained_per_second, when) = lower.map_or((now_per_second, ""), |then| (then, " at the horizon"));
        let used_percent = 100.0 * plan.target_per_second / sustained_per_second;
        if !used_percent.is_finite() {
            return None;
        }
        // Rounded down: what is shown as free is free.
        let free = units::percent((100.0 - used_percent + ROUNDING).max(0.0).floor());
        let angle = std::f64::consts::PI * plan.headroom_percent / 100.0;
        let at = |radius: f64| [CENTRE[0] + radius * angle.cos(), CENTRE[1] - radius * angle.sin()];
        Some(Self {
            used_percent: used_percent.clamp(0.0, 100.0),
            mark: [at(RADIUS - 9.0), at(RADIUS + 9.0)],
            text: format!("{free} free"),
            is_enough: used_percent <= 100.0 - plan.headroom_percent + ROUNDING,
            label: format!(
                "{free} of the {} it sustains{when} stays free at the target; {} must",
                units::rate(sustained_per_second),
                units::percent(plan.headroom_percent)
            ),
        })
    }
}

/// A percentile of the response time with its interval, against the limit where there is one; shares of the axis, percent.
#[derive(Debug, PartialEq, Serialize)]
struct LatencyBar {
    name: String,
    text: String,
    limit: Option<String>,
    is_met: Option<bool>,
    at: f64,
    interval: Option<[f64; 2]>,
    limit_at: Option<f64>,
    label: String,
}

impl LatencyBar {
    fn new(name: impl Into<String>, value_ns: u64, interval_ns: Option<[u64; 2]>, limit_ns: Option<u64>) -> Self {
        let name = name.into();
        let high = interval_ns.map_or(value_ns, |[_, high]| high.max(value_ns)) as f64;
        let most = BEYOND * limit_ns.map_or(high, |limit| high.max(limit as f64));
        let top = limit_ns.map_or(most, |limit| most.min(MOST_LIMITS * limit as f64)).max(f64::MIN_POSITIVE);
        let place = |ns: u64| (100.0 * ns as f64 / top).clamp(0.0, 100.0);
        let text = units::duration(value_ns as f64);
        let limit = limit_ns.map(|limit| units::duration(limit as f64));
        let between = interval_ns.map_or_else(String::new, |[low, high]| {
            format!(", 95 % interval {}", units::duration_range(low as f64, high as f64))
        });
        let against = limit.as_ref().map_or_else(String::new, |limit| format!(", limit {limit}"));
        Self {
            label: format!("{name} {text}{between}{against}"),
            name,
            text,
            limit,
            is_met: limit_ns.map(|limit| value_ns <= limit),
            at: place(value_ns),
            interval: interval_ns.map(|ends| ends.map(place)),
            limit_at: limit_ns.map(place),
        }
    }

    fn of(found: &PercentileInfo, limit_ns: Option<u64>) -> Self {
        Self::new(found.percentile.name(), found.value_ns, found.interval_ns, limit_ns)
    }
}

impl Screen {
    pub(super) fn new(report: &Report) -> Self {
        let verdict = &report.verdict;
        let level = verdict.certainty.as_ref().map(|certainty| certainty.level);
        let screen = Self {
            outcome: Some(verdict.outcome),
            tone: Tone::of(verdict.outcome, level),
            word: word(verdict.outcome).to_owned(),
            title: String::new(),
            size: None,
            facts: Vec::new(),
            sure: level.map(Sure::new),
            modes: Vec::new(),
            scope: None,
        };
        match (&report.plan, &report.certificate) {
            (Some(plan), _) => screen.of_plan(report, plan),
            (None, Some(certificate)) => screen.of_certificate(report, certificate),
            (None, None) => screen.of_run(report),
        }
    }

    fn of_plan(self, report: &Report, plan: &PlanResult) -> Self {
        let machines: Vec<_> = plan.recommendations.iter().map(|one| machine(plan, one)).collect();
        let is_same = machines.windows(2).all(|pair| pair[0].map(name) == pair[1].map(name));
        let shared = machines.first().copied().flatten().filter(|_| is_same);
        let is_answer = report.verdict.outcome == Outcome::Pass;
        let valid_until = plan.valid_until.as_ref().filter(|_| is_answer).map(valid_until);
        let shared_cost = shared.and_then(|_| cost(plan.recommendations.first()?));
        let is_attached = is_answer && plan.growth.disk_origin == DiskOrigin::Attached && plan.forecast.is_some();
        // Beside a machine per mode or a disk, the gauges alone show the headroom: the screen has no room for more words.
        let target = target(plan, shared.is_some() && !is_attached);
        let per_month = shared_cost.filter(|_| is_answer).map(|value| Fact {
            note: is_attached.then(|| "without its disk".to_owned()),
            ..Fact::new("Per month", value)
        });
        let disk = is_attached.then(|| disk_to_attach(plan));
        let modes = plan.recommendations.iter().zip(&machines);
        if !plan.predictions.is_empty() {
            let facts = [target].into_iter().chain(valid_until).chain(per_month).collect();
            return self.of_hosts(report.verdict.outcome, plan, shared, facts);
        }
        Self {
            title: plan_title(report.verdict.outcome, plan, &machines, shared),
            size: shared.filter(|_| is_answer).map(size),
            facts: [target].into_iter().chain(valid_until).chain(per_month).chain(disk).collect(),
            modes: modes.map(|(one, machine)| plan_mode(plan, one, machine.filter(|_| shared.is_none()))).collect(),
            scope: Some(STORE_ONLY),
            ..self
        }
    }

    /// `shared` is the host that is enough in every mode.
    fn of_hosts(self, outcome: Outcome, plan: &PlanResult, shared: Option<&ProfileEvidence>, facts: Vec<Fact>) -> Self {
        let only = plan.profiles.first().filter(|_| plan.profiles.len() == 1);
        let host = shared.or(only);
        let title = match (outcome, host) {
            (Outcome::Pass, Some(host)) => name(host).to_owned(),
            (Outcome::Pass, None) => {
                let names = plan.recommendations.iter().filter_map(|one| machine(plan, one)).map(name);
                names.collect::<Vec<_>>().join("/")
            }
            (Outcome::Fail, Some(host)) => format!("{} is not enough", name(host)),
            (Outcome::Fail, None) => format!("None of {} hosts", plan.profiles.len()),
            (Outcome::Inconclusive, Some(host)) => format!("{} is not known", name(host)),
            (Outcome::Inconclusive, None) => format!("None of {} hosts is known", plan.profiles.len()),
        };
        let mode = |one: &Recommendation| {
            let chosen = machine(plan, one).or(only);
            let Some((host, known)) = chosen.and_then(|host| Some((host, host.mode(one.durability)?))) else {
                return ScreenMode::figure(one.durability, "none".to_owned(), None);
            };
            // Where each mode has a host of its own, it is named.
            let what = if shared.or(only).is_some() { "predicted" } else { name(host) };
            ScreenMode {
                gauge: known.range_per_second.and_then(|[low, _]| Gauge::new(plan, low, None)),
                ..ScreenMode::figure(one.durability, predicted_rate(known), Some(what.to_owned()))
            }
        };
        Self {
            title,
            size: host.map(size),
            facts,
            modes: plan.recommendations.iter().map(mode).collect(),
            scope: Some(STORE_ONLY),
            ..self
        }
    }

    fn of_certificate(self, report: &Report, certificate: &CertificateInfo) -> Self {
        let length = |mode: &CertifiedSlices| mode.slices.len() as u64 * u64::from(certificate.slice_seconds);
        let longest = certificate.modes.iter().map(length).max().unwrap_or(0);
        let title = format!("{} for {}", units::rate(certificate.rate_per_second), units::seconds(longest as f64));
        let slo = &certificate.slo;
        let mode = |mode: &CertifiedSlices| {
            let slices = units::counted(mode.slices.len() as u64, "slice");
            let worst =
                mode.worst_ns().map(|worst| LatencyBar::new(slo.percentile.name(), worst, None, Some(slo.limit_ns)));
            let missed = format!("{} of {slices} missed", units::count(mode.missed_count()));
            ScreenMode { objective: worst, ..ScreenMode::figure(mode.durability, missed, None) }
        };
        Self { title, facts: vec![data(report)], modes: certificate.modes.iter().map(mode).collect(), ..self }
    }

    fn of_run(self, report: &Report) -> Self {
        let title = match report.settings.load_kind {
            LoadKind::Closed => "Full speed".to_owned(),
            LoadKind::Ramp => ramp_title(report).unwrap_or_else(|| "Rising rate".to_owned()),
            LoadKind::TraceTimes => "Recorded times".to_owned(),
            LoadKind::Open | LoadKind::Search => {
                let offered = report.modes.iter().find_map(|mode| mode.offered_per_second);
                offered.map_or_else(|| "Open loop".to_owned(), |rate| format!("At {}", units::rate(rate)))
            }
        };
        let modes = report.modes.iter().map(|mode| run_mode(report, mode)).collect();
        Self { title, facts: vec![data(report)], modes, ..self }
    }
}

pub(super) const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "Pass",
        Outcome::Fail => "Fail",
        Outcome::Inconclusive => "Inconclusive",
    }
}

fn machine<'a>(plan: &'a PlanResult, recommendation: &Recommendation) -> Option<&'a ProfileEvidence> {
    plan.profile(recommendation.profile.as_deref()?)
}

fn name(machine: &ProfileEvidence) -> &str {
    &machine.profile
}

/// `2 cores, 512 MiB`.
fn size(machine: &ProfileEvidence) -> String {
    format!("{}, {}", units::cores(machine.millicores()), units::bytes(machine.ram_bytes as f64))
}

fn plan_title(
    outcome: Outcome,
    plan: &PlanResult,
    machines: &[Option<&ProfileEvidence>],
    shared: Option<&ProfileEvidence>,
) -> String {
    match outcome {
        Outcome::Inconclusive => "Measure again".to_owned(),
        Outcome::Pass => match shared {
            Some(machine) => machine.profile.clone(),
            None => machines.iter().flatten().copied().map(name).collect::<Vec<_>>().join("/"),
        },
        Outcome::Fail => {
            let without = plan.recommendations.iter().find(|one| one.profile.is_none());
            match without {
                Some(one) if machines.iter().any(Option::is_some) => {
                    format!("No machine with durability {}", one.durability)
                }
                _ => "No machine qualifies".to_owned(),
            }
        }
    }
}

/// In the requests of the objective, with the commands that they are, and the headroom if that is shown.
fn target(plan: &PlanResult, with_headroom: bool) -> Fact {
    let commands = plan.target_per_second;
    let headroom = with_headroom.then(|| format!("+ {} headroom", units::percent(plan.headroom_percent)));
    let Some(request) = plan.transaction() else {
        return Fact { note: headroom, ..Fact::new("Target", units::rate(commands)) };
    };
    let notes = [Some(units::commands_per_second(commands)), headroom];
    let note = Some(notes.into_iter().flatten().collect::<Vec<_>>().join(" "));
    Fact { note, ..Fact::new("Target", request.rate(commands)) }
}

fn valid_until(valid: &ValidUntil) -> Fact {
    let note = match valid.end {
        End::Disk => "disk full",
        End::Endurance => "disk worn out",
        End::Reads => "larger machine",
        End::Writes => "states too large",
        End::Demand => "demand outgrows it",
        End::Horizon => "horizon",
    };
    let (label, value) = match &valid.on {
        Some(on) => ("Valid until", on.clone()),
        None => ("Valid for", units::about_days(valid.days)),
    };
    Fact { label, value, note: Some(note.to_owned()) }
}

fn disk_to_attach(plan: &PlanResult) -> Fact {
    Fact::new("Disk to attach", units::bytes(plan.growth.disk_bytes as f64))
}

/// `12.40 EUR`, per month.
fn cost(recommendation: &Recommendation) -> Option<String> {
    recommendation.cost.as_ref().map(|cost| units::money(cost.per_month, &cost.currency))
}

/// `3,100 – 4,200/s`.
fn predicted_rate(known: &MachineMode) -> String {
    match (known.range_per_second, known.sustained_per_second) {
        (Some([low, high]), _) => units::range(&units::number(low), &units::rate(high)),
        (None, Some(rate)) => format!("≥ {}", units::rate(rate)),
        (None, None) => "not known".to_owned(),
    }
}

/// `own` is the machine of the mode, where the modes have different ones.
fn plan_mode(plan: &PlanResult, recommendation: &Recommendation, own: Option<&ProfileEvidence>) -> ScreenMode {
    let durability = recommendation.durability;
    let known = machine(plan, recommendation).and_then(|machine| machine.mode(durability));
    let capacity = plan.capacity(durability);
    let sustained = known.map_or_else(|| capacity?.sustained_per_second, MachineMode::least_per_second);
    let limit_ns = plan.slo.limit_ns;
    let name = plan.slo.percentile.name();
    let expected = recommendation.expected.as_ref().and_then(|expected| {
        let found = expected.response.percentile(plan.slo.percentile)?;
        let name = expected.measured_on.as_ref().map_or_else(|| name.to_owned(), |on| format!("{name} on {on}"));
        Some(LatencyBar::new(name, found.value_ns, found.interval_ns, Some(limit_ns)))
    });
    let near = || {
        let probe = capacity?.near(plan.required_per_second, NEAR)?;
        Some((probe.worst_slice_ns?, probe.offered_per_second))
    };
    let elsewhere = || {
        let latency = known.and_then(|known| known.latency).map(|latency| (latency.value_ns, latency.per_second));
        let (value_ns, per_second) = latency.or_else(near)?;
        let is_required =
            suffices(per_second, plan.required_per_second) && suffices(plan.required_per_second, per_second);
        let name = if is_required { name.to_owned() } else { format!("{name} at {}", units::rate(per_second)) };
        Some(LatencyBar::new(name, value_ns, None, Some(limit_ns)))
    };
    let objective = expected.or_else(elsewhere);
    if let Some(figure) = ends_early(plan, recommendation) {
        return ScreenMode::figure(durability, figure.to_owned(), Some("before the horizon".to_owned()));
    }
    let gauge = sustained.and_then(|sustained| Gauge::new(plan, sustained, plan.rate_at_horizon(recommendation)));
    if gauge.is_none() && objective.is_none() && own.is_none() {
        return ScreenMode::figure(durability, "Not known".to_owned(), None);
    }
    ScreenMode {
        durability,
        figure: own.map(|machine| machine.profile.clone()),
        size: own.map(size),
        cost: own.and_then(|_| cost(recommendation)),
        gauge,
        objective,
    }
}

/// What ends machines that sustain the rate now, if that is why none is recommended.
fn ends_early(plan: &PlanResult, recommendation: &Recommendation) -> Option<&'static str> {
    if recommendation.profile.is_some() {
        return None;
    }
    let modes = plan.profiles.iter().filter(|known| known.profile != HOST);
    let modes: Vec<_> = modes.filter_map(|known| known.mode(recommendation.durability)).collect();
    if modes.iter().any(|mode| mode.holds.is_none()) {
        return None;
    }
    let is_enough =
        |mode: &&MachineMode| mode.least_per_second().is_some_and(|rate| suffices(rate, plan.required_per_second));
    let enough_now: Vec<_> = modes.into_iter().filter(is_enough).collect();
    let is_full = |mode: &&MachineMode| mode.binds().is_some_and(|binds| binds.resource == Resource::DiskSpace);
    let word = if enough_now.iter().any(is_full) { "Disk full" } else { "Too slow" };
    (!enough_now.is_empty()).then_some(word)
}

/// Whether what was acknowledged was found again.
fn data(report: &Report) -> Fact {
    let lost = |check: &Verification| {
        let crashes = check.crash.iter().chain(&check.power_cut).map(|crash| crash.differences.len());
        check.differences.len() + crashes.sum::<usize>()
    };
    let checks = || report.modes.iter().map(|mode| &mode.verification);
    let value = match checks().map(lost).sum::<usize>() {
        0 if checks().all(|check| check.performed) => "verified".to_owned(),
        0 => "not verified".to_owned(),
        lost => units::counted(lost as u64, "difference"),
    };
    Fact::new("Data", value)
}

/// `p99 crosses 10 ms`, if it does and that is certain.
fn ramp_title(report: &Report) -> Option<String> {
    let mut modes = report.ramp.iter().flat_map(|ramp| &ramp.modes);
    let crosses = modes.any(|mode| mode.crosses_at_per_second.is_some());
    let slo = report.objective.as_ref().filter(|_| crosses && report.verdict.outcome != Outcome::Inconclusive)?;
    Some(format!("{} crosses {}", slo.percentile, units::duration(slo.limit_ns as f64)))
}

fn run_mode(report: &Report, mode: &ModeResult) -> ScreenMode {
    let slo: Option<&SloInfo> = report.objective.as_ref();
    let command = slo.map(|slo| slo.command.as_str()).or_else(|| report.headline_command());
    let latency = command.and_then(|command| mode.latency(command));
    let percentile = slo.map_or(crate::measure::Percentile::P99, |slo| slo.percentile);
    let found = latency.and_then(|latency| latency.percentile(percentile));
    let crossing = report.ramp.as_ref().and_then(|ramp| {
        let found = ramp.modes.iter().find(|ramp| ramp.durability == mode.durability)?;
        Some(format!("crosses at {}", units::rate(found.crosses_at_per_second?)))
    });
    let figure = crossing.unwrap_or_else(|| units::rate(mode.achieved_per_second));
    ScreenMode {
        // Over all rates of a ramp, a percentile says nothing.
        objective: found
            .filter(|_| report.ramp.is_none())
            .map(|found| LatencyBar::of(found, slo.map(|slo| slo.limit_ns))),
        ..ScreenMode::figure(mode.durability, figure, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn green_is_for_a_pass_with_high_certainty() {
        let levels = [CertaintyLevel::Low, CertaintyLevel::Moderate, CertaintyLevel::High];
        for level in levels {
            let is_high = level == CertaintyLevel::High;
            assert_eq!(Tone::of(Outcome::Pass, Some(level)) == Tone::Pass, is_high, "{level:?}");
            assert_eq!(Tone::of(Outcome::Fail, Some(level)), Tone::Fail);
            assert_eq!(Tone::of(Outcome::Inconclusive, Some(level)), Tone::Inconclusive);
        }
        assert_eq!(Tone::of(Outcome::Pass, None), Tone::Pass, "a certificate has no level: its evidence is its length");
    }

    #[test]
    fn a_latency_is_drawn_beside_its_limit_whichever_is_longer() {
        let within = LatencyBar::new("p99", 2_000, Some([1_500, 2_500]), Some(10_000));
        assert_eq!(
            (within.is_met, within.label.as_str()),
            (Some(true), "p99 2 µs, 95 % interval 1.5 – 2.5 µs, limit 10 µs")
        );
        let [low, high] = within.interval.unwrap();
        assert!(low < within.at && within.at < high && high < within.limit_at.unwrap());
        let beyond = LatencyBar::new("p99", 900_000, None, Some(10_000));
        assert!(beyond.is_met == Some(false) && beyond.at > beyond.limit_at.unwrap());
        assert!(beyond.limit_at.unwrap() > 30.0, "the limit stays visible however far the latency is beyond it");
    }
}
