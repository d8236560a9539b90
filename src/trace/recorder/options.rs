//! What a recording is to look like.

use std::path::PathBuf;
use std::time::Duration;

use crate::trace::names::NameRule;
use crate::trace::recorder::error::RecorderError;

/// How the parts of a recording are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compression {
    /// As text, about 95 bytes an operation with hashed names: the writer has the least to do. The default.
    #[default]
    Plain,
    /// As zstd at level 1, about a tenth of the text, for some 70 ns more of the writer's time per operation.
    Zstd,
}

/// Where and how to record. Everything but the directory has a default.
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
    /// A recording in this directory, which is created if it is not there.
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

    /// First part of the files' names, and the name of the trace: `recording` by default.
    ///
    /// It must be a file name; [`Recorder::start`](crate::trace::recorder::Recorder::start) refuses anything else.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// What is recorded, for those who read the trace later: the name of the program by default.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = source.into();
        self
    }

    /// Bytes on disk after which a part is completed and the next one begins: 256 MiB by default.
    ///
    /// Parts are a little larger: they end between two commands, and are written in pieces of 64 KiB.
    #[must_use]
    pub const fn part_bytes(mut self, bytes: u64) -> Self {
        self.part_bytes = bytes;
        self
    }

    /// Keeps so many parts of this name in the directory, those of earlier recordings included, and deletes the
    /// oldest ones when a new one begins. Without this, which is the default, all are kept. 0 is taken for 1.
    #[must_use]
    pub const fn keep_parts(mut self, parts: u32) -> Self {
        self.keep_parts = Some(parts);
        self
    }

    /// Whether actors keep their names: they are hashed by default.
    #[must_use]
    pub const fn names(mut self, rule: NameRule) -> Self {
        self.names = rule;
        self
    }

    /// How many operations may wait for the writer: 65,536 of 48 bytes by default, which is 3 MiB. When all places are
    /// taken, operations are dropped and counted. 0 is taken for 1.
    #[must_use]
    pub const fn queue_length(mut self, operations: usize) -> Self {
        self.queue_length = operations;
        self
    }

    /// How the parts are stored: as text by default.
    #[must_use]
    pub const fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// How long an operation may wait in memory before it is handed to the file, give or take twice that: 200 ms by
    /// default. What was handed over survives the death of the process.
    #[must_use]
    pub const fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = interval;
        self
    }

    /// Calls of one actor that lie further apart than this belong to different commands, where either could be: 5 ms
    /// by default. Raise it on hosts so busy that an actor loses the processor for longer in the midst of a command.
    #[must_use]
    pub const fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Where the parts are written.
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
