//! The machine a measurement runs on: what it is, which [`MachineProfile`](ave_actors_store::config::MachineProfile)
//! it corresponds to, how fast its disk syncs, and what about it would spoil a measurement.
//!
//! Knows nothing of workloads, databases or reports.

mod affinity;
mod disk;
mod matching;
mod probe;
mod profile;
mod warnings;

pub use affinity::CoreLimit;
pub use disk::DiskProfile;
pub use matching::{KERNEL_RESERVE, PROFILES, fewest_profile_cores, matching_spec, profile_named};
pub use probe::{ProbeError, probe_sync};
pub use profile::HostProfile;
pub use warnings::{HostWarning, warnings};
