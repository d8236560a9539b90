//! The part of a report that a rising or falling rate adds: latency against rate, and where it crosses the objective.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::measure::ascending;

/// Latency against the rate of a ramp.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RampInfo {
    /// The command or transaction that the latencies are of: that of the objective, else the one that was issued most.
    pub command: String,
    /// One entry per durability mode.
    pub modes: Vec<RampMode>,
}

/// One durability mode of a ramp. The slices of its rounds at the same rate are added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RampMode {
    /// Whether writes wait for the disk.
    pub durability: Durability,
    /// Ascending by rate.
    pub points: Vec<RampPoint>,
    /// Rate from which on the trend of the percentile of the objective is above its limit, commands per second. The trend does
    /// not fall as the rate rises. Absent without an objective, if the highest rate meets it, or if none does.
    pub crosses_at_per_second: Option<f64>,
}

/// The response times around one rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RampPoint {
    /// Rate offered in the middle of the slice, commands per second.
    pub offered_per_second: f64,
    /// Median; absent if there are too few samples.
    pub p50_ns: Option<u64>,
    /// The percentile of the objective, else p99; absent if there are too few samples.
    pub percentile_ns: Option<u64>,
}

impl RampMode {
    /// `points` ascend by rate. The crossing is interpolated between two points in the logarithm of the latency.
    pub(crate) fn new(durability: Durability, points: Vec<RampPoint>, limit_ns: Option<u64>) -> Self {
        let known =
            points.iter().filter_map(|point| Some((point.offered_per_second, point.percentile_ns?.max(1) as f64)));
        let (rates, latencies): (Vec<f64>, Vec<f64>) = known.unzip();
        let known: Vec<_> = rates.into_iter().zip(ascending(&latencies)).map(<[f64; 2]>::from).collect();
        let crosses_at_per_second = limit_ns.and_then(|limit| crossing(&known, limit.max(1) as f64));
        Self { durability, points, crosses_at_per_second }
    }
}

/// The rate beyond which every latency is above the limit; `None` if the last is not, or the first is.
/// Latencies do not descend.
fn crossing(points: &[[f64; 2]], limit: f64) -> Option<f64> {
    let last_met = points.iter().rposition(|[_, latency]| *latency <= limit)?;
    let ([low, below], [high, above]) = (points[last_met], *points.get(last_met + 1)?);
    let share = (limit / below).ln() / (above / below).ln();
    Some(low + share.clamp(0.0, 1.0) * (high - low))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossed(latencies_ms: &[u64]) -> Option<f64> {
        let point = |(place, &latency): (u32, &u64)| RampPoint {
            offered_per_second: 1_000.0 * f64::from(place),
            p50_ns: None,
            percentile_ns: Some(latency * 1_000_000),
        };
        let points = (1..).zip(latencies_ms).map(point).collect();
        RampMode::new(Durability::On, points, Some(10_000_000)).crosses_at_per_second
    }

    #[test]
    fn a_ramp_crosses_where_latency_stays_above_the_limit() {
        let at = crossed(&[1, 2, 5, 20, 80]).unwrap();
        assert!((at - 3_500.0).abs() < 1.0, "halfway from 5 ms to 20 ms in the logarithm, {at}");
        let at = crossed(&[1, 50, 5, 20, 80]).unwrap();
        assert!((at - 3_500.0).abs() < 1.0, "one bad slice on the way up is no crossing, {at}");
        assert_eq!(crossed(&[40, 50, 9, 30, 60, 8, 70, 80]), None, "two good slices among bad ones are no crossing");
        assert_eq!(crossed(&[1, 2, 5]), None, "the highest rate meets the limit");
        assert_eq!(crossed(&[20, 30]), None, "no rate meets it");
        assert_eq!(crossed(&[]), None);
    }
}
