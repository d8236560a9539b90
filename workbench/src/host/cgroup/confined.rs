//! One child under limits.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::directory::GroupDirectory;
use super::parent::Leaf;
use super::stats::GroupStats;
use super::systemd::Scope;

/// The control groups of one child and its descendants. When this is dropped, they are removed and their processes killed.
///
/// Under affinity alone there are no groups, and the methods have no effect.
#[derive(Debug, Default)]
#[must_use = "the groups are removed when this is dropped"]
pub struct Confined {
    /// That of the memory controller first.
    pub(super) groups: Vec<GroupDirectory>,
    /// systemd creates the groups when the child starts.
    pub(super) scope: Option<Scope>,
    /// Dropped after the groups: it cannot be removed before them.
    pub(super) _leaf: Option<Arc<Leaf>>,
}

impl Confined {
    /// Applies the limits to the child, which has just been started, and to its future descendants.
    ///
    /// Memory it allocated before is not counted, so the child should wait for input first. Call this for every child: a
    /// scope that was not entered is removed only by the next start of a workbench.
    ///
    /// # Errors
    ///
    /// The child has exited, or the system refuses. Kill the child then: it may have no limits.
    pub fn enter(&mut self, pid: u32) -> io::Result<()> {
        if let Some(scope) = self.scope.take() {
            self.groups = scope.wait_for(pid)?;
            return Ok(());
        }
        self.groups.iter().try_for_each(|group| group.enter(pid))
    }

    /// The counters of the groups; `None` under affinity alone. They can be read before and after the end of the child.
    ///
    /// # Errors
    ///
    /// Another process has removed the groups.
    pub fn stats(&self) -> io::Result<Option<GroupStats>> {
        GroupStats::of(&self.groups)
    }

    /// The directories of the groups, that of the memory controller first.
    pub fn groups(&self) -> impl Iterator<Item = &Path> {
        self.groups.iter().map(|group| group.path.as_path())
    }

    /// Kills the remaining processes and removes the groups. Waits up to five seconds for the processes to exit.
    ///
    /// # Errors
    ///
    /// A group cannot be removed; the others are removed nevertheless.
    pub fn remove(mut self) -> io::Result<()> {
        let removed: Vec<_> = self.groups.iter_mut().map(GroupDirectory::remove).collect();
        removed.into_iter().collect()
    }
}
