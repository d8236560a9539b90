//! When commands arrive in an open loop.

use serde::{Deserialize, Serialize};

use super::input_table::Field;
use super::input_text::Problem;

/// Highest factor and mean length of bursts: beyond, times overflow.
const MOST: f64 = 1e9;

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
}

pub(super) fn arrivals(field: &Field<'_>) -> Result<Arrivals, Problem> {
    const EXPECTED: &str = "`\"poisson\"`, `\"constant\"` or `{ bursts = { factor = 5, share = 0.1, seconds = 2 } }`";
    match field.as_text() {
        Some("constant") => return Ok(Arrivals::Constant),
        Some("poisson") => return Ok(Arrivals::Poisson),
        _ => {}
    }
    let (_, bursts) = field.table(EXPECTED)?.one_of(&["bursts"])?;
    let table = bursts.table("`{ factor = 5, share = 0.1, seconds = 2 }`")?;
    table.only(&["factor", "share", "seconds"])?;
    let figure = |name, expected: &str, fits: fn(f64) -> bool| table.required(name, expected)?.number(expected, fits);
    let bursts = Bursts {
        factor: figure("factor", "a number above 1, at most 10^9", |factor| factor > 1.0 && factor <= MOST)?,
        share: figure("share", "a share above 0, below 1", |share| share > 0.0 && share < 1.0)?,
        seconds: figure("seconds", "seconds above 0, at most 10^9", |seconds| seconds > 0.0 && seconds <= MOST)?,
    };
    let product = bursts.factor * bursts.share;
    if product > 1.0 {
        let text = format!("`arrivals.bursts` has a `factor` x `share` of {product}, expected at most 1");
        return Err(table.problem(text));
    }
    Ok(Arrivals::Bursts(bursts))
}
