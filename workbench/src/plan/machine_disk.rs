//! Whether the disk that a catalogue gives a machine is enough.
//!
//! A machine is emulated on the disk of this host. What a catalogue says about its own disk can rule it out, or leave open
//! whether it sustains what was measured here; it never makes a machine better than measured.

use crate::actor::Durability;
use crate::load::Drive;
use crate::plan::outcome::{ModeFindings, PlanOutcome};
use crate::plan::stored_data::StoredData;
use crate::report::{Binding, CatalogueEntry, CatalogueInfo, HorizonInfo, Resource};
use crate::units;

/// Factor between sync times from which on they differ: searches of one host, repeated, differ by less.
const SLOWER_SYNC: f64 = 1.25;

/// What is known of the syncs of a plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Syncs {
    /// Of a command with durability on; `None` where they were not counted.
    pub(super) per_command: Option<f64>,
    /// Time of one on this host's disk, nanoseconds, if it was probed.
    pub(super) here_ns: Option<f64>,
}

/// Reads from the disk per command with the database of the horizon; 0 where they are not known.
pub(super) fn reads_per_command(horizon: Option<&HorizonInfo>, durability: Durability) -> f64 {
    let last = horizon.and_then(|horizon| horizon.mode(durability)?.points.last());
    last.map_or(0.0, |last| last.disk_reads_per_command)
}

/// What a deployment needs of its disk in one durability mode.
#[derive(Debug, Clone, Copy)]
pub(super) struct DiskNeeds<'a> {
    pub(super) durability: Durability,
    /// Under the demand of the deployment.
    pub(super) stored: StoredData<'a>,
    pub(super) horizon_days: f64,
    pub(super) syncs: Syncs,
    pub(super) reads_per_command: f64,
    /// The required rate as a multiple of the target.
    pub(super) required_times: f64,
}

/// What a disk lacks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shortfall {
    /// Whether the machine is ruled out; else it is not known whether it is enough.
    pub(super) is_certain: bool,
    pub(super) resource: Resource,
    pub(super) reason: String,
}

impl Shortfall {
    /// Whether the machine is enough; `None` if that is not known.
    pub(super) fn holds(&self) -> Option<bool> {
        self.is_certain.then_some(false)
    }

    pub(super) fn lacking(self) -> Binding {
        Binding { resource: self.resource, evidence: self.reason }
    }
}

impl DiskNeeds<'_> {
    /// `None` if the disk is enough by what is known of it.
    pub(super) fn shortfall(&self, machine: &CatalogueEntry) -> Option<Shortfall> {
        let space = || self.lacking_space(machine.disk_bytes? as f64);
        space().or_else(|| self.lacking_writes(machine)).or_else(|| self.slower_syncs(machine))
    }

    fn lacking_space(&self, disk_bytes: f64) -> Option<Shortfall> {
        let needed = self.stored.disk_bytes_after(self.horizon_days);
        let full_after = self.stored.days_until_full(disk_bytes).filter(|_| needed > disk_bytes)?;
        let [has, needed] = [disk_bytes, needed].map(units::bytes);
        let when = units::about_days(full_after);
        Some(Shortfall {
            is_certain: true,
            resource: Resource::DiskSpace,
            reason: format!(
                "its disk of {has} is full after {when}: the database and its compactions need {needed} at the horizon"
            ),
        })
    }

    fn lacking_writes(&self, machine: &CatalogueEntry) -> Option<Shortfall> {
        let lacking = |has: Option<f64>, needed: f64| has.filter(|&has| has < needed);
        let certain = |resource, reason| Some(Shortfall { is_certain: true, resource, reason });
        let sent = self.required_times * self.stored.sent_bytes_per_second(self.durability);
        if let Some(bytes) = lacking(machine.disk_bytes_per_second, sent) {
            let [has, needed] = [bytes, sent].map(units::bytes);
            return certain(
                Resource::WriteBandwidth,
                format!("its disk writes {has}/s, and {needed}/s are sent to it at the required rate"),
            );
        }
        let syncs = self.syncs.per_command.filter(|_| self.durability.is_on()).unwrap_or(0.0);
        let required = self.required_times * self.stored.commands_per_second();
        let operations = required * (syncs + self.reads_per_command);
        let has = units::number(lacking(machine.disk_writes_per_second, operations)?);
        let [syncs, reads] = [syncs, self.reads_per_command].map(|one| units::number(required * one));
        let reason = format!(
            "its disk makes {has} operations per second, and the required rate needs {syncs} syncs and {reads} reads at the horizon"
        );
        certain(Resource::SyncLatency, reason)
    }

    fn slower_syncs(&self, machine: &CatalogueEntry) -> Option<Shortfall> {
        let (sync, here) = machine.disk_sync_ns.zip(self.syncs.here_ns)?;
        (self.durability.is_on() && sync > SLOWER_SYNC * here).then(|| Shortfall {
            is_certain: false,
            resource: Resource::SyncLatency,
            reason: format!(
                "its disk syncs in {}, this host's in {}: measure on such a disk",
                units::duration(sync),
                units::duration(here)
            ),
        })
    }
}

/// Rejects the machines whose disk is not enough until the horizon.
#[cfg(feature = "rocksdb")]
pub(super) fn reject_disks(
    outcome: &mut PlanOutcome,
    catalogue: &CatalogueInfo,
    (stored, horizon_days): (StoredData<'_>, f64),
    horizon: Option<&HorizonInfo>,
    sync_here_ns: u64,
) {
    let required_times = outcome.required_per_second / stored.commands_per_second();
    for mode in &mut outcome.modes {
        let syncs = Syncs { per_command: syncs_per_command(mode), here_ns: Some(sync_here_ns as f64) };
        let durability = mode.durability;
        let reads_per_command = reads_per_command(horizon, durability);
        let needs = DiskNeeds { durability, stored, horizon_days, syncs, reads_per_command, required_times };
        for verdict in mode.verdicts.iter_mut().filter(|verdict| !verdict.machine.is_host) {
            let shortfall = catalogue.entry(&verdict.machine.name).and_then(|entry| needs.shortfall(entry));
            let Some(shortfall) = shortfall else { continue };
            let known = &mut verdict.known;
            known.holds = shortfall.holds();
            known.lacking = Some(shortfall.lacking());
        }
    }
}

#[cfg(feature = "rocksdb")]
fn syncs_per_command(mode: &ModeFindings) -> Option<f64> {
    let drives = mode.principal()?.rounds();
    let syncs: u64 = drives.iter().filter_map(Drive::wal_syncs).map(|syncs| syncs.count).sum();
    let commands: u64 = drives.iter().map(|drive| drive.measurement.command_count()).sum();
    (syncs > 0 && commands > 0).then(|| syncs as f64 / commands as f64)
}

#[cfg(all(test, feature = "rocksdb"))]
mod tests {
    use super::*;
    use crate::plan::forecast::forecast_of;
    use crate::report::{ForecastInfo, WritesInfo};

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

    /// 1,000 commands/s of 100 bytes, of which 30 days are 259 GB, on a disk that is full before; 20 MB/s sent to it.
    fn forecast() -> ForecastInfo {
        let writes = WritesInfo {
            durability: Durability::On,
            per_day_bytes: 20e6 * units::DAY_SECONDS,
            write_amplification_ratio: 2.0,
            horizon_write_amplification_ratio: None,
            disk_worn_years: None,
            disk_worn_range_years: None,
        };
        ForecastInfo { writes: vec![writes], ..forecast_of(100.0, 1_000.0, 20_000_000_000) }
    }

    /// Half a sync per command.
    fn needs(forecast: &ForecastInfo) -> DiskNeeds<'_> {
        let syncs = Syncs { per_command: Some(0.5), here_ns: Some(1e6) };
        let reads_per_command = 0.2;
        let stored = StoredData::of(forecast);
        DiskNeeds {
            durability: Durability::On,
            stored,
            horizon_days: 30.0,
            syncs,
            reads_per_command,
            required_times: 1.5,
        }
    }

    #[test]
    fn a_disk_that_is_not_described_rules_nothing_out() {
        assert_eq!(needs(&forecast()).shortfall(&machine()), None);
    }

    #[test]
    fn a_disk_that_is_too_small_or_writes_too_little_rules_a_machine_out() {
        for (entry, resource, expected) in [
            (
                CatalogueEntry { disk_bytes: Some(86_400_000_000), ..machine() },
                Resource::DiskSpace,
                "its disk of 80.5 GiB is full after 10 days: the database and its compactions need 241 GiB at the horizon",
            ),
            (
                CatalogueEntry { disk_bytes_per_second: Some(1e7), ..machine() },
                Resource::WriteBandwidth,
                "its disk writes 9.54 MiB/s, and 28.6 MiB/s are sent to it at the required rate",
            ),
            (
                CatalogueEntry { disk_writes_per_second: Some(100.0), ..machine() },
                Resource::SyncLatency,
                "its disk makes 100 operations per second, and the required rate needs 750 syncs and 300 reads at the horizon",
            ),
        ] {
            let reason = expected.to_owned();
            assert_eq!(needs(&forecast()).shortfall(&entry), Some(Shortfall { is_certain: true, resource, reason }));
        }
        let enough = CatalogueEntry {
            disk_bytes: Some(300_000_000_000),
            disk_bytes_per_second: Some(1e8),
            disk_writes_per_second: Some(1e4),
            ..machine()
        };
        assert_eq!(needs(&forecast()).shortfall(&enough), None);
    }

    #[test]
    fn slower_syncs_leave_open_whether_durable_writes_are_fast_enough() {
        let known = forecast();
        let slow = CatalogueEntry { disk_sync_ns: Some(3e6), ..machine() };
        assert!(needs(&known).shortfall(&slow).is_some_and(|found| !found.is_certain));
        let off = DiskNeeds { durability: Durability::Off, ..needs(&known) };
        assert_eq!(off.shortfall(&slow), None, "without durability no write waits for them");
        assert_eq!(needs(&known).shortfall(&CatalogueEntry { disk_sync_ns: Some(0.1e6), ..machine() }), None);
    }
}
