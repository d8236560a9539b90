//! Actors and commands of a trace.

use std::sync::Arc;

use ave_actors_rocksdb::trace::CommandKind;

/// An actor that occurs in a trace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TraceActor {
    /// Actor type: the column families are this plus `_events`, `_states`, `_metadata`.
    pub type_name: Arc<str>,
    /// Prefix of the actor's keys.
    pub name: Box<str>,
}

impl TraceActor {
    /// An actor by its type and name.
    pub fn new(type_name: &str, name: &str) -> Self {
        Self { type_name: type_name.into(), name: name.into() }
    }
}

/// One command of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceCommand {
    /// Nanoseconds from the start of the trace.
    pub at_ns: u64,
    /// Index into the actors of the trace.
    pub actor: u32,
    /// What the actor does.
    pub kind: CommandKind,
}
