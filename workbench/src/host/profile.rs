//! Detection of the host.

use std::fs;
use std::path::Path;

use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

use super::disk::Disk;
use super::kernel_file::read_line;
use ave_actors_rocksdb::machine::{ProcessShare, process_share};

/// The machine, and the share of it that this process may use.
#[derive(Debug, Clone, PartialEq)]
pub struct HostProfile {
    /// Processor model.
    pub cpu_model: String,
    pub(crate) logical_cores: u32,
    /// `None` if unknown.
    pub(crate) physical_cores: Option<u32>,
    /// Cores this process may use, by affinity and CPU quota.
    pub(crate) usable_cores: u32,
    /// The limit that decides `usable_cores`, as text for the report.
    pub(crate) usable_cores_source: String,
    /// RAM of the machine, bytes.
    pub ram_bytes: u64,
    /// RAM this process may use: the smaller of RAM and control group limits, bytes.
    pub usable_ram_bytes: u64,
    /// The limit that decides `usable_ram_bytes`, as text for the report.
    pub(crate) usable_ram_source: String,
    /// Configured swap, bytes.
    pub swap_bytes: u64,
    pub(crate) swap_used_bytes: u64,
    /// The disk under the data directory.
    pub disk: Disk,
    /// Kernel release.
    pub kernel: String,
    /// Hypervisor or container, or `none detected`.
    pub virtualisation: String,
    /// Random name of the host's time from its start to its shutdown, the same in all of its containers; `None` if unknown.
    pub boot_id: Option<String>,
    /// CPU frequency governor; `None` without frequency scaling.
    pub governor: Option<String>,
}

impl HostProfile {
    /// Detects this host and the disk under `data_directory`, which must exist.
    pub fn detect(data_directory: &Path) -> Self {
        let refresh =
            RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing()).with_memory(MemoryRefreshKind::everything());
        let system = System::new_with_specifics(refresh);
        let ProcessShare { cpu, ram, .. } = process_share();
        let cores = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            cpu_model: cpu_model(&system),
            logical_cores: cores(system.cpus().len().max(1)),
            physical_cores: System::physical_core_count().map(cores),
            usable_cores: cores(cpu.cores),
            usable_cores_source: cpu.source.to_string(),
            ram_bytes: system.total_memory(),
            usable_ram_bytes: ram.bytes,
            usable_ram_source: ram.source.to_string(),
            swap_bytes: system.total_swap(),
            swap_used_bytes: system.used_swap(),
            disk: Disk::under(data_directory),
            kernel: System::kernel_version().unwrap_or_else(unknown),
            virtualisation: virtualisation(),
            boot_id: read_line("/proc/sys/kernel/random/boot_id"),
            governor: read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        }
    }
}

fn cpu_model(system: &System) -> String {
    let model = system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()).unwrap_or_default();
    if model.is_empty() { unknown() } else { model }
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn virtualisation() -> String {
    let mut found = Vec::new();
    if Path::new("/.dockerenv").exists() || Path::new("/run/.containerenv").exists() {
        found.push("container".to_owned());
    }
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    if cpuinfo.lines().any(|line| line.starts_with("flags") && line.split_whitespace().any(|flag| flag == "hypervisor"))
    {
        let product = read_line("/sys/class/dmi/id/product_name").or_else(|| read_line("/sys/hypervisor/type"));
        found.push(product.map_or_else(|| "virtual machine".to_owned(), |name| format!("virtual machine ({name})")));
    }
    if found.is_empty() { "none detected".to_owned() } else { found.join(", ") }
}
