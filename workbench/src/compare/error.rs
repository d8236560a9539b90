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
    /// A directory holds no report, and no directory with one.
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
        /// What the system said.
        source: std::io::Error,
    },
    /// They do not speak of the same, or one was given twice.
    #[error(transparent)]
    Incomparable(#[from] Incomparable),
    /// A report of a build that did not write the figures of its rounds.
    #[error(
        "{} holds no figures of its rounds: it was written by version {version} of ave-workbench before it could compare; \
         measure it again",
        path.display()
    )]
    NoRounds {
        /// The report.
        path: PathBuf,
        /// The version that wrote it.
        version: String,
    },
    /// A run that did not come to its end.
    #[error(
        "{} was interrupted: it holds {found} of {expected} rounds with durability {durability}; measure it again",
        path.display()
    )]
    Interrupted {
        /// The report.
        path: PathBuf,
        /// The mode.
        durability: crate::actor::Durability,
        /// Rounds there are.
        found: usize,
        /// Rounds there should be.
        expected: u32,
    },
    /// One run on one side, several on the other.
    #[error(
        "{} holds {base_count} reports and {} holds {candidate_count}: compare one with one, or several with several",
        base.display(),
        candidate.display()
    )]
    OneAgainstMany {
        /// The base.
        base: PathBuf,
        /// Its reports.
        base_count: usize,
        /// The candidate.
        candidate: PathBuf,
        /// Its reports.
        candidate_count: usize,
    },
    /// The threshold or the confidence makes no sense.
    #[error("{0}")]
    Settings(String),
}

impl CompareError {
    /// Whether the choice of reports or settings is at fault, not a file.
    pub const fn is_choice(&self) -> bool {
        !matches!(self, Self::Report(_) | Self::NoReport { .. } | Self::Directory { .. })
    }
}
