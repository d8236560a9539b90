//! Child processes under the CPU and memory limits of a smaller machine, in control groups that are removed afterwards.
//!
//! [`Confinement::detect`] tries the methods once: control groups created directly, a scope created by systemd, or CPU
//! affinity alone, which does not limit memory. It records why a method was rejected. Each child then gets a [`Confined`],
//! which reads the counters of its groups and removes them when it is dropped.
//!
//! **Where groups are created.** With cgroup v1, below the group of this process, in each hierarchy. With v2 a group that
//! has processes of its own cannot enable controllers for its children, so these are tried in turn:
//!
//! 1. below the group of this process, if its controllers are enabled there (as in the root group);
//! 2. the same after this process, if it is alone there, has moved into a leaf below. It moves back in the end;
//! 3. below the ancestors, nearest first.
//!
//! Where systemd runs, only the first is tried, then a systemd scope: the other groups belong to systemd, which may disable
//! their controllers at any time. Processes of others are never moved. A controller that was enabled in an ancestor stays
//! enabled: another workbench may depend on it by then, and it limits nothing by itself.
//!
//! **Owner.** The name of a group is `ave-workbench-PID-START-N`, START being the start time of the process as the kernel
//! counts it, because process ids are reused. The owner also holds a lock on the directory, for processes in another PID
//! namespace. [`remove_stale`] removes groups with neither a living owner nor a lock.
//!
//! **Memory.** A child that emulates a machine [takes over](MachineMemory) its memory limit: the workbench's own memory and
//! its own work must not count against the machine.
//!
//! **CPU.** [`CoreLimit`](super::affinity::CoreLimit), which the child applies itself, restricts it to whole cores. A quota
//! is added only where the host has more cores than the limit; otherwise it would add nothing but throttling jitter.

mod confined;
mod confinement;
mod directory;
mod limits;
mod own;
mod owner;
mod parent;
mod stale;
mod stats;
mod systemd;

pub use confined::Confined;
pub use confinement::{Confinement, ConfinementMethod, RejectedMethod};
pub use limits::GroupLimits;
pub use own::MachineMemory;
pub use stale::{StaleGroups, remove_stale};
pub use stats::GroupStats;

/// A directory with these files.
#[cfg(test)]
fn directory_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root
}
