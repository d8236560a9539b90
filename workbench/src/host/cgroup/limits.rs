//! The limits of a group, and the controllers that apply them.

/// Controller of memory limits.
pub(super) const MEMORY: &str = "memory";
/// Controller of CPU quotas.
pub(super) const CPU: &str = "cpu";

/// CPU and memory limits of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupLimits {
    /// CPU time in thousandths of a core, at least 1: 500 for half a core.
    pub millicores: u64,
    /// Memory, page cache included, bytes. The kernel rounds down to whole pages.
    pub ram_bytes: u64,
}
