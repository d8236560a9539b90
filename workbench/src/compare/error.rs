//! Why reports cannot be compared.

use std::path::PathBuf;

use crate::report::{Incomparable, ReportError};

/// Why reports cannot be compared, or the result not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// A report cannot be read, or the comparison not written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A directory contains no report.
    #[error(
        "there is no report in {}: give a report.json, a report directory, or a directory with the reports of one build",
        path.display()
    )]
    NoReport {
        /// The directory.
        path: PathBuf,
    },
    /// A directory cannot be listed.
    #[error("the directory {} cannot be read", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// They did not measure the same load, one was interrupted, or one was named twice.
    #[error(transparent)]
    Incomparable(#[from] Incomparable),
    /// One run on one side, several on the other.
    #[error(
        "{} has {base_count} reports and {} has {candidate_count}: compare one with one, or several with several",
        base.display(),
        candidate.display()
    )]
    OneAgainstMany {
        /// Path of the base.
        base: PathBuf,
        /// Reports of the base.
        base_count: usize,
        /// Path of the candidate.
        candidate: PathBuf,
        /// Reports of the candidate.
        candidate_count: usize,
    },
    /// The threshold or the confidence is out of range.
    #[error("{0}")]
    Settings(String),
}

impl CompareError {
    /// Whether the command line is at fault, not a file.
    pub const fn is_choice(&self) -> bool {
        !matches!(self, Self::Report(_) | Self::NoReport { .. } | Self::Directory { .. })
    }
}
