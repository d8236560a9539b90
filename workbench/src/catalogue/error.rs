//! Errors of catalogues.

use std::path::{Path, PathBuf};

use crate::workload::{Problem, path_text};

/// A catalogue that cannot be used. Each message has the file, and the line and the field where there is one.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// It cannot be read.
    #[error("cannot read the catalogue {}: {source}", path_text(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is neither a file nor a shipped catalogue of this name.
    #[error("no catalogue `{}` and no such file; shipped catalogues: {known}", path_text(path))]
    Unknown {
        /// As given.
        path: PathBuf,
        /// Names of the shipped ones.
        known: String,
    },
    /// Its extension names no format.
    #[error("{}: expected a catalogue that ends in `.toml` or `.csv`", path_text(path))]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// A line or a field is wrong.
    #[error("{}:{line}: {problem}", path_text(path))]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// It has no machine.
    #[error("{}: it has no machine, expected one or more with `name`, `vcpus` and `memory`", path_text(path))]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl CatalogueError {
    pub(super) fn at(path: &Path, problem: Problem) -> Self {
        Self::Line { path: path.to_owned(), line: problem.line, problem: problem.text }
    }
}
