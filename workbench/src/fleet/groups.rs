//! Groups reports by kind of machine.

use std::collections::BTreeMap;

use super::report_with_log::ReportWithLog;
use crate::report::HostInfo;
use crate::units;

/// Ratio of RAM within which machines are of one kind: kernels reserve different amounts.
const ALIKE_RAM: f64 = 1.02;

/// The hardware of a kind of machine, except RAM.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hardware {
    pub(super) cpu_model: String,
    pub(super) usable_cores_count: u32,
    pub(super) file_system: String,
    pub(super) device_kind: String,
    pub(super) virtualisation: String,
}

impl Hardware {
    fn of(host: &HostInfo) -> Self {
        Self {
            cpu_model: host.cpu_model.clone(),
            usable_cores_count: host.usable_cores_count,
            file_system: host.file_system.clone(),
            device_kind: device_kind(&host.device),
            virtualisation: host.virtualisation.clone(),
        }
    }

    /// `AMD EPYC 7763 · 2 cores · 8 GiB · ext4 on nvme`.
    pub(super) fn name(&self, usable_ram_bytes: u64) -> String {
        let cores = units::counted(u64::from(self.usable_cores_count), "core");
        let disk = if self.file_system == self.device_kind {
            self.file_system.clone()
        } else {
            format!("{} on {}", self.file_system, self.device_kind)
        };
        let mut parts = vec![self.cpu_model.clone(), cores, units::bytes(usable_ram_bytes as f64), disk];
        if self.virtualisation != "none detected" {
            parts.push(self.virtualisation.clone());
        }
        parts.join(" · ")
    }
}

/// The reports of one kind of machine, by start.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) hardware: Hardware,
    /// Least of its reports.
    pub(super) usable_ram_bytes: u64,
    pub(super) reports: Vec<ReportWithLog>,
}

/// Groups by hardware, then by RAM: a group reaches 2 % above its least.
pub(super) fn groups(reports: Vec<ReportWithLog>) -> Vec<Group> {
    let mut by_hardware: BTreeMap<Hardware, Vec<ReportWithLog>> = BTreeMap::new();
    for one in reports {
        by_hardware.entry(Hardware::of(&one.report.host)).or_default().push(one);
    }
    let mut groups: Vec<Group> = Vec::new();
    for (hardware, mut reports) in by_hardware {
        reports.sort_by_key(|one| one.report.host.usable_ram_bytes);
        for one in reports {
            let ram = one.report.host.usable_ram_bytes;
            let alike = |group: &&mut Group| {
                group.hardware == hardware && ram as f64 <= group.usable_ram_bytes as f64 * ALIKE_RAM
            };
            match groups.last_mut().filter(alike) {
                Some(group) => group.reports.push(one),
                None => groups.push(Group { hardware: hardware.clone(), usable_ram_bytes: ram, reports: vec![one] }),
            }
        }
    }
    for group in &mut groups {
        group.reports.sort_by(|a, b| (&a.report.started_at, &a.path).cmp(&(&b.report.started_at, &b.path)));
    }
    groups
}

/// The kind of a device: `/dev/nvme1n1p3` is `nvme`, `/dev/sdb1` is `sd`. An unknown one keeps its name.
fn device_kind(device: &str) -> String {
    const KINDS: [&str; 9] = ["nvme", "mmcblk", "loop", "nbd", "rbd", "xvd", "sd", "vd", "md"];
    if device.contains(':') || device.starts_with("//") {
        return "network".to_owned();
    }
    let Some(name) = device.strip_prefix("/dev/") else { return device.to_owned() };
    if name.starts_with("mapper/") || name.starts_with("dm-") {
        return "device mapper".to_owned();
    }
    let kind = KINDS.into_iter().find(|kind| name.starts_with(kind));
    kind.unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_reduced_to_its_kind() {
        for (device, kind) in [
            ("/dev/nvme1n1p3", "nvme"),
            ("/dev/sdb1", "sd"),
            ("/dev/vda", "vd"),
            ("/dev/xvdf", "xvd"),
            ("/dev/mapper/vg-data", "device mapper"),
            ("/dev/dm-3", "device mapper"),
            ("/dev/md127", "md"),
            ("10.0.0.7:/export", "network"),
            ("//server/share", "network"),
            ("overlay", "overlay"),
            ("/dev/root", "root"),
            ("", ""),
        ] {
            assert_eq!(device_kind(device), kind, "{device}");
        }
    }

    #[test]
    fn a_name_describes_the_hardware() {
        let mut hardware = Hardware {
            cpu_model: "AMD EPYC 7763".to_owned(),
            usable_cores_count: 2,
            file_system: "ext4".to_owned(),
            device_kind: "nvme".to_owned(),
            virtualisation: "virtual machine (m6i.large)".to_owned(),
        };
        assert_eq!(
            hardware.name(8 << 30),
            "AMD EPYC 7763 · 2 cores · 8 GiB · ext4 on nvme · virtual machine (m6i.large)"
        );
        hardware.device_kind = "ext4".to_owned();
        hardware.virtualisation = "none detected".to_owned();
        hardware.usable_cores_count = 1;
        assert_eq!(hardware.name(1 << 30), "AMD EPYC 7763 · 1 core · 1 GiB · ext4");
    }
}
