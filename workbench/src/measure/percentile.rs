//! The percentiles of latencies.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The percentiles that reports list and objectives are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Percentile {
    /// The shortest latency.
    #[serde(rename = "min")]
    Min,
    /// The median.
    #[serde(rename = "p50")]
    P50,
    /// 75 %.
    #[serde(rename = "p75")]
    P75,
    /// 90 %.
    #[serde(rename = "p90")]
    P90,
    /// 95 %.
    #[serde(rename = "p95")]
    P95,
    /// 99 %.
    #[serde(rename = "p99")]
    P99,
    /// 99.9 %.
    #[serde(rename = "p99.9")]
    P99_9,
    /// 99.99 %.
    #[serde(rename = "p99.99")]
    P99_99,
    /// The longest latency.
    #[serde(rename = "max")]
    Max,
}

/// All percentiles, ascending.
pub const PERCENTILES: [Percentile; 9] = [
    Percentile::Min,
    Percentile::P50,
    Percentile::P75,
    Percentile::P90,
    Percentile::P95,
    Percentile::P99,
    Percentile::P99_9,
    Percentile::P99_99,
    Percentile::Max,
];

impl Percentile {
    /// Samples that must lie beyond a percentile before it is reported.
    pub const SAMPLES_BEYOND: u64 = 10;

    const FIGURES: [(&str, f64); PERCENTILES.len()] = [
        ("min", 0.0),
        ("p50", 0.5),
        ("p75", 0.75),
        ("p90", 0.9),
        ("p95", 0.95),
        ("p99", 0.99),
        ("p99.9", 0.999),
        ("p99.99", 0.9999),
        ("max", 1.0),
    ];

    /// `p99.9`.
    pub const fn name(self) -> &'static str {
        Self::FIGURES[self as usize].0
    }

    /// Share of samples at or below it, 0 to 1.
    pub const fn quantile(self) -> f64 {
        Self::FIGURES[self as usize].1
    }

    /// The percentile with this name.
    pub fn named(name: &str) -> Option<Self> {
        PERCENTILES.into_iter().find(|percentile| percentile.name() == name)
    }

    /// Whether it is the minimum or the maximum, which describe the samples and have no confidence interval.
    pub const fn is_extreme(self) -> bool {
        matches!(self, Self::Min | Self::Max)
    }

    /// Whether `count` samples support this percentile: at least [`SAMPLES_BEYOND`](Self::SAMPLES_BEYOND) of them lie
    /// beyond it. Minimum and maximum describe the samples themselves and need one.
    pub fn is_supported_by(self, count: u64) -> bool {
        if self.is_extreme() {
            return count > 0;
        }
        // Half a sample of slack, so that 1,000 samples support p99 whatever 1.0 - 0.99 is in binary.
        count as f64 * (1.0 - self.quantile()) + 0.5 > Self::SAMPLES_BEYOND as f64
    }
}

impl fmt::Display for Percentile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_needs_ten_samples_beyond_it() {
        let supported = |name: &str, count| Percentile::named(name).unwrap().is_supported_by(count);
        assert!(supported("p99", 1_000) && !supported("p99", 900));
        assert!(supported("p99.99", 100_000) && !supported("p99.99", 90_000));
        assert!(supported("max", 1) && !supported("max", 0));
    }
}
