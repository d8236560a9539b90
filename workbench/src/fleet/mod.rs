//! The comparison of machines: reports from many hosts joined, as plain data, and the pure functions that render it.
//!
//! Only reports that were asked the same question are joined. Those of one kind of machine become one [`Machine`]:
//! their histograms are added sample by sample, and percentiles are read from the sum. No percentile is ever averaged.
//! Like [`Report`](crate::report::Report), this knows nothing of databases, clocks or the command line, and every field name
//! carries its unit.

mod capacity;
mod comparable;
mod directory;
mod error;
mod given;
mod groups;
mod latency;
mod merge;
mod order;
mod sentence;
mod warnings;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use directory::write;
pub use error::MergeError;
pub use given::GivenReport;
pub use latency::MergedHistogram;
pub use merge::{MergeContext, Merged, merge};

use crate::actor::Durability;
use crate::measure::Percentile;
use crate::report::{LatencyInfo, Outcome, Question, ReportKind, Reproduce, Warning};

/// Version of the layout of `machines.json`; raised when a field changes its meaning or disappears.
pub const SCHEMA_VERSION: u32 = 1;

/// The machines that reports were measured on, side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineComparison {
    /// Layout version, [`SCHEMA_VERSION`] when written by this build.
    pub schema_version: u32,
    /// Kind of the reports.
    pub kind: ReportKind,
    /// Name of the workload or trace.
    pub name: String,
    /// When the reports were joined, RFC 3339 in UTC.
    pub merged_at: String,
    /// The answer in one sentence.
    pub sentence: String,
    /// What every report was asked.
    pub question: Question,
    /// The command the tables speak of: the objective's, else the one issued most.
    pub headline_command: Option<String>,
    /// Durability modes every report measured, `off` before `on`.
    pub durabilities: Vec<Durability>,
    /// The machines, best first: highest rate with durability on if that was measured, else off. Where a schedule gave
    /// all the same rate, lowest p99 of the headline command.
    pub machines: Vec<Machine>,
    /// What may spoil the comparison, each with a hint.
    pub warnings: Vec<Warning>,
    /// How the latencies of several reports became one distribution.
    pub merging_method: String,
    /// How the confidence intervals of percentiles came about.
    pub interval_method: String,
    /// How to repeat it.
    pub reproduce: Reproduce,
}

/// One kind of machine and what all reports from it say together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// `machine-1`, …, in the order of the comparison; the tags of `merged.hlog` begin with it.
    pub id: String,
    /// Its hardware in words.
    pub name: String,
    /// Processor model.
    pub cpu_model: String,
    /// Cores the process might use.
    pub usable_cores_count: u32,
    /// RAM the process might use, the least of its reports; they are within 2 %.
    pub usable_ram_bytes: u64,
    /// File system under the data directory.
    pub file_system: String,
    /// Kind of block device under it: `nvme`, `sd`, `vd`, `network`, …; the name where the kind is not known.
    pub device_kind: String,
    /// Hypervisor, container or `none detected`.
    pub virtualisation: String,
    /// What was joined, by start.
    pub reports: Vec<JoinedReport>,
    /// One entry per durability mode, `off` before `on`.
    pub modes: Vec<MachineMode>,
    /// 4 KiB write plus `fdatasync`; absent if no report probed the disk.
    pub sync_probe: Option<SyncProbe>,
    /// What is missing here, and why.
    pub notes: Vec<String>,
}

/// A report that was joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinedReport {
    /// Where it was read from.
    pub path: String,
    /// When it began, RFC 3339 in UTC.
    pub started_at: String,
    /// Version of the build that wrote it.
    pub version: String,
    /// How it came out.
    pub outcome: Outcome,
    /// Its answer.
    pub sentence: String,
    /// Whether whole distributions (`latency.hlog`) lay beside it.
    pub has_histograms: bool,
}

/// What a machine did in one durability mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineMode {
    /// Whether writes waited for the disk.
    pub durability: Durability,
    /// Commands measured, all reports together.
    pub commands_count: u64,
    /// Rate the schedule asked for when the latencies were taken; absent in a closed loop, and where the reports differ.
    pub offered_per_second: Option<f64>,
    /// Commands completed per second of measured time, over the measured time of all reports.
    pub achieved_per_second: f64,
    /// Lowest and highest round of all reports, commands per second.
    pub achieved_range_per_second: [f64; 2],
    /// What plans found; absent for runs.
    pub capacity: Option<MachineCapacity>,
    /// Response time of each command.
    pub commands: Vec<MergedLatency>,
    /// Size of the database directory afterwards, least and most of the reports.
    pub database_bytes: [u64; 2],
}

/// What the plans of one machine found in one durability mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineCapacity {
    /// Closed-loop ceiling, lowest and highest report, commands per second.
    pub saturation_range_per_second: Option<[f64; 2]>,
    /// Highest rate that met the objective in every report: the lowest of what they found. Absent if one found none.
    pub sustained_per_second: Option<f64>,
    /// Highest rate that met the objective in any report; absent if none found one.
    pub most_sustained_per_second: Option<f64>,
    /// Whether it holds the target with headroom.
    pub answer: TargetAnswer,
    /// Reports that found it to.
    pub reports_holding_count: u32,
    /// Profiles recommended, each with the reports that did so, most first.
    pub recommendations: Vec<RecommendationCount>,
    /// Growth of the database per million commands, least and most of the reports.
    pub database_bytes_per_million_commands: [f64; 2],
    /// Growth per day at the target rate, least and most of the reports.
    pub database_bytes_per_day_at_target: [f64; 2],
    /// Days until the disk is full at the target rate, least and most of the reports that tell.
    pub days_until_disk_full: Option<[f64; 2]>,
}

/// Whether a machine holds the target with headroom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetAnswer {
    /// Every report found that it does.
    Holds,
    /// A report found that it does not.
    Misses,
    /// The reports that did not find it to hold are inconclusive.
    Undecided,
}

/// A profile, and how many reports of a machine recommend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecommendationCount {
    /// `nano` … `2xlarge`; absent for "none of these".
    pub profile: Option<String>,
    /// Reports that say so.
    pub reports_count: u32,
}

/// The response time of one command on one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MergedLatency {
    /// `persist`, `recover`, ….
    pub name: String,
    /// What the distribution was made from.
    pub evidence: LatencyEvidence,
    /// Reports behind it.
    pub reports_count: u32,
    /// The distribution.
    pub response: LatencyInfo,
    /// How far the reports lie apart, by percentile; empty if there is one.
    pub spread: Vec<PercentileSpread>,
}

/// What a distribution was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LatencyEvidence {
    /// The histograms of its reports, added sample by sample.
    Histograms,
    /// The percentiles in the one report of the machine, which has no histograms beside it.
    Report,
}

/// A percentile as each report has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PercentileSpread {
    /// Which one: `p99`.
    #[serde(rename = "name")]
    pub percentile: Percentile,
    /// Reports whose own samples support it.
    pub reports_count: u32,
    /// The lowest of them.
    pub lowest_ns: u64,
    /// The highest of them.
    pub highest_ns: u64,
}

/// Sync latency of a machine's disk: percentiles of each report, which hold no histogram of it to be merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncProbe {
    /// Reports that probed the disk.
    pub reports_count: u32,
    /// Median, lowest and highest report; absent if no report supports it.
    pub p50_range_ns: Option<[u64; 2]>,
    /// 99th percentile, lowest and highest report; absent if no report supports it.
    pub p99_range_ns: Option<[u64; 2]>,
}

impl MachineMode {
    /// What machines are compared by, commands per second: the rate all plans sustain at the objective (0 if one found
    /// none), the rate a run achieved.
    pub fn rate_per_second(&self) -> f64 {
        match &self.capacity {
            Some(capacity) => capacity.sustained_per_second.unwrap_or_default(),
            None => self.achieved_per_second,
        }
    }

    /// The response time of a command, if it could be told.
    pub fn command(&self, name: &str) -> Option<&MergedLatency> {
        self.commands.iter().find(|command| command.name == name)
    }
}

impl Machine {
    /// What it did in a durability mode.
    pub fn mode(&self, durability: Durability) -> Option<&MachineMode> {
        self.modes.iter().find(|mode| mode.durability == durability)
    }
}
