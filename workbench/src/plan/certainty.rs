//! How sure a plan is.

use crate::actor::Durability;
use crate::plan::outcome::{MachineFindings, MachineVerdict, ModeFindings, PlanOutcome};
use crate::plan::sentences::LEAST_MARGIN;
use crate::plan::size_rates::SAME_SIZE;
use crate::report::{
    Assessment, Certainty, CertaintyLevel, Evidence, Ground, HorizonInfo, HorizonMode, Outcome, PlanResult, RateTrials,
    WorkingSet, suffices,
};
use crate::units;

/// Factor between a sustained and the required rate from which on the answer is clear, in either direction. A choice: plans
/// on one host differed by 8.5 % without syncs and by more with them (`docs/validation.md`).
const CLEAR: f64 = 1.25;
/// The same where the loads that decided were short: they see few flushes and compactions. A rate that held in loads of 1.2 s
/// missed in loads of 20 s down to two thirds of it (`docs/validation.md`).
const CLEAR_IN_SHORT_LOADS: f64 = 2.0;
/// Loads below this are short, seconds.
const SHORT_LOAD_SECONDS: f64 = 2.5;

/// How sure a plan's recommendations are that `ended` so: as sure as the least sure of them.
pub(super) fn of_plan(
    outcome: &PlanOutcome,
    error: f64,
    plan: &PlanResult,
    assessment: &Assessment,
    ended: Outcome,
) -> Certainty {
    let mut grounds = Vec::new();
    for mode in &outcome.modes {
        match mode.recommended() {
            Some(verdict) => grounds.extend(recommended(mode, verdict, outcome.required_per_second, error)),
            None => grounds.push(none(mode, outcome.required_per_second)),
        }
    }
    grounds.extend(plan.horizon.iter().flat_map(beyond));
    grounds.extend(assessment.ground(ended));
    Certainty::of(grounds)
}

fn recommended(
    mode: &ModeFindings,
    verdict: &MachineVerdict,
    required_per_second: f64,
    error: f64,
) -> impl Iterator<Item = Ground> {
    let durability = mode.durability;
    let own = mode.searched_machine(&verdict.machine);
    let of_machine = of_machine(&verdict.machine.name, verdict.known.evidence, own.is_some());
    let found = own.filter(|_| verdict.known.evidence != Evidence::Implied);
    let trials = found.and_then(|found| trials(found, error));
    let trials = trials.map(|trials| (CertaintyLevel::High, format!("With durability {durability}, {trials}")));
    let load_seconds = found.and_then(load_seconds);
    let margin = verdict.known.sustained_per_second.map(|rate| {
        let margin = rate / required_per_second.max(f64::MIN_POSITIVE);
        of_margin(durability, margin, load_seconds)
    });
    [of_machine].into_iter().chain(trials).chain(margin)
}

/// How its figures were obtained. `was_tried` is whether it was searched itself.
pub(super) fn of_machine(machine: &str, evidence: Evidence, was_tried: bool) -> Ground {
    let (level, how) = match evidence {
        Evidence::Measured => (CertaintyLevel::High, "was measured on this host itself"),
        Evidence::Emulated => (
            CertaintyLevel::High,
            "was emulated here under its CPU and memory limits; processor and disk are those of this host",
        ),
        Evidence::CoresEmulated => {
            (CertaintyLevel::Moderate, "was emulated here under its CPU limit, without its memory limit")
        }
        Evidence::Implied if was_tried => (
            CertaintyLevel::Moderate,
            "sustained less in its own loads, which is taken for chance: it is no smaller than one that sustained the rate",
        ),
        Evidence::Implied => {
            (CertaintyLevel::Moderate, "was not tried itself: it is no smaller than one that sustained the rate")
        }
        Evidence::Extrapolated | Evidence::Predicted | Evidence::NotMeasured => {
            (CertaintyLevel::Low, "is larger than this host: its rate is extrapolated")
        }
    };
    let subject = if evidence == Evidence::Measured { "rate of" } else { "machine" };
    (level, format!("The {subject} {machine} {how}"))
}

/// How far the sustained rate is above the required one, `margin` times. `load_seconds` are those of the loads that decided.
pub(super) fn of_margin(durability: Durability, margin: f64, load_seconds: Option<f64>) -> Ground {
    let is_short = load_seconds.is_some_and(|seconds| seconds < SHORT_LOAD_SECONDS);
    let clear = if is_short { CLEAR_IN_SHORT_LOADS } else { CLEAR };
    let (level, reason) = if margin >= clear {
        (CertaintyLevel::High, format!("up to {} times the required rate is sustained", units::number(margin)))
    } else {
        let of_loads = load_seconds
            .filter(|_| margin >= CLEAR)
            .map_or_else(String::new, |seconds| format!(", in loads of {} each", units::seconds(seconds)));
        (CertaintyLevel::Moderate, narrow(margin) + &of_loads)
    };
    (level, format!("With durability {durability}, {reason}"))
}

/// A margin that may be luck.
fn narrow(margin: f64) -> String {
    if margin < LEAST_MARGIN {
        return "no rate above the required one is sustained".to_owned();
    }
    format!("the highest sustained rate is {} above the required one", units::percent(100.0 * (margin - 1.0)))
}

/// Measured time of each of the loads that decided on the highest rate that is sustained.
fn load_seconds(findings: &MachineFindings) -> Option<f64> {
    let drives = &findings.sustained.last()?.drives;
    drives.iter().map(|drive| drive.measurement.elapsed_ns as f64 / 1e9).reduce(f64::max)
}

/// `2,857 commands/s held 5 of 5 in loads of 3 s on a new database (…)`.
fn trials(findings: &MachineFindings, error: f64) -> Option<String> {
    let RateTrials { rate_per_second, trials, .. } = RateTrials::highest_sustained(&findings.decided)?;
    let of_loads =
        load_seconds(findings).map_or_else(String::new, |seconds| format!(" in loads of {}", units::seconds(seconds)));
    Some(format!(
        "{} {trials}{of_loads} on a new database (a rate that holds half of the time passes this test in at most {} of \
         all cases)",
        units::commands_per_second(*rate_per_second),
        units::percent(100.0 * error),
    ))
}

fn none(mode: &ModeFindings, required_per_second: f64) -> Ground {
    let durability = mode.durability;
    if mode.interrupted {
        return (CertaintyLevel::Low, format!("With durability {durability}, the search was interrupted"));
    }
    let is_enough = |verdict: &MachineVerdict| {
        verdict.known.least_per_second().is_some_and(|rate| suffices(rate, required_per_second))
    };
    let for_a_time = mode
        .verdicts
        .iter()
        .find(|verdict| is_enough(verdict) && !verdict.machine.is_host && verdict.known.holds == Some(false));
    if let Some(verdict) = for_a_time {
        let end =
            if verdict.known.lacking.is_some() { "their disks" } else { "the modelled rates on the grown database" };
        let reason =
            format!("With durability {durability}, machines sustain the required rate now: what ends it are {end}");
        return (CertaintyLevel::Moderate, reason);
    }
    let best = mode.verdicts.iter().filter_map(|verdict| verdict.known.sustained_per_second).fold(0.0, f64::max);
    let share = units::percent(100.0 * best / required_per_second.max(f64::MIN_POSITIVE));
    let is_clear = best * CLEAR <= required_per_second;
    (
        if is_clear { CertaintyLevel::High } else { CertaintyLevel::Moderate },
        format!("With durability {durability}, the highest sustained rate is {share} of the required one"),
    )
}

/// How sure the rates on databases are that are larger than those measured.
pub(super) fn beyond(horizon: &HorizonInfo) -> Vec<Ground> {
    let measured = units::bytes(horizon.measured_bytes);
    if horizon.working_set == WorkingSet::Bounded {
        let reason = format!(
            "What commands read does not grow with the database: the rates were measured on databases of up to {measured}"
        );
        return vec![(CertaintyLevel::High, reason)];
    }
    if horizon.database_bytes.expected <= SAME_SIZE * horizon.measured_bytes {
        let reason = format!("The rates were measured on a database as large as at the horizon, {measured}");
        return vec![(CertaintyLevel::High, reason)];
    }
    if horizon.working_set == WorkingSet::Unknown {
        let reason = format!(
            "Whether commands read more as the database grows beyond {measured} is not known: a trace has one size, a \
             workload from `ave-workbench trace fit` grows"
        );
        return vec![(CertaintyLevel::Moderate, reason)];
    }
    let ground = |mode: &HorizonMode| {
        let durability = mode.durability;
        let (level, check) = match mode.error {
            Some(error) => {
                let response = error
                    .response_percent
                    .map(|percent| format!(", and {} in the response time", units::percent_difference(percent)));
                let rate = units::percent_difference(error.rate_percent);
                let response = response.unwrap_or_default();
                let check =
                    format!("the model was {rate} off in the rate at a size that it was not fitted on{response}");
                (error.certainty(), check)
            }
            None => (CertaintyLevel::Moderate, "the model was not checked at another size".to_owned()),
        };
        let check = match mode.disk_read_seconds {
            Some(seconds) => {
                let added = units::seconds(seconds);
                format!("a read from the disk adds {added} to a command, measured with a cold page cache; {check}")
            }
            None => check,
        };
        (level, format!("With durability {durability}, rates on databases beyond {measured} are modelled: {check}"))
    };
    horizon.modes.iter().map(ground).collect()
}
