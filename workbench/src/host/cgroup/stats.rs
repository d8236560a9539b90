//! Counters that the kernel keeps for a group.

use std::io;

use super::directory::GroupDirectory;
use ave_actors_rocksdb::machine::CgroupVersion;

/// Counters of a group. They can be read while its processes run and after their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupStats {
    /// Processes killed because memory ran out. A `SIGKILL` without an increase here came from another process.
    pub oom_kills: u64,
    /// Peak memory use, page cache included, bytes. `None` with cgroup v2 before Linux 5.19.
    pub memory_peak_bytes: Option<u64>,
    /// Times the limit was reached. The kernel then reclaims page cache; that alone kills no process.
    pub memory_limit_hits: Option<u64>,
}

impl GroupStats {
    /// Of the groups of one child, that of the memory controller first; `None` without groups.
    ///
    /// # Errors
    ///
    /// The groups were removed, or the kernel does not count kills (cgroup v1 before Linux 4.13).
    pub(super) fn of(groups: &[GroupDirectory]) -> io::Result<Option<Self>> {
        let Some(group) = groups.first() else { return Ok(None) };
        let [kills_in, peak_in] = match group.version {
            CgroupVersion::V1 => ["memory.oom_control", "memory.max_usage_in_bytes"],
            CgroupVersion::V2 => ["memory.events", "memory.peak"],
        };
        let number = |name| group.read(name).ok()?.trim().parse().ok();
        let events = group.read(kills_in)?;
        let uncounted = || io::Error::other(format!("{} does not count kills", group.path.join(kills_in).display()));
        Ok(Some(Self {
            oom_kills: field(&events, "oom_kill").ok_or_else(uncounted)?,
            memory_peak_bytes: number(peak_in),
            memory_limit_hits: match group.version {
                CgroupVersion::V1 => number("memory.failcnt"),
                CgroupVersion::V2 => field(&events, "max"),
            },
        }))
    }
}

/// The number after a name, one pair per line.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::cgroup::directory_with;

    fn stats(version: CgroupVersion, files: &[(&str, &str)]) -> io::Result<Option<GroupStats>> {
        let directory = directory_with(files);
        GroupStats::of(&[GroupDirectory::adopt(version, directory.path().to_owned(), None)])
    }

    #[test]
    fn counters_are_read_from_the_files_of_either_interface() {
        let expected =
            |memory_peak_bytes| Some(GroupStats { oom_kills: 2, memory_peak_bytes, memory_limit_hits: Some(17) });
        let v1 = [
            ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"),
            ("memory.max_usage_in_bytes", "67108864\n"),
            ("memory.failcnt", "17\n"),
        ];
        assert_eq!(stats(CgroupVersion::V1, &v1).unwrap(), expected(Some(67_108_864)));
        let v2 = [
            ("memory.events", "low 0\nhigh 0\nmax 17\noom 1\noom_kill 2\noom_group_kill 0\n"),
            ("memory.peak", "67108864\n"),
        ];
        assert_eq!(stats(CgroupVersion::V2, &v2).unwrap(), expected(Some(67_108_864)));
        assert_eq!(stats(CgroupVersion::V2, &v2[..1]).unwrap(), expected(None), "an older kernel");
    }

    #[test]
    fn a_kernel_that_does_not_count_kills_is_an_error() {
        let error =
            stats(CgroupVersion::V1, &[("memory.oom_control", "oom_kill_disable 0\n")]).unwrap_err().to_string();
        assert!(error.ends_with("memory.oom_control does not count kills"), "{error}");
    }
}
