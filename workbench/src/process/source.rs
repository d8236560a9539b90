//! What to replay: as the user named it, and resolved for a child process.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::ProcessError;
use crate::load::{RunError, Source};
use crate::trace::{self, Truncation};
use crate::workload::{Workload, WorkloadError, any_path, is_stream, path_text, shipped};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SourceSpec {
    /// Name of a shipped workload, or path of a workload file or a trace.
    #[serde(with = "any_path")]
    pub(crate) origin: PathBuf,
    /// Default: the workload's own; 1 for a trace.
    pub(crate) seed: Option<u64>,
    /// Use the whole lines of a truncated trace.
    pub(crate) allow_truncated: bool,
}

impl SourceSpec {
    /// Reads the workload or trace: a shipped workload if it has that name, else what the content of the file is. `passes` is how often a trace is
    /// repeated; `None` repeats it without end.
    ///
    /// A long trace is cached in an unnamed file in `data_directory`, or in the system's temporary directory if that does not
    /// exist.
    pub(crate) fn read(&self, data_directory: &Path, passes: Option<u64>) -> Result<Source, ProcessError> {
        let path = self.origin.as_path();
        let is_shipped = shipped().iter().any(|workload| path.as_os_str() == workload.name);
        if !is_shipped && !is_read_twice(path) {
            return Err(ProcessError::NotAFile(path.to_owned()));
        }
        if !is_shipped && path.exists() && trace::looks_like_trace(path) {
            let truncation = if self.allow_truncated { Truncation::UseWholeLines } else { Truncation::Refuse };
            let cache = if data_directory.is_dir() { data_directory.to_owned() } else { std::env::temp_dir() };
            let trace = Arc::new(trace::read_in(path, truncation, &cache)?);
            return Ok(Source::Trace { trace, seed: self.seed.unwrap_or(1), passes });
        }
        if self.allow_truncated && (is_shipped || path.exists()) {
            return Err(RunError::Settings("--allow-truncated needs a trace".to_owned()).into());
        }
        let mut workload = Workload::find(path).map_err(|error| if_no_workload(error, path))?;
        workload.seed = self.seed.unwrap_or(workload.seed);
        Ok(Source::Workload(Arc::new(workload)))
    }
}

/// Whether a path can be read more than once, as a measurement does in several processes: no pipe, and no descriptor of this
/// process.
fn is_read_twice(path: &Path) -> bool {
    let is_descriptor = path.starts_with("/dev/stdin") || path.starts_with("/dev/fd");
    let is_standard_input = path.as_os_str() == "-" && !path.exists();
    !is_descriptor && !is_standard_input && !is_stream(path)
}

/// A file that is no TOML at all is probably an event log, unless its name says that it is a workload.
fn if_no_workload(error: WorkloadError, path: &Path) -> ProcessError {
    let is_named_workload = path.extension().is_none_or(|extension| extension == "toml");
    let is_other = match &error {
        WorkloadError::Line { .. } => true,
        WorkloadError::Read { .. } | WorkloadError::Unknown { .. } => false,
    };
    if is_other && !is_named_workload { ProcessError::NoSource(path.to_owned()) } else { error.into() }
}

/// A source for a child process, which must replay the same commands even if files change meanwhile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SourceSnapshot {
    /// As TOML, whose numbers read back bit by bit: the stream of commands depends on every one of them.
    Workload(String),
    /// By path: a trace may be far larger than memory.
    Trace { spec: SourceSpec, commands: u64 },
}

impl SourceSnapshot {
    /// A snapshot of `source`, which was read from `spec`.
    pub(crate) fn new(spec: SourceSpec, source: &Source) -> Result<Self, ProcessError> {
        Ok(match source {
            Source::Workload(workload) => Self::of_workload(workload)?,
            Source::Trace { trace, seed, .. } => {
                Self::Trace { spec: SourceSpec { seed: Some(*seed), ..spec }, commands: trace.command_count() }
            }
        })
    }

    pub(crate) fn of_workload(workload: &Workload) -> Result<Self, ProcessError> {
        let text = toml::to_string(workload);
        Ok(Self::Workload(text.map_err(|source| ProcessError::Snapshot(workload.name.clone(), source))?))
    }

    /// The same with other values, and, of a workload, other commands.
    pub(crate) fn with_seed(&self, seed: u64) -> Result<Self, ProcessError> {
        match self {
            Self::Workload(text) => Self::of_workload(&Workload { seed, ..Workload::parse(text)? }),
            Self::Trace { spec, commands } => {
                Ok(Self::Trace { spec: SourceSpec { seed: Some(seed), ..spec.clone() }, commands: *commands })
            }
        }
    }

    /// The same after so many more events, see [`Source::grown`].
    pub(crate) fn grown(&self, events: u64) -> Result<Self, ProcessError> {
        match self {
            Self::Workload(text) => Self::of_workload(&Workload::parse(text)?.grown(events)),
            Self::Trace { .. } => Ok(self.clone()),
        }
    }

    /// Reads it without an end. A long trace is cached in an unnamed file in `directory`.
    pub(crate) fn read(&self, directory: &Path) -> Result<Source, ProcessError> {
        match self {
            Self::Workload(text) => Ok(Source::Workload(Arc::new(Workload::parse(text)?))),
            Self::Trace { spec, commands } => match spec.read(directory, None)? {
                Source::Trace { trace, .. } if trace.command_count() != *commands => {
                    Err(ProcessError::SourceChanged(path_text(&spec.origin)))
                }
                source => Ok(source),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_process_reads_the_same_workload_to_the_last_bit() {
        for named in shipped() {
            let mut workload = Workload::parse(named.text).unwrap();
            workload.seed = u64::from(u32::MAX) * 7;
            workload.populations[0].compressibility = 0.1 + 0.2;
            let spec = SourceSpec { origin: named.name.into(), seed: None, allow_truncated: false };
            let snapshot = SourceSnapshot::new(spec, &Source::Workload(Arc::new(workload.clone()))).unwrap();
            let read: SourceSnapshot = serde_json::from_str(&serde_json::to_string(&snapshot).unwrap()).unwrap();
            let Source::Workload(read) = read.read(Path::new(".")).unwrap() else { panic!("not a workload") };
            assert_eq!(*read, workload);
        }
    }
}
