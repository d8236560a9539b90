//! The process that the crash check kills: this program under a hidden command.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use ave_actors_store::config::MachineSpec;
use serde::{Deserialize, Serialize};

use super::child::{ChildProcess, exit_with_parent, hidden_command, read_task, send_to_parent};
use super::error::ProcessError;
use super::source::SourceSnapshot;
use crate::load::{Control, CrashTask, Load, RocksDbTarget, SystemClock, Victim, VictimError, drive_until_killed};
use crate::workload::Workload;

/// The hidden command.
const COMMAND: &str = "crash-victim";
/// The one line of the process, when the load begins.
const UNDER_LOAD: &str = "under_load";

/// The one message to the process, a line of JSON. Its standard input stays open until it has to end.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct VictimTask {
    source: SourceSnapshot,
    machine_spec: MachineSpec,
    task: CrashTask,
}

/// The hidden command, which `run` starts and kills.
pub(crate) fn run() -> Result<(), ProcessError> {
    let VictimTask { source, machine_spec, task } = read_task(COMMAND, "run")?;
    exit_with_parent(|_| {});
    let source = source.read(&task.directory)?;
    // If the parent no longer reads, it kills this process.
    let on_load = || drop(send_to_parent(&UNDER_LOAD));
    let target = RocksDbTarget::new(machine_spec);
    Ok(drive_until_killed(&target, &source, &task, &SystemClock::new(), &Control::default(), on_load)?)
}

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A child process of this program that writes until it is killed.
#[derive(Debug, Clone)]
pub struct WritingProcess {
    pub(super) program: PathBuf,
    pub(super) source: SourceSnapshot,
    pub(super) machine_spec: MachineSpec,
}

impl WritingProcess {
    /// One that replays `source`. `machine_spec` decides the tuning.
    pub(crate) fn new(source: SourceSnapshot, machine_spec: MachineSpec) -> std::io::Result<Self> {
        Ok(Self { program: std::env::current_exe()?, source, machine_spec })
    }

    /// One of the workbench in the file `program`, which replays `workload`.
    ///
    /// # Errors
    ///
    /// The workload cannot be written as TOML.
    pub fn of_workload(program: &Path, workload: &Workload, machine_spec: MachineSpec) -> Result<Self, ProcessError> {
        Ok(Self { program: program.to_owned(), source: SourceSnapshot::of_workload(workload)?, machine_spec })
    }

    pub(super) fn start(&self, task: &CrashTask) -> std::io::Result<ChildProcess> {
        let load = match task.load {
            // The process is killed early at a random moment: it gets the rate in the middle of the ramp.
            Load::Ramp { from_per_second, to_per_second, arrivals } => {
                Load::Open { per_second: from_per_second.midpoint(to_per_second), arrivals }
            }
            load => load,
        };
        let (source, machine_spec) = (self.source.clone(), self.machine_spec.clone());
        let mut process = ChildProcess::start(hidden_command(&self.program, COMMAND))?;
        process.send(&VictimTask { source, machine_spec, task: CrashTask { load, ..task.clone() } })?;
        Ok(process)
    }
}

/// Whether a line says that the load has begun.
pub(super) fn is_under_load(line: &str) -> bool {
    serde_json::from_str::<&str>(line).is_ok_and(|line| line == UNDER_LOAD)
}

pub(super) fn ended_by_itself(mut process: ChildProcess) -> VictimError {
    VictimError(format!("ended by itself: {}", process.exit_report()))
}

pub(super) fn cannot_be(what: &str, error: &std::io::Error) -> VictimError {
    VictimError(format!("cannot be {what}: {error}"))
}

impl Victim for WritingProcess {
    fn run_and_kill(&self, task: &CrashTask, kill_after: Duration, control: &Control) -> Result<bool, VictimError> {
        let mut process = self.start(task).map_err(|error| cannot_be("started", &error))?;
        let events = process.lines();
        if !await_line(&events, None, control, is_under_load) {
            return if control.is_stopped() { Ok(false) } else { Err(ended_by_itself(process)) };
        }
        // There are no further events: the end of the output is the end of the process.
        await_line(&events, Some(Instant::now() + kill_after), control, |_| false);
        if control.is_stopped() {
            return Ok(false);
        }
        process.kill().map_err(|error| cannot_be("killed", &error))?;
        if process.was_killed() { Ok(true) } else { Err(ended_by_itself(process)) }
    }
}

/// Whether a line that `accepts` came before the end of the output, `until`, or a cancellation.
pub(super) fn await_line(
    lines: &Receiver<String>,
    until: Option<Instant>,
    control: &Control,
    accepts: impl Fn(&str) -> bool,
) -> bool {
    while !control.is_stopped() {
        let left = until.map_or(POLL_INTERVAL, |until| until.saturating_duration_since(Instant::now()));
        match lines.recv_timeout(left.min(POLL_INTERVAL)) {
            Ok(line) if accepts(&line) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
        }
        if until.is_some_and(|until| Instant::now() >= until) {
            return false;
        }
    }
    false
}
