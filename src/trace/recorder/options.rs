//! Options of a recording.

use std::path::PathBuf;
use std::time::Duration;

use super::error::RecorderError;
use crate::trace::names::NameRule;

/// Compression of the parts of a recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compression {
    /// None: about 95 bytes per operation with hashed names, least CPU time of the writer. The default.
    #[default]
    Plain,
    /// zstd level 1: about 10 bytes per operation, some 70 ns more CPU time of the writer per operation.
    Zstd,
}

/// Options of a recording. All but the directory have a default.
///
/// ```
/// use ave_actors_rocksdb::{Compression, RecorderOptions};
///
/// let options = RecorderOptions::new("/var/lib/bank/recording")
///     .name("bank")
///     .part_bytes(64 << 20)
///     .keep_parts(10)
///     .compression(Compression::Zstd);
/// assert_eq!(options.directory(), std::path::Path::new("/var/lib/bank/recording"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct RecorderOptions {
    pub(super) directory: PathBuf,
    pub(super) name: String,
    pub(super) source: String,
    pub(super) part_bytes: u64,
    pub(super) keep_parts: Option<u32>,
    pub(super) names: NameRule,
    pub(super) queue_length: usize,
    pub(super) compression: Compression,
    pub(super) flush_interval: Duration,
    pub(super) pause: Duration,
}

impl RecorderOptions {
    /// A recording in this directory, which is created if missing.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            name: "recording".to_owned(),
            source: program_name(),
            part_bytes: 256 << 20,
            keep_parts: None,
            names: NameRule::default(),
            queue_length: 1 << 16,
            compression: Compression::default(),
            flush_interval: Duration::from_millis(200),
            pause: Duration::from_millis(5),
        }
    }

    /// Prefix of the file names, and name of the trace. Default `recording`.
    ///
    /// It must be a file name without a leading dot; otherwise `Recorder::start` fails.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Description of the recorded system, for the provenance of the trace. Default: name of the program.
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = source.into();
        self
    }

    /// Bytes on disk after which the next part begins. Default 256 MiB.
    ///
    /// Parts are a little larger: they end between two commands, and are written in blocks of 64 KiB.
    pub const fn part_bytes(mut self, bytes: u64) -> Self {
        self.part_bytes = bytes;
        self
    }

    /// Parts of this name to keep in the directory, those of earlier recordings included: the oldest are deleted when a new
    /// one begins. Default: all. 0 counts as 1.
    pub const fn keep_parts(mut self, parts: u32) -> Self {
        self.keep_parts = Some(parts);
        self
    }

    /// Treatment of actors' names. Default [`NameRule::Hash`].
    pub const fn names(mut self, rule: NameRule) -> Self {
        self.names = rule;
        self
    }

    /// Capacity of the queue to the writer, operations of 48 bytes. Default 65,536, which is 3 MiB. Beyond it, operations are
    /// dropped and counted. 0 counts as 1.
    pub const fn queue_length(mut self, operations: usize) -> Self {
        self.queue_length = operations;
        self
    }

    /// Compression of the parts. Default [`Compression::Plain`].
    pub const fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Interval of writes to the file. Default 200 ms. An operation survives the death of the process after at most about two
    /// intervals.
    pub const fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = interval;
        self
    }

    /// Pause between two calls of an actor beyond which they belong to different commands, if both readings are possible.
    /// Default 5 ms. Raise it on hosts where actors lose the CPU for longer within a command.
    pub const fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Directory of the parts.
    pub fn directory(&self) -> &std::path::Path {
        &self.directory
    }

    pub(super) fn check(&self) -> Result<(), RecorderError> {
        let is_file_name =
            !self.name.is_empty() && !self.name.contains(['/', '\\', '\0']) && !self.name.starts_with('.');
        if is_file_name { Ok(()) } else { Err(RecorderError::Name { name: self.name.clone() }) }
    }
}

fn program_name() -> String {
    let program = std::env::args_os().next().map(PathBuf::from);
    let name = program.as_deref().and_then(std::path::Path::file_name);
    name.map_or_else(|| "an application".to_owned(), |name| name.to_string_lossy().into_owned())
}
