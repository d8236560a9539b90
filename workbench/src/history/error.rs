//! Why there is no history.

use std::path::PathBuf;

use crate::report::{Incomparable, ReportError};

/// Why reports have no history, or it was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The baseline cannot be read, or the history not written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A threshold or the confidence is out of range.
    #[error("{0}")]
    Settings(String),
    /// The confidence is so high that the search for changes would need too many permutations.
    #[error("a confidence of {0} %, expected at most 99 % for a history")]
    Confidence(f64),
    /// No path contains a report.
    #[error("there is no report in {}: give directories with reports, report directories or report.json files", path.display())]
    NoReport {
        /// The first path.
        path: PathBuf,
    },
    /// No report can be used.
    #[error("none of {count} reports can be used; {}: {reason}", path.display())]
    Unusable {
        /// Number of reports.
        count: usize,
        /// The first report.
        path: PathBuf,
        /// Why it is left out.
        reason: String,
    },
    /// A directory cannot be listed.
    #[error("the directory {} cannot be read", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// All other reports answer other questions.
    #[error(
        "no other of {count} reports answers the question of the newest, {}; {}: {reason}",
        newest.display(),
        path.display()
    )]
    Alone {
        /// Number of reports.
        count: usize,
        /// Path of the newest report.
        newest: PathBuf,
        /// The first other report.
        path: PathBuf,
        /// Why it is left out.
        reason: String,
    },
    /// The baseline answers another question, or was interrupted.
    #[error("the baseline cannot be used: {0}")]
    Baseline(#[source] Incomparable),
    /// No report is newer than the baseline.
    #[error("{}: the baseline is the newest report, so there is nothing to compare with it; name an older one", .0.display())]
    NewestBaseline(PathBuf),
    /// The baseline is not among the newest reports, of which at most so many are used.
    #[error("{}: the baseline is older than the newest {most} reports; give fewer reports", path.display())]
    OldBaseline {
        /// The baseline.
        path: PathBuf,
        /// The most reports that are used.
        most: usize,
    },
}

impl HistoryError {
    /// Whether the command line is at fault, not a file.
    pub const fn is_choice(&self) -> bool {
        matches!(
            self,
            Self::Settings(_)
                | Self::Confidence(_)
                | Self::Alone { .. }
                | Self::Baseline(_)
                | Self::NewestBaseline(_)
                | Self::OldBaseline { .. }
        )
    }
}
