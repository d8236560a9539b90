//! The sentences of a plan's report: the verdict, the recommendations and what they rest on.

use std::collections::BTreeSet;

use crate::actor::Durability;
use crate::measure::Percentile;
use crate::plan::binding::remedy;
use crate::plan::outcome::{AtTarget, Ended, MachineVerdict, ModeFindings, Outlook, PlanOutcome, SustainedRate};
use crate::plan::spec::PlanSpec;
use crate::report::{
    AtRisk, CatalogueInfo, Evidence, ForecastInfo, MachineMode, ModeResult, PlanResult, Recommendation, Report,
    RequestCommands, Resource, SloInfo, SourceKind, ValidUntil, suffices,
};
use crate::units;

/// A sustained rate below this multiple of the required one has no margin: the loads of one rate scatter by as much.
pub(super) const LEAST_MARGIN: f64 = 1.02;

/// `950 commands/s`, or `50 fact/s (950 commands/s)` if the objective is on a transaction.
pub(super) fn rate_words(transaction: Option<&RequestCommands>, commands_per_second: f64) -> String {
    let commands = units::commands_per_second(commands_per_second);
    transaction
        .map_or_else(|| commands.clone(), |request| format!("{} ({commands})", request.rate(commands_per_second)))
}

/// `Take nano (2 cores, 512 MiB RAM): it sustains …`: the verdict. `goal` is what is to be sustained, in words.
fn verdict(goal: &str, plan: &PlanResult, at_risk: Option<&AtRisk>) -> String {
    match plan.recommendations.as_slice() {
        [] => format!("Nothing was measured of {goal}."),
        [only] => {
            let durability = only.durability;
            machine(only, plan).map_or_else(
                || format!("With durability {durability}, {}.", no_machine(goal, plan, &[durability])),
                |machine| format!("Take {machine}: with durability {durability} it sustains {goal}."),
            )
        }
        [first, second, ..] if first.profile == second.profile => machine(first, plan).map_or_else(
            || {
                let none = no_machine(goal, plan, &[first.durability, second.durability]);
                format!("With durability on or off, {none}.")
            },
            |machine| format!("Take {machine}: it sustains {goal}, with durability on and off."),
        ),
        several => {
            let parts: Vec<_> = several.iter().map(|one| alternative(one, plan, at_risk)).collect();
            format!("To sustain {goal}: {}.", parts.join("; "))
        }
    }
}

/// `no machine that was tried sustains …`, or for how long some do.
fn no_machine(goal: &str, plan: &PlanResult, durabilities: &[Durability]) -> String {
    let ended = |&durability: &Durability| Some((durability, enough_for_a_time(plan, durability)?));
    let ended: Vec<_> = durabilities.iter().filter_map(ended).collect();
    let full = durabilities.iter().find_map(|&durability| full_disk(plan, durability));
    let open = unknown(plan, durabilities);
    let sustains = if open.is_empty() { "sustains" } else { "is known to sustain" };
    match &ended[..] {
        [] if full.is_some() => {
            format!("no machine {sustains} {goal} until the horizon: {}{open}", full.unwrap_or_default())
        }
        // What an earlier plan did not measure may sustain it.
        [] if plan.ranked_from.is_some() => format!("no machine is known to sustain {goal}{open}"),
        [] => format!("no machine that was tried sustains {goal}{open}"),
        [(_, first), others @ ..] if others.iter().all(|(_, other)| other == first) => {
            format!("no machine {sustains} {goal} until the horizon: {first}{open}")
        }
        _ => {
            let each: Vec<_> =
                ended.iter().map(|(mode, over_time)| format!("durability {mode}: {over_time}")).collect();
            format!("no machine {sustains} {goal} until the horizon ({}){open}", each.join("; "))
        }
    }
}

/// `; of 3 machines that is not known: plan for each alone, on hosts of their size or larger`, if that is why a mode has no machine.
fn unknown(plan: &PlanResult, durabilities: &[Durability]) -> String {
    let open = plan.recommendations.iter().filter(|one| durabilities.contains(&one.durability) && plan.is_open(one));
    let names: BTreeSet<_> = open.flat_map(|one| plan.unknown_machines(one.durability)).collect();
    // What an earlier plan did not measure, a new one may.
    let [one, several] = match plan.ranked_from {
        Some(_) => ["plan for this target"; 2],
        None => [
            "plan for it alone, on a host of its size or larger",
            "plan for each alone, on hosts of their size or larger",
        ],
    };
    match names.first().filter(|_| names.len() == 1) {
        Some(only) => format!("; of {only} that is not known: {one}"),
        None if names.is_empty() => String::new(),
        None => format!("; of {} that is not known: {several}", units::counted(names.len() as u64, "machine")),
    }
}

/// `nano until 2027-03-01, then none of the candidates until 2027-11-29`, if machines are enough for a time only.
fn enough_for_a_time(plan: &PlanResult, durability: Durability) -> Option<String> {
    let known = plan.horizon.as_ref()?.mode(durability)?;
    let is_enough_at_first = known.periods.first().is_some_and(|first| first.profile.is_some());
    let ends = known.periods.last().is_some_and(|last| last.profile.is_none());
    (is_enough_at_first && ends).then(|| known.machines_over_time())
}

fn full_disk(plan: &PlanResult, durability: Durability) -> Option<String> {
    let machines = plan.profiles.iter().filter_map(|known| Some((known.profile.as_str(), known.mode(durability)?)));
    short_of_disk(machines, plan.catalogue.as_ref()?, plan.required_per_second)
}

/// `x16 does now, but its disk of 466 GiB is full after 17 days: …`: of the machines that sustain the rate, and whose disks are full
/// before the horizon, that with the largest.
fn short_of_disk<'a>(
    machines: impl Iterator<Item = (&'a str, &'a MachineMode)>,
    catalogue: &CatalogueInfo,
    required_per_second: f64,
) -> Option<String> {
    let by_disk = machines.filter_map(|(name, mode)| {
        let is_enough = mode.least_per_second().is_some_and(|rate| suffices(rate, required_per_second));
        let lacking = mode.lacking.as_ref().filter(|lacking| is_enough && lacking.resource == Resource::DiskSpace)?;
        Some((catalogue.entry(name)?.disk_bytes, name, &lacking.evidence))
    });
    let (_, name, evidence) = by_disk.max_by_key(|(disk_bytes, ..)| *disk_bytes)?;
    Some(format!("{name} does now, but {evidence}"))
}

/// The verdict of a plan that decided nothing: no machine is to be taken.
fn undecided(goal: &str, plan: &PlanResult) -> String {
    let mut machines: Vec<_> = plan.recommendations.iter().filter_map(|one| machine(one, plan)).collect();
    machines.dedup();
    let subject = if machines.is_empty() { "any machine that was tried".to_owned() } else { machines.join(" or ") };
    format!("Whether {subject} sustains {goal} is not decided: measure again.")
}

/// The verdict with what ends it first, or that it is not decided.
pub(super) fn answer(is_decided: bool, goal: &str, plan: &PlanResult, at_risk: Option<&AtRisk>) -> String {
    if !is_decided {
        return undecided(goal, plan);
    }
    with_validity(verdict(goal, plan, at_risk), plan)
}

/// A verdict with what ends it first, where every mode has a machine.
pub(super) fn with_validity(sentence: String, plan: &PlanResult) -> String {
    let all = plan.recommendations.iter().all(|one| one.profile.is_some());
    match plan.valid_until.as_ref().filter(|_| all) {
        Some(valid_until) => format!("{}{}.", sentence.trim_end_matches('.'), validity(valid_until)),
        None => sentence,
    }
}

/// `take nano (…) if a power loss may lose the last 35 s of writes (durability off)`.
fn alternative(recommendation: &Recommendation, plan: &PlanResult, at_risk: Option<&AtRisk>) -> String {
    let open = unknown(plan, &[recommendation.durability]);
    let none = || match enough_for_a_time(plan, recommendation.durability) {
        Some(over_time) if open.is_empty() => format!("no machine is enough until the horizon ({over_time})"),
        Some(over_time) => format!("no machine is known to be enough until the horizon ({over_time}{open})"),
        None if open.is_empty() => "no machine that was tried qualifies".to_owned(),
        None => format!("no machine is known to qualify ({})", open.trim_start_matches("; ")),
    };
    let take = machine(recommendation, plan).map_or_else(none, |machine| format!("take {machine}"));
    match (recommendation.durability, at_risk) {
        (Durability::Off, Some(risk)) => {
            let seconds = units::seconds(risk.seconds);
            format!("{take} if a power loss may lose the last {seconds} of writes (durability off)")
        }
        (Durability::Off, None) => format!("{take} if a power loss may lose the last writes (durability off)"),
        (Durability::On, _) => format!("{take} if a power loss may lose no write (durability on)"),
    }
}

/// `nano (2 cores, 512 MiB RAM)`.
fn machine(recommendation: &Recommendation, plan: &PlanResult) -> Option<String> {
    let known = plan.profile(recommendation.profile.as_deref()?)?;
    let ram = units::bytes(known.ram_bytes as f64);
    let cost = recommendation
        .cost
        .as_ref()
        .map_or_else(String::new, |cost| format!(", {} per month", units::money(cost.per_month, &cost.currency)));
    Some(format!("{} ({}, {ram} RAM{cost})", known.profile, units::cores(known.millicores())))
}

/// `2,000 commands/s of the workload ledger, with 99 % of persist answered within 10 ms and 20 % of the capacity free`.
pub(super) fn goal(report: &Report, rate: &str, plan: &PlanResult) -> String {
    let kind = match report.source.kind {
        SourceKind::Workload => "workload",
        SourceKind::Trace => "trace",
    };
    format!(
        "{rate} of the {kind} {}, with {} and {} of the capacity free",
        report.name,
        objective(&plan.slo),
        units::percent(plan.headroom_percent),
    )
}

/// `99 % of persist answered within 10 ms`.
fn objective(slo: &SloInfo) -> String {
    let (command, limit) = (&slo.command, units::duration(slo.limit_ns as f64));
    match slo.percentile {
        Percentile::Max => format!("every {command} answered within {limit}"),
        Percentile::Min => format!("min of {command} within {limit}"),
        percentile => format!("{} % of {command} answered within {limit}", percentile.name().trim_start_matches('p')),
    }
}

/// `With durability on, take nano: …`.
pub(super) fn recommended(
    transaction: Option<&RequestCommands>,
    spec: &PlanSpec,
    outcome: &PlanOutcome,
    mode: &ModeFindings,
    verdict: &MachineVerdict,
) -> String {
    let rate = rate_words(transaction, outcome.required_per_second);
    let sustains = match verdict.known.evidence {
        Evidence::Measured => format!("sustained {rate}"),
        Evidence::Emulated => format!("sustained {rate} under emulated CPU and memory limits"),
        Evidence::CoresEmulated => format!("sustained {rate} under an emulated CPU limit, without its memory limit"),
        Evidence::Implied => format!("has at least the cores and memory of a machine that sustained {rate}"),
        Evidence::Extrapolated => format!("sustains {rate} by extrapolation"),
        Evidence::Predicted => format!("is predicted to sustain {rate}"),
        Evidence::NotMeasured => format!("is not known to sustain {rate}"),
    };
    let most = verdict.known.sustained_per_second.map_or_else(String::new, |rate| {
        let limit = verdict.known.binding.as_ref().and_then(|binding| binding.resource.name());
        let limit = limit.map_or_else(String::new, |resource| format!(", where {resource} is the limit"));
        format!(" The highest sustained rate is {}{limit}.", rate_words(transaction, rate))
    });
    format!(
        "With durability {}, take {}: it {sustains}, the target of {} with {} headroom.{most}",
        mode.durability,
        verdict.machine,
        rate_words(transaction, spec.target_per_second),
        units::percent(spec.headroom_percent),
    )
}

/// Why no machine is recommended, and what would help.
pub(super) fn none_qualified(
    transaction: Option<&RequestCommands>,
    catalogue: Option<&CatalogueInfo>,
    outcome: &PlanOutcome,
    mode: &ModeFindings,
) -> String {
    let required = rate_words(transaction, outcome.required_per_second);
    let durability = mode.durability;
    if let Some(Ended { over_time, written_bytes_per_command }) = &mode.ended {
        let growth = written_bytes_per_command.map_or_else(String::new, |bytes| {
            let [now, then] = bytes.map(units::bytes);
            format!(
                "; states grow with the events of their actors: a command writes {now} on average now and {then} at the horizon"
            )
        });
        return format!("With durability {durability}, no machine is enough until the horizon: {over_time}{growth}.");
    }
    if mode.interrupted {
        return format!(
            "With durability {durability}, the plan was interrupted before it found a machine for {required}."
        );
    }
    let machines = || mode.verdicts.iter().map(|verdict| (verdict.machine.name.as_str(), &verdict.known));
    let full = catalogue.and_then(|catalogue| short_of_disk(machines(), catalogue, outcome.required_per_second));
    if let Some(full) = full {
        let help = remedy(Resource::DiskSpace);
        return format!(
            "With durability {durability}, no machine sustains {required} until the horizon: {full}; {help}."
        );
    }
    let Some(findings) = mode.principal() else {
        return format!("With durability {durability}, no machine: {required} are needed, nothing was measured.");
    };
    let reached = mode.sustained_per_second().map_or_else(
        || "no rate is sustained".to_owned(),
        |sustained| format!("the highest sustained rate is {}", rate_words(transaction, sustained)),
    );
    let ceiling = findings
        .ceiling_per_second()
        .map_or_else(String::new, |ceiling| format!(" (ceiling {} on {})", units::number(ceiling), findings.machine));
    let known = mode.verdicts.iter().find(|verdict| verdict.machine == findings.machine);
    let help = known.and_then(|verdict| verdict.known.binds()).map_or_else(String::new, |binding| {
        let resource = binding.resource.name().unwrap_or("not known");
        format!(" The limit is {resource}: {}; {}.", binding.evidence, remedy(binding.resource))
    });
    format!("With durability {durability}, no machine qualifies: {required} are needed, {reached}{ceiling}.{help}")
}

/// Why the trials of a mode support no answer.
pub(super) fn doubts(mode: &ModeFindings, required_per_second: f64) -> Vec<String> {
    let durability = mode.durability;
    let mut doubts = Vec::new();
    let undecided = mode.searched.iter().flat_map(|findings| &findings.decided);
    for one in undecided.filter(|one| one.sustained.is_none() && suffices(required_per_second, one.rate_per_second)) {
        let (rate, trials) = (units::commands_per_second(one.rate_per_second), one.trials);
        doubts.push(format!("durability {durability}: {rate} {trials}, which decides nothing: measure again"));
    }
    let Some(recommended) = mode.recommended() else { return doubts };
    if recommended.known.sustained_per_second.is_some_and(|rate| rate < LEAST_MARGIN * required_per_second) {
        doubts.push(format!(
            "durability {durability}: no rate above the required one is sustained on {}: the margin is 0 %",
            recommended.machine
        ));
    }
    if let Some(AtTarget { trials, .. }) =
        mode.at_target.as_ref().filter(|one| one.trials.held_count < one.trials.tried_count)
    {
        doubts.push(format!(
            "durability {durability}: the target itself {trials} although a higher rate is sustained: the host or its disk is \
             unsteady"
        ));
    }
    doubts
}

/// Memory in use: the process, the page cache with it, and their limit.
pub(super) fn memory(mode: &ModeFindings) -> Option<String> {
    let findings = mode.principal()?;
    let SustainedRate { footprint, .. } = findings.sustained.first()?;
    let bytes = |bytes: u64| units::bytes(bytes as f64);
    let with_cache = findings.memory_peak_bytes.map_or_else(String::new, |peak| {
        let limit = findings.machine.usable_ram_bytes();
        // The kernel counts a little beyond the limit before it reclaims.
        let used = if peak < limit { format!("{} of the", bytes(peak)) } else { "all of the".to_owned() };
        format!(", process and page cache together used {used} {} that they may use", bytes(limit))
    });
    Some(format!(
        "With durability {}, on {} the process peaked at {}{with_cache}; the database had {}.",
        mode.durability,
        findings.machine,
        bytes(findings.rss_peak_bytes),
        bytes(footprint.database_bytes),
    ))
}

/// Sizes of the databases that the rates were measured on.
pub(super) fn database_size(outcome: &PlanOutcome) -> Option<String> {
    let sizes = || outcome.modes.iter().flat_map(|mode| &mode.sizes).map(|size| size.database_bytes);
    let [smallest, largest] = [sizes().min()?, sizes().max()?].map(|size| units::bytes(size as f64));
    Some(if smallest == largest {
        format!("The rates were measured on databases of {largest}.")
    } else {
        format!("The rates were measured on databases of {smallest} to {largest}.")
    })
}

/// `, valid until 2027-03-01, when the disk is full`.
pub(super) fn validity(valid_until: &ValidUntil) -> String {
    format!(", valid {}", valid_until.text())
}

/// Growth, disk and restart at the target.
pub(super) fn forecast(forecast: &ForecastInfo) -> String {
    let growth = units::bytes(forecast.growth_per_day_bytes.expected);
    let full = forecast.disk_full_text();
    let restart = forecast.restart.map_or_else(String::new, |restart| {
        format!(
            " A restart with {} takes {}.",
            units::counted(restart.actors_count, "actor"),
            units::seconds(restart.seconds.expected)
        )
    });
    let demand = match forecast.demand_growth_percent_per_month {
        percent if percent > 0.0 => format!(", and the demand by {} per month", units::percent(percent)),
        _ => String::new(),
    };
    format!("At the target the database grows by {growth} per day{demand}; {full}.{restart}")
}

/// Conditions that the evidence does not cover; none if no machine is recommended.
pub(super) fn not_covered(
    recommendations: &[Recommendation],
    outlook: Option<&Outlook>,
    modes: &[ModeResult],
) -> Vec<String> {
    if recommendations.iter().all(|recommendation| recommendation.profile.is_none()) {
        return Vec::new();
    }
    let larger = outlook.map(|outlook| {
        format!("a database larger than {}, whose rates are modelled", units::bytes(outlook.horizon.measured_bytes))
    });
    // Each load counts from its own beginning.
    let seconds = modes.iter().flat_map(|mode| &mode.series).map(|slice| slice.at_seconds).reduce(f64::max);
    let longer = seconds
        .map(|seconds| format!("loads longer than {}: certify the rate before you buy", units::seconds(seconds)));
    let others = "another disk or processor than this host's, and what your application itself needs".to_owned();
    larger.into_iter().chain(longer).chain([others]).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::load::{RequestKind, Source};
    use crate::workload::{Workload, shipped};
    use ave_actors_rocksdb::trace::CommandKind;

    #[test]
    fn rates_of_an_objective_on_a_transaction_are_those_of_transactions() {
        let node = shipped().iter().find(|named| named.name == "ledger-node").unwrap();
        let source = Source::Workload(Arc::new(Workload::parse(node.text).unwrap()));
        assert_eq!(rate_words(None, 2_080.0), "2,080 commands/s");
        // Ten facts of 19 commands for each subject of 18.
        let fact = RequestCommands::of(&source, RequestKind::Transaction(0)).unwrap();
        assert_eq!(rate_words(Some(&fact), 2_080.0), "100 fact/s (2,080 commands/s)");
    }

    #[test]
    fn states_that_grow_are_named_where_they_end_what_a_machine_sustains() {
        let outcome = PlanOutcome {
            request: CommandKind::Persist.into(),
            required_per_second: 100.0,
            modes: Vec::new(),
            harness_ns_per_operation: 0.0,
            interrupted: false,
        };
        let over_time = "nano until 2027-03-01, then none of the candidates until 2027-11-29".to_owned();
        let mode = |written_bytes_per_command| ModeFindings {
            ended: Some(Ended { over_time: over_time.clone(), written_bytes_per_command }),
            ..ModeFindings::new(Durability::Off)
        };
        let by_writes = none_qualified(None, None, &outcome, &mode(Some([1_400.0, 5_000_000.0])));
        assert!(by_writes.contains("until the horizon: nano until 2027-03-01, then none"), "{by_writes}");
        assert!(
            by_writes.ends_with("a command writes 1.37 KiB on average now and 4.77 MiB at the horizon."),
            "{by_writes}"
        );
        let by_reads = none_qualified(None, None, &outcome, &mode(None));
        assert!(by_reads.ends_with("until 2027-11-29."), "{by_reads}");
    }
}
