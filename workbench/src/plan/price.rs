//! The price of durability on the machines of a plan.

use crate::actor::Durability;
use crate::host::WritebackDelay;
use crate::plan::outcome::{MachineFindings, ModeFindings, PlanOutcome};
use crate::report::{AtRisk, DurabilityPrice, LatencyPrice, PlanResult, ThroughputBasis, ThroughputPrice};

/// Both modes of a plan compared; `None` unless both were planned. `measured` is what the evidence at the required rate
/// shows.
pub(super) fn price(
    outcome: &PlanOutcome,
    plan: &PlanResult,
    unsynced: &WritebackDelay,
    measured: Option<DurabilityPrice>,
) -> Option<DurabilityPrice> {
    let modes = outcome.mode(Durability::Off).zip(outcome.mode(Durability::On))?;
    let expected = |durability| plan.recommendation(durability)?.expected.as_ref();
    let expected = expected(Durability::Off).zip(expected(Durability::On));
    let at_target = expected.and_then(|(off, on)| LatencyPrice::at_target(&off.command, &off.response, &on.response));
    Some(DurabilityPrice {
        throughput: throughput(modes),
        latency: at_target.or_else(|| measured?.latency),
        at_risk: Some(AtRisk {
            seconds: unsynced.seconds,
            commands: unsynced.seconds * plan.target_per_second,
            source: unsynced.source.clone(),
        }),
    })
}

/// The rates of one machine in both modes: the one recommended with durability on, else the largest that was searched in
/// both. If no machine was, the rates of the modes' principal machines, or their ceilings.
fn throughput((off, on): (&ModeFindings, &ModeFindings)) -> Option<ThroughputPrice> {
    let both = || {
        off.searched.iter().filter_map(|one| {
            let other = on.searched_machine(&one.machine)?;
            Some((&one.machine, one.sustained_within_memory().zip(other.sustained_within_memory())?))
        })
    };
    let recommended = on.recommended().map(|verdict| &verdict.machine);
    let same = both().find(|(machine, _)| Some(*machine) == recommended).or_else(|| both().next_back());
    if let Some((machine, rates)) = same {
        return ThroughputPrice::new(ThroughputBasis::Objective, Some(machine.name.clone()), rates);
    }
    let (off, on) = off.principal().zip(on.principal())?;
    let of = |figure: fn(&MachineFindings) -> Option<f64>| figure(off).zip(figure(on));
    match of(MachineFindings::sustained_per_second) {
        Some(rates) => ThroughputPrice::new(ThroughputBasis::Objective, None, rates),
        None => ThroughputPrice::new(ThroughputBasis::Saturation, None, of(MachineFindings::ceiling_per_second)?),
    }
}
