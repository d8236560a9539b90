//! The result of a history in one sentence.

use super::result::{Change, History, Metric, Series};
use crate::compare::{Answer, ComparisonOutcome};
use crate::units;

pub(super) fn sentence(history: &History) -> String {
    match history.outcome {
        ComparisonOutcome::Regression => format!("Slower: {}", changed(history, Answer::Regression)),
        ComparisonOutcome::Improvement => {
            format!("Faster: {} {}", changed(history, Answer::Improvement), no_slowdown(history))
        }
        ComparisonOutcome::Undecided => undecided(history),
        ComparisonOutcome::NoDifference | ComparisonOutcome::NoRegression => no_slowdown(history),
    }
}

/// `persist p99 (durability on) takes 24 % longer (95 % interval +18.0 to +31.0 %) since 2026-03-04 09:30:00 UTC,
/// reports/ledger-20260304T093000Z; reproduce.version 0.4.1 → 0.4.2.`
fn changed(history: &History, answer: Answer) -> String {
    let size = |series: &Series| series.slower_percent.unwrap_or_default().abs();
    let found: Vec<&Series> = history.series.iter().filter(|series| series.answer == answer).collect();
    let rank = |a: &&&Series, b: &&&Series| a.decides.cmp(&b.decides).then(size(a).total_cmp(&size(b)));
    let Some(largest) = found.iter().max_by(rank) else { return String::new() };
    let interval = largest.interval_percent.map_or_else(String::new, |interval| {
        format!(" ({} interval {})", units::percent(history.confidence_percent), units::percent_interval(interval))
    });
    let since = history.decisive_change(largest).map_or_else(String::new, |change| {
        format!(" since {}, {}{}", history.since(change), history.reports[change.first_after].path, builds(change))
    });
    format!("{}{interval}{since}{}.", takes(largest), more(found.len()))
}

/// `, and 2 more figures`.
fn more(found: usize) -> String {
    match found.saturating_sub(1) {
        0 => String::new(),
        1 => ", and 1 more figure".to_owned(),
        more => format!(", and {more} more figures"),
    }
}

/// `persist p99 (durability on) takes 24 % longer`; of a rate the time per command.
fn takes(series: &Series) -> String {
    let slower = series.slower_percent.unwrap_or_default();
    let by = units::percent(slower.abs());
    let longer = if slower > 0.0 { "longer" } else { "less" };
    match series.metric {
        Metric::Rate => format!("by the {} a command takes {by} {longer}", series.name()),
        Metric::Latency => format!("{} takes {by} {longer}", series.name()),
    }
}

/// Which components of the build changed.
fn builds(change: &Change) -> String {
    let changed = change.differing.iter().filter(|field| field.is_build);
    let texts = changed.map(|field| format!("; {} {} → {}", field.field, field.before, field.after));
    texts.collect::<Vec<_>>().concat()
}

fn undecided(history: &History) -> String {
    let open: Vec<&Series> =
        history.series.iter().filter(|one| one.decides && one.answer == Answer::Undecided).collect();
    let at_most = |series: &Series| series.at_most_percent.unwrap_or(f64::INFINITY);
    let Some(worst) = open.iter().max_by(|one, other| at_most(one).total_cmp(&at_most(other))) else {
        return "Inconclusive: the reports have no figure that decides.".to_owned();
    };
    format!("Inconclusive: {}{}: {}.", worst.name(), more(open.len()), worst.note)
}

fn no_slowdown(history: &History) -> String {
    let bounds = history.series.iter().filter(|series| series.decides).filter_map(|series| series.at_most_percent);
    format!(
        "The newest of {} are not slower by {}, and a slowdown of more than {} is ruled out ({} confidence).",
        units::counted(history.reports.len() as u64, "report"),
        units::percent(history.threshold_percent),
        units::percent(bounds.fold(0.0, f64::max)),
        units::percent(history.confidence_percent),
    )
}
