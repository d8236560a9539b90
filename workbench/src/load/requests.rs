//! What users wait for: commands, and transactions.

use serde::{Deserialize, Serialize};

use ave_actors_rocksdb::trace::CommandKind;

/// What response times are measured of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestKind {
    /// A command of an actor.
    Command(CommandKind),
    /// A transaction, by its number in the workload.
    Transaction(usize),
}

impl RequestKind {
    /// Its place in a list of all commands and then of the transactions.
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Command(kind) => kind.index(),
            Self::Transaction(number) => CommandKind::ALL.len() + number,
        }
    }
}

impl From<CommandKind> for RequestKind {
    fn from(kind: CommandKind) -> Self {
        Self::Command(kind)
    }
}
