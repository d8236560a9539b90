//! From events in order of time to the commands and operations of a trace.

use crate::actor::{ActorLog, Command};
use crate::trace::error::TraceError;
use crate::trace::import::Import;
use crate::trace::import::actors::Names;
use crate::trace::import::observer::ImportStage;
use crate::trace::import::options::ImportOptions;
use crate::trace::import::sort::Sorted;
use crate::trace::writer::TraceWriter;
use ave_actors_rocksdb::trace::CommandKind;

/// Events between two looks at whether to go on.
const EVENTS_PER_LOOK: u64 = 1 << 16;

/// What the trace begins with.
pub(super) struct Extent {
    /// Time of the first event, from which times are counted.
    pub(super) first: i64,
    pub(super) events: u64,
}

/// Writes every event as a `persist` command, and returns how many operations that took.
pub(super) fn write(
    import: &Import<'_>,
    mut events: Sorted,
    names: &Names,
    extent: &Extent,
    writer: &mut TraceWriter,
) -> Result<u64, TraceError> {
    let ImportOptions { rules, state_bytes, type_name, .. } = import.options;
    let mut logs = vec![ActorLog::default(); names.len()];
    let mut ops = Vec::new();
    let (mut done, mut operations) = (0u64, 0);
    while let Some(event) = events.next_event().map_err(|source| import.unwritable(source))? {
        ops.clear();
        let command = Command::Persist { event_bytes: event.bytes, state_bytes: *state_bytes };
        logs[event.actor as usize].expand(*rules, command, &mut ops);
        operations += ops.len() as u64;
        let at_ns = event.time.abs_diff(extent.first);
        writer.lines(type_name, names.get(event.actor), at_ns, CommandKind::Persist, &ops)?;
        done += 1;
        if done.is_multiple_of(EVENTS_PER_LOOK) {
            import.proceed_to(ImportStage::Write, done, Some(extent.events))?;
        }
    }
    Ok(operations)
}
