//! The subcommands of `trace`.

pub(crate) mod export;
pub(crate) mod fit;
pub(crate) mod generate;
pub(crate) mod import;
pub(crate) mod info;

use std::path::{Path, PathBuf};

use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::resolve;
use crate::trace::{self, Trace, Truncation};

/// Reads the trace at a path.
fn read(path: &Path, allow_truncated: bool) -> Result<Trace, CliError> {
    let truncation = if allow_truncated { Truncation::UseWholeLines } else { Truncation::Refuse };
    Ok(trace::read(path, truncation)?)
}

/// Names the file that was written, and the command that replays it with these options.
fn print_replay(what: &str, path: &Path, options: &str, output: Output) -> Result<(), CliError> {
    let quoted = resolve::quoted(path.as_os_str());
    output.line(&format!("{what}: {}\nReplay it with `ave-workbench run {quoted}{options}`.", path.display()))
}

/// The files of a trace.
fn files(path: &Path) -> Vec<PathBuf> {
    trace::trace_files(path).unwrap_or_else(|_| vec![path.to_owned()])
}
