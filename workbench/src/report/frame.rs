//! The frame of every report: verdict, source, settings, host, warnings, how to repeat it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::build::{COMMIT, VERSION, build_name};
use super::certainty::Certainty;
use super::certificate::CertificateInfo;
use super::host_info::HostInfo;
use super::mode::ModeResult;
use super::plan::PlanResult;
use super::price::DurabilityPrice;
use super::ramp::{RampInfo, RampMode};
use super::slo::SloInfo;
use crate::actor::Durability;
use crate::host::HostWarning as Warning;
use crate::load::Load;
use crate::units;

/// Version of the JSON layout; raised when a field changes its meaning or disappears.
pub const SCHEMA_VERSION: u32 = 1;

/// The result of a run or a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Layout version, [`SCHEMA_VERSION`] when written by this build.
    pub schema_version: u32,
    /// Run or plan.
    pub kind: ReportKind,
    /// Name of the workload or trace.
    pub name: String,
    /// When the run began, RFC 3339 in UTC.
    pub started_at: String,
    /// Wall time from start to the end of the last phase, in seconds.
    pub elapsed_seconds: f64,
    /// The answer.
    pub verdict: Verdict,
    /// What was replayed.
    pub source: SourceInfo,
    /// How commands were issued.
    pub settings: Settings,
    /// The machine it ran on.
    pub host: HostInfo,
    /// The engine settings in force, with their reasons.
    pub tuning: Vec<TuningInfo>,
    /// One entry per durability mode, `off` before `on`.
    pub modes: Vec<ModeResult>,
    /// What durability costs; absent unless both modes were measured.
    pub durability_price: Option<DurabilityPrice>,
    /// Capacity evidence; present when `kind` is `plan`.
    pub plan: Option<PlanResult>,
    /// The objective that a run or a certification was judged by; that of a plan is in `plan`.
    #[serde(default)]
    pub objective: Option<SloInfo>,
    /// Latency against rate; present if the rate rose or fell.
    #[serde(default)]
    pub ramp: Option<RampInfo>,
    /// Every slice of a certification; absent in other reports.
    #[serde(default)]
    pub certificate: Option<CertificateInfo>,
    /// What may have affected the measurement, each with a hint.
    pub warnings: Vec<Warning>,
    /// How to repeat it.
    pub reproduce: Reproduce,
}

impl Report {
    /// `p99 crosses 10 ms at 3,100/s`, or on which side of it p99 remains, for each mode of a ramp with an objective.
    pub(crate) fn crossings(&self) -> Vec<(Durability, String)> {
        let Some((ramp, slo)) = self.ramp.as_ref().zip(self.objective.as_ref()) else { return Vec::new() };
        let (name, limit) = (slo.percentile, units::duration(slo.limit_ns as f64));
        let line = |mode: &RampMode| {
            let last = mode.points.iter().rfind(|point| point.percentile_ns.is_some());
            let text = match (mode.crosses_at_per_second, last) {
                (Some(rate), _) => format!("{name} crosses {limit} at {}", units::rate(rate)),
                (None, None) => format!("too few samples for {name}"),
                (None, Some(last)) if last.percentile_ns.is_some_and(|value| value <= slo.limit_ns) => {
                    format!("{name} stays within {limit} up to {}", units::rate(last.offered_per_second))
                }
                (None, Some(_)) => format!("{name} is above {limit} at every rate"),
            };
            (mode.durability, text)
        };
        ramp.modes.iter().map(line).collect()
    }

    pub(crate) fn has_reason(&self, kind: ReasonKind) -> bool {
        self.verdict.reasons.iter().any(|reason| reason.kind == kind)
    }

    /// Whether a verification found that acknowledged data were lost or altered.
    pub(crate) fn has_lost_data(&self) -> bool {
        self.has_reason(ReasonKind::DataLoss) || self.modes.iter().any(|mode| mode.verification.has_differences())
    }

    /// The command that summaries show: the one the objective of a plan is on, else that of its modes.
    pub(crate) fn headline_command(&self) -> Option<&str> {
        if let Some(plan) = &self.plan {
            return Some(&plan.slo.command);
        }
        self.modes.first()?.headline_command().map(|command| command.name.as_str())
    }
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

/// The outcome; it decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The target, if there was one, is met.
    Pass,
    /// The service level objective is missed.
    Fail,
    /// The evidence supports no answer.
    Inconclusive,
}

/// The answer in one sentence, and its reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Pass, fail or inconclusive.
    pub outcome: Outcome,
    /// One sentence a person can act on.
    pub sentence: String,
    /// How certain it is; absent in a certificate.
    pub certainty: Option<Certainty>,
    /// Reasons, the most important first.
    pub reasons: Vec<Reason>,
}

/// One sentence that explains a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Subject of the sentence: what renderers and programs filter by.
    pub kind: ReasonKind,
    /// The sentence.
    pub text: String,
}

/// Subject of a [`Reason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    /// Acknowledged data were lost or altered: the outcome is `fail`.
    DataLoss,
    /// The measurement was interrupted.
    Interrupted,
    /// The measurement carries no answer: unsteady, or with too few samples.
    Doubt,
    /// Something else took time away from the system under test.
    Disturbance,
    /// A durability mode meets or misses the objective.
    Objective,
    /// The machine recommended for a durability mode.
    Recommendation,
    /// No machine qualifies in a durability mode.
    NoMachine,
    /// Memory and database size that the evidence covers.
    Coverage,
    /// Growth, disk and restart at the target.
    Forecast,
    /// The machine to order if the demand is uncertain or grows.
    Demand,
    /// A certification was interrupted and resumed.
    Resumption,
}

impl Reason {
    pub(crate) const fn new(kind: ReasonKind, text: String) -> Self {
        Self { kind, text }
    }
}

/// What was replayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceInfo {
    /// Workload or trace.
    pub kind: SourceKind,
    /// File name or built-in name.
    pub origin: String,
    /// Description by its author; empty for a trace.
    pub description: String,
    /// Distinct actors.
    pub actors_count: u64,
    /// Actor types; each has three column families.
    pub actor_types_count: u64,
    /// Persistence for people: `light`, `full, a snapshot every 100 events`.
    pub persistence: String,
    /// Further facts, label to value.
    pub facts: BTreeMap<String, String>,
    /// Which shard of a trace it is; absent for a whole trace and a workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<ShardInfo>,
}

/// A shard of a trace: all commands of some of its actors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShardInfo {
    /// Number of the shard, from 1.
    pub number: u32,
    /// Number of shards.
    pub count: u32,
    /// Commands of the shard.
    pub commands_count: u64,
    /// Storage operations of the shard.
    pub operations_count: u64,
    /// SHA-256 of the rows of the whole trace, hexadecimal: the same in all of its shards.
    pub trace_sha256: String,
    /// Commands of the whole trace.
    pub trace_commands_count: u64,
    /// Storage operations of the whole trace.
    pub trace_operations_count: u64,
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
    /// What decided when commands were due.
    pub load_kind: LoadKind,
    /// The same for people, with its figures: `open loop at 2000 commands/s, poisson arrivals`.
    pub load: String,
    /// Rounds per durability mode; the modes alternate.
    pub rounds_count: u32,
    /// Longest warm-up before each round, in seconds, excluded from the figures; `rounds` have what each took.
    pub warmup_seconds: f64,
    /// Measured time per round, in seconds; absent when a trace runs to its end.
    pub measure_seconds: Option<f64>,
    /// When the first round was to begin (`run --start-at`), RFC 3339 in UTC; absent if it began at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_at: Option<String>,
    /// Seed of everything random.
    pub seed: u64,
    /// The machine specification the backend was tuned for, as `ave-actors-store` deserialises it.
    pub machine_spec: serde_json::Value,
    /// Directory on the disk that was measured.
    pub data_directory: String,
}

/// What decides when commands are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoadKind {
    /// Each writer issues its next command when the last one returned.
    Closed,
    /// A schedule at one rate.
    Open,
    /// A schedule at a rate that rises or falls steadily.
    Ramp,
    /// The trace's own times.
    TraceTimes,
    /// A plan: a closed loop for the ceiling, then schedules at the rates of the search.
    Search,
}

impl From<Load> for LoadKind {
    fn from(load: Load) -> Self {
        match load {
            Load::Closed => Self::Closed,
            Load::Open { .. } => Self::Open,
            Load::Ramp { .. } => Self::Ramp,
            Load::TraceTimes { .. } => Self::TraceTimes,
        }
    }
}

/// One engine setting and its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TuningInfo {
    /// Name of the setting.
    pub name: String,
    /// Value with its unit, as text.
    pub value: String,
    /// Reason for the value.
    pub reason: String,
}

/// How to repeat a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reproduce {
    /// The command line.
    pub command: String,
    /// Version of this package.
    pub version: String,
    /// Commit of the build, hexadecimal, with `-dirty` appended if its sources had changes; absent in earlier reports, and where
    /// it was built outside of git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Versions of the components below it, name to version.
    pub components: BTreeMap<String, String>,
}

impl Reproduce {
    /// With the version and the commit of this build.
    pub(crate) fn by_this_build(command: String, components: BTreeMap<String, String>) -> Self {
        Self { command, version: VERSION.to_owned(), commit: COMMIT.map(str::to_owned), components }
    }

    /// `0.4.1 (1a2b3c4d5e6f)`.
    pub(crate) fn build(&self) -> String {
        build_name(&self.version, self.commit.as_deref())
    }
}
