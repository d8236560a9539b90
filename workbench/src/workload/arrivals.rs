//! When commands arrive in an open loop.

use serde::{Deserialize, Deserializer, Serialize};

use super::checks::checked;

/// When commands arrive in an open loop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// Evenly spaced.
    Constant,
    /// Independent of each other, as requests of many users are.
    #[default]
    Poisson,
    /// In bursts, as after an outage or on the hour.
    Bursts(Bursts),
}

impl std::fmt::Display for Arrivals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Constant => f.write_str("evenly spaced"),
            Self::Poisson => f.write_str("Poisson arrivals"),
            Self::Bursts(Bursts { factor, share, seconds }) => {
                let percent = 100.0 * share;
                write!(f, "bursts of {factor} times the rate for {seconds} s on average, {percent:.0} % of the time")
            }
        }
    }
}

/// Random arrivals at two rates that alternate after random, exponentially distributed times. The mean rate is the
/// offered one.
///
/// In a workload file: `arrivals = { bursts = { factor = 5.0, share = 0.1, seconds = 2.0 } }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bursts {
    /// Rate in a burst as a multiple of the mean rate, above 1.
    pub factor: f64,
    /// Share of the time that bursts take, between 0 and 1; times `factor` at most 1.
    pub share: f64,
    /// Mean length of a burst, seconds, above 0.
    pub seconds: f64,
}

impl Bursts {
    /// Rate between bursts as a multiple of the mean rate.
    pub(crate) fn calm_factor(self) -> f64 {
        ((1.0 - self.factor * self.share) / (1.0 - self.share)).max(0.0)
    }

    fn is_valid(self) -> bool {
        let Self { factor, share, seconds } = self;
        factor > 1.0 && share > 0.0 && factor * share <= 1.0 && seconds > 0.0 && seconds.is_finite()
    }
}

pub(super) fn arrivals<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arrivals, D::Error> {
    let fits = |arrivals: &Arrivals| !matches!(arrivals, Arrivals::Bursts(bursts) if !bursts.is_valid());
    checked(
        deserializer,
        fits,
        "bursts with `factor` above 1, `share` above 0, factor x share at most 1, `seconds` above 0",
    )
}
