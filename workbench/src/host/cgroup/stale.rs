//! Removal of groups whose owners were killed before they removed them.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::directory::{GroupDirectory, lock};
use super::limits::{CPU, MEMORY};
use super::owner::Owner;
use ave_actors_rocksdb::machine::{CgroupDir, CgroupVersion, cgroup_dirs, under};

/// Result of [`remove_stale`].
#[derive(Debug, Default, PartialEq, Eq)]
pub struct StaleGroups {
    /// Directories of removed groups.
    pub removed: Vec<PathBuf>,
    /// Errors of groups that could not be removed: `rmdir /sys/fs/cgroup/memory/…: Permission denied (os error 13)`.
    pub left: Vec<String>,
}

/// Removes the groups of workbenches that have exited, and kills the processes in them. To be called at each start.
///
/// Searches each hierarchy completely, since a killed workbench may have been started in another session or container. A
/// group with a living owner or a held lock is left alone.
pub fn remove_stale() -> StaleGroups {
    remove_stale_under(Path::new("/"))
}

pub(super) fn remove_stale_under(root: &Path) -> StaleGroups {
    let mut stale = StaleGroups::default();
    for top in tops(root) {
        let top = CgroupDir { path: under(root, &top.path), ..top };
        visit(root, &top, &mut stale);
    }
    stale
}

/// The mount point of each hierarchy with a memory or CPU controller.
fn tops(root: &Path) -> Vec<CgroupDir> {
    let mut tops: Vec<CgroupDir> = Vec::new();
    for controller in [MEMORY, CPU] {
        let dirs = cgroup_dirs(root, "self", controller);
        for version in [CgroupVersion::V1, CgroupVersion::V2] {
            // Of each interface the group of this process comes first and the mount point last.
            if let Some(top) = dirs.iter().rfind(|dir| dir.version == version)
                && !tops.contains(top)
            {
                tops.push(top.clone());
            }
        }
    }
    tops
}

/// Children first: a group with child groups cannot be removed. Groups that vanish meanwhile or cannot be read are skipped.
fn visit(root: &Path, group: &CgroupDir, stale: &mut StaleGroups) {
    let entries = fs::read_dir(&group.path).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        let below = CgroupDir { path: entry.path(), ..*group };
        visit(root, &below, stale);
        let owner = entry.file_name().to_str().and_then(Owner::from_name);
        if owner.is_some_and(|owner| owner.has_exited(root)) {
            match remove(&below) {
                Ok(true) => stale.removed.push(below.path),
                Ok(false) => {}
                Err(error) => stale.left.push(error.to_string()),
            }
        }
    }
}

/// Removes a group unless another process holds its lock; `true` if it was removed.
fn remove(group: &CgroupDir) -> io::Result<bool> {
    let Some(lock) = lock(&group.path)? else { return Ok(false) };
    GroupDirectory::adopt(group.version, group.path.clone(), Some(lock)).remove()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::cgroup::directory_with;
    use tempfile::TempDir;

    /// A machine with both interfaces, one process with id 7 that started at 5, and these directories.
    fn machine(directories: &[&str]) -> TempDir {
        let root = directory_with(&[
            ("proc/self/cgroup", "4:memory:/a\n1:cpu:/\n0::/b\n"),
            ("proc/7/stat", "7 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 5 20\n"),
        ]);
        for directory in [&["unified"], directories].concat() {
            fs::create_dir_all(root.path().join("sys/fs/cgroup").join(directory)).unwrap();
        }
        root
    }

    /// The removed groups, relative to `sys/fs/cgroup`.
    fn removed(root: &TempDir) -> Vec<String> {
        let stale = remove_stale_under(root.path());
        assert_eq!(stale.left, Vec::<String>::new());
        let base = root.path().join("sys/fs/cgroup");
        let mut removed: Vec<_> =
            stale.removed.iter().map(|path| path.strip_prefix(&base).unwrap().to_str().unwrap().to_owned()).collect();
        removed.sort();
        removed
    }

    #[test]
    fn groups_of_exited_owners_are_removed_in_all_hierarchies() {
        let stale = [
            "cpu/ave-workbench-8-5-0",
            "memory/a/ave-workbench-8-5-0",
            "memory/b/ave-workbench-7-4-0",
            "unified/c/d/ave-workbench-8-5-1",
        ];
        let root = machine(&stale);
        assert_eq!(removed(&root), stale);
        assert_eq!(removed(&root), Vec::<String>::new());
    }

    #[test]
    fn groups_of_living_owners_and_of_other_programs_stay() {
        let directories = ["memory/a/ave-workbench-7-5-0", "unified/b/ave-workbench-7-5-3.scope", "cpu/docker"];
        let root = machine(&directories);
        assert_eq!(removed(&root), Vec::<String>::new());
        assert!(directories.iter().all(|path| root.path().join("sys/fs/cgroup").join(path).is_dir()));
    }

    #[test]
    fn a_locked_group_stays() {
        let root = machine(&["memory/a/ave-workbench-8-5-0"]);
        let lock = lock(&root.path().join("sys/fs/cgroup/memory/a/ave-workbench-8-5-0")).unwrap().unwrap();
        assert_eq!(removed(&root), Vec::<String>::new());
        drop(lock);
        assert_eq!(removed(&root), ["memory/a/ave-workbench-8-5-0"]);
    }

    #[test]
    fn a_group_that_cannot_be_removed_is_reported() {
        let root = machine(&["cpu/ave-workbench-8-5-0/docker"]);
        let stale = remove_stale_under(root.path());
        assert_eq!(stale.removed, Vec::<PathBuf>::new());
        assert!(stale.left[0].starts_with("rmdir ") && stale.left[0].contains("cpu/ave-workbench-8-5-0"), "{stale:?}");
    }

    #[test]
    fn each_hierarchy_is_searched_once() {
        let root = machine(&[]);
        let tops: Vec<_> = tops(root.path()).into_iter().map(|top| (top.version, top.path)).collect();
        let expected = [
            (CgroupVersion::V1, PathBuf::from("/sys/fs/cgroup/memory/")),
            (CgroupVersion::V2, PathBuf::from("/sys/fs/cgroup/unified/")),
            (CgroupVersion::V1, PathBuf::from("/sys/fs/cgroup/cpu/")),
        ];
        assert_eq!(tops, expected);
    }
}
