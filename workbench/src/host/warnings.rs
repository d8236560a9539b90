//! Conditions of a host that invalidate measurements.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::profile::HostProfile;

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
    [memory_disk(host), network_disk(host), low_space(host), governor(host), swap(host), load(host)]
        .into_iter()
        .flatten()
        .collect()
}

fn warning(what: String, hint: &str) -> HostWarning {
    HostWarning { what, hint: hint.to_owned() }
}

fn memory_disk(host: &HostProfile) -> Option<HostWarning> {
    matches!(host.disk.file_system.as_str(), "tmpfs" | "ramfs").then(|| {
        warning(
            format!("the data directory is on {}, which is memory", host.disk.file_system),
            "syncs there cost nothing and no data survives a restart; pass a --data-dir on the disk you will deploy on",
        )
    })
}

fn network_disk(host: &HostProfile) -> Option<HostWarning> {
    let kind = host.disk.file_system.as_str();
    (kind.starts_with("nfs") || kind.starts_with("fuse") || matches!(kind, "cifs" | "9p" | "overlay")).then(|| {
        warning(
            format!("the data directory is on {kind}, a layer between the database and the disk"),
            "use it only if the deployment does; otherwise pass a --data-dir on a local disk",
        )
    })
}

fn low_space(host: &HostProfile) -> Option<HostWarning> {
    (host.disk.free_bytes < LOW_SPACE_BYTES).then(|| {
        warning(
            format!("only {} MB are free under the data directory", host.disk.free_bytes / 1_000_000),
            "a run that fills the disk ends with an error; free some space or pass another --data-dir",
        )
    })
}

fn governor(host: &HostProfile) -> Option<HostWarning> {
    let governor = host.governor.as_deref().filter(|governor| *governor != "performance")?;
    Some(warning(
        format!("the CPU frequency governor is `{governor}`"),
        "the clock speed follows the load; set it to `performance` while measuring",
    ))
}

fn swap(host: &HostProfile) -> Option<HostWarning> {
    (host.swap_used_bytes > 0).then(|| {
        warning(
            format!("{} MB of swap are in use", host.swap_used_bytes / 1_000_000),
            "memory is short; stop other programs, or measure on a machine with more",
        )
    })
}

fn load(host: &HostProfile) -> Option<HostWarning> {
    (host.load_average > f64::from(host.usable_cores)).then(|| {
        warning(
            format!("other programs keep the machine busy (load average {:.1})", host.load_average),
            "wait until it is idle, or stop them: their CPU time lowers the result",
        )
    })
}
