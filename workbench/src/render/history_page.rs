//! `history.html` and `history.md`: one question over time.

use serde::Serialize;

use super::comparison_page::{capitalised, class};
use super::screen::{Fact, Screen, ScreenMode, Tone};
use super::template::render;
use super::timeline::TimelineChart;
use crate::actor::Durability;
use crate::compare::Answer;
use crate::history::{Change, History, Series};
use crate::report::{Outcome, Rendered};
use crate::units;

/// The pages of a history. All text is escaped, and the content security policy of the HTML page forbids network requests.
pub fn history(history: &History) -> Rendered {
    let page = HistoryPage::new(history);
    Rendered { html: render("history.html.j2", &page), markdown: render("history.md.j2", &page) }
}

#[derive(Serialize)]
struct HistoryPage<'a> {
    history: &'a History,
    screen: Screen,
    /// Class of the page, and the word.
    outcome: (Outcome, &'static str),
    charts: Vec<TimelineChart>,
    changes: Vec<ChangeView<'a>>,
    series: Vec<SeriesView<'a>>,
    has_ranges: bool,
}

impl<'a> HistoryPage<'a> {
    fn new(history: &'a History) -> Self {
        let changes = history.changes();
        Self {
            screen: screen(history),
            outcome: (history.outcome.verdict(), history.outcome.words()),
            charts: history.series.iter().filter_map(|series| TimelineChart::new(history, series)).collect(),
            changes: changes.into_iter().map(|(series, change)| ChangeView::new(history, series, change)).collect(),
            series: history.series.iter().map(SeriesView::new).collect(),
            has_ranges: history.series.iter().flat_map(|series| &series.points).any(|point| point.range.is_some()),
            history,
        }
    }
}

/// The series of each mode that counts most: the slowest of those that decide.
fn screen(history: &History) -> Screen {
    let outcome = history.outcome.verdict();
    let mode = |durability| {
        let of_mode = history.series.iter().filter(|series| series.durability == durability);
        let slowness = |series: &&Series| series.slower_percent.unwrap_or(f64::NEG_INFINITY);
        let worst = of_mode.max_by(|a, b| {
            let rank = |series: &&Series| (series.answer == Answer::Regression, series.decides);
            rank(a).cmp(&rank(b)).then(slowness(a).total_cmp(&slowness(b)))
        })?;
        let change = worst.slower_percent.map_or_else(units::absent, units::percent_difference);
        Some(ScreenMode::figure(durability, change, Some(format!("{}, {}", worst.what(), worst.answer.words()))))
    };
    let changes: usize = history.series.iter().map(|series| series.changes.len()).sum();
    Screen {
        outcome: Some(outcome),
        tone: Tone::of(outcome, None),
        word: "History".to_owned(),
        title: capitalised(history.outcome.words()),
        size: None,
        facts: vec![
            Fact::new("Reports", units::count(history.reports.len() as u64)),
            Fact::new("Changes", units::count(changes as u64)),
            Fact::new("Regression from", units::percent_difference(history.threshold_percent)),
        ],
        sure: None,
        modes: Durability::BOTH.into_iter().filter_map(mode).collect(),
        scope: None,
    }
}

#[derive(Serialize)]
struct ChangeView<'a> {
    change: &'a Change,
    durability: Durability,
    what: String,
    since: String,
    /// When the last report before it began.
    last_before: String,
    /// Paths of the last report before and of the first after.
    reports: [&'a str; 2],
    figures: [String; 2],
    /// Class of the page, and the words.
    word: [&'static str; 2],
    causes: Vec<String>,
}

impl<'a> ChangeView<'a> {
    fn new(history: &'a History, series: &Series, change: &'a Change) -> Self {
        let class = match (change.is_beyond_threshold, change.is_worse) {
            (false, _) => "soft",
            (true, true) => "no",
            (true, false) => "yes",
        };
        Self {
            durability: series.durability,
            what: series.what(),
            since: history.since(change),
            last_before: units::moment(&history.reports[change.last_before].started_at),
            reports: [change.last_before, change.first_after].map(|place| history.reports[place].path.as_str()),
            figures: [change.before, change.after].map(|value| series.figure(value)),
            word: [class, change.word()],
            causes: change.causes().collect(),
            change,
        }
    }
}

#[derive(Serialize)]
struct SeriesView<'a> {
    series: &'a Series,
    what: String,
    newest: String,
    difference: String,
    interval: String,
    /// Class of the page, and the words.
    answer: [&'static str; 2],
}

impl<'a> SeriesView<'a> {
    fn new(series: &'a Series) -> Self {
        Self {
            what: series.what(),
            newest: series.newest.map_or_else(units::absent, |mean| series.figure(mean)),
            difference: series.slower_percent.map_or_else(units::absent, units::percent_difference),
            interval: series.interval_percent.map(units::percent_interval).unwrap_or_default(),
            answer: [class(series.answer), series.answer.words()],
            series,
        }
    }
}
