//! A disk profile as a file.

use std::path::Path;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::build::VERSION;
use super::directory::{ReportError, read_json};
use super::host_info::HostInfo;
use super::question::{Field, field};
use crate::host::{DiskProfile, DiskSwing};
use crate::workload::path_text;

/// Version of the layout of a disk profile; raised when a field changes its meaning or disappears.
pub const DISK_SCHEMA_VERSION: u32 = 1;

const WHAT: &str = "disk profile";
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
            version: VERSION.to_owned(),
            host: HostInfo { disk_profile: None, sync_probe: None, ..host.clone() },
            data_directory: path_text(data_directory),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn file(p10: u64, p50: u64, p90: u64) -> DiskFile {
        let host = crate::report::host_info(&crate::host::HostProfile::detect(Path::new("/")), None);
        let swing = DiskSwing { sync_p10_ns: p10, sync_p50_ns: p50, sync_p90_ns: p90, ..DiskSwing::default() };
        let profile = DiskProfile {
            seconds: 10.0,
            foreign_cores: None,
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
