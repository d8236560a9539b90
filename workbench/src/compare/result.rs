//! The result of a comparison, as `comparison.json` holds it. Every field name carries its unit.

use std::collections::BTreeSet;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::report::{
    Destination, Outcome, Question, Rendered, ReportError, ReportKind, Reproduce, Warning, build_name,
};
use crate::units;

/// Version of the layout of `comparison.json`; raised when a field changes its meaning or disappears.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// Candidates compared with their base.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Layout version.
    pub schema_version: u32,
    /// Kind of the reports.
    pub kind: ReportKind,
    /// Name of the workload or trace.
    pub name: String,
    /// When the reports were compared, RFC 3339 in UTC.
    pub compared_at: String,
    /// The worst outcome of the candidates. Decides the exit code.
    pub outcome: ComparisonOutcome,
    /// The result in one sentence.
    pub sentence: String,
    /// Slowdown that counts as a regression, percent.
    pub threshold_percent: f64,
    /// Slowdown that must be ruled out for "no regression", percent.
    pub rule_out_percent: f64,
    /// Confidence of the intervals, percent; 100 less this is the chance of a false alarm in the whole comparison.
    pub confidence_percent: f64,
    /// What all reports have in common.
    pub question: Question,
    /// The build that candidates are compared with.
    pub base: Side,
    /// In the order of the command line.
    pub candidates: Vec<Candidate>,
    /// Doubts about the comparison, each with a hint.
    pub warnings: Vec<Warning>,
    /// The statistical method.
    pub method: String,
    /// How to repeat it.
    pub reproduce: Reproduce,
}

impl Comparison {
    /// Writes `comparison.json`, `comparison.md` and `comparison.html`; returns their directory.
    ///
    /// # Errors
    ///
    /// [`ReportError`]. After it, nothing new is at the final path.
    pub fn write(&self, rendered: &Rendered, destination: Destination<'_>) -> Result<PathBuf, ReportError> {
        destination.write("comparison", [&self.name, &self.compared_at], self, rendered, &[])
    }
}

/// The outcome of a comparison, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComparisonOutcome {
    /// No deciding row differs by the threshold, and larger differences are ruled out both ways.
    NoDifference,
    /// A deciding row is significantly faster by the threshold, and none slower.
    Improvement,
    /// No deciding row is slower by the threshold, and larger slowdowns are ruled out. It may be faster.
    NoRegression,
    /// The evidence is insufficient.
    Undecided,
    /// A row is significantly slower by the threshold.
    Regression,
    /// Acknowledged data were lost or altered: speed is irrelevant then.
    DataLoss,
}

/// The reports of one build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// Path on the command line, which names the build.
    pub path: String,
    /// By start.
    pub reports: Vec<ComparedReport>,
}

/// A compared report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComparedReport {
    /// File or directory it was read from.
    pub path: String,
    /// When it began, RFC 3339 in UTC.
    pub started_at: String,
    /// Version of ave-workbench that wrote it.
    pub version: String,
    /// Its commit; absent if the report has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Its own outcome.
    pub outcome: Outcome,
}

/// A candidate and its differences from the base.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The build and its reports.
    pub side: Side,
    /// Its outcome.
    pub outcome: ComparisonOutcome,
    /// The result in one sentence.
    pub sentence: String,
    /// What a sample is.
    pub samples: Samples,
    /// All differences, durability `off` before `on`.
    pub rows: Vec<Row>,
    /// Figures of the machine during the runs of both builds.
    pub machine: Vec<MachineRow>,
}

/// What a sample of a comparison is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Samples {
    /// A round of the one run on each side, paired with the round of the same number, since databases grow.
    Rounds,
    /// A run; runs of both builds alternated and are paired in order of time.
    RunsInTurns,
    /// A run; runs did not alternate.
    Runs,
}

/// The difference in one figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Durability `off` or `on`.
    pub durability: Durability,
    /// `persist`, `recover`, …; `all` for the figures of all commands together.
    pub command: String,
    /// The compared figure.
    pub metric: Metric,
    /// Whether this row must be answered for the comparison to have an answer. Medians decide; where the disk was too
    /// unsteady for them, syncs of the log decide instead. A row that does not decide can still show a regression.
    pub decides: bool,
    /// Samples of the base and of the candidate.
    pub samples_count: [u32; 2],
    /// The figure of the base: nanoseconds, commands per second, or syncs per MiB.
    pub base: f64,
    /// The figure of the candidate.
    pub candidate: f64,
    /// How much longer the candidate takes, percent; below 0 it is faster. Of a rate: how much more time per command.
    pub slower_percent: f64,
    /// Its confidence interval, for this row alone.
    pub interval_percent: [f64; 2],
    /// Larger slowdowns are ruled out: a one-sided bound at the same confidence.
    pub at_most_percent: f64,
    /// Probability of such a difference by chance in any of all rows (Holm).
    pub p_value: f64,
    /// The answer of this row.
    pub answer: Answer,
    /// Samples on each side that would probably decide it; absent if it is decided or would need too many.
    pub samples_needed_count: Option<u32>,
    /// Why it is undecided; empty if it is not.
    pub note: String,
}

/// A compared figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Median service time of a command, nanoseconds.
    ServiceP50,
    /// 99th percentile of a command's response time, nanoseconds.
    ResponseP99,
    /// Commands completed per second, in a closed loop.
    Throughput,
    /// CPU time of the process per command, nanoseconds, in a closed loop, where generators do not wait.
    CpuTime,
    /// Syncs of the write-ahead log per MiB written to it, with durability on.
    LogSyncs,
}

/// The answer of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Significantly slower by the threshold.
    Regression,
    /// Significantly faster by the threshold.
    Improvement,
    /// It does not differ by the threshold, and larger differences are ruled out both ways.
    NoDifference,
    /// It is not slower by the threshold, and larger slowdowns are ruled out. It may be faster.
    NoRegression,
    /// The evidence is insufficient.
    Undecided,
}

/// The difference in a figure of the machine, independent of the backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineRow {
    /// The mode whose rounds it was measured beside.
    pub durability: Durability,
    /// The figure.
    pub figure: MachineFigure,
    /// Beside the base, nanoseconds or cores.
    pub base: f64,
    /// Beside the candidate.
    pub candidate: f64,
    /// How much longer it took beside the candidate, percent. Of other processes: percent of the machine's cores more.
    pub more_percent: f64,
    /// Its confidence interval, for this row alone.
    pub interval_percent: [f64; 2],
    /// Whether the machine differed: significantly, and by half of the threshold at least; of other processes, by a tenth
    /// of the cores at least.
    pub differs: bool,
}

/// A figure of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MachineFigure {
    /// Median time of a fixed computation: the speed of a core.
    ComputeP50,
    /// Mean time of a fixed computation: the speed of a core, interruptions included.
    ComputeMean,
    /// Median of a 4 KiB write and `fdatasync`.
    SyncP50,
    /// Cores that other processes kept busy during the rounds.
    OtherProcesses,
}

impl ComparisonOutcome {
    /// `no difference`, `faster`, ….
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoDifference => "no difference",
            Self::Improvement => "faster",
            Self::NoRegression => "no regression",
            Self::Undecided => "cannot tell",
            Self::Regression => "regression",
            Self::DataLoss => "data lost",
        }
    }

    /// The outcome as a verdict.
    pub(crate) const fn verdict(self) -> Outcome {
        match self {
            Self::NoDifference | Self::Improvement | Self::NoRegression => Outcome::Pass,
            Self::Undecided => Outcome::Inconclusive,
            Self::Regression | Self::DataLoss => Outcome::Fail,
        }
    }
}

impl Side {
    /// `0.4.1 (1a2b3c4d5e6f)`; all of them, if its reports are of several.
    pub(crate) fn build(&self) -> String {
        let builds = self.reports.iter().map(|report| build_name(&report.version, report.commit.as_deref()));
        Vec::from_iter(builds.collect::<BTreeSet<_>>()).join(", ")
    }
}

impl MachineRow {
    /// Whether the machine was the same: it did not differ, and differences of this size are ruled out both ways.
    pub(crate) fn is_same(&self, rule_out_percent: f64) -> bool {
        let is_share = self.figure == MachineFigure::OtherProcesses;
        let least = if is_share { -rule_out_percent } else { as_much_faster(rule_out_percent) };
        let [low, high] = self.interval_percent;
        !self.differs && least < low && high < rule_out_percent
    }
}

/// The reciprocal ratio of a slowdown, percent: 25 % slower is -20 %.
pub(crate) fn as_much_faster(slower_percent: f64) -> f64 {
    -100.0 * slower_percent / (100.0 + slower_percent)
}

impl Row {
    /// `persist p50`, `throughput`.
    pub(crate) fn what(&self) -> String {
        match self.metric {
            Metric::ServiceP50 => format!("{} p50", self.command),
            Metric::ResponseP99 => format!("{} p99", self.command),
            Metric::Throughput => "throughput".to_owned(),
            Metric::CpuTime => "CPU time".to_owned(),
            Metric::LogSyncs => "log syncs".to_owned(),
        }
    }

    /// Whether it is a median that does not decide because the disk was unsteady.
    pub fn is_left_out(&self) -> bool {
        self.metric == Metric::ServiceP50 && !self.decides
    }

    /// The p-value as text: `0.004`, `< 0.001`.
    pub(crate) fn probability(&self) -> String {
        if self.p_value < 0.001 { "< 0.001".to_owned() } else { format!("{:.3}", self.p_value) }
    }

    /// Base and candidate with units.
    pub(crate) fn figures(&self) -> [String; 2] {
        [self.base, self.candidate].map(|figure| match self.metric {
            Metric::Throughput => units::rate(figure),
            Metric::LogSyncs => format!("{} per MiB", units::number(figure)),
            Metric::ServiceP50 | Metric::ResponseP99 | Metric::CpuTime => units::duration(figure),
        })
    }
}

impl Answer {
    /// `slower`, `no difference`, ….
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Regression => "slower",
            Self::Improvement => "faster",
            Self::NoDifference => "no difference",
            Self::NoRegression => "not slower",
            Self::Undecided => "cannot tell",
        }
    }
}

impl Candidate {
    /// Rows with a regression.
    pub(super) fn regressions(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.answer == Answer::Regression)
    }

    /// Deciding rows without an answer.
    pub(crate) fn undecided(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.decides && row.answer == Answer::Undecided)
    }
}
