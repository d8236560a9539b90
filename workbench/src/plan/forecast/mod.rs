//! The size of the database, the day a disk is full, wear, memory and the time of a restart, from measurements on a smaller
//! scale. Nothing is opened, run or measured here.

mod density;
#[cfg(feature = "rocksdb")]
mod deployment;
mod disk;
mod growth;
mod memory;
mod restart;
mod tree;

#[cfg(feature = "rocksdb")]
pub(crate) use deployment::{Deployment, forecast};
pub use growth::{GrowthCurve, PredictedSize};
pub use tree::TreeRules;
