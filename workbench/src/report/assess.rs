//! How far a measurement can be trusted: disturbances, and whether it supports an answer.

use statrs::statistics::Statistics;

use crate::load::{Crashed, Drive, GENERATOR_SHARE, GeneratorLag, Measurement, Verified};
use crate::measure::{DRIFT, FOREIGN_SHARE, Percentile, STEAL_PERCENT, SWAPPED_BYTES, Trend};
use crate::report::{CertaintyLevel, Ground, Outcome, Reason, ReasonKind, Warning};
use crate::units;
use ave_actors_rocksdb::trace::CommandKind;

/// Fewest samples in a second for its median to count.
const DRIFT_SAMPLES: u64 = 20;
/// Standard deviation of the rates of rounds, as a share of their mean, that is worth a warning, and that spoils a result.
const ROUND_SCATTER: [f64; 2] = [0.12, 0.3];
/// Why an answer that a measurement does not support is not certain.
pub(crate) const UNDECIDED: &str = "The measurement supports no answer, for the reasons below";
/// Why one of a disturbed measurement is not.
pub(crate) const DISTURBED: &str = "Something disturbed the measurement: see the reasons and the warnings";
const UNSTEADY_HINT: &str = "the machine or its disk is unsteady; measure longer or with more rounds";

/// Warnings, doubts and failures of a measurement.
#[derive(Debug, Default)]
pub(crate) struct Assessment {
    cores: u32,
    /// How many of the warnings are about the host, known before measuring.
    host_warnings: usize,
    pub(crate) warnings: Vec<Warning>,
    /// Why the measurement supports no answer; empty if it does.
    pub(crate) doubts: Vec<String>,
    interruptions: Vec<String>,
    /// What took time away from the system under test. An objective that was met nevertheless is met; a missed one is
    /// inconclusive.
    pub(crate) disturbances: Vec<String>,
    /// Lost or altered data: a failure whatever the figures.
    pub(crate) losses: Vec<String>,
    /// Rates that were offered and not achieved: they come first in the verdict.
    pub(crate) overloads: Vec<String>,
}

impl Assessment {
    pub(crate) fn of_host(cores: u32, host_warnings: &[Warning]) -> Self {
        Self { cores, host_warnings: host_warnings.len(), warnings: host_warnings.to_vec(), ..Self::default() }
    }

    /// What was seen while measuring; warnings about the host beforehand do not count.
    pub(crate) fn ground(&self, outcome: Outcome) -> Option<Ground> {
        let (level, reason) = if !self.losses.is_empty() {
            (CertaintyLevel::Low, "The database differs from what it acknowledged")
        } else if outcome == Outcome::Inconclusive {
            (CertaintyLevel::Low, UNDECIDED)
        } else if !self.disturbances.is_empty() || self.warnings.len() > self.host_warnings {
            (CertaintyLevel::Moderate, DISTURBED)
        } else {
            return None;
        };
        Some((level, reason.to_owned()))
    }

    /// The outcome: losses take precedence over doubts, doubts over `found`. `judged` is whether `found` answers an
    /// objective.
    pub(crate) fn outcome(&self, found: Outcome, judged: bool) -> Outcome {
        let met = judged && found == Outcome::Pass;
        if !self.losses.is_empty() {
            Outcome::Fail
        } else if !self.interruptions.is_empty() || !self.doubts.is_empty() || (!self.disturbances.is_empty() && !met) {
            Outcome::Inconclusive
        } else {
            found
        }
    }

    /// All that weighs on the outcome, heaviest first.
    pub(crate) fn reasons(&self) -> Vec<Reason> {
        let kinds = [
            (ReasonKind::DataLoss, &self.losses),
            (ReasonKind::Interrupted, &self.interruptions),
            (ReasonKind::Doubt, &self.doubts),
            (ReasonKind::Disturbance, &self.disturbances),
        ];
        kinds.iter().flat_map(|(kind, texts)| texts.iter().map(|text| Reason::new(*kind, text.clone()))).collect()
    }

    pub(crate) fn interrupted(&mut self) {
        self.interruptions.push("it was interrupted: the figures cover what was measured until then".to_owned());
    }

    /// Rounds of one long measurement.
    pub(crate) fn mode(&mut self, name: &str, rounds: &[Drive], offered: Option<f64>, verified: Option<&Verified>) {
        self.check_backlog(name, rounds, offered);
        self.loads(name, rounds, offered.is_some(), verified);
        if rounds.iter().any(|round| round.settled == Some(false)) {
            self.doubts.push(format!(
                "durability {name}: compactions were still pending 20 s after the load ended: work that the figures do not \
                 include; measure longer"
            ));
        }
        self.check_drift(name, rounds);
    }

    /// Loads that were judged one by one: one that fell behind, or left compactions pending, is a trial that missed.
    pub(crate) fn loads(&mut self, name: &str, rounds: &[Drive], is_open: bool, verified: Option<&Verified>) {
        self.check_generator(name, rounds, is_open);
        self.check_samples(name, rounds);
        self.check_steal(rounds);
        self.check_swap(rounds);
        self.check_foreign_load(name, rounds);
        self.check_warm_up(name, rounds);
        self.check_scatter(name, rounds);
        if let Some(verified) = verified.filter(|verified| !verified.differences.is_empty()) {
            let first = &verified.differences[0];
            self.losses.push(format!("durability {name}: the database differs from what was acknowledged: {first}"));
        }
    }

    pub(crate) fn kills(&mut self, name: &str, crashed: &Crashed) {
        self.crashes(name, crashed, "kills", "a process was killed");
    }

    /// That no power could be cut here is a remark of the report, no doubt in it.
    pub(crate) fn power_cuts(&mut self, name: &str, crashed: &Crashed) {
        if crashed.kills > 0 {
            self.crashes(name, crashed, "power cuts", "a power cut");
        }
    }

    fn crashes(&mut self, name: &str, crashed: &Crashed, events: &str, event: &str) {
        if let Some(failure) = &crashed.failure {
            let kills = crashed.kills;
            self.doubts.push(format!("the {events} with durability {name} ended after {kills}: {failure}"));
        }
        if let Some(first) = crashed.verified.differences.first() {
            let lost = units::count(crashed.verified.lost);
            self.losses.push(format!(
                "durability {name}: after {event}, the database differs from what was acknowledged to it, \
                 {lost} records lost: {first}"
            ));
        }
    }

    fn check_backlog(&mut self, name: &str, rounds: &[Drive], offered: Option<f64>) {
        let Some(offered) = offered else { return };
        if !rounds.iter().any(|round| round.measurement.fell_behind()) {
            return;
        }
        // As the mode's own rate: rounds that fell behind are longer than others.
        let all = Measurement::over_rounds(rounds.iter().map(|round| &round.measurement));
        let (offered, achieved) = (units::commands_per_second(offered), units::number(all.commands_per_second()));
        let late = units::duration(all.final_lag_ns as f64);
        self.overloads.push(format!("Durability {name}: {offered} were offered and {achieved} achieved"));
        self.doubts.push(format!(
            "durability {name}: {offered} were offered and {achieved} achieved, the last one {late} late: a queue \
             grew, and latencies measure its length rather than the backend's speed"
        ));
    }

    fn check_generator(&mut self, name: &str, rounds: &[Drive], is_open: bool) {
        if !is_open {
            return;
        }
        let Some(lag) = GeneratorLag::over(rounds.iter().map(|round| &round.measurement)) else { return };
        let text = format!(
            "durability {name}: the generator itself began commands up to {} late (p99), a part of the p99 response time \
             of {}",
            units::duration(lag.lag_ns as f64),
            units::duration(lag.response_ns as f64)
        );
        let hint = "use a lower rate, or measure while no other process runs; the service time is not affected";
        self.grade(lag.share(), GENERATOR_SHARE, |found| &mut found.disturbances, text, hint);
    }

    /// The most frequent command must support a median, and should support a p99.
    fn check_samples(&mut self, name: &str, rounds: &[Drive]) {
        let count_of = |kind: CommandKind| -> u64 {
            let latencies = rounds.iter().filter_map(|round| round.measurement.command(kind));
            latencies.map(|latency| latency.service.count()).sum()
        };
        let counts = CommandKind::ALL.into_iter().map(|kind| (count_of(kind), kind));
        let Some((count, kind)) = counts.max_by_key(|most| most.0) else { return };
        let samples = units::counted(count, "sample");
        if !Percentile::P50.is_supported_by(count) {
            self.doubts.push(format!("durability {name}: {samples} of `{kind}` support no percentile; measure longer"));
        } else if !Percentile::P99.is_supported_by(count) {
            let text = format!("durability {name}: {samples} of `{kind}` support no p99");
            self.warn(text, "it needs 1,000 samples: measure longer or with more rounds");
        }
    }

    fn check_swap(&mut self, rounds: &[Drive]) {
        let swapped: u64 = rounds.iter().filter_map(|round| round.usage.swapped_bytes).sum();
        if swapped > SWAPPED_BYTES {
            let swapped = units::bytes(swapped as f64);
            self.disturbances.push(format!("the machine swapped {swapped} while it was measured: memory ran out"));
        }
    }

    fn check_warm_up(&mut self, name: &str, rounds: &[Drive]) {
        let unsteady = rounds.iter().filter(|round| round.steady == Some(false)).count();
        let warmup = rounds.iter().map(|round| round.warmup.as_secs_f64()).fold(0.0, f64::max);
        let text = format!(
            "durability {name}: rate and latency had not settled after {} of warm-up in {unsteady} of {}",
            units::seconds(warmup),
            units::counted(rounds.len() as u64, "round")
        );
        let share = unsteady as f64 / rounds.len().max(1) as f64;
        self.grade(share, [0.0, 0.5], |found| &mut found.doubts, text, UNSTEADY_HINT);
    }

    fn check_drift(&mut self, name: &str, rounds: &[Drive]) {
        let slices = rounds.iter().flat_map(|round| round.measurement.slices_of_all_commands());
        let medians: Vec<f64> =
            slices.filter(|slice| slice.count() >= DRIFT_SAMPLES).map(|slice| slice.quantile(0.5) as f64).collect();
        let Some(trend) = Trend::of(&medians).filter(|trend| trend.is_significant()) else { return };
        let [from, to] = trend.ends.map(|ns| units::duration(ns.max(0.0)));
        let text = format!("durability {name}: the median response time drifted from {from} to {to} along its trend");
        let hint = "it may not have reached a steady state: measure longer";
        self.grade(trend.change.abs(), DRIFT, |found| &mut found.doubts, text, hint);
    }

    fn check_steal(&mut self, rounds: &[Drive]) {
        let steal = rounds.iter().filter_map(|round| round.usage.steal_percent).fold(0.0, f64::max);
        if steal > STEAL_PERCENT[1] {
            self.disturbances.push(format!("the hypervisor took {} of the CPU time", units::percent(steal)));
        } else if steal > STEAL_PERCENT[0] {
            let text = format!("the hypervisor took {} of the CPU time in the worst round", units::percent(steal));
            self.warn(text, "neighbours disturb this machine; measure again, or on a dedicated one");
        }
    }

    fn check_foreign_load(&mut self, name: &str, rounds: &[Drive]) {
        let foreign = rounds.iter().filter_map(|round| round.usage.foreign_cores).fold(0.0, f64::max);
        let share = foreign / f64::from(self.cores.max(1));
        let text = format!("durability {name}: other processes kept {foreign:.1} cores busy in the worst round");
        let hint = "stop them and measure again: the CPU they use is missing from the result";
        self.grade(share, FOREIGN_SHARE, |found| &mut found.disturbances, text, hint);
    }

    fn check_scatter(&mut self, name: &str, rounds: &[Drive]) {
        let rates: Vec<f64> = rounds.iter().map(|round| round.measurement.commands_per_second()).collect();
        let Some(scatter) = relative_deviation(&rates) else { return };
        let (low, high) = range(&rates);
        let text = format!(
            "durability {name}: rounds scatter by {}: {} to {}",
            units::percent(100.0 * scatter),
            units::number(low),
            units::commands_per_second(high)
        );
        self.grade(scatter, ROUND_SCATTER, |found| &mut found.doubts, text, UNSTEADY_HINT);
    }

    /// Above the first limit `text` is a warning, above the second one of the `grave` findings.
    fn grade(
        &mut self,
        figure: f64,
        limits: [f64; 2],
        grave: fn(&mut Self) -> &mut Vec<String>,
        text: String,
        hint: &str,
    ) {
        if figure > limits[1] {
            grave(self).push(text);
        } else if figure > limits[0] {
            self.warn(text, hint);
        }
    }

    fn warn(&mut self, what: String, hint: &str) {
        let warning = Warning { what, hint: hint.to_owned() };
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}

/// Standard deviation as a share of the mean, `None` of fewer than two values. Unlike a range it does not grow with their
/// number.
pub(crate) fn relative_deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values.iter().copied());
    (values.len() > 1 && mean > 0.0).then(|| values.iter().copied().std_dev() / mean)
}

pub(crate) fn range(values: &[f64]) -> (f64, f64) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(0.0, f64::max);
    (low.min(high), high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disturbed_search_is_no_answer_and_an_objective_that_was_met_nevertheless_is_met() {
        let disturbed = Assessment { disturbances: vec!["swapped".to_owned()], ..Assessment::default() };
        assert_eq!(disturbed.outcome(Outcome::Pass, false), Outcome::Inconclusive, "a plan never passes");
        assert_eq!(disturbed.outcome(Outcome::Fail, false), Outcome::Inconclusive);
        assert_eq!(disturbed.outcome(Outcome::Pass, true), Outcome::Pass);
        assert_eq!(disturbed.outcome(Outcome::Fail, true), Outcome::Inconclusive);
    }

    #[test]
    fn the_deviation_is_that_of_the_textbook_and_needs_two_values() {
        let deviation = relative_deviation(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        assert!((deviation - (32.0_f64 / 7.0).sqrt() / 5.0).abs() < 1e-12);
        assert_eq!(relative_deviation(&[1.0, 1.0]), Some(0.0));
        assert_eq!(relative_deviation(&[1.0]), None);
        assert_eq!(relative_deviation(&[0.0, 0.0]), None, "nothing was done");
    }
}
