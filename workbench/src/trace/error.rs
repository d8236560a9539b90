//! Errors of traces and event logs.

use std::io;
use std::path::{Path, PathBuf};

use crate::workload::excerpt;

/// Why a trace or an event log cannot be used. The message names the file, line and column, and what was expected.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
pub enum TraceError {
    /// A file cannot be read, created or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File { action: &'static str, path: PathBuf, source: io::Error },
    /// The last line or the compressed stream is cut off. `whole_lines` counts the complete lines behind the header.
    #[error(
        "{}: truncated after {whole_lines} whole lines ({reason}); \
         pass --allow-truncated to use the whole lines", path.display()
    )]
    Truncated { path: PathBuf, whole_lines: u64, reason: String },
    /// The file is not a trace of a version this build reads.
    #[error("{}: not a trace: {reason}", path.display())]
    NotATrace { path: PathBuf, reason: String },
    /// A line does not fit the header, or a field does not fit its column. Lines count from 1.
    #[error("{}, line {line}{}: {reason}", path.display(), in_column(column.as_deref()))]
    Malformed { path: PathBuf, line: u64, column: Option<String>, reason: String },
    /// An event of a log that has no lines of its own, such as Parquet or JSON, cannot be used. `place` says which one.
    #[error("{}, {place}{}: {reason}", path.display(), in_column(column.as_deref()))]
    BadEvent { path: PathBuf, place: String, column: Option<String>, reason: String },
    /// The file is no log of a known format. `what` says what it is, `advice` what to do.
    #[error(
        "{}: {what}, expected an event log (CSV, JSON lines, Parquet, XES or OCEL 2.0); {advice}", path.display()
    )]
    NotALog { path: PathBuf, what: String, advice: String },
    /// An option has no meaning for a log of this format.
    #[error("{}: {option} does not apply: {reason}", path.display())]
    Unsuitable { path: PathBuf, option: &'static str, reason: String },
    /// Two logs have the same content, plain or compressed: its events would count twice.
    #[error("{}: the same content as {}; give each log once", path.display(), first.display())]
    SameContent { path: PathBuf, first: PathBuf },
    /// Required columns are missing or not unique. Each problem names the option that selects the column; `command` is a
    /// command line that may serve.
    #[error(
        "{}: {}; the columns, with their distinct values in the first rows: {}{}",
        path.display(), problems.join("; "), columns.join(", "), try_command(command.as_deref())
    )]
    MissingColumns { path: PathBuf, problems: Vec<String>, columns: Vec<String>, command: Option<String> },
    /// The observer cancelled the import.
    #[error("interrupted before it was complete; nothing was written")]
    Interrupted,
    /// There are no events or commands.
    #[error("{}: empty: it holds no {what}", path.display())]
    Empty { path: PathBuf, what: &'static str },
}

impl TraceError {
    /// Turns the failure of an action on a file into an error.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Self + Copy {
        move |source| Self::File { action, path: path.to_owned(), source }
    }
}

fn in_column(column: Option<&str>) -> String {
    column.map_or_else(String::new, |column| format!(", column `{}`", excerpt(column)))
}

fn try_command(command: Option<&str>) -> String {
    command.map_or_else(String::new, |command| format!("; try `{command}`"))
}
