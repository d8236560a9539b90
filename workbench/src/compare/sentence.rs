//! The result of a comparison in one sentence.

use super::result::{Answer, Candidate, ComparisonOutcome, Metric, Row};
use super::samples::FEWEST;
use super::settings::CompareSettings;
use crate::units;

/// That of one candidate; of several, those that did not pass, or that all did.
pub(super) fn sentence(candidates: &[Candidate]) -> String {
    if let [one] = candidates {
        return one.sentence.clone();
    }
    let is_as_fast = [ComparisonOutcome::NoDifference, ComparisonOutcome::NoRegression];
    let found = candidates.iter().filter(|one| !is_as_fast.contains(&one.outcome));
    let found: Vec<_> = found.map(|one| format!("{}: {}", one.side.path, one.sentence)).collect();
    if found.is_empty() { format!("None of {} candidates is slower.", candidates.len()) } else { found.join(" ") }
}

pub(super) fn candidate_sentence(candidate: &Candidate, other_host: Option<&str>, settings: CompareSettings) -> String {
    match (candidate.outcome, other_host) {
        (ComparisonOutcome::Undecided, Some(other_host)) if !settings.across_hosts => {
            format!("Inconclusive: the hosts differ, {other_host}.")
        }
        (ComparisonOutcome::Regression | ComparisonOutcome::DataLoss, _) => {
            regression(candidate, settings.confidence_percent)
        }
        (ComparisonOutcome::Undecided, _) => undecided(candidate, settings),
        (ComparisonOutcome::Improvement, _) => {
            format!("The candidate is faster{}. {}", improvement(candidate), no_slowdown(candidate, settings))
        }
        (ComparisonOutcome::NoDifference | ComparisonOutcome::NoRegression, _) => no_slowdown(candidate, settings),
    }
}

/// `The candidate is slower: persist (durability off) takes 11 % longer (95 % interval 8 to 14 %), and 2 more figures.`
fn regression(candidate: &Candidate, confidence: f64) -> String {
    let mut found: Vec<&Row> = candidate.regressions().collect();
    // Deciding rows first, then the largest.
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
        "The candidate is slower: {} ({} interval {low} to {high} %){more}.",
        takes(worst),
        units::percent(confidence),
    )
}

/// `It is inconclusive whether the candidate is slower by 5 %; persist (durability off): a slowdown of up to 12 % is not ruled
/// out. Of 8 figures that decide 2 are open, 6 show no slowdown.`
fn undecided(candidate: &Candidate, settings: CompareSettings) -> String {
    let open: Vec<&Row> = candidate.undecided().collect();
    let Some(worst) = open.iter().max_by(|one, other| one.at_most_percent.total_cmp(&other.at_most_percent)) else {
        return format!(
            "Inconclusive: no command was issued often enough in at least {FEWEST} rounds or runs on each side."
        );
    };
    let decide = candidate.rows.iter().filter(|row| row.decides).count();
    let numbered = |count, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
    let rest = match decide - open.len() {
        0 => String::new(),
        more => format!(", {}", numbered(more, "shows no slowdown", "show no slowdown")),
    };
    format!(
        "It is inconclusive whether the candidate is slower by {}; {}: {}. Of {} {}{rest}.",
        units::percent(settings.threshold_percent),
        subject(worst),
        worst.note,
        numbered(decide, "figure that decides", "figures that decide"),
        numbered(open.len(), "is open", "are open"),
    )
}

/// `: persist (durability off) takes 11 % less`.
fn improvement(candidate: &Candidate) -> String {
    let faster = candidate.rows.iter().filter(|row| row.decides && row.answer == Answer::Improvement);
    let best = faster.min_by(|one, other| one.slower_percent.total_cmp(&other.slower_percent));
    best.map_or_else(String::new, |best| format!(": {}", takes(best)))
}

/// `None of 4 medians is slower by 5 %, and a slowdown of more than 3.1 % is ruled out (95 % confidence).` Mentions an
/// unsteady disk.
fn no_slowdown(candidate: &Candidate, settings: CompareSettings) -> String {
    let decide = || candidate.rows.iter().filter(|row| row.decides);
    let at_most = decide().map(|row| row.at_most_percent).fold(0.0, f64::max);
    let medians = decide().filter(|row| row.metric == Metric::ServiceP50).count();
    let compared = match medians {
        0 => units::counted(decide().count() as u64, "figure"),
        count => units::counted(count as u64, "median"),
    };
    format!(
        "None of {compared} is slower by {}, and a slowdown of more than {} % is ruled out ({} confidence).{}",
        units::percent(settings.threshold_percent),
        rounded(at_most),
        units::percent(settings.confidence_percent),
        unsteady_disk(candidate),
    )
}

/// Rows left out for an unsteady disk, and those that decide instead.
fn unsteady_disk(candidate: &Candidate) -> String {
    let left_out = candidate.rows.iter().filter(|row| row.is_left_out()).count();
    if left_out == 0 {
        return String::new();
    }
    let is_cpu_time = |row: &Row| row.decides && row.metric == Metric::CpuTime;
    let instead =
        if candidate.rows.iter().any(is_cpu_time) { "CPU time and syncs of the log" } else { "syncs of the log" };
    format!(
        " With durability on the disk was unsteady: {instead} decide there in place of {}.",
        units::counted(left_out as u64, "median")
    )
}

/// `persist (durability off) takes 11 % longer`.
fn takes(row: &Row) -> String {
    let by = rounded(row.slower_percent.abs());
    let is_more = row.slower_percent > 0.0;
    match row.metric {
        Metric::LogSyncs => {
            let often = if is_more { "more" } else { "less" };
            format!("the log is synced {by} % {often} often for the same writes")
        }
        _ => format!("{} takes {by} % {}", subject(row), if is_more { "longer" } else { "less" }),
    }
}

/// `persist (durability off)`.
fn subject(row: &Row) -> String {
    let what = match row.metric {
        Metric::ServiceP50 => row.command.clone(),
        Metric::ResponseP99 => format!("p99 of {}", row.command),
        Metric::Throughput => "a command at full throughput".to_owned(),
        Metric::CpuTime => "the CPU time of a command".to_owned(),
        Metric::LogSyncs => "syncs of the log".to_owned(),
    };
    format!("{what} (durability {})", row.durability)
}

/// Percent, one decimal below 10.
fn rounded(percent: f64) -> String {
    if percent.abs() < 9.95 { format!("{percent:.1}") } else { units::number(percent.round()) }
}
