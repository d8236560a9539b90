//! Recording of a call on the actor's thread, into the queue: no lock, no allocation, no system call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use ave_actors_store::Error;
use crossbeam_queue::ArrayQueue;
use crossbeam_utils::CachePadded;

use super::actors::{ActorHandle, Registry};
use super::stats::{Counters, add};
use crate::trace::command::{Op, OpKind};

/// An operation in the queue: 40 bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    /// [`ActorHandle::number`].
    pub(super) actor: u32,
    pub(super) time: CallTime,
    pub(super) op: Op,
}

#[cfg(test)]
const _: () = assert!(size_of::<Call>() == 40);

/// Time of a call, nanoseconds from the start of the recording.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallTime {
    pub(super) start_ns: u64,
    /// Equal to the start unless [`pause_matters_after`] the call.
    pub(super) end_ns: u64,
}

impl CallTime {
    /// Whether the clock was read, see [`needs_time`]; otherwise the start is 0.
    pub(super) const fn is_known(self) -> bool {
        self.start_ns > 0
    }
}

/// The queue and everything that handles and the writer share.
#[derive(Debug)]
pub(super) struct Intake {
    pub(super) queue: ArrayQueue<Call>,
    pub(super) registry: Registry,
    /// Written by the writer, so on a cache line apart from fields that actors read.
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
        // Wraps after 584 years; never 0, which marks an unknown time.
        elapsed.as_secs().wrapping_mul(1_000_000_000).wrapping_add(u64::from(elapsed.subsec_nanos())) | 1
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    pub(super) fn close(&self) {
        self.open.store(false, Ordering::Release);
    }

    pub(super) fn push(&self, actor: &ActorHandle, time: CallTime, op: Op) {
        let call = Call { actor: actor.number, time, op };
        if self.queue.push(call).is_err() {
            add(&self.counters.refused, 1);
        }
    }
}

/// Whether the time of an operation is needed. The others directly follow another call of the same command, and reading the
/// clock would be much of their cost.
const fn needs_time(kind: OpKind) -> bool {
    !matches!(kind, OpKind::MetadataPut | OpKind::EventsDel | OpKind::StatesPurge | OpKind::MetadataPurge)
}

/// Whether the pause after the operation decides if the next one belongs to the same command.
fn pause_matters_after(actor: &ActorHandle, kind: OpKind) -> bool {
    match kind {
        OpKind::EventsPut => !actor.kind.persistence.is_light(),
        OpKind::EventsGet | OpKind::EventsLast => true,
        _ => false,
    }
}

/// Records the calls of a handle. Nothing is recorded without a recorder.
#[derive(Debug)]
pub(super) struct Calls(pub(super) Option<CallRecorder>);

#[derive(Debug)]
pub(super) struct CallRecorder {
    pub(super) intake: Arc<Intake>,
    /// Actor of the handle; `None` for a column family without operations in the trace format.
    pub(super) actor: Option<Arc<ActorHandle>>,
}

impl Calls {
    fn open(&self) -> Option<&CallRecorder> {
        self.0.as_ref().filter(|calls| calls.intake.is_open())
    }

    pub(super) fn count_foreign(&self) {
        if let Some(calls) = self.open() {
            add(&calls.intake.counters.foreign, 1);
        }
    }

    /// Makes the call and records the operation. From the result, `None` for an absent entry, `found` derives the number of
    /// the event and the bytes written or found.
    #[inline]
    pub(super) fn record<T>(
        &self,
        kind: OpKind,
        call: impl FnOnce() -> Result<T, Error>,
        found: impl FnOnce(Option<&T>) -> Option<(u64, Option<usize>)>,
    ) -> Result<T, Error> {
        let Some(CallRecorder { intake, actor }) = self.open() else { return call() };
        let start_ns = if needs_time(kind) { intake.now_ns() } else { 0 };
        let result = call();
        let of_result = match &result {
            Ok(value) => found(Some(value)),
            // An absent entry is a result.
            Err(Error::EntryNotFound { .. }) => found(None),
            Err(_) => {
                add(&intake.counters.failed, 1);
                return result;
            }
        };
        match (actor, of_result) {
            (Some(actor), Some((number, bytes))) => {
                let length = bytes.map_or(0, |bytes| u32::try_from(bytes).unwrap_or(u32::MAX));
                let op = Op { may_miss: bytes.is_none(), ..Op::new(kind, number, length) };
                let end_ns = if pause_matters_after(actor, kind) { intake.now_ns() } else { start_ns };
                intake.push(actor, CallTime { start_ns, end_ns }, op);
            }
            _ => add(&intake.counters.foreign, 1),
        }
        result
    }
}
