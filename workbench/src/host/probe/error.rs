//! Errors of probes.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
#[error("cannot probe the disk under {}: {source}", path.display())]
pub(crate) struct ProbeError {
    pub(crate) path: PathBuf,
    pub(crate) source: io::Error,
}

impl ProbeError {
    pub(super) fn under(directory: &Path) -> impl Fn(io::Error) -> Self + '_ {
        |source| Self { path: directory.to_owned(), source }
    }
}
