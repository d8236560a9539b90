//! Errors of a recording. Actors never see them.

use std::path::PathBuf;

/// A recording could not be started or completed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecorderError {
    /// The name is not a file name.
    #[error("recording `{name}`: expected a file name without separators or a leading dot")]
    Name {
        /// The rejected name.
        name: String,
    },
    /// The directory or a part could not be created, written or synced.
    #[error("{}: cannot {action} the recording: {source}", path.display())]
    File {
        /// `create`, `write` or `sync`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// The system provides no random key for the names.
    #[error("cannot hash names: no random numbers: {reason}")]
    Random {
        /// Error of the system.
        reason: String,
    },
    /// The writer thread could not be started.
    #[error("cannot start the writer thread of the recording: {source}")]
    Thread {
        /// Error of the system.
        source: std::io::Error,
    },
    /// The writer thread panicked. The parts are usable up to their last complete line.
    #[error("the writer thread of the recording panicked; the parts are usable up to their last complete line")]
    Panicked,
    /// Writing was interrupted, for instance by a full disk, and had not resumed. The parts are complete up to there.
    #[error("the recording is not complete: {reason}")]
    Incomplete {
        /// The last write error.
        reason: String,
    },
}
