//! The share of the host that this process may use: cores, RAM and open files.
//!
//! A container that sees 64 GB of host memory but may use 512 MB must be sized by the 512 MB. This module returns the
//! limits of the process and the source of each value. It only reads files of the kernel, and has no dependency on
//! databases, workloads or reports.
//!
//! All files are read below a root directory, so that tests can describe any machine by files.

use std::{
    fmt, fs,
    path::{Component, Path, PathBuf},
};

use ave_actors_store::config::{ResolvedSpec, detect_cpu_cores, detect_total_memory_mb};

const MIB: u64 = 1024 * 1024;

/// RAM in MiB where it is unknown: the default of `ave_actors_store::config::resolve_spec`.
const DEFAULT_RAM_MIB: u64 = 4096;

/// The source of a value about the machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// The whole host: no limit applies.
    HostTotal,
    /// The CPUs on which this process may run (`taskset`, cpusets).
    Affinity,
    /// A limit of cgroup v1, read from this file.
    CgroupV1(PathBuf),
    /// A limit of cgroup v2, read from this file.
    CgroupV2(PathBuf),
    /// A default, because the host reports no value.
    Assumed,
    /// Cannot tell: this process is in a cgroup whose files it does not see, for example in a private cgroup namespace.
    Hidden,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = |f: &mut fmt::Formatter<'_>, version: u8, file: &Path| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            write!(f, "cgroup v{version} {name} at {}", file.display())
        };
        match self {
            Self::HostTotal => f.write_str("host total"),
            Self::Affinity => f.write_str("CPU affinity of the process"),
            Self::CgroupV1(file) => limit(f, 1, file),
            Self::CgroupV2(file) => limit(f, 2, file),
            Self::Assumed => f.write_str("default, the host reports no value"),
            Self::Hidden => f.write_str("cannot tell, the limits of its cgroup are hidden"),
        }
    }
}

/// CPU time that this process may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpuShare {
    /// Whole cores, rounded down, at least 1: 2 for a quota of 2.5 cores.
    pub cores: usize,
    /// The same in thousandths of a core, exact: 2500 for a quota of 2.5 cores.
    pub millicores: u64,
    /// The source of the smallest limit.
    pub source: Source,
}

/// RAM that this process may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RamShare {
    /// Size in bytes.
    pub bytes: u64,
    /// The source of the smallest limit.
    pub source: Source,
}

/// This process's share of the host.
///
/// ```
/// let share = ave_actors_rocksdb::machine::process_share();
/// assert!(share.cpu.cores >= 1);
/// println!("{} cores ({}), {} MiB ({})", share.cpu.cores, share.cpu.source, share.ram_mib(), share.ram.source);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessShare {
    /// CPU: the smaller of the affinity mask and the cgroup quotas.
    pub cpu: CpuShare,
    /// RAM: the smallest of the host's total and the cgroup limits. At most 4 GiB if the limits are hidden.
    pub ram: RamShare,
    /// Soft limit on open files of this process. `None`: unlimited or unknown.
    pub open_files: Option<u64>,
}

impl ProcessShare {
    /// RAM in MiB, rounded down.
    pub fn ram_mib(&self) -> u64 {
        self.ram.bytes / MIB
    }

    /// The share as the type that `ave-actors-store` passes to its backends.
    pub fn resolved(&self) -> ResolvedSpec {
        ResolvedSpec { ram_mb: self.ram_mib(), cpu_cores: self.cpu.cores }
    }
}

/// The share of the host that this process may use.
///
/// On systems other than Linux, the values are those that `ave_actors_store::config` detects.
pub fn process_share() -> ProcessShare {
    let root = Path::new("/");
    ProcessShare {
        cpu: cpu_under(root).unwrap_or_else(|| whole_cores(detect_cpu_cores(), Source::HostTotal)),
        ram: ram_under(root).unwrap_or_else(|| match detect_total_memory_mb() {
            Some(mib) => RamShare { bytes: mib * MIB, source: Source::HostTotal },
            None => RamShare { bytes: DEFAULT_RAM_MIB * MIB, source: Source::Assumed },
        }),
        open_files: open_files_under(root),
    }
}

fn whole_cores(cores: usize, source: Source) -> CpuShare {
    CpuShare { cores, millicores: cores as u64 * 1000, source }
}

/// RAM that this process may use, by the kernel files under `root`: the smallest of the total in `proc/meminfo` and the
/// memory limits of its cgroup and all parent cgroups. `None` if no file can be read.
fn ram_under(root: &Path) -> Option<RamShare> {
    // `MemTotal:  24684756 kB`.
    let total = labelled(root, "proc/meminfo", "MemTotal:")
        .and_then(|rest| first_number(&rest)?.checked_mul(1024))
        .map(|bytes| RamShare { bytes, source: Source::HostTotal });
    let groups = groups(root, "self", "memory");
    let limits =
        groups.iter().flat_map(|(group, mount)| mount.dirs_up_from(group)).flat_map(|dir| dir.ram_limits(root));
    let share = total.into_iter().chain(limits).min_by_key(|share| share.bytes)?;
    if is_hidden(root, &groups) && share.source == Source::HostTotal {
        return Some(RamShare { bytes: share.bytes.min(DEFAULT_RAM_MIB * MIB), source: Source::Hidden });
    }
    Some(share)
}

/// Whether this process does not see the files of its group.
fn is_hidden(root: &Path, groups: &[(PathBuf, CgroupMount)]) -> bool {
    // Of two hierarchies, only v1, which comes first, has the controller.
    groups.first().is_some_and(|(group, mount)| match mount.relative(group) {
        Some(relative) => !under(root, &mount.point.join(relative)).is_dir(),
        None => true,
    })
}

/// CPU time that this process may use, by the kernel files under `root` (`/` for this machine): the smallest of its
/// affinity mask, without offline CPUs, and the CPU quotas of its cgroup and all parent cgroups.
///
/// `None` if no file can be read.
pub fn cpu_under(root: &Path) -> Option<CpuShare> {
    let groups = groups(root, "self", "cpu");
    let quotas =
        groups.iter().flat_map(|(group, mount)| mount.dirs_up_from(group)).filter_map(|dir| dir.cpu_quota(root));
    let share = schedulable_cpus(root).into_iter().chain(quotas).min_by_key(|share| share.millicores)?;
    // There is no smaller number to assume: a quota slows a process down, but does not kill it.
    let is_unknown = share.source == Source::HostTotal && is_hidden(root, &groups);
    Some(CpuShare { source: if is_unknown { Source::Hidden } else { share.source }, ..share })
}

/// The soft limit on open files, the first number of its line. `None` if it is unlimited or cannot be read.
fn open_files_under(root: &Path) -> Option<u64> {
    first_number(&labelled(root, "proc/self/limits", "Max open files")?)
}

/// The online CPUs in the affinity mask. The mask can also contain CPUs that are offline.
fn schedulable_cpus(root: &Path) -> Option<CpuShare> {
    let online = read(root, "sys/devices/system/cpu/online").and_then(|text| parse_cpu_list(&text));
    let allowed = labelled(root, "proc/self/status", "Cpus_allowed_list:").and_then(|list| parse_cpu_list(&list));
    let (cores, source) = match (online, allowed) {
        (Some(online), Some(allowed)) => {
            let both = overlap(&online, &allowed);
            (both, if both < count(&online) { Source::Affinity } else { Source::HostTotal })
        }
        (Some(online), None) => (count(&online), Source::HostTotal),
        (None, Some(allowed)) => (count(&allowed), Source::Affinity),
        (None, None) => return None,
    };
    (cores > 0).then(|| whole_cores(cores, source))
}

/// A range of CPU numbers, both ends included.
type CpuRange = (usize, usize);

fn count(ranges: &[CpuRange]) -> usize {
    ranges.iter().map(|(first, last)| last - first + 1).sum()
}

fn overlap(a: &[CpuRange], b: &[CpuRange]) -> usize {
    let pairs = a.iter().flat_map(|x| b.iter().map(move |y| (x.0.max(y.0), x.1.min(y.1))));
    pairs.filter(|(first, last)| first <= last).map(|(first, last)| last - first + 1).sum()
}

/// Version of the cgroup interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[doc(hidden)]
pub enum CgroupVersion {
    V1,
    V2,
}

/// One cgroup directory that limits a process. The path is absolute on the machine, without the root directory.
#[derive(Debug, Clone, PartialEq, Eq)]
#[doc(hidden)]
pub struct CgroupDir {
    pub version: CgroupVersion,
    pub path: PathBuf,
}

impl CgroupDir {
    fn ram_limits(&self, root: &Path) -> Vec<RamShare> {
        let names: &[&str] = match self.version {
            CgroupVersion::V1 => &["memory.limit_in_bytes"],
            // Above `memory.high` the kernel slows the process down until it has reclaimed the memory.
            CgroupVersion::V2 => &["memory.max", "memory.high"],
        };
        // "max" does not parse: no limit.
        let limit = |name: &&str| {
            let bytes = self.read(root, name)?.trim().parse().ok()?;
            Some(RamShare { bytes, source: self.source(name) })
        };
        names.iter().filter_map(limit).collect()
    }

    fn cpu_quota(&self, root: &Path) -> Option<CpuShare> {
        let (name, text) = match self.version {
            CgroupVersion::V1 => {
                let quota = self.read(root, "cpu.cfs_quota_us")?;
                let period = self.read(root, "cpu.cfs_period_us")?;
                ("cpu.cfs_quota_us", format!("{} {}", quota.trim(), period.trim()))
            }
            CgroupVersion::V2 => ("cpu.max", self.read(root, "cpu.max")?),
        };
        let millicores = parse_cpu_quota(&text)?;
        let cores = usize::try_from(millicores / 1000).unwrap_or(usize::MAX).max(1);
        Some(CpuShare { cores, millicores, source: self.source(name) })
    }

    fn read(&self, root: &Path, name: &str) -> Option<String> {
        fs::read_to_string(under(root, &self.path.join(name))).ok()
    }

    fn source(&self, name: &str) -> Source {
        let file = self.path.join(name);
        match self.version {
            CgroupVersion::V1 => Source::CgroupV1(file),
            CgroupVersion::V2 => Source::CgroupV2(file),
        }
    }
}

/// Every cgroup directory that limits `controller` for a process (its id, or `self`): its own first, then its parents
/// up to the mount point. v1 directories come before v2: a host can use v1 for one controller and v2 for another.
#[doc(hidden)]
pub fn cgroup_dirs(root: &Path, process: &str, controller: &str) -> Vec<CgroupDir> {
    groups(root, process, controller).iter().flat_map(|(group, mount)| mount.dirs_up_from(group)).collect()
}

/// The groups of a process for a controller, v1 before v2, each with the mount of its hierarchy.
fn groups(root: &Path, process: &str, controller: &str) -> Vec<(PathBuf, CgroupMount)> {
    let membership = read(root, &format!("proc/{process}/cgroup")).unwrap_or_default();
    let mounts = read(root, "proc/self/mountinfo").map(|text| parse_cgroup_mounts(&text)).unwrap_or_default();
    let of_version = |version| {
        let group = group_of(&membership, version, controller)?;
        let mount = mounts.iter().find(|mount| mount.has_controller(version, controller)).cloned();
        Some((group, mount.unwrap_or_else(|| CgroupMount::default_mount(root, version, controller))))
    };
    [CgroupVersion::V1, CgroupVersion::V2].into_iter().filter_map(of_version).collect()
}

/// The group of a controller in `proc/self/cgroup`, which has lines of `hierarchy:controllers:path`. The v2 line is
/// `0::/path`.
fn group_of(membership: &str, version: CgroupVersion, controller: &str) -> Option<PathBuf> {
    membership.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (hierarchy, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let matches = match version {
            CgroupVersion::V1 => controllers.split(',').any(|name| name == controller),
            CgroupVersion::V2 => hierarchy == "0" && controllers.is_empty(),
        };
        matches.then(|| PathBuf::from(path))
    })
}

/// A mounted cgroup hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
struct CgroupMount {
    version: CgroupVersion,
    /// v1 only: the controllers of this hierarchy, from the mount options.
    controllers: Vec<String>,
    /// The group at the mount point. Not `/` in a container without a cgroup namespace.
    group: PathBuf,
    point: PathBuf,
}

impl CgroupMount {
    /// The usual mount point, for hosts without a readable mount table.
    fn default_mount(root: &Path, version: CgroupVersion, controller: &str) -> Self {
        let base = Path::new("/sys/fs/cgroup");
        let unified = base.join("unified");
        let point = match version {
            CgroupVersion::V1 => base.join(controller),
            CgroupVersion::V2 if under(root, &unified).is_dir() => unified,
            CgroupVersion::V2 => base.to_path_buf(),
        };
        Self { version, controllers: vec![controller.to_owned()], group: PathBuf::from("/"), point }
    }

    fn has_controller(&self, version: CgroupVersion, controller: &str) -> bool {
        self.version == version
            && (version == CgroupVersion::V2 || self.controllers.iter().any(|name| name == controller))
    }

    /// The directory of `group` and its parents up to the mount point. Only the mount point if the group lies outside
    /// the mount.
    fn dirs_up_from(&self, group: &Path) -> Vec<CgroupDir> {
        let relative = self.relative(group).unwrap_or(Path::new(""));
        relative.ancestors().map(|path| CgroupDir { version: self.version, path: self.point.join(path) }).collect()
    }

    /// The path of `group` below the mount point. `None` if it is hidden: in a cgroup namespace, the kernel shows a path
    /// above the root of the namespace as `/..`, without the names of the directories below.
    fn relative<'a>(&self, group: &'a Path) -> Option<&'a Path> {
        let is_outside = |path: &Path| path.components().any(|part| part == Component::ParentDir);
        let relative = match group.strip_prefix(&self.group) {
            Err(_) if is_outside(&self.group) => return None,
            Err(_) => group.strip_prefix("/").unwrap_or(group),
            Ok(relative) => relative,
        };
        Some(relative).filter(|relative| !is_outside(relative))
    }
}

/// The cgroup mounts in a `mountinfo` table: `id parent major:minor root point options [tags] - type source options`.
fn parse_cgroup_mounts(mountinfo: &str) -> Vec<CgroupMount> {
    let parse = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let mut left = left.split(' ').skip(3);
        let (group, point) = (left.next()?, left.next()?);
        let mut right = right.split(' ');
        let version = match right.next()? {
            "cgroup" => CgroupVersion::V1,
            "cgroup2" => CgroupVersion::V2,
            _ => return None,
        };
        let controllers = right.nth(1).unwrap_or("").split(',').map(str::to_owned).collect();
        Some(CgroupMount { version, controllers, group: unescape(group), point: unescape(point) })
    };
    mountinfo.lines().filter_map(parse).collect()
}

/// Mount tables escape a space in a path as `\040`.
fn unescape(path: &str) -> PathBuf {
    PathBuf::from(path.replace("\\040", " "))
}

/// The rest of the line that begins with `label`.
fn labelled(root: &Path, file: &str, label: &str) -> Option<String> {
    read(root, file)?.lines().find_map(|line| line.strip_prefix(label)).map(str::to_owned)
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// `0-3,8` as ranges. `None` if the list is invalid or empty.
fn parse_cpu_list(text: &str) -> Option<Vec<CpuRange>> {
    let parse = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last).then_some((first, last))
    };
    text.trim().split(',').map(parse).collect()
}

/// `150000 100000`, quota and period in microseconds, as 1500 thousandths of a core. `None` for `max` and `-1`.
fn parse_cpu_quota(text: &str) -> Option<u64> {
    let (quota, period) = text.trim().split_once(' ')?;
    let (quota, period): (u64, u64) = (quota.parse().ok()?, period.parse().ok()?);
    quota.checked_mul(1000)?.checked_div(period).filter(|millicores| *millicores > 0)
}

fn read(root: &Path, name: &str) -> Option<String> {
    fs::read_to_string(root.join(name)).ok()
}

/// An absolute path of the machine, below `root`.
#[doc(hidden)]
pub fn under(root: &Path, absolute: &Path) -> PathBuf {
    root.join(absolute.strip_prefix("/").unwrap_or(absolute))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    const GIB: u64 = 1024 * MIB;

    fn machine(files: &[(&str, &str)]) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    #[test]
    fn without_limits_the_share_is_the_host_total() {
        let host = machine(&[
            ("proc/meminfo", "MemTotal:       8388608 kB\nMemFree: 1 kB\n"),
            ("proc/self/cgroup", "0::/user.slice\n"),
            ("sys/fs/cgroup/user.slice/memory.max", "max\n"),
            ("sys/fs/cgroup/user.slice/cpu.max", "max 100000\n"),
            ("sys/devices/system/cpu/online", "0-7\n"),
            ("proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-7\n"),
        ]);
        assert_eq!(ram_under(host.path()), Some(RamShare { bytes: 8 * GIB, source: Source::HostTotal }));
        let cpu = CpuShare { cores: 8, millicores: 8000, source: Source::HostTotal };
        assert_eq!(cpu_under(host.path()), Some(cpu));
    }

    #[test]
    fn the_smallest_limit_of_all_parent_cgroups_applies() {
        let host = machine(&[
            ("proc/meminfo", "MemTotal: 8388608 kB\n"),
            ("proc/self/cgroup", "0::/a/b/c\n"),
            ("sys/fs/cgroup/a/memory.max", "1073741824\n"),
            ("sys/fs/cgroup/a/b/memory.max", "536870912\n"),
            ("sys/fs/cgroup/a/b/c/memory.max", "max\n"),
            ("sys/fs/cgroup/a/cpu.max", "250000 100000\n"),
            ("sys/fs/cgroup/a/b/c/cpu.max", "400000 100000\n"),
        ]);
        let ram = ram_under(host.path()).unwrap();
        assert_eq!(ram.bytes, 512 * MIB);
        assert_eq!(ram.source, Source::CgroupV2("/sys/fs/cgroup/a/b/memory.max".into()));
        let cpu = cpu_under(host.path()).unwrap();
        assert_eq!((cpu.cores, cpu.millicores), (2, 2500));
        assert_eq!(cpu.source.to_string(), "cgroup v2 cpu.max at /sys/fs/cgroup/a/cpu.max");
    }

    #[test]
    fn cgroup_v1_is_found_through_the_mount_table() {
        let host = machine(&[
            ("proc/meminfo", "MemTotal: 8388608 kB\n"),
            ("proc/self/cgroup", "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n"),
            (
                "proc/self/mountinfo",
                "35 31 0:31 /docker/abc /cg/mem\\040ory rw,relatime shared:7 - cgroup cgroup rw,memory\n\
                 36 31 0:32 /docker/abc /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct\n\
                 37 31 0:33 / /proc rw - proc proc rw\n",
            ),
            ("cg/mem ory/memory.limit_in_bytes", "268435456\n"),
            ("cg/cpu/cpu.cfs_quota_us", "50000\n"),
            ("cg/cpu/cpu.cfs_period_us", "100000\n"),
            ("sys/devices/system/cpu/online", "0-3"),
        ]);
        let ram = ram_under(host.path()).unwrap();
        assert_eq!(ram.bytes, 256 * MIB);
        assert_eq!(ram.source, Source::CgroupV1("/cg/mem ory/memory.limit_in_bytes".into()));
        let cpu = cpu_under(host.path()).unwrap();
        assert_eq!((cpu.cores, cpu.millicores), (1, 500), "half a core counts as one");
    }

    #[test]
    fn cgroup_v1_is_found_where_distributions_mount_it() {
        let host = machine(&[
            ("proc/meminfo", "MemTotal: 8388608 kB\n"),
            ("proc/self/cgroup", "4:memory:/slice\n1:cpu:/slice\n"),
            ("sys/fs/cgroup/memory/slice/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n"),
            ("sys/fs/cgroup/cpu/slice/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu/slice/cpu.cfs_period_us", "100000\n"),
        ]);
        assert_eq!(ram_under(host.path()).unwrap().bytes, GIB, "the largest v1 limit means unlimited");
        assert_eq!(cpu_under(host.path()), None, "a quota of -1 is no quota");
    }

    #[test]
    fn a_group_outside_the_namespace_uses_the_mount_point() {
        let host = machine(&[
            ("proc/meminfo", "MemTotal: 8388608 kB\n"),
            ("proc/self/cgroup", "0::/../../elsewhere\n"),
            ("sys/fs/cgroup/memory.max", "1073741824\n"),
        ]);
        assert_eq!(ram_under(host.path()).unwrap().bytes, GIB);
    }

    #[test]
    fn the_host_total_does_not_apply_where_a_namespace_hides_the_group() {
        // As `unshare --cgroup` leaves them: the mounts of before, and a group that is the root of the namespace.
        let with = |version: &str, membership: &str, kib: u64| {
            machine(&[
                ("proc/meminfo", &format!("MemTotal: {kib} kB\n")),
                ("proc/self/cgroup", membership),
                ("proc/self/mountinfo", &format!("35 31 0:32 /../.. /cg rw - {version} cgroup rw,memory\n")),
                ("cg/memory.limit_in_bytes", "9223372036854771712\n"),
            ])
        };
        for (version, membership) in [("cgroup", "4:memory:/\n0::/\n"), ("cgroup2", "0::/\n")] {
            for (kib, bytes) in [(8 * 1024 * 1024, 4 * GIB), (2 * 1024 * 1024, 2 * GIB)] {
                let host = with(version, membership, kib);
                assert_eq!(ram_under(host.path()), Some(RamShare { bytes, source: Source::Hidden }), "{version}");
            }
        }
        // Another group, whose path from the mount point is known.
        let host = with("cgroup2", "0::/../../elsewhere\n", 8 * 1024 * 1024);
        fs::create_dir(host.path().join("cg/elsewhere")).unwrap();
        assert_eq!(ram_under(host.path()), Some(RamShare { bytes: 8 * GIB, source: Source::HostTotal }));
    }

    #[test]
    fn limits_are_hidden_where_the_files_of_the_group_cannot_be_read() {
        // A private namespace without its cgroup file system, and one for the CPU with that of the host.
        let host = machine(&[
            ("proc/meminfo", "MemTotal: 8388608 kB\n"),
            ("proc/self/cgroup", "0::/\n"),
            ("sys/devices/system/cpu/online", "0-7\n"),
        ]);
        let hidden = Source::Hidden;
        assert_eq!(ram_under(host.path()), Some(RamShare { bytes: 4 * GIB, source: hidden.clone() }));
        let cpu = CpuShare { cores: 8, millicores: 8000, source: hidden };
        assert_eq!(cpu_under(host.path()), Some(cpu.clone()), "the cores of the host, but not as its share");
        assert_eq!(cpu.source.to_string(), "cannot tell, the limits of its cgroup are hidden");

        // A limit that is visible counts all the same.
        let host = machine(&[
            ("proc/meminfo", "MemTotal: 8388608 kB\n"),
            ("proc/self/cgroup", "0::/\n"),
            ("proc/self/mountinfo", "35 31 0:32 /../.. /cg rw - cgroup2 cgroup rw\n"),
            ("cg/memory.max", "1073741824\n"),
        ]);
        assert_eq!(ram_under(host.path()).unwrap().source, Source::CgroupV2("/cg/memory.max".into()));
    }

    #[test]
    fn the_throttling_limit_of_cgroup_v2_applies_unless_it_is_above_the_host_total() {
        let throttled = Source::CgroupV2("/sys/fs/cgroup/a/memory.high".into());
        for (total, source) in [("MemTotal: 8388608 kB\n", throttled), ("MemTotal: 1048576 kB\n", Source::HostTotal)] {
            let host = machine(&[
                ("proc/meminfo", total),
                ("proc/self/cgroup", "0::/a\n"),
                ("sys/fs/cgroup/a/memory.max", "2147483648\n"),
                ("sys/fs/cgroup/a/memory.high", "1073741824\n"),
            ]);
            assert_eq!(ram_under(host.path()), Some(RamShare { bytes: GIB, source }));
        }
    }

    #[test]
    fn affinity_counts_only_cpus_that_are_online() {
        let host =
            machine(&[("sys/devices/system/cpu/online", "0-3\n"), ("proc/self/status", "Cpus_allowed_list:\t2-127\n")]);
        let share = CpuShare { cores: 2, millicores: 2000, source: Source::Affinity };
        assert_eq!(cpu_under(host.path()), Some(share));
    }

    #[test]
    fn missing_and_invalid_kernel_files_give_no_share() {
        let invalid = machine(&[
            ("proc/meminfo", "MemTotal: lots\n"),
            ("proc/self/cgroup", "nonsense\n0::/\n"),
            ("proc/self/mountinfo", "1 2 3\n - cgroup2\n"),
            ("proc/self/limits", "Max open files unlimited unlimited files\n"),
            ("sys/fs/cgroup/cpu.max", "100000 0\n"),
            ("sys/devices/system/cpu/online", "3-1,x\n"),
        ]);
        for host in [machine(&[]), invalid] {
            assert_eq!(ram_under(host.path()), None);
            assert_eq!(cpu_under(host.path()), None);
            assert_eq!(open_files_under(host.path()), None);
        }
    }

    #[test]
    fn open_files_is_the_soft_limit() {
        let host = machine(&[(
            "proc/self/limits",
            "Limit                     Soft Limit           Hard Limit           Units\n\
             Max open files            1024                 4096                 files\n",
        )]);
        assert_eq!(open_files_under(host.path()), Some(1024));
    }

    #[test]
    fn cpu_lists_are_counted_and_intersected() {
        assert_eq!(parse_cpu_list("0-3,8,10-11\n").map(|list| count(&list)), Some(7));
        assert_eq!(parse_cpu_list(""), None);
        assert_eq!(overlap(&[(0, 3), (8, 11)], &[(2, 9)]), 4);
    }

    #[test]
    fn the_share_of_this_process_is_within_the_detected_cores() {
        let share = process_share();
        assert!(share.cpu.cores >= 1);
        assert!(share.cpu.cores <= detect_cpu_cores(), "{share:?}");
        assert!(share.ram.bytes > 0);
        assert_eq!(share.resolved().ram_mb, share.ram_mib());
    }
}
