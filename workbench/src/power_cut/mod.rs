//! A file system whose power can be cut: it then forgets what was not synced, within the rules of POSIX.
//!
//! * An `fsync` of a file makes its content durable, but not its name; an `fsync` of a directory makes its names durable.
//! * Without a sync, pages of 4 KiB are on disk in any of their versions, written in any order, also torn into sectors of
//!   512 bytes, and a file has any of its lengths. Of the changed names the first ones are on disk.
//! * After an `fsync` that failed with `EIO`, no later one writes what it did not.
//!
//! A seed decides what survives. [`Disk`] is this model; `PoweredMount` mounts it through FUSE. The content is in memory.
//! Nothing here knows of databases.

mod content;
mod directory;
mod disk;
mod fault;
#[cfg(target_os = "linux")]
mod mount;
mod random;

pub use directory::EntryOrder;
pub use disk::Disk;
pub use fault::{FailingSync, Faults, Syncs};
#[cfg(target_os = "linux")]
pub(crate) use mount::unmount_dead;
#[cfg(target_os = "linux")]
pub use mount::{MountError, PoweredMount};
