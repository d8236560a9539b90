//! Texts of a fit: origin and description of the workload, and notes.

use super::behaviour::Behaviour;
use super::bursts::{self, ANY_RATE};
use super::derive::{UNKNOWN_BYTES, preloaded};
use crate::trace::builder::Trace;
use crate::trace::info::TraceInfo;
use crate::workload::{Arrivals, PersistenceMode, Workload, escape};
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
        "Fitted to {}: {} commands in {:.1} seconds by {} actors ({}). Persistence is {}. Events are {}, states {}. The \
         busiest hundredth of the actors issues {busiest:.1} % of the commands.",
        origin(trace),
        trace.command_count(),
        info.duration_seconds,
        info.actors_count,
        kinds.join(", "),
        workload.rules(),
        workload.event_bytes.describe(),
        workload.state_bytes.describe(),
    )
}

pub(super) fn notes(trace: &Trace, info: &TraceInfo, seen: &Behaviour, workload: &Workload) -> Vec<String> {
    let unencrypted = "no metadata shows whether values are encrypted; assumed: as stated in the trace's first line";
    let unknown = |what: &str| format!("no {what} is written; assumed: {UNKNOWN_BYTES} bytes");
    let (poor, dropped) = (info.skew.ks_distance_ratio, trace.dropped_count());
    let skewed = || {
        format!("the skew is not a Zipf distribution (KS distance {poor:.2}): the share of the busiest actors differs")
    };
    let again = "the preload persists events from before the trace again, including those that compaction had deleted";
    let notes = [
        seen.is_encrypted().is_none().then(|| unencrypted.to_owned()),
        cadence_note(seen, workload),
        info.state_sizes.is_none().then(|| unknown("state")),
        info.event_sizes.is_none().then(|| unknown("event")),
        burst_note(info, workload),
        (poor > 0.1 && !info.skew.is_uniform).then(skewed),
        (dropped > 0).then(|| format!("the recorder dropped {dropped} operations")),
        (workload.persistence.compact_on_snapshot && preloaded(seen) > 0).then(|| again.to_owned()),
    ];
    notes.into_iter().flatten().collect()
}

fn burst_note(info: &TraceInfo, workload: &Workload) -> Option<String> {
    let Arrivals::Bursts(bursts) = workload.arrivals else { return None };
    let rate = info.commands_per_second;
    Some(format!(
        "commands came in bursts (coefficient of variation {:.1}, index of dispersion of 100 commands {:.1}); the bursts of \
         the workload have {:.1} times the mean rate, {:.0} commands on average, {:.0} % of all commands. Their length is \
         for the trace's rate: at N times that rate, divide `seconds` by N ({} at {ANY_RATE} commands/s). Regular pauses, \
         times of day and the actors of a burst are not resembled; replay the trace itself with `--speed` if they matter",
        info.rhythm.interarrival_cv_ratio.unwrap_or(f64::NAN),
        info.rhythm.dispersion_per_100_commands_ratio.unwrap_or(f64::NAN),
        bursts.factor,
        bursts::commands_of_a_burst(bursts, rate),
        100.0 * bursts.factor * bursts.share,
        bursts::digits(bursts.seconds * rate / ANY_RATE, 3),
    ))
}

fn cadence_note(seen: &Behaviour, workload: &Workload) -> Option<String> {
    if workload.persistence.mode == PersistenceMode::Light {
        return None;
    }
    match seen.snapshot_every() {
        None => Some(format!(
            "no automatic snapshot in up to {} events: automatic snapshots are off or further apart",
            seen.longest_without_state
        )),
        Some((every, share)) if share < 0.9 => Some(format!(
            "automatic snapshots come at different intervals ({:.0} % after {every} events): actor types may differ",
            100.0 * share
        )),
        Some(_) => None,
    }
}
