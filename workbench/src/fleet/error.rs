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
    /// They did not measure the same load, or one was named twice.
    #[error(transparent)]
    Incomparable(#[from] Incomparable),
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
        matches!(self, Self::Nothing | Self::Incomparable(_))
    }
}
