//! The disk of a plan: how it behaved, how it changed since its profile, and the durable rate at its latencies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::{DiskSample, DiskSwing};
use crate::units;

/// Ratio of two sync latencies, the larger over the smaller, that counts as equal even where the profile's own band is
/// narrower: a band of a few seconds is by chance.
const EQUAL_RATIO: f64 = 1.2;

/// The disk while a plan ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanDisk {
    /// The band that it swung through between the loads of the plan, and steps; absent if no load was measured.
    pub swing: Option<DiskSwing>,
    /// The samples behind it, each taken just before a load.
    pub samples: Vec<DiskSample>,
    /// The disk of today beside that of `--disk FILE`; absent without it.
    pub comparison: Option<DiskComparison>,
    /// The durable rate as a function of the sync latency; absent with durability off alone.
    pub durable_rates: Option<DurableRates>,
}

/// A disk today beside an earlier profile of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskComparison {
    /// When the profile was measured, RFC 3339 in UTC.
    pub profile_measured_at: String,
    /// Its sync latency: the median of the seconds' medians.
    pub profile_sync_p50_ns: u64,
    /// The sync latencies that count as the same: its band, p10 to p90 of the seconds, and at least 1.2-fold to both sides.
    pub profile_band_ns: [f64; 2],
    /// The sync latency of today.
    pub sync_p50_ns: u64,
    /// The latency of today over that of the profile.
    pub sync_ratio: f64,
    /// Whether it left the band.
    pub change: DiskChange,
    /// In words: `the sync p50 is 310 µs, 3.1 times that of the profile of 2026-11-02`.
    pub sentence: String,
}

/// How a disk changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiskChange {
    /// Within the band of the profile.
    Same,
    /// Syncs take longer.
    Slower,
    /// Syncs take less time.
    Faster,
}

impl DiskComparison {
    /// The disk of today beside what a profile found at `measured_at`, RFC 3339 in UTC.
    pub(crate) fn new(measured_at: &str, known: &DiskSwing, today: &DiskSwing) -> Self {
        let [now, then] = [today.sync_p50_ns as f64, known.sync_p50_ns as f64];
        let band =
            [(known.sync_p10_ns as f64).min(then / EQUAL_RATIO), (known.sync_p90_ns as f64).max(then * EQUAL_RATIO)];
        let change = match now {
            _ if now > band[1] => DiskChange::Slower,
            _ if now < band[0] => DiskChange::Faster,
            _ => DiskChange::Same,
        };
        let ratio = now / then;
        let day = measured_at.get(..10).unwrap_or(measured_at);
        let profile = format!(
            "the profile of {day} ({}, band {})",
            units::duration(then),
            units::duration_range(band[0], band[1])
        );
        let sync = units::duration(now);
        let sentence = match change {
            DiskChange::Same => format!("the sync p50 is {sync}, within the band of {profile}"),
            DiskChange::Slower | DiskChange::Faster => {
                format!("the sync p50 is {sync}, {} times that of {profile}", units::number(ratio))
            }
        };
        Self {
            profile_measured_at: measured_at.to_owned(),
            profile_sync_p50_ns: known.sync_p50_ns,
            profile_band_ns: band,
            sync_p50_ns: today.sync_p50_ns,
            sync_ratio: ratio,
            change,
            sentence,
        }
    }
}

/// The durable rate of a machine as a function of the sync latency: `1 / (fixed time + syncs per command × sync latency)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DurableRates {
    /// The machine.
    pub machine: String,
    /// Where the two parameters come from.
    pub basis: DurableRateBasis,
    /// Seconds of the closed loop behind it, each with its rate and its sync latency.
    pub seconds_count: u64,
    /// Time per command without its share of the syncs.
    pub fixed_ns: f64,
    /// Share of a sync per command: below 1 where writers share syncs.
    pub syncs_per_command_ratio: f64,
    /// Root of the mean squared relative distance of the seconds from the function, percent; absent if one second made it.
    pub error_percent: Option<f64>,
    /// Shortest and longest sync latency that the function applies to: half and twice of what was measured.
    pub reach_ns: [f64; 2],
    /// The function at the sync latencies that the disk showed, ascending.
    pub rates: Vec<DurableRate>,
    /// Why there is no function, or no fit; empty if there is one.
    pub note: String,
}

impl DurableRates {
    /// The rate at the median of the disk.
    #[cfg(feature = "rocksdb")]
    pub(crate) fn median(&self) -> Option<&DurableRate> {
        self.rates.iter().find(|rate| (rate.swing_percent - 50.0).abs() < 1.0)
    }

    /// `1 / rate = 45 µs + 0.28 × sync latency under load, fitted to 5 s of the closed loop on nano, error 3 %`, or why there
    /// is none.
    pub fn summary(&self) -> String {
        if !self.note.is_empty() {
            return format!("not known for {}: {}", self.machine, self.note);
        }
        let basis = match self.basis {
            DurableRateBasis::Fitted => "fitted to",
            DurableRateBasis::Counted => "counted in",
        };
        let error = self.error_percent.map_or_else(|| "not known".to_owned(), units::percent);
        format!(
            "1 / rate = {} + {} × sync latency under load, {basis} {} of the closed loop on {}, error {error}",
            units::duration(self.fixed_ns),
            units::number(self.syncs_per_command_ratio),
            units::seconds(self.seconds_count as f64),
            self.machine,
        )
    }
}

/// Where the parameters of a durable rate come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DurableRateBasis {
    /// Least squares over the seconds: their sync latencies differ enough.
    Fitted,
    /// The syncs per command that were counted, and the time that was not spent in them.
    Counted,
}

/// The durable rate at one sync latency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DurableRate {
    /// Percentile of the disk's samples that has this latency: 10, 50 or 90.
    pub swing_percent: f64,
    /// Sync latency of the idle disk, as `host --probe` shows it.
    pub disk_sync_ns: u64,
    /// The sync latency in the closed loop that corresponds to it: in proportion, from that of its seconds at the median.
    pub ceiling_sync_ns: f64,
    /// Closed-loop ceiling, commands per second; absent beyond the reach of the function.
    pub ceiling_per_second: Option<f64>,
    /// The sync latency at the highest rate that met the objective, likewise; absent if none did.
    pub sustained_sync_ns: Option<f64>,
    /// Highest rate that meets the objective: measured at the median, elsewhere in proportion to the ceiling; absent if none
    /// did, or where syncs take more than twice or less than half as long.
    pub sustained_per_second: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "2026-11-02T10:00:00Z";

    fn swing(sync_p10_ns: u64, sync_p50_ns: u64, sync_p90_ns: u64) -> DiskSwing {
        DiskSwing { sync_p50_ns, sync_p10_ns, sync_p90_ns, ..DiskSwing::default() }
    }

    fn today(sync_p50_ns: u64) -> DiskSwing {
        DiskSwing { sync_p50_ns, ..DiskSwing::default() }
    }

    #[test]
    fn a_disk_changed_if_its_latency_left_the_band_of_its_profile() {
        let known = swing(80_000, 100_000, 150_000);
        for (now, change) in [
            (310_000, DiskChange::Slower),
            (151_000, DiskChange::Slower),
            (149_000, DiskChange::Same),
            (81_000, DiskChange::Same),
            (79_000, DiskChange::Faster),
        ] {
            assert_eq!(DiskComparison::new(DATE, &known, &today(now)).change, change, "{now}");
        }
        let slower = DiskComparison::new(DATE, &known, &today(310_000)).sentence;
        assert!(slower.starts_with("the sync p50 is 310 µs, 3.1 times that of the profile of 2026-11-02"), "{slower}");
    }

    #[test]
    fn a_narrow_band_is_widened() {
        let known = swing(100_000, 100_000, 100_000);
        assert_eq!(DiskComparison::new(DATE, &known, &today(119_000)).change, DiskChange::Same);
        assert_eq!(DiskComparison::new(DATE, &known, &today(121_000)).change, DiskChange::Slower);
        assert_eq!(DiskComparison::new(DATE, &known, &today(83_000)).change, DiskChange::Faster);
    }
}
