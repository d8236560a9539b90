//! A disk profile as a file, and the disk of a plan.

use std::path::Path;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::directory::{ReportError, read_json};
use super::frame::HostInfo;
use super::question::{Field, field};
use crate::host::{DiskProfile, DiskSample, DiskSwing};
use crate::units;

/// Version of the layout of a disk profile; raised when a field changes its meaning or disappears.
pub const DISK_SCHEMA_VERSION: u32 = 1;

const WHAT: &str = "disk profile";
/// Ratio of two sync latencies, the larger over the smaller, that counts as equal even where the profile's own band is
/// narrower: a band of a few seconds is by chance.
const EQUAL_RATIO: f64 = 1.2;

/// The profile of a disk as a file: what `host --probe` writes and `plan --disk` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskFile {
    /// Layout version, [`DISK_SCHEMA_VERSION`] when written by this build.
    pub schema_version: u32,
    /// When it was measured, RFC 3339 in UTC.
    pub measured_at: String,
    /// Version of the package that measured it.
    pub version: String,
    /// The host, device and file system included; its own `disk_profile` is absent.
    pub host: HostInfo,
    /// Directory on the disk that was measured.
    pub data_directory: String,
    /// The figures.
    pub profile: DiskProfile,
}

impl DiskFile {
    /// A profile that was measured on `host` at this moment, RFC 3339 in UTC.
    pub(crate) fn new(host: &HostInfo, data_directory: &Path, measured_at: String, profile: DiskProfile) -> Self {
        Self {
            schema_version: DISK_SCHEMA_VERSION,
            measured_at,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            host: HostInfo { disk_profile: None, sync_probe: None, ..host.clone() },
            data_directory: data_directory.display().to_string(),
            profile,
        }
    }

    /// Reads a profile.
    ///
    /// # Errors
    ///
    /// [`ReportError`] if there is none, it is of another layout, or its sync latency is no latency.
    pub fn read(path: &Path) -> Result<Self, ReportError> {
        let (file, _): (Self, _) = read_json(path, WHAT, DISK_SCHEMA_VERSION)?;
        let DiskSwing { sync_p10_ns, sync_p50_ns, sync_p90_ns, .. } = file.profile.swing;
        if sync_p10_ns == 0 || sync_p50_ns < sync_p10_ns || sync_p90_ns < sync_p50_ns {
            let text = format!(
                "profile.swing: sync latencies of {sync_p10_ns}, {sync_p50_ns} and {sync_p90_ns} ns (p10, p50, p90), \
                 expected more than 0, ascending"
            );
            let source = serde_json::Error::custom(text);
            return Err(ReportError::Invalid { what: WHAT, path: path.to_owned(), line: 1, column: 1, source });
        }
        Ok(file)
    }

    /// What identifies the host and the disk: the profile is of no use on another one.
    pub(crate) fn identity(host: &HostInfo) -> Vec<Field> {
        vec![
            field("the file system", &host.file_system),
            field("the device", &host.device),
            field("the processor", &host.cpu_model),
            field("the number of logical cores", &host.logical_cores_count),
            field("the RAM in bytes", &host.ram_bytes),
        ]
    }
}

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
    /// The disk of today, from its samples, beside its profile.
    pub(crate) fn of(file: &DiskFile, today: &DiskSwing) -> Self {
        let known = &file.profile.swing;
        let [now, then] = [today.sync_p50_ns as f64, known.sync_p50_ns as f64];
        let band =
            [(known.sync_p10_ns as f64).min(then / EQUAL_RATIO), (known.sync_p90_ns as f64).max(then * EQUAL_RATIO)];
        let change = match now {
            _ if now > band[1] => DiskChange::Slower,
            _ if now < band[0] => DiskChange::Faster,
            _ => DiskChange::Same,
        };
        let ratio = now / then;
        let day = file.measured_at.get(..10).unwrap_or(&file.measured_at);
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
            profile_measured_at: file.measured_at.clone(),
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
    /// Root of the mean squared relative distance of the seconds from the function, percent.
    pub error_percent: f64,
    /// Shortest and longest sync latency that the function applies to: half and twice of what was measured.
    pub reach_ns: [f64; 2],
    /// The function at the sync latencies that the disk showed, ascending.
    pub rates: Vec<DurableRate>,
    /// Why there is no function, or no fit; empty if there is one.
    pub note: String,
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
    /// The sync latency under load that corresponds to it: that of the measured seconds, in proportion.
    pub wal_sync_ns: f64,
    /// Closed-loop ceiling, commands per second; absent beyond the reach of the function.
    pub ceiling_per_second: Option<f64>,
    /// Highest rate that meets the objective, in proportion to the ceiling; absent if none was found.
    pub sustained_per_second: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(p10: u64, p50: u64, p90: u64) -> DiskFile {
        let text = include_str!("../../../reports/sample/report.json");
        let host = serde_json::from_str::<crate::report::Report>(text).unwrap().host;
        let swing = DiskSwing { sync_p10_ns: p10, sync_p50_ns: p50, sync_p90_ns: p90, ..DiskSwing::default() };
        let profile = DiskProfile {
            seconds: 10.0,
            file_bytes: 1 << 28,
            read_path: crate::host::ReadPath::Direct,
            syncs: Vec::new(),
            reads: Vec::new(),
            write: crate::host::RateFigures::default(),
            read: crate::host::RateFigures::default(),
            swing,
            samples: Vec::new(),
        };
        DiskFile::new(&host, Path::new("/data"), "2026-11-02T10:00:00Z".to_owned(), profile)
    }

    fn today(sync_p50_ns: u64) -> DiskSwing {
        DiskSwing { sync_p50_ns, ..DiskSwing::default() }
    }

    #[test]
    fn a_disk_changed_if_its_latency_left_the_band_of_its_profile() {
        let known = file(80_000, 100_000, 150_000);
        for (now, change) in [
            (310_000, DiskChange::Slower),
            (151_000, DiskChange::Slower),
            (149_000, DiskChange::Same),
            (81_000, DiskChange::Same),
            (79_000, DiskChange::Faster),
        ] {
            assert_eq!(DiskComparison::of(&known, &today(now)).change, change, "{now}");
        }
        let slower = DiskComparison::of(&known, &today(310_000)).sentence;
        assert!(slower.starts_with("the sync p50 is 310 µs, 3.1 times that of the profile of 2026-11-02"), "{slower}");
    }

    #[test]
    fn a_narrow_band_is_widened() {
        let known = file(100_000, 100_000, 100_000);
        assert_eq!(DiskComparison::of(&known, &today(119_000)).change, DiskChange::Same);
        assert_eq!(DiskComparison::of(&known, &today(121_000)).change, DiskChange::Slower);
        assert_eq!(DiskComparison::of(&known, &today(83_000)).change, DiskChange::Faster);
    }

    #[test]
    fn a_file_is_read_back_and_broken_ones_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("disk.json");
        let missing = DiskFile::read(&path).unwrap_err();
        assert!(matches!(missing, ReportError::Read(WHAT, ..)), "{missing}");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        let known = file(80_000, 100_000, 150_000);
        write(&serde_json::to_string(&known).unwrap());
        assert_eq!(DiskFile::read(&path).unwrap(), known);
        write(&serde_json::to_string(&DiskFile { schema_version: 99, ..known }).unwrap());
        assert!(matches!(DiskFile::read(&path), Err(ReportError::SchemaVersion { found: 99, .. })));
        for broken in [file(0, 100, 100), file(100, 50, 100), file(100, 200, 150)] {
            write(&serde_json::to_string(&broken).unwrap());
            assert!(matches!(DiskFile::read(&path), Err(ReportError::Invalid { .. })));
        }
        write("{\n  \"schema_version\": 1,\n  oops\n}");
        let broken = DiskFile::read(&path).unwrap_err().to_string();
        assert!(broken.contains("disk.json:3:") && broken.contains("not a disk profile"), "{broken}");
    }

    #[test]
    fn another_disk_or_machine_has_another_identity() {
        let host = file(1, 1, 1).host;
        let same = HostInfo { disk_free_bytes: 1, kernel: "other".to_owned(), ..host.clone() };
        assert_eq!(DiskFile::identity(&same), DiskFile::identity(&host));
        let other = HostInfo { device: "/dev/other".to_owned(), ..host.clone() };
        assert_ne!(DiskFile::identity(&other), DiskFile::identity(&host));
    }
}
