//! What an actor asks of its store: commands, and the storage operations each expands to.
//!
//! [`ActorLog`] follows `ave-actors-store`'s `Store` step by step: for every command it names the operations that
//! `Store` issues, in its order. It keeps counters only; it knows nothing of databases, values, time or files.

mod durability;
mod log;

pub use durability::Durability;
pub use log::{ActorLog, Command, PersistenceRules, Strategy};
