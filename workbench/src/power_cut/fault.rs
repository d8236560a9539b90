//! When the power goes off, and faults of the disk that tests plant.

use std::ffi::OsStr;
use std::path::Path;

use super::random::Random;

/// Kinds of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Read,
    Write,
    /// Creates, links, renames or removes a name.
    Entry,
    Sync,
}

/// The operation at which the power goes off. That operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CutPoint {
    /// `None`: any but a read.
    counted: Option<Operation>,
    /// Operations left, this one included.
    left: u32,
    /// Operations of any kind but reads after the last counted one.
    then: u32,
}

/// Most operations before a cut, reads excluded: the load of a few memtables.
const MOST_OPERATIONS: u32 = 4096;
/// Most operations after a sync has begun or a directory was changed.
const MOST_FOLLOWING: u32 = 32;
/// Most created, renamed, linked and removed files before a cut.
const MOST_ENTRIES: u32 = 64;
/// Most syncs before a cut.
const MOST_SYNCS: u32 = 256;
/// Most operations of an opening before it is cut.
const MOST_EARLY_OPERATIONS: u32 = 128;

impl CutPoint {
    /// A random one: at any operation, or at or soon after one of the rare operations that change directories or sync.
    pub(super) fn random(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let (counted, most) = random.choose(&[
            (None, MOST_OPERATIONS),
            (Some(Operation::Entry), MOST_ENTRIES),
            (Some(Operation::Sync), MOST_SYNCS),
        ]);
        let then = if counted.is_some() { random.logarithmic(MOST_FOLLOWING) } else { 0 };
        Self { counted, left: random.logarithmic(most), then }
    }

    /// A random one among the first operations.
    pub(super) fn early(seed: u64) -> Self {
        Self { counted: None, left: Random::new(seed).logarithmic(MOST_EARLY_OPERATIONS), then: 0 }
    }

    pub(super) fn is_reached_by(&mut self, operation: Operation) -> bool {
        let is_change = operation != Operation::Read;
        if self.left > 0 {
            self.left -= u32::from(self.counted.map_or(is_change, |counted| counted == operation));
        } else if self.then > 0 {
            self.then -= u32::from(is_change);
        }
        self.left == 0 && self.then == 0
    }
}

/// Faults of a disk. The default is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Syncs that do nothing and report success.
    pub ignored_syncs: Option<Syncs>,
    /// Syncs, of which one fails with `EIO` and leaves the file partly written.
    pub failing_sync: Option<FailingSync>,
}

/// Which syncs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syncs {
    /// Of directories.
    Directories,
    /// Of files with names like `000007.log`, given `log`, or `MANIFEST-000005`, given `MANIFEST`.
    Files(&'static str),
}

/// The one of several syncs that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailingSync {
    /// Which syncs are counted.
    pub of: Syncs,
    /// Syncs that succeed before it.
    pub after: u32,
}

impl Syncs {
    fn include(self, name: &OsStr) -> bool {
        let Self::Files(kind) = self else { return false };
        let path = Path::new(name);
        path.extension().is_some_and(|extension| extension == kind)
            || name.to_str().is_some_and(|name| name.split('-').next() == Some(kind))
    }
}

impl Faults {
    pub(super) fn ignores_sync_of(&self, name: &OsStr) -> bool {
        self.ignored_syncs.is_some_and(|ignored| ignored.include(name))
    }

    pub(super) fn ignores_directory_syncs(&self) -> bool {
        self.ignored_syncs == Some(Syncs::Directories)
    }

    pub(super) fn fails_sync_of(&mut self, name: &OsStr) -> bool {
        let Some(failing) = self.failing_sync.as_mut().filter(|failing| failing.of.include(name)) else { return false };
        if let Some(after) = failing.after.checked_sub(1) {
            failing.after = after;
            return false;
        }
        self.failing_sync = None;
        true
    }
}
