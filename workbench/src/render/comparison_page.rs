//! `comparison.html` and `comparison.md`: a comparison of builds.

use serde::Serialize;

use super::forest::{Axis, DrawnInterval};
use super::screen::{Fact, Screen, ScreenMode, Tone};
use super::template::render;
use crate::actor::Durability;
use crate::compare::{Answer, Candidate, Comparison, MachineFigure, MachineRow, Row, Samples, Side};
use crate::report::{Outcome, Rendered};
use crate::units;

/// The pages of a comparison of builds. All text is escaped, and the content security policy of the HTML page forbids
/// network requests.
pub fn comparison(comparison: &Comparison) -> Rendered {
    let page = ComparisonPage::new(comparison);
    Rendered { html: render("comparison.html.j2", &page), markdown: render("comparison.md.j2", &page) }
}

#[derive(Serialize)]
struct ComparisonPage<'a> {
    comparison: &'a Comparison,
    screen: Screen,
    /// Class of the page, and the word.
    outcome: (Outcome, &'static str),
    candidates: Vec<CandidateView<'a>>,
}

impl<'a> ComparisonPage<'a> {
    fn new(comparison: &'a Comparison) -> Self {
        let rows = comparison.candidates.iter().flat_map(|candidate| &candidate.rows);
        let axis = Axis::of(rows, comparison.threshold_percent, comparison.rule_out_percent);
        let candidates = comparison.candidates.iter();
        Self {
            screen: screen(comparison),
            comparison,
            outcome: (comparison.outcome.verdict(), comparison.outcome.words()),
            candidates: candidates.map(|one| CandidateView::new(comparison, one, axis)).collect(),
        }
    }
}

/// The largest slowdown of a deciding figure in each mode.
fn screen(comparison: &Comparison) -> Screen {
    let outcome = comparison.outcome.verdict();
    let mode = |durability| {
        let rows = comparison.candidates.iter().flat_map(|candidate| &candidate.rows);
        let deciding = rows.filter(|row| row.durability == durability && row.decides);
        let worst = deciding.max_by(|a, b| a.slower_percent.total_cmp(&b.slower_percent))?;
        let change = units::percent_difference(worst.slower_percent);
        Some(ScreenMode::figure(durability, change, Some(format!("{}, {}", worst.what(), Answer::words(worst.answer)))))
    };
    let sides = std::iter::once(&comparison.base).chain(comparison.candidates.iter().map(|one| &one.side));
    let reports_count: usize = sides.map(|side| side.reports.len()).sum();
    Screen {
        outcome: Some(outcome),
        tone: Tone::of(outcome, None),
        word: format!("{} builds", comparison.candidates.len() + 1),
        title: capitalised(comparison.outcome.words()),
        size: None,
        facts: vec![
            Fact::new("Reports", units::count(reports_count as u64)),
            Fact::new("Regression from", units::percent_difference(comparison.threshold_percent)),
        ],
        sure: None,
        modes: Durability::BOTH.into_iter().filter_map(mode).collect(),
        scope: None,
    }
}

pub(super) fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), letters.as_str()))
}

#[derive(Serialize)]
struct CandidateView<'a> {
    candidate: &'a Candidate,
    outcome: (Outcome, &'static str),
    samples: &'static str,
    /// Of the base and of the candidate.
    builds: [String; 2],
    axis: Axis,
    modes: Vec<ModeRows<'a>>,
    machine: Vec<MachineView<'a>>,
}

#[derive(Serialize)]
struct ModeRows<'a> {
    durability: Durability,
    rows: Vec<RowView<'a>>,
}

#[derive(Serialize)]
struct RowView<'a> {
    row: &'a Row,
    what: String,
    /// Of the base and of the candidate.
    figures: [String; 2],
    probability: String,
    /// Class of the page, and the words.
    answer: [&'static str; 2],
    needed: Option<String>,
    drawn: DrawnInterval,
}

#[derive(Serialize)]
struct MachineView<'a> {
    row: &'a MachineRow,
    what: &'static str,
    /// Beside the base and beside the candidate.
    figures: [String; 2],
    /// Class of the page, and the words.
    answer: [&'static str; 2],
}

impl<'a> CandidateView<'a> {
    fn new(comparison: &'a Comparison, candidate: &'a Candidate, axis: Axis) -> Self {
        let mode = |durability| {
            let of_mode = candidate.rows.iter().filter(|row| row.durability == durability);
            let rows: Vec<_> = of_mode.map(|row| RowView::new(row, candidate.samples, axis)).collect();
            (!rows.is_empty()).then_some(ModeRows { durability, rows })
        };
        Self {
            candidate,
            outcome: (candidate.outcome.verdict(), candidate.outcome.words()),
            samples: samples(candidate.samples),
            builds: [&comparison.base, &candidate.side].map(Side::build),
            axis,
            modes: Durability::BOTH.into_iter().filter_map(mode).collect(),
            machine: candidate.machine.iter().map(|row| MachineView::new(row, comparison.rule_out_percent)).collect(),
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

impl<'a> RowView<'a> {
    fn new(row: &'a Row, samples: Samples, axis: Axis) -> Self {
        let of = if samples == Samples::Rounds { "rounds" } else { "runs" };
        Self {
            row,
            what: row.what(),
            figures: row.figures(),
            probability: row.probability(),
            answer: [class(row.answer), row.answer.words()],
            needed: row.samples_needed_count.map(|count| format!("about {count} {of} on each side would do")),
            drawn: axis.draw(row),
        }
    }
}

/// Whether the figure shows that the machine was the same: class of the page and words.
fn same_machine(row: &MachineRow, rule_out_percent: f64) -> [&'static str; 2] {
    if row.differs {
        ["no", "differed"]
    } else if row.is_same(rule_out_percent) {
        ["", "the same"]
    } else {
        ["soft", "inconclusive"]
    }
}

pub(super) const fn class(answer: Answer) -> &'static str {
    match answer {
        Answer::Regression => "no",
        Answer::Improvement | Answer::NoDifference | Answer::NoRegression => "yes",
        Answer::Undecided => "soft",
    }
}

impl<'a> MachineView<'a> {
    fn new(row: &'a MachineRow, rule_out_percent: f64) -> Self {
        let is_share = row.figure == MachineFigure::OtherProcesses;
        let figure = |value| {
            if is_share { format!("{} cores", units::number(value)) } else { units::duration(value) }
        };
        let what = match row.figure {
            MachineFigure::OtherProcesses => "taken by other processes",
            MachineFigure::ComputeP50 => "computing, median",
            MachineFigure::ComputeMean => "computing, mean",
            MachineFigure::SyncP50 => "disk sync, median",
        };
        Self { row, what, figures: [row.base, row.candidate].map(figure), answer: same_machine(row, rule_out_percent) }
    }
}
