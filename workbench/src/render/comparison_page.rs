//! `comparison.html` and `comparison.md`: the comparison for people.

use serde::Serialize;

use crate::actor::Durability;
use crate::compare::{Answer, Candidate, Comparison, ComparisonOutcome, MachineFigure, MachineRow, Row, Samples};
use crate::render::forest::{Axis, Drawn};
use crate::render::template::{Markup, render};
use crate::units;

const HTML: &str = include_str!("compare.html.j2");
const MARKDOWN: &str = include_str!("compare.md.j2");
const STYLE: &str = include_str!("report.css");
const OWN_STYLE: &str = include_str!("compare.css");

/// The comparison as one HTML page without scripts, its charts and styles inline.
///
/// Whatever the comparison holds is escaped; a policy in the page forbids it to load anything from anywhere.
pub fn html(comparison: &Comparison) -> String {
    render(Markup::Html, HTML, Page::new(comparison))
}

/// The comparison as GitHub-flavoured Markdown.
pub fn markdown(comparison: &Comparison) -> String {
    render(Markup::Markdown, MARKDOWN, Page::new(comparison))
}

#[derive(Serialize)]
struct Page<'a> {
    comparison: &'a Comparison,
    /// Class of the page, and the word.
    outcome: [&'static str; 2],
    threshold: String,
    rule_out: String,
    confidence: String,
    reports_count: usize,
    candidates: Vec<Shown<'a>>,
    style: &'static str,
    own_style: &'static str,
}

impl<'a> Page<'a> {
    fn new(comparison: &'a Comparison) -> Self {
        let rows = comparison.candidates.iter().flat_map(|candidate| &candidate.rows);
        let axis = Axis::of(rows, comparison.threshold_percent, comparison.rule_out_percent);
        let candidates = comparison.candidates.iter();
        let sides = std::iter::once(&comparison.base).chain(comparison.candidates.iter().map(|one| &one.side));
        Self {
            comparison,
            outcome: outcome(comparison.outcome),
            threshold: units::percent(comparison.threshold_percent),
            rule_out: units::percent(comparison.rule_out_percent),
            confidence: units::percent(comparison.confidence_percent),
            reports_count: sides.map(|side| side.reports.len()).sum(),
            candidates: candidates.map(|one| Shown::new(one, axis, comparison.rule_out_percent)).collect(),
            style: STYLE,
            own_style: OWN_STYLE,
        }
    }
}

/// Class of the page and word of an outcome.
const fn outcome(outcome: ComparisonOutcome) -> [&'static str; 2] {
    let class = match outcome {
        ComparisonOutcome::NoDifference | ComparisonOutcome::Improvement | ComparisonOutcome::NoRegression => "pass",
        ComparisonOutcome::Undecided => "inconclusive",
        ComparisonOutcome::Regression => "fail",
    };
    [class, outcome.words()]
}

/// One candidate.
#[derive(Serialize)]
struct Shown<'a> {
    candidate: &'a Candidate,
    outcome: [&'static str; 2],
    samples: &'static str,
    axis: Axis,
    ticks: [String; 2],
    modes: Vec<Mode<'a>>,
    machine: Vec<MachineShown>,
}

/// The rows of one durability mode.
#[derive(Serialize)]
struct Mode<'a> {
    durability: Durability,
    rows: Vec<RowShown<'a>>,
}

#[derive(Serialize)]
struct RowShown<'a> {
    row: &'a Row,
    what: String,
    base: String,
    candidate: String,
    difference: String,
    interval: String,
    probability: String,
    /// Class of the page, and the words.
    answer: [&'static str; 2],
    needed: Option<String>,
    drawn: Drawn,
}

#[derive(Serialize)]
struct MachineShown {
    durability: Durability,
    what: &'static str,
    base: String,
    candidate: String,
    difference: String,
    interval: String,
    /// Class of the page, and the words.
    answer: [&'static str; 2],
}

impl<'a> Shown<'a> {
    fn new(candidate: &'a Candidate, axis: Axis, rule_out_percent: f64) -> Self {
        let rows = |durability: Durability| candidate.rows.iter().filter(move |row| row.durability == durability);
        let mode = |durability| {
            let rows: Vec<_> = rows(durability).map(|row| RowShown::new(row, candidate.samples, axis)).collect();
            (!rows.is_empty()).then_some(Mode { durability, rows })
        };
        Self {
            candidate,
            outcome: outcome(candidate.outcome),
            samples: samples(candidate.samples),
            axis,
            ticks: [units::percent_difference(axis.low), units::percent_difference(axis.high)],
            modes: [Durability::Off, Durability::On].into_iter().filter_map(mode).collect(),
            machine: candidate.machine.iter().map(|row| MachineShown::new(row, rule_out_percent)).collect(),
        }
    }
}

const fn samples(samples: Samples) -> &'static str {
    match samples {
        Samples::Rounds => "rounds, each beside the round of the same number",
        Samples::RunsInTurns => "runs that took turns, each beside its neighbour",
        Samples::Runs => "runs that did not take turns",
    }
}

impl<'a> RowShown<'a> {
    fn new(row: &'a Row, samples: Samples, axis: Axis) -> Self {
        let [base, candidate] = row.figures();
        let of = if samples == Samples::Rounds { "rounds" } else { "runs" };
        Self {
            row,
            what: row.what(),
            base,
            candidate,
            difference: units::percent_difference(row.slower_percent),
            interval: units::percent_interval(row.interval_percent),
            probability: row.probability(),
            answer: [class(row.answer), row.answer.words()],
            needed: row.samples_needed_count.map(|count| format!("about {count} {of} on each side would do")),
            drawn: axis.draw(row),
        }
    }
}

/// Whether the machine was the same, as far as its figure tells.
fn same_machine(row: &MachineRow, rule_out_percent: f64) -> [&'static str; 2] {
    if row.differs {
        ["no", "differed"]
    } else if row.is_same(rule_out_percent) {
        ["", "the same"]
    } else {
        ["soft", "cannot tell"]
    }
}

/// The class of an answer on the page.
const fn class(answer: Answer) -> &'static str {
    match answer {
        Answer::Regression => "no",
        Answer::Improvement | Answer::NoDifference | Answer::NoRegression => "yes",
        Answer::Undecided => "soft",
    }
}

impl MachineShown {
    fn new(row: &MachineRow, rule_out_percent: f64) -> Self {
        let is_share = row.figure == MachineFigure::OtherProcesses;
        let cores = |cores| format!("{} cores", units::number(cores));
        let figure = |value: f64| if is_share { cores(value) } else { units::duration(value) };
        let what = match row.figure {
            MachineFigure::OtherProcesses => "taken by other processes",
            MachineFigure::ComputeP50 => "computing, median",
            MachineFigure::ComputeMean => "computing, mean",
            MachineFigure::SyncP50 => "disk sync, median",
        };
        Self {
            durability: row.durability,
            what,
            base: figure(row.base),
            candidate: figure(row.candidate),
            difference: units::percent_difference(row.more_percent),
            interval: units::percent_interval(row.interval_percent),
            answer: same_machine(row, rule_out_percent),
        }
    }
}
