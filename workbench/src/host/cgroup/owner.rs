//! The owner of a group, which its name identifies.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{fs, io};

use rustix::io::Errno;

const PREFIX: &str = "ave-workbench-";
/// Suffix that systemd appends to the name of a scope.
pub(super) const SCOPE: &str = ".scope";

/// A process by id and start time: ids are reused, both together are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) pid: u32,
    /// Start time, clock ticks since boot.
    started: u64,
}

impl Owner {
    /// This process, as `proc` under `root` sees it.
    pub(super) fn this(root: &Path) -> io::Result<Self> {
        let path = root.join("proc/self/stat");
        let failed = |error: io::Error| io::Error::new(error.kind(), format!("read {}: {error}", path.display()));
        let parsed = Stat::parse(&fs::read_to_string(&path).map_err(failed)?).map(|stat| stat.owner);
        parsed.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("cannot parse {}", path.display())))
    }

    /// A name that no other group of this process has.
    pub(super) fn new_name(self) -> String {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        format!("{PREFIX}{}-{}-{}", self.pid, self.started, COUNT.fetch_add(1, Ordering::Relaxed))
    }

    /// The owner in the name of a group or scope; `None` if the workbench did not create it.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let numbers = name.strip_suffix(SCOPE).unwrap_or(name).strip_prefix(PREFIX)?;
        let mut numbers = numbers.split('-').map(|digits| {
            // `+1` would parse as well.
            digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse::<u64>().ok()).flatten()
        });
        let (pid, started, _count) = (numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(Self { pid: u32::try_from(pid).ok()?, started })
    }

    /// Whether the process has exited. A zombie has.
    pub(super) fn has_exited(self, root: &Path) -> bool {
        exited(root, self.pid, Some(self.started))
    }
}

pub(super) fn is_scope(group: &Path) -> bool {
    group.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(SCOPE))
}

/// Whether the process with this id, and this start time if given, has exited. A zombie has.
pub(super) fn exited(root: &Path, pid: u32, started: Option<u64>) -> bool {
    match fs::read_to_string(root.join(format!("proc/{pid}/stat"))) {
        Ok(stat) => Stat::parse(&stat)
            .is_some_and(|stat| stat.is_zombie || started.is_some_and(|started| started != stat.owner.started)),
        // ESRCH: it exited while it was read. If access is denied, it counts as alive.
        Err(error) => {
            error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
        }
    }
}

struct Stat {
    owner: Owner,
    is_zombie: bool,
}

impl Stat {
    /// `pid (name) state ppid …`; the start time is field 22 (proc(5)). The name may contain anything, parentheses included.
    fn parse(stat: &str) -> Option<Self> {
        let (front, back) = stat.rsplit_once(')')?;
        let mut back = back.split_whitespace();
        let state = back.next()?;
        let owner = Owner { pid: front.split(' ').next()?.parse().ok()?, started: back.nth(18)?.parse().ok()? };
        Some(Self { owner, is_zombie: matches!(state, "Z" | "X") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::cgroup::directory_with;
    use proptest::prelude::*;

    fn stat(pid: u32, name: &str, state: char, started: u64) -> String {
        format!("{pid} ({name}) {state} 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 {started} 20 21\n")
    }

    fn machine_with(pid: u32, stat: &str) -> tempfile::TempDir {
        directory_with(&[(&format!("proc/{pid}/stat"), stat)])
    }

    proptest! {
        #[test]
        fn a_name_identifies_its_owner(pid: u32, started: u64) {
            let owner = Owner { pid, started };
            let (first, second) = (owner.new_name(), owner.new_name());
            prop_assert_ne!(&first, &second);
            prop_assert_eq!(Owner::from_name(&first), Some(owner));
            prop_assert_eq!(Owner::from_name(&format!("{second}{SCOPE}")), Some(owner));
        }

        #[test]
        fn a_process_is_identified_by_id_and_start_time(started in 0_u64..1 << 60, name in "[a-z) (]{1,15}") {
            let root = machine_with(7, &stat(7, &name, 'S', started));
            let (same, later) = (Owner { pid: 7, started }, Owner { pid: 7, started: started + 1 });
            prop_assert_eq!((same.has_exited(root.path()), later.has_exited(root.path())), (false, true));
        }
    }

    #[test]
    fn other_names_have_no_owner() {
        assert_eq!(Owner::from_name("xave-workbench-1-2-3"), None);
        for rest in ["", "1-2", "1-2-3-4", "1-x-3", "-1-2-3", "1-2-", "+1-2-3"] {
            assert_eq!(Owner::from_name(&format!("ave-workbench-{rest}")), None, "{rest}");
        }
    }

    #[test]
    fn a_zombie_has_exited_and_an_unreadable_process_counts_as_alive() {
        let root = machine_with(7, &stat(7, "x", 'Z', 5));
        assert!(Owner { pid: 7, started: 5 }.has_exited(root.path()));
        assert!(Owner { pid: 8, started: 5 }.has_exited(root.path()));
        let root = machine_with(7, "nonsense");
        assert!(!Owner { pid: 7, started: 5 }.has_exited(root.path()));
    }

    #[test]
    fn this_process_is_alive() {
        let root = Path::new("/");
        let owner = Owner::this(root).unwrap();
        assert_eq!(owner.pid, std::process::id());
        assert!(!owner.has_exited(root));
        assert!(Owner { started: owner.started + 1, ..owner }.has_exited(root));
    }
}
