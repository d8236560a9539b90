//! The result of a history in one sentence.

use super::result::{Change, History, Metric, Series};
use crate::compare::{Answer, ComparisonOutcome};
use crate::units;

/// What the figures show, after a loss of data if there was one.
pub(super) fn sentence(history: &History, loss: Option<String>, of_figures: ComparisonOutcome) -> String {
    let figures = figures(history, of_figures);
    loss.map_or_else(|| figures.clone(), |loss| format!("{loss} {figures}"))
}

fn figures(history: &History, outcome: ComparisonOutcome) -> String {
    match outcome {
        ComparisonOutcome::Regression | ComparisonOutcome::DataLoss => {
            format!("Slower: {}", changed(history, Answer::Regression))
        }
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
    let takes = takes(largest, largest.slower_percent.unwrap_or_default());
    format!("{takes}{interval}{since}{}.", more(found.len()))
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
fn takes(series: &Series, slower: f64) -> String {
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
    let deciding = || history.series.iter().filter(|series| series.decides);
    let bounds = deciding().filter_map(|series| series.at_most_percent);
    let reference = if history.baseline.is_some() {
        "the segment of the baseline"
    } else if deciding().any(|series| series.segments.len() > 1) {
        "the segment before them"
    } else {
        "the others"
    };
    format!(
        "The newest of {} are not slower than {reference} by {}, and a slowdown of more than {} is ruled out ({} \
         confidence).{}",
        units::counted(history.reports.len() as u64, "report"),
        units::percent(history.threshold_percent),
        units::percent(bounds.fold(0.0, f64::max)),
        units::percent(history.confidence_percent),
        creep(history),
    )
}

/// ` Since the first segment, by the rate (durability off) a command takes 12 % longer: use --baseline nightly/0 to compare with
/// it.`, if steps below the threshold add up to it.
fn creep(history: &History) -> String {
    let slower = |series: &&Series| series.slower_than_first_percent().unwrap_or_default();
    let deciding = history.series.iter().filter(|series| series.decides && history.baseline.is_none());
    let worst = deciding.max_by(|one, other| slower(one).total_cmp(&slower(other)));
    let Some(worst) = worst.filter(|series| slower(series) >= history.threshold_percent) else { return String::new() };
    let first = &history.reports[worst.points[0].report].path;
    format!(" Since the first segment, {}: use --baseline {first} to compare with it.", takes(worst, slower(&worst)))
}
