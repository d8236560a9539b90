//! The machine that a report was measured on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::latency::LatencyInfo;
use crate::host::{DiskProfile, ProcessorProfile};

/// The machine a report was measured on.
///
/// The file names the profile and the probe of the disk, which [`HostProfile`](crate::host::HostProfile) does not know,
/// and leaves out where its figures come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostInfo {
    /// Processor model.
    pub cpu_model: String,
    /// Architecture that this build is for (`x86_64`); absent in files of earlier builds.
    #[serde(default)]
    pub architecture: Option<String>,
    /// Speed of its cores, if it was probed.
    #[serde(default)]
    pub processor: Option<ProcessorProfile>,
    /// Logical cores of the machine.
    pub logical_cores_count: u32,
    /// Physical cores, where the system reports them.
    pub physical_cores_count: Option<u32>,
    /// Cores this process may use (affinity and quota).
    pub usable_cores_count: u32,
    /// RAM of the machine.
    pub ram_bytes: u64,
    /// RAM this process may use (cgroup limit).
    pub usable_ram_bytes: u64,
    /// Configured swap.
    pub swap_bytes: u64,
    /// File system under the data directory.
    pub file_system: String,
    /// Block device under the data directory.
    pub device: String,
    /// Free space under the data directory.
    pub disk_free_bytes: u64,
    /// Kernel release.
    pub kernel: String,
    /// Hypervisor, container or `none detected`.
    pub virtualisation: String,
    /// Random name of the host's time from its start to its shutdown, the same in all of its containers; absent in earlier
    /// reports, and where the system has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    /// The profile this host corresponds to (`medium`), or `custom`.
    pub machine_profile: String,
    /// 4 KiB write plus `fdatasync` on the data directory, if it was probed.
    pub sync_probe: Option<LatencyInfo>,
    /// What its disk can do, if it was probed: sync latency by bytes, read latency by depth, sequential rates.
    #[serde(default)]
    pub disk_profile: Option<DiskProfile>,
}
