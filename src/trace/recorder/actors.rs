//! The actors with open handles: one entry each, shared by the three handles of an actor and removed with the last of them.
//!
//! Actors' threads and the writer do not write to the same cache lines. So an operation refers to its actor by a number,
//! and the writer has entries of its own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crossbeam_utils::CachePadded;

use crate::trace::names::{NameRule, hashed};

pub(super) const NO_COMMAND: u32 = u32::MAX;

/// An actor, for the writer.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) kind: Arc<ActorType>,
    pub(super) name: Box<str>,
    /// Slot of its open command; of the writer thread alone.
    pub(super) command: AtomicU32,
}

/// An actor, for its handles: from the creation of the first to the drop of the last. It does not change.
#[derive(Debug)]
pub(super) struct ActorHandle {
    /// Its number in the queue, not reused before all its operations are written.
    pub(super) number: u32,
    pub(super) kind: Arc<ActorType>,
    /// The prefix of its keys, by which its other handles find it.
    prefix: Box<str>,
    table: Arc<Mutex<ActorTable>>,
}

impl Drop for ActorHandle {
    fn drop(&mut self) {
        let mut living = lock(&self.kind.living);
        // Another one of the same name may exist already.
        if living.get(&self.prefix).is_some_and(|entry| std::ptr::eq(entry.as_ptr(), self)) {
            living.remove(&self.prefix);
        }
        drop(living);
        lock(&self.table).closed.push(self.number);
    }
}

#[derive(Debug, Default)]
struct ActorTable {
    by_number: Vec<Option<Arc<Actor>>>,
    free: Vec<u32>,
    /// Numbers of actors whose handles were all dropped.
    closed: Vec<u32>,
}

impl ActorTable {
    fn add(&mut self, actor: Actor) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            self.by_number.push(None);
            // 2^32 actors do not fit in memory.
            u32::try_from(self.by_number.len() - 1).unwrap_or(u32::MAX)
        });
        self.by_number[number as usize] = Some(Arc::new(actor));
        number
    }
}

/// The writer's copy of the table: it takes the lock once per actor.
#[derive(Debug)]
pub(super) struct ActorCache {
    table: Arc<Mutex<ActorTable>>,
    by_number: Vec<Option<Arc<Actor>>>,
}

impl ActorCache {
    pub(super) fn actor(&mut self, number: u32) -> Option<Arc<Actor>> {
        let place = number as usize;
        if place >= self.by_number.len() {
            self.by_number.resize(place + 1, None);
        }
        if self.by_number[place].is_none() {
            self.by_number[place] = lock(&self.table).by_number.get(place).cloned().flatten();
        }
        self.by_number[place].clone()
    }

    /// Takes the numbers of actors whose handles were all dropped: their operations are in the queue or already taken.
    pub(super) fn closed(&self) -> Vec<u32> {
        std::mem::take(&mut lock(&self.table).closed)
    }

    /// Removes actors without operations in the queue.
    pub(super) fn remove(&mut self, closed: &[u32]) {
        if closed.is_empty() {
            return;
        }
        let mut table = lock(&self.table);
        for &number in closed {
            let place = number as usize;
            table.by_number[place] = None;
            table.free.push(number);
            if let Some(known) = self.by_number.get_mut(place) {
                *known = None;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A type of actor: the name of its column families before the underscore.
#[derive(Debug, Default)]
pub(super) struct ActorType {
    pub(super) name: Box<str>,
    living: Mutex<HashMap<Box<str>, Weak<ActorHandle>>>,
    pub(super) persistence: ObservedPersistence,
}

/// How actors of a type persist, as observed by the writer.
#[derive(Debug, Default)]
pub(super) struct ObservedPersistence {
    persisted_alone: AtomicU64,
    persisted_with_state: AtomicU64,
    /// Read by actors' threads, so on a cache line of its own and written only on change.
    light: CachePadded<AtomicBool>,
    compacts: AtomicBool,
}

impl ObservedPersistence {
    pub(super) fn persisted(&self, with_state: bool) {
        let counter = if with_state { &self.persisted_with_state } else { &self.persisted_alone };
        counter.fetch_add(1, Ordering::Relaxed);
        let light = self.persisted_with_state.load(Ordering::Relaxed) > self.persisted_alone.load(Ordering::Relaxed);
        if light != self.is_light() {
            self.light.store(light, Ordering::Relaxed);
        }
    }

    pub(super) fn compacted(&self) {
        if !self.compacts() {
            self.compacts.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn is_light(&self) -> bool {
        self.light.load(Ordering::Relaxed)
    }

    /// Whether a snapshot deletes the events it covers.
    pub(super) fn compacts(&self) -> bool {
        self.compacts.load(Ordering::Relaxed)
    }
}

/// All actors and types. Used when a handle is created, not for an operation.
#[derive(Debug)]
pub(super) struct Registry {
    types: Mutex<HashMap<Box<str>, Arc<ActorType>>>,
    table: Arc<Mutex<ActorTable>>,
    names: NameRule,
    key: [u8; 16],
}

impl Registry {
    pub(super) fn new(names: NameRule, key: [u8; 16]) -> Self {
        Self { types: Mutex::default(), table: Arc::default(), names, key }
    }

    pub(super) fn known(&self) -> ActorCache {
        ActorCache { table: Arc::clone(&self.table), by_number: Vec::new() }
    }

    pub(super) fn actor(&self, type_name: &str, prefix: &str) -> Arc<ActorHandle> {
        let kind = self.actor_type(type_name);
        let mut living = lock(&kind.living);
        if let Some(actor) = living.get(prefix).and_then(Weak::upgrade) {
            // Before `actor` could be dropped, which takes the lock.
            drop(living);
            return actor;
        }
        let name = match self.names {
            NameRule::Keep => prefix.into(),
            NameRule::Hash => hashed(prefix.as_bytes(), &self.key).into_boxed_str(),
        };
        let command = AtomicU32::new(NO_COMMAND);
        let number = lock(&self.table).add(Actor { kind: Arc::clone(&kind), name, command });
        let table = Arc::clone(&self.table);
        let actor = Arc::new(ActorHandle { number, kind: Arc::clone(&kind), prefix: prefix.into(), table });
        living.insert(prefix.into(), Arc::downgrade(&actor));
        drop(living);
        actor
    }

    fn actor_type(&self, name: &str) -> Arc<ActorType> {
        let new = || Arc::new(ActorType { name: name.into(), ..ActorType::default() });
        Arc::clone(lock(&self.types).entry(name.into()).or_insert_with(new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_of_an_actor_share_an_entry_until_the_last_is_dropped() {
        let registry = Registry::new(NameRule::Keep, [0; 16]);
        let events = registry.actor("account", "a");
        let states = registry.actor("account", "a");
        assert!(Arc::ptr_eq(&events, &states));
        assert!(!Arc::ptr_eq(&events, &registry.actor("ledger", "a")), "types keep apart");
        let kind = Arc::clone(&events.kind);
        drop((events, states));
        assert!(lock(&kind.living).is_empty());
    }

    #[test]
    fn a_number_is_reused_after_the_writer_removed_it() {
        let registry = Registry::new(NameRule::Keep, [0; 16]);
        let mut known = registry.known();
        let first = registry.actor("account", "a");
        let number = first.number;
        assert_eq!(known.actor(number).unwrap().name.as_ref(), "a");
        drop(first);
        let second = registry.actor("account", "a");
        assert_ne!(second.number, number, "operations of the first may still be in the queue");
        let closed = known.closed();
        assert_eq!(closed, [number]);
        known.remove(&closed);
        let third = registry.actor("account", "b");
        assert_eq!((third.number, known.actor(number).unwrap().name.as_ref()), (number, "b"));
    }
}
