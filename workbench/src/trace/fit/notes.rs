//! Texts of a fit: origin and description of the workload, and notes.

use super::behaviour::Behaviour;
use super::bursts::{self, ANY_RATE};
use super::chains::Chains;
use super::derive::{Seen, UNKNOWN_BYTES, preloaded};
use super::growth::Growth;
use crate::trace::builder::Trace;
use crate::trace::info::TraceInfo;
use crate::units;
use crate::workload::{Arrivals, PersistenceMode, Population, Workload, escape};
use ave_actors_rocksdb::trace::{CommandKind, Provenance};

pub(super) fn origin(trace: &Trace) -> String {
    let Provenance { name, source, made_by, .. } = &trace.provenance;
    escape(&format!("the trace {name} from {source} ({made_by})").split_whitespace().collect::<Vec<_>>().join(" "))
}

pub(super) fn description(trace: &Trace, info: &TraceInfo, workload: &Workload) -> String {
    let busiest = 100.0 * info.skew.busiest_1_percent_share_ratio;
    let kinds: Vec<String> = CommandKind::ALL
        .into_iter()
        .filter(|&kind| info.command_share(kind) > 0.0)
        .map(|kind| format!("{:.1} % {kind}", 100.0 * info.command_share(kind)))
        .collect();
    format!(
        "Fitted to {}: {} in {} by {} ({}). {} The busiest hundredth of the actors issues \
         {busiest:.1} % of the commands.",
        origin(trace),
        units::counted(trace.command_count(), "command"),
        units::seconds(info.duration_seconds),
        units::counted(info.actors_count, "actor"),
        kinds.join(", "),
        workload.populations.iter().map(of_population).collect::<Vec<_>>().join(" "),
    )
}

fn of_population(population: &Population) -> String {
    format!(
        "Persistence of {} is {}; events are {}, states {}.",
        population.name,
        population.rules(),
        population.event_bytes.describe(),
        population.describe_states(),
    )
}

/// The types that have no part in a chain, with the number of their commands.
fn left_out(info: &TraceInfo, chains: &Chains) -> Option<String> {
    let left = info.types.iter().filter(|one| !chains.has(&one.type_name));
    let names: Vec<String> = left.map(|one| format!("{} ({})", escape(&one.type_name), one.commands())).collect();
    (!names.is_empty())
        .then(|| format!("types without a part in a transaction are left out (commands): {}", names.join(", ")))
}

/// Of the trace, and of each population.
pub(super) fn notes(
    trace: &Trace,
    info: &TraceInfo,
    seen: &[Seen],
    workload: &Workload,
    chains: Option<&Chains>,
) -> Vec<String> {
    let mut notes: Vec<String> = burst_note(info, workload).into_iter().collect();
    notes.extend(chains.and_then(|chains| left_out(info, chains)));
    let dropped = trace.dropped_count();
    notes.extend((dropped > 0).then(|| format!("the recorder dropped {}", units::counted(dropped, "operation"))));
    let several = workload.populations.len() > 1;
    for (population, seen) in workload.populations.iter().zip(seen) {
        let name = if several { format!("{}: ", population.name) } else { String::new() };
        notes.extend(
            population_notes(&seen.info, &seen.behaviour, population).into_iter().map(|note| name.clone() + &note),
        );
        notes.extend(seen.register.map(|register| {
            name + &register_note(&register.growth, &workload.populations[register.of].name, population)
        }));
    }
    notes
}

fn population_notes(info: &TraceInfo, seen: &Behaviour, population: &Population) -> Vec<String> {
    let unencrypted = "no metadata shows whether values are encrypted; assumed: as stated in the trace's first line";
    let unknown = |what: &str| format!("no {what} is written; assumed: {UNKNOWN_BYTES} bytes");
    let poor = info.skew.ks_distance_ratio;
    let skewed = || {
        format!("the skew is not a Zipf distribution (KS distance {poor:.2}): the share of the busiest actors differs")
    };
    let again = "the preload persists events from before the trace again, including those that compaction had deleted";
    let notes = [
        seen.is_encrypted().is_none().then(|| unencrypted.to_owned()),
        cadence_note(seen, population),
        info.state_sizes.is_none().then(|| unknown("state")),
        info.event_sizes.is_none().then(|| unknown("event")),
        (poor > 0.1 && !info.skew.is_uniform).then(skewed),
        (population.persistence.compact_on_snapshot && preloaded(seen) > 0).then(|| again.to_owned()),
    ];
    notes.into_iter().flatten().collect()
}

fn register_note(growth: &Growth, of: &str, population: &Population) -> String {
    let base = (growth.base_bytes - f64::from(population.rules().state_overhead())).max(0.0);
    format!(
        "the states grow with the actors of {of}; the workload has the recorded sizes. For another number of them: \
         `state_bytes = {{ constant = {base:.0} }}` and `state_bytes_per_actor = {{ {of} = {} }}`",
        bursts::digits(growth.each_bytes, 3)
    )
}

fn burst_note(info: &TraceInfo, workload: &Workload) -> Option<String> {
    let Arrivals::Bursts(bursts) = workload.arrivals else { return None };
    let rate = info.commands_per_second;
    let figures = [
        info.rhythm.interarrival_cv_ratio.map(|cv| format!("coefficient of variation {cv:.1}")),
        info.rhythm
            .dispersion_per_100_commands_ratio
            .map(|index| format!("index of dispersion per hundred {index:.1}")),
    ];
    let what = if workload.transactions.is_empty() { "commands" } else { "transactions" };
    Some(format!(
        "{what} came in bursts ({}); the bursts of the workload have {:.1} times the mean rate, {:.0} {what} on \
         average, {:.0} % of all {what}. Their length is for the trace's rate: at N times that rate, divide `seconds` by N \
         ({} at {ANY_RATE} {what}/s). Regular pauses, times of day and the actors of a burst are not resembled; replay the \
         trace itself with `--speed` if they matter",
        figures.into_iter().flatten().collect::<Vec<_>>().join(", "),
        bursts.factor,
        bursts::commands_of_a_burst(bursts, rate),
        100.0 * bursts.factor * bursts.share,
        bursts::digits(bursts.seconds * rate / ANY_RATE, 3),
    ))
}

fn cadence_note(seen: &Behaviour, population: &Population) -> Option<String> {
    if population.persistence.mode == PersistenceMode::Light {
        return None;
    }
    match seen.snapshot_every() {
        None => Some(format!(
            "no automatic snapshot in up to {}: automatic snapshots are off or further apart",
            units::counted(seen.longest_without_state, "event")
        )),
        Some((every, share)) if share < 0.9 => Some(format!(
            "automatic snapshots come at different intervals ({:.0} % after {}): actor types may differ",
            100.0 * share,
            units::counted(every, "event")
        )),
        Some(_) => None,
    }
}
