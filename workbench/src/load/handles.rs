//! One actor's three handles, and the execution of an operation on them.

use ave_actors_store::Error;
use ave_actors_store::database::{Collection, DbManager, State};

use super::target::Target;
use crate::workload::ValuePool;
use ave_actors_rocksdb::trace::{Op, OpKind};

pub(super) struct Handles<T: Target> {
    pub(super) events: T::Collection,
    pub(super) states: T::State,
    pub(super) metadata: T::State,
}

/// The column families of an actor type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Events,
    States,
    Metadata,
}

impl Family {
    pub(super) const ALL: [Self; 3] = [Self::Events, Self::States, Self::Metadata];

    /// The name that `Store::new` gives it.
    pub(super) fn name(self, type_name: &str) -> String {
        let suffix = match self {
            Self::Events => "events",
            Self::States => "states",
            Self::Metadata => "metadata",
        };
        format!("{type_name}_{suffix}")
    }
}

impl<T: Target> Handles<T> {
    /// Opens the handles under the names `Store::new` gives them.
    pub(super) fn open(manager: &T::Manager, type_name: &str, actor_name: &str) -> Result<Self, Error> {
        Ok(Self {
            events: manager.create_collection(&Family::Events.name(type_name), actor_name)?,
            states: manager.create_state(&Family::States.name(type_name), actor_name)?,
            metadata: manager.create_state(&Family::Metadata.name(type_name), actor_name)?,
        })
    }

    /// Executes an operation other than [`OpKind::Open`].
    ///
    /// As in `Store`, it is no error if a state to read or an event to delete does not exist. It is one if an event to read does
    /// not, unless the operation says otherwise.
    pub(super) fn execute(&mut self, op: Op, actor: u64, pool: &ValuePool) -> Result<(), Error> {
        let mut digits = [0; 20];
        let value = |kind| pool.value(actor, kind, op.number, op.bytes);
        match op.kind {
            OpKind::Open => Ok(()),
            OpKind::EventsPut => self.events.put(event_key(op.number, &mut digits), value(op.kind)),
            OpKind::EventsGet => {
                let read = self.events.get(event_key(op.number, &mut digits)).map(keep);
                if op.may_miss { found(read) } else { read }
            }
            OpKind::EventsDel => found(self.events.del(event_key(op.number, &mut digits))),
            OpKind::EventsLast => self.events.last().map(keep),
            OpKind::EventsPurge => self.events.purge(),
            OpKind::StatesPut => self.states.put(value(op.kind)),
            OpKind::StatesGet => found(self.states.get().map(keep)),
            OpKind::StatesPurge => self.states.purge(),
            OpKind::MetadataPut => self.metadata.put(value(op.kind)),
            OpKind::MetadataGet => found(self.metadata.get().map(keep)),
            OpKind::MetadataPurge => self.metadata.purge(),
        }
    }
}

/// Keeps the compiler from removing a read whose value is not used.
fn keep<V>(value: V) {
    std::hint::black_box(value);
}

fn found(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(Error::EntryNotFound { .. }) => Ok(()),
        other => other,
    }
}

/// The key under which the store keeps an event: its number with twenty digits.
pub(super) fn event_key(mut number: u64, digits: &mut [u8; 20]) -> &str {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("a digit");
        number /= 10;
    }
    std::str::from_utf8(digits).expect("digits are ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_keys_are_those_of_the_store() {
        for number in [0, 7, 42, 1_234_567_890, u64::MAX] {
            assert_eq!(event_key(number, &mut [0; 20]), format!("{number:020}"));
        }
    }
}
