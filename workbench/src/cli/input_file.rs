//! Which files a command may read: one rule for all that it reads once.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::error::CliError;
use crate::workload::{is_stream, path_text};

/// Checks, before a command begins, that no pipe is named twice: it has its content only once.
pub(crate) fn read_once<'p>(paths: impl IntoIterator<Item = &'p PathBuf>) -> Result<(), CliError> {
    let mut seen = HashSet::new();
    for path in paths.into_iter().filter(|path| is_stream(path)) {
        if fs::metadata(path).is_ok_and(|found| !seen.insert((found.dev(), found.ino()))) {
            return Err(CliError::Usage(format!("{}: a pipe that is named twice must be a file", path_text(path))));
        }
    }
    Ok(())
}
