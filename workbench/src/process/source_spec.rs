//! How a process that this program starts is told what to replay. Names are resolved: it must do the same whatever happens
//! to files meanwhile.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cli::args::SourceArgs;
use crate::cli::error::CliError;
use crate::load::Source;
use crate::workload::Workload;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToldSource {
    /// As TOML, whose numbers read back bit by bit: the stream of commands depends on every one of them.
    Workload(String),
    /// Where it lies: it may be far larger than memory.
    Trace {
        path: String,
        seed: u64,
        allow_truncated: bool,
        /// What it held when the other process read it.
        commands: u64,
    },
}

impl ToldSource {
    /// What `args` named and `source` turned out to be.
    pub(crate) fn new(args: &SourceArgs, source: &Source) -> Result<Self, CliError> {
        Ok(match source {
            Source::Workload(workload) => Self::Workload(
                toml::to_string(&**workload)
                    .map_err(|error| CliError::Usage(format!("workload {}: {error}", workload.name)))?,
            ),
            Source::Trace { trace, seed, .. } => Self::Trace {
                path: args.source.clone(),
                seed: *seed,
                allow_truncated: args.allow_truncated,
                commands: trace.command_count(),
            },
        })
    }

    /// Reads it. A long trace is kept in a nameless file in `directory`.
    pub(crate) fn read(&self, directory: &Path) -> Result<Source, CliError> {
        match self {
            Self::Workload(text) => Ok(Source::Workload(Arc::new(Workload::parse(text)?))),
            Self::Trace { path, seed, allow_truncated, commands } => {
                let named = SourceArgs { source: path.clone(), seed: Some(*seed), allow_truncated: *allow_truncated };
                match crate::cli::resolve::source(&named, directory, None)? {
                    Source::Trace { trace, .. } if trace.command_count() != *commands => {
                        Err(CliError::Usage(format!("{path} changed during the run")))
                    }
                    source => Ok(source),
                }
            }
        }
    }
}
