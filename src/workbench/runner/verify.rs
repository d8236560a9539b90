//! Does the backend hold what it acknowledged?
//!
//! The command stream depends on its seed alone, so nothing needs to be remembered while measuring: the stream is
//! drawn again for as many commands as were completed, and what must be stored follows from it.

use std::collections::BTreeMap;

use ave_actors_store::Error;
use ave_actors_store::database::{Collection, State};

use super::Target;
use super::handles::{Handles, event_key};
use super::source::Source;
use crate::workbench::actor::{Op, OpKind};
use crate::workbench::workload::ValuePool;

/// What was compared and what differed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Actors compared.
    pub actors: u64,
    /// Events compared: number, order and bytes.
    pub events: u64,
    /// Snapshots and metadata records compared.
    pub states: u64,
    /// Bytes of the values that must be there.
    pub live_bytes: u64,
    /// Differences, described; only the first few are kept.
    pub differences: Vec<String>,
}

/// Differences that are described before the rest is only counted on.
const MOST_DIFFERENCES: usize = 20;

impl Verified {
    pub(super) fn merge(&mut self, other: Self) {
        self.actors += other.actors;
        self.events += other.events;
        self.states += other.states;
        self.live_bytes += other.live_bytes;
        for difference in other.differences {
            self.differ(difference);
        }
    }

    fn differ(&mut self, what: String) {
        if self.differences.len() < MOST_DIFFERENCES {
            self.differences.push(what);
        }
    }
}

/// What one actor must have stored.
#[derive(Debug, Default)]
struct Expected {
    /// Length of each event that must be there, by number.
    events: BTreeMap<u64, u32>,
    /// Number and length of the value of the snapshot.
    state: Option<(u64, u32)>,
    /// Number and length of the value of the metadata record.
    metadata: Option<(u64, u32)>,
}

impl Expected {
    /// What an actor has stored before its first command.
    fn before(source: &Source, actor: u64) -> Self {
        let (mut expected, mut ops) = (Self::default(), Vec::new());
        source.prehistory(actor, &mut ops);
        for op in ops {
            expected.apply(op);
        }
        expected
    }

    /// Bytes of all values.
    fn bytes(&self) -> u64 {
        let states = [self.state, self.metadata].into_iter().flatten().map(|(_, bytes)| bytes);
        self.events.values().copied().chain(states).map(u64::from).sum()
    }

    fn apply(&mut self, op: Op) {
        match op.kind {
            OpKind::EventsPut => drop(self.events.insert(op.number, op.bytes)),
            OpKind::EventsDel => drop(self.events.remove(&op.number)),
            OpKind::EventsPurge => self.events.clear(),
            OpKind::StatesPut => self.state = Some((op.number, op.bytes)),
            OpKind::StatesPurge => self.state = None,
            OpKind::MetadataPut => self.metadata = Some((op.number, op.bytes)),
            OpKind::MetadataPurge => self.metadata = None,
            OpKind::Open | OpKind::EventsGet | OpKind::EventsLast | OpKind::StatesGet | OpKind::MetadataGet => {}
        }
    }
}

/// What the actors of one worker must have stored after its first `completed` commands.
pub(super) struct Ledger {
    actors: BTreeMap<u64, Expected>,
}

impl Ledger {
    pub(super) fn replay(source: &Source, worker: u64, workers: u64, completed: u64) -> Self {
        let mut stream = source.stream(worker, workers);
        let mut actors: BTreeMap<u64, Expected> = BTreeMap::new();
        let mut ops = Vec::new();
        for _ in 0..completed {
            let Some(planned) = stream.next(&mut ops) else { break };
            let expected = actors.entry(planned.actor).or_insert_with(|| Expected::before(source, planned.actor));
            for &op in &ops {
                expected.apply(op);
            }
        }
        Self { actors }
    }

    pub(super) fn actor_count(&self) -> u64 {
        self.actors.len() as u64
    }

    /// Compares every actor; `seen` is called after each and ends the comparison early if it returns false.
    pub(super) fn verify<T: Target>(
        &self,
        manager: &T::Manager,
        source: &Source,
        pool: &ValuePool,
        seen: impl Fn() -> bool,
    ) -> Result<Verified, Error> {
        let mut verified = Verified::default();
        for (&actor, expected) in &self.actors {
            let (type_name, name) = source.actor(actor);
            let handles = Handles::<T>::open(manager, &type_name, &name)?;
            let compared = Comparison { actor, name: format!("{type_name}/{name}"), pool, verified: &mut verified };
            compared.actor(expected, &handles)?;
            verified.actors += 1;
            verified.live_bytes += expected.bytes();
            if !seen() {
                break;
            }
        }
        Ok(verified)
    }
}

struct Comparison<'a> {
    actor: u64,
    name: String,
    pool: &'a ValuePool,
    verified: &'a mut Verified,
}

impl Comparison<'_> {
    fn actor<T: Target>(mut self, expected: &Expected, handles: &Handles<T>) -> Result<(), Error> {
        self.events(expected, &handles.events)?;
        self.state("snapshot", OpKind::StatesPut, expected.state, &handles.states)?;
        self.state("metadata", OpKind::MetadataPut, expected.metadata, &handles.metadata)
    }

    fn events(&mut self, expected: &Expected, events: &impl Collection) -> Result<(), Error> {
        let mut wanted = expected.events.iter();
        let mut digits = [0; 20];
        for entry in events.iter(false)? {
            let (key, bytes) = entry?;
            let Some((&number, &len)) = wanted.next() else {
                self.verified.differ(format!("{}: event {key} is there and should not be", self.name));
                continue;
            };
            if key != event_key(number, &mut digits) {
                // From here on the two sequences are out of step: one line says enough.
                self.verified.differ(format!("{}: found event {key}, expected {number}", self.name));
                return Ok(());
            }
            if bytes != self.pool.value(self.actor, OpKind::EventsPut, number, len) {
                self.verified.differ(format!("{}: event {number} holds other bytes than were written", self.name));
            }
            self.verified.events += 1;
        }
        if let Some((number, _)) = wanted.next() {
            self.verified.differ(format!("{}: event {number} was acknowledged and is lost", self.name));
        }
        Ok(())
    }

    fn state(
        &mut self,
        what: &str,
        kind: OpKind,
        expected: Option<(u64, u32)>,
        state: &impl State,
    ) -> Result<(), Error> {
        let found = match state.get() {
            Ok(bytes) => Some(bytes),
            Err(Error::EntryNotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        let wanted = expected.map(|(number, len)| self.pool.value(self.actor, kind, number, len));
        match (found.as_deref(), wanted) {
            (None, None) => return Ok(()),
            (Some(found), Some(wanted)) if found == wanted => {}
            (Some(_), Some(_)) => {
                self.verified.differ(format!("{}: the {what} holds other bytes than were written last", self.name));
            }
            (None, Some(_)) => self.verified.differ(format!("{}: the {what} was acknowledged and is lost", self.name)),
            (Some(_), None) => self.verified.differ(format!("{}: a {what} is there and should not be", self.name)),
        }
        self.verified.states += 1;
        Ok(())
    }
}
