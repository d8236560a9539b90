//! What may spoil a comparison.

use crate::compare::given::GivenSide;
use crate::compare::judge::CompareSettings;
use crate::compare::{Candidate, Samples};
use crate::measure::FOREIGN_SHARE;
use crate::report::{Outcome, Report, Warning};

/// What was seen on any side, each with what to do about it.
pub(super) fn warnings(
    base: &GivenSide,
    candidates: &[(&GivenSide, Option<String>)],
    judged: &[Candidate],
    settings: CompareSettings,
) -> Vec<Warning> {
    let sides: Vec<&GivenSide> = std::iter::once(base).chain(candidates.iter().map(|(side, _)| *side)).collect();
    let mut found = Vec::new();
    for (_, other_host) in candidates {
        found.extend(other_host.as_deref().map(|differs| hosts(differs, settings)));
    }
    found.extend(sides.iter().filter_map(|side| failed(side)));
    found.extend(sides.iter().filter_map(|side| busy(side)));
    found.extend(judged.iter().filter_map(order));
    if sides.iter().any(|side| !was_watched(side)) {
        found.push(Warning {
            what: "Some reports do not say what the machine did without the backend.".to_owned(),
            hint: "A difference of the machine would be taken for one of the builds. Measure with `run`.".to_owned(),
        });
    }
    found
}

fn hosts(differs: &str, settings: CompareSettings) -> Warning {
    let hint = if settings.across_hosts {
        "The difference of the hosts is part of the difference shown."
    } else {
        "Measure both builds on one host, or give --across-hosts if the hosts are what you compare."
    };
    Warning { what: format!("The hosts differ: {differs}."), hint: hint.to_owned() }
}

/// A report that lost data says nothing of speed.
fn failed(side: &GivenSide) -> Option<Warning> {
    let (path, report) = side.reports.iter().find(|(_, report)| report.verdict.outcome == Outcome::Fail)?;
    Some(Warning {
        what: format!("{} is a failed run: {}", path.display(), report.verdict.sentence),
        hint: "Read that report first.".to_owned(),
    })
}

fn busy(side: &GivenSide) -> Option<Warning> {
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
        hint: "Stop what else runs on this machine, or alternate several runs of each build.".to_owned(),
    })
}

fn order(candidate: &Candidate) -> Option<Warning> {
    (candidate.samples == Samples::Runs).then(|| Warning {
        what: format!("The runs of {} did not take turns with those of the base.", candidate.side.path),
        hint: "What the machine did meanwhile counts as a difference of the builds. Alternate: base, candidate, base, \
               candidate."
            .to_owned(),
    })
}

fn was_watched(side: &GivenSide) -> bool {
    let mut modes = side.reports.iter().flat_map(|(_, report)| &report.modes);
    modes.all(|mode| mode.rounds.iter().any(|round| round.reference_work.is_some()))
}
