//! The rounds of one durability mode, and the cost of the harness itself.

use std::time::Duration;

use super::clock::SystemClock;
use super::control::Control;
use super::crash::Crashed;
use super::error::RunError;
use super::null::NullBackend;
use super::observer::JobContext;
use super::session::{Session, SessionSize};
use super::source::Source;
use super::spec::{DriveSpec, Load};
use super::verify::Verified;
use super::warmup::WarmUp;
use super::watch::Drive;
use crate::actor::Durability;

/// Most workers of a run: more threads than a machine can use, and few enough for every system to start.
pub(crate) const MOST_WORKERS: u64 = 1024;

/// One round of one mode.
pub type Round = Drive;

/// All rounds of one durability mode.
#[derive(Debug, Clone)]
pub struct ModeOutcome {
    /// Durability of the writes.
    pub durability: Durability,
    /// Measurements of the rounds, in order.
    pub rounds: Vec<Round>,
    /// Result of the verification; `None` if it was not performed.
    pub verified: Option<Verified>,
    /// Result of the [crash check](crate::load::crash_check); `None` if it was not performed.
    pub crashed: Option<Crashed>,
    /// What power cuts left; `None` without any.
    pub power_cut: Option<Crashed>,
    /// Bytes stored and written over all rounds.
    pub size: SessionSize,
}

impl ModeOutcome {
    pub(crate) fn named_rounds(&self) -> (Durability, &[Round]) {
        (self.durability, &self.rounds)
    }

    pub(crate) fn add(&mut self, verified: Option<Verified>, size: SessionSize) {
        self.verified = self.verified.take().zip(verified).map(|(sum, more)| Verified::sum([sum, more]));
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

const HARNESS_TIME: Duration = Duration::from_millis(300);

/// Cost of the load generator per storage operation of this source, nanoseconds: one worker on a backend that does nothing.
///
/// # Errors
///
/// None in practice: the backend accepts everything.
pub fn harness_ns_per_operation(source: &Source) -> Result<f64, RunError> {
    let source = source.with_preload(1).with_passes(None);
    let control = Control::default();
    let directory = std::env::temp_dir();
    let mut session =
        Session::start(&NullBackend, &source, &directory, Durability::Off, 1, JobContext::silent(&control))?;
    let spec = DriveSpec {
        load: Load::Closed,
        warmup: WarmUp::Fixed(HARNESS_TIME / 3),
        measure: Some(HARNESS_TIME),
        lag_limit: None,
        settle: false,
    };
    let measurement = session.drive(&spec, &SystemClock::new(), JobContext::silent(&control))?.measurement;
    Ok(measurement.elapsed_ns as f64 / measurement.operation_count().max(1) as f64)
}
