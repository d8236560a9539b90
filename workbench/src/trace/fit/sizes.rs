//! The size distribution that resembles observed sizes: the simplest form that fits.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::trace::info::Sizes;
use crate::workload::{SizeDistribution, Z_99};

/// How far a quantile of a simple form may be off, as a share.
const CLOSE: f64 = 0.03;
/// How far its largest value may be off, and may vary from one trace to the next.
const CLOSE_MAX: f64 = 0.1;
/// Values that quantiles in steps of a thousandth need.
const MANY: u64 = 2_000;
/// How far the mean may be off before the steps are made smaller.
const CLOSE_MEAN: f64 = 0.01;

/// The distribution of these sizes, each `overhead` bytes shorter than it is stored.
pub(super) fn distribution(sizes: &Sizes, overhead: u32) -> SizeDistribution {
    let at = |permille: usize| sizes.quantile_bytes(permille).saturating_sub(overhead);
    let (min, median, p99, max) = (at(0), at(500), at(990), at(1000));
    if min == max {
        return SizeDistribution::Constant(min);
    }
    let uniform = |share: f64| f64::from(min) + share * f64::from(max - min);
    if fits(&at, sizes.count(), uniform) {
        return SizeDistribution::Uniform { min, max };
    }
    if median > 0 && lognormal_fits(&at, sizes.count()) {
        return SizeDistribution::Lognormal { median, p99 };
    }
    empirical(&at, sizes.mean_bytes - f64::from(overhead), sizes.count())
}

/// Whether the form's quantiles, p1 to p99, are close to those observed, or within what chance explains.
fn fits(at: &impl Fn(usize) -> u32, count: u64, form: impl Fn(f64) -> f64) -> bool {
    (1..100).all(|percent| {
        let (observed, share) = (f64::from(at(10 * percent)), percent as f64 / 100.0);
        let expected = form(share);
        // Three standard errors of a share.
        let error = 3.0 * (share * (1.0 - share) / count as f64).sqrt();
        let chance = form((share + error).min(0.999)) - form((share - error).max(0.001));
        // Sizes are whole bytes, and the tolerance of a fit is a tenth.
        let close = (CLOSE * observed).max(1.0).max((chance / 2.0).min(0.1 * observed));
        (observed - expected).abs() <= close
    })
}

/// The largest of n log-normal values is itself random: the standard deviation of the logarithm is about
/// `sigma * pi / sqrt(6) / sqrt(2 ln n)` (Gumbel's law). A heavy tail has no stable maximum, and does not fit.
fn lognormal_fits(at: &impl Fn(usize) -> u32, count: u64) -> bool {
    let mu = f64::from(at(500)).ln();
    let sigma = (f64::from(at(990)).ln() - mu) / Z_99;
    let normal = Normal::standard();
    let form = |share: f64| (mu + sigma * normal.inverse_cdf(share)).exp();
    let spread = sigma * std::f64::consts::PI / 6.0_f64.sqrt() / (2.0 * (count.max(2) as f64).ln()).sqrt();
    let largest = form(1.0 - 0.56 / count.max(2) as f64);
    let max_off = (largest / f64::from(at(1000)) - 1.0).abs();
    spread < CLOSE_MAX && max_off < CLOSE_MAX && fits(at, count, form)
}

/// Quantiles in steps of a hundredth; of a thousandth where straight lines between those miss the mean of a long tail:
/// on the steep line from p99 to the maximum, chance alone would shift the p99 of what is drawn.
fn empirical(at: &impl Fn(usize) -> u32, mean: f64, count: u64) -> SizeDistribution {
    let in_steps = |step: usize| SizeDistribution::Empirical { quantiles: (0..=1000).step_by(step).map(at).collect() };
    let coarse = in_steps(10);
    let is_off = (coarse.mean() / mean.max(1.0) - 1.0).abs() > CLOSE_MEAN;
    if is_off && count >= MANY { in_steps(1) } else { coarse }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::info::SizeCounter;
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn fitted(original: &SizeDistribution, count: usize, overhead: u32) -> SizeDistribution {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        let mut counter = SizeCounter::new();
        for _ in 0..count {
            counter.record(original.sample(&mut rng) + overhead);
        }
        distribution(&counter.finish().unwrap(), overhead)
    }

    #[test]
    fn simple_forms_are_found_without_the_overhead_of_the_store() {
        for overhead in [0, 8, 48] {
            let constant = SizeDistribution::Constant(500);
            assert_eq!(fitted(&constant, 100, overhead), constant);
            let uniform = SizeDistribution::Uniform { min: 200, max: 600 };
            assert_eq!(fitted(&uniform, 20_000, overhead), uniform);
        }
    }

    #[test]
    fn only_a_narrow_lognormal_fits() {
        let narrow = SizeDistribution::Lognormal { median: 1000, p99: 1300 };
        assert!(matches!(
            fitted(&narrow, 50_000, 0),
            SizeDistribution::Lognormal { median: 990..1010, p99: 1280..1320 }
        ));
        let wide = SizeDistribution::Lognormal { median: 420, p99: 3500 };
        let SizeDistribution::Empirical { quantiles } = fitted(&wide, 50_000, 0) else { panic!("a simple form") };
        assert_eq!(quantiles.len(), 1001, "a long tail needs small steps");
    }
}
