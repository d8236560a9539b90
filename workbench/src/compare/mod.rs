//! The comparison of builds: is a candidate slower than the base? As plain data, and the pure functions that render it.
//!
//! A [`Comparison`] is made of reports that were asked the same question on the same host. Each difference comes with its
//! confidence interval, and an answer that is a regression only if chance, the machine and the number of comparisons are
//! ruled out as its cause. Like [`Report`](crate::report::Report), this knows nothing of databases, clocks or the command line,
//! and every field name carries its unit.

mod answer;
mod comparable;
mod directory;
mod disk;
mod error;
mod given;
mod judge;
mod machine;
mod samples;
mod sentence;
mod warnings;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use directory::write;
pub use error::CompareError;
pub use given::GivenSide;
pub use judge::{CompareContext, CompareSettings, compare};

use crate::actor::Durability;
use crate::report::{Outcome, Question, ReportKind, Reproduce, Warning};
use crate::units;

/// Version of the layout of `comparison.json`; raised when a field changes its meaning or disappears.
pub const SCHEMA_VERSION: u32 = 1;

/// Candidates beside their base.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Layout version, [`SCHEMA_VERSION`] when written by this build.
    pub schema_version: u32,
    /// Kind of the reports.
    pub kind: ReportKind,
    /// Name of the workload or trace.
    pub name: String,
    /// When the reports were compared, RFC 3339 in UTC.
    pub compared_at: String,
    /// How it came out: the worst of the candidates. Decides the exit code.
    pub outcome: ComparisonOutcome,
    /// The answer in one sentence.
    pub sentence: String,
    /// Slowdown that counts as a regression, percent.
    pub threshold_percent: f64,
    /// Slowdown that had to be ruled out before no regression is said, percent.
    pub rule_out_percent: f64,
    /// Confidence of the intervals, percent. What is left to 100 is the chance of a false alarm in the whole comparison.
    pub confidence_percent: f64,
    /// What every report was asked.
    pub question: Question,
    /// What the candidates are compared with.
    pub base: Side,
    /// The candidates, as they were given.
    pub candidates: Vec<Candidate>,
    /// What may spoil the comparison, each with a hint.
    pub warnings: Vec<Warning>,
    /// How the answers came about.
    pub method: String,
    /// How to repeat it.
    pub reproduce: Reproduce,
}

/// How a comparison came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComparisonOutcome {
    /// Nothing that decides is slower or faster by the threshold, and what was to be ruled out is, either way.
    NoDifference,
    /// Something is faster, beyond the threshold and beyond chance, and nothing slower.
    Improvement,
    /// Nothing that decides is slower by the threshold, and what was to be ruled out is. It may be faster.
    NoRegression,
    /// The evidence carries no answer.
    Undecided,
    /// Something is slower, beyond the threshold and beyond chance.
    Regression,
}

/// The reports of one build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// Path as it was given, which names the build.
    pub path: String,
    /// Its reports, by start.
    pub reports: Vec<ComparedReport>,
}

/// A report that was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComparedReport {
    /// Where it was read from.
    pub path: String,
    /// When it began, RFC 3339 in UTC.
    pub started_at: String,
    /// Version of the build that wrote it.
    pub version: String,
    /// How it came out by itself.
    pub outcome: Outcome,
}

/// One candidate and how it differs from the base.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Its reports.
    pub side: Side,
    /// How it came out.
    pub outcome: ComparisonOutcome,
    /// The answer in one sentence.
    pub sentence: String,
    /// What the samples are.
    pub samples: Samples,
    /// Every difference, durability `off` before `on`.
    pub rows: Vec<Row>,
    /// What the machine did in the runs of the base and of the candidate.
    pub machine: Vec<MachineRow>,
}

/// What the samples of a comparison are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Samples {
    /// The rounds of one run on each side; each with the round of the same number, since databases grow.
    Rounds,
    /// Runs, each one of the base with the one of the candidate beside it in time: they took turns.
    RunsInTurns,
    /// Runs that did not take turns.
    Runs,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Whether writes waited for the disk.
    pub durability: Durability,
    /// `persist`, `recover`, …; `all` for the figures of all commands together.
    pub command: String,
    /// The figure that is compared.
    pub metric: Metric,
    /// Whether the comparison is undecided where this row is. Medians decide; those that wait for a disk which cannot be
    /// told itself do not, and syncs of the log do in their place. A row that does not decide can show a regression all the
    /// same.
    pub decides: bool,
    /// Samples of the base and of the candidate behind it.
    pub samples_count: [u32; 2],
    /// The figure of the base: nanoseconds, commands per second, or syncs per MiB.
    pub base: f64,
    /// The figure of the candidate.
    pub candidate: f64,
    /// How much longer it takes, percent; below 0 it is faster. Of a rate, how much more time a command takes.
    pub slower_percent: f64,
    /// Confidence interval of the same, for this row by itself.
    pub interval_percent: [f64; 2],
    /// The slowdown above which all is ruled out: a one-sided bound at the same confidence.
    pub at_most_percent: f64,
    /// How often chance would show such a difference in any of all rows, if there was none (Holm).
    pub p_value: f64,
    /// What it says.
    pub answer: Answer,
    /// Samples on each side that would probably decide it; absent where it is decided, and where none would.
    pub samples_needed_count: Option<u32>,
    /// Why it is undecided; empty where it is not.
    pub note: String,
}

/// A figure that is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Median service time of a command, nanoseconds.
    ServiceP50,
    /// 99th percentile of a command's response time, nanoseconds.
    ResponseP99,
    /// Commands completed per second, in a closed loop.
    Throughput,
    /// CPU time of the whole process per command, nanoseconds, in a closed loop: generators do not wait there.
    CpuTime,
    /// Syncs of the write-ahead log per MiB written to it, with durability on.
    LogSyncs,
}

/// What a difference says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Slower, beyond chance and beyond the threshold.
    Regression,
    /// Faster, beyond chance and beyond the threshold.
    Improvement,
    /// Neither slower nor faster by the threshold, and what was to be ruled out is, either way.
    NoDifference,
    /// Not slower by the threshold, and what was to be ruled out is. It may be faster.
    NoRegression,
    /// It cannot be told.
    Undecided,
}

/// What the machine did on both sides that has nothing to do with the backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineRow {
    /// The rounds beside which it was measured.
    pub durability: Durability,
    /// What was looked at.
    pub figure: MachineFigure,
    /// Beside the base: nanoseconds, or cores.
    pub base: f64,
    /// Beside the candidate.
    pub candidate: f64,
    /// How much longer it took beside the candidate, percent. Of what others took: percent of the machine's cores more.
    pub more_percent: f64,
    /// Confidence interval of the same, for this row by itself.
    pub interval_percent: [f64; 2],
    /// Whether the machine differed: beyond chance, and by half of the threshold at least; of what others took, by a
    /// tenth of the cores at least.
    pub differs: bool,
}

/// A figure of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MachineFigure {
    /// Median time of a portion of computing: the speed of a core.
    ComputeP50,
    /// Mean time of a portion of computing: the speed of a core, and how much of it others took.
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
        }
    }
}

impl MachineRow {
    /// Whether the machine was the same: no difference was seen, and one of this size is ruled out, either way.
    pub(crate) fn is_same(&self, rule_out_percent: f64) -> bool {
        let is_share = self.figure == MachineFigure::OtherProcesses;
        let least = if is_share { -rule_out_percent } else { as_much_faster(rule_out_percent) };
        let [low, high] = self.interval_percent;
        !self.differs && least < low && high < rule_out_percent
    }
}

/// As much faster as this is slower, percent: the same ratio the other way.
pub(crate) fn as_much_faster(slower_percent: f64) -> f64 {
    -100.0 * slower_percent / (100.0 + slower_percent)
}

impl Row {
    /// `persist p50`, `throughput`.
    pub fn what(&self) -> String {
        match self.metric {
            Metric::ServiceP50 => format!("{} p50", self.command),
            Metric::ResponseP99 => format!("{} p99", self.command),
            Metric::Throughput => "throughput".to_owned(),
            Metric::CpuTime => "CPU time".to_owned(),
            Metric::LogSyncs => "log syncs".to_owned(),
        }
    }

    /// Whether it is a median that does not decide, since the disk it waits for cannot be told.
    pub fn is_left_out(&self) -> bool {
        self.metric == Metric::ServiceP50 && !self.decides
    }

    /// Its probability under chance, as people read it: `0.004`, `< 0.001`.
    pub fn probability(&self) -> String {
        if self.p_value < 0.001 { "< 0.001".to_owned() } else { format!("{:.3}", self.p_value) }
    }

    /// Base and candidate as people read them.
    pub fn figures(&self) -> [String; 2] {
        [self.base, self.candidate].map(|figure| match self.metric {
            Metric::Throughput => units::rate(figure),
            Metric::LogSyncs => format!("{} per MiB", units::number(figure)),
            Metric::ServiceP50 | Metric::ResponseP99 | Metric::CpuTime => units::duration(figure),
        })
    }
}

impl Answer {
    /// `slower`, `no difference`, ….
    pub const fn words(self) -> &'static str {
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
    /// The rows on which a regression was found.
    pub fn regressions(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.answer == Answer::Regression)
    }

    /// The rows that keep it from being decided.
    pub fn undecided(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.decides && row.answer == Answer::Undecided)
    }
}
