//! Progress of a job.

use serde::{Deserialize, Serialize};

use super::control::Control;
use crate::actor::Durability;

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Writing the preload.
    Preload,
    /// Opening the handles of the actors of a workload.
    Start,
    /// Issuing commands that are not measured yet.
    WarmUp,
    /// Issuing commands that are measured.
    Measure,
    /// Waiting for flushes and compactions.
    Settle,
    /// Comparing what is stored with what was acknowledged.
    Verify,
    /// Killing processes that write, and verifying their database.
    Crash,
}

/// Receives progress; the default methods do nothing.
pub trait Observer: Sync {
    /// A phase begins. `total` is its length in the unit [`progress`](Self::progress) counts: commands for the
    /// preload, milliseconds for warm-up and measurement, actors for verification, kills for the crash check; `None` if it is not known.
    fn phase(&self, durability: Durability, phase: Phase, total: Option<u64>) {
        let _ = (durability, phase, total);
    }

    /// How much of the phase is done, and how many commands were completed since the load began.
    fn progress(&self, done: u64, commands: u64) {
        let _ = (done, commands);
    }

    /// The p99 response time of all commands measured so far, nanoseconds: each second, once there are enough samples.
    fn latency(&self, p99_ns: u64) {
        let _ = p99_ns;
    }

    /// A round begins, counted from 1 to `of`.
    fn round(&self, round: u32, of: u32) {
        let _ = (round, of);
    }

    /// A longer job consists of `count` stages, which take about `each` on average.
    fn expect_stages(&self, count: u32, each: std::time::Duration) {
        let _ = (count, each);
    }

    /// A stage of a longer job begins; the one before has ended.
    fn stage(&self, name: &str) {
        let _ = name;
    }

    /// A message for the user.
    fn note(&self, text: &str) {
        let _ = text;
    }
}

/// Progress observer and cancellation flag of a job.
#[derive(Clone, Copy)]
pub struct JobContext<'a> {
    /// Progress observer.
    pub observer: &'a dyn Observer,
    /// Cancellation flag.
    pub control: &'a Control,
}

impl<'a> JobContext<'a> {
    /// Without a progress observer.
    pub const fn silent(control: &'a Control) -> Self {
        Self { observer: &Silent, control }
    }
}

/// An observer that does nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Observer for Silent {}
