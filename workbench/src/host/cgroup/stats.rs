//! Counters that the kernel keeps for a group.

use std::io;

use super::directory::GroupDirectory;
use ave_actors_rocksdb::machine::CgroupVersion;

/// Counters of a group. They can be read while its processes run and after their end.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct GroupStats {
    /// Processes killed because memory ran out. A `SIGKILL` without an increase here came from another process.
    pub oom_kills: u64,
    /// Peak memory use, page cache included, bytes. `None` with cgroup v2 before Linux 5.19.
    pub memory_peak_bytes: Option<u64>,
    /// Memory in use now, page cache included, bytes.
    pub memory_now_bytes: Option<u64>,
    /// Times the limit was reached. The kernel then reclaims page cache; that alone kills no process.
    pub memory_limit_hits: Option<u64>,
    /// Time for which the CPU quota was used up, seconds. `None` without a quota.
    pub throttled_seconds: Option<f64>,
}

impl GroupStats {
    /// Of the groups of one child, that of the memory controller first; `None` without groups.
    ///
    /// # Errors
    ///
    /// The groups were removed, or the kernel does not count kills (cgroup v1 before Linux 4.13).
    pub(super) fn of(groups: &[GroupDirectory]) -> io::Result<Option<Self>> {
        let Some(memory) = groups.first() else { return Ok(None) };
        let throttled_seconds = groups.iter().find_map(throttled_seconds);
        Ok(Some(Self { throttled_seconds, ..of_memory(memory)? }))
    }
}

fn of_memory(group: &GroupDirectory) -> io::Result<GroupStats> {
    let [kills_in, peak_in, now_in] = match group.version() {
        CgroupVersion::V1 => ["memory.oom_control", "memory.max_usage_in_bytes", "memory.usage_in_bytes"],
        CgroupVersion::V2 => ["memory.events", "memory.peak", "memory.current"],
    };
    let number = |name| group.read(name).ok()?.trim().parse().ok();
    let events = group.read(kills_in)?;
    let uncounted = || io::Error::other(format!("{} does not count kills", group.path().join(kills_in).display()));
    Ok(GroupStats {
        oom_kills: field(&events, "oom_kill").ok_or_else(uncounted)?,
        memory_peak_bytes: number(peak_in),
        memory_now_bytes: number(now_in),
        memory_limit_hits: match group.version() {
            CgroupVersion::V1 => number("memory.failcnt"),
            CgroupVersion::V2 => field(&events, "max"),
        },
        throttled_seconds: None,
    })
}

/// v1 counts nanoseconds, v2 microseconds, both only where the controller is enabled.
fn throttled_seconds(group: &GroupDirectory) -> Option<f64> {
    let stat = group.read("cpu.stat").ok()?;
    match group.version() {
        CgroupVersion::V1 => field(&stat, "throttled_time").map(|nanoseconds| nanoseconds as f64 / 1e9),
        CgroupVersion::V2 => field(&stat, "throttled_usec").map(|microseconds| microseconds as f64 / 1e6),
    }
}

/// The number after a name, one pair per line.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    fn group(version: CgroupVersion, files: &[(&str, &str)]) -> (TempDir, GroupDirectory) {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        let group = GroupDirectory::adopt(version, directory.path().to_owned(), None);
        (directory, group)
    }

    #[test]
    fn v1_counters_are_read_from_two_hierarchies() {
        let (_memory, memory) = group(
            CgroupVersion::V1,
            &[
                ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"),
                ("memory.max_usage_in_bytes", "67108864\n"),
                ("memory.usage_in_bytes", "4096\n"),
                ("memory.failcnt", "17\n"),
            ],
        );
        let (_cpu, cpu) =
            group(CgroupVersion::V1, &[("cpu.stat", "nr_periods 9\nnr_throttled 3\nthrottled_time 1500000000\n")]);
        let stats = GroupStats::of(&[memory, cpu]).unwrap().unwrap();
        let expected = GroupStats {
            oom_kills: 2,
            memory_peak_bytes: Some(67_108_864),
            memory_now_bytes: Some(4096),
            memory_limit_hits: Some(17),
            throttled_seconds: Some(1.5),
        };
        assert_eq!(stats, expected);
    }

    #[test]
    fn v2_counters_are_read_from_one_group() {
        let (_directory, group) = group(
            CgroupVersion::V2,
            &[
                ("memory.events", "low 0\nhigh 0\nmax 17\noom 1\noom_kill 1\noom_group_kill 0\n"),
                ("memory.peak", "67108864\n"),
                ("memory.current", "4096\n"),
                ("cpu.stat", "usage_usec 5\nnr_periods 9\nthrottled_usec 250000\n"),
            ],
        );
        let stats = GroupStats::of(&[group]).unwrap().unwrap();
        let expected = GroupStats {
            oom_kills: 1,
            memory_peak_bytes: Some(67_108_864),
            memory_now_bytes: Some(4096),
            memory_limit_hits: Some(17),
            throttled_seconds: Some(0.25),
        };
        assert_eq!(stats, expected);
    }

    #[test]
    fn counters_that_a_kernel_lacks_are_absent() {
        let (_directory, group) = group(
            CgroupVersion::V2,
            &[("memory.events", "max 0\noom_kill 0\n"), ("memory.current", "1\n"), ("cpu.stat", "usage_usec 5\n")],
        );
        let stats = GroupStats::of(&[group]).unwrap().unwrap();
        assert_eq!((stats.memory_peak_bytes, stats.throttled_seconds), (None, None));
    }

    #[test]
    fn a_kernel_that_does_not_count_kills_is_an_error() {
        let (_directory, group) = group(CgroupVersion::V1, &[("memory.oom_control", "oom_kill_disable 0\n")]);
        let error = GroupStats::of(&[group]).unwrap_err().to_string();
        assert!(error.ends_with("memory.oom_control does not count kills"), "{error}");
    }
}
