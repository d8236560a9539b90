//! On databases of which sizes a plan measures.

use crate::load::Source;
use crate::plan::forecast::Deployment;
use crate::plan::outcome::ModelledGrowth;
use crate::plan::spec::Breadth;
use crate::units;

/// Bytes on the disk per byte of the largest database: one for each durability mode, and what loads add to their copies.
const DISK_PER_DATABASE: f64 = 3.0;
/// Most bytes of a database that a plan builds, by its effort: some seconds, half a minute, minutes.
const fn most_bytes(breadth: Breadth) -> u64 {
    match breadth {
        Breadth::Smallest => 640 << 20,
        Breadth::SmallestAndScaling => 4 << 30,
        Breadth::All => 64 << 30,
    }
}

/// Sizes of the database as multiples of the RAM of the smallest machine.
const fn multiples(breadth: Breadth) -> &'static [u64] {
    match breadth {
        Breadth::Smallest => &[1],
        Breadth::SmallestAndScaling => &[1, 4],
        Breadth::All => &[1, 4, 16],
    }
}

/// Events by which the database grows until the horizon.
pub(super) fn events_at_horizon(source: &Source, deployment: &Deployment) -> u64 {
    deployment.events_of(source, deployment.kept_after(deployment.horizon_days))
}

/// Size of the database after so many days, by the workload alone; that of a trace does not grow.
pub(super) fn size_after(source: &Source, deployment: &Deployment, days: f64) -> f64 {
    let events = events_at_horizon(source, &Deployment { horizon_days: days, ..*deployment });
    source.grown(events).preload_disk_bytes() as f64
}

impl ModelledGrowth {
    /// `None` if the source has no growth of its own.
    pub(super) fn of(source: &Source, deployment: &Deployment) -> Option<Self> {
        let now = size_after(source, deployment, 0.0);
        let today = Deployment { demand_growth_percent_per_month: 0.0, ..*deployment };
        let per_day_bytes = size_after(source, &today, 1.0) - now;
        let full = deployment.disk.limit().map(|bytes| ((bytes as f64 - now) / per_day_bytes).max(0.0));
        let growth = deployment.demand_growth();
        let days_until_disk_full = full.and_then(|full| growth.days_until_kept(full, deployment.retention_days));
        (per_day_bytes > 0.0).then_some(Self { per_day_bytes, days_until_disk_full })
    }
}

/// The sizes that are measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Events by which the database has grown, ascending, 0 first.
    pub(super) grown_events: Vec<u64>,
    /// Why the largest is smaller than it should be, in words.
    pub(super) note: Option<String>,
}

/// The database as it is now, and grown to multiples of `ram_bytes`, up to what it is at the horizon and to what fits the
/// free space.
pub(super) fn sizes(
    source: &Source,
    deployment: &Deployment,
    ram_bytes: u64,
    breadth: Breadth,
    free_bytes: u64,
) -> Sizes {
    let at_horizon = events_at_horizon(source, deployment);
    let most = source.grown(at_horizon).preload_disk_bytes();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes, not negative")]
    let fitting = (free_bytes as f64 / DISK_PER_DATABASE) as u64;
    let allowed = most_bytes(breadth).min(fitting);
    let mut grown_events = vec![0];
    let mut note = None;
    for &multiple in multiples(breadth) {
        let wanted = multiple.saturating_mul(ram_bytes);
        if wanted.min(most) > allowed {
            let [wanted, allowed] = [wanted, allowed].map(|size| units::bytes(size as f64));
            note = Some(format!(
                "a database of {wanted} is not built: {allowed} at most, by the free space and the effort"
            ));
        }
        let Some(events) = source.growth_to(wanted.min(allowed)) else { break };
        grown_events.push(events.min(at_horizon));
    }
    grown_events.sort_unstable();
    grown_events.dedup();
    Sizes { grown_events, note }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Disk;
    use std::sync::Arc;

    use crate::workload::{Workload, shipped};

    const GIB: u64 = 1 << 30;

    fn ledger() -> Source {
        let named = shipped().iter().find(|named| named.name == "ledger").unwrap();
        Source::Workload(Arc::new(Workload::parse(named.text).unwrap()))
    }

    fn deployment(target_per_second: f64, horizon_days: f64) -> Deployment {
        Deployment {
            target_per_second,
            demand_growth_percent_per_month: 0.0,
            actors: 5_000,
            retention_days: None,
            horizon_days,
            disk: Disk::of_host(1 << 40),
            rated_bytes: None,
        }
    }

    fn bytes(source: &Source, events: u64) -> f64 {
        source.grown(events).preload_disk_bytes() as f64
    }

    #[test]
    fn a_disk_that_retention_keeps_free_is_never_full() {
        let (source, forever) = (ledger(), deployment(500.0, 365.0));
        let found = ModelledGrowth::of(&source, &forever).unwrap();
        let full = found.days_until_disk_full.unwrap();
        let size = size_after(&source, &forever, full.min(10.0));
        let expected = size_after(&source, &forever, 0.0) + full.min(10.0) * found.per_day_bytes;
        assert!((size / expected - 1.0).abs() < 0.01, "{size} instead of {expected}");
        let kept = |days| ModelledGrowth::of(&source, &Deployment { retention_days: Some(days), ..forever }).unwrap();
        assert_eq!(kept(full / 2.0).days_until_disk_full, None);
        assert_eq!(kept(full * 2.0).days_until_disk_full, Some(full));
    }

    #[test]
    fn a_growing_demand_stores_the_integral_of_its_rate_until_the_horizon() {
        let (source, flat) = (ledger(), deployment(500.0, 730.5));
        let growing = Deployment { demand_growth_percent_per_month: 4.0, ..flat };
        let [events, more] = [flat, growing].map(|deployment| events_at_horizon(&source, &deployment) as f64);
        let months = 1_000_u32;
        let mean: f64 =
            (0..months).map(|step| 1.04_f64.powf(24.0 * (f64::from(step) + 0.5) / f64::from(months))).sum::<f64>();
        assert!((more / events / (mean / f64::from(months)) - 1.0).abs() < 1e-3, "{more} {events}");
        let [then, later] =
            [growing, flat].map(|deployment| ModelledGrowth::of(&source, &deployment).unwrap().days_until_disk_full);
        assert!(then < later, "{then:?} {later:?}");
    }

    #[test]
    fn a_database_is_measured_as_it_is_now_and_at_multiples_of_the_ram() {
        let source = ledger();
        let found = sizes(&source, &deployment(2_000.0, 365.0), GIB / 2, Breadth::SmallestAndScaling, 100 * GIB);
        assert_eq!((found.grown_events.len(), found.grown_events[0]), (3, 0));
        for (&events, expected) in found.grown_events[1..].iter().zip([GIB / 2, 2 * GIB]) {
            let size = bytes(&source, events);
            assert!((size / expected as f64 - 1.0).abs() < 0.05, "{size} instead of {expected}");
        }
        assert_eq!(found.note, None);
    }

    #[test]
    fn it_is_no_larger_than_at_the_horizon() {
        let found = sizes(&ledger(), &deployment(1.0, 1.0), GIB / 2, Breadth::All, 100 * GIB);
        let events = events_at_horizon(&ledger(), &deployment(1.0, 1.0));
        assert_eq!(found.grown_events, [0, events]);
        assert!(events > 0 && events <= 86_400, "{events}");
    }

    #[test]
    fn what_does_not_fit_the_free_space_is_smaller_and_said() {
        let found = sizes(&ledger(), &deployment(2_000.0, 365.0), GIB / 2, Breadth::All, GIB);
        let largest = bytes(&ledger(), *found.grown_events.last().unwrap());
        assert!(largest < 0.37 * GIB as f64, "{largest}");
        assert!(found.note.unwrap().contains("341 MiB at most"));
    }
}
