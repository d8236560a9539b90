//! What predictions mean for the report: whether a host is enough, how sure that is, and the sentences.

use crate::actor::Durability;
use crate::report::{
    Band, Certainty, CertaintyLevel, Evidence, Ground, HostInfo, MachineMode, PredictedMode, suffices,
};
use crate::units;

/// Widest half of a range, as a share of the rate, of an answer that is moderately sure.
const WIDE: f64 = 0.25;
/// Cores that other processes keep busy beside a probe from which on its figures are not trusted.
const BUSY_CORES: f64 = 0.4;

/// A host in one durability mode.
#[derive(Clone, Copy)]
pub(super) struct HostMode<'a> {
    pub(super) name: &'a str,
    pub(super) host: &'a HostInfo,
    pub(super) mode: &'a PredictedMode,
    /// At the target.
    pub(super) holds: Option<bool>,
    /// Cores that other processes kept busy while the host was probed.
    pub(super) foreign_cores: Option<f64>,
}

/// Whether a rate with this range, or that is this high at least, is enough; `None` if that is not known.
pub(super) fn holds(range: Option<Band>, at_least_per_second: Option<f64>, required_per_second: f64) -> Option<bool> {
    match (range, at_least_per_second) {
        (Some(Band { low, .. }), _) if suffices(low, required_per_second) => Some(true),
        (Some(Band { high, .. }), _) => (!suffices(high, required_per_second)).then_some(false),
        (None, Some(least)) => suffices(least, required_per_second).then_some(true),
        (None, None) => None,
    }
}

/// What is known of the other host.
pub(super) fn predicted_mode(mode: &PredictedMode, required_per_second: f64) -> MachineMode {
    let evidence = match (mode.per_second, mode.at_least_per_second) {
        (Some(_), _) => Evidence::Predicted,
        (None, Some(_)) => Evidence::Implied,
        (None, None) => Evidence::NotMeasured,
    };
    let base = mode.base.as_deref().unwrap_or_default();
    let reason = match (mode.note.as_str(), evidence) {
        ("", _) => format!("predicted from the rate of {base}: {}", mode.inputs()),
        (note, Evidence::Implied) => format!("as much as on the cores of {base}, at least: {note}"),
        (note, _) => note.to_owned(),
    };
    MachineMode {
        durability: mode.durability,
        evidence,
        sustained_per_second: mode.per_second.map(|band| band.expected).or(mode.at_least_per_second),
        range_per_second: mode.per_second.map(|band| [band.low, band.high]),
        holds: holds(mode.per_second, mode.at_least_per_second, required_per_second),
        binding: None,
        lacking: None,
        memory_peak_bytes: None,
        process_peak_bytes: None,
        latency: None,
        reason,
    }
}

/// `With durability on, host b is predicted to sustain 3,620/s (3,100 – 4,200/s), …: enough.`
pub(super) fn sentence(one: &HostMode<'_>, required_per_second: f64) -> String {
    let HostMode { name, mode, holds, .. } = one;
    let (durability, required) = (mode.durability, units::rate(required_per_second));
    let answer = match holds {
        Some(true) => "enough",
        Some(false) => "not enough",
        None => "whether that is enough is not known",
    };
    let note = if mode.note.is_empty() { String::new() } else { format!(" ({})", mode.note) };
    if mode.is_known() {
        let base = mode.base.as_deref().unwrap_or_default();
        format!(
            "With durability {durability}, {name} is predicted to sustain {}{note}, from the rate of {base}; {required} are \
             required: {answer}.",
            mode.rate()
        )
    } else {
        format!("With durability {durability}, what {name} sustains is not known: {}.", mode.note)
    }
}

/// `With durability on, none of 3 hosts is predicted to sustain the required 2,857/s; host c may: 2,400/s (1,900 – 3,100/s).`
pub(super) fn none_is_enough(durability: Durability, hosts: &[HostMode<'_>], required_per_second: f64) -> String {
    let open = |one: &HostMode<'_>| match (one.holds, one.mode.is_known()) {
        (Some(_), _) => String::new(),
        (None, true) => format!("; {} may: {}", one.name, one.mode.rate()),
        (None, false) => format!("; what {} sustains is not known: {}", one.name, one.mode.note),
    };
    format!(
        "With durability {durability}, none of {} hosts is predicted to sustain the required {}{}.",
        hosts.len(),
        units::rate(required_per_second),
        hosts.iter().map(open).collect::<String>()
    )
}

/// `host b (4 cores, 8 GiB RAM) is predicted to sustain …: 3,620/s (3,100 – 4,200/s) with durability on; 2,857/s are required.`
pub(super) fn verdict(modes: &[HostMode<'_>], required_per_second: f64, goal: &str) -> String {
    let answer = if modes.iter().all(|one| one.holds == Some(true)) {
        "is predicted to sustain"
    } else if modes.iter().any(|one| one.holds == Some(false)) {
        "is predicted not to sustain"
    } else {
        "is not known to sustain"
    };
    let rates: Vec<_> = modes.iter().map(HostMode::rate).collect();
    let named = modes.first().map(HostMode::sized).unwrap_or_default();
    format!("{named} {answer} {goal}: {}; {} are required.", rates.join(", "), units::rate(required_per_second))
}

/// The same of several hosts: `host c (…), the smallest of 3 hosts that is enough, is predicted to sustain …`. `chosen` is the
/// host in each mode; `is_open` if of some it is not known.
pub(super) fn verdict_of_several(
    chosen: &[(Durability, Option<HostMode<'_>>)],
    (hosts_count, superlative): (usize, &str),
    is_open: bool,
    required_per_second: f64,
    goal: &str,
) -> String {
    let required = units::rate(required_per_second);
    let found: Vec<&HostMode<'_>> = chosen.iter().filter_map(|(_, one)| one.as_ref()).collect();
    let Some(first) = found.first() else {
        let known = if is_open { "known" } else { "predicted" };
        return format!("None of {hosts_count} hosts is {known} to sustain {goal}; {required} are required.");
    };
    if found.len() == chosen.len() && found.iter().all(|one| one.name == first.name) {
        let rates: Vec<_> = found.iter().map(|one| one.rate()).collect();
        return format!(
            "{}, the {superlative} of {hosts_count} hosts that is enough, is predicted to sustain {goal}: {}; {required} are \
             required.",
            first.sized(),
            rates.join(", ")
        );
    }
    let mode = |(durability, one): &(Durability, Option<HostMode<'_>>)| match one {
        Some(one) => format!("{}, {}", one.sized(), one.rate()),
        None => format!("none with durability {durability}"),
    };
    format!(
        "The {superlative} of {hosts_count} hosts that is predicted to sustain {goal}: {}; {required} are required.",
        chosen.iter().map(mode).collect::<Vec<_>>().join("; ")
    )
}

/// Moderate where one core count, within a narrow range, is predicted; else low.
pub(super) fn certainty<'a>(modes: impl Iterator<Item = HostMode<'a>>, plan: &Certainty) -> Certainty {
    let mut grounds: Vec<Ground> = modes.flat_map(|one| one.grounds()).collect();
    let first = "No load was measured there: the rate follows from those of an earlier plan on another host".to_owned();
    grounds.push((plan.level.min(CertaintyLevel::Moderate), first));
    Certainty::of(grounds)
}

impl HostMode<'_> {
    /// `host b (4 cores, 8 GiB RAM)`.
    fn sized(&self) -> String {
        let (cores, ram) = (self.host.usable_cores_count, self.host.usable_ram_bytes);
        format!("{} ({}, {} RAM)", self.name, units::counted(cores.into(), "core"), units::bytes(ram as f64))
    }

    /// `3,620/s (3,100 – 4,200/s) with durability on`.
    fn rate(&self) -> String {
        format!("{} with durability {}", self.mode.rate(), self.mode.durability)
    }

    fn grounds(&self) -> Vec<Ground> {
        let Self { name, mode, .. } = self;
        let durability = mode.durability;
        let half = mode.per_second.map(|band| (band.high - band.low) / (2.0 * band.expected));
        let mut grounds = vec![match half {
            Some(half) => {
                let range = units::percent(100.0 * half);
                let error = units::percent(mode.model_error_percent);
                let level = if half <= WIDE { CertaintyLevel::Moderate } else { CertaintyLevel::Low };
                let text = format!(
                    "With durability {durability}, the range of {name} is ±{range}, the error of its functions {error}"
                );
                (level, text)
            }
            None => (CertaintyLevel::Low, format!("With durability {durability}, of {name}: {}", mode.note)),
        }];
        grounds.extend(mode.check.as_ref().map(|check| {
            let level = if check.is_within { CertaintyLevel::Moderate } else { CertaintyLevel::Low };
            (level, format!("With durability {durability}, {}", check.summary()))
        }));
        grounds.extend(self.foreign_cores.filter(|&busy| busy > BUSY_CORES).map(|busy| {
            let cores = units::number(busy);
            (CertaintyLevel::Low, format!("Other processes kept {cores} cores busy while {name} was probed"))
        }));
        grounds
    }
}
