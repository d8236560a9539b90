//! Child processes of this program: a machine's limits around them, what they are asked and answer, the directories they
//! lock.

pub(crate) mod child;
#[cfg(feature = "rocksdb")]
pub(crate) mod confined;
#[cfg(feature = "rocksdb")]
pub(crate) mod crash_victim;
#[cfg(feature = "rocksdb")]
pub(crate) mod rig;
#[cfg(feature = "rocksdb")]
pub(crate) mod rig_server;
#[cfg(feature = "rocksdb")]
pub(crate) mod scratch;
#[cfg(feature = "rocksdb")]
pub(crate) mod source_spec;
pub(crate) mod testbed;
#[cfg(feature = "rocksdb")]
pub(crate) mod victim;

#[cfg(feature = "rocksdb")]
pub(crate) use rig::Processes;
#[cfg(feature = "rocksdb")]
pub(crate) use scratch::Scratch;
#[cfg(feature = "rocksdb")]
pub(crate) use source_spec::ToldSource;
pub use testbed::{Attempt, Driven, Emulation, Finished, InProcess, Rig, Survey, Testbed, survey};
#[cfg(feature = "rocksdb")]
pub(crate) use victim::OwnProgram;
