//! Certainty of the figures of a run.

use crate::report::{Assessment, Certainty, CertaintyLevel, Ground, ModeResult, Outcome, relative_deviation};
use crate::units;

/// Least rounds for which their scatter is judged.
const ROUNDS: usize = 3;
/// Largest standard deviation of the rates of rounds, as a share of their mean, for high certainty.
const SCATTER: f64 = 0.06;

pub(super) fn of_run(modes: &[ModeResult], assessment: &Assessment, ended: Outcome) -> Certainty {
    Certainty::of(modes.iter().map(agreement).chain(assessment.ground(ended)).collect())
}

fn agreement(mode: &ModeResult) -> Ground {
    let rates: Vec<f64> = mode.rounds.iter().map(|round| round.commands_per_second).collect();
    let scatter = relative_deviation(&rates).unwrap_or(0.0);
    let (count, percent) = (rates.len(), units::percent(100.0 * scatter));
    let (level, reason) = match count {
        1 => (CertaintyLevel::Moderate, "one round only, which does not show how much the figures vary".to_owned()),
        0..ROUNDS => {
            let reason = format!("{count} rounds only, which does not show how much the figures vary");
            (CertaintyLevel::Moderate, reason)
        }
        _ if scatter > SCATTER => (CertaintyLevel::Moderate, format!("{count} rounds scatter by {percent}")),
        _ => (CertaintyLevel::High, format!("{count} rounds scatter by {percent} only")),
    };
    (level, format!("With durability {}, {reason}", mode.durability))
}
