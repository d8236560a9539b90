//! Slices of time of a round, and a round as one row.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One second (or slice) of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeriesPoint {
    /// Round it belongs to, from 1.
    pub round: u32,
    /// End of the slice, seconds since the round's measurement began.
    pub at_seconds: f64,
    /// Commands due in it per second: the rate that was offered. All of them were completed, many perhaps later.
    pub commands_per_second: f64,
    /// Commands completed in it per second, where it was sampled.
    #[serde(default)]
    pub completed_per_second: Option<f64>,
    /// Median response time of all commands in it.
    pub p50_ns: u64,
    /// 99th percentile of the response time of all commands in it.
    pub p99_ns: u64,
    /// Longest response time in it.
    pub max_ns: u64,
    /// Cores the process kept busy, where it was sampled.
    pub cpu_cores: Option<f64>,
    /// Resident set size at its end, less the memory of the harness, where it was sampled.
    pub rss_bytes: Option<u64>,
    /// Bytes the process caused to be written to storage, where the system reports it.
    pub written_bytes: Option<u64>,
    /// Time the engine delayed or stopped writers, in milliseconds, where it counts it.
    pub stall_ms: Option<f64>,
    /// Syncs of the write-ahead log, where the engine counts them.
    pub wal_syncs_count: Option<u64>,
    /// Bytes waiting to be compacted at its end, where the engine reports it.
    pub pending_compaction_bytes: Option<u64>,
}

impl SeriesPoint {
    /// Commands completed per second, or due where that was not sampled.
    pub(crate) fn done_per_second(&self) -> f64 {
        self.completed_per_second.unwrap_or(self.commands_per_second)
    }

    pub(crate) fn is_stalled(&self) -> bool {
        self.stall_ms.is_some_and(|milliseconds| milliseconds > 0.0)
    }
}

/// Several slices as one, with the worst of them kept visible.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct SlicesSummary {
    pub(crate) mean_per_second: f64,
    /// Mean rate that was offered.
    pub(crate) offered_per_second: f64,
    pub(crate) lowest_per_second: f64,
    pub(crate) median_p50_ns: u64,
    pub(crate) worst_p99_ns: u64,
    pub(crate) max_ns: u64,
}

impl SlicesSummary {
    /// Of slices in a row; all figures are 0 for none.
    pub(crate) fn of(slices: &[SeriesPoint]) -> Self {
        let rates = slices.iter().map(SeriesPoint::done_per_second);
        let mut medians: Vec<u64> = slices.iter().map(|slice| slice.p50_ns).collect();
        medians.sort_unstable();
        // The last slice of a round may be shorter than the others.
        let starts = std::iter::once(0.0).chain(slices.iter().map(|slice| slice.at_seconds));
        let lengths: Vec<f64> = slices.iter().zip(starts).map(|(slice, start)| slice.at_seconds - start).collect();
        let seconds = lengths.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let mean = |rate: fn(&SeriesPoint) -> f64| {
            slices.iter().zip(&lengths).map(|(slice, length)| rate(slice) * length).sum::<f64>() / seconds
        };
        Self {
            mean_per_second: mean(SeriesPoint::done_per_second),
            offered_per_second: mean(|slice| slice.commands_per_second),
            lowest_per_second: rates.reduce(f64::min).unwrap_or_default(),
            // The lower of the two in the middle of an even number.
            median_p50_ns: medians.get(medians.len().saturating_sub(1) / 2).copied().unwrap_or_default(),
            worst_p99_ns: slices.iter().map(|slice| slice.p99_ns).max().unwrap_or_default(),
            max_ns: slices.iter().map(|slice| slice.max_ns).max().unwrap_or_default(),
        }
    }
}
