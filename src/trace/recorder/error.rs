//! What can go wrong with a recording. The actors never see any of it.

use std::path::PathBuf;

/// A recording that could not be started or completed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecorderError {
    /// The name would not make a file name.
    #[error("recording `{name}`: expected a file name, without separators and a dot in front")]
    Name {
        /// What was asked for.
        name: String,
    },
    /// The directory or a part could not be written.
    #[error("{}: cannot {action} the recording: {source}", path.display())]
    File {
        /// `create`, `write` or `sync`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The system has no random numbers, without which names cannot be hashed.
    #[error("cannot hash names: the system gives no random numbers: {reason}")]
    Random {
        /// What the system says.
        reason: String,
    },
    /// The writer's thread could not be started.
    #[error("cannot start the thread that writes the recording: {source}")]
    Thread {
        /// What the system says.
        source: std::io::Error,
    },
    /// The writer ended early; what it wrote until then is usable.
    #[error("the thread that writes the recording has panicked; the parts are usable up to their last whole line")]
    Panicked,
    /// The recording stands still, for instance because the disk is full; its parts are complete up to there.
    #[error("the recording is not complete: {reason}")]
    Incomplete {
        /// What failed last.
        reason: String,
    },
}
