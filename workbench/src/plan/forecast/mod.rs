//! The size of the database, the day a disk is full, wear, memory and the time of a restart, from measurements on a smaller
//! scale. Nothing is opened, run or measured here.

mod again;
mod density;
mod deployment;
mod disk;
mod growth;
mod memory;
mod restart;
mod tree;
mod wear;

pub(super) use again::{forecast_again, on_disk};
pub(crate) use deployment::forecast;
pub(super) use disk::DAYS_PER_YEAR;
pub(crate) use disk::Deployment;
#[cfg(test)]
pub(super) use disk::forecast_of;
pub use growth::GrowthCurve;
