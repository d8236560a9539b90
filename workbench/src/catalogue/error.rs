//! Errors of catalogues.

use std::path::PathBuf;

use crate::workload::{escape_lines, path_text};

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
    /// It is no TOML.
    #[error("{}: {}", path_text(path), escape_lines(&source.to_string()))]
    Toml {
        /// The file.
        path: PathBuf,
        /// Where, and what was expected.
        source: Box<toml::de::Error>,
    },
    /// It is no CSV.
    #[error("{}: {source}", path_text(path))]
    Csv {
        /// The file.
        path: PathBuf,
        /// Where, and why.
        source: csv::Error,
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
    #[error("{}: it has no machine, expected at least one with `name`, `vcpus` and `memory`", path_text(path))]
    Empty {
        /// The file.
        path: PathBuf,
    },
}
