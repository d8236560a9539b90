//! How many threads this process may still create.

use std::fs;
use std::path::Path;

use rustix::process::geteuid;

use ave_actors_rocksdb::machine::{cgroup_dirs, under};

/// Controller that limits threads.
const PIDS: &str = "pids";

/// Threads that this process may still create, and the limit that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ThreadRoom {
    pub(crate) left: u64,
    /// `pids.max is 8 in /sys/fs/cgroup/pids/a`, or `RLIMIT_NPROC is 100`.
    pub(crate) limit: String,
}

/// `None` without a limit, or where the system reports none.
pub(crate) fn thread_room() -> Option<ThreadRoom> {
    let root = Path::new("/");
    // The system applies RLIMIT_NPROC to all users but root.
    let of_user = (!geteuid().is_root()).then(|| user_room(root, geteuid().as_raw())).flatten();
    group_room(root).into_iter().chain(of_user).min_by_key(|room| room.left)
}

/// What the control groups of this process allow, its own and all above.
fn group_room(root: &Path) -> Option<ThreadRoom> {
    let rooms = cgroup_dirs(root, "self", PIDS).into_iter().filter_map(|dir| {
        let number = |name: &str| -> Option<u64> {
            fs::read_to_string(under(root, &dir.path.join(name))).ok()?.trim().parse().ok()
        };
        // `max` does not parse: no limit.
        let (most, now) = (number("pids.max")?, number("pids.current")?);
        let limit = format!("pids.max is {most} in {}", dir.path.display());
        Some(ThreadRoom { left: most.saturating_sub(now), limit })
    });
    rooms.min_by_key(|room| room.left)
}

/// What the limit of all processes of a user allows.
fn user_room(root: &Path, user: u32) -> Option<ThreadRoom> {
    let limits = fs::read_to_string(root.join("proc/self/limits")).ok()?;
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max processes"))?;
    // `unlimited` does not parse.
    let most: u64 = soft.split_whitespace().next()?.parse().ok()?;
    let processes = fs::read_dir(root.join("proc")).ok()?.flatten();
    // Those that end meanwhile, or that cannot be read, do not count.
    let threads = processes.filter_map(|entry| {
        let status = fs::read_to_string(entry.path().join("status")).ok()?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
        (field("Uid:")?.parse() == Ok(user)).then(|| field("Threads:")?.parse::<u64>().ok()).flatten()
    });
    let left = most.saturating_sub(threads.sum());
    Some(ThreadRoom { left, limit: format!("RLIMIT_NPROC is {most}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn the_tightest_control_group_decides_in_either_version() {
        let v1 = machine(&[
            ("proc/self/cgroup", "3:pids:/a/b\n"),
            ("sys/fs/cgroup/pids/a/b/pids.max", "max\n"),
            ("sys/fs/cgroup/pids/a/b/pids.current", "5\n"),
            ("sys/fs/cgroup/pids/a/pids.max", "20\n"),
            ("sys/fs/cgroup/pids/a/pids.current", "7\n"),
        ]);
        let limit = "pids.max is 20 in /sys/fs/cgroup/pids/a".to_owned();
        assert_eq!(group_room(v1.path()), Some(ThreadRoom { left: 13, limit }));
        let v2 = machine(&[
            ("proc/self/cgroup", "0::/a\n"),
            ("sys/fs/cgroup/a/pids.max", "8\n"),
            ("sys/fs/cgroup/a/pids.current", "9\n"),
        ]);
        assert_eq!(group_room(v2.path()).unwrap().left, 0);
        assert_eq!(group_room(machine(&[]).path()), None);
    }

    #[test]
    fn all_threads_of_the_user_count() {
        let status = |user: u32, threads: u32| format!("Name:\tx\nUid:\t{user}\t0\t0\t0\nThreads:\t{threads}\n");
        let root = machine(&[
            ("proc/self/limits", "Max processes             100                  200                  processes\n"),
            ("proc/1/status", &status(7, 30)),
            ("proc/2/status", &status(8, 500)),
            ("proc/3/status", &status(7, 4)),
        ]);
        assert_eq!(user_room(root.path(), 7), Some(ThreadRoom { left: 66, limit: "RLIMIT_NPROC is 100".to_owned() }));
        fs::write(root.path().join("proc/self/limits"), "Max processes  unlimited  unlimited  processes\n").unwrap();
        assert_eq!(user_room(root.path(), 7), None);
    }
}
