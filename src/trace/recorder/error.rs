//! Errors of a recording. Actors never see them.

use std::io;
use std::path::PathBuf;

/// A recording could not be started or completed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
#[non_exhaustive]
pub enum RecorderError {
    /// The name is not a file name.
    #[error("recording `{name}`: expected a file name without separators or a leading dot")]
    Name { name: String },
    /// The directory or a part could not be created, written or synced.
    #[error("{}: cannot {action} the recording: {source}", path.display())]
    File { action: &'static str, path: PathBuf, source: io::Error },
    /// The system provides no random key for the names.
    #[error("cannot hash names: no random numbers: {reason}")]
    Random { reason: String },
    /// The writer thread could not be started.
    #[error("cannot start the writer thread of the recording: {source}")]
    Thread { source: io::Error },
    /// The writer thread panicked. The parts are usable up to their last complete line.
    #[error("the writer thread of the recording panicked; the parts are usable up to their last complete line")]
    Panicked,
    /// Writing was interrupted, for instance by a full disk, and had not resumed. The parts are complete up to there.
    #[error("the recording is not complete: {reason}")]
    Incomplete { reason: String },
}
