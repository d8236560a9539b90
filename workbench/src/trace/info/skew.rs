//! How unevenly commands spread over actors.
//!
//! Actors are ranked by their commands, and the discrete Zipf distribution on ranks `1 ..= N`, `p(k) = k^-s / H(N, s)`,
//! is fitted by maximum likelihood (A. Clauset, C. R. Shalizi, M. E. J. Newman, "Power-law distributions in empirical
//! data", SIAM Review 51 (2009), section 3, here on a finite support): the exponent at which the mean of `ln k` under
//! the distribution is the observed one. The standard error is `1 / sqrt(n Var[ln k])`, the inverse of the Fisher
//! information.
//!
//! The ranks are taken from the same counts as the fit, so chance alone orders equally busy actors, and the estimate is
//! too high where actors have few commands each; actors that are rare may not occur at all. Both are corrected by
//! indirect inference (C. Gourieroux, A. Monfort, E. Renault, "Indirect Inference", Journal of Applied Econometrics 8
//! (1993)): the result is the exponent whose *simulated* traces, ranked and fitted in the same way, give the estimate that
//! was found.

use rand::SeedableRng;
use rand_distr::{Distribution, Poisson};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::Serialize;

/// Largest exponent, as of a workload.
const STEEPEST: f64 = 5.0;
/// Ranks up to here are summed one by one, larger ones in runs of equal weight.
const SINGLE_RANKS: u64 = 1_024;
/// Seed of the simulations: the same trace gives the same figures.
const SEED: u64 = 0x7a69_7066;
/// Upper bound of the population for each actor that occurs: a trace does not show more.
const MOST_UNSEEN: f64 = 4.0;

/// How commands spread over the actors of a trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SkewFit {
    /// Exponent of the Zipf distribution, corrected for ranks that stem from the same counts; 0 is uniform, real logs lie
    /// near 1, at most 5.
    pub zipf_exponent: f64,
    /// The exponent before the correction.
    pub zipf_exponent_uncorrected: f64,
    /// Standard error of the exponent, ranks taken as known: a lower bound.
    pub zipf_exponent_standard_error: f64,
    /// Kolmogorov–Smirnov distance: the largest difference between the observed and the fitted share of the commands
    /// that the busiest k actors issue, `0.0 ..= 1.0`. Below 0.05 the distribution is a good description, above 0.1
    /// a poor one.
    pub ks_distance_ratio: f64,
    /// Whether equally busy actors explain the counts; the exponent is 0 then.
    pub is_uniform: bool,
    /// Estimated number of actors, with those too rare to occur in a trace of this length.
    pub population_count: u64,
    /// Share of the commands that the busiest 1 % of the actors issue (at least one actor), `0.0 ..= 1.0`.
    pub busiest_1_percent_share_ratio: f64,
    /// The same of the busiest 10 %.
    pub busiest_10_percent_share_ratio: f64,
}

/// Fits the commands of each actor, in any order. Actors without commands do not count.
pub(super) fn fit(mut counts: Vec<u64>) -> SkewFit {
    counts.retain(|&count| count > 0);
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let commands: u64 = counts.iter().sum();
    let seen = counts.len() as u64;
    let raw = estimate(&counts);
    let correction = Correction { commands, seen, raw };
    let is_uniform = correction.is_uniform();
    let exponent = if is_uniform { 0.0 } else { correction.exponent() };
    let ranks = Ranks::new(seen.max(1));
    SkewFit {
        zipf_exponent: exponent,
        zipf_exponent_uncorrected: raw,
        zipf_exponent_standard_error: (commands.max(1) as f64 * ranks.moments(raw).variance)
            .sqrt()
            .recip()
            .min(STEEPEST),
        ks_distance_ratio: distance(&counts, raw),
        is_uniform,
        population_count: population(commands, seen, exponent),
        busiest_1_percent_share_ratio: busiest_share(&counts, 100),
        busiest_10_percent_share_ratio: busiest_share(&counts, 10),
    }
}

/// Share of the commands of the first `1 / part` of the actors.
fn busiest_share(descending: &[u64], part: usize) -> f64 {
    let all = descending.iter().sum::<u64>().max(1);
    descending.iter().take(descending.len().div_ceil(part)).sum::<u64>() as f64 / all as f64
}

/// The exponent under which these counts, of the ranks from 1 on, are most likely.
fn estimate(descending: &[u64]) -> f64 {
    let commands: u64 = descending.iter().sum();
    if commands == 0 {
        return 0.0;
    }
    let weighted = |(index, &count): (usize, &u64)| count as f64 * ((index + 1) as f64).ln();
    let observed = descending.iter().enumerate().map(weighted).sum::<f64>() / commands as f64;
    let ranks = Ranks::new(descending.len() as u64);
    // The mean of ln k falls as the exponent rises.
    let (mut low, mut high) = (0.0, STEEPEST);
    if ranks.moments(low).mean <= observed {
        return low;
    }
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if ranks.moments(middle).mean > observed { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// Largest difference between the observed and the fitted cumulative shares of the ranks.
fn distance(descending: &[u64], exponent: f64) -> f64 {
    let all = descending.iter().sum::<u64>().max(1) as f64;
    let sum: f64 = (1..=descending.len()).map(|rank| (rank as f64).powf(-exponent)).sum();
    let (mut observed, mut fitted, mut largest) = (0.0, 0.0, 0.0_f64);
    for (index, &count) in descending.iter().enumerate() {
        observed += count as f64 / all;
        fitted += ((index + 1) as f64).powf(-exponent) / sum;
        largest = largest.max((observed - fitted).abs());
    }
    largest
}

/// Ranks `1 ..= n` in runs: first one by one, then so many that `k^-s` is straight along a run (within 10^-6).
struct Ranks {
    /// Logarithm of the middle of each run, and its length.
    runs: Vec<(f64, u64)>,
}

struct Moments {
    /// Sum of `k^-s`.
    sum: f64,
    /// Mean and variance of `ln k`.
    mean: f64,
    variance: f64,
}

impl Ranks {
    fn new(count: u64) -> Self {
        let (mut runs, mut first) = (Vec::new(), 1);
        while first <= count {
            let length = if first <= SINGLE_RANKS { 1 } else { (first / 256).min(count - first + 1) };
            let middle = first as f64 + (length - 1) as f64 / 2.0;
            runs.push((middle.ln(), length));
            first += length;
        }
        Self { runs }
    }

    fn moments(&self, exponent: f64) -> Moments {
        let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
        for &(log, length) in &self.runs {
            let weight = length as f64 * (-exponent * log).exp();
            sum += weight;
            first += weight * log;
            second += weight * log * log;
        }
        let mean = first / sum;
        // A single rank has no variance; no division by it must follow.
        Moments { sum, mean, variance: (second / sum - mean * mean).max(f64::MIN_POSITIVE) }
    }

    /// Actors that occur at least once in `commands` commands, on average.
    fn expected_seen(&self, commands: u64, exponent: f64) -> f64 {
        let sum = self.moments(exponent).sum;
        let seen = |&(log, length): &(f64, u64)| {
            length as f64 * -(-(commands as f64) * (-exponent * log).exp() / sum).exp_m1()
        };
        self.runs.iter().map(seen).sum()
    }

    /// The counts of a trace: independent Poisson numbers, which a multinomial draw is but for its fixed sum.
    fn simulate(&self, commands: u64, exponent: f64, rng: &mut Xoshiro256PlusPlus) -> Vec<u64> {
        let sum = self.moments(exponent).sum;
        let mut counts = Vec::new();
        for &(log, length) in &self.runs {
            let mean = commands as f64 * (-exponent * log).exp() / sum;
            let Ok(poisson) = Poisson::new(mean) else { continue };
            for _ in 0..length {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of commands")]
                let count = poisson.sample(rng) as u64;
                counts.extend((count > 0).then_some(count));
            }
        }
        counts.sort_unstable_by(|a, b| b.cmp(a));
        counts
    }
}

/// Number of actors of which `seen` occur in `commands` commands.
fn population(commands: u64, seen: u64, exponent: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small multiple of a count")]
    let most = (seen as f64 * MOST_UNSEEN) as u64;
    // Half an actor of slack: where all occur, there are no others.
    let wanted = seen as f64 - 0.5;
    let (mut low, mut high) = (seen, most.max(seen));
    while low < high {
        let middle = low.midpoint(high);
        if Ranks::new(middle).expected_seen(commands, exponent) < wanted { low = middle + 1 } else { high = middle }
    }
    low.max(1)
}

struct Correction {
    commands: u64,
    seen: u64,
    raw: f64,
}

impl Correction {
    /// Estimates from simulated traces of this exponent: their mean and standard deviation.
    fn simulated(&self, exponent: f64, runs: u64) -> [f64; 2] {
        let ranks = Ranks::new(population(self.commands, self.seen, exponent));
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(SEED);
        let found: Vec<f64> = (0..runs).map(|_| estimate(&ranks.simulate(self.commands, exponent, &mut rng))).collect();
        let mean = found.iter().sum::<f64>() / runs as f64;
        let variance = found.iter().map(|found| (found - mean).powi(2)).sum::<f64>() / (runs.max(2) - 1) as f64;
        [mean, variance.sqrt()]
    }

    /// Few actors make a noisy simulation and a cheap one.
    fn runs(&self) -> u64 {
        (20_000 / self.seen.max(1)).clamp(1, 20)
    }

    /// Whether equally busy actors give such an estimate: within three standard deviations.
    fn is_uniform(&self) -> bool {
        if self.seen < 2 || self.raw == 0.0 {
            return true;
        }
        let [mean, deviation] = self.simulated(0.0, self.runs().max(3));
        self.raw <= mean + 3.0 * deviation
    }

    /// The exponent whose simulated traces give the estimate that was found.
    fn exponent(&self) -> f64 {
        let mut exponent = self.raw;
        for _ in 0..8 {
            let error = self.simulated(exponent, self.runs())[0] - self.raw;
            exponent = (exponent - error).clamp(0.0, STEEPEST);
            if error.abs() < 0.002 {
                break;
            }
        }
        exponent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_distr::Zipf;

    fn drawn(actors: u32, commands: u32, exponent: f64, seed: u64) -> Vec<u64> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let zipf = Zipf::new(f64::from(actors), exponent).unwrap();
        let mut counts = vec![0; actors as usize];
        for _ in 0..commands {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
            let rank = zipf.sample(&mut rng) as usize;
            counts[rank - 1] += 1;
        }
        counts
    }

    #[test]
    fn known_exponents_are_recovered_from_many_and_from_few_commands() {
        for exponent in [0.5, 0.8, 1.0, 1.3] {
            for (actors, commands) in [(1_000, 100_000), (1_000, 10_000), (5_000, 20_000), (100, 2_000)] {
                let found = fit(drawn(actors, commands, exponent, 5));
                let off = (found.zipf_exponent - exponent).abs();
                assert!(off < 0.1, "{exponent} of {commands} over {actors}: {found:?}");
                assert!(!found.is_uniform && found.ks_distance_ratio < 0.1, "{found:?}");
            }
        }
    }

    #[test]
    fn the_population_counts_actors_that_do_not_occur() {
        let counts = drawn(5_000, 20_000, 0.9, 3);
        let seen = counts.iter().filter(|&&count| count > 0).count() as u64;
        let found = fit(counts);
        assert!(seen < 4_000 && (4_500..5_500).contains(&found.population_count), "{seen}: {found:?}");
    }

    #[test]
    fn equally_busy_actors_are_uniform() {
        for (actors, commands) in [(1_000, 5_000), (1_000, 100_000), (50, 100_000)] {
            let found = fit(drawn(actors, commands, 1e-9, 8));
            assert!(found.is_uniform && found.zipf_exponent == 0.0, "{actors}, {commands}: {found:?}");
        }
        assert!(fit(vec![7]).is_uniform && fit(vec![6; 100]).is_uniform);
        let empty = fit(Vec::new());
        assert!(empty.zipf_exponent_standard_error.is_finite() && empty.ks_distance_ratio == 0.0, "{empty:?}");
    }

    #[test]
    fn runs_of_ranks_sum_like_single_ranks() {
        for exponent in [0.0, 0.7, 1.0, 2.0] {
            let exact: f64 = (1..=100_000).map(|rank| f64::from(rank).powf(-exponent)).sum();
            assert!((Ranks::new(100_000).moments(exponent).sum / exact - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn the_busiest_are_a_hundredth_and_a_tenth_of_the_actors() {
        let found = fit([vec![901], vec![1; 99]].concat());
        assert!((found.busiest_1_percent_share_ratio - 0.901).abs() < 1e-12);
        assert!((found.busiest_10_percent_share_ratio - 0.910).abs() < 1e-12);
    }
}
