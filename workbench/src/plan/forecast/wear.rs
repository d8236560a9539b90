//! What a disk writes as the database grows, and when its endurance is used up.
//!
//! A plan measures the write amplification of a database that is small. A larger one has more levels, each ten times the size of
//! the one above, and what grows passes through all of them: the merge into one more level rewrites at most ten bytes for each
//! byte that passes, and about half of that on average, since a level is between full and just emptied (H. Lim et al., "Towards
//! Accurate and Fast Evaluation of Multi-Stage Log-structured Designs", FAST 2016). So
//!
//! `written per command = measured + rewritten per level × growth per command × further levels`
//!
//! with a rewriting of 5 as the expectation, of 10 at most and none at the least. The number of levels is the logarithm of the
//! size, counted in parts of a level.

use super::disk::{Deployment, years_until_worn};
use super::growth::GrowthCurve;
use crate::actor::Durability;
use crate::load::Source;
use crate::report::{Band, WritesInfo};
use crate::units::DAY_SECONDS;

/// Size of a level as a multiple of the one above: RocksDB's default, which the backend keeps.
const FANOUT: f64 = 10.0;
/// Bytes that the merge into one more level rewrites for each that passes.
const REWRITTEN_PER_LEVEL: Band = Band { expected: FANOUT / 2.0, low: 0.0, high: FANOUT };

/// The writes of one durability mode.
pub(super) struct Wear<'a> {
    pub(super) source: &'a Source,
    pub(super) deployment: &'a Deployment,
    pub(super) curve: &'a GrowthCurve,
    /// Bytes of the values that a command writes.
    pub(super) payload_per_command: f64,
    /// Bytes sent to storage per byte of value, as measured.
    pub(super) amplification: f64,
    /// The largest size that has no more levels than the database that was measured, bytes.
    pub(super) one_level_bytes: u64,
}

impl Wear<'_> {
    pub(super) fn writes(&self, durability: Durability) -> WritesInfo {
        let per_day_bytes = self.written_per_command() * self.deployment.target_per_second * DAY_SECONDS;
        let worn = |rewritten: f64| {
            years_until_worn(per_day_bytes, self.deployment, |days| {
                self.state_growth(days) + rewritten * self.share_of_further_levels(days)
            })
        };
        let horizon = self.deployment.demand_growth().commands_in(self.deployment.horizon_days);
        let further = self.amplification * self.share_of_further_levels(horizon);
        let at_horizon = |rewritten: f64| self.amplification + rewritten * further;
        let Band { expected, low, high } = REWRITTEN_PER_LEVEL;
        WritesInfo {
            durability,
            per_day_bytes,
            write_amplification_ratio: self.amplification,
            horizon_write_amplification_ratio: Some(Band {
                expected: at_horizon(expected),
                low: at_horizon(low),
                high: at_horizon(high),
            }),
            disk_worn_years: worn(expected),
            disk_worn_range_years: worn(high).zip(worn(low)).map(|(fewest, most)| [fewest, most]),
        }
    }

    fn written_per_command(&self) -> f64 {
        self.amplification * self.payload_per_command
    }

    /// How many times as many bytes the commands write after so many days of today's demand, since states have grown.
    fn state_growth(&self, days_of_today: f64) -> f64 {
        let later = self.source.grown(self.deployment.events_of(self.source, days_of_today));
        (later.written_bytes_per_command() / self.source.written_bytes_per_command()).max(1.0)
    }

    /// What one rewriting in each further level adds after so many days of today's demand, as a share of what is written today.
    fn share_of_further_levels(&self, days_of_today: f64) -> f64 {
        let commands_per_day = self.deployment.target_per_second * DAY_SECONDS;
        let kept_days = self.deployment.kept_after(self.deployment.demand_growth().days_of(days_of_today));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of commands, saturating")]
        let size = self.curve.at((kept_days * commands_per_day) as u64).expected;
        let further_levels = (size / self.one_level_bytes.max(1) as f64).log(FANOUT).max(0.0);
        let written = self.written_per_command();
        if written > 0.0 { further_levels * self.curve.bytes_per_command().expected / written } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Disk;
    use crate::workload::{Workload, shipped};
    use std::sync::Arc;

    const GB: u64 = 1_000_000_000;

    /// A log of 100 bytes per command at 1,000 commands/s for a year, with a disk rated for 100 TB.
    fn deployment() -> Deployment {
        Deployment {
            target_per_second: 1_000.0,
            demand_growth_percent_per_month: 0.0,
            actors: 1,
            retention_days: None,
            horizon_days: 365.0,
            disk: Disk::of_host(10_000 * GB),
            rated_bytes: Some(100_000 * GB),
        }
    }

    fn writes(stored_per_command: f64, one_level_bytes: u64, deployment: &Deployment) -> WritesInfo {
        let audit = shipped().iter().find(|named| named.name == "audit").unwrap();
        let source = Source::Workload(Arc::new(Workload::parse(audit.text).unwrap()));
        let curve = GrowthCurve::straight(stored_per_command, 1_000_000);
        let wear = Wear {
            source: &source,
            deployment,
            curve: &curve,
            payload_per_command: 100.0,
            amplification: 3.0,
            one_level_bytes,
        };
        wear.writes(Durability::Off)
    }

    #[test]
    fn a_database_that_stays_small_writes_what_was_measured() {
        let found = writes(100.0, 1_000_000 * GB, &deployment());
        assert!((found.per_day_bytes - 300.0 * 1_000.0 * DAY_SECONDS).abs() < 1.0, "{found:?}");
        let at_horizon = found.horizon_write_amplification_ratio.unwrap();
        assert_eq!(
            [at_horizon.low, at_horizon.expected, at_horizon.high].map(f64::to_bits),
            [3.0_f64; 3].map(f64::to_bits)
        );
        let [fewest, most] = found.disk_worn_range_years.unwrap();
        let worn = 100_000.0 * GB as f64 / found.per_day_bytes / 365.25;
        assert!(fewest <= most && (worn / found.disk_worn_years.unwrap() - 1.0).abs() < 1e-3, "{found:?} {worn}");
    }

    #[test]
    fn each_further_level_rewrites_what_passes_it() {
        // 3.15 TB after a year: 1.5 levels more than 100 GB.
        let found = writes(100.0, 100 * GB, &deployment());
        let at_horizon = found.horizon_write_amplification_ratio.unwrap();
        let levels = (100.0 * 1_000.0 * DAY_SECONDS * 365.0 / (100.0 * GB as f64)).log10();
        assert!((at_horizon.expected - (3.0 + 5.0 * levels)).abs() < 0.01, "{at_horizon:?}");
        assert!((at_horizon.high - (3.0 + 10.0 * levels)).abs() < 0.01 && (at_horizon.low - 3.0).abs() < 1e-9);
        let [fewest, most] = found.disk_worn_range_years.unwrap();
        let years = found.disk_worn_years.unwrap();
        assert!(fewest < years && years < most, "{found:?}");
    }

    #[test]
    fn overwrites_alone_add_no_level() {
        let found = writes(0.0, GB, &deployment());
        assert!((found.horizon_write_amplification_ratio.unwrap().high - 3.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn a_retention_bounds_the_levels() {
        let month = Deployment { retention_days: Some(30.0), ..deployment() };
        let [bounded, growing] = [month, deployment()].map(|deployment| writes(100.0, 100 * GB, &deployment));
        let high = |found: &WritesInfo| found.horizon_write_amplification_ratio.unwrap().high;
        assert!(high(&bounded) < high(&growing) && high(&bounded) > 3.0, "{bounded:?} {growing:?}");
        assert!(bounded.disk_worn_years > growing.disk_worn_years);
    }
}
