//! What a plan says of machines beyond their rates: what binds them, what to expect at the target, what durability costs,
//! how they scale.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BandInfo, DurabilityMode, Evidence, LatencyInfo};

/// A machine in one durability mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineMode {
    /// The mode.
    pub durability: DurabilityMode,
    /// What stands behind the rate.
    pub evidence: Evidence,
    /// Highest rate that is known to meet the objective; absent if none is.
    pub sustained_per_second: Option<f64>,
    /// Where an extrapolated rate lies.
    pub range_per_second: Option<[f64; 2]>,
    /// Whether it holds the target with headroom; absent if that is not known.
    pub holds: Option<bool>,
    /// `CPU`, `sync latency`, `memory`, `write bandwidth` or `stalls`: what keeps it from going faster, where it was
    /// searched.
    pub binding_resource: Option<String>,
    /// What was seen of it, with figures.
    pub binding_evidence: Option<String>,
    /// Most memory of process and page cache together, where it was limited.
    pub memory_peak_bytes: Option<u64>,
    /// Largest resident set of the process, page cache not counted, where it was searched; absent in reports of older
    /// builds.
    #[serde(default)]
    pub process_peak_bytes: Option<u64>,
    /// What users wait there, where it was searched and some rate held; absent in reports of older builds.
    #[serde(default)]
    pub latency: Option<MachineLatency>,
    /// Why this is known, or why it is not.
    pub reason: String,
}

/// The objective's percentile on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineLatency {
    /// Its value.
    pub value_ns: u64,
    /// The rate it was measured at: the target on a machine that is recommended, what is required on the others, and the
    /// lowest rate that held where that did not.
    pub per_second: f64,
}

/// What users wait at the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedLatency {
    /// The command the objective is on.
    pub command: String,
    /// The rate it was measured at: the target itself.
    pub per_second: f64,
    /// Its response time.
    pub response: LatencyInfo,
}

/// Requests and limits for a container of the machine's size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainerLimits {
    /// Cores, as request and as limit.
    pub cpu_cores_count: u32,
    /// Memory as request and as limit: the machine's RAM less what its kernel keeps, MiB. The measurement ran within it.
    pub memory_mib: u64,
}

/// What it costs that a write survives power loss, and what is at stake without.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DurabilityPrice {
    /// Share of the sustained rate that is left with durability on; absent where a mode has none.
    pub throughput_ratio: Option<f64>,
    /// Median response time that durability adds at the target, where both were measured there.
    pub added_p50_ns: Option<f64>,
    /// The same at p99.
    pub added_p99_ns: Option<f64>,
    /// Without durability: age that acknowledged writes can reach before the kernel has them on the disk. A loss of power
    /// takes up to this much of the past.
    pub at_risk_seconds: f64,
    /// Commands at the target in that time.
    pub at_risk_commands: f64,
    /// Where that figure comes from.
    pub at_risk_source: String,
}

/// How this host scales with cores in one mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScalingInfo {
    /// The mode.
    pub durability: DurabilityMode,
    /// Closed-loop ceilings on so many cores.
    pub points: Vec<ScalingPointInfo>,
    /// Universal Scalability Law: contention; absent where the points carry no law.
    pub contention: Option<f64>,
    /// Coherency.
    pub coherency: Option<f64>,
    /// Commands per second of one core under the law.
    pub single_core_per_second: Option<f64>,
    /// Root of the mean squared relative distance of the points from the law, percent.
    pub error_percent: Option<f64>,
    /// What the law says of one core and more, up to twice the cores that were measured; empty where there is none, and in
    /// reports of older builds.
    #[serde(default)]
    pub curve: Vec<ScalingCurveInfo>,
    /// Why there is no law, or how far it reaches.
    pub note: String,
}

/// What the law says of so many cores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScalingCurveInfo {
    /// Cores.
    pub cores_count: u32,
    /// Commands per second: the law that fits best, and the lowest and the highest of all that fit, each in relation to
    /// what it says of the most cores that were measured.
    pub per_second: BandInfo,
}

/// One ceiling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScalingPointInfo {
    /// Cores.
    pub cores_count: u32,
    /// Commands per second.
    pub per_second: f64,
}
