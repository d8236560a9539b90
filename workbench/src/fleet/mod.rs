//! Comparison of machines: reports from many hosts, merged.
//!
//! Only reports of the same load are merged. Those of one kind of machine become one [`MergedMachine`]: their histograms
//! are added, and percentiles are read from the sum, never averaged. Runs of all shards of one trace become one machine, whose
//! rates are those of its hosts, added. This module measures and renders nothing.

mod capacity;
mod comparable;
mod directory;
mod error;
mod failure;
mod groups;
mod latency;
mod merge;
mod order;
mod report_with_log;
mod result;
mod sentence;
mod shards;
mod warnings;

pub use error::MergeError;
pub use failure::HostFailure;
pub use latency::MergedHistogram;
pub use merge::{Merged, merge};
pub use report_with_log::ReportWithLog;
pub use result::{
    JoinedReport, LatencyEvidence, MachineComparison, MergedCapacity, MergedLatency, MergedMachine, MergedMode,
    PercentileSpread, RecommendationCount, ShardedTrace, SyncProbe, TargetAnswer,
};
