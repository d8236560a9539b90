//! The part of a report that says what the database, the disk, memory and restarts will be.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::what_if::Basis;
use crate::actor::Durability;
use crate::units;

/// Whose disk a database is on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiskOrigin {
    /// The free space under the data directory of the host.
    #[default]
    Host,
    /// That of `--disk`.
    Given,
    /// That of a machine of the catalogue.
    Machine,
    /// One to attach to a machine of which the catalogue gives none: as large as the database is at the horizon at most, with
    /// its compactions.
    Attached,
}

/// A disk for a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// Its size; 0 where it is to be attached and the database is not forecast.
    pub bytes: u64,
    /// Whose it is.
    pub origin: DiskOrigin,
}

impl Disk {
    /// As large as needed.
    pub(crate) const ATTACHED: Self = Self { bytes: 0, origin: DiskOrigin::Attached };

    /// The free space of a host.
    pub(crate) const fn of_host(bytes: u64) -> Self {
        Self { bytes, origin: DiskOrigin::Host }
    }

    /// The size that the database must not exceed; `None` if the disk follows the database.
    pub(crate) fn limit(self) -> Option<u64> {
        (self.origin != DiskOrigin::Attached).then_some(self.bytes)
    }
}

/// Database, disk, memory and restarts at the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForecastInfo {
    /// Rate on average over a day, today: the target.
    pub commands_per_second: f64,
    /// Growth of that rate, compound: sizes, dates and wear are those of the growing rate.
    #[serde(default)]
    pub demand_growth_percent_per_month: f64,
    /// Growth per day at that rate once the database is as it will remain; zero where deletions keep pace.
    pub growth_per_day_bytes: Band,
    /// The part of it that is events.
    pub event_growth_per_day_bytes: f64,
    /// The part that is snapshots and metadata: zero once every actor has one.
    pub state_growth_per_day_bytes: f64,
    /// Days after which the application deletes what it stored; absent if it keeps everything.
    pub retention_days: Option<f64>,
    /// Size that is not exceeded: where the database does not grow, or with a retention of a demand that does not grow.
    pub steady_bytes: Option<Band>,
    /// The size over days.
    pub sizes: Vec<SizeInfo>,
    /// What a running database needs beyond its size: compactions write their result before they delete what they merged.
    pub compaction_headroom_bytes: u64,
    /// Size of the disk.
    pub disk_bytes: u64,
    /// Whose disk it is. The free space of the host in older reports.
    #[serde(default)]
    pub disk_origin: DiskOrigin,
    /// Days until it is full at the growth that is expected, compactions included; absent if never within a hundred years.
    pub days_until_disk_full: Option<f64>,
    /// The date of that (`2027-03-01`).
    pub disk_full_on: Option<String>,
    /// The same at the strongest growth.
    pub disk_full_earliest: Option<String>,
    /// The same at the weakest; absent if it may be never.
    pub disk_full_latest: Option<String>,
    /// Bytes sent to the disk per durability mode.
    pub writes: Vec<WritesInfo>,
    /// Memory of the process that holds the database and the handles of all actors, without what the actors keep.
    pub memory: Option<MemoryInfo>,
    /// Time from the start of the process until all actors are back.
    pub restart: Option<RestartInfo>,
}

impl ForecastInfo {
    pub(crate) fn disk(&self) -> Disk {
        Disk { bytes: self.disk_bytes, origin: self.disk_origin }
    }

    /// Whether it is about another disk.
    pub(crate) fn is_on_other_than(&self, disk: Disk) -> bool {
        self.disk_origin != disk.origin || disk.limit().is_some_and(|bytes| bytes != self.disk_bytes)
    }

    /// `a disk of 466 GiB is full on 2027-01-03 (earliest 2027-01-02, latest 2027-01-05)`, or what a disk to attach must have.
    pub(crate) fn disk_full_text(&self) -> String {
        let disk = units::bytes(self.disk_bytes as f64);
        if self.disk_origin == DiskOrigin::Attached {
            return format!("until the horizon a disk of {disk} is needed, which the catalogue does not include");
        }
        match (&self.disk_full_on, &self.disk_full_earliest) {
            (Some(day), Some(earliest)) => {
                let latest = self.disk_full_latest.as_deref().unwrap_or("never");
                format!("a disk of {disk} is full on {day} (earliest {earliest}, latest {latest})")
            }
            (None, Some(earliest)) => format!("a disk of {disk} is full on {earliest} at the earliest, or never"),
            _ => format!("a disk of {disk} does not fill within a hundred years"),
        }
    }
}

/// What is sent to the disk in a durability mode. Small writes that are synced one by one cost a block each.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WritesInfo {
    /// Whether writes wait for the disk.
    pub durability: Durability,
    /// Bytes per day now: log, flushes and compactions. More later if states grow with the events of their actors.
    pub per_day_bytes: f64,
    /// Bytes per byte of value, as measured.
    pub write_amplification_ratio: f64,
    /// The same at the end of the horizon: a larger database has more levels, and each is rewritten. Absent in older reports.
    #[serde(default)]
    pub horizon_write_amplification_ratio: Option<Band>,
    /// Years until the disk has written its rated endurance (`--tbw`), if that was given.
    pub disk_worn_years: Option<f64>,
    /// Fewest and most of these years: with the highest and the lowest write amplification. Absent in older reports.
    #[serde(default)]
    pub disk_worn_range_years: Option<[f64; 2]>,
}

/// The database on some day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SizeInfo {
    /// Days from the first on.
    pub at_days: f64,
    /// Its size, without what compactions need beside it.
    pub bytes: Band,
}

/// A figure and the range it lies in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// The figure itself.
    pub expected: f64,
    /// At least.
    pub low: f64,
    /// At most.
    pub high: f64,
}

impl Band {
    /// The same in another unit, `factor` of which make one of this; not below 0.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self { expected: self.expected * factor, low: self.low * factor, high: self.high * factor }
    }
}

/// Memory at so many actors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryInfo {
    /// Actors with open handles.
    pub actors_count: u64,
    /// Actor types.
    pub actor_types_count: u64,
    /// All of it.
    pub bytes: u64,
    /// What it consists of.
    pub parts: Vec<MemoryPartInfo>,
}

/// A part of the memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryPartInfo {
    /// What takes it.
    pub name: String,
    /// How much.
    pub bytes: u64,
    /// Whether it was measured.
    pub basis: Basis,
}

/// A restart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestartInfo {
    /// Actors that are started.
    pub actors_count: u64,
    /// Opening the database and starting all actors, seconds.
    pub seconds: Band,
    /// Opening alone.
    pub open_seconds: f64,
    /// Starting the actors alone, all writers side by side.
    pub recover_seconds: f64,
    /// Whether so many actors were measured.
    pub basis: Basis,
    /// Whether everything had to be read from the disk, as after a reboot.
    pub cold: bool,
}
