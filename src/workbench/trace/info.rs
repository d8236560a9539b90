//! What is in a trace.

use std::collections::BTreeMap;
use std::io;

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
///
/// # Errors
///
/// If the temporary file that holds a long trace cannot be read.
pub fn info(trace: &Trace) -> io::Result<TraceInfo> {
    let mut per_actor = vec![0u64; trace.actors().len()];
    let (mut events, mut states) = (Vec::new(), Vec::new());
    let (mut gap, mut last_ns) = (0, 0);
    let (mut commands, mut ops) = (trace.commands(), Vec::new());
    let mut written_bytes = 0;
    while let Some(command) = commands.next(&mut ops)? {
        per_actor[command.actor as usize] += 1;
        gap = gap.max(command.at_ns - last_ns);
        last_ns = command.at_ns;
        for op in &ops {
            written_bytes += u64::from(op.written_bytes());
            match op.kind {
                OpKind::EventsPut => events.push(op.bytes),
                OpKind::StatesPut => states.push(op.bytes),
                _ => {}
            }
        }
    }
    let duration_seconds = trace.duration_ns() as f64 / 1e9;
    let count = trace.command_count();
    Ok(TraceInfo {
        commands: trace.kinds().into_iter().map(|kind| (kind, trace.commands_of(kind))).collect(),
        operations: OpKind::ALL
            .into_iter()
            .map(|kind| (kind, trace.operations_of(kind)))
            .filter(|&(_, count)| count > 0)
            .collect(),
        actors: trace.actors().len() as u64,
        types: trace.type_count() as u64,
        duration_seconds,
        commands_per_second: if duration_seconds > 0.0 { count as f64 / duration_seconds } else { 0.0 },
        longest_gap_seconds: gap as f64 / 1e9,
        event_bytes: sizes(events),
        state_bytes: sizes(states),
        written_bytes,
        busiest_percent_share: busiest_share(per_actor, count),
    })
}

fn sizes(mut sizes: Vec<u32>) -> Option<[u32; 4]> {
    sizes.sort_unstable();
    let last = sizes.len().checked_sub(1)?;
    Some([sizes[0], sizes[last / 2], sizes[last * 99 / 100], sizes[last]])
}

fn busiest_share(mut per_actor: Vec<u64>, commands: u64) -> f64 {
    per_actor.sort_unstable_by(|a, b| b.cmp(a));
    let busiest = per_actor.len().div_ceil(100);
    per_actor.iter().take(busiest).sum::<u64>() as f64 / commands.max(1) as f64
}
