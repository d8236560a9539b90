//! The price of durability on the machines of a plan.

use crate::actor::Durability;
use crate::host::WritebackDelay;
use crate::plan::outcome::{MachineFindings, ModeFindings, PlanOutcome};
use crate::report::{AtRisk, DurabilityPrice, LatencyPrice, PlanResult, ThroughputBasis, ThroughputPrice};

/// Both modes of a plan compared, if their machines were measured on one database; `None` unless both were planned. `measured` is what the evidence at the required rate
/// shows.
pub(super) fn price(
    outcome: &PlanOutcome,
    plan: &PlanResult,
    unsynced: &WritebackDelay,
    measured: Option<DurabilityPrice>,
) -> Option<DurabilityPrice> {
    let modes = outcome.mode(Durability::Off).zip(outcome.mode(Durability::On))?;
    let is_one_database = modes.0.grown_events == modes.1.grown_events;
    let is_one_machine = is_one_database && one_machine(modes).is_some();
    let expected = |durability| plan.recommendation(durability).filter(|_| is_one_machine)?.expected.as_ref();
    let expected = expected(Durability::Off).zip(expected(Durability::On));
    let expected = expected.filter(|(off, on)| off.measured_on == on.measured_on);
    let at_target = expected.and_then(|(off, on)| LatencyPrice::at_target(&off.command, &off.response, &on.response));
    Some(DurabilityPrice {
        throughput: throughput(modes).filter(|_| is_one_database),
        latency: at_target.or_else(|| measured.filter(|_| is_one_machine)?.latency),
        at_risk: Some(AtRisk {
            seconds: unsynced.seconds,
            commands: unsynced.seconds * plan.target_per_second,
            source: unsynced.source.clone(),
        }),
    })
}

/// The machine that the figures of both modes are about; `None` if they are about two.
fn one_machine<'a>(
    (off, on): (&'a ModeFindings, &'a ModeFindings),
) -> Option<(&'a MachineFindings, &'a MachineFindings)> {
    off.principal().zip(on.principal()).filter(|(off, on)| off.machine == on.machine)
}

/// The rates of one machine in both modes: the one recommended with durability on, else the largest that was searched in
/// both, else the ceilings of one. Two machines would be compared, and not two modes.
fn throughput((off, on): (&ModeFindings, &ModeFindings)) -> Option<ThroughputPrice> {
    let both = || {
        off.searched.iter().filter_map(|one| {
            let other = on.searched_machine(&one.machine)?;
            let rates = one.sustained_within_memory().zip(other.sustained_within_memory())?;
            Some((&one.machine, rates, one.missed_per_second().zip(other.missed_per_second())))
        })
    };
    let recommended = on.recommended().map(|verdict| &verdict.machine);
    let same = both().find(|(machine, ..)| Some(*machine) == recommended).or_else(|| both().next_back());
    if let Some((machine, rates, missed)) = same {
        let price = ThroughputPrice::new(ThroughputBasis::Objective, Some(machine.name.clone()), rates);
        return price.map(|price| price.within(missed));
    }
    let (off, on) = one_machine((off, on))?;
    let ceilings = off.ceiling_per_second().zip(on.ceiling_per_second())?;
    ThroughputPrice::new(ThroughputBasis::Saturation, Some(off.machine.name.clone()), ceilings)
}
