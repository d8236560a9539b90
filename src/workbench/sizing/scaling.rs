//! How throughput grows with CPU cores: the Universal Scalability Law, and how far it may be trusted.
//!
//! `X(N) = λN / (1 + σ(N−1) + κN(N−1))`: λ is the throughput of one core, σ the share of the work that waits for its
//! turn (contention), κ the price of keeping two cores consistent (coherency). Source: N. J. Gunther, "Guerrilla Capacity
//! Planning" (Springer, 2007), chapters 4 and 6; "A General Theory of Computational Scalability Based on Rational
//! Functions", arXiv:0808.1431 (2008), equation 3.
//!
//! Few core counts do not tell σ from κ: two of them give two means for three parameters. So no single curve is trusted.
//! Every (σ, κ) that the points do not contradict is kept, and an extrapolation is the range of what all of these say.

/// Core counts beyond this multiple of the largest measured one are refused: the term with κ grows with the square of the
/// cores, and what it will be is hardly seen in the range that was measured.
pub const FARTHEST: u32 = 2;
/// Relative error of one point that is assumed at least. Repeats on one afternoon agree better with each other than with
/// another afternoon.
const LEAST_ERROR: f64 = 0.03;
/// Points may contradict a curve they come from with this probability.
const REJECTED: f64 = 0.05;
/// Root mean square of the relative residuals above which the law does not describe the points.
const WORST_FIT: f64 = 0.10;
/// Half the width of a range, as a share of its middle, above which it says too little.
const WIDEST: f64 = 0.25;
/// Steps along each axis of the grid of (σ, κ).
const STEPS: u32 = 300;
/// Times the grid is drawn anew, finer, around a point of interest.
const REFINEMENTS: u32 = 5;

/// Throughput on so many cores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScalingPoint {
    /// Cores, at least 1.
    pub cores: u32,
    /// Commands per second, above 0.
    pub per_second: f64,
}

/// Why nothing is said of a number of cores.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ScalingRefusal {
    /// A point cannot be one.
    #[error("{per_second} commands/s on {cores} cores is no measurement, expected more than 0 of both")]
    NoMeasurement {
        /// Its cores.
        cores: u32,
        /// Its throughput.
        per_second: f64,
    },
    /// One number of cores shows no growth.
    #[error("throughput was measured on {found} different numbers of cores, and how it grows is seen from two on")]
    TooFewCoreCounts {
        /// Different numbers of cores measured.
        found: usize,
    },
    /// The range is too far.
    #[error(
        "{cores} cores are more than {FARTHEST} times the {measured} measured: the loss that grows with the square of the cores \
         is hardly seen there"
    )]
    TooFar {
        /// The cores asked for.
        cores: u32,
        /// The most that were measured.
        measured: u32,
    },
    /// The law does not describe the points.
    #[error(
        "the measurements lie {percent:.0} % off the scalability law that fits them best, expected at most {worst:.0} %",
        worst = 100.0 * WORST_FIT
    )]
    PoorFit {
        /// Root mean square of the relative residuals, percent.
        percent: f64,
    },
    /// The points allow too much.
    #[error(
        "the measurements allow {low:.2} to {high:.2} times the throughput, too wide to plan with: more core counts or more \
         repeats would narrow it"
    )]
    TooWide {
        /// The least they allow.
        low: f64,
        /// The most.
        high: f64,
    },
}

/// What throughput on one number of cores says of another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extrapolation {
    /// Throughput as a multiple: of the best fit, or the middle of the range where the points leave the fit open.
    pub ratio: f64,
    /// At least.
    pub low: f64,
    /// At most.
    pub high: f64,
}

/// The law fitted to measurements, and all its variants that they do not contradict.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// Throughput of one core, commands per second.
    pub lambda: f64,
    /// Contention, 0 to 1.
    pub sigma: f64,
    /// Coherency, 0 to 1.
    pub kappa: f64,
    /// Root mean square of the relative residuals.
    pub relative_error: f64,
    /// What it was fitted to.
    pub points: Vec<ScalingPoint>,
    /// Whether the points single out one σ and one κ: from three core counts on.
    pub is_determined: bool,
    counts: Vec<CoreCount>,
    /// Weighted sum of squares above which a curve is contradicted.
    most_squares: f64,
}

/// The points of one number of cores.
#[derive(Debug, Clone, Copy, PartialEq)]
struct CoreCount {
    cores: u32,
    repeats: f64,
    mean: f64,
}

/// A place in the grid, 0 to 1 in both directions: finer where the parameters are small.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    u: f64,
    v: f64,
}

impl Place {
    fn sigma(self) -> f64 {
        self.u.powi(3)
    }

    fn kappa(self) -> f64 {
        self.v.powi(4)
    }

    /// Throughput on so many cores as a multiple of that of one.
    fn capacity(self, cores: u32) -> f64 {
        capacity(self.sigma(), self.kappa(), cores)
    }
}

fn capacity(sigma: f64, kappa: f64, cores: u32) -> f64 {
    let n = f64::from(cores);
    n / (1.0 + sigma * (n - 1.0) + kappa * n * (n - 1.0))
}

impl Scaling {
    /// Fits the law: relative residuals, least squares, σ and κ from 0 to 1. The points of one number of cores are its
    /// repeats.
    ///
    /// A curve counts as contradicted if its squares exceed those of the best one by more than `2 s² F(2, ν)` at 5 %, the
    /// likelihood ratio region of two parameters: `s²` is the variance of the repeats about the means of their core
    /// counts and `ν` its degrees of freedom; at least 3 % are assumed, which count as known.
    ///
    /// # Errors
    ///
    /// [`ScalingRefusal::TooFewCoreCounts`], [`ScalingRefusal::NoMeasurement`].
    pub fn fit(points: &[ScalingPoint]) -> Result<Self, ScalingRefusal> {
        let no_measurement =
            |point: &&ScalingPoint| point.cores == 0 || !point.per_second.is_finite() || point.per_second <= 0.0;
        if let Some(&ScalingPoint { cores, per_second }) = points.iter().find(no_measurement) {
            return Err(ScalingRefusal::NoMeasurement { cores, per_second });
        }
        let counts = core_counts(points);
        if counts.len() < 2 {
            return Err(ScalingRefusal::TooFewCoreCounts { found: counts.len() });
        }
        let squares_of = |place: Place| fitted(&counts, place).1;
        let best = search(&|place| Some(-squares_of(place))).map_or(Place { u: 0.0, v: 0.0 }, |(place, _)| place);
        let (lambda, squares) = fitted(&counts, best);
        let mut scaling = Self {
            lambda,
            sigma: best.sigma(),
            kappa: best.kappa(),
            relative_error: 0.0,
            points: points.to_vec(),
            is_determined: counts.len() > 2,
            most_squares: squares + tolerance(points, &counts),
            counts,
        };
        let residuals = points.iter().map(|point| (scaling.at(point.cores) / point.per_second - 1.0).powi(2));
        scaling.relative_error = (residuals.sum::<f64>() / points.len() as f64).sqrt();
        Ok(scaling)
    }

    /// Throughput on so many cores by the best fit, commands per second.
    pub fn at(&self, cores: u32) -> f64 {
        self.lambda * capacity(self.sigma, self.kappa, cores)
    }

    /// Most cores measured.
    pub fn most_cores(&self) -> u32 {
        self.counts.iter().map(|count| count.cores).max().unwrap_or(0)
    }

    /// Throughput on `to_cores` as a multiple of that on `from_cores`, by every curve that the points do not contradict.
    ///
    /// # Errors
    ///
    /// [`ScalingRefusal`] if the law does not describe the points, if either number of cores is too far from them, or if
    /// they allow too much.
    pub fn extrapolate(&self, from_cores: u32, to_cores: u32) -> Result<Extrapolation, ScalingRefusal> {
        let measured = self.most_cores();
        let cores = from_cores.max(to_cores);
        if cores > measured.saturating_mul(FARTHEST) {
            return Err(ScalingRefusal::TooFar { cores, measured });
        }
        if self.relative_error > WORST_FIT {
            return Err(ScalingRefusal::PoorFit { percent: 100.0 * self.relative_error });
        }
        let range = self.range(from_cores, to_cores);
        let Extrapolation { low, high, .. } = range;
        if (high - low) / (high + low) > WIDEST {
            return Err(ScalingRefusal::TooWide { low, high });
        }
        Ok(range)
    }

    /// The ratio over all curves that are not contradicted.
    fn range(&self, from_cores: u32, to_cores: u32) -> Extrapolation {
        let best = capacity(self.sigma, self.kappa, to_cores) / capacity(self.sigma, self.kappa, from_cores);
        let ratio = |place: Place| {
            let allowed = fitted(&self.counts, place).1 <= self.most_squares;
            allowed.then(|| place.capacity(to_cores) / place.capacity(from_cores))
        };
        let high = search(&ratio).map_or(best, |(_, ratio)| ratio.max(best));
        let low = search(&|place| ratio(place).map(|ratio| -ratio)).map_or(best, |(_, ratio)| best.min(-ratio));
        Extrapolation { ratio: if self.is_determined { best } else { f64::midpoint(low, high) }, low, high }
    }
}

fn core_counts(points: &[ScalingPoint]) -> Vec<CoreCount> {
    let mut cores: Vec<u32> = points.iter().map(|point| point.cores).collect();
    cores.sort_unstable();
    cores.dedup();
    let count = |cores| {
        let of_it = points.iter().filter(|point| point.cores == cores);
        let repeats = of_it.clone().count() as f64;
        CoreCount { cores, repeats, mean: of_it.map(|point| point.per_second).sum::<f64>() / repeats }
    };
    cores.into_iter().map(count).collect()
}

/// λ for a σ and a κ by least squares of the relative residuals of the means, and these squares, weighted by repeats.
fn fitted(counts: &[CoreCount], place: Place) -> (f64, f64) {
    let relative = |count: &CoreCount| place.capacity(count.cores) / count.mean;
    let (linear, square) = counts.iter().fold((0.0, 0.0), |(linear, square), count| {
        let relative = relative(count);
        (linear + count.repeats * relative, square + count.repeats * relative * relative)
    });
    let lambda = linear / square;
    let squares = counts.iter().map(|count| count.repeats * (lambda * relative(count) - 1.0).powi(2)).sum();
    (lambda, squares)
}

/// By how much the squares of a curve may exceed those of the best one.
fn tolerance(points: &[ScalingPoint], counts: &[CoreCount]) -> f64 {
    let squares = points.iter().map(|point| {
        let mean = counts.iter().find(|count| count.cores == point.cores).map_or(point.per_second, |count| count.mean);
        (point.per_second / mean - 1.0).powi(2)
    });
    let freedom = (points.len() - counts.len()) as f64;
    let variance = if freedom > 0.0 { squares.sum::<f64>() / freedom } else { 0.0 };
    // 2 F(2, ν) has a closed form, and so has its limit for a variance that is known, χ² of two degrees of freedom.
    let known = -2.0 * REJECTED.ln() * LEAST_ERROR.powi(2);
    if freedom > 0.0 { known.max(variance * freedom * (REJECTED.powf(-2.0 / freedom) - 1.0)) } else { known }
}

/// The place at which `value` is largest among those where there is one: on a grid, and on finer ones around its best place.
fn search(value: &dyn Fn(Place) -> Option<f64>) -> Option<(Place, f64)> {
    let mut best: Option<(Place, f64)> = None;
    let mut look = |center: Place, half_width: f64, steps: u32| {
        for (i, j) in (0..=steps).flat_map(|i| (0..=steps).map(move |j| (i, j))) {
            let along = |center: f64, step: u32| {
                let offset = half_width * (2.0 * f64::from(step) / f64::from(steps) - 1.0);
                (center + offset).clamp(0.0, 1.0)
            };
            let place = Place { u: along(center.u, i), v: along(center.v, j) };
            if let Some(value) = value(place)
                && best.is_none_or(|(_, most)| value > most)
            {
                best = Some((place, value));
            }
        }
        best
    };
    let mut half_width = 0.5;
    let mut found = look(Place { u: 0.5, v: 0.5 }, half_width, STEPS)?;
    for _ in 0..REFINEMENTS {
        half_width = if half_width > 0.4 { 2.0 / f64::from(STEPS) } else { half_width / 4.0 };
        found = look(found.0, half_width, 16)?;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(truth: (f64, f64, f64), cores: &[u32], noise: &[f64]) -> Vec<ScalingPoint> {
        let (lambda, sigma, kappa) = truth;
        let repeated = cores.iter().flat_map(|&cores| [cores; 3]);
        repeated
            .zip(noise.iter().cycle())
            .map(|(cores, noise)| ScalingPoint {
                cores,
                per_second: lambda * capacity(sigma, kappa, cores) * (1.0 + noise),
            })
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_truth_lies_in_the_range_whether_or_not_the_points_determine_it(
            lambda in 1.0..1e6, sigma in 0.0..0.5, kappa in 0.0..0.05, most in 2u32..7,
            noise in prop::collection::vec(-0.02..0.02, 18),
        ) {
            let cores: Vec<u32> = (1..=most).collect();
            let scaling = Scaling::fit(&points((lambda, sigma, kappa), &cores, &noise)).unwrap();
            for to in 1..=2 * most {
                let truth = capacity(sigma, kappa, to) / capacity(sigma, kappa, most);
                let Extrapolation { ratio, low, high } = scaling.range(most, to);
                prop_assert!(low <= truth * 1.001 && truth <= high * 1.001, "{low} {truth} {high} on {to} of {most}");
                prop_assert!(low <= ratio && ratio <= high);
            }
        }

        #[test]
        fn four_core_counts_give_the_curve_back(
            lambda in 1.0..1e6, sigma in 0.0..0.5, kappa in 0.0..0.05, most in 4u32..9,
            noise in prop::collection::vec(-0.01..0.01, 27),
        ) {
            let cores: Vec<u32> = (1..=most).collect();
            let scaling = Scaling::fit(&points((lambda, sigma, kappa), &cores, &noise)).unwrap();
            for n in cores {
                let truth = lambda * capacity(sigma, kappa, n);
                prop_assert!((scaling.at(n) / truth - 1.0).abs() < 0.02, "{n}: {} for {truth}", scaling.at(n));
            }
        }
    }

    #[test]
    fn without_noise_the_parameters_come_back() {
        let scaling = Scaling::fit(&points((1000.0, 0.1, 0.01), &[1, 2, 3, 4, 6, 8], &[0.0])).unwrap();
        assert!((scaling.lambda - 1000.0).abs() < 1.0, "{scaling:?}");
        assert!((scaling.sigma - 0.1).abs() < 0.001 && (scaling.kappa - 0.01).abs() < 0.0002, "{scaling:?}");
        assert!(scaling.relative_error < 1e-4 && scaling.is_determined);
    }

    #[test]
    fn perfect_scaling_stays_perfect_at_most() {
        let scaling = Scaling::fit(&points((500.0, 0.0, 0.0), &[1, 2, 3, 4], &[0.0])).unwrap();
        assert!((scaling.at(4) - 2000.0).abs() < 0.1);
        let range = scaling.extrapolate(4, 8).unwrap();
        assert!((range.high - 2.0).abs() < 1e-3 && range.low < range.high, "{range:?}");
    }

    #[test]
    fn where_more_cores_do_not_help_more_of_them_are_not_said_to() {
        // Waiting for the disk: one core does what two do.
        let scaling = Scaling::fit(&points((800.0, 1.0, 0.0), &[1, 2], &[0.0, 0.01, -0.01])).unwrap();
        let range = scaling.range(2, 4);
        assert!(range.low < 1.0 && (1.0..1.2).contains(&range.high), "{range:?}");
        match scaling.extrapolate(2, 4) {
            Ok(range) => assert!(range.low <= 1.0 && range.high >= 1.0, "{range:?}"),
            Err(refusal) => assert!(matches!(refusal, ScalingRefusal::TooWide { .. }), "{refusal}"),
        }
    }

    #[test]
    fn two_core_counts_leave_open_what_the_loss_is() {
        let truth = (1000.0, 0.1, 0.0);
        let two = Scaling::fit(&points(truth, &[1, 2], &[0.0])).unwrap();
        let [contention, coherency] =
            [capacity(0.1, 0.0, 4) / capacity(0.1, 0.0, 2), capacity(0.0, 0.05, 4) / capacity(0.0, 0.05, 2)];
        let range = two.range(2, 4);
        assert!(!two.is_determined);
        assert!(range.low <= coherency && contention <= range.high, "{range:?} {coherency} {contention}");
        let four = Scaling::fit(&points(truth, &[1, 2, 3, 4], &[0.0])).unwrap();
        let width = |range: Extrapolation| range.high - range.low;
        assert!(width(four.range(2, 4)) < width(range) / 2.0);
    }

    #[test]
    fn repeats_that_disagree_widen_the_range() {
        let width = |noise: &[f64]| {
            let range = Scaling::fit(&points((1.0, 0.1, 0.01), &[1, 2, 3, 4], noise)).unwrap().range(4, 8);
            range.high - range.low
        };
        assert!(width(&[-0.09, 0.0, 0.09]) > 1.3 * width(&[-0.01, 0.0, 0.01]));
    }

    fn said(refusal: Result<impl std::fmt::Debug, ScalingRefusal>) -> String {
        refusal.unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_said_is_refused_with_the_reason() {
        let fit = |cores: &[u32], noise: &[f64]| Scaling::fit(&points((1000.0, 0.05, 0.001), cores, noise));
        assert!(said(fit(&[2], &[0.0])).contains("measured on 1 different numbers of cores"));
        assert!(said(Scaling::fit(&[])).contains("on 0 different numbers of cores"));
        let nothing = ScalingPoint { cores: 2, per_second: 0.0 };
        assert!(said(Scaling::fit(&[nothing])).contains("is no measurement"));
        let far = fit(&[1, 2, 3, 4], &[0.0]).unwrap();
        assert!(far.extrapolate(4, 8).is_ok());
        assert!(said(far.extrapolate(4, 9)).contains("9 cores are more than 2 times the 4 measured"));
        let poor = fit(&[1, 2, 3, 4], &[0.3, -0.3, 0.2, -0.25]).unwrap();
        assert!(said(poor.extrapolate(4, 8)).contains("off the scalability law"), "{poor:?}");
        let wide = fit(&[1, 2], &[0.08, -0.08, 0.0]).unwrap();
        assert!(said(wide.extrapolate(1, 4)).contains("too wide to plan with"));
    }

    #[test]
    fn the_same_points_say_the_same_again() {
        let some = points((10.0, 0.2, 0.02), &[1, 2, 4], &[0.01, -0.02, 0.0]);
        assert_eq!(Scaling::fit(&some), Scaling::fit(&some));
    }
}
