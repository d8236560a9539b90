//! The size of the database, the day a disk is full, wear, memory and the time of a restart, from measurements on a smaller
//! scale. Nothing is opened, run or measured here.

mod again;
mod density;
mod deployment;
mod disk;
mod growth;
mod memory;
mod restart;
mod stored;
mod tree;
mod wear;

pub(super) use again::{forecast_again, on_disk};
pub(crate) use deployment::forecast;
pub(crate) use disk::Deployment;
pub(super) use disk::{DAYS_PER_YEAR, later};
pub use growth::GrowthCurve;
pub(super) use stored::StoredData;
#[cfg(test)]
pub(super) use stored::forecast_of;
