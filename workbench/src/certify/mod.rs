//! One rate for a long time, judged by its worst slice.
//!
//! The average of an hour hides the minute in which everybody waited. So the time is cut into slices, each of which must
//! meet the objective by itself (Aerospike's certification tool for disks, ACT, judges so). It is driven in segments, one
//! at once after the other; after each, what was measured is written down, so that a certification that ends before its
//! time is gone on with and not begun again.

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
mod room;
mod slices;
mod spec;

pub use certificate::{
    CERTIFICATE_SCHEMA_VERSION, Certificate, CertificateError, CertifiedModeInfo, Forgery, InterruptionInfo, SliceInfo,
};
pub use certification::{Certification, CertifyObserver, Standing};
pub use digest::sha256_of_json;
pub use drift::Drift;
pub use error::CertifyError;
pub use inputs::CertifyInputs;
pub use journal::{
    DatabaseState, EarlyEnd, Finished, Interruption, InterruptionKind, Journal, JournalHead, JournalState, ModeState,
    Unfinished, unfinished,
};
pub use judge::{Finding, Judgement, judge};
pub use outcome::{CertifiedMode, CertifyOutcome};
pub use report::{certificate, certify_report};
pub use room::FullDisk;
pub use slices::{JudgedSlice, Segment};
pub use spec::{CertifySpec, LONGEST_SEGMENT};
