//! What a plan's answer says in words: which machine to take, why, and what will be.

use crate::actor::Durability;
use crate::load::Source;
use crate::measure::Percentile;
use crate::plan::binding::Resource;
use crate::plan::engine::{ModePlan, PlanOutcome, PlanSpec};
use crate::plan::evidence::{MachineVerdict, Support};
use crate::report::{ForecastInfo, PlanResult, Recommendation, SloInfo};
use crate::units;

/// `Take nano (2 cores, 512 MiB RAM): it holds …`: the verdict, for somebody who has never seen a report.
pub(crate) fn sentence(source: &Source, plan: &PlanResult) -> String {
    let question = question(source, plan);
    match plan.recommendations.as_slice() {
        [] => format!("Nothing was found of {question}."),
        [only] => one(only, plan, &question),
        [first, second, ..] if first.profile == second.profile => {
            let Some(machine) = machine(first, plan) else {
                return format!("None of the machines tried is shown to hold {question}, durability on or off.");
            };
            format!("Take {machine}: it holds {question}, whether or not every write waits for the disk.")
        }
        several => {
            let parts: Vec<_> = several.iter().map(|one| alternative(one, plan)).collect();
            format!("To hold {question}: {}.", parts.join("; "))
        }
    }
}

fn one(only: &Recommendation, plan: &PlanResult, question: &str) -> String {
    let durability = only.durability;
    machine(only, plan).map_or_else(
        || format!("With durability {durability}, none of the machines tried is shown to hold {question}."),
        |machine| format!("Take {machine}: with durability {durability} it holds {question}."),
    )
}

/// `take nano (…) if a loss of power may cost the last 35 s of writes (durability off)`.
fn alternative(recommendation: &Recommendation, plan: &PlanResult) -> String {
    let take = machine(recommendation, plan)
        .map_or_else(|| "no machine tried is shown to do".to_owned(), |machine| format!("take {machine}"));
    let price = plan.durability_price.as_ref().map(|price| units::seconds(price.at_risk_seconds));
    match (recommendation.durability, price) {
        (Durability::Off, Some(seconds)) => {
            format!("{take} if a loss of power may cost the last {seconds} of writes (durability off)")
        }
        (Durability::Off, None) => format!("{take} if a loss of power may cost the last writes (durability off)"),
        (Durability::On, _) => format!("{take} if it may cost none (durability on)"),
    }
}

/// `nano (2 cores, 512 MiB RAM)`.
fn machine(recommendation: &Recommendation, plan: &PlanResult) -> Option<String> {
    let name = recommendation.profile.as_deref()?;
    let known = plan.profiles.iter().find(|known| known.profile == name);
    Some(known.map_or_else(
        || name.to_owned(),
        |known| {
            let (cores, ram) =
                (units::counted(u64::from(known.cpu_cores_count), "core"), units::bytes(known.ram_bytes as f64));
            format!("{name} ({cores}, {ram} RAM)")
        },
    ))
}

/// `2,000 commands/s of the workload ledger, with 99 % of persist answered within 10 ms and 20 % of the capacity free`.
fn question(source: &Source, plan: &PlanResult) -> String {
    let kind = match source {
        Source::Workload(_) => "workload",
        Source::Trace { .. } => "trace",
    };
    format!(
        "{} commands/s of the {kind} {}, with {} and {} of the capacity free",
        units::number(plan.target_per_second),
        source.name(),
        promise(&plan.slo),
        units::percent(plan.headroom_percent),
    )
}

/// `99 % of persist answered within 10 ms`.
fn promise(slo: &SloInfo) -> String {
    let (command, limit) = (&slo.command, units::duration(slo.limit_ns as f64));
    match slo.percentile {
        Percentile::Max => format!("every {command} answered within {limit}"),
        Percentile::Min => format!("min of {command} within {limit}"),
        percentile => format!("{} % of {command} answered within {limit}", percentile.name().trim_start_matches('p')),
    }
}

/// `With durability on, take nano: …`.
pub(crate) fn take(spec: &PlanSpec, outcome: &PlanOutcome, mode: &ModePlan, verdict: &MachineVerdict) -> String {
    let how = match verdict.support {
        Support::Measured => "was measured to hold",
        Support::Emulated => "held, emulated here with its cores and its memory,",
        Support::CoresEmulated => "held, emulated here with its cores but not with its memory,",
        Support::Implied => "has at least what a machine has that held",
        Support::Extrapolated => "is extrapolated to hold",
        Support::NotMeasured => "is not known to hold",
    };
    let most = verdict.sustained_per_second.map_or_else(String::new, |rate| {
        let binds = verdict.binding.as_ref().filter(|binding| binding.resource != Resource::Unknown);
        let binds = binds.map_or_else(String::new, |binding| format!("; {} binds there", binding.resource.name()));
        format!(" Up to {} commands/s met the objective on it{binds}.", units::number(rate))
    });
    format!(
        "With durability {}, take {}: it {how} {} commands/s, the target of {} with {} headroom.{most}",
        mode.durability,
        verdict.machine,
        units::number(outcome.required_per_second),
        units::number(spec.target_per_second),
        units::percent(spec.headroom_percent),
    )
}

/// What was reached instead, and what would help.
pub(crate) fn why_none(outcome: &PlanOutcome, mode: &ModePlan) -> String {
    let required = units::number(outcome.required_per_second);
    let Some(findings) = mode.principal() else {
        return format!("{required} commands/s are needed, nothing was measured.");
    };
    let reached = mode.sustained_per_second().map_or_else(
        || "no rate met the objective on repeated evidence".to_owned(),
        |sustained| format!("{} commands/s met the objective at most", units::number(sustained)),
    );
    let ceiling = findings
        .ceiling_per_second()
        .map_or_else(String::new, |ceiling| format!(" (ceiling {} on {})", units::number(ceiling), findings.machine));
    let known = mode.verdicts.iter().find(|verdict| verdict.machine == findings.machine);
    let help = known.and_then(|verdict| verdict.binding.as_ref()).map_or_else(String::new, |binding| {
        format!(" What binds is {}: {}; {}.", binding.resource.name(), binding.evidence, binding.resource.remedy())
    });
    format!("{required} commands/s are needed, {reached}{ceiling}.{help}")
}

/// What the rate that decides needed of memory.
pub(crate) fn memory(mode: &ModePlan) -> Option<String> {
    let findings = mode.principal()?;
    let held = findings.held.first()?;
    let page_cache = findings.memory_peak_bytes.map_or_else(String::new, |bytes| {
        format!(" Process and page cache took {} at their largest.", units::bytes(bytes as f64))
    });
    Some(format!(
        "With durability {}, at {} commands/s the process and the whole database took {} on {}.{page_cache}",
        mode.durability,
        units::number(held.rate_per_second),
        units::bytes(held.footprint.total_bytes() as f64),
        findings.machine,
    ))
}

/// What will be, in one sentence.
pub(crate) fn outlook(forecast: &ForecastInfo) -> String {
    let growth = units::bytes(forecast.growth_per_day_bytes.expected);
    let disk = units::bytes(forecast.disk_bytes as f64);
    let full = match (&forecast.disk_full_on, &forecast.disk_full_earliest) {
        (Some(day), Some(earliest)) => {
            let latest = forecast.disk_full_latest.as_deref().unwrap_or("later than anybody plans");
            format!("{disk} are full on {day} (between {earliest} and {latest})")
        }
        (None, Some(earliest)) => format!("{disk} may be full on {earliest} at the earliest, or never"),
        _ => format!("{disk} are not full within a hundred years"),
    };
    let restart = forecast.restart.map_or_else(String::new, |restart| {
        format!(
            " A restart with {} takes {}.",
            units::counted(restart.actors_count, "actor"),
            units::seconds(restart.seconds.expected)
        )
    });
    format!("At the target the database grows by {growth} per day; {full}.{restart}")
}

/// After how many days at the target the database outgrows the memory of the machine to take; `None` if the rate was held on
/// one that had, or if it does not grow, or if nobody knows.
pub(crate) fn outgrown_after_days(plan: &PlanResult, recommendation: &Recommendation) -> Option<f64> {
    let name = recommendation.profile.as_deref()?;
    let memory_bytes = plan.profiles.iter().find(|known| known.profile == name)?.ram_bytes;
    let growth = plan.forecast.as_ref()?.growth_per_day_bytes.expected;
    let is_covered = recommendation.database_bytes.is_some_and(|held_on| held_on >= memory_bytes);
    (growth > 0.0 && !is_covered).then(|| memory_bytes as f64 / growth)
}

/// What the evidence does not cover: tomorrow's database.
pub(crate) fn growth(outcome: &PlanOutcome) -> Option<String> {
    let held = outcome.modes.iter().filter_map(|mode| mode.principal()?.held.first());
    let largest = held.map(|held| held.footprint.database_bytes).max()?;
    Some(format!(
        "The rates cover a database of {}; how fast one is read that has outgrown the machine's memory was not measured.",
        units::bytes(largest as f64),
    ))
}
