//! The subcommands of `trace`.

pub(crate) mod export;
pub(crate) mod fit;
pub(crate) mod generate;
pub(crate) mod import;
pub(crate) mod info;

use std::path::{Path, PathBuf};

use crate::cli::error::CliError;
use crate::trace::{self, Trace, Truncation};

/// Reads the trace at a path.
fn read(path: &Path, allow_truncated: bool) -> Result<Trace, CliError> {
    let truncation = if allow_truncated { Truncation::UseWholeLines } else { Truncation::Refuse };
    Ok(trace::read(path, truncation)?)
}

/// The files of a trace.
fn files(path: &Path) -> Vec<PathBuf> {
    trace::trace_files(path).unwrap_or_else(|_| vec![path.to_owned()])
}
