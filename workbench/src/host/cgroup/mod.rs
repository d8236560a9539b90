//! A child process under the CPU and memory limits of a smaller machine, and nothing left behind however anybody dies.
//!
//! A [`Confinement`] is chosen once, by trying: control groups made directly, a scope that systemd makes, or nothing but
//! CPU affinity, which leaves memory without a limit. Every way that was refused says why. Each child then gets a
//! [`Confined`] of its own, which knows what happened to it and is removed when it is dropped.
//!
//! **Where groups are made.** With cgroup v1, below the group of this process, in each hierarchy. With v2 a group that
//! has processes of its own cannot pass controllers on, so these are tried in turn:
//!
//! 1. below the group of this process, where that passes controllers on (the root of all groups does);
//! 2. the same after this process, if it is alone there, has moved into a leaf below. It moves back in the end;
//! 3. below the groups above, nearest first.
//!
//! Where systemd runs, only the first is tried and a scope is asked of systemd instead: the other groups are its own, and
//! it may take the controllers away again at any time. Processes of others are never moved. A controller that was enabled
//! in a group above stays enabled: another workbench may count on it by then, and it limits nobody by itself.
//!
//! **Who owns a group** stands in its name: `ave-workbench-PID-START-N`, the start being that of the process as the kernel
//! counts it, because ids come again. Its owner also holds a lock on the directory, for those who see the group from
//! another PID namespace. [`remove_stale`] removes what has neither a living owner nor a lock.
//!
//! **CPU.** Whole cores are kept by affinity, see [`CoreLimit`](crate::host::affinity::CoreLimit), which the child applies itself. A quota
//! is set on top only where the host has more cores than asked for: where it has not, it could add nothing but the jitter
//! of throttling.

mod confined;
mod confinement;
mod directory;
mod evidence;
mod owner;
mod place;
mod stale;
mod systemd;

pub use confined::Confined;
pub use confinement::{Confinement, Refusal, Way};
pub use evidence::GroupEvidence;
pub use stale::{StaleGroups, remove_stale};

/// What a child may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupLimits {
    /// Whole cores, at least 1.
    pub cores: usize,
    /// Memory, page cache included, bytes. The kernel rounds down to whole pages.
    pub ram_bytes: u64,
}
