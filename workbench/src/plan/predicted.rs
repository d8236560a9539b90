//! What a prediction means for the report: whether the other host is enough, how sure that is, and the sentences.

use crate::report::{
    Band, Certainty, CertaintyLevel, Evidence, MachineMode, PlanResult, PredictedMode, PredictionInfo, suffices,
};
use crate::units;

/// Widest half of a range, as a share of the rate, of an answer that is moderately sure.
const WIDE: f64 = 0.25;
/// Cores that other processes keep busy beside a probe from which on its figures are not trusted.
const BUSY_CORES: f64 = 0.4;

/// What is known of the other host.
pub(super) fn predicted_mode(mode: &PredictedMode, required_per_second: f64) -> MachineMode {
    let holds = match (mode.per_second, mode.at_least_per_second) {
        (Some(Band { low, .. }), _) if suffices(low, required_per_second) => Some(true),
        (Some(Band { high, .. }), _) => (!suffices(high, required_per_second)).then_some(false),
        (None, Some(least)) => suffices(least, required_per_second).then_some(true),
        (None, None) => None,
    };
    let evidence = match (mode.per_second, mode.at_least_per_second) {
        (Some(_), _) => Evidence::Predicted,
        (None, Some(_)) => Evidence::Implied,
        (None, None) => Evidence::NotMeasured,
    };
    let base = mode.base.as_deref().unwrap_or_default();
    let reason = match (mode.note.as_str(), evidence) {
        ("", _) => format!("predicted from the rate of {base}: {}", mode.inputs()),
        (note, Evidence::Implied) => format!("as much as on the cores of {base}, at least: {note}"),
        (note, _) => format!("not known: {note}"),
    };
    MachineMode {
        durability: mode.durability,
        evidence,
        sustained_per_second: mode.per_second.map(|band| band.expected).or(mode.at_least_per_second),
        range_per_second: mode.per_second.map(|band| [band.low, band.high]),
        holds,
        binding: None,
        memory_peak_bytes: None,
        process_peak_bytes: None,
        latency: None,
        reason,
    }
}

/// `With durability on, host b is predicted to sustain 3,620/s (3,100 – 4,200/s), …: enough.`
pub(super) fn sentence(mode: &PredictedMode, name: &str, plan: &PlanResult) -> String {
    let (durability, required) = (mode.durability, units::rate(plan.required_per_second));
    let known = plan.profile(name).and_then(|known| known.mode(durability));
    let answer = match known.and_then(|known| known.holds) {
        Some(true) => "enough",
        Some(false) => "not enough",
        None => "whether that is enough is not known",
    };
    let is_known = mode.per_second.is_some() || mode.at_least_per_second.is_some();
    let note = if mode.note.is_empty() { String::new() } else { format!(" ({})", mode.note) };
    if is_known {
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

/// `host b (4 cores, 8 GiB RAM) is predicted to sustain …: 3,620/s (3,100 – 4,200/s) with durability on; 2,857/s are required.`
pub(super) fn verdict(plan: &PlanResult, prediction: &PredictionInfo, name: &str, goal: &str) -> String {
    let (cores, ram) = (prediction.host.usable_cores_count, prediction.host.usable_ram_bytes);
    let size = format!("{}, {} RAM", units::counted(cores.into(), "core"), units::bytes(ram as f64));
    let modes: Vec<_> =
        prediction.modes.iter().map(|mode| format!("{} with durability {}", mode.rate(), mode.durability)).collect();
    let holds: Vec<_> = plan.profiles.iter().flat_map(|known| &known.modes).map(|mode| mode.holds).collect();
    let answer = if holds.iter().all(|holds| *holds == Some(true)) {
        "is predicted to sustain"
    } else if holds.contains(&Some(false)) {
        "is predicted not to sustain"
    } else {
        "is not known to sustain"
    };
    let required = units::rate(plan.required_per_second);
    format!("{name} ({size}) {answer} {goal}: {}; {required} are required.", modes.join(", "))
}

/// Moderate where one core count, within a narrow range, is predicted; else low.
pub(super) fn certainty(prediction: &PredictionInfo, disk_foreign_cores: Option<f64>, plan: &Certainty) -> Certainty {
    let mut grounds = Vec::new();
    for mode in &prediction.modes {
        let durability = mode.durability;
        let half = mode.per_second.map(|band| (band.high - band.low) / (2.0 * band.expected));
        let ground = match half {
            Some(half) => {
                let range = units::percent(100.0 * half);
                let error = units::percent(mode.model_error_percent);
                let level = if half <= WIDE { CertaintyLevel::Moderate } else { CertaintyLevel::Low };
                (
                    level,
                    format!("With durability {durability}, the range is ±{range}, the error of its functions {error}"),
                )
            }
            None => (CertaintyLevel::Low, format!("With durability {durability}, {}", mode.note)),
        };
        grounds.push(ground);
        grounds.extend(mode.check.as_ref().map(|check| {
            let level = if check.is_within { CertaintyLevel::Moderate } else { CertaintyLevel::Low };
            (level, format!("With durability {durability}, {}", check.summary()))
        }));
    }
    if let Some(busy) = disk_foreign_cores.filter(|&busy| busy > BUSY_CORES) {
        let cores = units::number(busy);
        grounds
            .push((CertaintyLevel::Low, format!("Other processes kept {cores} cores busy while that host was probed")));
    }
    let first = "No load was measured there: the rate follows from those of an earlier plan on another host".to_owned();
    grounds.push((plan.level.min(CertaintyLevel::Moderate), first));
    Certainty::of(grounds)
}
