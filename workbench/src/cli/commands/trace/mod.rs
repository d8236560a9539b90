//! What can be done with traces, one file per subcommand.

mod export;
mod fit;
mod generate;
mod import;
mod info;

pub(crate) use export::export;
pub(crate) use fit::fit;
pub(crate) use generate::generate;
pub(crate) use import::import;
pub(crate) use info::info;

use std::path::Path;

use crate::cli::error::CliError;
use crate::trace;
use crate::trace::{Trace, TraceError, Truncation};

/// The trace at a path.
fn read(path: &Path, allow_truncated: bool) -> Result<Trace, CliError> {
    let truncation = if allow_truncated { Truncation::UseWholeLines } else { Truncation::Refuse };
    Ok(trace::read(path, truncation)?)
}

/// The temporary file behind a long trace could not be read.
fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> CliError {
    let path = path.to_owned();
    |source| TraceError::File { action: "read", path, source }.into()
}
