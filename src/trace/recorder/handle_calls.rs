//! The calls of one handle, made and recorded: which operation of the trace each of them is.

use std::sync::Arc;

use ave_actors_store::Error;

use crate::trace::command::{Op, OpKind};
use crate::trace::line::KEY_DIGITS;

use super::intake::{CallRecorder, CallTime, Calls};
use super::session::Recorder;
use super::stats::add;

const EVENTS: &[&str] = &["_events"];
const STATES: &str = "_states";
const METADATA: &str = "_metadata";

/// Creates a handle and what records its calls. `suffixes`: of column families in the trace format.
fn open<H>(
    recorder: Option<&Recorder>,
    create: impl FnOnce() -> Result<H, Error>,
    name: &str,
    prefix: &str,
    suffixes: &[&str],
) -> Result<(H, Calls), Error> {
    let intake = recorder.map(|recorder| &recorder.session.intake);
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

/// Makes the calls of a collection's handle, and records them if there is a recorder.
#[derive(Debug)]
pub(crate) struct EventCalls(Calls);

impl EventCalls {
    /// Creates a handle of the collection `prefix` in the column family `name`.
    pub(crate) fn of<H>(
        recorder: Option<&Recorder>,
        name: &str,
        prefix: &str,
        create: impl FnOnce() -> Result<H, Error>,
    ) -> Result<(H, Self), Error> {
        open(recorder, create, name, prefix, EVENTS).map(|(handle, calls)| (handle, Self(calls)))
    }

    #[inline]
    pub(crate) fn get(&self, key: &str, call: impl FnOnce() -> Result<Vec<u8>, Error>) -> Result<Vec<u8>, Error> {
        let event = |found: Option<&Vec<u8>>| Some((event_number(key)?, found.map(Vec::len)));
        self.0.record(OpKind::EventsGet, call, event)
    }

    #[inline]
    pub(crate) fn put(&self, key: &str, data: &[u8], call: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        let event = |_: Option<&()>| Some((event_number(key)?, Some(data.len())));
        self.0.record(OpKind::EventsPut, call, event)
    }

    #[inline]
    pub(crate) fn del(&self, key: &str, call: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        let event = |found: Option<&()>| Some((event_number(key)?, found.map(|()| 0)));
        self.0.record(OpKind::EventsDel, call, event)
    }

    #[inline]
    pub(crate) fn last(&self, call: impl FnOnce() -> Result<NewestEntry, Error>) -> Result<NewestEntry, Error> {
        let event = |found: Option<&NewestEntry>| match found? {
            Some((key, value)) => Some((event_number(key)?, Some(value.len()))),
            None => Some((0, None)),
        };
        self.0.record(OpKind::EventsLast, call, event)
    }

    #[inline]
    pub(crate) fn purge(&self, call: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        self.0.record(OpKind::EventsPurge, call, |_| Some((0, Some(0))))
    }

    /// Makes a call without an operation in the trace format, and counts it.
    #[inline]
    pub(crate) fn foreign<T>(&self, call: impl FnOnce() -> T) -> T {
        self.0.count_foreign();
        call()
    }
}

/// Key and value of the newest entry of a collection.
type NewestEntry = Option<(String, Vec<u8>)>;

/// Makes the calls of a state's handle, and records them if there is a recorder.
#[derive(Debug)]
pub(crate) struct StateCalls {
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

impl StateCalls {
    /// Creates a handle of the state `prefix` in the column family `name`.
    pub(crate) fn of<H>(
        recorder: Option<&Recorder>,
        name: &str,
        prefix: &str,
        create: impl FnOnce() -> Result<H, Error>,
    ) -> Result<(H, Self), Error> {
        let (handle, calls) = open(recorder, create, name, prefix, &[STATES, METADATA])?;
        let ops = if name.ends_with(METADATA) { StateOps::METADATA } else { StateOps::STATES };
        Ok((handle, Self { calls, ops }))
    }

    #[inline]
    pub(crate) fn get(&self, call: impl FnOnce() -> Result<Vec<u8>, Error>) -> Result<Vec<u8>, Error> {
        self.calls.record(self.ops.get, call, |found| Some((0, found.map(Vec::len))))
    }

    #[inline]
    pub(crate) fn put(&self, data: &[u8], call: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        self.calls.record(self.ops.put, call, |_| Some((0, Some(data.len()))))
    }

    #[inline]
    pub(crate) fn purge(&self, call: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        self.calls.record(self.ops.purge, call, |_| Some((0, Some(0))))
    }

    /// Makes a call without an operation in the trace format, and counts it.
    #[inline]
    pub(crate) fn foreign<T>(&self, call: impl FnOnce() -> T) -> T {
        self.calls.count_foreign();
        call()
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
