//! Certification: one rate for a long time, judged by its worst slice.
//!
//! The average of an hour hides its bad minutes. So the time is cut into slices, each of which must meet the objective
//! (Aerospike's certification tool for disks, ACT, judges the same way). It is measured in segments without pauses between
//! slices; each segment is saved, so that an interrupted certification is resumed and not repeated.
//!
//! This module never renders and does not know the command line.

mod certificate;
mod certification;
mod digest;
mod drift;
mod error;
mod inputs;
mod journal;
mod judge;
mod outcome;
mod report;
#[cfg(feature = "rocksdb")]
mod request;
mod slices;
mod space_forecast;
mod spec;
mod state;

pub use certificate::{Certificate, CertifiedModeInfo, ChecksumMismatch};
pub use certification::Certification;
pub use error::CertifyError;
pub use inputs::CertifyInputs;
pub use journal::{CertifyJournal, JournalHead};
pub use judge::{Finding, judge};
pub use outcome::{CertifiedMode, CertifyOutcome};
pub use report::certificate;
#[cfg(feature = "rocksdb")]
pub(crate) use request::{CertifyRequest, run};
pub use slices::JudgedSlice;
pub use spec::CertifySpec;
pub use state::{EarlyEnd, InterruptionKind};
