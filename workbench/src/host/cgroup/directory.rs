//! The directory of one control group, with either interface.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use super::owner::{Owner, is_scope};
use crate::host::locked_directory::{Claim, LockOn, LockedDirectory};
use ave_actors_rocksdb::machine::CgroupVersion;

/// Time for killed processes to exit. One that waits for the disk exits only after that responds.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// Names that are tried. Names repeat only across PID namespaces.
const ATTEMPTS: usize = 16;
/// Swap allowance of a v1 group, one huge page: the largest single request. Without it the combined limit of memory and
/// swap would be reached first, and Linux 6.18 does not count how often that happens.
const SWAP_BYTES: u64 = 2 << 20;
/// Period of a CPU quota, microseconds: the default of the kernel and of every container runtime.
const PERIOD_US: u64 = 100_000;

/// A group that is removed, and its processes killed, when this is dropped.
#[derive(Debug)]
pub(super) struct GroupDirectory {
    pub(super) version: CgroupVersion,
    pub(super) path: PathBuf,
    /// Keeps other processes from removing the group as stale.
    _lock: Option<LockedDirectory>,
    is_removed: bool,
}

impl GroupDirectory {
    /// A new group below `parent`.
    pub(super) fn create(version: CgroupVersion, parent: &Path, owner: Owner) -> io::Result<Self> {
        for _ in 0..ATTEMPTS {
            let path = parent.join(owner.new_name());
            match fs::create_dir(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                created => created.map_err(|error| failed("mkdir", &path, &error))?,
            }
            // A process of another PID namespace that cleans up may have taken it for stale.
            if let Some(lock) = lock(&path)? {
                return Ok(Self { version, path, _lock: Some(lock), is_removed: false });
            }
        }
        let crowded = io::Error::new(io::ErrorKind::AlreadyExists, "all names are in use");
        Err(failed("create a group in", parent, &crowded))
    }

    /// A group that another process has created and this one removes.
    pub(super) fn adopt(version: CgroupVersion, path: PathBuf, lock: Option<LockedDirectory>) -> Self {
        Self { version, path, _lock: lock, is_removed: false }
    }

    /// The group of this process, which another one removes.
    pub(super) const fn of_this_process(version: CgroupVersion, path: PathBuf) -> Self {
        Self { version, path, _lock: None, is_removed: true }
    }

    /// Limits memory, page cache included, and prevents swapping. A limit that was set before has to be
    /// [lifted](Self::lift_memory_limit) first: with v1 a higher one would exceed that of memory and swap together.
    pub(super) fn limit_memory(&self, bytes: u64) -> io::Result<()> {
        match self.version {
            CgroupVersion::V1 => {
                // In a group, unlike for the whole host, 0 disables swapping.
                self.write("memory.swappiness", "0")?;
                self.write("memory.limit_in_bytes", &bytes.to_string())?;
                // Absent where the kernel does not account for swap.
                let with_swap = bytes.saturating_add(SWAP_BYTES).to_string();
                self.write_if_present("memory.memsw.limit_in_bytes", &with_swap)
            }
            CgroupVersion::V2 => {
                self.write("memory.max", &bytes.to_string())?;
                self.write_if_present("memory.swap.max", "0")
            }
        }
    }

    /// Removes the memory limit.
    pub(super) fn lift_memory_limit(&self) -> io::Result<()> {
        match self.version {
            CgroupVersion::V1 => {
                self.write_if_present("memory.memsw.limit_in_bytes", "-1")?;
                self.write("memory.limit_in_bytes", "-1")
            }
            CgroupVersion::V2 => self.write("memory.max", "max"),
        }
    }

    /// Begins a new peak, where the kernel can: with v2 it keeps the highest since the group was created.
    pub(super) fn reset_memory_peak(&self) {
        if self.version == CgroupVersion::V1 {
            // A peak that includes earlier phases is an upper bound.
            let _ = self.write("memory.max_usage_in_bytes", "0");
        }
    }

    /// The current memory limit, bytes; `None` without a limit.
    pub(super) fn memory_limit(&self) -> io::Result<Option<u64>> {
        let name = match self.version {
            CgroupVersion::V1 => "memory.limit_in_bytes",
            CgroupVersion::V2 => "memory.max",
        };
        Ok(self.read(name)?.trim().parse().ok())
    }

    /// Limits CPU time to so many thousandths of a core.
    pub(super) fn limit_cpu(&self, millicores: u64) -> io::Result<()> {
        let quota = millicores.saturating_mul(PERIOD_US) / 1_000;
        match self.version {
            CgroupVersion::V1 => {
                self.write("cpu.cfs_period_us", &PERIOD_US.to_string())?;
                self.write("cpu.cfs_quota_us", &quota.to_string())
            }
            CgroupVersion::V2 => self.write("cpu.max", &format!("{quota} {PERIOD_US}")),
        }
    }

    /// Moves a process, with all its threads, into the group.
    pub(super) fn enter(&self, pid: u32) -> io::Result<()> {
        self.write("cgroup.procs", &pid.to_string())
    }

    pub(super) fn read(&self, name: &str) -> io::Result<String> {
        read(&self.path.join(name))
    }

    fn write(&self, name: &str, value: &str) -> io::Result<()> {
        write(&self.path.join(name), value)
    }

    fn write_if_present(&self, name: &str, value: &str) -> io::Result<()> {
        if self.path.join(name).exists() { self.write(name, value) } else { Ok(()) }
    }

    /// Kills the remaining processes and removes the group once they have exited.
    pub(super) fn remove(&mut self) -> io::Result<()> {
        // The drop does not try again, even after an error.
        self.is_removed = true;
        if is_scope(&self.path) && self.is_removed_by_systemd()? {
            return Ok(());
        }
        let until = Instant::now() + KILL_TIMEOUT;
        loop {
            match fs::remove_dir(&self.path) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy && Instant::now() < until => {
                    self.kill_all()?;
                    std::thread::sleep(POLL_INTERVAL);
                }
                Err(error) => return Err(failed("rmdir", &self.path, &error)),
            }
        }
    }

    /// Empties a scope and lets systemd remove it: if the group vanished before systemd saw it empty, systemd would consider
    /// the scope running forever.
    fn is_removed_by_systemd(&self) -> io::Result<bool> {
        let until = Instant::now() + KILL_TIMEOUT;
        while self.path.exists() && Instant::now() < until {
            self.kill_all()?;
            std::thread::sleep(POLL_INTERVAL);
        }
        Ok(!self.path.exists())
    }

    fn kill_all(&self) -> io::Result<()> {
        let file = self.path.join("cgroup.procs");
        let Some(text) = unless_gone(fs::read_to_string(&file), "read", &file)? else { return Ok(()) };
        let processes = ids(&text);
        let refuse = |reason: &str| Err(failed("kill all in", &self.path, &io::Error::other(reason)));
        if processes.contains(&std::process::id()) {
            return refuse("this process is in it");
        }
        if has_groups(&self.path) {
            return refuse("it has child groups");
        }
        let at_once = self.path.join("cgroup.kill");
        if self.version == CgroupVersion::V2 && at_once.exists() {
            return unless_gone(put(&at_once, "1"), "write 1 to", &at_once).map(drop);
        }
        // 0 stands for a process of another PID namespace; `from_raw` rejects it.
        let pids = processes.into_iter().filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        for pid in pids {
            match kill_process(pid, Signal::KILL) {
                Ok(()) | Err(Errno::SRCH) => {}
                Err(error) => return Err(failed("kill all in", &self.path, &error.into())),
            }
        }
        Ok(())
    }
}

impl Drop for GroupDirectory {
    fn drop(&mut self) {
        if !self.is_removed {
            // A drop cannot report an error. The next start tries again.
            let _ = self.remove();
        }
    }
}

/// The lock on a group; `None` if another process holds it, or has removed the group.
pub(super) fn lock(group: &Path) -> io::Result<Option<LockedDirectory>> {
    match LockedDirectory::claim(group, LockOn::Directory)? {
        Claim::Held(lock) => Ok(Some(lock)),
        Claim::Busy | Claim::Gone => Ok(None),
        Claim::NoLocks(_) => Err(failed("lock", group, &io::ErrorKind::Unsupported.into())),
    }
}

/// The process ids of a group, 0 for processes of another PID namespace.
pub(super) fn processes(group: &Path) -> io::Result<Vec<u32>> {
    Ok(ids(&read(&group.join("cgroup.procs"))?))
}

fn ids(procs: &str) -> Vec<u32> {
    procs.lines().filter_map(|line| line.trim().parse().ok()).collect()
}

/// `None` for a file of a group that another process is removing: its files vanish before its directory.
fn unless_gone<T>(done: io::Result<T>, action: &str, file: &Path) -> io::Result<Option<T>> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::NODEV.raw_os_error()) => Ok(None),
        Err(error) => Err(failed(action, file, &error)),
    }
}

fn has_groups(group: &Path) -> bool {
    let is_group =
        |entry: io::Result<fs::DirEntry>| entry.and_then(|entry| entry.file_type()).is_ok_and(|kind| kind.is_dir());
    fs::read_dir(group).is_ok_and(|mut entries| entries.any(is_group))
}

pub(super) fn read(file: &Path) -> io::Result<String> {
    fs::read_to_string(file).map_err(|error| failed("read", file, &error))
}

pub(super) fn write(file: &Path, value: &str) -> io::Result<()> {
    put(file, value).map_err(|error| failed(&format!("write {value} to"), file, &error))
}

/// In one call, as these files require, and without creating the file, which the kernel reports as a lack of permission.
fn put(file: &Path, value: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(file)?.write_all(value.as_bytes())
}

/// The same kind of error, with the action and the path.
pub(super) fn failed(action: &str, path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{action} {}: {error}", path.display()))
}
