//! Doubts about a history.

use super::reports::Reports;
use super::result::{History, Series};
use crate::compare::Answer;
use crate::measure::MOST_CHANGE_POINTS;
use crate::report::{Outcome, Warning};
use crate::units;

pub(super) fn warnings(history: &History, reports: &Reports) -> Vec<Warning> {
    let mut found = Vec::new();
    if let Some(newest) = reports.entries.last().filter(|entry| entry.report.verdict.outcome == Outcome::Fail) {
        found.push(Warning {
            what: format!("The newest report failed: {}", newest.report.verdict.sentence),
            hint: "Read that report first.".to_owned(),
        });
    }
    let doubtful = history.reports.iter().filter(|report| report.outcome == Outcome::Inconclusive).count();
    if doubtful > 0 {
        found.push(Warning {
            what: format!(
                "{doubtful} of {} are inconclusive themselves.",
                units::counted(history.reports.len() as u64, "report")
            ),
            hint: "Their figures scatter more than others: measure on an idle machine.".to_owned(),
        });
    }
    if history.series.iter().any(|series| series.changes.len() >= MOST_CHANGE_POINTS) {
        found.push(Warning {
            what: format!("The search ended at {MOST_CHANGE_POINTS} change points."),
            hint: "Give fewer reports.".to_owned(),
        });
    }
    let mut slower = history.series.iter().filter(|series| series.answer == Answer::Regression).peekable();
    let has_new_build = |series: &Series| {
        history.decisive_change(series).is_some_and(|change| change.differing.iter().any(|it| it.is_build))
    };
    if slower.peek().is_some() && !slower.any(has_new_build) {
        found.push(Warning {
            what: "No version or commit that reports record differs where the figures changed.".to_owned(),
            hint: "Builds without a commit, or with changes to it, may still differ: compare both in turns on one host with \
                   `compare`."
                .to_owned(),
        });
    }
    found
}
