//! Why a run ends before its time.

use std::path::PathBuf;

use crate::actor::Durability;
use ave_actors_rocksdb::trace::OpKind;

/// Why a run cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The backend refused an operation.
    #[error("{operation} of actor {actor} failed with durability {durability}: {source}")]
    Operation {
        /// What was called.
        operation: OpKind,
        /// On whose behalf.
        actor: String,
        /// In which mode.
        durability: Durability,
        /// Why.
        source: ave_actors_store::Error,
    },
    /// The database cannot be opened or stopped.
    #[error("cannot {action} the database in {}: {source}", path.display())]
    Database {
        /// `open` or `stop`.
        action: &'static str,
        /// Its directory.
        path: PathBuf,
        /// Why.
        source: ave_actors_store::Error,
    },
    /// The directory for the databases cannot be used.
    #[error("cannot use {} for the databases: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What was acknowledged cannot be written down.
    #[error("cannot write down what was acknowledged: {source}")]
    Acknowledgement {
        /// Why.
        source: std::io::Error,
    },
    /// The process that was to be killed did not live until then.
    #[error("the process to be killed with durability {durability} {reason}")]
    Victim {
        /// In which mode.
        durability: Durability,
        /// `cannot be started: …`, `ended by itself: …`.
        reason: String,
    },
    /// The process that carries a load within a machine's limits.
    #[error("the process that loads the database as {machine} with durability {durability} {reason}")]
    Rig {
        /// The machine.
        machine: String,
        /// In which mode.
        durability: Durability,
        /// `cannot be started: …`, `ended by itself: …`.
        reason: String,
    },
    /// What was measured cannot be written down.
    #[error("cannot write down what was measured in {}: {source}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The settings contradict each other or the source.
    #[error("{0}")]
    Settings(String),
    /// Nothing was measured: every command fell into the warm-up.
    #[error("nothing was measured: all {commands} commands fell into the {warmup_seconds} s of warm-up")]
    NothingMeasured {
        /// Commands issued.
        commands: u64,
        /// Length of the warm-up.
        warmup_seconds: f64,
    },
    /// The user stopped it before anything was measured.
    #[error("interrupted before anything was measured")]
    Interrupted,
}
