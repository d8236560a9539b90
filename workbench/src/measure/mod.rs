//! Measuring: histograms of latencies, intervals for their percentiles, and what the process consumes meanwhile.
//!
//! Knows nothing of actors, databases or reports.

mod ascending;
mod change_points;
mod difference;
mod disturbance;
mod histogram;
mod interval;
mod mean;
mod percentile;
mod resources;
mod reuse;
mod sequential;
mod slice;
mod step;
mod trend;

pub(crate) use ascending::ascending;
pub(crate) use change_points::{MOST_CHANGE_POINTS, SHORTEST_SEGMENT, change_points, fewest_values};
pub(crate) use difference::Difference;
pub use disturbance::Disturbance;
pub(crate) use disturbance::{FOREIGN_SHARE, STEAL_PERCENT, SWAPPED_BYTES};
pub(crate) use histogram::CompactHistogram;
pub use histogram::LatencyHistogram;
pub(crate) use interval::percentile_intervals;
pub(crate) use mean::{Mean, median};
pub use percentile::{PERCENTILES, Percentile};
pub use resources::{MachineTime, ResourceUsage, Snapshot};
pub(crate) use resources::{ResourceSampler, anonymous_bytes};
pub(crate) use reuse::{MissCurve, ReuseSampler};
pub use sequential::Trials;
pub(crate) use sequential::{Decision, decide, fewest_trials};
pub use slice::Slice;
pub(crate) use step::{Step, steps};
pub(crate) use trend::{DRIFT, Trend};
