//! The compared figures and their samples.
//!
//! All values are logarithms, so that differences are ratios; larger is slower. A rate counts as its reciprocal, the time
//! per command.

use std::collections::BTreeMap;

use super::result::{Metric, Samples};
use super::side::BuildReports;
use crate::actor::Durability;
use crate::measure::{Difference, median};
use crate::report::{LoadKind, Report, RoundInfo};

/// Samples at least. The scatter of three differences is too often small by chance: comparing one build with itself in
/// alternating runs, 2 of 18 comparisons of three runs were false alarms, and none of those of four.
pub(super) const FEWEST: usize = 4;

const MIB: f64 = 1_048_576.0;

/// Standard deviation between runs of one build beyond that of their rounds, as a logarithm: rounds of a run share the minute
/// they are measured in and the layout of memory (T. Mytkowicz et al., "Producing Wrong Data Without Doing
/// Anything Obviously Wrong!", ASPLOS 2009). In 92 comparisons of one build with itself, one run on each side, it was 0.8 to
/// 1.5 % for the medians of consecutive runs, and 1.6 to 3.8 % with other runs in between (docs/compare.md).
const RUN_SCATTER: f64 = 0.025;

/// Resolution of a histogram, the least standard error of a difference.
const RESOLUTION: f64 = 0.000_5;

/// A figure of one durability mode.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Subject {
    pub(super) durability: Durability,
    /// `all` for the throughput.
    pub(super) command: String,
    pub(super) metric: Metric,
}

/// The value of each round that has one, by its number.
pub(super) type Run = BTreeMap<u32, f64>;

/// The samples of base and candidate, paired unless runs did not alternate.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Groups {
    pub(super) base: Vec<f64>,
    pub(super) candidate: Vec<f64>,
    samples: Samples,
}

/// All figures of reports with these modes, commands and load.
pub(super) fn subjects(report: &Report) -> Vec<Subject> {
    let mut subjects = Vec::new();
    for mode in &report.modes {
        let mut add = |command: &str, metric| {
            subjects.push(Subject { durability: mode.durability, command: command.to_owned(), metric });
        };
        for command in &mode.commands {
            add(&command.name, Metric::ServiceP50);
        }
        for command in &mode.commands {
            add(&command.name, Metric::ResponseP99);
        }
        if report.settings.load_kind == LoadKind::Closed {
            add("all", Metric::Throughput);
            add("all", Metric::CpuTime);
        }
        if mode.durability == Durability::On {
            add("all", Metric::LogSyncs);
        }
    }
    subjects
}

pub(super) fn kind_of_samples(base: &BuildReports, candidate: &BuildReports) -> Samples {
    if base.reports.len() == 1 && candidate.reports.len() == 1 {
        Samples::Rounds
    } else if alternate(base, candidate) {
        Samples::RunsInTurns
    } else {
        Samples::Runs
    }
}

/// Whether the runs, in order of time, come in pairs of both builds.
fn alternate(base: &BuildReports, candidate: &BuildReports) -> bool {
    let begun = |side: &BuildReports, is_base: bool| -> Vec<(String, bool)> {
        side.reports.iter().map(|(_, report)| (report.started_at.clone(), is_base)).collect()
    };
    let mut all = [begun(base, true), begun(candidate, false)].concat();
    all.sort();
    base.reports.len() == candidate.reports.len() && all.chunks(2).all(|two| two[0].1 != two[1].1)
}

impl Subject {
    pub(super) fn groups(&self, base: &BuildReports, candidate: &BuildReports, samples: Samples) -> Groups {
        groups(base, candidate, samples, |report| values(report, self.durability, |round| self.value(round)))
    }

    fn value(&self, round: &RoundInfo) -> Option<f64> {
        let latency = || round.commands.iter().find(|latency| latency.name == self.command);
        let value = match self.metric {
            Metric::ServiceP50 => latency()?.service.p50_ns?.max(1) as f64,
            Metric::ResponseP99 => latency()?.response.p99_ns?.max(1) as f64,
            Metric::Throughput => 1.0 / round.commands_per_second,
            Metric::CpuTime => {
                1e9 * round.cpu_seconds / round.commands.iter().map(|latency| latency.count as f64).sum::<f64>()
            }
            Metric::LogSyncs => MIB * counted(round, "wal_syncs_count")? / counted(round, "wal_bytes")?,
        };
        (value > 0.0 && value.is_finite()).then(|| value.ln())
    }

    /// The logarithm as the figure it is of.
    pub(super) fn figure(&self, value: f64) -> f64 {
        if self.metric == Metric::Throughput { (-value).exp() } else { value.exp() }
    }
}

/// A counter of the engine, from before the warm-up until the load ended.
fn counted(round: &RoundInfo, name: &str) -> Option<f64> {
    let figure = round.engine.iter().find(|figure| figure.name == name)?;
    Some(figure.after.saturating_sub(figure.before) as f64)
}

/// The value of each round of a mode that has one.
pub(super) fn values(report: &Report, durability: Durability, value: impl Fn(&RoundInfo) -> Option<f64>) -> Run {
    let rounds = report.modes.iter().filter(|mode| mode.durability == durability).flat_map(|mode| &mode.rounds);
    rounds.filter_map(|round| Some((round.round, value(round)?))).collect()
}

/// The samples of two builds. With several runs, each counts with its median round: single rounds may be disturbed.
pub(super) fn groups(
    base: &BuildReports,
    candidate: &BuildReports,
    samples: Samples,
    run: impl Fn(&Report) -> Run,
) -> Groups {
    let runs = |side: &BuildReports| -> Vec<Run> { side.reports.iter().map(|(_, report)| run(report)).collect() };
    let (base, candidate) = (runs(base), runs(candidate));
    let (base, candidate) = match (base.as_slice(), candidate.as_slice()) {
        ([base], [candidate]) => {
            let both = base.iter().filter_map(|(round, value)| Some((*value, *candidate.get(round)?)));
            both.unzip()
        }
        (base, candidate) => (middles(base), middles(candidate)),
    };
    Groups { base, candidate, samples }
}

fn middles(runs: &[Run]) -> Vec<f64> {
    runs.iter().filter(|run| !run.is_empty()).map(|run| median(run.values().copied().collect())).collect()
}

impl Groups {
    /// The difference; `None` if there are too few samples, or pairs are incomplete.
    pub(super) fn difference(&self) -> Option<Difference> {
        if self.base.len().min(self.candidate.len()) < FEWEST {
            return None;
        }
        let difference = match self.samples {
            Samples::Runs => Difference::of_groups(&self.base, &self.candidate),
            _ if self.base.len() != self.candidate.len() => None,
            Samples::Rounds => Difference::of_trimmed_pairs(&self.base, &self.candidate),
            Samples::RunsInTurns => Difference::of_pairs(&self.base, &self.candidate),
        }?;
        Some(Difference { standard_error: difference.standard_error.max(RESOLUTION), ..difference })
    }

    /// The difference of the builds. With one run on each side, the scatter between runs is added to that of the rounds.
    pub(super) fn difference_of_builds(&self, metric: Metric) -> Option<Difference> {
        let is_seen = self.samples != Samples::Rounds || metric == Metric::LogSyncs;
        Some(self.difference()?.with_known_error(if is_seen { 0.0 } else { RUN_SCATTER }))
    }
}

/// The median; 0 without samples.
pub(super) fn middle(values: &[f64]) -> f64 {
    median(values.to_vec())
}
