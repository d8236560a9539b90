//! Runs this program's command line within the limits of a machine: as a child process in a control group.

use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::process::{Pid, Signal};

use super::child::exit_with_parent;
use super::error::ProcessError;
use super::scratch::Scratch;
use crate::host::{Confinement, CoreLimit, GroupLimits, HostWarning, Machine, MachineMemory};
use crate::load::Observer;
use crate::units;

/// Environment variable of the child process; its value is what is limited.
const LIMITED: &str = "AVE_WORKBENCH_LIMITED";
const CORES_AND_MEMORY: &str = "cores-and-memory";
const CORES: &str = "cores";
/// Waits for a line, so that the program starts within the limits, and becomes the program.
const START_SCRIPT: &str = "read -r line && exec \"$0\" \"$@\"";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConfinedExit {
    Code(u8),
    /// The kernel killed it because the machine's memory was used up.
    OutOfMemory,
}

/// The child process while it runs, for the handler of signals.
#[derive(Debug, Default)]
pub(crate) struct ConfinedChild(AtomicI32);

impl ConfinedChild {
    /// Asks it to end, as a second Ctrl-C or SIGTERM within a moment does not.
    pub(crate) fn terminate(&self) {
        if let Some(child) = Pid::from_raw(self.0.load(Ordering::Relaxed)) {
            // It may have ended already.
            let _ = rustix::process::kill_process(child, Signal::TERM);
        }
    }

    fn set(&self, child: &Child) {
        self.0.store(Pid::from_child(child).as_raw_pid(), Ordering::Relaxed);
    }

    fn forget(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// Whether this process is the child. If so, it ends with its parent from now on.
pub(crate) fn is_confined() -> bool {
    let is_confined = std::env::var_os(LIMITED).is_some();
    if is_confined {
        exit_with_parent(|_| {});
    }
    is_confined
}

/// In the child that emulates `machine`: its memory, if it is limited. From now on the limit is lifted.
pub(crate) fn memory(machine: Option<&Machine>) -> Result<Option<MachineMemory>, ProcessError> {
    let is_limited = std::env::var(LIMITED).is_ok_and(|limited| limited == CORES_AND_MEMORY);
    let Some(machine) = machine.filter(|_| is_limited) else { return Ok(None) };
    let failed = |source| ProcessError::Limits(machine.to_string(), source);
    MachineMemory::take_over(machine.usable_ram_bytes()).map_err(failed)
}

/// In the child: a warning if memory is not limited.
pub(crate) fn warning() -> Option<HostWarning> {
    let limited = std::env::var(LIMITED).ok()?;
    (limited == CORES).then(|| HostWarning {
        what: "the machine was emulated with its cores only: memory was not limited".to_owned(),
        hint: "run it as root or in a delegated control group".to_owned(),
    })
}

/// Runs this program's command line within the limits of `machine`. A child that is killed for its memory cannot remove
/// its databases in the data directory `data`: this does.
pub(crate) fn run(
    machine: &Machine,
    data: &Path,
    observer: &dyn Observer,
    child: &ConfinedChild,
) -> Result<ConfinedExit, ProcessError> {
    let failed = |source| ProcessError::Limits(machine.to_string(), source);
    let confinement = Confinement::detect();
    observer.note(&describe(machine, &confinement));
    let _cores = CoreLimit::apply(machine.cores).map_err(failed)?;
    let (status, oom_kills) = run_child(machine, &confinement, child).map_err(failed)?;
    if oom_kills > 0 && status.code().is_none() {
        Scratch::remove_stale(data, observer)?;
        return Ok(ConfinedExit::OutOfMemory);
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map(ConfinedExit::Code).ok_or_else(|| failed(io::Error::other(format!("it ended by itself: {status}"))))
}

/// Its exit status, and how many of its processes were killed for their memory.
fn run_child(machine: &Machine, confinement: &Confinement, running: &ConfinedChild) -> io::Result<(ExitStatus, u64)> {
    let limited = if confinement.limits_memory() { CORES_AND_MEMORY } else { CORES };
    let mut command = Command::new("sh");
    command.args(["-c", START_SCRIPT]).arg(std::env::current_exe()?);
    command.args(std::env::args_os().skip(1)).env(LIMITED, limited);
    let limits = GroupLimits { millicores: machine.millicores, ram_bytes: machine.usable_ram_bytes() };
    let (mut command, mut confined) = confinement.prepare(limits, command)?;
    let mut child = command.stdin(Stdio::piped()).spawn()?;
    if let Err(error) = confined.enter(child.id()) {
        // Without limits it must not run.
        let _ = child.kill();
        let _ = child.wait();
        return Err(error);
    }
    running.set(&child);
    // Stays open: the child ends when it is closed.
    let mut stdin = child.stdin.take();
    if let Some(stdin) = &mut stdin {
        io::Write::write_all(stdin, b"start\n")?;
    }
    let status = child.wait()?;
    running.forget();
    let kills = confined.stats()?.map_or(0, |stats| stats.oom_kills);
    confined.remove()?;
    Ok((status, kills))
}

fn describe(machine: &Machine, confinement: &Confinement) -> String {
    let cores = units::cores(machine.millicores);
    let memory = machine.usable_ram_bytes() >> 20;
    if confinement.limits_memory() {
        return format!("within {machine}: {cores} and {memory} MiB, page cache included ({})", confinement.method());
    }
    format!("within {machine}: {cores}; memory is NOT limited: {}", confinement.rejections())
}
