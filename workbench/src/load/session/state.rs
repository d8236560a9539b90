//! What a session stores, and leaves for another one.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::load::ack_log::Position;
use crate::load::verify::Verified;

/// The state of a session whose database is closed, for another session to continue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuspendedSession {
    /// Position of each worker in its stream of commands.
    pub positions: Vec<Position>,
    /// Events that the actors that are common to all workers have persisted since the preload.
    pub common_events: Vec<u64>,
    /// Loads so far: each has its own arrival times.
    pub drives: u64,
    /// Bytes sent to storage since the preload; `None` if the system does not report it.
    pub written_bytes: Option<u64>,
    /// Bytes of the values in these writes.
    pub payload_bytes: u64,
}

/// Bytes that a session stored and wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionSize {
    /// Size of the database directory after compactions have ended.
    pub database_bytes: u64,
    /// Bytes sent to storage since the preload; `None` if the system does not report it.
    pub written_bytes: Option<u64>,
    /// Bytes of the values in these writes.
    pub payload_bytes: u64,
}

impl SessionSize {
    /// Bytes of the database per byte of value that is neither deleted nor overwritten; `None` without values.
    pub(crate) fn space_amplification(&self, verified: &Verified) -> Option<f64> {
        (verified.live_bytes > 0).then(|| self.database_bytes as f64 / verified.live_bytes as f64)
    }

    /// Bytes sent to storage per byte of value; `None` without values.
    pub(crate) fn write_amplification(&self) -> Option<f64> {
        let written = self.written_bytes.filter(|_| self.payload_bytes > 0)?;
        Some(written as f64 / self.payload_bytes as f64)
    }
}

/// Bytes of all files below a directory. A file that is removed meanwhile counts as 0, one with several names there once.
pub fn directory_bytes(directory: &Path) -> u64 {
    fn bytes_of(directory: &Path, linked: &mut HashSet<(u64, u64)>) -> u64 {
        let Ok(entries) = fs::read_dir(directory) else { return 0 };
        entries
            .flatten()
            .map(|entry| match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => bytes_of(&entry.path(), linked),
                Ok(metadata) if metadata.nlink() > 1 && !linked.insert((metadata.dev(), metadata.ino())) => 0,
                Ok(metadata) => metadata.len(),
                Err(_) => 0,
            })
            .sum()
    }
    bytes_of(directory, &mut HashSet::new())
}
