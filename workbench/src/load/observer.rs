//! Whom the runner tells how far it is.

use serde::{Deserialize, Serialize};

use super::drive::Control;
use crate::actor::Durability;

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Writing what is there before anything is measured.
    Preload,
    /// Opening what the actors of a workload store, since they are there from the start.
    Start,
    /// Issuing commands that do not count yet.
    WarmUp,
    /// Issuing commands that count.
    Measure,
    /// Waiting for the engine's background work.
    Settle,
    /// Comparing what the backend holds with what it acknowledged.
    Verify,
    /// Killing processes that write, and comparing what they left behind with what was acknowledged to them.
    Crash,
}

/// Told about progress; the default methods do nothing.
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

    /// The p99 response time of all commands in the seconds measured so far, nanoseconds: told whenever the workers have
    /// handed over another second, once enough samples stand behind it.
    fn latency(&self, p99_ns: u64) {
        let _ = p99_ns;
    }

    /// A round begins, one of `of`, counted from 1: the loads until the next one are of this round.
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

    /// Something a person may want to know between phases.
    fn note(&self, text: &str) {
        let _ = text;
    }
}

/// Who watches a job and what can cancel it.
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
