//! What can be wrong with a trace or an event log, and where.

use std::path::PathBuf;

/// Why a trace or an event log cannot be used. Every variant says where and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// A file cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// `read`, `create`, ….
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file ends in the middle: a line or the compressed stream is cut off.
    #[error(
        "{}: truncated after {whole_lines} whole lines ({reason}); \
         pass --allow-truncated to use the whole lines", path.display()
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Data lines that are complete.
        whole_lines: u64,
        /// How the cut shows.
        reason: String,
    },
    /// The file is not a trace of a version this build reads.
    #[error("{}: not a trace: {reason}", path.display())]
    NotATrace {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        reason: String,
    },
    /// A field is not what its column asks for.
    #[error("{}, line {line}, column `{column}`: {reason}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: u64,
        /// Name of the column.
        column: String,
        /// What was found and what was expected.
        reason: String,
    },
    /// A line does not fit the header.
    #[error("{}, line {line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: u64,
        /// What was found and what was expected.
        reason: String,
    },
    /// A column that is needed is not there.
    #[error("{}: no column {wanted}; {advice}; the columns are: {}", path.display(), columns.join(", "))]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        wanted: String,
        /// Which option names it.
        advice: String,
        /// What is there.
        columns: Vec<String>,
    },
    /// Whoever asked for it has stopped it.
    #[error("interrupted before it was complete; nothing was written")]
    Interrupted,
    /// There is not one event or command in it.
    #[error("{}: empty: it holds no {what}", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// `events` or `commands`.
        what: &'static str,
    },
}
