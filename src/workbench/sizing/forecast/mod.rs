//! What will be: the size of the database, the day a disk is full, wear, memory and the time of a restart, from what was
//! measured on a smaller scale. Pure: nothing is opened, run or measured here.

mod density;
mod disk;
mod growth;
mod memory;
mod restart;
mod tree;

pub use disk::{CompactionHeadroom, DiskFull, DiskSpec, GrowthForecast, SizeAt, WriteWear};
pub use growth::{GrowthCurve, MOST_WALKED, PredictedSize};
pub use memory::{MemoryForecast, MemoryMeasured, MemoryPart};
pub use restart::{RestartForecast, restart_forecast};
pub use tree::TreeRules;

/// A figure and the range it lies in.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Band {
    /// The figure itself.
    pub middle: f64,
    /// At least.
    pub low: f64,
    /// At most.
    pub high: f64,
}

impl Band {
    /// The same in another unit, `factor` of which make one of this; not below 0.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self { middle: self.middle * factor, low: self.low * factor, high: self.high * factor }
    }
}

/// What stands behind a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Measured on this host, at this size or a larger one.
    Measured,
    /// Follows from settings, or from measurements at another size.
    Modelled,
}
