//! Where groups with limits can be made, and making a place fit for it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Access, access};

use crate::host::cgroup::directory::{GroupDirectory, failed, processes, read, write};
use crate::host::cgroup::owner::Owner;
use ave_actors_rocksdb::machine::{CgroupVersion, cgroup_dirs, under};

/// What limits memory.
pub(super) const MEMORY: &str = "memory";
/// What limits CPU time.
pub(super) const CPU: &str = "cpu";

/// A group below which groups can be made.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) version: CgroupVersion,
    pub(super) parent: PathBuf,
    leaf: Option<Arc<Leaf>>,
}

/// A place that may do, and what it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) version: CgroupVersion,
    parent: PathBuf,
    /// Whether this process has to leave it first, for a leaf below.
    by_leaving: bool,
}

impl Candidate {
    /// Places for a controller, best first. Where systemd runs, all v2 groups but that of this process are its own, and
    /// what that group passes on is for systemd to say.
    pub(super) fn all(root: &Path, controller: &str, systemd_runs: bool) -> Vec<Self> {
        let candidate = |version, parent: &Path, by_leaving| Self { version, parent: under(root, parent), by_leaving };
        let dirs = cgroup_dirs(root, "self", controller);
        // A controller is part of one hierarchy alone.
        if let Some(own) = dirs.iter().find(|dir| dir.version == CgroupVersion::V1) {
            return vec![candidate(CgroupVersion::V1, &own.path, false)];
        }
        let mut dirs = dirs.iter();
        let Some(own) = dirs.next() else { return Vec::new() };
        let as_it_is = candidate(CgroupVersion::V2, &own.path, false);
        if systemd_runs {
            return vec![as_it_is];
        }
        let above = dirs.map(|dir| candidate(CgroupVersion::V2, &dir.path, false));
        [as_it_is, candidate(CgroupVersion::V2, &own.path, true)].into_iter().chain(above).collect()
    }

    /// Makes it a place where groups can be given a limit by this controller.
    pub(super) fn prepare(&self, controller: &str, owner: Owner) -> io::Result<Place> {
        let mut place = Place { version: self.version, parent: self.parent.clone(), leaf: None };
        if self.version == CgroupVersion::V2 {
            // Before this process moves for nothing.
            offers(&self.parent, controller)?;
            if self.by_leaving {
                place.leaf = Some(Arc::new(Leaf::enter(&self.parent, owner)?));
            }
        }
        place.pass_on(controller)?;
        Ok(place)
    }
}

impl Place {
    /// Lets groups below have a limit by this controller. With v1 they always may.
    pub(super) fn pass_on(&self, controller: &str) -> io::Result<()> {
        if self.version == CgroupVersion::V1 {
            return Ok(());
        }
        offers(&self.parent, controller)?;
        let passed_on = self.parent.join("cgroup.subtree_control");
        if names(&passed_on, controller)? { Ok(()) } else { write(&passed_on, &format!("+{controller}")) }
    }

    /// A new group here.
    pub(super) fn group(&self, owner: Owner) -> io::Result<GroupDirectory> {
        GroupDirectory::create(self.version, &self.parent, owner)
    }

    /// Whether processes may be moved from the group of this process into one here: with v2 that is a question to the
    /// group above both.
    pub(super) fn admits(&self) -> io::Result<()> {
        let processes = self.parent.join("cgroup.procs");
        match self.version {
            CgroupVersion::V1 => Ok(()),
            CgroupVersion::V2 => access(&processes, Access::WRITE_OK)
                .map_err(|error| failed("move processes by", &processes, &error.into())),
        }
    }

    /// What must live as long as a group here.
    pub(super) fn leaf(&self) -> Option<Arc<Leaf>> {
        self.leaf.clone()
    }
}

/// Whether the group has the controller, to be passed on.
fn offers(group: &Path, controller: &str) -> io::Result<()> {
    let file = group.join("cgroup.controllers");
    if names(&file, controller)? {
        return Ok(());
    }
    Err(io::Error::other(format!("{} does not name the {controller} controller", file.display())))
}

fn names(file: &Path, controller: &str) -> io::Result<bool> {
    Ok(read(file)?.split_whitespace().any(|name| name == controller))
}

/// A group below its own into which this process has moved, so that its own has no processes and can pass controllers
/// on. The drop undoes it.
///
/// Only a process that is alone in its group does that: the first of a container, say. If it is killed, its group has
/// nobody left, and goes with the container.
#[derive(Debug)]
pub(super) struct Leaf {
    home: PathBuf,
    owner: Owner,
    group: GroupDirectory,
}

impl Leaf {
    fn enter(home: &Path, owner: Owner) -> io::Result<Self> {
        if processes(home)?.iter().any(|&pid| pid != owner.pid) {
            let others = io::Error::other("it has other processes than this one, and they are not for us to move");
            return Err(failed("leave", home, &others));
        }
        let group = GroupDirectory::create(CgroupVersion::V2, home, owner)?;
        group.enter(owner.pid)?;
        Ok(Self { home: home.to_owned(), owner, group })
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        // What it passes on was enabled by this process: with processes in it, the group could not before. There is nobody
        // to tell if it cannot be undone.
        for controller in [MEMORY, CPU] {
            let _ = write(&self.home.join("cgroup.subtree_control"), &format!("-{controller}"));
        }
        let _ = write(&self.home.join("cgroup.procs"), &self.owner.pid.to_string());
        let _ = self.group.remove();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    /// A machine made of files.
    fn machine(files: &[(&str, &str)]) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    /// Parents below the root, and whether this process would have to leave them.
    fn places(root: &TempDir, controller: &str, systemd_runs: bool) -> Vec<(CgroupVersion, String, bool)> {
        let told = |candidate: Candidate| {
            let parent = candidate.parent.strip_prefix(root.path()).unwrap().to_str().unwrap().to_owned();
            (candidate.version, parent, candidate.by_leaving)
        };
        Candidate::all(root.path(), controller, systemd_runs).into_iter().map(told).collect()
    }

    fn candidate(root: &TempDir, parent: &str, by_leaving: bool) -> Candidate {
        Candidate { version: CgroupVersion::V2, parent: root.path().join(parent), by_leaving }
    }

    fn this() -> Owner {
        Owner::this(Path::new("/")).unwrap()
    }

    #[test]
    fn with_v1_each_controller_has_its_place_below_the_own_group() {
        let root = machine(&[("proc/self/cgroup", "4:memory:/a/b\n1:cpu,cpuacct:/\n0::/\n")]);
        let expected = |path: &str| vec![(CgroupVersion::V1, path.to_owned(), false)];
        for systemd_runs in [false, true] {
            assert_eq!(places(&root, MEMORY, systemd_runs), expected("sys/fs/cgroup/memory/a/b"));
            assert_eq!(places(&root, CPU, systemd_runs), expected("sys/fs/cgroup/cpu"));
        }
    }

    #[test]
    fn with_v2_the_own_group_comes_first_then_a_leaf_in_it_then_those_above() {
        let root = machine(&[("proc/self/cgroup", "0::/a/b\n")]);
        let expected = [
            ("sys/fs/cgroup/a/b", false),
            ("sys/fs/cgroup/a/b", true),
            ("sys/fs/cgroup/a", false),
            ("sys/fs/cgroup", false),
        ];
        let expected = expected.map(|(path, by_leaving)| (CgroupVersion::V2, path.to_owned(), by_leaving));
        assert_eq!(places(&root, MEMORY, false), expected);
        assert_eq!(places(&root, MEMORY, true), expected[..1], "the others belong to systemd");
    }

    #[test]
    fn a_group_that_passes_a_controller_on_is_left_as_it_is() {
        let root = machine(&[("g/cgroup.controllers", "cpu io memory\n"), ("g/cgroup.subtree_control", "memory\n")]);
        let place = candidate(&root, "g", false).prepare(MEMORY, this()).unwrap();
        assert_eq!(fs::read_to_string(root.path().join("g/cgroup.subtree_control")).unwrap(), "memory\n");
        place.pass_on(CPU).unwrap();
        assert!(fs::read_to_string(root.path().join("g/cgroup.subtree_control")).unwrap().starts_with("+cpu"));
    }

    #[test]
    fn a_group_without_the_controller_says_so() {
        let root = machine(&[("g/cgroup.controllers", "hugetlb\n"), ("g/cgroup.subtree_control", "\n")]);
        for by_leaving in [false, true] {
            let error = candidate(&root, "g", by_leaving).prepare(MEMORY, this()).unwrap_err().to_string();
            let place = root.path().join("g/cgroup.controllers");
            assert_eq!(error, format!("{} does not name the memory controller", place.display()));
        }
    }

    #[test]
    fn nobody_is_left_behind_in_a_group_that_others_are_in() {
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
