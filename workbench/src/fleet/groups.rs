//! Groups reports by kind of machine.

use super::report_with_log::ReportWithLog;
use crate::report::HostInfo;

/// Ratio of RAM within which machines are of one kind: kernels reserve different amounts.
const ALIKE_RAM: f64 = 1.02;

/// Whether two machines have the same RAM, bytes, of which the first has not more.
pub(super) fn is_alike_ram(least: u64, other: u64) -> bool {
    other as f64 <= least as f64 * ALIKE_RAM
}

/// The hardware of a kind of machine, except RAM.
fn hardware(host: &HostInfo) -> (&str, u32, &str, String, &str) {
    let HostInfo { cpu_model, usable_cores_count, file_system, device, virtualisation, .. } = host;
    (cpu_model, *usable_cores_count, file_system, device_kind(device), virtualisation)
}

/// Groups by hardware, then by RAM: a group reaches 2 % above its least. The reports of a group are sorted by start.
pub(super) fn groups(mut reports: Vec<ReportWithLog>) -> Vec<Vec<ReportWithLog>> {
    reports.sort_by(|a, b| {
        let (a, b) = (&a.report.host, &b.report.host);
        (hardware(a), a.usable_ram_bytes).cmp(&(hardware(b), b.usable_ram_bytes))
    });
    let mut groups: Vec<Vec<ReportWithLog>> = Vec::new();
    for one in reports {
        let alike = |group: &&mut Vec<ReportWithLog>| {
            let (least, host) = (&group[0].report.host, &one.report.host);
            hardware(least) == hardware(host) && is_alike_ram(least.usable_ram_bytes, host.usable_ram_bytes)
        };
        match groups.last_mut().filter(alike) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    for group in &mut groups {
        group.sort_by(|a, b| (&a.report.started_at, &a.path).cmp(&(&b.report.started_at, &b.path)));
    }
    groups
}

/// The kind of a device: `/dev/nvme1n1p3` is `nvme`, `/dev/sdb1` is `sd`. An unknown one keeps its name.
pub(super) fn device_kind(device: &str) -> String {
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
}
