//! The subcommands of `trace`.

pub(crate) mod export;
pub(crate) mod fit;
pub(crate) mod generate;
pub(crate) mod import;
pub(crate) mod info;

use std::path::{Path, PathBuf};

use crate::cli::error::CliError;
use crate::trace::{self, Trace, Truncation};

const STANDARD_INPUT: &str = "-";

/// Reads the trace at a path; `-` is standard input.
fn read(path: &Path, allow_truncated: bool) -> Result<Trace, CliError> {
    let truncation = if allow_truncated { Truncation::UseWholeLines } else { Truncation::Refuse };
    Ok(trace::read(&opened(path), truncation)?)
}

/// The files of a trace; that of standard input for `-`.
fn files(path: &Path) -> Vec<PathBuf> {
    let path = opened(path);
    trace::trace_files(&path).unwrap_or_else(|_| vec![path])
}

fn opened(path: &Path) -> PathBuf {
    if path.as_os_str() == STANDARD_INPUT { PathBuf::from("/dev/stdin") } else { path.to_owned() }
}
