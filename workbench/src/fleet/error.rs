//! Why reports cannot be merged.

use std::io;
use std::path::PathBuf;

use crate::actor::Durability;
use crate::report::{Incomparable, ReportError};

/// Why reports cannot be merged, or the result not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// No report was named.
    #[error("nothing to merge: name at least one report")]
    Nothing,
    /// A report cannot be read, or the comparison not written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// They did not measure the same load, one was interrupted, or one was named twice.
    #[error(transparent)]
    Incomparable(#[from] Incomparable),
    /// A plan of a shard.
    #[error(
        "{} is a plan of a shard: the rates of plans do not add up. Merge runs of shards, or plan for the whole trace",
        .0.display()
    )]
    PlanOfShard(PathBuf),
    /// A report of a shard, and one that is of none.
    #[error(
        "{} is of a shard of a trace and {} of a whole one: merge the reports of all shards, or those of the whole trace",
        shard.display(),
        whole.display()
    )]
    ShardWithWhole {
        /// Path of the report of a shard.
        shard: PathBuf,
        /// Path of the other report.
        whole: PathBuf,
    },
    /// Two reports are of one shard.
    #[error("{} and {} are both of shard {number}: name each shard once", first.display(), second.display())]
    ShardTwice {
        /// Number of the shard, from 1.
        number: u32,
        /// Path of the first report.
        first: PathBuf,
        /// Path of the second report.
        second: PathBuf,
    },
    /// Shards without a report.
    #[error("no report of {} of {count}: name the reports of all shards", numbered(missing))]
    ShardsMissing {
        /// Numbers of the shards, from 1.
        missing: Vec<u32>,
        /// Number of shards.
        count: u32,
    },
    /// A shard was changed after it was exported, or is cut off.
    #[error(
        "the shards have {} commands and {} storage operations, the trace {} and {}: export the shards again",
        found[0], found[1], expected[0], expected[1]
    )]
    ShardsAltered {
        /// Commands and storage operations of all shards.
        found: [u64; 2],
        /// Commands and storage operations of the trace.
        expected: [u64; 2],
    },
    /// The file of a host's failure cannot be read.
    #[error("the failure {} cannot be read", path.display())]
    FailureUnreadable {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file of a host's failure is not one.
    #[error("{}:{}:{}: not the failure of a host", path.display(), source.line(), source.column())]
    FailureInvalid {
        /// The file.
        path: PathBuf,
        /// The error of the parser.
        source: serde_json::Error,
    },
    /// A histogram log cannot be read.
    #[error("the histograms {} cannot be read", path.display())]
    LogUnreadable {
        /// The log.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A histogram log is damaged, or from another program.
    #[error("{}:{line}: {reason}", path.display())]
    LogInvalid {
        /// The log.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The problem.
        reason: String,
    },
    /// A histogram log does not belong to the report beside it.
    #[error(
        "{} does not belong to the report beside it: it has {found} samples of {command} with durability {durability}, \
         the report {expected}",
        path.display()
    )]
    LogOfAnother {
        /// The log.
        path: PathBuf,
        /// A command whose number of samples differs.
        command: String,
        /// Its durability mode.
        durability: Durability,
        /// Samples in the log.
        found: u64,
        /// Samples in the report.
        expected: u64,
    },
}

impl MergeError {
    /// Whether the command line is at fault, not a file.
    pub const fn is_choice(&self) -> bool {
        matches!(
            self,
            Self::Nothing
                | Self::Incomparable(_)
                | Self::PlanOfShard(_)
                | Self::ShardWithWhole { .. }
                | Self::ShardTwice { .. }
                | Self::ShardsMissing { .. }
        )
    }
}

/// `shard 3`, `shards 3, 7 and 9`.
pub(super) fn numbered(shards: &[u32]) -> String {
    let numbers: Vec<String> = shards.iter().map(ToString::to_string).collect();
    match numbers.split_last() {
        Some((last, [])) => format!("shard {last}"),
        Some((last, before)) => format!("shards {} and {last}", before.join(", ")),
        None => String::new(),
    }
}
