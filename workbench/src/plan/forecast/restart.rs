//! The time of a restart with more actors, or fewer, than were measured.
//!
//! Between two populations that were measured the time follows the straight line. Beyond the larger one it follows the
//! time per actor there, which hardly changes any more once the database has outgrown the backend's cache: that is why a
//! larger population is built and measured (see [`Session::measure_restarts`](crate::load::Session::measure_restarts)).

use crate::load::{Restart, RestartRound};
use crate::measure::median;
use crate::report::{Band, Basis, RestartInfo};

/// Error of a restart that was not measured: above the 20 % seen between populations of copies and real ones of ten times the
/// actors.
const ERROR: f64 = 0.25;

/// The restart of `actors` actors; `None` if no restart of any actor was measured.
pub(super) fn restart_forecast(restarts: &[Restart], actors: u64) -> Option<RestartInfo> {
    let mut measured: Vec<Measured> = restarts.iter().filter_map(Measured::new).collect();
    measured.sort_unstable_by(|a, b| a.actors.total_cmp(&b.actors));
    let at = actors as f64;
    let (basis, found) = match measured.iter().position(|measured| measured.actors >= at) {
        Some(place) if measured[place].actors <= at => (Basis::Measured, measured[place]),
        Some(0) => (Basis::Modelled, measured[0].scaled_to(at)),
        Some(place) => (Basis::Modelled, measured[place - 1].towards(measured[place], at)),
        None => (Basis::Modelled, measured.last()?.scaled_to(at)),
    };
    let error = if basis == Basis::Measured { 0.0 } else { ERROR };
    let Measured { open_seconds, recover_seconds, low, high, .. } = found;
    let seconds = Band {
        expected: open_seconds + recover_seconds,
        low: open_seconds + recover_seconds * low * (1.0 - error),
        high: open_seconds + recover_seconds * high * (1.0 + error),
    };
    let cold = measured.iter().all(|measured| measured.is_cold);
    Some(RestartInfo { actors_count: actors, seconds, open_seconds, recover_seconds, basis, cold })
}

/// The repeats of one population.
#[derive(Clone, Copy)]
struct Measured {
    actors: f64,
    open_seconds: f64,
    /// Of the median repeat.
    recover_seconds: f64,
    /// The shortest and the longest repeat as multiples of it.
    low: f64,
    high: f64,
    is_cold: bool,
}

impl Measured {
    fn new(restart: &Restart) -> Option<Self> {
        let recover = seconds(restart, |round| round.recover_seconds);
        // 0 without repeats.
        let middle = median(recover.clone());
        if middle <= 0.0 || restart.actors == 0 {
            return None;
        }
        Some(Self {
            actors: restart.actors as f64,
            open_seconds: median(seconds(restart, |round| round.open_seconds)),
            recover_seconds: middle,
            low: recover.iter().copied().fold(f64::INFINITY, f64::min) / middle,
            high: recover.iter().copied().fold(0.0, f64::max) / middle,
            is_cold: restart.rounds.iter().all(|round| round.is_cold),
        })
    }

    /// A population of another size in proportion. The time of opening stays: it at most doubled while the database
    /// grew tenfold, and is a hundredth of the whole.
    fn scaled_to(self, actors: f64) -> Self {
        Self { actors, recover_seconds: self.recover_seconds * actors / self.actors, ..self }
    }

    fn towards(self, larger: Self, actors: f64) -> Self {
        let share = (actors - self.actors) / (larger.actors - self.actors);
        let between = |small: f64, large: f64| small + (large - small) * share;
        Self {
            actors,
            open_seconds: between(self.open_seconds, larger.open_seconds),
            recover_seconds: between(self.recover_seconds, larger.recover_seconds),
            low: between(self.low, larger.low),
            high: between(self.high, larger.high),
            ..larger
        }
    }
}

fn seconds(restart: &Restart, of: impl Fn(&RestartRound) -> f64) -> Vec<f64> {
    restart.rounds.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn restart(actors: u64, recover: &[f64]) -> Restart {
        let round = |&recover_seconds: &f64| RestartRound { open_seconds: 0.5, recover_seconds, is_cold: true };
        Restart { actors, rounds: recover.iter().map(round).collect(), ..Restart::default() }
    }

    #[test]
    fn a_measured_population_has_the_median_and_the_spread_of_its_repeats() {
        let found = restart_forecast(&[restart(100, &[3.0, 1.0, 2.0])], 100).unwrap();
        assert_eq!(found.basis, Basis::Measured);
        assert_eq!(found.seconds, Band { expected: 2.5, low: 1.5, high: 3.5 });
        assert!(found.cold);
    }

    #[test]
    fn between_two_populations_time_follows_the_line_and_beyond_them_the_time_per_actor() {
        let measured = [restart(1000, &[20.0]), restart(100, &[1.0])];
        let recover = |actors| restart_forecast(&measured, actors).unwrap().recover_seconds;
        assert!((recover(550) - 10.5).abs() < 1e-9);
        assert!((recover(2000) - 40.0).abs() < 1e-9);
        assert!((recover(50) - 0.5).abs() < 1e-9);
        assert_eq!(restart_forecast(&measured, 2000).unwrap().basis, Basis::Modelled);
    }

    #[test]
    fn without_a_measurement_there_is_no_forecast() {
        assert_eq!(restart_forecast(&[], 10), None);
        assert_eq!(restart_forecast(&[restart(0, &[0.0]), restart(10, &[])], 10), None);
    }

    proptest! {
        #[test]
        fn more_actors_take_no_less_time_and_bands_are_in_order(
            small in 1u64..1000, more in 1u64..100_000, per_actor in 1e-6..1e-2, slower in 1.0..4.0, actors in 1u64..1_000_000,
        ) {
            let large = small + more;
            let seconds = |actors: u64, per_actor: f64| [actors as f64 * per_actor, actors as f64 * per_actor * 1.1];
            let measured =
                [restart(small, &seconds(small, per_actor)), restart(large, &seconds(large, per_actor * slower))];
            let [one, next] = [actors, actors + 1].map(|actors| restart_forecast(&measured, actors).unwrap());
            prop_assert!(one.recover_seconds <= next.recover_seconds * (1.0 + 1e-9));
            prop_assert!(one.seconds.low <= one.seconds.expected && one.seconds.expected <= one.seconds.high);
        }
    }
}
