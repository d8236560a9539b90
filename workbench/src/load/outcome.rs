//! The rounds of one durability mode, and the cost of the harness itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;
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
use crate::measure::anonymous_bytes;

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

/// Time under load after which the workbench has what it needs.
const MEMORY_TIME: Duration = Duration::from_millis(50);
/// Interval at which its memory is sampled.
const MEMORY_INTERVAL: Duration = Duration::from_millis(2);

/// Memory that the workbench holds under a load of this source, beside the database and the handles of actors, bytes: the
/// process, the source, streams of commands, the counters of all actors, values and histograms.
///
/// Measured with a backend that does nothing: the peak of a short load.
///
/// # Errors
///
/// [`RunError::Threads`].
pub(crate) fn harness_memory_bytes(source: &Source, workers: u64) -> Result<u64, RunError> {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sample = || {
            let mut peak = 0;
            while !is_over.load(Ordering::Relaxed) {
                peak = anonymous_bytes().unwrap_or(0).max(peak);
                std::thread::sleep(MEMORY_INTERVAL);
            }
            peak
        };
        let sampler =
            Builder::new().spawn_scoped(scope, sample).map_err(|source| RunError::Threads(workers, source))?;
        let loaded = load_null_backend(source, workers);
        is_over.store(true, Ordering::Relaxed);
        let peak = sampler.join().unwrap_or(0);
        loaded.map(|()| peak)
    })
}

fn load_null_backend(source: &Source, workers: u64) -> Result<(), RunError> {
    let source = source.with_preload(0).with_passes(None);
    let control = Control::default();
    let job = JobContext::silent(&control);
    let mut session = Session::start(&NullBackend, &source, &std::env::temp_dir(), Durability::Off, workers, job)?;
    let measure = Some(MEMORY_TIME);
    let spec = DriveSpec { load: Load::Closed, warmup: WarmUp::NONE, measure, lag_limit: None, settle: false };
    session.drive(&spec, &SystemClock::new(), job).map(drop)
}

/// What the workbench itself takes beside the database.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HarnessCost {
    /// Time per storage operation, nanoseconds.
    pub ns_per_operation: f64,
    /// Memory, bytes. It does not count against an emulated machine.
    pub memory_bytes: u64,
}

impl JobContext<'_> {
    /// Measures what the workbench takes, and raises the limit of an emulated machine by its memory.
    pub(crate) fn measure_harness(&self, source: &Source, workers: u64) -> Result<HarnessCost, RunError> {
        let ns_per_operation = harness_ns_per_operation(source)?;
        Ok(HarnessCost { ns_per_operation, memory_bytes: self.measure_harness_memory(source, workers)? })
    }

    /// [Measures](harness_memory_bytes) what the workbench holds, bytes, so that it does not count against the emulated
    /// machine.
    pub(crate) fn measure_harness_memory(&self, source: &Source, workers: u64) -> Result<u64, RunError> {
        let bytes = harness_memory_bytes(source, workers)?;
        if let Some(memory) = self.memory {
            memory.set_harness_bytes(bytes);
        }
        Ok(bytes)
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
