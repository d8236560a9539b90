//! Durability of writes.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What survives when a write has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// The write survives the death of the process.
    Off,
    /// The write survives power loss: it waited for the disk.
    On,
}

impl Durability {
    /// Both modes, in the order they are run and reported.
    pub const BOTH: [Self; 2] = [Self::Off, Self::On];

    /// As the `durability` flag of a database manager.
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if self.is_on() { "on" } else { "off" })
    }
}
