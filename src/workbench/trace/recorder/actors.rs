//! The actors that are alive: one entry each, shared by an actor's three handles and gone with the last of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::workbench::trace::NameRule;
use crate::workbench::trace::names::hashed;

/// No command of the actor is open.
pub(super) const NO_COMMAND: u32 = u32::MAX;

/// An actor, from the creation of its first handle until the last of its operations is written.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) kind: Arc<ActorType>,
    /// The prefix of its keys, by which its other handles find this entry.
    prefix: Box<str>,
    /// Its hash, if names are hashed.
    hash: Option<Box<str>>,
    /// Place of its open command. Only the writer looks at it.
    command: AtomicU32,
}

impl Actor {
    /// The name in the trace.
    pub(super) fn name(&self) -> &str {
        self.hash.as_deref().unwrap_or(&self.prefix)
    }

    pub(super) fn open_command(&self) -> u32 {
        self.command.load(Ordering::Relaxed)
    }

    pub(super) fn set_open_command(&self, place: u32) {
        self.command.store(place, Ordering::Relaxed);
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let mut living = self.kind.living();
        // Another one of the same name may have come already.
        if living.get(&self.prefix).is_some_and(|entry| std::ptr::eq(entry.as_ptr(), self)) {
            living.remove(&self.prefix);
        }
    }
}

/// A type of actor, which is what its column families are called before the underscore. There are few of them.
#[derive(Debug)]
pub(super) struct ActorType {
    pub(super) name: Box<str>,
    living: Mutex<HashMap<Box<str>, Weak<Actor>>>,
    habits: Habits,
}

impl ActorType {
    fn living(&self) -> MutexGuard<'_, HashMap<Box<str>, Weak<Actor>>> {
        self.living.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// Actors read these two, so they are written only when they change.
    light: AtomicBool,
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
    names: NameRule,
    /// Hashes names, and is written nowhere.
    key: [u8; 16],
}

impl Registry {
    pub(super) fn new(names: NameRule, key: [u8; 16]) -> Self {
        Self { types: Mutex::default(), names, key }
    }

    /// The entry of an actor: the one its other handles have, or a new one.
    pub(super) fn actor(&self, type_name: &str, prefix: &str) -> Arc<Actor> {
        let kind = self.actor_type(type_name);
        let mut living = kind.living();
        if let Some(actor) = living.get(prefix).and_then(Weak::upgrade) {
            // Released before the actor is: where it is the last one, that asks for the lock.
            drop(living);
            return actor;
        }
        let hash = (self.names == NameRule::Hash).then(|| hashed(prefix.as_bytes(), &self.key).into_boxed_str());
        let command = AtomicU32::new(NO_COMMAND);
        let actor = Arc::new(Actor { kind: Arc::clone(&kind), prefix: prefix.into(), hash, command });
        living.insert(prefix.into(), Arc::downgrade(&actor));
        drop(living);
        actor
    }

    fn actor_type(&self, name: &str) -> Arc<ActorType> {
        let mut types = self.types.lock().unwrap_or_else(PoisonError::into_inner);
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
    fn a_hash_is_the_same_for_the_same_name_and_no_other() {
        let registry = Registry::new(NameRule::Hash, [3; 16]);
        let names = ["a", "b", "a"].map(|name| registry.actor("account", name).name().to_owned());
        assert_eq!(names[0], names[2]);
        assert_ne!(names[0], names[1]);
        assert!(names[0].len() == 32 && names[0].bytes().all(|byte| byte.is_ascii_hexdigit()), "{}", names[0]);
        assert_ne!(Registry::new(NameRule::Hash, [4; 16]).actor("account", "a").name(), names[0], "another key");
    }
}
