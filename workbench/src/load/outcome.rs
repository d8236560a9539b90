//! The rounds of one durability mode, and the cost of the harness itself.

use std::time::Duration;

use super::session::SessionSize;
use super::{
    Control, Crashed, Drive, DriveSpec, Load, NullTarget, RunError, Session, Source, SystemClock, Verified, WarmUp,
};
use crate::actor::Durability;
use crate::load::observer::JobContext;

/// Workers a run may have: more threads than a machine has use for, and few enough for every system to start.
pub const MOST_WORKERS: u64 = 1024;

/// One round of one mode.
pub type Round = Drive;

/// What one durability mode did over all rounds.
#[derive(Debug, Clone)]
pub struct ModeOutcome {
    /// The mode.
    pub durability: Durability,
    /// Its rounds, in order.
    pub rounds: Vec<Round>,
    /// What was compared; `None` if it was not.
    pub verified: Option<Verified>,
    /// What was found after kills; `None` unless somebody checked that too, see [`crash_check`](crate::load::crash_check).
    pub crashed: Option<Crashed>,
    /// What it stored, over all rounds.
    pub size: SessionSize,
}

impl ModeOutcome {
    /// Its rounds and the mode they are of.
    pub fn named_rounds(&self) -> (Durability, &[Round]) {
        (self.durability, &self.rounds)
    }

    pub(crate) fn add(&mut self, verified: Option<Verified>, size: SessionSize) {
        self.verified = self.verified.take().zip(verified).map(|(mut sum, more)| {
            sum.merge(more);
            sum
        });
        self.size = SessionSize {
            database_bytes: size.database_bytes,
            written_bytes: if self.size.payload_bytes == 0 {
                size.written_bytes
            } else {
                self.size.written_bytes.zip(size.written_bytes).map(|(sum, more)| sum + more)
            },
            payload_bytes: self.size.payload_bytes + size.payload_bytes,
        };
    }
}

/// Time the harness is measured for.
const HARNESS_TIME: Duration = Duration::from_millis(300);

/// What the runner itself costs per storage operation of this source: one worker against a backend that does nothing.
///
/// # Errors
///
/// None in practice: the backend refuses nothing.
pub fn harness_ns_per_operation(source: &Source) -> Result<f64, RunError> {
    let source = match source {
        Source::Workload(workload) => {
            let mut workload = (**workload).clone();
            workload.preload.events_per_actor = workload.preload.events_per_actor.min(1);
            Source::Workload(workload.into())
        }
        Source::Trace { trace, seed, .. } => Source::Trace { trace: trace.clone(), seed: *seed, passes: None },
    };
    let control = Control::default();
    let directory = std::env::temp_dir();
    let mut session =
        Session::start(&NullTarget, &source, &directory, Durability::Off, 1, JobContext::silent(&control))?;
    let spec = DriveSpec {
        load: Load::Closed,
        warmup: WarmUp::Fixed(HARNESS_TIME / 3),
        measure: Some(HARNESS_TIME),
        lag_limit: None,
    };
    let measurement = session.drive(&spec, &SystemClock::new(), JobContext::silent(&control))?.measurement;
    Ok(measurement.elapsed_ns as f64 / measurement.operation_count().max(1) as f64)
}
