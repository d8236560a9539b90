//! Why a load fails.

use std::path::PathBuf;

use crate::actor::Durability;
use ave_actors_rocksdb::trace::OpKind;

/// A failure of a load, its database or its settings.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The backend refused an operation.
    #[error("{operation} of actor {actor} failed with durability {durability}: {source}")]
    Operation {
        /// The operation.
        operation: OpKind,
        /// `type/name` of the actor.
        actor: String,
        /// Durability mode.
        durability: Durability,
        /// Cause.
        source: ave_actors_store::Error,
    },
    /// An action (`open`, `fill`, `stop`, `read`, `compact` or `measure`) failed on the database in this directory.
    #[error("cannot {0} the database in {path}: {2}", path = .1.display())]
    Database(&'static str, PathBuf, #[source] ave_actors_store::Error),
    /// This directory for the databases cannot be used.
    #[error("cannot use {path} for the databases: {1}", path = .0.display())]
    Directory(PathBuf, #[source] std::io::Error),
    /// The log of acknowledged operations cannot be written.
    #[error("cannot log acknowledged operations: {0}")]
    Acknowledgement(#[source] std::io::Error),
    /// The memory limit of this process, which emulates a machine, cannot be changed.
    #[error("cannot change the memory limit of the emulated machine: {0}")]
    MemoryLimit(#[source] std::io::Error),
    /// The system refuses a thread for a writer.
    #[error("cannot start a thread for each of {0} writers: {1}")]
    Threads(u64, #[source] std::io::Error),
    /// The settings contradict each other or the source; the message says how.
    #[error("{0}")]
    Settings(String),
    /// Others use the host so much that every result would be inconclusive.
    #[error(
        "{seen}, of {cores} cores: results would be inconclusive; wait until they have ended, or measure with --anyway"
    )]
    BusyHost {
        /// What they did.
        seen: String,
        /// Logical cores of the host.
        cores: u32,
    },
    /// Every command fell into the warm-up, or none was due.
    #[error("nothing was measured: {}", unmeasured(*commands, *warmup_seconds))]
    NothingMeasured {
        /// Commands issued.
        commands: u64,
        /// Length of the warm-up, seconds.
        warmup_seconds: f64,
    },
    /// The job was cancelled before anything was measured.
    #[error("interrupted before anything was measured")]
    Interrupted,
}

fn unmeasured(commands: u64, warmup_seconds: f64) -> String {
    match commands {
        0 => "no command was due in that time; measure longer".to_owned(),
        commands => format!("all {commands} commands fell into the {warmup_seconds} s of warm-up"),
    }
}
