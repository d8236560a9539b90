//! The groups below which groups with limits can be created, and their preparation.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Access, access};

use super::directory::{GroupDirectory, failed, processes, read, write};
use super::limits::{CPU, MEMORY};
use super::owner::Owner;
use ave_actors_rocksdb::machine::{CgroupVersion, cgroup_dirs, under};

/// A group below which groups with limits can be created.
#[derive(Debug, Clone)]
pub(super) struct GroupParent {
    pub(super) version: CgroupVersion,
    pub(super) path: PathBuf,
    /// Must outlive each group below.
    pub(super) leaf: Option<Arc<Leaf>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParentCandidate {
    pub(super) version: CgroupVersion,
    path: PathBuf,
    /// Whether this process moves into a leaf below first.
    moves_process: bool,
}

impl ParentCandidate {
    /// Candidates for a controller, best first. Where systemd runs, it owns all v2 groups but that of this process and
    /// decides which controllers that group has enabled.
    pub(super) fn all(root: &Path, controller: &str, systemd_runs: bool) -> Vec<Self> {
        let candidate = |version, path: &Path, moves_process| Self { version, path: under(root, path), moves_process };
        let dirs = cgroup_dirs(root, "self", controller);
        // A controller belongs to one hierarchy.
        if let Some(own) = dirs.iter().find(|dir| dir.version == CgroupVersion::V1) {
            return vec![candidate(CgroupVersion::V1, &own.path, false)];
        }
        let mut dirs = dirs.iter();
        let Some(own) = dirs.next() else { return Vec::new() };
        let unchanged = candidate(CgroupVersion::V2, &own.path, false);
        if systemd_runs {
            return vec![unchanged];
        }
        let ancestors = dirs.map(|dir| candidate(CgroupVersion::V2, &dir.path, false));
        [unchanged, candidate(CgroupVersion::V2, &own.path, true)].into_iter().chain(ancestors).collect()
    }

    pub(super) fn prepare(&self, controller: &str, owner: Owner) -> io::Result<GroupParent> {
        let mut parent = GroupParent { version: self.version, path: self.path.clone(), leaf: None };
        if self.version == CgroupVersion::V2 {
            // Checked before this process moves.
            require_controller(&self.path, controller)?;
            if self.moves_process {
                parent.leaf = Some(Arc::new(Leaf::enter(&self.path, owner)?));
            }
        }
        parent.enable(controller)?;
        Ok(parent)
    }
}

impl GroupParent {
    /// Enables a controller for groups below. With v1 it always is.
    pub(super) fn enable(&self, controller: &str) -> io::Result<()> {
        if self.version == CgroupVersion::V1 {
            return Ok(());
        }
        require_controller(&self.path, controller)?;
        let enabled = self.path.join("cgroup.subtree_control");
        if names(&enabled, controller)? { Ok(()) } else { write(&enabled, &format!("+{controller}")) }
    }

    pub(super) fn create_group(&self, owner: Owner) -> io::Result<GroupDirectory> {
        GroupDirectory::create(self.version, &self.path, owner)
    }

    /// Checks that processes may be moved from the group of this process into one below: with v2 the common ancestor of both
    /// decides.
    pub(super) fn check_migration(&self) -> io::Result<()> {
        let processes = self.path.join("cgroup.procs");
        match self.version {
            CgroupVersion::V1 => Ok(()),
            CgroupVersion::V2 => access(&processes, Access::WRITE_OK)
                .map_err(|error| failed("move processes by", &processes, &error.into())),
        }
    }
}

fn require_controller(group: &Path, controller: &str) -> io::Result<()> {
    let file = group.join("cgroup.controllers");
    if names(&file, controller)? {
        return Ok(());
    }
    Err(io::Error::other(format!("{} does not name the {controller} controller", file.display())))
}

fn names(file: &Path, controller: &str) -> io::Result<bool> {
    Ok(read(file)?.split_whitespace().any(|name| name == controller))
}

/// A child of this process's group into which the process has moved, so that its former group has no processes and can
/// enable controllers. The drop moves it back.
///
/// Only a process that is alone in its group does that, such as the first of a container. If it is killed, its group is
/// empty and is removed with the container.
#[derive(Debug)]
pub(super) struct Leaf {
    origin: PathBuf,
    owner: Owner,
    group: GroupDirectory,
}

impl Leaf {
    fn enter(origin: &Path, owner: Owner) -> io::Result<Self> {
        if processes(origin)?.iter().any(|&pid| pid != owner.pid) {
            let others = io::Error::other("it has other processes than this one, which are not moved");
            return Err(failed("leave", origin, &others));
        }
        let group = GroupDirectory::create(CgroupVersion::V2, origin, owner)?;
        group.enter(owner.pid)?;
        Ok(Self { origin: origin.to_owned(), owner, group })
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        // This process enabled these controllers: with processes in it, the group could not have. A drop cannot report an
        // error.
        for controller in [MEMORY, CPU] {
            let _ = write(&self.origin.join("cgroup.subtree_control"), &format!("-{controller}"));
        }
        let _ = write(&self.origin.join("cgroup.procs"), &self.owner.pid.to_string());
        let _ = self.group.remove();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::cgroup::directory_with as machine;
    use std::fs;
    use tempfile::TempDir;

    /// Candidates relative to the root.
    fn candidates(root: &TempDir, controller: &str, systemd_runs: bool) -> Vec<(CgroupVersion, String, bool)> {
        let relative = |candidate: ParentCandidate| {
            let path = candidate.path.strip_prefix(root.path()).unwrap().to_str().unwrap().to_owned();
            (candidate.version, path, candidate.moves_process)
        };
        ParentCandidate::all(root.path(), controller, systemd_runs).into_iter().map(relative).collect()
    }

    fn candidate(root: &TempDir, path: &str, moves_process: bool) -> ParentCandidate {
        ParentCandidate { version: CgroupVersion::V2, path: root.path().join(path), moves_process }
    }

    fn this() -> Owner {
        Owner::this(Path::new("/")).unwrap()
    }

    #[test]
    fn with_v1_the_own_group_of_each_controller_is_the_candidate() {
        let root = machine(&[("proc/self/cgroup", "4:memory:/a/b\n1:cpu,cpuacct:/\n0::/\n")]);
        let expected = |path: &str| vec![(CgroupVersion::V1, path.to_owned(), false)];
        for systemd_runs in [false, true] {
            assert_eq!(candidates(&root, MEMORY, systemd_runs), expected("sys/fs/cgroup/memory/a/b"));
            assert_eq!(candidates(&root, CPU, systemd_runs), expected("sys/fs/cgroup/cpu"));
        }
    }

    #[test]
    fn with_v2_the_own_group_comes_first_then_a_leaf_then_the_ancestors() {
        let root = machine(&[("proc/self/cgroup", "0::/a/b\n")]);
        let expected = [
            ("sys/fs/cgroup/a/b", false),
            ("sys/fs/cgroup/a/b", true),
            ("sys/fs/cgroup/a", false),
            ("sys/fs/cgroup", false),
        ];
        let expected = expected.map(|(path, moves_process)| (CgroupVersion::V2, path.to_owned(), moves_process));
        assert_eq!(candidates(&root, MEMORY, false), expected);
        assert_eq!(candidates(&root, MEMORY, true), expected[..1], "the others belong to systemd");
    }

    #[test]
    fn an_enabled_controller_is_not_enabled_again() {
        let root = machine(&[("g/cgroup.controllers", "cpu io memory\n"), ("g/cgroup.subtree_control", "memory\n")]);
        let parent = candidate(&root, "g", false).prepare(MEMORY, this()).unwrap();
        assert_eq!(fs::read_to_string(root.path().join("g/cgroup.subtree_control")).unwrap(), "memory\n");
        parent.enable(CPU).unwrap();
        assert!(fs::read_to_string(root.path().join("g/cgroup.subtree_control")).unwrap().starts_with("+cpu"));
    }

    #[test]
    fn a_missing_controller_is_named() {
        let root = machine(&[("g/cgroup.controllers", "hugetlb\n"), ("g/cgroup.subtree_control", "\n")]);
        for moves_process in [false, true] {
            let error = candidate(&root, "g", moves_process).prepare(MEMORY, this()).unwrap_err().to_string();
            let file = root.path().join("g/cgroup.controllers");
            assert_eq!(error, format!("{} does not name the memory controller", file.display()));
        }
    }

    #[test]
    fn a_group_with_other_processes_is_not_left() {
        let procs = format!("{}\n1\n", std::process::id());
        let root = machine(&[
            ("g/cgroup.controllers", "memory\n"),
            ("g/cgroup.subtree_control", "\n"),
            ("g/cgroup.procs", &procs),
        ]);
        let error = candidate(&root, "g", true).prepare(MEMORY, this()).unwrap_err().to_string();
        assert!(error.contains("it has other processes than this one"), "{error}");
        assert_eq!(fs::read_dir(root.path().join("g")).unwrap().count(), 3, "no leaf was made");
    }
}
