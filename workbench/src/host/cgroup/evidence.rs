//! What the kernel counted in a group.

use std::io;

use crate::host::cgroup::directory::GroupDirectory;
use ave_actors_rocksdb::machine::CgroupVersion;

/// What happened to the processes of a group so far. It can be read while they live and after they died.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct GroupEvidence {
    /// Processes killed for want of memory. If this has grown, a death by `SIGKILL` was that; if not, somebody killed it.
    pub oom_kills: u64,
    /// The most memory used at any time, page cache included, bytes. `None` before Linux 5.19 with cgroup v2.
    pub memory_peak_bytes: Option<u64>,
    /// Memory in use now, page cache included, bytes.
    pub memory_now_bytes: Option<u64>,
    /// Times the limit was reached. Page cache is given up then; that alone kills nobody.
    pub memory_limit_hits: Option<u64>,
    /// Time for which processes had to wait because the CPU quota was used up, seconds. `None` without a quota.
    pub throttled_seconds: Option<f64>,
}

impl GroupEvidence {
    /// What the groups of one child tell: the first is that of the memory controller.
    ///
    /// # Errors
    ///
    /// The groups are gone, or the kernel does not count kills (cgroup v1 before Linux 4.13).
    pub(super) fn of(groups: &[GroupDirectory]) -> io::Result<Option<Self>> {
        let Some(memory) = groups.first() else { return Ok(None) };
        let throttled_seconds = groups.iter().find_map(throttled_seconds);
        Ok(Some(Self { throttled_seconds, ..of_memory(memory)? }))
    }
}

fn of_memory(group: &GroupDirectory) -> io::Result<GroupEvidence> {
    let [kills_in, peak_in, now_in] = match group.version() {
        CgroupVersion::V1 => ["memory.oom_control", "memory.max_usage_in_bytes", "memory.usage_in_bytes"],
        CgroupVersion::V2 => ["memory.events", "memory.peak", "memory.current"],
    };
    let number = |name| group.read(name).ok()?.trim().parse().ok();
    let events = group.read(kills_in)?;
    let uncounted = || io::Error::other(format!("{} does not count kills", group.path().join(kills_in).display()));
    Ok(GroupEvidence {
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

/// v1 counts nanoseconds, v2 microseconds; neither counts where the controller is not on.
fn throttled_seconds(group: &GroupDirectory) -> Option<f64> {
    let stat = group.read("cpu.stat").ok()?;
    match group.version() {
        CgroupVersion::V1 => field(&stat, "throttled_time").map(|nanoseconds| nanoseconds as f64 / 1e9),
        CgroupVersion::V2 => field(&stat, "throttled_usec").map(|microseconds| microseconds as f64 / 1e6),
    }
}

/// The number behind a name, one such pair a line.
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
    fn v1_tells_all_of_it_in_two_hierarchies() {
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
        let evidence = GroupEvidence::of(&[memory, cpu]).unwrap().unwrap();
        let expected = GroupEvidence {
            oom_kills: 2,
            memory_peak_bytes: Some(67_108_864),
            memory_now_bytes: Some(4096),
            memory_limit_hits: Some(17),
            throttled_seconds: Some(1.5),
        };
        assert_eq!(evidence, expected);
    }

    #[test]
    fn v2_tells_all_of_it_in_one_group() {
        let (_directory, group) = group(
            CgroupVersion::V2,
            &[
                ("memory.events", "low 0\nhigh 0\nmax 17\noom 1\noom_kill 1\noom_group_kill 0\n"),
                ("memory.peak", "67108864\n"),
                ("memory.current", "4096\n"),
                ("cpu.stat", "usage_usec 5\nnr_periods 9\nthrottled_usec 250000\n"),
            ],
        );
        let evidence = GroupEvidence::of(&[group]).unwrap().unwrap();
        let expected = GroupEvidence {
            oom_kills: 1,
            memory_peak_bytes: Some(67_108_864),
            memory_now_bytes: Some(4096),
            memory_limit_hits: Some(17),
            throttled_seconds: Some(0.25),
        };
        assert_eq!(evidence, expected);
    }

    #[test]
    fn what_an_older_kernel_does_not_count_is_not_told() {
        let (_directory, group) = group(
            CgroupVersion::V2,
            &[("memory.events", "max 0\noom_kill 0\n"), ("memory.current", "1\n"), ("cpu.stat", "usage_usec 5\n")],
        );
        let evidence = GroupEvidence::of(&[group]).unwrap().unwrap();
        assert_eq!((evidence.memory_peak_bytes, evidence.throttled_seconds), (None, None));
    }

    #[test]
    fn a_kernel_that_does_not_count_kills_is_refused() {
        let (_directory, group) = group(CgroupVersion::V1, &[("memory.oom_control", "oom_kill_disable 0\n")]);
        let error = GroupEvidence::of(&[group]).unwrap_err().to_string();
        assert!(error.ends_with("memory.oom_control does not count kills"), "{error}");
    }

    #[test]
    fn without_a_group_there_is_none() {
        assert_eq!(GroupEvidence::of(&[]).unwrap(), None);
    }
}
