//! Reads the trace of a command.

use std::path::Path;

use crate::cli::error::CliError;
use crate::trace;
use crate::trace::{Trace, Truncation};

pub(super) fn read(path: &Path, allow_truncated: bool) -> Result<Trace, CliError> {
    let truncation = if allow_truncated { Truncation::UseWholeLines } else { Truncation::Refuse };
    Ok(trace::read(path, truncation)?)
}
