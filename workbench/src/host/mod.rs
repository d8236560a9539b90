//! The machine a measurement runs on: its profile, the [`MachineProfile`](ave_actors_store::config::MachineProfile) it
//! corresponds to, the speed of its disk, the time of a fixed amount of work, conditions that invalidate measurements, and
//! child processes under the limits of a smaller machine.
//!
//! Knows nothing of workloads, databases or reports.

mod affinity;
mod cgroup;
mod disk;
mod disk_profile;
mod disk_series;
mod kernel_file;
mod locked_directory;
mod machine;
mod matching;
mod probe;
mod profile;
mod reference_work;
mod sync;
mod threads;
mod warnings;
mod writeback;

pub(crate) use affinity::CoreLimit;
pub use cgroup::{
    Confined, Confinement, ConfinementMethod, GroupLimits, GroupStats, MachineMemory, RejectedMethod, StaleGroups,
    remove_stale as remove_stale_groups,
};
pub use disk::Disk;
pub use disk_profile::{DiskProfile, LatencyFigures, RateFigures, ReadLatency, ReadPath, SyncLatency};
pub use disk_series::{DiskFigure, DiskSample, DiskStep, DiskSwing};
pub(crate) use locked_directory::{Claim, LockOn, LockedDirectory, has_no_locks};
pub use machine::Machine;
pub(crate) use machine::{HOST, MILLI, MIN_RAM_MB};
pub use matching::PROFILES;
pub(crate) use matching::{matching_spec, profile_named};
pub use probe::MeasuredDisk;
pub(crate) use probe::{DiskWatch, ProbeError, measure_disk};
pub use profile::HostProfile;
pub use reference_work::{ProcessorProfile, ReferenceWork};
pub(crate) use sync::{sync_directory, sync_file};
pub(crate) use threads::thread_room;
pub use warnings::HostWarning;
pub(crate) use warnings::warnings;
pub use writeback::WritebackDelay;
