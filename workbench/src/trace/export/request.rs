//! What is exported, in which form, and why it may fail.

use std::io;

use crate::trace::builder::Trace;
use crate::trace::command::TraceCommand;
use crate::trace::shard::ShardNumber;
use crate::workload::mix;

/// Rows of an exported table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// A command: time, actor, kind, number of storage operations, bytes written and read.
    Commands,
    /// An actor: its commands by kind, first and last time, bytes written and read.
    Actors,
    /// A storage operation, in the format of a trace; the result is one, unless it is Parquet.
    Trace,
}

/// Form of a table. [`Table::Trace`] has only one form besides Parquet: the format of traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// CSV with a header row.
    Csv,
    /// A JSON object per line.
    JsonLines,
    /// Parquet. Actors are numbers; the table of the actors has their names.
    Parquet,
}

/// Which commands of a trace are exported.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Selection {
    /// First time that is included, nanoseconds from the first command.
    pub from_ns: u64,
    /// First time that is excluded; no limit if absent.
    pub to_ns: Option<u64>,
    /// Share of the actors that are kept, `0.0 ..= 1.0`; the same ones each time.
    pub actors_ratio: f64,
    /// Only the actors of this shard; all of them if absent.
    pub shard: Option<ShardNumber>,
}

impl Selection {
    /// All of the trace.
    pub const ALL: Self = Self { from_ns: 0, to_ns: None, actors_ratio: 1.0, shard: None };

    /// The same of all shards.
    pub(super) const fn of_all_shards(self) -> Self {
        Self { shard: None, ..self }
    }

    /// Whether a command is selected, its shard apart.
    pub(super) fn contains(&self, command: &TraceCommand) -> bool {
        let in_time = command.at_ns >= self.from_ns && self.to_ns.is_none_or(|to_ns| command.at_ns < to_ns);
        in_time && (self.actors_ratio >= 1.0 || draw(command.actor) < self.actors_ratio)
    }

    /// By actor, whether it is in the selected shard; `None` if all are.
    pub(super) fn in_shard(&self, trace: &Trace) -> Option<Vec<bool>> {
        let shard = self.shard?;
        Some(trace.actors().iter().map(|actor| shard.contains(&actor.name)).collect())
    }

    pub(super) fn describe(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.from_ns > 0 {
            parts.push(format!("from {} s on", self.from_ns as f64 / 1e9));
        }
        if let Some(to_ns) = self.to_ns {
            parts.push(format!("before {} s", to_ns as f64 / 1e9));
        }
        if self.actors_ratio < 1.0 {
            parts.push(format!("{} % of the actors", 100.0 * self.actors_ratio));
        }
        (!parts.is_empty()).then(|| format!("a part of the trace: {}", parts.join(", ")))
    }
}

/// A number from 0 to 1 that belongs to an actor.
fn draw(actor: u32) -> f64 {
    const SALT: u64 = 0x65_78_70;
    mix(0, u64::from(actor), SALT, 0) as f64 / u64::MAX as f64
}

/// Why a trace was not exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The temporary file of a long trace cannot be read.
    #[error("cannot read the trace: {0}")]
    Read(#[from] io::Error),
    /// The table cannot be written.
    #[error("cannot write the table: {0}")]
    Write(io::Error),
    /// A shard of a shard: its actors would not be spread over the new shards.
    #[error("the trace is shard {number} of {count} of another one; export shards from the whole trace")]
    ShardOfShard {
        /// Number of the shard, from 1.
        number: u32,
        /// Number of shards.
        count: u32,
    },
    /// No command is selected.
    #[error("no command of these actors is in that time")]
    Nothing,
    /// The shard has none of the selected commands.
    #[error("no command is of this shard")]
    NothingOfShard,
}
