//! Doubts about a comparison.

use std::collections::BTreeSet;

use super::result::{Candidate, Samples};
use super::settings::CompareSettings;
use super::side::BuildReports;
use crate::measure::FOREIGN_SHARE;
use crate::report::{Outcome, Report, Warning, is_same_commit, short_commit};

pub(super) fn warnings(
    base: &BuildReports,
    candidates: &[(&BuildReports, Option<&str>)],
    judged: &[Candidate],
    settings: CompareSettings,
) -> Vec<Warning> {
    let sides: Vec<&BuildReports> = std::iter::once(base).chain(candidates.iter().map(|(side, _)| *side)).collect();
    let other_hosts = candidates.iter().filter_map(|(_, other_host)| *other_host);
    let mut found: Vec<_> = other_hosts.map(|differs| hosts(differs, settings)).collect();
    found.extend(sides.iter().filter_map(|side| failed(side)));
    found.extend(sides.iter().filter_map(|side| busy(side)));
    found.extend(judged.iter().filter_map(order));
    found.extend(sides.iter().filter_map(|side| several_builds(side)));
    found.extend(candidates.iter().filter_map(|(side, _)| one_commit(base, side)));
    if sides.iter().any(|side| !was_watched(side)) {
        found.push(Warning {
            what: "Some reports have no timings of the machine without the backend.".to_owned(),
            hint: "A difference of the machine would count as one of the builds. Measure with `run`.".to_owned(),
        });
    }
    found
}

fn hosts(differs: &str, settings: CompareSettings) -> Warning {
    let hint = if settings.across_hosts {
        "The difference of the hosts is part of the difference shown."
    } else {
        "Measure both builds on one host, or use --across-hosts to compare hosts."
    };
    Warning { what: format!("The hosts differ: {differs}."), hint: hint.to_owned() }
}

/// The speed of a run that failed, for example by losing data, is irrelevant.
fn failed(side: &BuildReports) -> Option<Warning> {
    let (path, report) = side.reports.iter().find(|(_, report)| report.verdict.outcome == Outcome::Fail)?;
    Some(Warning {
        what: format!("{} is a failed run: {}", path.display(), report.verdict.sentence),
        hint: "Read that report first.".to_owned(),
    })
}

fn busy(side: &BuildReports) -> Option<Warning> {
    let share = |report: &Report| {
        let rounds = report.modes.iter().flat_map(|mode| &mode.rounds);
        let foreign: Vec<f64> = rounds.filter_map(|round| round.foreign_cores).collect();
        let mean = foreign.iter().sum::<f64>() / foreign.len().max(1) as f64;
        mean / f64::from(report.host.logical_cores_count.max(1))
    };
    let busy = side.reports.iter().filter(|(_, report)| share(report) > FOREIGN_SHARE[1]).count();
    (busy > 0).then(|| Warning {
        what: format!(
            "Other processes kept more than {} % of the cores busy in {busy} of {} runs of {}.",
            100.0 * FOREIGN_SHARE[1],
            side.reports.len(),
            side.path.display()
        ),
        hint: "Stop other processes, or alternate several runs of each build.".to_owned(),
    })
}

/// Their difference would count as scatter.
fn several_builds(side: &BuildReports) -> Option<Warning> {
    let builds: BTreeSet<String> = side.reports.iter().map(|(_, report)| report.reproduce.build()).collect();
    let builds = Vec::from_iter(builds);
    (builds.len() > 1).then(|| Warning {
        what: format!("The reports of {} are of {} builds: {}.", side.path.display(), builds.len(), builds.join(", ")),
        hint: "Measure each side with one build, or follow many builds with `history`.".to_owned(),
    })
}

fn one_commit(base: &BuildReports, candidate: &BuildReports) -> Option<Warning> {
    let commit = |side: &BuildReports| side.reports.first().and_then(|(_, report)| report.reproduce.commit.clone());
    let [base, built] = [base, candidate].map(commit);
    is_same_commit(base.as_deref(), built.as_deref()).then(|| Warning {
        what: format!(
            "The base and {} are builds of one commit, {}.",
            candidate.path.display(),
            short_commit(&built.unwrap_or_default())
        ),
        hint: "A difference is due to the machine, the compiler or chance. Is one of them the build you meant?"
            .to_owned(),
    })
}

fn order(candidate: &Candidate) -> Option<Warning> {
    let hint =
        "Changes of the machine count as a difference of the builds. Alternate: base, candidate, base, candidate.";
    let what = || format!("The runs of {} did not alternate with those of the base.", candidate.side.path);
    (candidate.samples == Samples::Runs).then(|| Warning { what: what(), hint: hint.to_owned() })
}

fn was_watched(side: &BuildReports) -> bool {
    let mut modes = side.reports.iter().flat_map(|(_, report)| &report.modes);
    modes.all(|mode| mode.rounds.iter().any(|round| round.reference_work.is_some()))
}
