//! What a disk can do, as measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::disk_series::{DiskSample, DiskSwing};
use crate::measure::{LatencyHistogram, Percentile, median};

/// How fast a disk was: durable writes, random and sequential access.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskProfile {
    /// Time it was measured for.
    pub seconds: f64,
    /// Cores that other processes kept busy meanwhile, where the system reports it: latencies include the wait for a core.
    pub foreign_cores: Option<f64>,
    /// Size of the file that was read.
    pub file_bytes: u64,
    /// Whether reads reached the disk.
    pub read_path: ReadPath,
    /// A write and its `fdatasync` in a file of fixed size, like a recycled log, by the bytes that share a sync; ascending.
    pub syncs: Vec<SyncLatency>,
    /// Random reads of 4 KiB by the number of threads that read at once; ascending.
    pub reads: Vec<ReadLatency>,
    /// Sequential writes in chunks of 1 MiB, `fdatasync` after every 8 MiB; one sample per second.
    pub write: RateFigures,
    /// Sequential reads in chunks of 1 MiB; one sample per second.
    pub read: RateFigures,
    /// The band that the latencies swung through, and their steps.
    pub swing: DiskSwing,
    /// Second by second.
    pub samples: Vec<DiskSample>,
}

/// How reads were kept from the page cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadPath {
    /// By `O_DIRECT`.
    Direct,
    /// The file system refuses `O_DIRECT`: the file was removed from the page cache before each series of reads.
    AfterEviction,
    /// They were not: the figures are those of memory.
    PageCache,
}

impl ReadPath {
    /// `read with O_DIRECT`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "read with O_DIRECT",
            Self::AfterEviction => "read after removal from the page cache, since O_DIRECT is refused",
            Self::PageCache => "read from the page cache: figures of memory, not of the disk",
        }
    }
}

/// Syncs of one size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncLatency {
    /// Bytes that share a sync: 4 KiB is one writer, more are groups of writers.
    pub sync_bytes: u64,
    /// Time of a write and its sync.
    pub latency: LatencyFigures,
}

/// Random reads at one depth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadLatency {
    /// Threads that read at once.
    pub depth_count: u32,
    /// Time of a read.
    pub latency: LatencyFigures,
}

/// A latency distribution in a few figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LatencyFigures {
    /// Samples behind it.
    pub samples_count: u64,
    /// Arithmetic mean.
    pub mean_ns: f64,
    /// Median; absent if the samples do not support it.
    pub p50_ns: Option<u64>,
    /// 99th percentile; absent if the samples do not support it.
    pub p99_ns: Option<u64>,
}

impl From<&LatencyHistogram> for LatencyFigures {
    fn from(latencies: &LatencyHistogram) -> Self {
        Self {
            samples_count: latencies.count(),
            mean_ns: latencies.mean(),
            p50_ns: latencies.percentile(Percentile::P50),
            p99_ns: latencies.percentile(Percentile::P99),
        }
    }
}

/// Rates of some seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateFigures {
    /// Median of the seconds.
    pub p50_bytes_per_second: f64,
    /// The slowest second.
    pub lowest_bytes_per_second: f64,
    /// The fastest second.
    pub highest_bytes_per_second: f64,
}

impl RateFigures {
    pub(super) fn of(per_second: &[f64]) -> Self {
        Self {
            p50_bytes_per_second: median(per_second.to_vec()),
            lowest_bytes_per_second: per_second.iter().copied().reduce(f64::min).unwrap_or_default(),
            highest_bytes_per_second: per_second.iter().copied().reduce(f64::max).unwrap_or_default(),
        }
    }
}

impl DiskProfile {
    /// The latency of a random read of 4 KiB while this many threads read, nanoseconds: the mean at the nearest depth that
    /// was measured and is not below, else at the largest. `None` if nothing was read.
    pub fn read_mean_ns(&self, depth: u32) -> Option<f64> {
        let known = self.reads.iter().find(|one| one.depth_count >= depth).or(self.reads.last());
        known.map(|one| one.latency.mean_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latency_between_two_depths_is_that_of_the_larger() {
        let latency = |depth_count: u32| ReadLatency {
            depth_count,
            latency: LatencyFigures { mean_ns: 1_000.0 * f64::from(depth_count), ..LatencyFigures::default() },
        };
        let profile = DiskProfile {
            seconds: 1.0,
            foreign_cores: None,
            file_bytes: 1,
            read_path: ReadPath::Direct,
            syncs: Vec::new(),
            reads: [1, 4, 32].map(latency).into(),
            write: RateFigures::default(),
            read: RateFigures::default(),
            swing: DiskSwing::default(),
            samples: Vec::new(),
        };
        for (depth, expected) in [(0, 1_000.0), (1, 1_000.0), (2, 4_000.0), (32, 32_000.0), (64, 32_000.0)] {
            assert_eq!(profile.read_mean_ns(depth), Some(expected), "{depth}");
        }
        assert_eq!(DiskProfile { reads: Vec::new(), ..profile }.read_mean_ns(1), None);
    }

    #[test]
    fn few_samples_have_a_mean_and_no_percentile() {
        let few = LatencyFigures::from(&LatencyHistogram::from_iter([10, 20]));
        assert_eq!((few.samples_count, few.p50_ns, few.p99_ns), (2, None, None));
        assert!((few.mean_ns - 15.0).abs() < 1.0);
    }
}
