//! The result of merging reports, as `machines.json` holds it. Every field name carries its unit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::failure::HostFailure;
use crate::actor::Durability;
use crate::measure::Percentile;
use crate::report::{LatencyInfo, Outcome, Question, ReportKind, Reproduce, ValidUntil, Warning};

/// Version of the layout of `machines.json`; raised when a field changes its meaning or disappears.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// The machines that reports were measured on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineComparison {
    /// Layout version.
    pub schema_version: u32,
    /// Kind of the reports.
    pub kind: ReportKind,
    /// Name of the workload or trace.
    pub name: String,
    /// When the reports were merged, RFC 3339 in UTC.
    pub merged_at: String,
    /// Fail if acknowledged data were lost, if every report failed, or that of any shard; else inconclusive if any report is.
    /// Decides the exit code; inconclusive in earlier files, which have none.
    #[serde(default = "unknown_outcome")]
    pub outcome: Outcome,
    /// The result in one sentence.
    pub sentence: String,
    /// What all reports have in common.
    pub question: Question,
    /// The command of the tables: the objective's, else the most frequent one.
    pub headline_command: Option<String>,
    /// Durability modes of every report, `off` before `on`.
    pub durabilities: Vec<Durability>,
    /// The machines, best first: highest rate with durability on if that was measured, else off. Where a schedule gave
    /// all the same rate, lowest p99 of the headline command.
    pub machines: Vec<MergedMachine>,
    /// The trace, if the reports are of its shards, which then are one machine.
    pub shards: Option<ShardedTrace>,
    /// Hosts that were to be measured and have no report.
    pub failures: Vec<HostFailure>,
    /// Doubts about the comparison, each with a hint.
    pub warnings: Vec<Warning>,
    /// How the latencies of several reports are merged.
    pub merging_method: String,
    /// How the confidence intervals of percentiles are computed.
    pub interval_method: String,
    /// How to repeat it.
    pub reproduce: Reproduce,
}

const fn unknown_outcome() -> Outcome {
    Outcome::Inconclusive
}

/// A trace whose shards were replayed on as many hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShardedTrace {
    /// Number of shards, each of which has one report.
    pub shards_count: u32,
    /// SHA-256 of the rows of the trace, hexadecimal.
    pub trace_sha256: String,
    /// Commands of the trace, which are those of its shards.
    pub commands_count: u64,
    /// Storage operations of the trace, which are those of its shards.
    pub operations_count: u64,
}

/// One kind of machine and its reports, merged; or all hosts of a sharded trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MergedMachine {
    /// `machine-1`, …, in the order of the comparison; the tags of `merged.hlog` begin with it.
    pub id: String,
    /// Its hardware: `AMD EPYC 7763 · 2 cores · 8 GiB · ext4 on nvme`; that of each host of a sharded trace.
    pub name: String,
    /// Processor model; several separated by commas.
    pub cpu_model: String,
    /// Cores that the process could use, of one host.
    pub usable_cores_count: u32,
    /// RAM that the process could use, the least of its reports, which are within 2 %.
    pub usable_ram_bytes: u64,
    /// File system under the data directory.
    pub file_system: String,
    /// Kind of its block device: `nvme`, `sd`, `vd`, `network`, …; the name if the kind is unknown.
    pub device_kind: String,
    /// Hypervisor, container or `none detected`.
    pub virtualisation: String,
    /// Its reports, by start.
    pub reports: Vec<JoinedReport>,
    /// One entry per durability mode, `off` before `on`.
    pub modes: Vec<MergedMode>,
    /// How long its plans are valid, the earliest of them; absent for runs, and in earlier files.
    #[serde(default)]
    pub valid_until: Option<ValidUntil>,
    /// 4 KiB write plus `fdatasync`; absent if no report probed the disk.
    pub sync_probe: Option<SyncProbe>,
    /// What is missing, and why.
    pub notes: Vec<String>,
}

/// A merged report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinedReport {
    /// File or directory it was read from.
    pub path: String,
    /// When it began, RFC 3339 in UTC.
    pub started_at: String,
    /// Version of ave-workbench that wrote it.
    pub version: String,
    /// Its commit; absent if the report has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Its outcome.
    pub outcome: Outcome,
    /// Its verdict.
    pub sentence: String,
    /// Whether `latency.hlog` was beside it.
    pub has_histograms: bool,
}

/// A machine in one durability mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MergedMode {
    /// Durability `off` or `on`.
    pub durability: Durability,
    /// Measured commands of all reports.
    pub commands_count: u64,
    /// Measured storage operations of all reports.
    pub operations_count: u64,
    /// Offered rate at which latencies were measured, that of all shards together; absent in a closed loop, and if the reports
    /// differ.
    pub offered_per_second: Option<f64>,
    /// Commands completed per second of measured time, over the measured time of all reports; of shards, the sum of their
    /// rates.
    pub achieved_per_second: f64,
    /// Lowest and highest round of all reports, commands per second; of shards, of the sums of each round.
    pub achieved_range_per_second: [f64; 2],
    /// Result of plans; absent for runs.
    pub capacity: Option<MergedCapacity>,
    /// Response time of each command.
    pub commands: Vec<MergedLatency>,
    /// Size of the database directory afterwards, least and most of the reports; of shards, the sum.
    pub database_bytes: [u64; 2],
}

/// The plans of one machine in one durability mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MergedCapacity {
    /// Closed-loop ceiling, lowest and highest report, commands per second.
    pub saturation_range_per_second: Option<[f64; 2]>,
    /// Lowest of the sustained rates of its reports; absent if one found none.
    pub sustained_per_second: Option<f64>,
    /// Highest of the sustained rates of its reports; absent if none found one.
    pub most_sustained_per_second: Option<f64>,
    /// Whether it sustains the target with headroom.
    pub answer: TargetAnswer,
    /// Reports in which it does.
    pub reports_holding_count: u32,
    /// Recommended profiles with the number of reports, most frequent first.
    pub recommendations: Vec<RecommendationCount>,
    /// Growth of the database per million commands, least and most of the reports.
    pub database_bytes_per_million_commands: [f64; 2],
    /// Growth per day at the target rate, least and most of the reports.
    pub database_bytes_per_day_at_target: [f64; 2],
    /// Days until the disk is full at the target rate, least and most of the reports that have it.
    pub days_until_disk_full: Option<[f64; 2]>,
}

/// Whether a machine sustains the target with headroom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetAnswer {
    /// In every report, and all are conclusive.
    Holds,
    /// Not in some conclusive report.
    Misses,
    /// In every conclusive report, but some are inconclusive.
    Undecided,
}

/// A recommended profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecommendationCount {
    /// `nano` … `2xlarge`; absent if none qualified.
    pub profile: Option<String>,
    /// Reports that recommend it.
    pub reports_count: u32,
}

/// The response time of one command on one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MergedLatency {
    /// `persist`, `recover`, ….
    pub name: String,
    /// Source of the distribution.
    pub evidence: LatencyEvidence,
    /// Reports with samples of it.
    pub reports_count: u32,
    /// The distribution.
    pub response: LatencyInfo,
    /// Range over the reports, by percentile; empty for one report.
    pub spread: Vec<PercentileSpread>,
}

/// The source of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LatencyEvidence {
    /// The histograms of its reports, added.
    Histograms,
    /// The percentiles of its one report, which has no histograms.
    Report,
}

/// A percentile over the reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PercentileSpread {
    /// Which one: `p99`.
    #[serde(rename = "name")]
    pub percentile: Percentile,
    /// Reports with enough samples for it.
    pub reports_count: u32,
    /// The lowest.
    pub lowest_ns: u64,
    /// The highest.
    pub highest_ns: u64,
}

/// Sync latency of a machine's disk: percentiles of its reports, which have no histogram of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncProbe {
    /// Reports that probed the disk.
    pub reports_count: u32,
    /// Median, lowest and highest report; absent if no report has enough samples.
    pub p50_range_ns: Option<[u64; 2]>,
    /// 99th percentile, lowest and highest report; absent if no report has enough samples.
    pub p99_range_ns: Option<[u64; 2]>,
}

impl MergedMode {
    /// The rate that machines are compared by, commands per second: the sustained rate of plans, 0 without one; the achieved
    /// rate of runs.
    pub fn rate_per_second(&self) -> f64 {
        match &self.capacity {
            Some(capacity) => capacity.sustained_per_second.unwrap_or_default(),
            None => self.achieved_per_second,
        }
    }

    /// The response time of a command, if it was merged.
    pub fn command(&self, name: &str) -> Option<&MergedLatency> {
        self.commands.iter().find(|command| command.name == name)
    }
}

impl MergedMachine {
    /// Its result in a durability mode.
    pub fn mode(&self, durability: Durability) -> Option<&MergedMode> {
        self.modes.iter().find(|mode| mode.durability == durability)
    }
}
