//! Checks that several reports are whole and distinct, and answer the same question.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::frame::{ReasonKind, Report, ReportKind, Reproduce, SourceInfo};
use super::slo::SloInfo;
use crate::units;

/// The question that all joined reports answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What was replayed; `origin` and `description` are those of the first report.
    pub source: SourceInfo,
    /// Seed of everything random.
    pub seed: u64,
    /// How commands were issued.
    pub load: String,
    /// Longest warm-up before each round, in seconds.
    pub warmup_seconds: f64,
    /// Measured time per round, in seconds; absent when a trace ran to its end.
    pub measure_seconds: Option<f64>,
    /// The target of a plan; absent for runs.
    pub target: Option<Target>,
}

/// The target of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Commands per second the deployment must sustain.
    pub target_per_second: f64,
    /// Share of capacity to keep free, percent.
    pub headroom_percent: f64,
    /// Rate a machine must sustain so that the headroom stays free at the target.
    pub required_per_second: f64,
    /// The objective.
    pub slo: SloInfo,
}

/// Date and origin of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparisonContext {
    /// Date of the comparison, RFC 3339 in UTC.
    pub compared_at: String,
    /// The command line that repeats it.
    pub command: String,
}

impl ComparisonContext {
    pub(crate) fn reproduce(&self, first: &Report) -> Reproduce {
        Reproduce::by_this_build(self.command.clone(), first.reproduce.components.clone())
    }
}

/// A field of `report.json` and its value.
pub(crate) type Field = (String, String);

pub(crate) type ReportAtPath<'a> = (&'a Path, &'a Report);

/// Why two reports cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum Incomparable {
    /// Two reports answer different questions.
    #[error(
        "{} and {} cannot be compared: {field} is {first_value} in the first and {second_value} in the second",
        first.display(),
        second.display()
    )]
    Unequal {
        /// Path of the first report.
        first: PathBuf,
        /// Path of the second report.
        second: PathBuf,
        /// The field of `report.json` that differs.
        field: String,
        /// Its value in the first.
        first_value: String,
        /// Its value in the second.
        second_value: String,
    },
    /// A report was given twice, perhaps as a copy.
    #[error(
        "{} and {} are the same report: both began at {} on one host with one command",
        .0.display(),
        .1.display(),
        .2
    )]
    Twice(PathBuf, PathBuf, String),
    /// A measurement that was interrupted.
    #[error("{} was interrupted, so it is not whole; measure it again", .0.display())]
    Interrupted(PathBuf),
}

/// Checks that a measurement went on to its end. The rounds of a plan differ from machine to machine.
pub(crate) fn check_whole((path, report): ReportAtPath<'_>) -> Result<(), Incomparable> {
    let expected = report.settings.rounds_count as usize;
    let lacks_rounds = report.kind == ReportKind::Run && report.modes.iter().any(|mode| mode.rounds.len() < expected);
    let is_cut = lacks_rounds || report.has_reason(ReasonKind::Interrupted);
    if is_cut { Err(Incomparable::Interrupted(path.to_owned())) } else { Ok(()) }
}

/// `Acknowledged data were lost or altered in nightly/17.`; `None` if no report has such a loss.
pub(crate) fn data_loss<'a>(reports: impl Iterator<Item = ReportAtPath<'a>>) -> Option<String> {
    let mut found = reports.filter(|(_, report)| report.has_lost_data()).map(|(path, _)| path);
    let first = found.next()?.display();
    let others = match found.count() {
        0 => String::new(),
        more => format!(" and in {}", units::counted(more as u64, "further report")),
    };
    Some(format!("Acknowledged data were lost or altered in {first}{others}."))
}

/// Checks that a report is not one of those before it.
pub(crate) fn check_distinct(
    before: &[ReportAtPath<'_>],
    (path, report): ReportAtPath<'_>,
) -> Result<(), Incomparable> {
    let is_same = |first: &Report| {
        (&first.started_at, &first.host, &first.reproduce.command, &first.source.shard)
            == (&report.started_at, &report.host, &report.reproduce.command, &report.source.shard)
    };
    let same = before.iter().find(|(_, first)| is_same(first));
    same.map_or(Ok(()), |(first, _)| {
        Err(Incomparable::Twice((*first).to_owned(), path.to_owned(), report.started_at.clone()))
    })
}

/// Checks that all reports have the values of the first in these fields.
pub(crate) fn check_equal(
    all: &[ReportAtPath<'_>],
    fields: impl Fn(&Report) -> Vec<Field>,
) -> Result<(), Incomparable> {
    let Some(((first, first_report), others)) = all.split_first() else { return Ok(()) };
    let expected = fields(first_report);
    for (second, report) in others {
        if let Some((field, first_value, second_value)) = difference(&expected, &fields(report)) {
            let (first, second) = ((*first).to_owned(), (*second).to_owned());
            return Err(Incomparable::Unequal { first, second, field, first_value, second_value });
        }
    }
    Ok(())
}

/// The first field in which two lists differ, with both values.
pub(crate) fn difference(first: &[Field], second: &[Field]) -> Option<(String, String, String)> {
    let value = |fields: &[Field], name: &str| {
        fields.iter().find(|field| field.0 == name).map_or_else(|| "absent".to_owned(), |field| field.1.clone())
    };
    let mut names = first.iter().chain(second).map(|field| &field.0);
    names.find_map(|name| {
        let (first, second) = (value(first, name), value(second, name));
        (first != second).then(|| (name.clone(), first, second))
    })
}

/// The fields that make up the question. The origin of the source may differ from host to host.
pub(crate) fn question_fields(report: &Report) -> Vec<Field> {
    let source = &report.source;
    let mut fields = common_fields(report);
    fields.extend([
        field("source.actors_count", &source.actors_count),
        field("source.actor_types_count", &source.actor_types_count),
    ]);
    fields.extend(source.shard.iter().map(|shard| field("source.shard.number", &shard.number)));
    fields.extend(source.facts.iter().map(|(label, fact)| field(&format!("source.facts.{label}"), fact)));
    if let Some(plan) = &report.plan {
        fields.extend([
            field("plan.target_per_second", &plan.target_per_second),
            field("plan.headroom_percent", &plan.headroom_percent),
            field("plan.slo.command", &plan.slo.command),
            field("plan.slo.percentile", &plan.slo.percentile),
            field("plan.slo.limit_ns", &plan.slo.limit_ns),
        ]);
    }
    fields
}

/// What the reports of all shards of one trace have in common: the trace, and how it was replayed.
pub(crate) fn shard_fields(report: &Report) -> Vec<Field> {
    let settings = &report.settings;
    let mut fields = common_fields(report);
    fields.extend(report.source.shard.iter().flat_map(|shard| {
        [
            field("source.shard.trace_sha256", &shard.trace_sha256),
            field("source.shard.count", &shard.count),
            field("source.shard.trace_operations_count", &shard.trace_operations_count),
        ]
    }));
    fields.push(field("settings.rounds_count", &settings.rounds_count));
    fields.extend(settings.start_at.iter().map(|start_at| field("settings.start_at", start_at)));
    fields
}

/// The fields of a question that shards of one trace share.
fn common_fields(report: &Report) -> Vec<Field> {
    let Report { source, settings, .. } = report;
    let durabilities: Vec<_> = report.modes.iter().map(|mode| mode.durability.to_string()).collect();
    vec![
        field("kind", &json(&report.kind)),
        field("name", &report.name),
        field("source.kind", &json(&source.kind)),
        field("settings.seed", &settings.seed),
        field("source.persistence", &source.persistence),
        field("settings.load", &settings.load),
        field("settings.warmup_seconds", &settings.warmup_seconds),
        field("settings.measure_seconds", &json(&settings.measure_seconds)),
        field("the durability modes (modes[].durability)", &durabilities.join(" and ")),
    ]
}

pub(crate) fn field(name: &str, value: &impl ToString) -> Field {
    (name.to_owned(), value.to_string())
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
