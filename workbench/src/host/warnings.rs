//! Conditions of a host that invalidate measurements.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::profile::HostProfile;
use crate::units;

/// Something that may have affected the measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Warning")]
pub struct HostWarning {
    /// The observation.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

/// Free space below which a run may fill the disk, bytes.
const LOW_SPACE_BYTES: u64 = 5 << 30;

/// Conditions of this host that affect measurements, most serious first.
pub(crate) fn warnings(host: &HostProfile) -> Vec<HostWarning> {
    let file_system = host.disk.file_system.as_str();
    let is_layer =
        |kind: &str| kind.starts_with("nfs") || kind.starts_with("fuse") || matches!(kind, "cifs" | "9p" | "overlay");
    let governor = host.governor.as_deref().unwrap_or("performance");
    let conditions = [
        (
            matches!(file_system, "tmpfs" | "ramfs"),
            format!("the data directory is on {file_system}, which is memory"),
            "syncs there cost nothing and no data survives a restart; pass a --data-dir on the disk you will deploy on",
        ),
        (
            is_layer(file_system),
            format!("the data directory is on {file_system}, a layer between the database and the disk"),
            "use it only if the deployment does; otherwise pass a --data-dir on a local disk",
        ),
        (
            host.disk.free_bytes < LOW_SPACE_BYTES,
            format!("only {} are free under the data directory", units::bytes(host.disk.free_bytes as f64)),
            "a run that fills the disk ends with an error; free some space or pass another --data-dir",
        ),
        (
            governor != "performance",
            format!("the CPU frequency governor is `{governor}`"),
            "the clock speed follows the load; set it to `performance` while measuring",
        ),
        (
            host.swap_used_bytes > 0,
            format!("{} of swap are in use", units::bytes(host.swap_used_bytes as f64)),
            "memory is short; stop other programs, or measure on a machine with more",
        ),
    ];
    let applying = conditions.into_iter().filter(|(applies, ..)| *applies);
    applying.map(|(_, what, hint)| HostWarning { what, hint: hint.to_owned() }).collect()
}
