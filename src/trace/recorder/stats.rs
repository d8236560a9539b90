//! How a recording gets on, as plain data.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What a recorder did so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecorderStats {
    /// Operations that stand in the parts.
    pub recorded: u64,
    /// Operations that were lost: because the queue was full, or because the disk took nothing more.
    pub dropped: u64,
    /// Calls that failed. They are counted and not recorded. That something is not there is an answer, not a failure.
    pub failed: u64,
    /// Calls the trace format has no operation for: `iter`, `get_by_range`, `State::del`, keys that are not 20 digits,
    /// column families that do not end in `_events`, `_states` or `_metadata`.
    pub foreign: u64,
    /// Bytes handed to the files, compressed ones where they are.
    pub bytes: u64,
    /// Parts begun.
    pub parts: u64,
    /// Whether a part is being written now: not after [`finish`](crate::trace::recorder::Recorder::finish), and not while the disk
    /// takes nothing.
    pub writing: bool,
    /// What failed last, even if it is over.
    pub last_error: Option<String>,
}

/// The same while it changes.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) recorded: AtomicU64,
    /// Lost before they came to the writer.
    pub(super) refused: AtomicU64,
    /// Lost by the writer.
    pub(super) lost: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) foreign: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) parts: AtomicU64,
    pub(super) writing: AtomicBool,
    last_error: Mutex<Option<String>>,
}

impl Counters {
    pub(super) fn set_last_error(&self, error: String) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    pub(super) fn read(&self) -> RecorderStats {
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RecorderStats {
            recorded: value(&self.recorded),
            dropped: value(&self.refused) + value(&self.lost),
            failed: value(&self.failed),
            foreign: value(&self.foreign),
            bytes: value(&self.bytes),
            parts: value(&self.parts),
            writing: self.writing.load(Ordering::Relaxed),
            last_error: self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// Adds to a counter that others only read.
pub(super) fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}
