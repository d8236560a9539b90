//! Why reports cannot be joined.

use std::io;
use std::path::PathBuf;

use crate::actor::Durability;
use crate::report::{Incomparable, ReportError};

/// Why reports cannot be joined, or the result not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// No report was given.
    #[error("there is nothing to join: give at least one report")]
    Nothing,
    /// A report cannot be read, or the comparison not written or read.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// They do not speak of the same, or one was given twice.
    #[error(transparent)]
    Incomparable(#[from] Incomparable),
    /// A histogram log is there and cannot be read.
    #[error("the histograms {} cannot be read", path.display())]
    LogUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A histogram log is damaged, or of another program.
    #[error("{}:{line}: {reason}", path.display())]
    LogInvalid {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A histogram log lies beside a report it does not belong to.
    #[error(
        "{} does not belong to the report beside it: it holds {found} samples of {command} with durability {durability}, \
         the report {expected}",
        path.display()
    )]
    LogOfAnother {
        /// The log.
        path: PathBuf,
        /// The command that differs.
        command: String,
        /// The mode that differs.
        durability: Durability,
        /// Samples in the log.
        found: u64,
        /// Samples in the report.
        expected: u64,
    },
}

impl MergeError {
    /// Whether the choice of reports is at fault, not a file.
    pub const fn is_choice(&self) -> bool {
        matches!(self, Self::Nothing | Self::Incomparable(_))
    }
}
