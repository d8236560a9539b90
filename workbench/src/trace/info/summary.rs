//! The summary of a trace.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use super::live::{LiveCounter, LiveData, WorkingSet};
use super::rhythm::{Rhythm, RhythmCounter};
use super::sizes::{SizeCounter, Sizes};
use super::skew::{self, SkewFit};
use super::types::{TypeCounter, TypeInfo, by_name};
use crate::trace::builder::Trace;
use ave_actors_rocksdb::trace::{CommandKind, OpKind};

/// What is in a trace. As JSON, every field is named as here.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceInfo {
    /// Commands by kind.
    #[serde(serialize_with = "by_name")]
    pub commands_count: BTreeMap<CommandKind, u64>,
    /// Storage operations by kind.
    #[serde(serialize_with = "by_name")]
    pub operations_count: BTreeMap<OpKind, u64>,
    /// Distinct actors.
    pub actors_count: u64,
    /// Distinct actor types.
    pub actor_types_count: u64,
    /// Time from the first to the last command, seconds.
    pub duration_seconds: f64,
    /// Mean rate, commands per second: the times between commands over their sum; 0 if all came at once.
    pub commands_per_second: f64,
    /// Sizes of the events that are written, as they are stored; `None` without any.
    pub event_sizes: Option<Sizes>,
    /// Sizes of the snapshots that are written, as they are stored; `None` without any.
    pub state_sizes: Option<Sizes>,
    /// Bytes of all values written.
    pub written_bytes: u64,
    /// Each actor type, those that write most first.
    pub types: Vec<TypeInfo>,
    /// How commands spread over actors.
    pub skew: SkewFit,
    /// How commands spread over time.
    pub rhythm: Rhythm,
    /// The busiest second and the busiest minute.
    pub working_sets: Vec<WorkingSet>,
    /// What is stored at the end of the trace.
    pub live: LiveData,
    /// Operations that the recorder had to drop.
    pub dropped_operations_count: u64,
    /// Actors that had stored something when the trace began.
    pub actors_with_prehistory_count: u64,
    /// Events that were stored when the trace began, by their numbers. A replay stores those that it reads.
    pub prehistory_events_count: u64,
}

impl TraceInfo {
    /// Share of a storage operation among all, `0.0 ..= 1.0`.
    pub fn operation_share(&self, kind: OpKind) -> f64 {
        share(&self.operations_count, &kind)
    }

    /// Share of a command among all, `0.0 ..= 1.0`.
    pub(crate) fn command_share(&self, kind: CommandKind) -> f64 {
        share(&self.commands_count, &kind)
    }
}

fn share<K: Ord>(counts: &BTreeMap<K, u64>, kind: &K) -> f64 {
    let count = counts.get(kind).copied().unwrap_or(0);
    count as f64 / counts.values().sum::<u64>().max(1) as f64
}

/// Summarises a trace.
///
/// # Errors
///
/// If the temporary file of a long trace cannot be read.
pub fn info(trace: &Trace) -> io::Result<TraceInfo> {
    let mut per_actor = vec![0u64; trace.actors().len()];
    let (mut events, mut states) = (SizeCounter::new(), SizeCounter::new());
    let mut rhythm = RhythmCounter::new(trace.command_count(), trace.duration_ns());
    let mut live = LiveCounter::new(trace);
    let mut types = TypeCounter::new(trace);
    let mut written_bytes = 0;
    trace.for_each_command(|command, ops| {
        per_actor[command.actor as usize] += 1;
        rhythm.record(command.at_ns);
        live.record(&command, ops);
        types.record(command.actor, command.kind, ops);
        for op in ops {
            written_bytes += u64::from(op.written_bytes());
            match op.kind {
                OpKind::EventsPut => events.record(op.bytes),
                OpKind::StatesPut => states.record(op.bytes),
                _ => {}
            }
        }
    })?;
    let duration_seconds = trace.duration_ns() as f64 / 1e9;
    let (live, working_sets) = live.finish();
    Ok(TraceInfo {
        commands_count: occurring(CommandKind::ALL, |kind| trace.commands_of(kind)),
        operations_count: occurring(OpKind::ALL, |kind| trace.operations_of(kind)),
        actors_count: trace.actors().len() as u64,
        actor_types_count: trace.type_count() as u64,
        duration_seconds,
        commands_per_second: trace.commands_per_second().unwrap_or(0.0),
        event_sizes: events.finish(),
        state_sizes: states.finish(),
        written_bytes,
        types: types.finish(),
        skew: skew::fit(per_actor),
        rhythm: rhythm.finish(),
        working_sets,
        live,
        dropped_operations_count: trace.dropped_count(),
        actors_with_prehistory_count: trace.actors_with_prehistory(),
        prehistory_events_count: trace.prehistory_events(),
    })
}

fn occurring<K: Ord + Copy, const N: usize>(kinds: [K; N], count: impl Fn(K) -> u64) -> BTreeMap<K, u64> {
    kinds.into_iter().map(|kind| (kind, count(kind))).filter(|&(_, count)| count > 0).collect()
}
