//! The cancellation flag of a job, and its count of commands.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Cancels a job from outside, and counts its commands.
#[derive(Debug, Default)]
pub struct Control {
    stop: AtomicBool,
    commands: AtomicU64,
}

impl Control {
    /// Stops every worker after its current command.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether [`stop`](Self::stop) was called.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Commands completed under the current load.
    pub fn commands(&self) -> u64 {
        self.commands.load(Ordering::Relaxed)
    }

    pub(super) fn set_commands(&self, count: u64) {
        self.commands.store(count, Ordering::Relaxed);
    }
}
