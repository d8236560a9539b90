//! How sure the figures of a run are.

use crate::report::{Assessment, Certainty, CertaintyBuilder, CertaintyLevel, ModeResult, Outcome, relative_deviation};
use crate::units;

/// Rounds from which on their scatter says something.
const ROUNDS: usize = 3;
/// Standard deviation of the rates of rounds, as a share of their mean, that a figure bears without losing its worth.
const SCATTER: f64 = 0.06;

/// How sure the figures of a run are that `ended` so: whether they were the same again.
pub(super) fn of_run(modes: &[ModeResult], assessment: &Assessment, ended: Outcome) -> Certainty {
    let mut grounds = CertaintyBuilder::new();
    for mode in modes {
        let rates: Vec<f64> = mode.rounds.iter().map(|round| round.commands_per_second).collect();
        let scatter = relative_deviation(&rates).unwrap_or(0.0);
        let durability = mode.durability;
        let (count, scatter_text) = (rates.len(), units::percent(100.0 * scatter));
        if count < ROUNDS {
            let rounds = if count == 1 { "one round".to_owned() } else { format!("{count} rounds") };
            grounds.lower(
                CertaintyLevel::Moderate,
                format!("With durability {durability}, {rounds} only, which does not show how much the figures vary"),
            );
        } else if scatter > SCATTER {
            grounds.lower(
                CertaintyLevel::Moderate,
                format!("With durability {durability}, {count} rounds scatter by {scatter_text}"),
            );
        } else {
            grounds.support(format!("With durability {durability}, {count} rounds scatter by {scatter_text} only"));
        }
    }
    grounds.consider(assessment, ended);
    grounds.build()
}
