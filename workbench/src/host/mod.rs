//! The machine a measurement runs on: what it is, which [`MachineProfile`](ave_actors_store::config::MachineProfile)
//! it corresponds to, how fast its disk syncs, what it does with a fixed amount of work, what about it would spoil a
//! measurement, and how to run a child on less of it.
//!
//! Knows nothing of workloads, databases or reports.

mod affinity;
mod cgroup;
mod disk;
mod locked_directory;
mod machine;
mod matching;
mod probe;
mod profile;
mod unsynced;
mod warnings;
mod yardstick;

pub use affinity::CoreLimit;
pub use cgroup::{
    Confined, Confinement, GroupEvidence, GroupLimits, Refusal, StaleGroups, Way, remove_stale as remove_stale_groups,
};
pub use disk::DiskProfile;
pub(crate) use locked_directory::{Claim, LockOn, LockedDirectory};
pub use machine::{HOST, LEAST_RAM_MB, Machine, cores_in_words};
pub use matching::{KERNEL_RESERVE, PROFILES, matching_spec, profile_named};
pub use probe::{ProbeError, probe_bandwidth, probe_sync};
pub use profile::HostProfile;
pub use unsynced::UnsyncedAge;
pub use warnings::{HostWarning, warnings};
pub use yardstick::Yardstick;
