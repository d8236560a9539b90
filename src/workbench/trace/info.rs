//! What is in a trace.

use std::collections::BTreeMap;

use super::Trace;
use crate::workbench::actor::{CommandKind, OpKind};

/// What is in a trace, counted.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceInfo {
    /// Commands by kind.
    pub commands: BTreeMap<CommandKind, u64>,
    /// Operations by kind.
    pub operations: BTreeMap<OpKind, u64>,
    /// Distinct actors.
    pub actors: u64,
    /// Distinct actor types.
    pub types: u64,
    /// Time from the first to the last command, seconds.
    pub duration_seconds: f64,
    /// Mean rate over that time, commands per second.
    pub commands_per_second: f64,
    /// Longest pause between two commands, seconds.
    pub longest_gap_seconds: f64,
    /// Minimum, median, p99 and maximum of event sizes, bytes; absent without events.
    pub event_bytes: Option<[u32; 4]>,
    /// The same of state sizes.
    pub state_bytes: Option<[u32; 4]>,
    /// Bytes of all values written.
    pub written_bytes: u64,
    /// Share of the commands that the busiest 1 % of the actors issue (at least one actor), `0.0 ..= 1.0`.
    pub busiest_percent_share: f64,
}

/// Counts what is in a trace.
pub fn info(trace: &Trace) -> TraceInfo {
    let mut commands = BTreeMap::new();
    let mut per_actor = vec![0u64; trace.actors.len()];
    for command in &trace.commands {
        *commands.entry(command.kind).or_insert(0) += 1;
        per_actor[command.actor as usize] += 1;
    }
    let mut operations = BTreeMap::new();
    for op in &trace.ops {
        *operations.entry(op.kind).or_insert(0) += 1;
    }
    let gap = trace.commands.windows(2).map(|pair| pair[1].at_ns - pair[0].at_ns).max().unwrap_or(0);
    let duration_seconds = trace.duration_ns() as f64 / 1e9;
    TraceInfo {
        commands,
        operations,
        actors: trace.actors.len() as u64,
        types: trace.type_count() as u64,
        duration_seconds,
        commands_per_second: if duration_seconds > 0.0 { trace.commands.len() as f64 / duration_seconds } else { 0.0 },
        longest_gap_seconds: gap as f64 / 1e9,
        event_bytes: sizes(trace, OpKind::EventsPut),
        state_bytes: sizes(trace, OpKind::StatesPut),
        written_bytes: trace.ops.iter().map(|op| u64::from(op.bytes)).sum(),
        busiest_percent_share: busiest_share(per_actor, trace.commands.len()),
    }
}

fn sizes(trace: &Trace, kind: OpKind) -> Option<[u32; 4]> {
    let mut sizes: Vec<u32> = trace.ops.iter().filter(|op| op.kind == kind).map(|op| op.bytes).collect();
    sizes.sort_unstable();
    let last = sizes.len().checked_sub(1)?;
    Some([sizes[0], sizes[last / 2], sizes[last * 99 / 100], sizes[last]])
}

fn busiest_share(mut per_actor: Vec<u64>, commands: usize) -> f64 {
    per_actor.sort_unstable_by(|a, b| b.cmp(a));
    let busiest = per_actor.len().div_ceil(100);
    per_actor.iter().take(busiest).sum::<u64>() as f64 / commands.max(1) as f64
}
