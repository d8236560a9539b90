//! Whether something succeeds almost always, decided by as few trials as the wanted error allows.
//!
//! The sequential probability ratio test (A. Wald, "Sequential Tests of Statistical Hypotheses", Annals of Mathematical
//! Statistics 16, 1945): after each trial the ratio of the likelihoods of two shares of successes decides, or asks for one
//! more trial. Successes and failures count alike, and none is left out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Share of successes that must be taken for "almost always", and the share that must not.
const RELIABLE: f64 = 0.95;
const UNRELIABLE: f64 = 0.5;
/// Trials after which a test without a decision ends, as a multiple of those that decide if all succeed.
const MOST_TRIALS: u32 = 4;

/// Trials and how many of them succeeded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trials {
    /// Those that met the objective.
    pub held_count: u32,
    /// All of them.
    pub tried_count: u32,
}

impl Trials {
    pub(crate) fn add(&mut self, held: bool) {
        self.held_count += u32::from(held);
        self.tried_count += 1;
    }
}

impl std::fmt::Display for Trials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "held {} of {}", self.held_count, self.tried_count)
    }
}

/// What the trials so far say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It succeeds almost always.
    Reliable,
    /// It does not.
    Unreliable,
    /// More trials are needed.
    Open,
    /// As many trials as are made have decided nothing.
    Undecided,
}

/// Decides after some trials. `error` is the chance, above 0 and below 0.5, that something which succeeds half of the time is
/// taken for reliable, and that something which succeeds in 95 % of all trials is not.
pub(crate) fn decide(trials: Trials, error: f64) -> Decision {
    let failed = trials.tried_count - trials.held_count;
    let evidence = f64::from(trials.held_count) * (RELIABLE / UNRELIABLE).ln()
        + f64::from(failed) * ((1.0 - RELIABLE) / (1.0 - UNRELIABLE)).ln();
    let bound = ((1.0 - error) / error).ln();
    if evidence >= bound {
        Decision::Reliable
    } else if evidence <= -bound {
        Decision::Unreliable
    } else if trials.tried_count >= MOST_TRIALS * fewest_trials(error) {
        Decision::Undecided
    } else {
        Decision::Open
    }
}

/// Successes in a row that decide.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
pub(crate) fn fewest_trials(error: f64) -> u32 {
    (((1.0 - error) / error).ln() / (RELIABLE / UNRELIABLE).ln()).ceil() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    /// The share of tests that take something for reliable which succeeds with this chance.
    fn taken_for_reliable(chance: f64, error: f64) -> f64 {
        const TESTS: u32 = 4_000;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
        let mut test = || {
            let mut trials = Trials::default();
            loop {
                match decide(trials, error) {
                    Decision::Open => trials.add(random.random::<f64>() < chance),
                    decided => return decided == Decision::Reliable,
                }
            }
        };
        f64::from((0..TESTS).map(|_| u32::from(test())).sum::<u32>()) / f64::from(TESTS)
    }

    #[test]
    fn the_errors_are_at_most_the_stated_ones() {
        for error in [0.1, 0.05, 0.01] {
            let scatter = 3.0 * (error / 4_000.0_f64).sqrt();
            let wrong = taken_for_reliable(UNRELIABLE, error);
            assert!(wrong <= error + scatter, "{wrong} of the unreliable are taken at {error}");
            let missed = 1.0 - taken_for_reliable(RELIABLE, error);
            assert!(missed <= error + scatter, "{missed} of the reliable are missed at {error}");
            assert!(taken_for_reliable(0.2, error) < 0.005, "rare luck is never taken for reliable at {error}");
        }
    }

    #[test]
    fn two_successes_after_three_failures_prove_nothing() {
        let mut trials = Trials::default();
        for held in [false, false, false] {
            trials.add(held);
        }
        assert_eq!(decide(trials, 0.05), Decision::Unreliable);
        trials.add(true);
        trials.add(true);
        assert_eq!(decide(trials, 0.05), Decision::Unreliable);
        assert_eq!(trials.to_string(), "held 2 of 5");
    }

    #[test]
    fn a_smaller_error_takes_more_trials() {
        assert_eq!([0.1, 0.05, 0.01].map(fewest_trials), [4, 5, 8]);
    }
}
