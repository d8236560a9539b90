//! What will be: the size of the database, the day a disk is full, wear, memory and the time of a restart, from what was
//! measured on a smaller scale. Pure: nothing is opened, run or measured here.

mod growth;
mod tree;

pub use growth::{GrowthCurve, MOST_WALKED, PredictedSize};
pub use tree::TreeRules;
