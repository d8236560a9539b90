//! Measuring: histograms of latencies, intervals for their percentiles, and what the process consumes meanwhile.
//!
//! Knows nothing of actors, databases or reports: it is given nanoseconds and tells distributions.

mod difference;
mod disturbance;
mod histogram;
mod interval;
mod resources;
mod slice;
mod trend;

pub use difference::Difference;
pub use disturbance::{Disturbance, FOREIGN_SHARE, STEAL_PERCENT, SWAPPED_BYTES};
pub use histogram::{LatencyHistogram, PERCENTILES, Percentile};
pub use interval::{Interval, percentile_intervals};
pub use resources::{MachineTime, ResourceSampler, ResourceUsage, Snapshot};
pub use slice::Slice;
pub use trend::{DRIFT, Trend, median};
