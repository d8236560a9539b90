//! The commands of an actor to its store, and the storage operations each expands to.
//!
//! [`ActorLog`] models the `Store` of `ave-actors-store`: for every command it yields the operations that `Store` issues, in
//! their order. It has counters only, and knows nothing of databases, values, time or files.

mod durability;
mod log;

pub use durability::Durability;
pub use log::{ActorLog, Command, PersistenceRules, Strategy};
