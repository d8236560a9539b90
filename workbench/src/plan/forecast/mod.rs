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
