//! Child processes of this program, the limits around them, and the directories they lock. Knows nothing of the command
//! line or of reports.

pub(crate) mod child;
#[cfg(feature = "rocksdb")]
pub(crate) mod confined;
mod error;
mod journal;
mod origin;
#[cfg(all(feature = "rocksdb", target_os = "linux"))]
mod power_cut;
#[cfg(feature = "rocksdb")]
pub(crate) mod rig;
#[cfg(feature = "rocksdb")]
mod scratch;
mod source;
mod testbed;
#[cfg(feature = "rocksdb")]
pub(crate) mod victim;

pub use error::ProcessError;
pub use journal::JournalError;
pub(crate) use journal::{JournalFile, inputs_of_unused};
#[cfg(all(feature = "rocksdb", target_os = "linux"))]
pub use power_cut::{PowerCutError, PowerCuts};
#[cfg(feature = "rocksdb")]
pub(crate) use scratch::Scratch;
pub(crate) use source::{SourceSnapshot, SourceSpec};
pub use testbed::{
    DriveResult, Emulation, InProcess, KilledRestart, Rig, RigOutcome, RigResult, RigSpec, RigStep, RigSummary, Survey,
    SurveySpec, SuspendedRig, Testbed,
};
#[cfg(feature = "rocksdb")]
pub use victim::WritingProcess;
