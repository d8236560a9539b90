//! The price of durability: what it costs that a write survives power loss.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::latency::LatencyInfo;
use super::mode::ModeResult;
use crate::actor::Durability;
use crate::measure::Percentile;

/// Rates of two modes that differ by less than this share count as the same.
const SAME_RATE: f64 = 0.005;
/// Databases of two modes that differ by at most this factor count as of one size: reads depend on it.
const SAME_DATABASE: f64 = 1.25;

/// What durability costs, and what is at risk without it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DurabilityPrice {
    /// Absent if both modes followed a schedule and neither was driven to its limit.
    pub throughput: Option<ThroughputPrice>,
    /// Absent if the samples of a mode do not support a median, or the databases of the modes differ in size.
    pub latency: Option<LatencyPrice>,
    /// Of a plan only, which has a target.
    pub at_risk: Option<AtRisk>,
}

/// Throughput that is left with durability on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThroughputPrice {
    /// Kind of both rates.
    pub basis: ThroughputBasis,
    /// The machine of both rates; absent for a run.
    pub machine: Option<String>,
    /// With durability off.
    pub off_per_second: f64,
    /// With durability on.
    pub on_per_second: f64,
    /// The second as a share of the first, 100 at most: durability makes nothing faster.
    pub kept_percent: f64,
    /// Where that share lies, by the rates that were sustained and the next higher ones that missed the objective; absent where a
    /// mode missed it at no higher rate, and for closed loops.
    pub kept_band_percent: Option<[f64; 2]>,
}

/// Kind of rates that a [`ThroughputPrice`] compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThroughputBasis {
    /// Highest rates that meet the objective.
    Objective,
    /// Closed-loop ceilings.
    Saturation,
}

/// Response time that durability adds to one command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LatencyPrice {
    /// The command.
    pub command: String,
    /// Whether both modes were measured at the target of a plan.
    pub at_target: bool,
    /// Median with durability off.
    pub off_p50_ns: u64,
    /// Median with durability on.
    pub on_p50_ns: u64,
    /// Their difference.
    pub added_p50_ns: f64,
    /// The same at p99; absent if the samples do not support it.
    pub off_p99_ns: Option<u64>,
    /// With durability on.
    pub on_p99_ns: Option<u64>,
    /// Their difference; absent if commands were faster with durability, which is chance.
    pub added_p99_ns: Option<f64>,
    /// Rates that the two modes were offered, off and on, if they differ.
    pub unequal_rates_per_second: Option<[f64; 2]>,
}

/// What a loss of power costs without durability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AtRisk {
    /// Age that acknowledged writes can reach before the kernel has them on the disk.
    pub seconds: f64,
    /// Commands at the target in that time.
    pub commands: f64,
    /// Kernel settings that decide it.
    pub source: String,
}

impl DurabilityPrice {
    /// Of a measurement of both modes; `None` if a mode is missing or nothing can be compared.
    pub(super) fn of_modes(modes: &[ModeResult], command: Option<&str>) -> Option<Self> {
        let of = |durability| modes.iter().find(|mode| mode.durability == durability);
        let (off, on) = of(Durability::Off).zip(of(Durability::On))?;
        let is_scheduled = off.offered_per_second.or(on.offered_per_second).is_some();
        let rates = (off.achieved_per_second, on.achieved_per_second);
        let throughput =
            if is_scheduled { None } else { ThroughputPrice::new(ThroughputBasis::Saturation, None, rates) };
        let [small, large] = {
            let [off, on] = [off, on].map(|mode| mode.resources.database_bytes);
            [off.min(on), off.max(on)]
        };
        let is_one_size = large as f64 <= SAME_DATABASE * small as f64;
        let latency = command.filter(|_| is_one_size).and_then(|command| LatencyPrice::of_modes(off, on, command));
        (throughput.is_some() || latency.is_some()).then_some(Self { throughput, latency, at_risk: None })
    }
}

impl ThroughputPrice {
    /// Of a rate with durability off and one with durability on; `None` if the first is 0.
    pub(crate) fn new(basis: ThroughputBasis, machine: Option<String>, (off, on): (f64, f64)) -> Option<Self> {
        let kept_percent = percent_kept(off, on);
        let price =
            Self { basis, machine, off_per_second: off, on_per_second: on, kept_percent, kept_band_percent: None };
        (off > 0.0).then_some(price)
    }

    /// With the band that follows from the rates that missed the objective above those that are compared.
    pub(crate) fn within(self, missed: Option<(f64, f64)>) -> Self {
        let band = |(off, on)| [percent_kept(off, self.on_per_second), percent_kept(self.off_per_second, on)];
        Self { kept_band_percent: missed.map(band), ..self }
    }
}

/// More than all is chance.
fn percent_kept(off_per_second: f64, on_per_second: f64) -> f64 {
    (100.0 * on_per_second / off_per_second).min(100.0)
}

impl LatencyPrice {
    fn of_modes(off: &ModeResult, on: &ModeResult, command: &str) -> Option<Self> {
        let price = Self::new(command, off.latency(command)?, on.latency(command)?)?;
        let offered = off.offered_per_second.zip(on.offered_per_second);
        let unequal = offered.filter(|(off, on)| (off - on).abs() > SAME_RATE * off.max(*on));
        Some(Self { unequal_rates_per_second: unequal.map(<[f64; 2]>::from), ..price })
    }

    /// Of what was measured of one command at the target of a plan. Durability makes nothing faster: a shorter time is chance.
    pub(crate) fn at_target(command: &str, off: &LatencyInfo, on: &LatencyInfo) -> Option<Self> {
        Some(Self { at_target: true, ..Self::new(command, off, on)? })
    }

    fn new(command: &str, off: &LatencyInfo, on: &LatencyInfo) -> Option<Self> {
        let value = |latency: &LatencyInfo, percentile| latency.percentile(percentile).map(|found| found.value_ns);
        let both = |percentile| value(off, percentile).zip(value(on, percentile));
        let added = |(off, on): (u64, u64)| on as f64 - off as f64;
        let (p50, p99) = (both(Percentile::P50)?, both(Percentile::P99));
        if p50.1 < p50.0 {
            return None;
        }
        Some(Self {
            command: command.to_owned(),
            at_target: false,
            off_p50_ns: p50.0,
            on_p50_ns: p50.1,
            added_p50_ns: added(p50),
            off_p99_ns: value(off, Percentile::P99),
            on_p99_ns: value(on, Percentile::P99),
            added_p99_ns: p99.map(added).filter(|&added| added >= 0.0),
            unequal_rates_per_second: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Report;

    #[test]
    fn only_modes_without_a_schedule_have_a_price_in_throughput() {
        let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../reports/sample/report.json");
        let report: Report = serde_json::from_str(&std::fs::read_to_string(sample).unwrap()).unwrap();
        let mut modes = report.modes;
        for mode in &mut modes {
            mode.offered_per_second = Some(700.0);
        }
        let scheduled = DurabilityPrice::of_modes(&modes, Some("persist")).unwrap();
        let latency = scheduled.latency.as_ref().unwrap();
        assert!(scheduled.throughput.is_none() && latency.unequal_rates_per_second.is_none() && !latency.at_target);
        assert!((latency.added_p50_ns - (latency.on_p50_ns as f64 - latency.off_p50_ns as f64)).abs() < 1e-9);
        modes[1].offered_per_second = Some(1.0);
        let unequal = DurabilityPrice::of_modes(&modes, Some("persist")).unwrap().latency.unwrap();
        assert!(unequal.unequal_rates_per_second.is_some());
        for (mode, rate) in modes.iter_mut().zip([400.0, 100.0]) {
            (mode.offered_per_second, mode.achieved_per_second) = (None, rate);
        }
        let closed = DurabilityPrice::of_modes(&modes, None).unwrap().throughput.unwrap();
        assert_eq!(closed.basis, ThroughputBasis::Saturation);
        assert!((closed.kept_percent - 25.0).abs() < 1e-9);
        let of_rates = |rates| ThroughputPrice::new(ThroughputBasis::Objective, None, rates);
        let faster = of_rates((100.0, 120.0)).unwrap().within(Some((110.0, 130.0)));
        assert_eq!((faster.kept_percent, faster.kept_band_percent), (100.0, Some([100.0, 100.0])));
        assert_eq!(of_rates((0.0, 120.0)), None);
        assert_eq!(DurabilityPrice::of_modes(&modes[..1], Some("persist")), None);
    }
}
