//! Distributions of sizes in bytes.

use rand::Rng;
use rand_distr::{Distribution, LogNormal};
use serde::Serialize;

use super::input_table::Field;
use super::input_text::Problem;

/// Largest value the workbench generates, in bytes: 16 MiB.
pub(crate) const MAX_VALUE_BYTES: u32 = 16 << 20;

/// What a file needs where it has no sizes.
pub(super) const SIZES: &str = "a distribution of sizes: `{ constant = 256 }`, `{ uniform = { min = 100, max = 2000 } }`, \
    `{ lognormal = { median = 300, p99 = 4000 } }` or `{ empirical = { quantiles = [120, 180, 5000] } }`";

/// Sizes of values in bytes, at most 16 MiB.
///
/// In a workload file:
///
/// ```toml
/// event_bytes = { constant = 256 }
/// state_bytes = { uniform = { min = 100, max = 2000 } }
/// # or { lognormal = { median = 300, p99 = 4000 } }
/// # or { empirical = { quantiles = [120, 180, 240, 800, 5000] } }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeDistribution {
    /// Always the same.
    Constant(u32),
    /// Every size from `min` to `max`, both included, equally often.
    #[expect(missing_docs, reason = "bytes")]
    Uniform { min: u32, max: u32 },
    /// Log-normal, the usual shape of message sizes: most small, a long tail.
    Lognormal {
        /// Half of the values are smaller.
        median: u32,
        /// One in a hundred is larger.
        p99: u32,
    },
    /// Equally spaced quantiles of observed sizes, from minimum to maximum, ascending; in between it interpolates.
    Empirical {
        /// At least two sizes.
        quantiles: Vec<u32>,
    },
}

/// z-score of the 99th percentile of the normal distribution.
pub(crate) const Z_99: f64 = 2.326_347_874_040_841;

impl SizeDistribution {
    /// Draws one size.
    pub(crate) fn sample(&self, rng: &mut impl Rng) -> u32 {
        use rand::RngExt;
        let bytes = match self {
            Self::Constant(bytes) => *bytes,
            Self::Uniform { min, max } => rng.random_range(*min..=*max),
            Self::Lognormal { median, p99 } => {
                let mu = f64::from(*median).ln();
                let sigma = (f64::from(*p99).ln() - mu) / Z_99;
                // `median` and `p99` were validated on reading: sigma is finite and not negative.
                LogNormal::new(mu, sigma).map_or(*median, |distribution| to_bytes(distribution.sample(rng)))
            }
            Self::Empirical { quantiles } => draw(quantiles, rng),
        };
        bytes.min(MAX_VALUE_BYTES)
    }

    /// The largest size that the figures name: that of a log-normal one is its `p99`.
    pub(super) fn nominal_max_bytes(&self) -> u32 {
        match self {
            Self::Constant(bytes) => *bytes,
            Self::Uniform { max, .. } => *max,
            Self::Lognormal { p99, .. } => *p99,
            Self::Empirical { quantiles } => quantiles.last().copied().unwrap_or(0),
        }
    }

    /// The largest size [`sample`](Self::sample) can return.
    pub(crate) fn max_bytes(&self) -> u32 {
        match self {
            // Nine standard deviations above the median: practically never reached.
            Self::Lognormal { median, p99 } => {
                to_bytes(f64::from(*median) * (f64::from(*p99) / f64::from(*median)).powf(9.0 / Z_99))
            }
            _ => self.nominal_max_bytes(),
        }
    }

    /// Half of the values are smaller or equal, bytes.
    pub(crate) fn median(&self) -> u32 {
        match self {
            Self::Constant(bytes) => *bytes,
            Self::Uniform { min, max } => min.midpoint(*max),
            Self::Lognormal { median, .. } => *median,
            Self::Empirical { quantiles } => interpolate(quantiles, 0.5),
        }
    }

    /// Mean size, bytes.
    pub(crate) fn mean(&self) -> f64 {
        match self {
            Self::Constant(bytes) => f64::from(*bytes),
            Self::Uniform { min, max } => f64::from(*min).midpoint(f64::from(*max)),
            Self::Lognormal { median, p99 } => {
                let sigma = (f64::from(*p99) / f64::from(*median)).ln() / Z_99;
                f64::from(*median) * (sigma * sigma / 2.0).exp()
            }
            Self::Empirical { quantiles } => {
                let pairs = quantiles.windows(2).map(|pair| f64::from(pair[0]).midpoint(f64::from(pair[1])));
                pairs.sum::<f64>() / (quantiles.len() - 1) as f64
            }
        }
    }

    /// The same shape with all sizes multiplied by `factor`; they may exceed the limit.
    #[must_use]
    pub(crate) fn scaled(&self, factor: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates beyond the limit")]
        let times = |bytes: u32| (f64::from(bytes) * factor).round() as u32;
        match self {
            Self::Constant(bytes) => Self::Constant(times(*bytes)),
            Self::Uniform { min, max } => Self::Uniform { min: times(*min), max: times(*max) },
            Self::Lognormal { median, p99 } => Self::Lognormal { median: times(*median).max(1), p99: times(*p99) },
            Self::Empirical { quantiles } => {
                Self::Empirical { quantiles: quantiles.iter().map(|&bytes| times(bytes)).collect() }
            }
        }
    }

    /// A short description.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Constant(bytes) => format!("{bytes} B"),
            Self::Uniform { min, max } => format!("uniform {min} to {max} B"),
            Self::Lognormal { median, p99 } => format!("lognormal, median {median} B, p99 {p99} B"),
            Self::Empirical { quantiles } => format!(
                "empirical, {} to {} B, median {} B",
                quantiles.first().copied().unwrap_or(0),
                quantiles.last().copied().unwrap_or(0),
                interpolate(quantiles, 0.5),
            ),
        }
    }
}

/// Draws from a distribution with these equally spaced quantiles.
pub(super) fn draw(quantiles: &[u32], rng: &mut impl Rng) -> u32 {
    use rand::RngExt;
    interpolate(quantiles, rng.random::<f64>())
}

/// Linear interpolation between equally spaced quantiles.
fn interpolate(quantiles: &[u32], at: f64) -> u32 {
    let position = at * (quantiles.len() - 1) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= position < len")]
    let below = position.floor() as usize;
    let above = (below + 1).min(quantiles.len() - 1);
    let (low, high) = (f64::from(quantiles[below]), f64::from(quantiles[above]));
    to_bytes(low + (high - low) * (position - below as f64))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of a size")]
fn to_bytes(value: f64) -> u32 {
    value.round().clamp(0.0, f64::from(MAX_VALUE_BYTES)) as u32
}

/// Reads a distribution, `{ constant = 256 }`.
pub(super) fn sizes(field: &Field<'_>) -> Result<SizeDistribution, Problem> {
    const KINDS: [&str; 4] = ["constant", "uniform", "lognormal", "empirical"];
    if let Ok(bytes) = bytes(field) {
        return Err(field.wrong(&format!("a distribution of sizes such as `{{ constant = {bytes} }}`")));
    }
    match field.table(SIZES)?.one_of(&KINDS)? {
        ("constant", one) => bytes(&one).map(SizeDistribution::Constant),
        ("uniform", figures) => {
            let [min, max] = pair(&figures, ["min", "max"], "`{ min = 100, max = 2000 }`")?;
            Ok(SizeDistribution::Uniform { min, max })
        }
        ("lognormal", figures) => {
            let [median, p99] = pair(&figures, ["median", "p99"], "`{ median = 300, p99 = 4000 }`")?;
            Ok(SizeDistribution::Lognormal { median, p99 })
        }
        (_, figures) => {
            let expected = "`{ quantiles = [120, 180, 5000] }`";
            let table = figures.table(expected)?;
            table.only(&["quantiles"])?;
            let quantiles = ascending(&table.required("quantiles", ASCENDING)?, bytes)?;
            Ok(SizeDistribution::Empirical { quantiles })
        }
    }
}

fn bytes(field: &Field<'_>) -> Result<u32, Problem> {
    field.whole(" of bytes", 0..=MAX_VALUE_BYTES.into())
}

/// Two sizes, the second at least as large as the first. A median is at least 1.
fn pair(field: &Field<'_>, names: [&str; 2], expected: &str) -> Result<[u32; 2], Problem> {
    let table = field.table(expected)?;
    table.only(&names)?;
    let [low_name, high_name] = names;
    let [low, high] = names.map(|name| table.required(name, "bytes"));
    let (low, high) = (low?, high?);
    let (least, most) = (bytes(&low)?, bytes(&high)?);
    if low_name == "median" && least == 0 {
        return Err(low.wrong("at least 1"));
    }
    if least > most {
        return Err(low.wrong(&format!("at most `{high_name}`, which is {most}")));
    }
    Ok([least, most])
}

const ASCENDING: &str = "two or more whole numbers in ascending order, such as `[120, 180, 5000]`";

/// Quantiles.
pub(super) fn ascending(
    field: &Field<'_>,
    read: impl Fn(&Field<'_>) -> Result<u32, Problem>,
) -> Result<Vec<u32>, Problem> {
    let quantiles = field.list(ASCENDING)?.iter().map(read).collect::<Result<Vec<u32>, _>>()?;
    if quantiles.len() >= 2 && quantiles.is_sorted() { Ok(quantiles) } else { Err(field.wrong(ASCENDING)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn quantile(sizes: &SizeDistribution, at: f64) -> f64 {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut drawn: Vec<u32> = (0..100_000).map(|_| sizes.sample(&mut rng)).collect();
        drawn.sort_unstable();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= at < 1")]
        f64::from(drawn[(at * drawn.len() as f64) as usize])
    }

    #[test]
    fn lognormal_sizes_have_the_configured_median_and_p99() {
        let sizes = SizeDistribution::Lognormal { median: 300, p99: 4000 };
        assert!((quantile(&sizes, 0.5) / 300.0 - 1.0).abs() < 0.03);
        assert!((quantile(&sizes, 0.99) / 4000.0 - 1.0).abs() < 0.08);
    }

    #[test]
    fn empirical_sizes_reproduce_their_quantiles() {
        let sizes = SizeDistribution::Empirical { quantiles: vec![100, 200, 1000] };
        assert!((quantile(&sizes, 0.25) - 150.0).abs() < 3.0);
        assert!((quantile(&sizes, 0.75) - 600.0).abs() < 15.0);
    }

    #[test]
    fn the_mean_is_that_of_what_is_drawn() {
        for sizes in [
            SizeDistribution::Constant(70),
            SizeDistribution::Uniform { min: 7, max: 900 },
            SizeDistribution::Lognormal { median: 300, p99: 4000 },
            SizeDistribution::Empirical { quantiles: vec![100, 200, 1000, 9000] },
        ] {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
            let drawn: f64 = (0..200_000).map(|_| f64::from(sizes.sample(&mut rng))).sum::<f64>() / 200_000.0;
            assert!((drawn / sizes.mean() - 1.0).abs() < 0.02, "{sizes:?}: {drawn} and {}", sizes.mean());
        }
    }

    #[test]
    fn uniform_sizes_reach_their_bounds() {
        let sizes = SizeDistribution::Uniform { min: 7, max: 9 };
        for (at, expected) in [(0.0, 7.0), (0.5, 8.0), (0.999, 9.0)] {
            assert!((quantile(&sizes, at) - expected).abs() < 0.1, "{at}");
        }
    }
}
