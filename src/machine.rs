//! The share of the host that this process may use: cores, RAM and open files.
//!
//! A container that sees 64 GB of host memory but may use 512 MB must be sized by the 512 MB. This module answers with
//! what the process may really use, and says where each number comes from. It reads the kernel's files and nothing
//! else: it knows nothing of databases, workloads or reports.
//!
//! Everything is parsed from files under a root directory, so that a test can lay out any machine it likes:
//!
//! ```
//! let dir = tempfile::tempdir()?;
//! std::fs::create_dir_all(dir.path().join("proc/self"))?;
//! std::fs::create_dir_all(dir.path().join("sys/fs/cgroup"))?;
//! std::fs::write(dir.path().join("proc/meminfo"), "MemTotal:  8388608 kB\n")?;
//! std::fs::write(dir.path().join("proc/self/cgroup"), "0::/\n")?;
//! std::fs::write(dir.path().join("sys/fs/cgroup/memory.max"), "536870912\n")?;
//!
//! let ram = ave_actors_rocksdb::machine::ram_under(dir.path()).expect("a machine with memory");
//! assert_eq!(ram.bytes, 512 * 1024 * 1024);
//! assert_eq!(ram.source.to_string(), "cgroup v2 memory.max at /sys/fs/cgroup/memory.max");
//! # Ok::<(), std::io::Error>(())
//! ```

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use ave_actors_store::config::{ResolvedSpec, detect_cpu_cores, detect_total_memory_mb};

const MIB: u64 = 1024 * 1024;

/// RAM assumed, in MiB, where the host does not tell: the same guess as `ave_actors_store::config::resolve_spec` makes.
const ASSUMED_RAM_MIB: u64 = 4096;

/// Where a number about the machine comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// The whole host, nothing narrows it.
    HostTotal,
    /// The CPUs this process may be scheduled on (`taskset`, cpusets).
    Affinity,
    /// A limit of cgroup v1, read from this file.
    CgroupV1(PathBuf),
    /// A limit of cgroup v2, read from this file.
    CgroupV2(PathBuf),
    /// Nobody said: a default.
    Assumed,
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
            Self::Assumed => f.write_str("assumed, the host does not say"),
        }
    }
}

/// CPU time this process may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpuShare {
    /// Whole cores, at least 1. A quota of 2.5 cores counts as 2.
    pub cores: usize,
    /// The exact share in thousandths of a core: 2500 for a quota of 2.5 cores.
    pub millicores: u64,
    /// What bounds it.
    pub source: Source,
}

/// RAM this process may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RamShare {
    /// Bytes.
    pub bytes: u64,
    /// What bounds it.
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
    /// RAM: the smallest of the host's total and the cgroup limits.
    pub ram: RamShare,
    /// How many files this process may hold open (the soft limit). `None`: unlimited or unknown.
    pub open_files: Option<u64>,
}

impl ProcessShare {
    /// RAM in MiB, rounded down.
    pub fn ram_mib(&self) -> u64 {
        self.ram.bytes / MIB
    }

    /// The share in the form in which `ave-actors-store` hands machines to its backends.
    pub fn resolved(&self) -> ResolvedSpec {
        ResolvedSpec { ram_mb: self.ram_mib(), cpu_cores: self.cpu.cores }
    }
}

/// What this process may use of the host it runs on.
///
/// Where the kernel does not publish it (anything but Linux), the answer is what `ave_actors_store::config` detects.
pub fn process_share() -> ProcessShare {
    let root = Path::new("/");
    ProcessShare {
        cpu: cpu_under(root).unwrap_or_else(fallback_cpu),
        ram: ram_under(root).unwrap_or_else(fallback_ram),
        open_files: open_files_under(root),
    }
}

fn fallback_cpu() -> CpuShare {
    let cores = detect_cpu_cores();
    CpuShare { cores, millicores: cores as u64 * 1000, source: Source::HostTotal }
}

fn fallback_ram() -> RamShare {
    match detect_total_memory_mb() {
        Some(mib) => RamShare { bytes: mib * MIB, source: Source::HostTotal },
        None => RamShare { bytes: ASSUMED_RAM_MIB * MIB, source: Source::Assumed },
    }
}

/// RAM that a process may use on the machine whose kernel files lie under `root` (`/` for this one): the smallest of
/// the total in `proc/meminfo` and the memory limits of its cgroup and all cgroups above.
///
/// `None` where `proc/meminfo` cannot be read and no limit is set.
pub fn ram_under(root: &Path) -> Option<RamShare> {
    let total = read(root, "proc/meminfo")
        .and_then(|text| parse_mem_total(&text))
        .map(|bytes| RamShare { bytes, source: Source::HostTotal });
    let limits = cgroup_dirs(root, "self", "memory").into_iter().filter_map(|dir| dir.ram_limit(root));
    total.into_iter().chain(limits).min_by_key(|share| share.bytes)
}

/// CPU that a process may use on the machine whose kernel files lie under `root` (`/` for this one): the smaller of
/// its affinity mask, as far as those CPUs are online, and the CPU quotas of its cgroup and all cgroups above.
///
/// `None` where neither the mask nor the online CPUs can be read and no quota is set.
pub fn cpu_under(root: &Path) -> Option<CpuShare> {
    let quotas = cgroup_dirs(root, "self", "cpu").into_iter().filter_map(|dir| dir.cpu_quota(root));
    schedulable_cpus(root).into_iter().chain(quotas).min_by_key(|share| share.millicores)
}

/// The soft limit on open files in `proc/self/limits` under `root`. `None` where it is unlimited or unreadable.
pub fn open_files_under(root: &Path) -> Option<u64> {
    read(root, "proc/self/limits").and_then(|text| parse_open_files(&text))
}

/// The CPUs in the affinity mask that are online. The mask alone is not enough: it may name CPUs that could be
/// plugged in.
fn schedulable_cpus(root: &Path) -> Option<CpuShare> {
    let online = read(root, "sys/devices/system/cpu/online").and_then(|text| parse_cpu_list(&text));
    let allowed = read(root, "proc/self/status").and_then(|text| parse_allowed_cpus(&text));
    let (cores, source) = match (online, allowed) {
        (Some(online), Some(allowed)) => {
            let both = overlap(&online, &allowed);
            (both, if both < count(&online) { Source::Affinity } else { Source::HostTotal })
        }
        (Some(online), None) => (count(&online), Source::HostTotal),
        (None, Some(allowed)) => (count(&allowed), Source::Affinity),
        (None, None) => return None,
    };
    (cores > 0).then(|| CpuShare { cores, millicores: cores as u64 * 1000, source })
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

/// Which of the two cgroup interfaces a directory speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[doc(hidden)]
pub enum CgroupVersion {
    V1,
    V2,
}

/// One cgroup directory that bounds a process, as an absolute path below the root.
#[derive(Debug, Clone, PartialEq, Eq)]
#[doc(hidden)]
pub struct CgroupDir {
    pub version: CgroupVersion,
    pub path: PathBuf,
}

impl CgroupDir {
    fn ram_limit(&self, root: &Path) -> Option<RamShare> {
        let name = match self.version {
            CgroupVersion::V1 => "memory.limit_in_bytes",
            CgroupVersion::V2 => "memory.max",
        };
        // "max", like any other text, is no number and so no limit.
        let bytes = self.read(root, name)?.trim().parse().ok()?;
        Some(RamShare { bytes, source: self.source(name) })
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

/// Every cgroup directory that bounds `controller` for a process (its id, or `self`): its own first, then all above up
/// to the mount point, in both interfaces (a host can run v1 for one controller and v2 for another). v1 comes first.
#[doc(hidden)]
pub fn cgroup_dirs(root: &Path, process: &str, controller: &str) -> Vec<CgroupDir> {
    let membership = read(root, &format!("proc/{process}/cgroup")).unwrap_or_default();
    let mounts = read(root, "proc/self/mountinfo").map(|text| parse_cgroup_mounts(&text)).unwrap_or_default();
    let mut dirs = Vec::new();
    for version in [CgroupVersion::V1, CgroupVersion::V2] {
        let Some(group) = group_of(&membership, version, controller) else { continue };
        let mount = mounts
            .iter()
            .find(|mount| mount.serves(version, controller))
            .cloned()
            .unwrap_or_else(|| CgroupMount::customary(root, version, controller));
        dirs.extend(mount.dirs_up_from(&group).into_iter().map(|path| CgroupDir { version, path }));
    }
    dirs
}

/// The group that `proc/self/cgroup` names for a controller: lines of `hierarchy:controllers:path`, where v2 is the
/// line with neither number nor controllers (`0::/path`).
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
    /// v1 only: the controllers of this hierarchy, as the mount options name them.
    controllers: Vec<String>,
    /// The group that the mount point shows. Not `/` in a container without a cgroup namespace.
    group: PathBuf,
    point: PathBuf,
}

impl CgroupMount {
    /// Where distributions mount it, for hosts that hide their mount table.
    fn customary(root: &Path, version: CgroupVersion, controller: &str) -> Self {
        let base = Path::new("/sys/fs/cgroup");
        let unified = base.join("unified");
        let point = match version {
            CgroupVersion::V1 => base.join(controller),
            CgroupVersion::V2 if under(root, &unified).is_dir() => unified,
            CgroupVersion::V2 => base.to_path_buf(),
        };
        Self { version, controllers: vec![controller.to_owned()], group: PathBuf::from("/"), point }
    }

    fn serves(&self, version: CgroupVersion, controller: &str) -> bool {
        self.version == version
            && (version == CgroupVersion::V2 || self.controllers.iter().any(|name| name == controller))
    }

    /// The directory of `group` and every directory above it, up to the mount point. A group outside what the mount
    /// shows leaves the mount point alone.
    fn dirs_up_from(&self, group: &Path) -> Vec<PathBuf> {
        let relative = group
            .strip_prefix(&self.group)
            .or_else(|_| group.strip_prefix("/"))
            .ok()
            .filter(|path| !path.components().any(|part| part.as_os_str() == ".."))
            .unwrap_or(Path::new(""));
        relative.ancestors().map(|ancestor| self.point.join(ancestor)).collect()
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

/// Paths in a mount table write a space as `\040`.
fn unescape(path: &str) -> PathBuf {
    PathBuf::from(path.replace("\\040", " "))
}

/// `MemTotal:  24684756 kB` in bytes.
fn parse_mem_total(meminfo: &str) -> Option<u64> {
    let rest = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    rest.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// `Cpus_allowed_list: 0-3,8` of a process status.
fn parse_allowed_cpus(status: &str) -> Option<Vec<CpuRange>> {
    parse_cpu_list(status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?)
}

/// `0-3,8` as ranges. `None` where it is no such list, or an empty one.
fn parse_cpu_list(text: &str) -> Option<Vec<CpuRange>> {
    let parse = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last).then_some((first, last))
    };
    text.trim().split(',').map(parse).collect()
}

/// `150000 100000` (quota and period in microseconds) as 1500 thousandths of a core. `None` for `max` and `-1`.
fn parse_cpu_quota(text: &str) -> Option<u64> {
    let mut fields = text.split_whitespace();
    let quota: u64 = fields.next()?.parse().ok()?;
    let period: u64 = fields.next()?.parse().ok()?;
    quota.checked_mul(1000)?.checked_div(period).filter(|millicores| *millicores > 0)
}

/// `Max open files            1024                 4096                 files`: the soft limit is the first number.
fn parse_open_files(limits: &str) -> Option<u64> {
    let rest = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    rest.split_whitespace().next()?.parse().ok()
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

    /// A machine made of files.
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
    fn a_host_without_limits_gives_its_total() {
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
    fn the_tightest_cgroup_on_the_way_up_binds() {
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
        assert_eq!((cpu.cores, cpu.millicores), (1, 500), "half a core still counts as one");
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
        assert_eq!(ram_under(host.path()).unwrap().bytes, GIB, "the v1 way of saying unlimited is no limit");
        assert_eq!(cpu_under(host.path()), None, "a quota of -1 is no quota");
    }

    #[test]
    fn a_group_outside_the_namespace_leaves_the_mount_point() {
        let host = machine(&[
            ("proc/meminfo", "MemTotal: 8388608 kB\n"),
            ("proc/self/cgroup", "0::/../../elsewhere\n"),
            ("sys/fs/cgroup/memory.max", "1073741824\n"),
        ]);
        assert_eq!(ram_under(host.path()).unwrap().bytes, GIB);
    }

    #[test]
    fn a_limit_above_the_host_does_not_bind() {
        let host = machine(&[
            ("proc/meminfo", "MemTotal: 1048576 kB\n"),
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/memory.max", "8589934592\n"),
        ]);
        assert_eq!(ram_under(host.path()), Some(RamShare { bytes: GIB, source: Source::HostTotal }));
    }

    #[test]
    fn affinity_counts_only_cpus_that_are_online() {
        let host =
            machine(&[("sys/devices/system/cpu/online", "0-3\n"), ("proc/self/status", "Cpus_allowed_list:\t2-127\n")]);
        let share = CpuShare { cores: 2, millicores: 2000, source: Source::Affinity };
        assert_eq!(cpu_under(host.path()), Some(share));
    }

    #[test]
    fn a_machine_that_says_nothing_is_unknown() {
        let host = machine(&[]);
        assert_eq!(ram_under(host.path()), None);
        assert_eq!(cpu_under(host.path()), None);
        assert_eq!(open_files_under(host.path()), None);
    }

    #[test]
    fn garbage_is_ignored() {
        let host = machine(&[
            ("proc/meminfo", "MemTotal: lots\n"),
            ("proc/self/cgroup", "nonsense\n0::/\n"),
            ("proc/self/mountinfo", "1 2 3\n - cgroup2\n"),
            ("proc/self/limits", "Max open files unlimited unlimited files\n"),
            ("sys/fs/cgroup/cpu.max", "100000 0\n"),
            ("sys/devices/system/cpu/online", "3-1,x\n"),
        ]);
        assert_eq!(ram_under(host.path()), None);
        assert_eq!(cpu_under(host.path()), None);
        assert_eq!(open_files_under(host.path()), None);
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
    fn cpu_lists_add_up() {
        assert_eq!(parse_cpu_list("0-3,8,10-11\n").map(|list| count(&list)), Some(7));
        assert_eq!(parse_cpu_list(""), None);
        assert_eq!(overlap(&[(0, 3), (8, 11)], &[(2, 9)]), 4);
    }

    #[test]
    fn this_machine_has_a_share_no_larger_than_the_standard_library_sees() {
        let share = process_share();
        assert!(share.cpu.cores >= 1);
        assert!(share.cpu.cores <= detect_cpu_cores(), "{share:?}");
        assert!(share.ram.bytes > 0);
        assert_eq!(share.resolved().ram_mb, share.ram_mib());
    }
}
