//! Verification: compares what the backend stores with what it acknowledged.
//!
//! The stream of commands depends only on its seed, so nothing is recorded while measuring: the stream is generated again
//! for the completed commands, and determines what must be stored.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use ave_actors_store::Error;
use ave_actors_store::database::{Collection, State};
use serde::{Deserialize, Serialize};

use super::handles::{Handles, event_key};
use super::source::Source;
use super::target::Target;
use crate::workload::{PreloadContent, ValuePool};
use ave_actors_rocksdb::trace::{Op, OpKind};

/// Result of a verification.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// Actors compared.
    pub actors: u64,
    /// Events compared: number, order and bytes.
    pub events: u64,
    /// Snapshots and metadata records compared.
    pub states: u64,
    /// Bytes of the values that must be stored.
    pub live_bytes: u64,
    /// Events, snapshots and metadata records that were acknowledged and are missing or differ.
    pub lost: u64,
    /// Descriptions of the first 20 differences.
    pub differences: Vec<String>,
}

const MAX_DIFFERENCES: usize = 20;

impl Verified {
    pub(super) fn sum(parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().fold(Self::default(), |mut sum, part| {
            sum.merge(part);
            sum
        })
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.actors += other.actors;
        self.events += other.events;
        self.states += other.states;
        self.live_bytes += other.live_bytes;
        self.lost += other.lost;
        for difference in other.differences {
            self.differ(difference);
        }
    }

    pub(super) fn differ(&mut self, what: String) {
        if self.differences.len() < MAX_DIFFERENCES {
            self.differences.push(what);
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    pub(super) number: u64,
    pub(super) bytes: u32,
    /// Whether it counts in the result; all values are compared.
    counts: bool,
}

/// Events of the preload of a workload, whose sizes are computed when they are needed.
#[derive(Debug, Clone)]
struct PreloadedEvents {
    content: PreloadContent,
    actor: u64,
    numbers: Range<u64>,
    counts: bool,
}

impl PreloadedEvents {
    fn written(&self, number: u64) -> Written {
        Written { number, bytes: self.content.event(self.actor, number).bytes, counts: self.counts }
    }
}

/// What must be stored of an actor.
#[derive(Debug, Clone, Default)]
pub(super) struct Expected {
    /// Smaller than the numbers of all other events.
    preloaded: Option<PreloadedEvents>,
    pub(super) events: BTreeMap<u64, Written>,
    pub(super) state: Option<Written>,
    pub(super) metadata: Option<Written>,
}

/// What is stored of an actor.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By key.
    pub(super) events: BTreeMap<String, Vec<u8>>,
    pub(super) state: Option<Vec<u8>>,
    pub(super) metadata: Option<Vec<u8>>,
}

impl Expected {
    /// What an actor of the first pass has stored before its first command.
    pub(super) fn before(source: &Source, actor: u64, counts: bool) -> Self {
        let mut expected = Self::default();
        match source {
            Source::Workload(workload) => {
                let content = PreloadContent::new(Arc::clone(workload));
                content.states(actor).into_iter().flatten().for_each(|op| expected.apply(op, counts));
                let numbers = content.stored_events(actor);
                expected.preloaded = Some(PreloadedEvents { content, actor, numbers, counts });
            }
            Source::Trace { .. } => {
                let mut ops = Vec::new();
                source.prehistory(actor, &mut ops);
                for op in ops {
                    expected.apply(op, counts);
                }
            }
        }
        expected
    }

    fn preloaded_events(&self) -> Range<u64> {
        self.preloaded.as_ref().map_or(0..0, |preloaded| preloaded.numbers.clone())
    }

    pub(super) fn event_count(&self) -> u64 {
        let preloaded = self.preloaded_events();
        preloaded.end - preloaded.start + self.events.len() as u64
    }

    pub(super) fn is_empty(&self) -> bool {
        self.event_count() == 0 && self.state.is_none() && self.metadata.is_none()
    }

    pub(super) fn event(&self, number: u64) -> Option<Written> {
        let preloaded = self.preloaded.as_ref().filter(|preloaded| preloaded.numbers.contains(&number));
        preloaded.map(|preloaded| preloaded.written(number)).or_else(|| self.events.get(&number).copied())
    }

    /// In the order of their numbers.
    pub(super) fn events(&self) -> impl Iterator<Item = Written> {
        self.events_at(0..u64::MAX)
    }

    /// The events at these places, counted from the first that is stored.
    pub(super) fn events_at(&self, places: Range<u64>) -> impl Iterator<Item = Written> {
        let all = self.preloaded_events();
        let [from, to] = [places.start, places.end].map(|place| all.start.saturating_add(place).min(all.end));
        let preloaded = self.preloaded.iter().flat_map(move |preloaded| (from..to).map(|at| preloaded.written(at)));
        let before = all.end - all.start;
        let [skipped, end] = [places.start, places.end].map(|place| place.saturating_sub(before));
        let [skipped, taken] = [skipped, end - skipped].map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        preloaded.chain(self.events.values().copied().skip(skipped).take(taken))
    }

    fn values(&self) -> impl Iterator<Item = Written> {
        self.events().chain(self.state).chain(self.metadata)
    }

    /// The writes that store it.
    pub(super) fn puts(&self) -> impl Iterator<Item = Op> {
        self.puts_at(0..u64::MAX, true)
    }

    /// The writes that store the events at these places, and, `with_states`, state and metadata.
    pub(super) fn puts_at(&self, places: Range<u64>, with_states: bool) -> impl Iterator<Item = Op> {
        let put = |kind| move |written: Written| Op::new(kind, written.number, written.bytes);
        let states = self.state.filter(|_| with_states).into_iter().map(put(OpKind::StatesPut));
        let metadata = self.metadata.filter(|_| with_states).into_iter().map(put(OpKind::MetadataPut));
        self.events_at(places).map(put(OpKind::EventsPut)).chain(states).chain(metadata)
    }

    fn delete_event(&mut self, number: u64) {
        self.events.remove(&number);
        let Some(preloaded) = self.preloaded.as_mut().filter(|preloaded| preloaded.numbers.contains(&number)) else {
            return;
        };
        if preloaded.numbers.start == number {
            // The usual case: a compaction deletes the first ones.
            preloaded.numbers.start += 1;
        } else {
            let kept = preloaded.numbers.clone().filter(|&kept| kept != number);
            self.events.extend(kept.map(|kept| (kept, preloaded.written(kept))));
            self.preloaded = None;
        }
    }

    pub(super) fn undo(&self, ops: &[Op]) -> Vec<Op> {
        let mut undo = Vec::new();
        let put = |kind, written: Written| Op::new(kind, written.number, written.bytes);
        let state = |put_kind, purge_kind, stored: Option<Written>| {
            stored.map_or(Op::new(purge_kind, 0, 0), |written| put(put_kind, written))
        };
        for op in ops {
            match op.kind {
                OpKind::EventsDel => undo.extend(self.event(op.number).map(|old| put(OpKind::EventsPut, old))),
                OpKind::StatesPut => undo.push(state(OpKind::StatesPut, OpKind::StatesPurge, self.state)),
                OpKind::MetadataPut => undo.push(state(OpKind::MetadataPut, OpKind::MetadataPurge, self.metadata)),
                _ => {}
            }
        }
        undo
    }

    /// Events and states that count in the result.
    pub(super) fn counted(&self) -> u64 {
        self.values().filter(|written| written.counts).count() as u64
    }

    /// What an operation changes; what it writes `counts` in the result or does not.
    pub(super) fn apply(&mut self, op: Op, counts: bool) {
        let written = Written { number: op.number, bytes: op.bytes, counts };
        match op.kind {
            OpKind::EventsPut => drop(self.events.insert(op.number, written)),
            OpKind::EventsDel => self.delete_event(op.number),
            OpKind::EventsPurge => (self.preloaded, self.events) = (None, BTreeMap::new()),
            OpKind::StatesPut => self.state = Some(written),
            OpKind::StatesPurge => self.state = None,
            OpKind::MetadataPut => self.metadata = Some(written),
            OpKind::MetadataPurge => self.metadata = None,
            OpKind::Open | OpKind::EventsGet | OpKind::EventsLast | OpKind::StatesGet | OpKind::MetadataGet => {}
        }
    }
}

#[derive(Default)]
pub(super) struct Ledger {
    pub(super) actors: BTreeMap<u64, Expected>,
}

impl Ledger {
    /// After the first `completed` commands. `source` knows what the actors have persisted that are common to all workers.
    pub(super) fn replay(source: &Source, worker: u64, workers: u64, completed: u64) -> Self {
        let (mut stream, mut ops) = (source.stream(worker, workers), Vec::new());
        let mut ledger = Self::preloaded(source, worker, workers, true);
        for _ in 0..completed {
            let Some(planned) = stream.next(&mut ops) else { break };
            if planned.common.is_some() {
                continue;
            }
            let expected = ledger.expected(source, planned.actor, true);
            for &op in &ops {
                expected.apply(op, true);
            }
        }
        ledger
    }

    /// Before the first command. What is stored `counts` in the result or does not.
    pub(super) fn preloaded(source: &Source, worker: u64, workers: u64, counts: bool) -> Self {
        let before = source.actors_of(worker, workers).map(|actor| (actor, Expected::before(source, actor, counts)));
        Self { actors: before.filter(|(_, expected)| !expected.is_empty()).collect() }
    }

    /// The entry of an actor that was not preloaded begins empty, or, if it belongs to a later pass of a trace and
    /// `with_prehistory` is true, with what it writes before its first command.
    pub(super) fn expected(&mut self, source: &Source, actor: u64, with_prehistory: bool) -> &mut Expected {
        let is_later = actor >= source.actors();
        let before =
            || if is_later && with_prehistory { Expected::before(source, actor, true) } else { Expected::default() };
        self.actors.entry(actor).or_insert_with(before)
    }

    /// Events and states that count in the result.
    pub(super) fn counted(&self) -> u64 {
        self.actors.values().map(Expected::counted).sum()
    }

    /// Compares every actor; `seen` is called after each and ends the comparison early if it returns false.
    pub(super) fn verify<T: Target>(&self, stored: &Stored<'_, T>, seen: impl Fn() -> bool) -> Result<Verified, Error> {
        let mut verified = Verified::default();
        for (&actor, expected) in &self.actors {
            verified.merge(stored.compare(actor, expected)?);
            if !seen() {
                break;
            }
        }
        Ok(verified)
    }
}

/// An open database, and the source of what it must store.
pub(super) struct Stored<'a, T: Target> {
    pub(super) manager: &'a T::Manager,
    pub(super) source: &'a Source,
    pub(super) pool: &'a ValuePool,
}

impl<T: Target> Stored<'_, T> {
    pub(super) fn read(&self, actor: u64) -> Result<Found, Error> {
        let (type_name, name) = self.source.actor(actor);
        let handles = Handles::<T>::open(self.manager, &type_name, &name)?;
        let events = handles.events.iter(false)?.collect::<Result<_, Error>>()?;
        Ok(Found { events, state: read_state(&handles.states)?, metadata: read_state(&handles.metadata)? })
    }

    pub(super) fn compare(&self, actor: u64, expected: &Expected) -> Result<Verified, Error> {
        let live_bytes = expected.values().map(|written| u64::from(written.bytes)).sum();
        let verified = Verified { actors: 1, live_bytes, ..Verified::default() };
        let (type_name, name) = self.source.actor(actor);
        let handles = Handles::<T>::open(self.manager, &type_name, &name)?;
        let mut compared = Comparison { actor, name: format!("{type_name}/{name}"), pool: self.pool, verified };
        compared.events(expected, &handles.events)?;
        compared.state("snapshot", OpKind::StatesPut, expected.state, &handles.states)?;
        compared.state("metadata", OpKind::MetadataPut, expected.metadata, &handles.metadata)?;
        Ok(compared.verified)
    }
}

fn read_state(state: &impl State) -> Result<Option<Vec<u8>>, Error> {
    match state.get() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Error::EntryNotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

struct Comparison<'a> {
    actor: u64,
    name: String,
    pool: &'a ValuePool,
    verified: Verified,
}

impl Comparison<'_> {
    fn differ(&mut self, what: impl std::fmt::Display) {
        self.verified.differ(format!("{}: {what}", self.name));
    }

    fn events(&mut self, expected: &Expected, events: &impl Collection) -> Result<(), Error> {
        let mut wanted = expected.events().peekable();
        let mut in_step = true;
        let mut digits = [0; 20];
        for entry in events.iter(false)? {
            let (key, bytes) = entry?;
            let due = wanted.peek().map(|written| written.number);
            while wanted.next_if(|written| event_key(written.number, &mut digits) < key.as_str()).is_some() {
                self.verified.lost += 1;
            }
            let written = wanted.next_if(|written| event_key(written.number, &mut digits) == key);
            if in_step && written.is_none_or(|written| Some(written.number) != due) {
                in_step = self.unexpected(&key, due);
            }
            if let Some(written) = written {
                self.event(written, &bytes);
            }
        }
        self.missing_at_the_end(wanted.map(|written| written.number), in_step);
        Ok(())
    }

    /// Describes an event where another one, or none, is expected. False if the sequences are out of step from here on: one
    /// description is enough.
    fn unexpected(&mut self, key: &str, due: Option<u64>) -> bool {
        match due {
            Some(number) => self.differ(format_args!("found event {key}, expected {number}")),
            None => self.differ(format_args!("event {key} is there and should not be")),
        }
        due.is_none()
    }

    fn event(&mut self, written: Written, found: &[u8]) {
        let Written { number, bytes, counts } = written;
        if found != self.pool.value(self.actor, OpKind::EventsPut, number, bytes) {
            self.differ(format_args!("event {number} holds other bytes than were written"));
            self.verified.lost += 1;
        }
        self.verified.events += u64::from(counts);
    }

    fn missing_at_the_end(&mut self, mut numbers: impl Iterator<Item = u64>, in_step: bool) {
        let Some(first) = numbers.next() else { return };
        let more = numbers.count() as u64;
        self.verified.lost += 1 + more;
        if in_step {
            let and = if more == 0 { String::new() } else { format!(", and {more} after it") };
            self.differ(format_args!("event {first} was acknowledged and is lost{and}"));
        }
    }

    fn state(&mut self, what: &str, kind: OpKind, expected: Option<Written>, state: &impl State) -> Result<(), Error> {
        let found = read_state(state)?;
        let wanted = expected.map(|written| self.pool.value(self.actor, kind, written.number, written.bytes));
        let is_lost = wanted.is_some() && found.as_deref() != wanted;
        match (found.as_deref(), wanted) {
            (None, None) => return Ok(()),
            (None, Some(_)) => self.differ(format_args!("the {what} was acknowledged and is lost")),
            (Some(_), None) => self.differ(format_args!("a {what} is there and should not be")),
            (Some(_), Some(_)) if is_lost => {
                self.differ(format_args!("the {what} holds other bytes than were written last"));
            }
            (Some(_), Some(_)) => {}
        }
        self.verified.lost += u64::from(is_lost);
        self.verified.states += u64::from(expected.is_none_or(|written| written.counts));
        Ok(())
    }
}
