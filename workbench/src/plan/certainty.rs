//! How sure a plan is.

use crate::plan::outcome::{MachineFindings, MachineVerdict, ModeFindings, PlanOutcome};
use crate::report::{
    Assessment, Certainty, CertaintyBuilder, CertaintyLevel, Evidence, Outcome, PlanResult, Recommendation,
};
use crate::units;

/// Factor between a sustained and the required rate from which on the answer is clear, in either direction. A choice: searches
/// of one host, repeated half an hour apart, differed by 7 % without syncs and by more with them (`docs/validation.md`).
const CLEAR: f64 = 1.25;
/// A database that outgrows the memory sooner than this lowers the certainty, days.
const SOON_DAYS: f64 = 30.0;

/// How sure a plan's recommendations are that `ended` so: as sure as the least sure of them.
pub(super) fn of_plan(outcome: &PlanOutcome, plan: &PlanResult, assessment: &Assessment, ended: Outcome) -> Certainty {
    let mut grounds = CertaintyBuilder::new();
    for mode in &outcome.modes {
        match mode.recommended() {
            Some(verdict) => recommended(&mut grounds, mode, verdict, outcome.required_per_second),
            None => none(&mut grounds, mode, outcome.required_per_second),
        }
    }
    for recommendation in &plan.recommendations {
        outgrown(&mut grounds, recommendation);
    }
    grounds.consider(assessment, ended);
    grounds.build()
}

fn recommended(
    grounds: &mut CertaintyBuilder,
    mode: &ModeFindings,
    verdict: &MachineVerdict,
    required_per_second: f64,
) {
    let (durability, machine) = (mode.durability, &verdict.machine);
    match verdict.evidence {
        Evidence::Measured => grounds.support(format!("The rate of {machine} was measured on this host itself")),
        Evidence::Emulated => grounds.support(format!(
            "The machine {machine} was emulated here under its CPU and memory limits; processor and disk are those of this host"
        )),
        Evidence::CoresEmulated => grounds.lower(
            CertaintyLevel::Moderate,
            format!("The machine {machine} was emulated here under its CPU limit, without its memory limit"),
        ),
        Evidence::Implied => grounds.lower(
            CertaintyLevel::Moderate,
            format!("The machine {machine} was not tried itself: it is no smaller than one that sustained the rate"),
        ),
        Evidence::Extrapolated | Evidence::NotMeasured => grounds
            .lower(CertaintyLevel::Low, format!("The machine {machine} is larger than this host: its rate is extrapolated")),
    }
    let repeats = mode.searched_machine(machine).and_then(|found| repeats(found, required_per_second));
    if let Some(repeats) = repeats {
        grounds.support(format!("With durability {durability}, {repeats}"));
    }
    let Some(rate) = verdict.sustained_per_second else { return };
    let margin = rate / required_per_second.max(f64::MIN_POSITIVE);
    if margin >= CLEAR {
        let times = units::number(margin);
        grounds
            .support(format!("With durability {durability}, up to {times} times the required rate met the objective"));
    } else {
        let percent = units::percent(100.0 * (margin - 1.0).max(0.0));
        grounds.lower(
            CertaintyLevel::Moderate,
            format!(
                "With durability {durability}, the highest rate that met the objective is only {percent} above the required rate"
            ),
        );
    }
}

/// `the required rate, 2,857 commands/s, was tried 3 times, 18 s in all, and sustained`.
fn repeats(findings: &MachineFindings, required_per_second: f64) -> Option<String> {
    // The lowest sustained rate is the required one wherever that was tried.
    let lowest = findings.sustained.first()?;
    let seconds: f64 = lowest.drives.iter().map(|drive| drive.measurement.elapsed_ns as f64 / 1e9).sum();
    let rate = units::number(lowest.rate_per_second);
    let rate = if (lowest.rate_per_second / required_per_second - 1.0).abs() < 0.01 {
        format!("the required rate, {rate} commands/s,")
    } else {
        format!("a rate of {rate} commands/s")
    };
    let times = lowest.drives.len();
    Some(format!("{rate} was tried {times} times, {} in all, and sustained", units::seconds(seconds)))
}

fn none(grounds: &mut CertaintyBuilder, mode: &ModeFindings, required_per_second: f64) {
    let durability = mode.durability;
    if mode.interrupted {
        grounds.lower(CertaintyLevel::Low, format!("With durability {durability}, the search was interrupted"));
        return;
    }
    let best = mode.verdicts.iter().filter_map(|verdict| verdict.sustained_per_second).fold(0.0, f64::max);
    let share = units::percent(100.0 * best / required_per_second.max(f64::MIN_POSITIVE));
    let ground = format!(
        "With durability {durability}, the highest rate that met the objective is {share} of the required rate"
    );
    if best * CLEAR <= required_per_second {
        grounds.support(ground);
    } else {
        grounds.lower(CertaintyLevel::Moderate, ground);
    }
}

/// A database larger than the memory is read from the disk, which was not measured.
fn outgrown(grounds: &mut CertaintyBuilder, recommendation: &Recommendation) {
    let days = recommendation.outgrown_after_days.filter(|&days| days < SOON_DAYS);
    if let Some((days, machine)) = days.zip(recommendation.profile.as_deref()) {
        let after = units::about_days(days);
        let ground = format!(
            "At the target the database outgrows the memory of {machine} after about {after}; it was measured while it was \
             smaller"
        );
        grounds.lower(CertaintyLevel::Moderate, ground);
    }
}
