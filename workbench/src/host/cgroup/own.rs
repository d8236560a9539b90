//! The memory limit of this process, where another workbench emulates a machine with it.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::directory::{GroupDirectory, POLL_INTERVAL};
use super::limits::MEMORY;
use super::owner::{Owner, is_scope};
use super::systemd;
use crate::measure::anonymous_bytes;
use ave_actors_rocksdb::machine::cgroup_dirs;

/// Time for the kernel to take back page cache above a new limit: with cgroup v1 it gives up on pages that are being
/// written.
const RECLAIM_TIMEOUT: Duration = Duration::from_secs(20);

/// The RAM of the machine that this process emulates: the memory limit of its own control group, which the process that
/// started it created.
///
/// The machine would run a database and the handles of actors, and nothing of the workbench. So this process limits
/// itself only while its database is open for a load or a restart, and adds to the machine's RAM what it holds itself.
/// While it does not, the process may use the memory of the host.
#[derive(Debug)]
pub struct MachineMemory {
    group: GroupDirectory,
    ram_bytes: u64,
    harness_bytes: AtomicU64,
    is_enforced: AtomicBool,
}

impl MachineMemory {
    /// Takes over the limit of this process's group and lifts it. `None` if no workbench created the group.
    ///
    /// # Errors
    ///
    /// The system does not let this process change the limit.
    pub(crate) fn take_over(ram_bytes: u64) -> io::Result<Option<Self>> {
        let Some(own) = cgroup_dirs(Path::new("/"), "self", MEMORY).into_iter().next() else { return Ok(None) };
        let name = own.path.file_name().and_then(|name| name.to_str());
        if name.and_then(Owner::from_name).is_none() {
            return Ok(None);
        }
        let group = GroupDirectory::of_this_process(own.version, own.path);
        let memory = Self { group, ram_bytes, harness_bytes: AtomicU64::new(0), is_enforced: AtomicBool::new(true) };
        memory.lift()?;
        Ok(Some(memory))
    }

    /// RAM of the emulated machine, bytes.
    pub(crate) const fn ram_bytes(&self) -> u64 {
        self.ram_bytes
    }

    /// Sets what the workbench holds in this process beside the database, bytes.
    pub(crate) fn set_harness_bytes(&self, bytes: u64) {
        self.harness_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Limits this process to the machine's RAM and what the workbench holds: the larger of what was set, and of the
    /// anonymous memory of this moment. So it must be called while the database is closed. No effect if it is enforced.
    ///
    /// # Errors
    ///
    /// The system refuses, or cannot take back page cache above the limit within 20 s.
    pub(crate) fn enforce(&self) -> io::Result<()> {
        if self.is_enforced.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let harness_bytes = self.harness_bytes.load(Ordering::Relaxed).max(anonymous_bytes().unwrap_or(0));
        let until = Instant::now() + RECLAIM_TIMEOUT;
        loop {
            match self.set_limit(Some(self.ram_bytes.saturating_add(harness_bytes))) {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy && Instant::now() < until => {
                    std::thread::sleep(POLL_INTERVAL);
                }
                set => return set,
            }
        }
    }

    /// Lifts the limit, for work that the machine would not do. No effect if it is not enforced.
    ///
    /// # Errors
    ///
    /// The system refuses.
    pub(crate) fn lift(&self) -> io::Result<()> {
        if self.is_enforced.swap(false, Ordering::Relaxed) { self.set_limit(None) } else { Ok(()) }
    }

    fn set_limit(&self, bytes: Option<u64>) -> io::Result<()> {
        if is_scope(&self.group.path) {
            // systemd sets the limits of its scopes again when it reloads.
            return systemd::set_memory_limit(&self.group.path, bytes);
        }
        match bytes {
            Some(bytes) => self.group.limit_memory(bytes).map(|()| self.group.reset_memory_peak()),
            None => self.group.lift_memory_limit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::cgroup::{Confinement, GroupLimits};
    use std::io::Write;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Stdio};

    const MIB: usize = 1 << 20;
    const RAM_BYTES: u64 = 64 << 20;
    /// MiB that the database of the process takes.
    const DATABASE: &str = "AVE_TEST_DATABASE_MIB";

    fn held(mib: usize) -> Vec<u8> {
        let mut held = vec![0; mib * MIB];
        held.iter_mut().step_by(4096).for_each(|page| *page = 1);
        held
    }

    /// A process within the limit of a machine, which holds more than its RAM before and after its database is open.
    fn emulate(database_mib: usize) {
        let mut line = String::new();
        io::stdin().read_line(&mut line).unwrap();
        let memory = MachineMemory::take_over(RAM_BYTES).unwrap().expect("it is in a group of a workbench");
        let books = held(100);
        memory.enforce().unwrap();
        let database = held(database_mib);
        memory.lift().unwrap();
        let verification = held(100);
        assert!([books, database, verification].iter().all(|part| part.contains(&1)));
    }

    #[test]
    fn only_what_a_process_takes_while_its_limit_is_enforced_counts() {
        if let Ok(mib) = std::env::var(DATABASE) {
            return emulate(mib.parse().unwrap());
        }
        let confinement = Confinement::detect();
        if !confinement.limits_memory() {
            let skipped = format!("SKIPPED: {}\n", confinement.rejections());
            return io::stderr().write_all(skipped.as_bytes()).unwrap();
        }
        for (database_mib, is_killed) in [(40, false), (90, true)] {
            let mut command = Command::new(std::env::current_exe().unwrap());
            let test = std::thread::current().name().unwrap().to_owned();
            command.args([test.as_str(), "--exact"]).env(DATABASE, database_mib.to_string());
            let limits = GroupLimits { millicores: 1_000, ram_bytes: RAM_BYTES };
            let (mut command, mut confined) = confinement.prepare(limits, command).unwrap();
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
            confined.enter(child.id()).unwrap();
            child.stdin.take().unwrap().write_all(b"go\n").unwrap();
            let status = child.wait().unwrap();
            let killed = confined.stats().unwrap().unwrap().oom_kills > 0 && status.signal() == Some(9);
            assert_eq!((killed, status.success()), (is_killed, !is_killed), "{database_mib} MiB: {status}");
        }
    }

    #[test]
    fn a_process_outside_of_such_groups_has_no_limit_to_take_over() {
        if std::env::var(DATABASE).is_err() {
            assert!(MachineMemory::take_over(RAM_BYTES).unwrap().is_none());
        }
    }
}
