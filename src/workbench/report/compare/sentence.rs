//! The answer of a comparison in one sentence.

use super::samples::FEWEST;
use super::{Answer, Candidate, CompareSettings, ComparisonOutcome, Metric, Row};
use crate::workbench::report::format;

/// Of one candidate its own; of several those that did not pass, or that all did.
pub(super) fn sentence(candidates: &[Candidate]) -> String {
    match candidates {
        [one] => one.sentence.clone(),
        all => {
            let stands_out = |one: &&Candidate| one.outcome != ComparisonOutcome::NoRegression;
            let told: Vec<_> =
                all.iter().filter(stands_out).map(|one| format!("{}: {}", one.side.path, one.sentence)).collect();
            if told.is_empty() { format!("None of {} candidates is slower.", all.len()) } else { told.join(" ") }
        }
    }
}

pub(super) fn candidate_sentence(candidate: &Candidate, other_host: Option<&str>, settings: CompareSettings) -> String {
    let threshold = format::percent(settings.threshold_percent);
    match (candidate.outcome, other_host) {
        (ComparisonOutcome::Undecided, Some(other_host)) if !settings.across_hosts => {
            format!("It cannot be told: the hosts differ, {other_host}.")
        }
        (ComparisonOutcome::Regression, _) => regression(candidate, settings.confidence_percent),
        (ComparisonOutcome::Undecided, _) => undecided(candidate, &threshold),
        (ComparisonOutcome::NoRegression, _) => no_regression(candidate, &threshold),
    }
}

/// `The candidate is slower: persist (durability off) takes 11 % longer (95 % interval 8 to 14 %), and 2 more figures.`
fn regression(candidate: &Candidate, confidence: f64) -> String {
    let mut found: Vec<&Row> = candidate.regressions().collect();
    // What decides comes before what does not, the largest before the others.
    found.sort_by(|one, other| {
        other.decides.cmp(&one.decides).then(other.slower_percent.total_cmp(&one.slower_percent))
    });
    let Some(worst) = found.first() else { return String::new() };
    let [low, high] = worst.interval_percent.map(rounded);
    let more = match found.len() {
        1 => String::new(),
        2 => ", and 1 more figure is slower".to_owned(),
        more => format!(", and {} more figures are slower", more - 1),
    };
    format!(
        "The candidate is slower: {} takes {} % longer ({} interval {low} to {high} %){more}.",
        subject(worst),
        rounded(worst.slower_percent),
        format::percent(confidence),
    )
}

fn undecided(candidate: &Candidate, threshold: &str) -> String {
    let open: Vec<&Row> = candidate.undecided().collect();
    let decide = candidate.rows.iter().filter(|row| row.decides).count();
    let Some(first) = open.first() else {
        return format!(
            "It cannot be told: no command was issued often enough in at least {FEWEST} rounds or runs on each side."
        );
    };
    let others = decide - open.len();
    let rest = match others {
        0 => String::new(),
        1 => ". One other shows no slowdown".to_owned(),
        more => format!(". {more} others show no slowdown"),
    };
    format!(
        "It cannot be told whether the candidate is slower by {threshold}: {} of {decide} medians are open; {}: {}{rest}.",
        open.len(),
        subject(first),
        first.note
    )
}

fn no_regression(candidate: &Candidate, threshold: &str) -> String {
    let decide: Vec<&Row> = candidate.rows.iter().filter(|row| row.decides).collect();
    let faster: Vec<&&Row> = decide.iter().filter(|row| row.answer == Answer::Improvement).collect();
    let best = faster.iter().min_by(|one, other| one.slower_percent.total_cmp(&other.slower_percent));
    let Some(best) = best else {
        return format!("No slowdown beyond {threshold} in any of {} medians.", decide.len());
    };
    format!(
        "The candidate is faster: {} takes {} % less; no slowdown beyond {threshold} in any of {} medians.",
        subject(best),
        rounded(-best.slower_percent),
        decide.len()
    )
}

/// `persist (durability off)`.
pub(super) fn subject(row: &Row) -> String {
    let what = match row.metric {
        Metric::ServiceP50 => row.command.clone(),
        Metric::ResponseP99 => format!("p99 of {}", row.command),
        Metric::Throughput => "a command at full throughput".to_owned(),
    };
    format!("{what} (durability {})", row.durability)
}

/// Percent without more digits than it deserves.
fn rounded(percent: f64) -> String {
    if percent.abs() < 9.95 { format!("{percent:.1}") } else { format::number(percent.round()) }
}
