//! Whether the disk that a catalogue gives a machine is enough.
//!
//! A machine is emulated on the disk of this host. What a catalogue says about its own disk can rule it out, or leave open
//! whether it sustains what was measured here; it never makes a machine better than measured.

use crate::actor::Durability;
use crate::load::Drive;
use crate::plan::outcome::{ModeFindings, PlanOutcome};
use crate::report::{CatalogueEntry, CatalogueInfo, ForecastInfo};
use crate::units;

/// Factor between sync times from which on they differ: searches of one host, repeated, differ by less.
const SLOWER_SYNC: f64 = 1.25;

/// What a deployment needs of its disk in one durability mode.
#[derive(Debug, Clone, Copy)]
pub(super) struct DiskNeeds {
    pub(super) durability: Durability,
    /// Database at the horizon with what compactions need beside it.
    pub(super) bytes: f64,
    /// Sent to the disk, bytes per second.
    pub(super) bytes_per_second: f64,
    /// Syncs per second; `None` with durability off, and where they were not counted.
    pub(super) syncs_per_second: Option<f64>,
    /// Time of a sync of this host's disk, nanoseconds, if it was probed.
    pub(super) sync_here_ns: Option<f64>,
}

/// What a disk lacks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shortfall {
    /// Whether the machine is ruled out; else it is not known whether it is enough.
    pub(super) is_certain: bool,
    pub(super) reason: String,
}

impl DiskNeeds {
    /// For `times` the rate of the forecast, with `stored_bytes` at the horizon; `syncs` are those per command, and the time of
    /// one on this host, nanoseconds.
    pub(super) fn new(
        forecast: &ForecastInfo,
        durability: Durability,
        stored_bytes: f64,
        times: f64,
        syncs: (Option<f64>, Option<f64>),
    ) -> Self {
        let (per_command, sync_here_ns) = syncs;
        let syncs_per_second = per_command.map(|syncs| syncs * times * forecast.commands_per_second);
        Self {
            durability,
            bytes: stored_bytes + forecast.compaction_headroom_bytes as f64,
            bytes_per_second: times * written_per_second(forecast, durability),
            syncs_per_second: syncs_per_second.filter(|_| durability.is_on()),
            sync_here_ns,
        }
    }

    /// `None` if the disk is enough by what is known of it.
    pub(super) fn shortfall(&self, machine: &CatalogueEntry) -> Option<Shortfall> {
        let lacks = |has: Option<f64>, needed: f64| has.filter(|&has| has < needed);
        let certain = |reason| Some(Shortfall { is_certain: true, reason });
        if let Some(bytes) = lacks(machine.disk_bytes.map(|bytes| bytes as f64), self.bytes) {
            let [has, needed] = [bytes, self.bytes].map(units::bytes);
            return certain(format!("its disk of {has} is too small for the {needed} of the database at the horizon"));
        }
        if let Some(bytes) = lacks(machine.disk_bytes_per_second, self.bytes_per_second) {
            let [has, needed] = [bytes, self.bytes_per_second].map(units::bytes);
            return certain(format!("its disk writes {has}/s, and {needed}/s are sent to it"));
        }
        if let Some((writes, syncs)) = machine.disk_writes_per_second.zip(self.syncs_per_second)
            && writes < syncs
        {
            let [has, needed] = [writes, syncs].map(units::number);
            return certain(format!("its disk makes {has} writes per second, and the log is synced {needed} times"));
        }
        let (sync, here) = machine.disk_sync_ns.zip(self.sync_here_ns)?;
        (self.durability.is_on() && sync > SLOWER_SYNC * here).then(|| Shortfall {
            is_certain: false,
            reason: format!(
                "its disk syncs in {}, this host's in {}: measure on such a disk",
                units::duration(sync),
                units::duration(here)
            ),
        })
    }
}

/// Rejects the machines whose disk is not enough at the target. `stored_bytes` is the database at the horizon.
#[cfg(feature = "rocksdb")]
pub(super) fn reject_disks(
    outcome: &mut PlanOutcome,
    catalogue: &CatalogueInfo,
    forecast: &ForecastInfo,
    stored_bytes: f64,
    sync_here_ns: u64,
) {
    for mode in &mut outcome.modes {
        let syncs = (syncs_per_command(mode), Some(sync_here_ns as f64));
        let needs = DiskNeeds::new(forecast, mode.durability, stored_bytes, 1.0, syncs);
        for verdict in mode.verdicts.iter_mut().filter(|verdict| !verdict.machine.is_host) {
            let shortfall = catalogue.entry(&verdict.machine.name).and_then(|entry| needs.shortfall(entry));
            if let Some(Shortfall { is_certain, reason }) = shortfall {
                verdict.known.holds = is_certain.then_some(false);
                verdict.known.reason = format!("{reason}; {}", verdict.known.reason);
            }
        }
    }
}

/// Bytes per second that are sent to the disk at the target.
fn written_per_second(forecast: &ForecastInfo, durability: Durability) -> f64 {
    let writes = forecast.writes.iter().find(|writes| writes.durability == durability);
    writes.map_or(0.0, |writes| writes.per_day_bytes / units::DAY_SECONDS)
}

#[cfg(feature = "rocksdb")]
fn syncs_per_command(mode: &ModeFindings) -> Option<f64> {
    let drives = mode.principal()?.rounds();
    let syncs: u64 = drives.iter().filter_map(Drive::wal_syncs).map(|syncs| syncs.count).sum();
    let commands: u64 = drives.iter().map(|drive| drive.measurement.command_count()).sum();
    (syncs > 0 && commands > 0).then(|| syncs as f64 / commands as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> CatalogueEntry {
        CatalogueEntry {
            profile: "a".to_owned(),
            cpu_millicores_count: 2_000,
            ram_bytes: 1 << 30,
            price_per_month: None,
            price_on: None,
            disk_bytes: None,
            disk_sync_ns: None,
            disk_writes_per_second: None,
            disk_bytes_per_second: None,
        }
    }

    const NEEDS: DiskNeeds = DiskNeeds {
        durability: Durability::On,
        bytes: 30e9,
        bytes_per_second: 20e6,
        syncs_per_second: Some(500.0),
        sync_here_ns: Some(1e6),
    };

    #[test]
    fn a_disk_that_is_not_described_rules_nothing_out() {
        assert_eq!(NEEDS.shortfall(&machine()), None);
    }

    #[test]
    fn a_disk_that_is_too_small_or_writes_too_little_rules_a_machine_out() {
        for (entry, expected) in [
            (CatalogueEntry { disk_bytes: Some(20_000_000_000), ..machine() }, "too small"),
            (CatalogueEntry { disk_bytes_per_second: Some(1e7), ..machine() }, "are sent to it"),
            (CatalogueEntry { disk_writes_per_second: Some(100.0), ..machine() }, "synced 500 times"),
        ] {
            let found = NEEDS.shortfall(&entry).unwrap();
            assert!(found.is_certain && found.reason.contains(expected), "{found:?}");
        }
        let enough = CatalogueEntry { disk_bytes: Some(40_000_000_000), disk_bytes_per_second: Some(1e8), ..machine() };
        assert_eq!(NEEDS.shortfall(&enough), None);
    }

    #[test]
    fn slower_syncs_leave_open_whether_durable_writes_are_fast_enough() {
        let slow = CatalogueEntry { disk_sync_ns: Some(3e6), ..machine() };
        assert!(NEEDS.shortfall(&slow).is_some_and(|found| !found.is_certain));
        let off = DiskNeeds { durability: Durability::Off, ..NEEDS };
        assert_eq!(off.shortfall(&slow), None, "without durability no write waits for them");
        assert_eq!(NEEDS.shortfall(&CatalogueEntry { disk_sync_ns: Some(0.1e6), ..machine() }), None);
    }
}
