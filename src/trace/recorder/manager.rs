//! A manager that forwards every call and records it.

use std::sync::Arc;

use ave_actors_store::Error;
use ave_actors_store::database::{Collection, CollectionIter, DbManager, State};

use crate::trace::command::{Op, OpKind};
use crate::trace::line::KEY_DIGITS;

use super::intake::{CallRecorder, CallTime, Calls};
use super::session::Recorder;
use super::stats::add;

/// A manager that records the calls on its handles. Pass it to the actor system in place of the wrapped manager.
///
/// Recording adds at most some 100 ns to a call; a call never waits for the recorder and never fails because of it.
///
/// ```
/// use ave_actors_rocksdb::RecordingManager;
/// use ave_actors_store::database::{Collection, DbManager};
/// use ave_actors_store::memory::MemoryManager;
///
/// // Without a recorder it only forwards calls, so that a configuration can turn recording off.
/// let manager = RecordingManager::new(MemoryManager::default(), None);
/// let mut events = manager.create_collection("account_events", "account-1")?;
/// events.put("00000000000000000000", b"opened")?;
/// # Ok::<_, ave_actors_store::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct RecordingManager<M> {
    inner: M,
    recorder: Option<Recorder>,
}

impl<M> RecordingManager<M> {
    /// Wraps a manager. Without a recorder, calls are only forwarded.
    pub const fn new(inner: M, recorder: Option<Recorder>) -> Self {
        Self { inner, recorder }
    }

    /// The wrapped manager, for methods beside the trait: statistics, checkpoints.
    pub const fn inner(&self) -> &M {
        &self.inner
    }

    /// The recorder, if any.
    pub const fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }

    /// Creates a handle and its recorder. `suffixes`: of column families in the trace format.
    fn open<H>(
        &self,
        create: impl FnOnce() -> Result<H, Error>,
        name: &str,
        prefix: &str,
        suffixes: &[&str],
    ) -> Result<(H, Calls), Error> {
        let intake = self.recorder.as_ref().map(|recorder| &recorder.session.intake);
        let Some(intake) = intake.filter(|intake| intake.is_open()) else { return Ok((create()?, Calls(None))) };
        let start_ns = intake.now_ns();
        let handle = create().inspect_err(|_| add(&intake.counters.failed, 1))?;
        let type_name = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix));
        let actor = type_name.map(|type_name| intake.registry.actor(type_name, prefix));
        match &actor {
            // One operation for the three handles.
            Some(actor) if suffixes == EVENTS => {
                let time = CallTime { start_ns, end_ns: start_ns };
                intake.push(actor, time, Op::new(OpKind::Open, 0, 0));
            }
            Some(_) => {}
            None => add(&intake.counters.foreign, 1),
        }
        Ok((handle, Calls(Some(CallRecorder { intake: Arc::clone(intake), actor }))))
    }
}

const EVENTS: &[&str] = &["_events"];
const STATES: &str = "_states";
const METADATA: &str = "_metadata";

impl<M, C, S> DbManager<RecordingCollection<C>, RecordingState<S>> for RecordingManager<M>
where
    M: DbManager<C, S>,
    C: Collection,
    S: State,
{
    fn create_collection(&self, name: &str, prefix: &str) -> Result<RecordingCollection<C>, Error> {
        let (inner, calls) = self.open(|| self.inner.create_collection(name, prefix), name, prefix, EVENTS)?;
        Ok(RecordingCollection { inner, calls })
    }

    fn create_state(&self, name: &str, prefix: &str) -> Result<RecordingState<S>, Error> {
        let create = || self.inner.create_state(name, prefix);
        let (inner, calls) = self.open(create, name, prefix, &[STATES, METADATA])?;
        let ops = if name.ends_with(METADATA) { StateOps::METADATA } else { StateOps::STATES };
        Ok(RecordingState { inner, calls, ops })
    }

    /// Stops the wrapped manager. The recording continues: open handles may still be used.
    fn stop(&mut self) -> Result<(), Error> {
        self.inner.stop()
    }
}

/// A collection whose calls are recorded.
#[derive(Debug)]
pub struct RecordingCollection<C> {
    inner: C,
    calls: Calls,
}

impl<C: Collection> Collection for RecordingCollection<C> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn get(&self, key: &str) -> Result<Vec<u8>, Error> {
        let event = |found: Option<&Vec<u8>>| Some((event_number(key)?, found.map(Vec::len)));
        self.calls.record(OpKind::EventsGet, || self.inner.get(key), event)
    }

    fn put(&mut self, key: &str, data: &[u8]) -> Result<(), Error> {
        let event = |_: Option<&()>| Some((event_number(key)?, Some(data.len())));
        self.calls.record(OpKind::EventsPut, || self.inner.put(key, data), event)
    }

    fn del(&mut self, key: &str) -> Result<(), Error> {
        let event = |found: Option<&()>| Some((event_number(key)?, found.map(|()| 0)));
        self.calls.record(OpKind::EventsDel, || self.inner.del(key), event)
    }

    fn last(&self) -> Result<Option<(String, Vec<u8>)>, Error> {
        let event = |found: Option<&Option<(String, Vec<u8>)>>| match found? {
            Some((key, value)) => Some((event_number(key)?, Some(value.len()))),
            None => Some((0, None)),
        };
        self.calls.record(OpKind::EventsLast, || self.inner.last(), event)
    }

    fn purge(&mut self) -> Result<(), Error> {
        self.calls.record(OpKind::EventsPurge, || self.inner.purge(), |_| Some((0, Some(0))))
    }

    fn iter(&self, reverse: bool) -> Result<CollectionIter<'_>, Error> {
        self.calls.count_foreign();
        self.inner.iter(reverse)
    }

    fn get_by_range(&self, from: Option<String>, quantity: isize) -> Result<Vec<Vec<u8>>, Error> {
        self.calls.count_foreign();
        self.inner.get_by_range(from, quantity)
    }
}

/// A state whose calls are recorded.
#[derive(Debug)]
pub struct RecordingState<S> {
    inner: S,
    calls: Calls,
    ops: StateOps,
}

#[derive(Debug, Clone, Copy)]
struct StateOps {
    get: OpKind,
    put: OpKind,
    purge: OpKind,
}

impl StateOps {
    const STATES: Self = Self { get: OpKind::StatesGet, put: OpKind::StatesPut, purge: OpKind::StatesPurge };
    const METADATA: Self = Self { get: OpKind::MetadataGet, put: OpKind::MetadataPut, purge: OpKind::MetadataPurge };
}

impl<S: State> State for RecordingState<S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn get(&self) -> Result<Vec<u8>, Error> {
        self.calls.record(self.ops.get, || self.inner.get(), |found| Some((0, found.map(Vec::len))))
    }

    fn put(&mut self, data: &[u8]) -> Result<(), Error> {
        self.calls.record(self.ops.put, || self.inner.put(data), |_| Some((0, Some(data.len()))))
    }

    fn del(&mut self) -> Result<(), Error> {
        self.calls.count_foreign();
        self.inner.del()
    }

    fn purge(&mut self) -> Result<(), Error> {
        self.calls.record(self.ops.purge, || self.inner.purge(), |_| Some((0, Some(0))))
    }
}

/// The event number of a key, if it has the form that the store writes.
fn event_number(key: &str) -> Option<u64> {
    let digits: &[u8; KEY_DIGITS] = key.as_bytes().try_into().ok()?;
    let (upper, lower) = digits.split_at(KEY_DIGITS / 2);
    // Less than half the time of `parse`: logs are not long enough for the upper half.
    let upper = if upper == b"0000000000" { 0 } else { half(upper)? };
    upper.checked_mul(10_000_000_000)?.checked_add(half(lower)?)
}

fn half(digits: &[u8]) -> Option<u64> {
    digits
        .iter()
        .try_fold(0, |number, digit| Some(number * 10 + u64::from(digit.checked_sub(b'0').filter(|&d| d < 10)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_numbers_are_keys_of_twenty_digits() {
        for number in [0, 7, 9_999_999_999, 10_000_000_000, 12_345_678_901_234, u64::MAX] {
            assert_eq!(event_number(&format!("{number:020}")), Some(number));
        }
        for key in
            ["", "7", "0000000000000000000", "000000000000000000000", "+0000000000000000001", "0000000000000000000x"]
        {
            assert_eq!(event_number(key), None, "{key}");
        }
        assert_eq!(event_number("18446744073709551616"), None, "one more than there is");
        assert_eq!(event_number("99999999999999999999"), None);
    }
}
