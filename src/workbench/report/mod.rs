//! The report: what a run or a plan found, as plain data, and the pure functions that render it.
//!
//! A [`Report`] is complete in itself: `report.json` holds it whole, and every renderer is a function from
//! `&Report` to text. This module knows nothing of databases, clocks, the command line or how a figure came
//! about; it never measures, and nothing here prints.
//!
//! Every field name carries its unit. Latencies are nanoseconds, sizes are bytes, rates are per second.

mod advice;
mod assemble;
mod assess;
mod attachments;
mod capacity;
mod certainty;
mod certificate;
mod certify;
mod chart;
pub mod compare;
mod directory;
mod forecast;
pub mod format;
mod histogram_log;
mod html;
pub mod machines;
mod markdown;
mod plan;
mod same_question;
mod template;
mod view;
mod what_if;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use assemble::{Context, host_info, latency_info, run_report, spec_json, spec_name};
pub use attachments::{Attachment, ModeRounds, attachments};
pub use capacity::{
    ContainerLimits, DurabilityPrice, ExpectedLatency, MachineLatency, MachineMode, ScalingCurveInfo, ScalingInfo,
    ScalingPointInfo,
};
pub use certainty::{Certainty, CertaintyLevel};
pub use certificate::{
    CERTIFICATE_SCHEMA_VERSION, Certificate, CertificateError, CertifiedModeInfo, Forgery, InterruptionInfo, SliceInfo,
};
pub use certify::{certificate, certify_report};
pub use directory::{Place, ReportDirectory, ReportError};
pub use forecast::{BandInfo, ForecastInfo, MemoryInfo, MemoryPartInfo, RestartInfo, SizeInfo, WritesInfo};
pub use html::html;
pub use markdown::markdown;
pub use plan::{PlanFacts, WhatIfPlan, plan_report};
pub use same_question::Incomparable;
pub use what_if::{Basis, WhatIfFigure, WhatIfInfo, WhatIfMode};

/// Version of the JSON layout; raised when a field changes its meaning or disappears.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything a run or a plan found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Layout version, [`SCHEMA_VERSION`] when written by this build.
    pub schema_version: u32,
    /// What kind of question this report answers.
    pub kind: ReportKind,
    /// Name of the workload or trace.
    pub name: String,
    /// When the run began, RFC 3339 in UTC.
    pub started_at: String,
    /// Wall time from start to the end of the last phase, in seconds.
    pub elapsed_seconds: f64,
    /// The answer, first.
    pub verdict: Verdict,
    /// What was replayed.
    pub source: SourceInfo,
    /// How it was replayed.
    pub settings: Settings,
    /// The machine it ran on.
    pub host: HostInfo,
    /// The engine tuning that was in force, with its reasons.
    pub tuning: Vec<TuningInfo>,
    /// One entry per durability mode, `off` before `on`.
    pub modes: Vec<ModeResult>,
    /// Capacity evidence; present when `kind` is `plan`.
    pub plan: Option<PlanResult>,
    /// What may have spoiled the measurement, each with a hint.
    pub warnings: Vec<Warning>,
    /// How to repeat it.
    pub reproduce: Reproduce,
}

/// The question a report answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// How fast is it?
    Run,
    /// Which machine?
    Plan,
}

/// How an answer came out. Decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The target, if there was one, is met.
    Pass,
    /// The service level objective is missed.
    Fail,
    /// The evidence does not carry an answer.
    Inconclusive,
}

/// The answer in one sentence, and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// How it came out.
    pub outcome: Outcome,
    /// One sentence a person can act on.
    pub sentence: String,
    /// How sure it is; absent in reports of older builds and where the outcome says it all.
    #[serde(default)]
    pub certainty: Option<Certainty>,
    /// Why, in order of weight.
    pub reasons: Vec<String>,
}

/// What was replayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceInfo {
    /// Workload or trace.
    pub kind: SourceKind,
    /// File name or built-in name.
    pub origin: String,
    /// What it stands for, as its author wrote it; empty for a trace.
    pub description: String,
    /// Distinct actors.
    pub actors_count: u64,
    /// Actor types; each has three column families.
    pub actor_types_count: u64,
    /// `light` or `full`; a trace imported under one says so.
    pub persistence: String,
    /// Further facts worth showing, label to value.
    pub facts: BTreeMap<String, String>,
}

/// Where the commands came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A workload description, expanded from its seed.
    Workload,
    /// A recorded or imported trace.
    Trace,
}

/// How the commands were issued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `closed loop`, `open loop at 2,000/s (poisson)`, `trace times at speed 100`.
    pub load: String,
    /// Threads that issue commands.
    pub workers_count: u32,
    /// Rounds per durability mode; the modes alternate.
    pub rounds_count: u32,
    /// Warm-up before each round, excluded from the figures, in seconds.
    pub warmup_seconds: f64,
    /// Measured time per round, in seconds; absent when a trace runs to its end.
    pub measure_seconds: Option<f64>,
    /// Seed of everything random.
    pub seed: u64,
    /// The machine specification the backend was tuned for, as `ave-actors-store` deserialises it.
    pub machine_spec: serde_json::Value,
    /// Directory on the disk that was measured.
    pub data_directory: String,
}

/// The machine a report was measured on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostInfo {
    /// Processor model.
    pub cpu_model: String,
    /// Logical cores of the machine.
    pub logical_cores_count: u32,
    /// Physical cores, where the system tells.
    pub physical_cores_count: Option<u32>,
    /// Cores this process may use (affinity and quota).
    pub usable_cores_count: u32,
    /// RAM of the machine.
    pub ram_bytes: u64,
    /// RAM this process may use (cgroup limit).
    pub usable_ram_bytes: u64,
    /// Configured swap.
    pub swap_bytes: u64,
    /// File system under the data directory.
    pub file_system: String,
    /// Block device under the data directory.
    pub device: String,
    /// Free space under the data directory.
    pub disk_free_bytes: u64,
    /// Kernel release.
    pub kernel: String,
    /// Hypervisor, container or `none detected`.
    pub virtualisation: String,
    /// The profile this host corresponds to (`medium`), or `custom`.
    pub machine_profile: String,
    /// 4 KiB write plus `fdatasync` on the data directory, if it was probed.
    pub sync_probe: Option<LatencyInfo>,
}

/// One figure of the engine tuning and why it is what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TuningInfo {
    /// Name of the setting.
    pub name: String,
    /// Value with its unit, as a person reads it.
    pub value: String,
    /// Why.
    pub reason: String,
}

/// What one durability mode did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModeResult {
    /// Whether writes waited for the disk.
    pub durability: DurabilityMode,
    /// Commands measured.
    pub commands_count: u64,
    /// Storage operations measured.
    pub operations_count: u64,
    /// Rate the schedule asked for; absent in a closed loop.
    pub offered_per_second: Option<f64>,
    /// Commands completed per second of measured time.
    pub achieved_per_second: f64,
    /// Lowest and highest round, commands per second.
    pub achieved_range_per_second: [f64; 2],
    /// Latency of each command the source issues.
    pub commands: Vec<NamedLatency>,
    /// Latency of each storage operation behind them.
    pub operations: Vec<NamedLatency>,
    /// Consumption while measuring.
    pub resources: ResourceUse,
    /// Second by second.
    pub series: Vec<SeriesPoint>,
    /// Round by round; absent in reports of older builds.
    #[serde(default)]
    pub rounds: Vec<RoundInfo>,
    /// Comparison of what the backend holds with what it acknowledged.
    pub verification: Verification,
    /// Cost of the harness itself per storage operation, on a backend that does nothing.
    pub harness_ns_per_operation: f64,
}

/// One round of a durability mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoundInfo {
    /// Number, from 1.
    pub round: u32,
    /// Time before anything counted.
    pub warmup_seconds: f64,
    /// Whether rate and latency were seen to be steady when measuring began; absent where nobody looked, because the
    /// warm-up was a fixed time.
    pub steady: Option<bool>,
    /// Commands completed per second of measured time.
    pub commands_per_second: f64,
    /// Whether flushes and compactions ended within 20 s after the load; absent where nobody waited, because another
    /// load followed at once.
    pub settled: Option<bool>,
    /// What the engine says of itself, before the warm-up and after the load.
    pub engine: Vec<EngineInfo>,
    /// Latency of each command in it; empty in reports of older builds.
    #[serde(default)]
    pub commands: Vec<RoundLatency>,
    /// Share of CPU time taken by the hypervisor, percent, where the system tells.
    #[serde(default)]
    pub steal_percent: Option<f64>,
    /// Cores that other processes kept busy, where the system tells.
    #[serde(default)]
    pub foreign_cores: Option<f64>,
    /// CPU time of the process while it was measured, background work of the engine included; absent in reports of older
    /// builds.
    #[serde(default)]
    pub cpu_seconds: Option<f64>,
    /// What the machine did with a fixed amount of work before and after it; absent in reports of older builds, and
    /// where nobody tried.
    #[serde(default)]
    pub yardstick: Option<YardstickInfo>,
}

/// Latency of one command in one round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoundLatency {
    /// `persist`, `recover`, ….
    pub name: String,
    /// Commands measured.
    pub count: u64,
    /// From the intended start.
    pub response: RoundFigures,
    /// From the actual start.
    pub service: RoundFigures,
}

/// A latency distribution in a few figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoundFigures {
    /// Arithmetic mean.
    pub mean_ns: f64,
    /// Median; absent if the samples do not support it.
    pub p50_ns: Option<u64>,
    /// 90th percentile; absent if the samples do not support it.
    pub p90_ns: Option<u64>,
    /// 99th percentile; absent if the samples do not support it.
    pub p99_ns: Option<u64>,
}

/// What the machine did with a fixed amount of work that has nothing to do with the backend.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct YardstickInfo {
    /// Median time of a portion of computing (sorting in the cache of a core, following references beyond it), with as
    /// many threads at it as there are workers: how fast a core is while nobody else has it.
    pub compute_p50_ns: f64,
    /// Mean of the same: how fast the threads get on, whoever else wants the cores.
    pub compute_mean_ns: f64,
    /// Median of a 4 KiB write plus `fdatasync` under the data directory; absent with durability off.
    pub sync_p50_ns: Option<f64>,
}

/// A figure of the engine before and after a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EngineInfo {
    /// Its name, with the unit at its end.
    pub name: String,
    /// Before the warm-up.
    pub before: u64,
    /// After the load.
    pub after: u64,
}

/// Durability as reports spell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DurabilityMode {
    /// A write survives the death of the process, not of the machine.
    Off,
    /// A write survives power loss.
    On,
}

impl std::fmt::Display for DurabilityMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::On => "on",
        })
    }
}

/// Latency of one command or storage operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedLatency {
    /// `persist`, `recover`, … or `events.put`, `states.get`, ….
    pub name: String,
    /// From the intended start: what a user waits. Equal to `service` in a closed loop; for a storage operation
    /// absent, since only commands are scheduled.
    pub response: Option<LatencyInfo>,
    /// From the actual start: what the backend took.
    pub service: LatencyInfo,
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
    /// The percentile with this name (`p99`), or `None` where the samples do not support it.
    pub fn percentile(&self, name: &str) -> Option<&PercentileInfo> {
        self.percentiles.iter().find(|percentile| percentile.name == name)
    }
}

/// One percentile, and how sure it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PercentileInfo {
    /// `p99.9`.
    pub name: String,
    /// Its value.
    pub value_ns: u64,
    /// 95 % confidence interval, where enough slices of time stand behind it.
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

/// What a mode consumed while it was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceUse {
    /// Cores kept busy on average by the whole process, the generator's last microseconds before a command is due
    /// included.
    pub cpu_cores_mean: f64,
    /// Highest resident set size seen.
    pub rss_peak_bytes: u64,
    /// Bytes this process caused to be written to storage while measuring, where the system tells.
    pub written_bytes: Option<u64>,
    /// Bytes of the values the commands wrote, keys not counted.
    pub payload_bytes: u64,
    /// Bytes written to storage per byte of value, preload and warm-up included, once compactions settled.
    pub write_amplification_ratio: Option<f64>,
    /// Size of the database directory afterwards.
    pub database_bytes: u64,
    /// Syncs of the write-ahead log, where the engine counts them.
    pub wal_syncs_count: Option<u64>,
    /// Time writers were held back by the engine, in milliseconds, where it counts it.
    pub stall_ms: Option<f64>,
    /// Share of CPU time taken by the hypervisor, percent, where the system tells.
    pub steal_percent: Option<f64>,
    /// Cores that other processes kept busy in the worst round, where the system tells.
    pub foreign_cores: Option<f64>,
    /// Bytes the machine swapped in or out while measuring, where the system tells.
    #[serde(default)]
    pub swapped_bytes: Option<u64>,
    /// Bytes of the values that are not deleted or overwritten, keys not counted, if they were verified.
    #[serde(default)]
    pub live_bytes: Option<u64>,
    /// Size of the database per byte of live value, once compactions settled.
    #[serde(default)]
    pub space_amplification_ratio: Option<f64>,
}

/// One second (or slice) of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeriesPoint {
    /// Round it belongs to, from 1.
    pub round: u32,
    /// End of the slice, seconds since the round's measurement began.
    pub at_seconds: f64,
    /// Commands due in it, all of which were completed, per second.
    pub commands_per_second: f64,
    /// Median response time of all commands in it.
    pub p50_ns: u64,
    /// 99th percentile of the response time of all commands in it.
    pub p99_ns: u64,
    /// Longest response time in it.
    pub max_ns: u64,
    /// Cores the process kept busy, where it was sampled.
    #[serde(default)]
    pub cpu_cores: Option<f64>,
    /// Resident set size at its end, where it was sampled.
    #[serde(default)]
    pub rss_bytes: Option<u64>,
    /// Bytes the process caused to be written to storage, where the system tells.
    #[serde(default)]
    pub written_bytes: Option<u64>,
    /// Time writers were held back by the engine, in milliseconds, where it counts it.
    #[serde(default)]
    pub stall_ms: Option<f64>,
    /// Syncs of the write-ahead log, where the engine counts them.
    #[serde(default)]
    pub wal_syncs_count: Option<u64>,
    /// Bytes waiting to be compacted at its end, where the engine tells.
    #[serde(default)]
    pub pending_compaction_bytes: Option<u64>,
}

/// What was checked after the run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// Whether it was checked at all.
    pub performed: bool,
    /// Actors compared.
    pub actors_count: u64,
    /// Events compared: number, order and bytes.
    pub events_count: u64,
    /// Snapshots and metadata records compared.
    pub states_count: u64,
    /// Differences found, described; empty when all is as acknowledged.
    pub differences: Vec<String>,
    /// What was found after processes that write were killed; absent if none was.
    #[serde(default)]
    pub crash: Option<CrashVerification>,
}

/// What was checked after `SIGKILL`: the death of a process, not a loss of power.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrashVerification {
    /// Processes killed while they issued the measured load, all on one database, which was opened again and compared
    /// after each kill.
    pub kills_count: u32,
    /// Commands that were acknowledged to the killed processes.
    pub commands_acknowledged_count: u64,
    /// Events among what they wrote that were compared: number, order and bytes. What was there before them is compared
    /// too and not counted.
    pub events_count: u64,
    /// Snapshots and metadata records among it that were compared.
    pub states_count: u64,
    /// Acknowledged events, snapshots and metadata records that were not there, or not as they were written.
    pub lost_count: u64,
    /// Writes that were under way at a kill: not acknowledged, so either answer is right.
    pub writes_under_way_count: u64,
    /// How many of them were there.
    pub writes_under_way_found_count: u64,
    /// Why fewer processes were killed than asked for; absent if none failed.
    pub failure: Option<String>,
    /// Differences found, described; empty when all is as acknowledged. After the first kill with one, no other follows.
    pub differences: Vec<String>,
}

impl CrashVerification {
    /// `killed 3 times while writing: 41,233 acknowledged events checked, 0 lost`.
    pub fn summary(&self) -> String {
        if let (0, Some(failure)) = (self.kills_count, &self.failure) {
            return format!("not killed: {failure}");
        }
        let times = match self.kills_count {
            1 => "once".to_owned(),
            2 => "twice".to_owned(),
            more => format!("{} times", format::count(u64::from(more))),
        };
        let states = match self.states_count {
            0 => String::new(),
            more => format!(" and {}", format::counted(more, "state")),
        };
        let (events, lost) = (format::counted(self.events_count, "acknowledged event"), format::count(self.lost_count));
        format!("killed {times} while writing: {events}{states} checked, {lost} lost")
    }
}

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

/// A service level objective: a percentile of a command's response time and its limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SloInfo {
    /// The command it is on.
    pub command: String,
    /// `p99`.
    pub percentile: String,
    /// Longest response time allowed at that percentile.
    pub limit_ns: u64,
}

/// How far a machine goes in one durability mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// The mode.
    pub durability: DurabilityMode,
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
    pub durability: DurabilityMode,
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

/// Something that may have disturbed the measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Warning {
    /// What was seen.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

/// How to repeat a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reproduce {
    /// The command line.
    pub command: String,
    /// Version of this package.
    pub version: String,
    /// Versions of what matters below it, name to version.
    pub components: BTreeMap<String, String>,
}
