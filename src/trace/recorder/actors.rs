//! The actors that are alive: one entry each, shared by an actor's three handles and gone with the last of them.
//!
//! Actors' threads and the writer must not write to the same places in memory: each time one does, the other waits for it.
//! So an operation names its actor by a number, and the writer has entries of its own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crossbeam_utils::CachePadded;

use crate::trace::names::{NameRule, hashed};

/// No command of the actor is open.
pub(super) const NO_COMMAND: u32 = u32::MAX;

/// An actor as the writer knows it.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) kind: Arc<ActorType>,
    /// The name in the trace.
    pub(super) name: Box<str>,
    /// Place of its open command.
    command: AtomicU32,
}

impl Actor {
    pub(super) fn open_command(&self) -> u32 {
        self.command.load(Ordering::Relaxed)
    }

    pub(super) fn set_open_command(&self, place: u32) {
        self.command.store(place, Ordering::Relaxed);
    }
}

/// An actor as its handles know it, from the creation of the first until the end of the last. Nobody writes to it.
#[derive(Debug)]
pub(super) struct Presence {
    /// What it is called in the queue: nobody else has the number before all its operations are written.
    pub(super) number: u32,
    pub(super) kind: Arc<ActorType>,
    /// The prefix of its keys, by which its other handles find this entry.
    prefix: Box<str>,
    roster: Arc<Roster>,
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut living = self.kind.living();
        // Another one of the same name may have come already.
        if living.get(&self.prefix).is_some_and(|entry| std::ptr::eq(entry.as_ptr(), self)) {
            living.remove(&self.prefix);
        }
        drop(living);
        lock(&self.roster.gone).push(self.number);
    }
}

/// The actors by number, and the numbers of those that are gone.
#[derive(Debug, Default)]
pub(super) struct Roster {
    entries: Mutex<Entries>,
    gone: Mutex<Vec<u32>>,
}

#[derive(Debug, Default)]
struct Entries {
    by_number: Vec<Option<Arc<Actor>>>,
    free: Vec<u32>,
}

impl Roster {
    fn add(&self, actor: Actor) -> u32 {
        let mut entries = lock(&self.entries);
        let actor = Some(Arc::new(actor));
        if let Some(number) = entries.free.pop() {
            entries.by_number[number as usize] = actor;
            return number;
        }
        entries.by_number.push(actor);
        // Four thousand million live actors do not fit in memory.
        u32::try_from(entries.by_number.len() - 1).unwrap_or(u32::MAX)
    }
}

/// The writer's view of the roster, which asks for its lock once per actor.
#[derive(Debug)]
pub(super) struct Known {
    roster: Arc<Roster>,
    by_number: Vec<Option<Arc<Actor>>>,
}

impl Known {
    pub(super) const fn new(roster: Arc<Roster>) -> Self {
        Self { roster, by_number: Vec::new() }
    }

    pub(super) fn actor(&mut self, number: u32) -> Option<Arc<Actor>> {
        let place = number as usize;
        if place >= self.by_number.len() {
            self.by_number.resize(place + 1, None);
        }
        if self.by_number[place].is_none() {
            self.by_number[place] = lock(&self.roster.entries).by_number.get(place).cloned().flatten();
        }
        self.by_number[place].clone()
    }

    /// Actors whose handles are all gone: what they called is in the queue by now, or out of it.
    pub(super) fn gone(&self) -> Vec<u32> {
        std::mem::take(&mut *lock(&self.roster.gone))
    }

    /// Forgets actors of which nothing is in the queue any more.
    pub(super) fn forget(&mut self, gone: &[u32]) {
        if gone.is_empty() {
            return;
        }
        let mut entries = lock(&self.roster.entries);
        for &number in gone {
            let place = number as usize;
            entries.by_number[place] = None;
            entries.free.push(number);
            if let Some(known) = self.by_number.get_mut(place) {
                *known = None;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A type of actor, which is what its column families are called before the underscore. There are few of them.
#[derive(Debug)]
pub(super) struct ActorType {
    pub(super) name: Box<str>,
    living: Mutex<HashMap<Box<str>, Weak<Presence>>>,
    habits: Habits,
}

impl ActorType {
    fn living(&self) -> MutexGuard<'_, HashMap<Box<str>, Weak<Presence>>> {
        lock(&self.living)
    }

    pub(super) const fn habits(&self) -> &Habits {
        &self.habits
    }
}

/// What the writer has seen actors of a type do: how they persist is a property of the type.
#[derive(Debug, Default)]
pub(super) struct Habits {
    persisted_alone: AtomicU64,
    persisted_with_state: AtomicU64,
    /// Actors read it, so it is written only when it changes, and lies apart from what changes all the time.
    light: CachePadded<AtomicBool>,
    compacts: AtomicBool,
}

impl Habits {
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

    /// Whether an event as a rule brings a state with it.
    pub(super) fn is_light(&self) -> bool {
        self.light.load(Ordering::Relaxed)
    }

    /// Whether a snapshot deletes what it covers.
    pub(super) fn compacts(&self) -> bool {
        self.compacts.load(Ordering::Relaxed)
    }
}

/// All of them. It is asked when a handle is created, never for an operation.
#[derive(Debug)]
pub(super) struct Registry {
    types: Mutex<HashMap<Box<str>, Arc<ActorType>>>,
    roster: Arc<Roster>,
    names: NameRule,
    /// Hashes names, and is written nowhere.
    key: [u8; 16],
}

impl Registry {
    pub(super) fn new(names: NameRule, key: [u8; 16]) -> Self {
        Self { types: Mutex::default(), roster: Arc::default(), names, key }
    }

    /// The actors by number, for the writer.
    pub(super) fn known(&self) -> Known {
        Known::new(Arc::clone(&self.roster))
    }

    /// The entry of an actor: the one its other handles have, or a new one.
    pub(super) fn actor(&self, type_name: &str, prefix: &str) -> Arc<Presence> {
        let kind = self.actor_type(type_name);
        let mut living = kind.living();
        if let Some(actor) = living.get(prefix).and_then(Weak::upgrade) {
            // Released before the actor is: where it is the last one, that asks for the lock.
            drop(living);
            return actor;
        }
        let name = match self.names {
            NameRule::Keep => prefix.into(),
            NameRule::Hash => hashed(prefix.as_bytes(), &self.key).into_boxed_str(),
        };
        let command = AtomicU32::new(NO_COMMAND);
        let number = self.roster.add(Actor { kind: Arc::clone(&kind), name, command });
        let roster = Arc::clone(&self.roster);
        let actor = Arc::new(Presence { number, kind: Arc::clone(&kind), prefix: prefix.into(), roster });
        living.insert(prefix.into(), Arc::downgrade(&actor));
        drop(living);
        actor
    }

    fn actor_type(&self, name: &str) -> Arc<ActorType> {
        let mut types = lock(&self.types);
        if let Some(kind) = types.get(name) {
            return Arc::clone(kind);
        }
        let kind = Arc::new(ActorType { name: name.into(), living: Mutex::default(), habits: Habits::default() });
        types.insert(name.into(), Arc::clone(&kind));
        kind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_of_one_actor_share_an_entry_which_goes_with_the_last_of_them() {
        let registry = Registry::new(NameRule::Keep, [0; 16]);
        let events = registry.actor("account", "a");
        let states = registry.actor("account", "a");
        assert!(Arc::ptr_eq(&events, &states));
        assert!(!Arc::ptr_eq(&events, &registry.actor("ledger", "a")), "types keep apart");
        let kind = Arc::clone(&events.kind);
        drop((events, states));
        assert!(kind.living().is_empty());
    }

    #[test]
    fn a_number_is_free_again_once_the_writer_is_done_with_it() {
        let registry = Registry::new(NameRule::Keep, [0; 16]);
        let mut known = registry.known();
        let first = registry.actor("account", "a");
        let number = first.number;
        assert_eq!(known.actor(number).unwrap().name.as_ref(), "a");
        drop(first);
        let second = registry.actor("account", "a");
        assert_ne!(second.number, number, "operations of the first may still be in the queue");
        let gone = known.gone();
        assert_eq!(gone, [number]);
        known.forget(&gone);
        let third = registry.actor("account", "b");
        assert_eq!((third.number, known.actor(number).unwrap().name.as_ref()), (number, "b"));
    }

    #[test]
    fn a_hash_is_the_same_for_the_same_name_and_no_other() {
        let name = |key, prefix| {
            let registry = Registry::new(NameRule::Hash, [key; 16]);
            let actor = registry.actor("account", prefix);
            registry.known().actor(actor.number).unwrap().name.to_string()
        };
        let first = name(3, "a");
        assert_eq!(first, name(3, "a"));
        assert_ne!(first, name(3, "b"));
        assert!(first.len() == 32 && first.bytes().all(|byte| byte.is_ascii_hexdigit()), "{first}");
        assert_ne!(name(4, "a"), first, "another key");
    }
}
