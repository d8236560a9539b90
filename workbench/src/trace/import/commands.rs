//! From events in order of time to the commands of a trace.

use super::actors::Names;
use super::job::ImportJob;
use super::observer::ImportStage;
use super::options::ImportOptions;
use super::sort::Sorted;
use crate::actor::{ActorLog, Command};
use crate::trace::error::TraceError;
use crate::trace::writer::TraceWriter;
use ave_actors_rocksdb::trace::CommandKind;

/// Events between two calls of the observer.
const EVENTS_PER_STEP: u64 = 1 << 16;

/// Start and length of the trace.
pub(super) struct Extent {
    /// Time of the first event, from which times are counted.
    pub(super) first: i64,
    pub(super) events: u64,
}

/// Writes every event as a `persist` command, and returns the number of storage operations.
pub(super) fn write(
    job: &ImportJob<'_>,
    mut events: Sorted,
    names: &Names,
    extent: &Extent,
    writer: &mut TraceWriter,
) -> Result<u64, TraceError> {
    let ImportOptions { rules, state_bytes, type_name, .. } = job.options;
    let mut logs = vec![ActorLog::default(); names.len()];
    let mut ops = Vec::new();
    let (mut done, mut operations) = (0u64, 0);
    while let Some(event) = events.next_event().map_err(|source| job.unwritable(source))? {
        ops.clear();
        let command = Command::Persist { event_bytes: event.bytes, state_bytes: *state_bytes };
        logs[event.actor as usize].expand(*rules, command, &mut ops);
        operations += ops.len() as u64;
        let at_ns = event.time.abs_diff(extent.first);
        writer.command(type_name, names.get(event.actor), at_ns, CommandKind::Persist, &ops)?;
        done += 1;
        if done.is_multiple_of(EVENTS_PER_STEP) {
            job.proceed_to(ImportStage::Write, done, Some(extent.events))?;
        }
    }
    Ok(operations)
}
