//! How sure a plan is.

use super::advice::outgrown_after_days;
use super::{Findings, MachineVerdict, ModePlan, PlanOutcome, Support};
use crate::actor::Durability;
use crate::report::{Assessment, Certainty, CertaintyBuilder, CertaintyLevel, Outcome, PlanResult, Recommendation};
use crate::units;

/// A rate that is this much above what is needed holds on a day that is a little worse; one that is this much below does not
/// hold on a better one. A choice: searches of one host, repeated half an hour apart, differed by 7 % where no disk was waited
/// for, and by more where one was (`docs/validation.md`).
const CLEAR: f64 = 1.25;
/// A database that outgrows the memory sooner than this does so before anybody looks again, days.
const SOON_DAYS: f64 = 30.0;

/// How sure a plan's recommendations are that `ended` so: as sure as the least sure of them.
pub(super) fn of_plan(outcome: &PlanOutcome, plan: &PlanResult, assessment: &Assessment, ended: Outcome) -> Certainty {
    let mut grounds = CertaintyBuilder::new();
    for mode in &outcome.modes {
        let name = Durability::from(mode.durability);
        match mode.recommended() {
            Some(verdict) => recommended(&mut grounds, name, mode, verdict, outcome.required_per_second),
            None => none(&mut grounds, name, mode, outcome.required_per_second),
        }
    }
    for recommendation in &plan.recommendations {
        grown(&mut grounds, plan, recommendation);
    }
    grounds.consider(assessment, ended);
    grounds.build()
}

fn recommended(
    grounds: &mut CertaintyBuilder,
    durability: Durability,
    mode: &ModePlan,
    verdict: &MachineVerdict,
    required_per_second: f64,
) {
    let machine = &verdict.machine;
    match verdict.support {
        Support::Measured => grounds.support(format!("The rate of {machine} was measured on it as it is")),
        Support::Emulated => grounds.support(format!(
            "The machine {machine} was emulated here within its cores and its memory; processor and disk are those of this host"
        )),
        Support::CoresEmulated => grounds.lower(
            CertaintyLevel::Moderate,
            format!("The machine {machine} was emulated here with its cores but without its memory limit"),
        ),
        Support::Implied => grounds.lower(
            CertaintyLevel::Moderate,
            format!("The machine {machine} was not tried itself: it is no smaller than one that held"),
        ),
        Support::Extrapolated | Support::NotMeasured => grounds
            .lower(CertaintyLevel::Low, format!("The machine {machine} is larger than this host: its rate is extrapolated")),
    }
    if let Some(held) = mode
        .searched
        .iter()
        .find(|found| found.machine == *machine)
        .and_then(|found| required_evidence(found, required_per_second))
    {
        grounds.support(format!("With durability {durability}, {held}"));
    }
    let Some(rate) = verdict.sustained_per_second else { return };
    let margin = rate / required_per_second.max(f64::MIN_POSITIVE);
    if margin >= CLEAR {
        let times = units::number(margin);
        grounds.support(format!("With durability {durability}, up to {times} times the rate needed met the objective"));
    } else {
        let percent = units::percent(100.0 * (margin - 1.0).max(0.0));
        grounds.lower(
            CertaintyLevel::Moderate,
            format!(
                "With durability {durability}, the highest rate that met the objective is only {percent} above the rate needed"
            ),
        );
    }
}

/// `the rate needed, 2,857 commands/s (the target with its headroom), was tried 3 times, 18 s in all, and held`.
fn required_evidence(findings: &Findings, required_per_second: f64) -> Option<String> {
    // The lowest rate that held, which is the one needed wherever that was tried.
    let held = findings.held.first()?;
    let seconds: f64 = held.drives.iter().map(|drive| drive.measurement.elapsed_ns as f64 / 1e9).sum();
    let rate = units::number(held.rate_per_second);
    let rate = if (held.rate_per_second / required_per_second - 1.0).abs() < 0.01 {
        format!("the rate needed, {rate} commands/s (the target with its headroom),")
    } else {
        format!("a rate of {rate} commands/s")
    };
    Some(format!("{rate} was tried {} times, {} in all, and held", held.drives.len(), units::seconds(seconds)))
}

fn none(grounds: &mut CertaintyBuilder, durability: Durability, mode: &ModePlan, required_per_second: f64) {
    if mode.interrupted {
        grounds.lower(CertaintyLevel::Low, format!("With durability {durability}, the search was interrupted"));
        return;
    }
    let best = mode.verdicts.iter().filter_map(|verdict| verdict.sustained_per_second).fold(0.0, f64::max);
    let share = units::percent(100.0 * best / required_per_second.max(f64::MIN_POSITIVE));
    let ground =
        format!("With durability {durability}, the highest rate that met the objective is {share} of the rate needed");
    if best * CLEAR <= required_per_second {
        grounds.support(ground);
    } else {
        grounds.lower(CertaintyLevel::Moderate, ground);
    }
}

/// What was measured says nothing of a database that is read from the disk, if it was not.
fn grown(grounds: &mut CertaintyBuilder, plan: &PlanResult, recommendation: &Recommendation) {
    let days = outgrown_after_days(plan, recommendation);
    if let Some((days, machine)) = days.zip(recommendation.profile.as_deref()).filter(|(days, _)| *days < SOON_DAYS) {
        let after = units::about_days(days);
        grounds.lower(
            CertaintyLevel::Moderate,
            format!(
                "At the target the database outgrows the memory of {machine} after about {after}; it was measured while it \
                 was smaller"
            ),
        );
    }
}
