//! One child under limits.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::host::cgroup::directory::GroupDirectory;
use crate::host::cgroup::evidence::GroupEvidence;
use crate::host::cgroup::place::Leaf;
use crate::host::cgroup::systemd::Scope;

/// The control groups of one child, with everything it starts. They are removed when this is dropped, and what is still
/// in them is killed.
///
/// Under affinity alone there are none, and nothing here does anything.
#[derive(Debug)]
#[must_use = "the groups are removed when this is dropped"]
pub struct Confined {
    /// That of the memory controller first.
    groups: Vec<GroupDirectory>,
    /// systemd makes the groups when the child is started.
    scope: Option<Scope>,
    /// After the groups: it cannot be left while they are there.
    _leaf: Option<Arc<Leaf>>,
}

impl Confined {
    pub(super) fn in_groups(groups: Vec<GroupDirectory>, leaf: Option<Arc<Leaf>>) -> Self {
        Self { groups, scope: None, _leaf: leaf }
    }

    pub(super) fn in_scope(scope: Scope) -> Self {
        Self { groups: Vec::new(), scope: Some(scope), _leaf: None }
    }

    /// Puts the child, which has just been started, under its limits. What it starts from now on is under them as well.
    ///
    /// Memory that it took before is not counted, so it should wait for a word before it does anything. Call this for
    /// every child: a scope that was not entered is not removed before the next start of a workbench.
    ///
    /// # Errors
    ///
    /// The child has ended, or the system refuses. It must be killed then: it may have no limits.
    pub fn enter(&mut self, pid: u32) -> io::Result<()> {
        if let Some(scope) = self.scope.take() {
            self.groups = scope.wait_for(pid)?;
            return Ok(());
        }
        self.groups.iter().try_for_each(|group| group.enter(pid))
    }

    /// What happened in the groups so far; `None` under affinity alone. It can be asked before and after the child's death.
    ///
    /// # Errors
    ///
    /// Somebody else has removed the groups.
    pub fn evidence(&self) -> io::Result<Option<GroupEvidence>> {
        GroupEvidence::of(&self.groups)
    }

    /// The directories of the groups, that of the memory controller first.
    pub fn groups(&self) -> impl Iterator<Item = &Path> {
        self.groups.iter().map(GroupDirectory::path)
    }

    /// Kills what is left in the groups and removes them. It waits a few seconds for processes that are about to end.
    ///
    /// # Errors
    ///
    /// A group cannot be removed; the others are all the same.
    pub fn remove(mut self) -> io::Result<()> {
        let removed: Vec<_> = self.groups.iter_mut().map(GroupDirectory::remove).collect();
        removed.into_iter().collect()
    }
}
