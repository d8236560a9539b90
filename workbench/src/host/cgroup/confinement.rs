//! Which way of limiting a child works here, found out by trying.

use std::path::Path;
use std::process::Command;
use std::{fmt, io};

use crate::host::cgroup::GroupLimits;
use crate::host::cgroup::confined::Confined;
use crate::host::cgroup::directory::failed;
use crate::host::cgroup::evidence::GroupEvidence;
use crate::host::cgroup::owner::Owner;
use crate::host::cgroup::place::{CPU, Candidate, MEMORY, Place};
use crate::host::cgroup::systemd::Systemd;
use ave_actors_rocksdb::machine::{CgroupVersion, cpu_under};

/// What the groups that are only made to see whether it works are limited to: little, so that it fits below any limit.
const TRIAL: GroupLimits = GroupLimits { cores: 1, ram_bytes: 64 << 20 };

/// How a child is kept within its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Memory and CPU, by groups of cgroup v1.
    CgroupV1,
    /// Memory and CPU, by groups of cgroup v2.
    CgroupV2,
    /// Memory and CPU, by a scope of systemd.
    SystemdScope,
    /// Cores alone. Memory has no limit.
    AffinityOnly,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CgroupV1 => "cgroup v1",
            Self::CgroupV2 => "cgroup v2",
            Self::SystemdScope => "a systemd scope",
            Self::AffinityOnly => "CPU affinity alone",
        })
    }
}

/// Why something is not possible here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was tried.
    pub way: Way,
    /// What the system said: `mkdir /sys/fs/cgroup/memory/…: Permission denied (os error 13)`.
    pub why: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.way, self.why)
    }
}

/// The way that works here.
///
/// ```
/// use std::process::Command;
/// use ave_actors_rocksdb::workbench::host::{Confinement, GroupLimits};
///
/// let confinement = Confinement::detect();
/// let limits = GroupLimits { cores: 1, ram_bytes: 64 << 20 };
/// let (mut command, mut confined) = confinement.prepare(limits, Command::new("cat"))?;
/// let mut child = command.stdin(std::process::Stdio::piped()).spawn()?;
/// confined.enter(child.id())?;
/// drop(child.stdin.take());
/// child.wait()?;
/// if let Some(evidence) = confined.evidence()? {
///     assert_eq!(evidence.oom_kills, 0);
/// }
/// confined.remove()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Confinement {
    /// Cores this process may use.
    cores: usize,
    means: Means,
    refusals: Vec<Refusal>,
}

#[derive(Debug)]
enum Means {
    /// `cpu`: where quotas can be set, if anywhere.
    Groups {
        owner: Owner,
        memory: Place,
        cpu: Option<Place>,
    },
    Scope(Systemd),
    Affinity,
}

impl Confinement {
    /// Finds the way that works here: groups are made, limited and removed again. It takes some milliseconds, or as long as
    /// systemd does where that is asked.
    pub fn detect() -> Self {
        Self::detect_under(Path::new("/"))
    }

    /// The same for the machine whose kernel files lie under `root`.
    pub(super) fn detect_under(root: &Path) -> Self {
        let cores = cpu_under(root).map_or(1, |share| share.cores);
        let mut refusals = Vec::new();
        let means = match Owner::this(root) {
            Ok(owner) => by_groups(root, owner, &mut refusals).or_else(|| by_scope(root, owner, &mut refusals)),
            Err(error) => {
                refusals.push(Refusal { way: Way::CgroupV2, why: error.to_string() });
                None
            }
        };
        Self { cores, means: means.unwrap_or(Means::Affinity), refusals }
    }

    /// Does without memory limits, because of `why`: somebody wants it so, say.
    pub fn affinity_only(why: &str) -> Self {
        let refusals = vec![Refusal { way: Way::AffinityOnly, why: why.to_owned() }];
        Self { cores: 1, means: Means::Affinity, refusals }
    }

    /// Which it is.
    pub fn way(&self) -> Way {
        match &self.means {
            Means::Groups { memory, .. } => way(memory.version),
            Means::Scope(_) => Way::SystemdScope,
            Means::Affinity => Way::AffinityOnly,
        }
    }

    /// Whether memory has a limit, too.
    pub fn limits_memory(&self) -> bool {
        self.way() != Way::AffinityOnly
    }

    /// What was tried before, and did not work, or worked in part: a CPU quota may be refused where a memory limit is not.
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// The same in one line.
    pub fn why_not(&self) -> String {
        self.refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    /// Makes what holds the child that `command` will start. Set its standard streams and process group on the command
    /// that is returned: of the one that is passed, program, arguments, variables and directory count. Once it is started,
    /// call [`Confined::enter`].
    ///
    /// # Errors
    ///
    /// `cores` is 0, or the system refuses what it permitted before.
    pub fn prepare(&self, limits: GroupLimits, command: Command) -> io::Result<(Command, Confined)> {
        if limits.cores == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a child needs at least one core"));
        }
        let quota = self.cores > limits.cores;
        match &self.means {
            Means::Groups { owner, memory, cpu } => {
                let cpu = cpu.as_ref().filter(|_| quota);
                Ok((command, confined(*owner, memory, cpu, limits)?))
            }
            Means::Scope(systemd) => {
                let (command, scope) = systemd.scope(limits, quota, &command);
                Ok((command, Confined::in_scope(scope)))
            }
            Means::Affinity => Ok((command, Confined::in_groups(Vec::new(), None))),
        }
    }
}

const fn way(version: CgroupVersion) -> Way {
    match version {
        CgroupVersion::V1 => Way::CgroupV1,
        CgroupVersion::V2 => Way::CgroupV2,
    }
}

/// Groups with these limits. The CPU quota goes into the same group if that has both controllers.
fn confined(owner: Owner, memory: &Place, cpu: Option<&Place>, limits: GroupLimits) -> io::Result<Confined> {
    let group = memory.group(owner)?;
    group.limit_memory(limits.ram_bytes)?;
    let mut groups = vec![group];
    if let Some(cpu) = cpu {
        if cpu.parent != memory.parent {
            groups.push(cpu.group(owner)?);
        }
        groups[groups.len() - 1].limit_cpu(limits.cores)?;
    }
    Ok(Confined::in_groups(groups, memory.leaf()))
}

fn by_groups(root: &Path, owner: Owner, refusals: &mut Vec<Refusal>) -> Option<Means> {
    let systemd_runs = Systemd::runs(root);
    for candidate in Candidate::all(root, MEMORY, systemd_runs) {
        match try_memory(&candidate, owner) {
            Ok(memory) => {
                let cpu = by_quota(root, owner, &memory, refusals);
                return Some(Means::Groups { owner, memory, cpu });
            }
            Err(error) => refusals.push(Refusal { way: way(candidate.version), why: error.to_string() }),
        }
    }
    None
}

fn try_memory(candidate: &Candidate, owner: Owner) -> io::Result<Place> {
    let place = candidate.prepare(MEMORY, owner)?;
    place.admits()?;
    let mut group = place.group(owner)?;
    group.limit_memory(TRIAL.ram_bytes)?;
    GroupEvidence::of(std::slice::from_ref(&group))?;
    group.remove()?;
    Ok(place)
}

/// Where quotas can be set. With v2 that is where memory is limited.
fn by_quota(root: &Path, owner: Owner, memory: &Place, refusals: &mut Vec<Refusal>) -> Option<Place> {
    let found = match memory.version {
        CgroupVersion::V2 => memory.pass_on(CPU).map(|()| memory.clone()),
        // Nothing is rearranged for a quota alone: affinity does nearly the same.
        CgroupVersion::V1 => Candidate::all(root, CPU, true)
            .first()
            .ok_or_else(|| failed("find a group with quotas in", root, &io::ErrorKind::NotFound.into()))
            .and_then(|candidate| candidate.prepare(CPU, owner)),
    };
    let tried = found.and_then(|place| {
        let mut group = place.group(owner)?;
        group.limit_cpu(TRIAL.cores)?;
        group.remove()?;
        Ok(place)
    });
    tried.map_err(|error| refusals.push(Refusal { way: way(memory.version), why: error.to_string() })).ok()
}

fn by_scope(root: &Path, owner: Owner, refusals: &mut Vec<Refusal>) -> Option<Means> {
    let systemd = Systemd::new(root, owner);
    let absent = || io::Error::other("this host was not booted with systemd");
    let runs = Systemd::runs(root).then_some(()).ok_or_else(absent);
    let tried = runs.and_then(|()| systemd.try_out(TRIAL));
    tried.map_err(|error| refusals.push(Refusal { way: Way::SystemdScope, why: error.to_string() })).ok()?;
    Some(Means::Scope(systemd))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    /// A machine made of files whose only process is this one. Groups can be made there as directories, but nothing is in
    /// them.
    fn machine(files: &[(&str, &str)]) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        for (path, text) in [("proc/self/stat", stat.as_str())].iter().chain(files) {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[track_caller]
    fn refused(root: &TempDir, expected: &[(Way, &str)]) {
        let confinement = Confinement::detect_under(root.path());
        assert_eq!(confinement.way(), Way::AffinityOnly);
        assert!(!confinement.limits_memory());
        let refusals = confinement.refusals();
        assert_eq!(refusals.len(), expected.len(), "{refusals:#?}");
        for (refusal, (way, why)) in refusals.iter().zip(expected) {
            assert!(refusal.way == *way && refusal.why.contains(why), "{refusal}, expected {way}: {why}");
        }
    }

    const NO_SYSTEMD: (Way, &str) = (Way::SystemdScope, "not booted with systemd");

    #[test]
    fn a_kernel_without_groups_leaves_affinity() {
        refused(&machine(&[]), &[NO_SYSTEMD]);
    }

    #[test]
    fn a_hierarchy_that_is_not_mounted_is_named() {
        let root = machine(&[("proc/self/cgroup", "4:memory:/a\n")]);
        refused(&root, &[(Way::CgroupV1, "sys/fs/cgroup/memory/a/ave-workbench-"), NO_SYSTEMD]);
    }

    #[test]
    fn every_v2_group_that_was_tried_says_why_not() {
        let root = machine(&[
            ("proc/self/cgroup", "0::/a\n"),
            ("sys/fs/cgroup/cgroup.controllers", "hugetlb\n"),
            ("sys/fs/cgroup/a/cgroup.controllers", "hugetlb\n"),
        ]);
        let (own, top) =
            ("a/cgroup.controllers does not name the memory", "cgroup/cgroup.controllers does not name the");
        refused(&root, &[(Way::CgroupV2, own), (Way::CgroupV2, own), (Way::CgroupV2, top), NO_SYSTEMD]);
    }

    #[test]
    fn a_group_that_takes_no_limit_is_removed_again() {
        let root = machine(&[
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/cgroup.controllers", "memory\n"),
            ("sys/fs/cgroup/cgroup.subtree_control", "memory\n"),
            ("sys/fs/cgroup/cgroup.procs", "1\n"),
        ]);
        let [write, others] = ["write 67108864 to ", "it has other processes"];
        refused(&root, &[(Way::CgroupV2, write), (Way::CgroupV2, others), NO_SYSTEMD]);
        assert_eq!(fs::read_dir(root.path().join("sys/fs/cgroup")).unwrap().count(), 3);
    }

    #[test]
    fn under_affinity_alone_a_command_stays_as_it_is() {
        let confinement = Confinement::affinity_only("--no-cgroups");
        let limits = GroupLimits { cores: 1, ram_bytes: 1 << 30 };
        let (mut command, mut confined) = confinement.prepare(limits, Command::new("true")).unwrap();
        assert_eq!(command.get_program(), "true");
        let mut child = command.spawn().unwrap();
        confined.enter(child.id()).unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(confined.evidence().unwrap(), None);
        assert_eq!(confined.groups().count(), 0);
        confined.remove().unwrap();
    }

    #[test]
    fn a_child_without_a_core_is_refused() {
        let limits = GroupLimits { cores: 0, ram_bytes: 1 << 30 };
        let error = Confinement::affinity_only("").prepare(limits, Command::new("true")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
