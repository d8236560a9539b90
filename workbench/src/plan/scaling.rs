//! How throughput grows with cores: the Universal Scalability Law, and how far its points carry it.
//!
//! `X(N) = λN / (1 + σ(N - 1) + κN(N - 1))` (N. J. Gunther, "Guerrilla Capacity Planning", Springer 2007, ch. 4 to 6): λ is
//! what one core does, σ the share of the work that only one can do at a time (contention), κ what each core costs every
//! other (coherency).
//!
//! Few points do not separate contention from coherency, and beyond the points the two diverge. So the law is not
//! extrapolated as one curve: every pair (σ, κ) that the points do not rule out is, and the band spans their results. On a
//! host with two cores the ends of the band are all loss as contention and all loss as coherency.

use std::collections::BTreeSet;

use crate::report::{Band, ScalingCurveInfo, ScalingPointInfo};

/// The law that fits the points.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scaling {
    /// λ, commands per second.
    pub(super) lambda: f64,
    pub(super) loss: Loss,
    /// Root of the mean squared distance of the points from the law, relative to the points.
    pub(super) relative_error: f64,
    largest_cores: u32,
    /// Every pair of contention and coherency that the points do not rule out.
    compatible: Vec<Loss>,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum ScalingRefusal {
    #[error("{counts} number of cores could be measured, two are needed")]
    TooFewCoreCounts { counts: usize },
    #[error("the points lie {:.0} % off the law, more than {:.0} %", 100.0 * relative_error, 100.0 * POOR)]
    PoorFit { relative_error: f64 },
    #[error("{cores} cores are more than twice the {largest} that were measured")]
    TooFar { cores: u32, largest: u32 },
    #[error("the points allow anything between {low:.2} and {high:.2} times the rate")]
    TooWide { low: f64, high: f64 },
}

/// Largest relative error of points that follow the law.
const POOR: f64 = 0.1;
/// Largest half width of a band, relative to its middle.
const WIDE: f64 = 0.25;
/// Most cores that the law is extrapolated to, as a multiple of the most that were measured. Gunther's examples hold up to
/// twice; beyond that a second socket or another bottleneck may set in.
const REACH: u32 = 2;
/// Least scatter that is assumed of a measured ceiling, relative: repeats may agree better by chance.
const SCATTER: f64 = 0.03;
/// Share of the true pairs that may be ruled out by chance.
const ALPHA: f64 = 0.05;
const STEPS: u32 = 300;
/// Smallest contention and coherency above 0 that are tried.
const SMALLEST: [f64; 2] = [1e-4, 1e-6];

/// Contention, 0 to 1, and coherency, 0 or more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Loss {
    pub(super) sigma: f64,
    pub(super) kappa: f64,
}

impl Loss {
    /// Throughput on so many cores as a multiple of that of one.
    fn capacity(self, cores: u32) -> f64 {
        let n = f64::from(cores);
        n / (1.0 + self.sigma * (n - 1.0) + self.kappa * n * (n - 1.0))
    }

    /// The λ that fits best under these losses, and the sum of the squared relative distances of the points.
    fn fit(self, points: &[ScalingPointInfo]) -> (f64, f64) {
        let shares = points.iter().map(|point| self.capacity(point.cores_count) / point.per_second);
        let (sum, squares) =
            shares.clone().fold((0.0, 0.0), |(sum, squares), share| (sum + share, squares + share * share));
        let lambda = sum / squares;
        (lambda, shares.map(|share| (lambda * share - 1.0).powi(2)).sum())
    }

    /// None, and from the smallest that matters to 1, each so many times the one before.
    fn grid() -> impl Iterator<Item = Self> {
        let axis = |smallest: f64| {
            let step = move |number: u32| smallest.powf(1.0 - f64::from(number) / f64::from(STEPS));
            std::iter::once(0.0).chain((0..=STEPS).map(step))
        };
        axis(SMALLEST[0]).flat_map(move |sigma| axis(SMALLEST[1]).map(move |kappa| Self { sigma, kappa }))
    }
}

impl Scaling {
    /// Fits the law to ceilings, several of them per number of cores.
    pub(super) fn fit(points: &[ScalingPointInfo]) -> Result<Self, ScalingRefusal> {
        let points: Vec<ScalingPointInfo> = points.iter().copied().filter(|point| point.per_second > 0.0).collect();
        let counts: BTreeSet<u32> = points.iter().map(|point| point.cores_count).collect();
        let Some(&largest_cores) = counts.last().filter(|_| counts.len() > 1) else {
            return Err(ScalingRefusal::TooFewCoreCounts { counts: counts.len() });
        };
        let tried: Vec<(Loss, f64)> = Loss::grid().map(|loss| (loss, loss.fit(&points).1)).collect();
        let Some(&(loss, least)) = tried.iter().min_by(|a, b| a.1.total_cmp(&b.1)) else {
            return Err(ScalingRefusal::TooFewCoreCounts { counts: 0 });
        };
        let relative_error = (least / points.len() as f64).sqrt();
        if relative_error > POOR {
            return Err(ScalingRefusal::PoorFit { relative_error });
        }
        let bound = least + allowance(&points, &counts);
        let compatible = tried.into_iter().filter(|&(_, squares)| squares <= bound).map(|(loss, _)| loss).collect();
        let lambda = loss.fit(&points).0;
        Ok(Self { lambda, loss, relative_error, largest_cores, compatible })
    }

    fn at(&self, cores: u32) -> f64 {
        self.lambda * self.loss.capacity(cores)
    }

    /// The throughput on `to` cores in relation to that on `from`.
    pub(super) fn extrapolate(&self, from: u32, to: u32) -> Result<Band, ScalingRefusal> {
        if to > REACH * self.largest_cores {
            return Err(ScalingRefusal::TooFar { cores: to, largest: self.largest_cores });
        }
        let found = self.ratios(from, to);
        let Band { low, high, .. } = found;
        if high - low > WIDE * (high + low) { Err(ScalingRefusal::TooWide { low, high }) } else { Ok(found) }
    }

    /// The throughput on `to` cores in relation to that on `from`, however much the points leave open.
    fn ratios(&self, from: u32, to: u32) -> Band {
        let ratio = |loss: Loss| loss.capacity(to) / loss.capacity(from);
        let ends = |(low, high): (f64, f64), ratio: f64| (low.min(ratio), high.max(ratio));
        let (low, high) = self.compatible.iter().map(|&loss| ratio(loss)).fold((f64::INFINITY, 0.0), ends);
        Band { expected: ratio(self.loss).clamp(low, high), low, high }
    }

    /// The law from one core up to the most it is extrapolated to, in relation to its value at the most cores that were
    /// measured.
    pub(super) fn curve(&self) -> Vec<ScalingCurveInfo> {
        let from = self.largest_cores;
        let known = self.at(from);
        let point = |cores_count: u32| ScalingCurveInfo {
            cores_count,
            per_second: self.ratios(from, cores_count).times(known),
        };
        (1..=REACH * from).map(point).collect()
    }
}

/// How much larger than the least the sum of squares of a pair may be that is not ruled out: the likelihood region of two
/// parameters, `2 s² F(2, ν)` (N. R. Draper and H. Smith, "Applied Regression Analysis", 3rd ed., 1998, ch. 24), with the
/// scatter `s` of the repeats over ν degrees of freedom. For two numerator degrees the quantile of F has a closed form.
fn allowance(points: &[ScalingPointInfo], counts: &BTreeSet<u32>) -> f64 {
    let (mut squares, mut freedom) = (0.0, 0.0);
    for &cores in counts {
        let repeats: Vec<f64> =
            points.iter().filter(|point| point.cores_count == cores).map(|point| point.per_second).collect();
        let mean = repeats.iter().sum::<f64>() / repeats.len() as f64;
        squares += repeats.iter().map(|value| (value / mean - 1.0).powi(2)).sum::<f64>();
        freedom += repeats.len() as f64 - 1.0;
    }
    let variance = if freedom > 0.0 { squares / freedom } else { 0.0 };
    if variance > SCATTER * SCATTER {
        2.0 * variance * freedom / 2.0 * (ALPHA.powf(-2.0 / freedom) - 1.0)
    } else {
        2.0 * SCATTER * SCATTER * -ALPHA.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Three ceilings per number of cores, off the law by what `scatter` says in turn.
    fn points(counts: &[u32], sigma: f64, kappa: f64, scatter: &[f64]) -> Vec<ScalingPointInfo> {
        let law = Loss { sigma, kappa };
        let mut scatter = scatter.iter().cycle();
        let repeats = counts.iter().flat_map(|&cores| std::iter::repeat_n(cores, 3));
        let measured = |cores: u32, off: f64| ScalingPointInfo {
            cores_count: cores,
            per_second: 5_000.0 * law.capacity(cores) * (1.0 + off),
        };
        repeats.map(|cores| measured(cores, *scatter.next().unwrap())).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn the_true_ratio_lies_within_the_band_or_the_band_is_too_wide(
            sigma in 0.0f64..0.4,
            kappa in 0.0f64..0.05,
            all in prop::sample::select(vec![vec![1u32, 2], vec![1, 2, 3, 4], vec![1, 2, 4, 8, 16]]),
            scatter in prop::collection::vec(-0.03f64..0.03, 7),
        ) {
            let truth = Loss { sigma, kappa };
            let largest = *all.last().unwrap();
            if let Ok(law) = Scaling::fit(&points(&all, sigma, kappa, &scatter)) {
                prop_assert!((law.at(largest) / (5_000.0 * truth.capacity(largest)) - 1.0).abs() < 0.06);
                let ratio = truth.capacity(2 * largest) / truth.capacity(largest);
                match law.extrapolate(largest, 2 * largest) {
                    Ok(found) => {
                        prop_assert!(found.low <= found.expected && found.expected <= found.high);
                        prop_assert!(0.98 * found.low <= ratio && ratio <= 1.02 * found.high, "{ratio}: {found:?}");
                    }
                    Err(refusal) => prop_assert!(matches!(refusal, ScalingRefusal::TooWide { .. }), "{refusal}"),
                }
            }
        }
    }

    #[test]
    fn perfect_scaling_is_extrapolated_and_flat_scaling_is_refused() {
        let perfect = Scaling::fit(&points(&[1, 2, 3, 4], 0.0, 0.0, &[0.0, 0.005, -0.005])).unwrap();
        let eight = perfect.extrapolate(4, 8).unwrap();
        assert!(eight.high <= 2.0 + 1e-9 && eight.low > 1.2, "{eight:?}");
        let flat = Scaling::fit(&points(&[1, 2], 1.0, 0.0, &[0.0, 0.01, -0.01])).unwrap();
        let refusal = flat.extrapolate(2, 4).unwrap_err();
        assert!(matches!(refusal, ScalingRefusal::TooWide { low, high } if low < 0.8 && high > 0.95), "{refusal}");
    }

    #[test]
    fn more_core_counts_narrow_the_band() {
        let band = |counts: &[u32]| {
            Scaling::fit(&points(counts, 0.05, 0.0, &[0.0])).and_then(|law| law.extrapolate(2, 4)).unwrap()
        };
        let (two, four) = (band(&[1, 2]), band(&[1, 2, 3, 4]));
        assert!(four.high - four.low < two.high - two.low);
    }

    #[test]
    fn too_few_points_distant_targets_and_poor_fits_are_refused() {
        let one = Scaling::fit(&points(&[2], 0.1, 0.0, &[0.0])).unwrap_err();
        assert_eq!(one, ScalingRefusal::TooFewCoreCounts { counts: 1 });
        let far = Scaling::fit(&points(&[1, 2], 0.0, 0.0, &[0.0])).unwrap().extrapolate(2, 8).unwrap_err();
        assert_eq!(far.to_string(), "8 cores are more than twice the 2 that were measured");
        let wild = [1u32, 2, 3, 4].map(|cores| ScalingPointInfo {
            cores_count: cores,
            per_second: [900.0, 300.0, 2_000.0, 400.0][cores as usize - 1],
        });
        assert!(matches!(Scaling::fit(&wild), Err(ScalingRefusal::PoorFit { relative_error }) if relative_error > 0.1));
    }
}
