//! Latency distributions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::Percentile;
use ave_actors_rocksdb::trace::CommandKind;

/// Latency of one command or storage operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedLatency {
    /// `persist`, `recover`, …, the name of a transaction, or `events.put`, `states.get`, ….
    pub name: String,
    /// From the intended start: what a user waits. Equal to `service` in a closed loop; absent for storage operations,
    /// which have no schedule.
    pub response: Option<LatencyInfo>,
    /// From the actual start: time in the backend.
    pub service: LatencyInfo,
}

impl NamedLatency {
    /// Whether it is of a transaction, which never has the name of a command.
    pub(crate) fn is_transaction(&self) -> bool {
        self.name.parse::<CommandKind>().is_err()
    }

    /// Response time where commands were scheduled, else service time.
    pub(crate) fn response_or_service(&self) -> &LatencyInfo {
        self.response.as_ref().unwrap_or(&self.service)
    }
}

/// A latency distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LatencyInfo {
    /// Samples behind it.
    pub count: u64,
    /// Arithmetic mean.
    pub mean_ns: f64,
    /// `min p50 p75 p90 p95 p99 p99.9 p99.99 max`, as far as the samples support them.
    pub percentiles: Vec<PercentileInfo>,
    /// The whole distribution for a chart: quantile in `[0, 1)` and the latency there, ascending.
    pub curve: Vec<CurvePoint>,
}

impl LatencyInfo {
    /// This percentile, or `None` where the samples do not support it.
    pub fn percentile(&self, percentile: Percentile) -> Option<&PercentileInfo> {
        self.percentiles.iter().find(|found| found.percentile == percentile)
    }
}

/// One percentile, and how sure it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PercentileInfo {
    /// Which one: `p99.9`.
    #[serde(rename = "name")]
    pub percentile: Percentile,
    /// Its value.
    pub value_ns: u64,
    /// 95 % confidence interval, where there are enough slices of time.
    pub interval_ns: Option<[u64; 2]>,
}

/// One point of a percentile curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CurvePoint {
    /// Share of samples at or below, `0.0 ..= 1.0`.
    pub quantile: f64,
    /// Latency at that share.
    pub value_ns: u64,
}
