//! The part of a report that a plan adds: capacity, machines, recommendations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::forecast::{Band, ForecastInfo};
use super::latency::LatencyInfo;
use super::slo::SloInfo;
use super::what_if::WhatIfInfo;
use crate::actor::Durability;

/// What `plan` adds: capacity per mode and the profiles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanResult {
    /// Commands per second the deployment must hold.
    pub target_per_second: f64,
    /// Share of capacity to keep free, percent.
    pub headroom_percent: f64,
    /// The rate that leaves the headroom at the target; 0 in reports of older builds.
    #[serde(default)]
    pub required_per_second: f64,
    /// How machines were emulated: `control groups v1: cores and memory`, say.
    #[serde(default)]
    pub emulation: String,
    /// The objective.
    pub slo: SloInfo,
    /// Capacity on this host, per durability mode.
    pub capacities: Vec<Capacity>,
    /// Every known profile, smallest first, and what is known of it.
    pub profiles: Vec<ProfileEvidence>,
    /// The machine recommended per durability mode.
    pub recommendations: Vec<Recommendation>,
    /// What durability costs; absent unless both modes were planned.
    #[serde(default)]
    pub durability_price: Option<DurabilityPrice>,
    /// How this host scales with cores, where a machine has more of them.
    #[serde(default)]
    pub scaling: Vec<ScalingInfo>,
    /// What will be at the target; absent if no machine was found to hold it.
    #[serde(default)]
    pub forecast: Option<ForecastInfo>,
    /// The same plan under other figures, if somebody asked.
    #[serde(default)]
    pub what_if: Option<WhatIfInfo>,
}

/// How far a machine goes in one durability mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// The mode.
    pub durability: Durability,
    /// The machine: the one recommended, or else the largest that was searched; `None` in reports of older builds.
    #[serde(default)]
    pub machine: Option<String>,
    /// Closed-loop ceiling, commands per second; absent if the machine died under it.
    pub saturation_per_second: Option<f64>,
    /// Highest rate that met the objective on repeated evidence; absent if none did.
    pub sustained_per_second: Option<f64>,
    /// Every rate that was tried, ascending: throughput against latency.
    pub probes: Vec<ProbeResult>,
    /// Growth of the database per million commands, from what this plan wrote.
    pub database_bytes_per_million_commands: f64,
    /// Growth per day at the target rate.
    pub database_bytes_per_day_at_target: f64,
    /// Days until the free space on this disk is used up at the target rate.
    pub days_until_disk_full: Option<f64>,
}

/// One rate that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeResult {
    /// Rate offered.
    pub offered_per_second: f64,
    /// Rate achieved.
    pub achieved_per_second: f64,
    /// Median response time of the command the objective is on.
    pub p50_ns: u64,
    /// The objective's percentile of that command's response time; absent if the samples do not support it.
    pub slo_percentile_ns: Option<u64>,
    /// The same in the slice of time where it is highest, which is what counts.
    #[serde(default)]
    pub worst_slice_ns: Option<u64>,
    /// Whether the objective held at that rate.
    pub met: bool,
    /// Why not, or why it does not count.
    pub note: String,
}

/// What is known of one machine profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileEvidence {
    /// `nano` … `2xlarge`, `this host`, or cores and MiB of RAM.
    pub profile: String,
    /// Its cores.
    pub cpu_cores_count: u32,
    /// Its RAM.
    pub ram_bytes: u64,
    /// What stands behind it.
    pub evidence: Evidence,
    /// Highest rate at the objective with durability off, where there is evidence.
    pub durability_off_per_second: Option<f64>,
    /// Highest rate at the objective with durability on, where there is evidence.
    pub durability_on_per_second: Option<f64>,
    /// Why it is or is not supported.
    pub reason: String,
    /// All that is known of it, mode by mode; empty in reports of older builds.
    #[serde(default)]
    pub modes: Vec<MachineMode>,
}

/// How a profile's figures were obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// It is this host.
    Measured,
    /// This host pretended to be it: within its cores and its memory, page cache included, under its tuning.
    Emulated,
    /// On its cores and under its tuning; memory could not be limited, and the run took no more than it has.
    CoresEmulated,
    /// More cores than this host: continued by the Universal Scalability Law.
    Extrapolated,
    /// No smaller in cores and RAM than one that was searched: at least its rate.
    Implied,
    /// Nothing was measured that speaks of it.
    NotMeasured,
}

impl Evidence {
    /// `at least`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Emulated => "emulated",
            Self::CoresEmulated => "cores emulated",
            Self::Extrapolated => "extrapolated",
            Self::Implied => "at least",
            Self::NotMeasured => "not measured",
        }
    }
}

/// The machine to take in one durability mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recommendation {
    /// The mode.
    pub durability: Durability,
    /// Smallest machine that is known to hold the target with headroom; absent for "none of these".
    pub profile: Option<String>,
    /// The specification to paste into the configuration, as `ave-actors-store` deserialises it.
    pub machine_spec: Option<serde_json::Value>,
    /// Requests and limits for a container.
    #[serde(default)]
    pub container: Option<ContainerLimits>,
    /// What users wait at the target on it.
    #[serde(default)]
    pub expected: Option<ExpectedLatency>,
    /// Size of the database on which the rate needed was held; absent in reports of older builds.
    #[serde(default)]
    pub database_bytes: Option<u64>,
    /// In words.
    pub sentence: String,
}

/// A machine in one durability mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineMode {
    /// The mode.
    pub durability: Durability,
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
    pub durability: Durability,
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
    pub per_second: Band,
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
