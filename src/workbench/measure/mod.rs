//! Measuring: histograms of latencies, intervals for their percentiles, and what the process consumes meanwhile.
//!
//! Knows nothing of actors, databases or reports: it is given nanoseconds and tells distributions.

mod histogram;
mod interval;
mod resources;
mod slice;
mod trend;

pub use histogram::{LatencyHistogram, PERCENTILES, Percentile};
pub use interval::{Interval, percentile_intervals};
pub use resources::{ResourceSampler, ResourceUsage, Snapshot};
pub use slice::Slice;
pub use trend::{Trend, median};
