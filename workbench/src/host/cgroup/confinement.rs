//! Detection of a method that limits a child on this host.

use std::path::Path;
use std::process::Command;
use std::{fmt, io};

use super::confined::Confined;
use super::directory::failed;
use super::limits::{CPU, GroupLimits, MEMORY};
use super::owner::Owner;
use super::parent::{GroupParent, ParentCandidate};
use super::stats::GroupStats;
use super::systemd::Systemd;
use ave_actors_rocksdb::machine::{CgroupVersion, cpu_under};

/// Limits of groups created to test a method: small, to fit below any limit of a parent.
const TRIAL: GroupLimits = GroupLimits { millicores: 1_000, ram_bytes: 64 << 20 };

/// Method of limiting a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfinementMethod {
    /// Memory and CPU, by groups of cgroup v1.
    CgroupV1,
    /// Memory and CPU, by groups of cgroup v2.
    CgroupV2,
    /// Memory and CPU, by a scope of systemd.
    SystemdScope,
    /// Cores only, by CPU affinity; memory is not limited.
    AffinityOnly,
}

impl fmt::Display for ConfinementMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CgroupV1 => "cgroup v1",
            Self::CgroupV2 => "cgroup v2",
            Self::SystemdScope => "a systemd scope",
            Self::AffinityOnly => "CPU affinity alone",
        })
    }
}

/// A method that does not work on this host, in full or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedMethod {
    /// The method.
    pub method: ConfinementMethod,
    /// The error of the system: `mkdir /sys/fs/cgroup/memory/…: Permission denied (os error 13)`.
    pub reason: String,
}

impl fmt::Display for RejectedMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.method, self.reason)
    }
}

/// The method of limiting children that works on this host.
///
/// ```
/// use std::process::Command;
/// use ave_workbench::host::{Confinement, GroupLimits};
///
/// let confinement = Confinement::detect();
/// let limits = GroupLimits { millicores: 1_000, ram_bytes: 64 << 20 };
/// let (mut command, mut confined) = confinement.prepare(limits, Command::new("cat"))?;
/// let mut child = command.stdin(std::process::Stdio::piped()).spawn()?;
/// confined.enter(child.id())?;
/// drop(child.stdin.take());
/// child.wait()?;
/// if let Some(stats) = confined.stats()? {
///     assert_eq!(stats.oom_kills, 0);
/// }
/// confined.remove()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Confinement {
    cores: usize,
    mechanism: Mechanism,
    rejected: Vec<RejectedMethod>,
}

#[derive(Debug)]
enum Mechanism {
    /// `cpu`: parent of groups with quotas, if they are permitted.
    Groups {
        owner: Owner,
        memory: GroupParent,
        cpu: Option<GroupParent>,
    },
    Scope(Systemd),
    Affinity,
}

impl Confinement {
    /// Tests the methods by creating, limiting and removing groups. Takes some milliseconds, or as long as systemd needs to
    /// create a scope.
    pub fn detect() -> Self {
        Self::detect_under(Path::new("/"))
    }

    /// The same for a machine whose kernel files are under `root`.
    fn detect_under(root: &Path) -> Self {
        let cores = cpu_under(root).map_or(1, |share| share.cores);
        let mut rejected = Vec::new();
        let mechanism = match Owner::this(root) {
            Ok(owner) => by_groups(root, owner, &mut rejected).or_else(|| by_scope(root, owner, &mut rejected)),
            Err(error) => reject(&mut rejected, ConfinementMethod::CgroupV2, &error),
        };
        Self { cores, mechanism: mechanism.unwrap_or(Mechanism::Affinity), rejected }
    }

    /// CPU affinity without trying another method, for this reason.
    pub(crate) fn affinity_only(reason: &str) -> Self {
        let rejected = vec![RejectedMethod { method: ConfinementMethod::AffinityOnly, reason: reason.to_owned() }];
        Self { cores: 1, mechanism: Mechanism::Affinity, rejected }
    }

    /// The method that works.
    pub fn method(&self) -> ConfinementMethod {
        match &self.mechanism {
            Mechanism::Groups { memory, .. } => memory.version.into(),
            Mechanism::Scope(_) => ConfinementMethod::SystemdScope,
            Mechanism::Affinity => ConfinementMethod::AffinityOnly,
        }
    }

    /// Whether CPU time is limited, which emulates parts of a core.
    pub(crate) const fn limits_cpu_time(&self) -> bool {
        matches!(self.mechanism, Mechanism::Groups { cpu: Some(_), .. } | Mechanism::Scope(_))
    }

    /// Whether memory is limited, not only cores.
    pub fn limits_memory(&self) -> bool {
        self.method() != ConfinementMethod::AffinityOnly
    }

    /// Methods that failed, or worked in part: a CPU quota may be rejected where a memory limit is not.
    pub fn rejected(&self) -> &[RejectedMethod] {
        &self.rejected
    }

    /// The rejected methods and reasons in one line.
    pub fn rejections(&self) -> String {
        self.rejected.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    /// Creates the groups for the child that the returned command will start. Of `command`, program, arguments, variables and
    /// directory are kept; set standard streams and process group on the returned one. After the start, call
    /// [`Confined::enter`].
    ///
    /// # Errors
    ///
    /// `millicores` is 0, or the system rejects what it permitted before.
    pub fn prepare(&self, limits: GroupLimits, command: Command) -> io::Result<(Command, Confined)> {
        if limits.millicores == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a child needs CPU time"));
        }
        let quota = self.cores as u64 * 1_000 > limits.millicores;
        match &self.mechanism {
            Mechanism::Groups { owner, memory, cpu } => {
                let cpu = cpu.as_ref().filter(|_| quota);
                Ok((command, confined(*owner, memory, cpu, limits)?))
            }
            Mechanism::Scope(systemd) => {
                let (command, scope) = systemd.scope(limits, quota, &command);
                Ok((command, Confined { scope: Some(scope), ..Confined::default() }))
            }
            Mechanism::Affinity => Ok((command, Confined::default())),
        }
    }
}

impl From<CgroupVersion> for ConfinementMethod {
    fn from(version: CgroupVersion) -> Self {
        match version {
            CgroupVersion::V1 => Self::CgroupV1,
            CgroupVersion::V2 => Self::CgroupV2,
        }
    }
}

fn reject<T>(rejected: &mut Vec<RejectedMethod>, method: ConfinementMethod, error: &io::Error) -> Option<T> {
    rejected.push(RejectedMethod { method, reason: error.to_string() });
    None
}

/// Groups with these limits: one group if it has both controllers.
fn confined(
    owner: Owner,
    memory: &GroupParent,
    cpu: Option<&GroupParent>,
    limits: GroupLimits,
) -> io::Result<Confined> {
    let group = memory.create_group(owner)?;
    group.limit_memory(limits.ram_bytes)?;
    let mut groups = vec![group];
    if let Some(cpu) = cpu {
        if cpu.path != memory.path {
            groups.push(cpu.create_group(owner)?);
        }
        groups[groups.len() - 1].limit_cpu(limits.millicores)?;
    }
    Ok(Confined { groups, scope: None, _leaf: memory.leaf.clone() })
}

fn by_groups(root: &Path, owner: Owner, rejected: &mut Vec<RejectedMethod>) -> Option<Mechanism> {
    let systemd_runs = Systemd::runs(root);
    for candidate in ParentCandidate::all(root, MEMORY, systemd_runs) {
        match try_memory(&candidate, owner) {
            Ok(memory) => {
                let cpu = by_quota(root, owner, &memory, rejected);
                return Some(Mechanism::Groups { owner, memory, cpu });
            }
            Err(error) => {
                reject::<Mechanism>(rejected, candidate.version.into(), &error);
            }
        }
    }
    None
}

fn try_memory(candidate: &ParentCandidate, owner: Owner) -> io::Result<GroupParent> {
    let parent = candidate.prepare(MEMORY, owner)?;
    parent.check_migration()?;
    let mut group = parent.create_group(owner)?;
    group.limit_memory(TRIAL.ram_bytes)?;
    GroupStats::of(std::slice::from_ref(&group))?;
    group.remove()?;
    Ok(parent)
}

/// The parent of groups with CPU quotas: with v2 that of the groups with memory limits.
fn by_quota(
    root: &Path,
    owner: Owner,
    memory: &GroupParent,
    rejected: &mut Vec<RejectedMethod>,
) -> Option<GroupParent> {
    let found = match memory.version {
        CgroupVersion::V2 => memory.enable(CPU).map(|()| memory.clone()),
        // No process is moved for a quota alone: affinity has nearly the same effect.
        CgroupVersion::V1 => ParentCandidate::all(root, CPU, true)
            .first()
            .ok_or_else(|| failed("find a CPU controller in", root, &io::ErrorKind::NotFound.into()))
            .and_then(|candidate| candidate.prepare(CPU, owner)),
    };
    let tried = found.and_then(|parent| {
        let mut group = parent.create_group(owner)?;
        group.limit_cpu(TRIAL.millicores)?;
        group.remove()?;
        Ok(parent)
    });
    tried.map_or_else(|error| reject(rejected, memory.version.into(), &error), Some)
}

fn by_scope(root: &Path, owner: Owner, rejected: &mut Vec<RejectedMethod>) -> Option<Mechanism> {
    let systemd = Systemd::new(root, owner);
    let tried = if Systemd::runs(root) {
        systemd.try_out(TRIAL)
    } else {
        Err(io::Error::other("this host was not booted with systemd"))
    };
    match tried {
        Ok(()) => Some(Mechanism::Scope(systemd)),
        Err(error) => reject(rejected, ConfinementMethod::SystemdScope, &error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::cgroup::directory_with;
    use std::fs;
    use tempfile::TempDir;

    /// A machine with these kernel files, whose only process is this one. Groups created there are empty directories.
    fn machine(files: &[(&str, &str)]) -> TempDir {
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        directory_with(&[&[("proc/self/stat", stat.as_str())], files].concat())
    }

    #[track_caller]
    fn rejects(root: &TempDir, expected: &[(ConfinementMethod, &str)]) {
        let confinement = Confinement::detect_under(root.path());
        assert_eq!(confinement.method(), ConfinementMethod::AffinityOnly);
        assert!(!confinement.limits_memory());
        let rejected = confinement.rejected();
        assert_eq!(rejected.len(), expected.len(), "{rejected:#?}");
        for (found, (method, reason)) in rejected.iter().zip(expected) {
            assert!(found.method == *method && found.reason.contains(reason), "{found}, expected {method}: {reason}");
        }
    }

    const NO_SYSTEMD: (ConfinementMethod, &str) = (ConfinementMethod::SystemdScope, "not booted with systemd");

    #[test]
    fn without_control_groups_affinity_remains() {
        rejects(&machine(&[]), &[NO_SYSTEMD]);
    }

    #[test]
    fn a_hierarchy_that_is_not_mounted_is_named() {
        let root = machine(&[("proc/self/cgroup", "4:memory:/a\n")]);
        rejects(&root, &[(ConfinementMethod::CgroupV1, "sys/fs/cgroup/memory/a/ave-workbench-"), NO_SYSTEMD]);
    }

    #[test]
    fn every_tried_v2_group_gives_a_reason() {
        let root = machine(&[
            ("proc/self/cgroup", "0::/a\n"),
            ("sys/fs/cgroup/cgroup.controllers", "hugetlb\n"),
            ("sys/fs/cgroup/a/cgroup.controllers", "hugetlb\n"),
        ]);
        let own = (ConfinementMethod::CgroupV2, "a/cgroup.controllers does not name the memory");
        let top = (ConfinementMethod::CgroupV2, "cgroup/cgroup.controllers does not name the");
        rejects(&root, &[own, own, top, NO_SYSTEMD]);
    }

    #[test]
    fn a_group_that_rejects_a_limit_is_removed() {
        let root = machine(&[
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/cgroup.controllers", "memory\n"),
            ("sys/fs/cgroup/cgroup.subtree_control", "memory\n"),
            ("sys/fs/cgroup/cgroup.procs", "1\n"),
        ]);
        let [write, others] = ["write 67108864 to ", "it has other processes"];
        rejects(&root, &[(ConfinementMethod::CgroupV2, write), (ConfinementMethod::CgroupV2, others), NO_SYSTEMD]);
        assert_eq!(fs::read_dir(root.path().join("sys/fs/cgroup")).unwrap().count(), 3);
    }

    #[test]
    fn under_affinity_alone_a_command_stays_as_it_is() {
        let confinement = Confinement::affinity_only("--no-cgroups");
        let limits = GroupLimits { millicores: 1_000, ram_bytes: 1 << 30 };
        let (mut command, mut confined) = confinement.prepare(limits, Command::new("true")).unwrap();
        assert_eq!(command.get_program(), "true");
        let mut child = command.spawn().unwrap();
        confined.enter(child.id()).unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(confined.stats().unwrap(), None);
        assert_eq!(confined.groups().count(), 0);
        confined.remove().unwrap();
    }

    #[test]
    fn a_child_without_cpu_time_is_refused() {
        let limits = GroupLimits { millicores: 0, ram_bytes: 1 << 30 };
        let error = Confinement::affinity_only("").prepare(limits, Command::new("true")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
