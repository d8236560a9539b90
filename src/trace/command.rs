//! Names of commands and storage operations, and the record of one operation.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A command of an actor to its store: the unit whose latency users see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandKind {
    /// Append one event; under light persistence also write the state.
    Persist,
    /// Write the state, and delete the events it covers if the actor compacts.
    Snapshot,
    /// Start an actor: open its handles, read its state, replay later events.
    Recover,
    /// Read a range of events.
    Events,
    /// Read the newest event.
    LastEvent,
    /// Delete all events, state and metadata of the actor.
    Purge,
}

impl CommandKind {
    /// All commands, in the order reports list them.
    pub const ALL: [Self; 6] =
        [Self::Persist, Self::Snapshot, Self::Recover, Self::Events, Self::LastEvent, Self::Purge];

    /// The name in workloads, traces and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Persist => "persist",
            Self::Snapshot => "snapshot",
            Self::Recover => "recover",
            Self::Events => "events",
            Self::LastEvent => "last_event",
            Self::Purge => "purge",
        }
    }

    /// Position in [`CommandKind::ALL`], for tables of histograms.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// A call on one of the three handles of an actor's store, or the creation of those handles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpKind {
    /// `create_collection` for the events, `create_state` for the snapshot and the metadata.
    Open,
    /// `Collection::put` on the events.
    EventsPut,
    /// `Collection::get` on the events.
    EventsGet,
    /// `Collection::del` on the events.
    EventsDel,
    /// `Collection::last` on the events.
    EventsLast,
    /// `Collection::purge` on the events.
    EventsPurge,
    /// `State::put` on the snapshot.
    StatesPut,
    /// `State::get` on the snapshot.
    StatesGet,
    /// `State::purge` on the snapshot.
    StatesPurge,
    /// `State::put` on the metadata.
    MetadataPut,
    /// `State::get` on the metadata.
    MetadataGet,
    /// `State::purge` on the metadata.
    MetadataPurge,
}

impl OpKind {
    /// All operations, in the order reports list them.
    pub const ALL: [Self; 12] = [
        Self::Open,
        Self::EventsPut,
        Self::EventsGet,
        Self::EventsDel,
        Self::EventsLast,
        Self::EventsPurge,
        Self::StatesPut,
        Self::StatesGet,
        Self::StatesPurge,
        Self::MetadataPut,
        Self::MetadataGet,
        Self::MetadataPurge,
    ];

    /// The name in traces and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::EventsPut => "events.put",
            Self::EventsGet => "events.get",
            Self::EventsDel => "events.del",
            Self::EventsLast => "events.last",
            Self::EventsPurge => "events.purge",
            Self::StatesPut => "states.put",
            Self::StatesGet => "states.get",
            Self::StatesPurge => "states.purge",
            Self::MetadataPut => "metadata.put",
            Self::MetadataGet => "metadata.get",
            Self::MetadataPurge => "metadata.purge",
        }
    }

    /// Position in [`OpKind::ALL`], for tables of histograms.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether the operation writes a value.
    pub const fn writes_value(self) -> bool {
        matches!(self, Self::EventsPut | Self::StatesPut | Self::MetadataPut)
    }

    /// Whether the operation modifies the database.
    pub const fn changes(self) -> bool {
        !matches!(self, Self::Open | Self::EventsGet | Self::EventsLast | Self::StatesGet | Self::MetadataGet)
    }

    /// Whether the operation has the number of an event as its key.
    pub const fn names_event(self) -> bool {
        matches!(self, Self::EventsPut | Self::EventsGet | Self::EventsDel)
    }
}

/// One storage operation of one actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Op {
    /// The call.
    pub kind: OpKind,
    /// Number of the event for operations on one; for a state write, the number of earlier ones. Together with actor and
    /// kind it identifies the value. Otherwise 0.
    pub number: u64,
    /// Bytes of the value that is written, or that was read if known; otherwise 0.
    pub bytes: u32,
    /// Whether the event that is read may be absent, as it was when recorded. Snapshot, metadata and newest event always
    /// may.
    pub may_miss: bool,
}

impl Op {
    /// An operation whose event, if it reads one, exists.
    pub const fn new(kind: OpKind, number: u64, bytes: u32) -> Self {
        Self { kind, number, bytes, may_miss: false }
    }

    /// Whether `number` is that of an event: of operations on one, and of the newest event if it was found.
    pub const fn has_event_number(self) -> bool {
        self.kind.names_event() || (matches!(self.kind, OpKind::EventsLast) && self.bytes > 0)
    }

    /// Bytes of the value it writes, 0 if it writes none.
    pub const fn written_bytes(self) -> u32 {
        if self.kind.writes_value() { self.bytes } else { 0 }
    }
}

/// A name of no command, or of no operation; its message lists the known names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown name `{found}`, expected one of {}", expected.join(", "))]
pub struct UnknownName {
    found: String,
    expected: Vec<&'static str>,
}

/// A `match`, since a loop over all names would be most of the time of reading a trace.
impl FromStr for CommandKind {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Ok(match name {
            "persist" => Self::Persist,
            "snapshot" => Self::Snapshot,
            "recover" => Self::Recover,
            "events" => Self::Events,
            "last_event" => Self::LastEvent,
            "purge" => Self::Purge,
            _ => return Err(UnknownName { found: name.to_owned(), expected: Self::ALL.map(Self::name).to_vec() }),
        })
    }
}

impl FromStr for OpKind {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Ok(match name {
            "open" => Self::Open,
            "events.put" => Self::EventsPut,
            "events.get" => Self::EventsGet,
            "events.del" => Self::EventsDel,
            "events.last" => Self::EventsLast,
            "events.purge" => Self::EventsPurge,
            "states.put" => Self::StatesPut,
            "states.get" => Self::StatesGet,
            "states.purge" => Self::StatesPurge,
            "metadata.put" => Self::MetadataPut,
            "metadata.get" => Self::MetadataGet,
            "metadata.purge" => Self::MetadataPurge,
            _ => return Err(UnknownName { found: name.to_owned(), expected: Self::ALL.map(Self::name).to_vec() }),
        })
    }
}

impl fmt::Display for CommandKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for OpKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_and_indices_are_positions_in_all() {
        for (place, kind) in CommandKind::ALL.into_iter().enumerate() {
            assert_eq!(kind.name().parse(), Ok(kind));
            assert_eq!(kind.index(), place);
        }
        for (place, kind) in OpKind::ALL.into_iter().enumerate() {
            assert_eq!(kind.name().parse(), Ok(kind));
            assert_eq!(kind.index(), place);
        }
    }
}
