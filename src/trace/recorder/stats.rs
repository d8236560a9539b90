//! Counters of a recording.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counters of a recording, since its start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecorderStats {
    /// Operations written to the parts.
    pub recorded: u64,
    /// Operations lost because the queue was full or a file could not be written.
    pub dropped: u64,
    /// Calls that returned an error, which are not recorded. `EntryNotFound` counts as a successful read.
    pub failed: u64,
    /// Calls without an operation in the trace format, which are not recorded: `iter`, `get_by_range`, `State::del`, keys that
    /// are not 20 digits, column families without the suffix `_events`, `_states` or `_metadata`.
    pub foreign: u64,
    /// Bytes written to the files, after compression.
    pub bytes: u64,
    /// Parts begun.
    pub parts: u64,
    /// Whether a part is open: `false` after `Recorder::finish`, and after a write error until a new part is created.
    pub writing: bool,
    /// The last write error, even if resolved.
    pub last_error: Option<String>,
}

/// The shared counters behind [`RecorderStats`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Lost because the queue was full.
    pub(super) refused: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) foreign: AtomicU64,
    /// What the writer counts.
    written: Mutex<RecorderStats>,
}

impl Counters {
    pub(super) fn written(&self) -> MutexGuard<'_, RecorderStats> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self) -> RecorderStats {
        let written = self.written().clone();
        RecorderStats {
            dropped: written.dropped + self.refused.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            foreign: self.foreign.load(Ordering::Relaxed),
            ..written
        }
    }
}

pub(super) fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}
