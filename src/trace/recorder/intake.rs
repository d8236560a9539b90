//! The way of an operation from the actor's thread into the queue: no lock, no allocation, no system call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use ave_actors_store::Error;
use crossbeam_queue::ArrayQueue;
use crossbeam_utils::CachePadded;

use crate::trace::command::{Op, OpKind};
use crate::trace::recorder::actors::{Presence, Registry};
use crate::trace::recorder::stats::{Counters, add};

/// An operation in the queue: 40 bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    /// [`Presence::number`].
    pub(super) actor: u32,
    pub(super) time: CallTime,
    pub(super) op: Op,
}

/// When a call was made, in nanoseconds from the start of the recording.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallTime {
    pub(super) start_ns: u64,
    /// The same as the start where it is of no use, see [`pause_matters_after`].
    pub(super) end_ns: u64,
}

impl CallTime {
    /// Not for a call that only ever goes on with a command, see [`needs_time`]: its start is 0.
    pub(super) const fn is_known(self) -> bool {
        self.start_ns > 0
    }
}

/// Where operations come in.
#[derive(Debug)]
pub(super) struct Intake {
    pub(super) queue: ArrayQueue<Call>,
    pub(super) registry: Registry,
    /// The writer writes to them: they lie apart from what actors read.
    pub(super) counters: CachePadded<Counters>,
    started: Instant,
    open: AtomicBool,
}

impl Intake {
    pub(super) fn new(queue_length: usize, registry: Registry) -> Self {
        Self {
            queue: ArrayQueue::new(queue_length.max(1)),
            registry,
            counters: CachePadded::default(),
            started: Instant::now(),
            open: AtomicBool::new(true),
        }
    }

    /// Nanoseconds from the start of the recording.
    pub(super) fn now_ns(&self) -> u64 {
        let elapsed = self.started.elapsed();
        // 584 years; and never 0, which is no time.
        elapsed.as_secs().wrapping_mul(1_000_000_000).wrapping_add(u64::from(elapsed.subsec_nanos())) | 1
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// From here on calls pass by unrecorded.
    pub(super) fn close(&self) {
        self.open.store(false, Ordering::Release);
    }

    pub(super) fn push(&self, actor: &Presence, time: CallTime, op: Op) {
        let call = Call { actor: actor.number, time, op };
        if self.queue.push(call).is_err() {
            add(&self.counters.refused, 1);
        }
    }

    fn time_of(&self, start_ns: u64, actor: &Presence, kind: OpKind) -> CallTime {
        let end_ns = if pause_matters_after(actor, kind) { self.now_ns() } else { start_ns };
        CallTime { start_ns, end_ns }
    }
}

/// Whether it must be known when an operation was called. Those of which that is not true follow another one of the same
/// command at once; reading the clock would be a good part of what they cost.
const fn needs_time(kind: OpKind) -> bool {
    !matches!(kind, OpKind::MetadataPut | OpKind::EventsDel | OpKind::StatesPurge | OpKind::MetadataPurge)
}

/// Whether the pause after the operation says if the next one belongs to the same command.
fn pause_matters_after(actor: &Presence, kind: OpKind) -> bool {
    match kind {
        OpKind::EventsPut => !actor.kind.habits().is_light(),
        OpKind::EventsGet | OpKind::EventsLast => true,
        _ => false,
    }
}

/// What a handle needs to report its calls.
#[derive(Debug)]
pub(super) struct Tap {
    pub(super) intake: Arc<Intake>,
    /// Whose handle it is; `None` for a column family that traces do not know.
    pub(super) actor: Option<Arc<Presence>>,
}

impl Tap {
    /// Counts a call that traces have no operation for.
    pub(super) fn foreign(&self) {
        add(&self.intake.counters.foreign, 1);
    }
}

/// Makes the call and records it as what `op` says of the answer.
#[inline]
pub(super) fn watch<T>(
    tap: Option<&Tap>,
    kind: OpKind,
    call: impl FnOnce() -> Result<T, Error>,
    op: impl FnOnce(Option<&T>) -> Option<Op>,
) -> Result<T, Error> {
    let Some(Tap { intake, actor }) = tap.filter(|tap| tap.intake.is_open()) else {
        return call();
    };
    let start_ns = if needs_time(kind) { intake.now_ns() } else { 0 };
    let result = call();
    let found = match &result {
        Ok(found) => Some(found),
        // That nothing is there is an answer.
        Err(Error::EntryNotFound { .. }) => None,
        Err(_) => {
            add(&intake.counters.failed, 1);
            return result;
        }
    };
    match (actor, op(found)) {
        (Some(actor), Some(op)) => intake.push(actor, intake.time_of(start_ns, actor, kind), op),
        _ => add(&intake.counters.foreign, 1),
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::names::NameRule;

    #[test]
    fn a_record_is_no_larger_than_promised() {
        assert_eq!(size_of::<Call>(), 40);
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let intake = Intake::new(4, Registry::new(NameRule::Keep, [0; 16]));
        let actor = intake.registry.actor("account", "a");
        for number in 0..10 {
            intake.push(&actor, CallTime { start_ns: 1, end_ns: 1 }, Op::new(OpKind::EventsPut, number, 1));
        }
        assert_eq!(intake.counters.read().dropped, 6);
    }
}
